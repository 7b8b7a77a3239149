# Random intercepts and slopes at the edge of the covariances and near it: Rscript tests/golden/slopes.R, in this folder.
# Needs lmerTest, nlme and jsonlite (Debian 12: r-cran-*). Invented data: where b0 or b1 hardly vary, or move together.
suppressMessages({library(lmerTest); library(nlme); library(jsonlite)})
RNGversion("4.2.0")
out <- list()
n <- 40; v <- 6
for (seed in c(1, 2, 4, 5, 6, 9, 11, 12)) {
  set.seed(seed)
  kind <- (seed - 1) %% 4 + 1
  d <- expand.grid(visit = 0:(v - 1), id = 1:n)
  d$arm <- d$id %% 2
  b0 <- rnorm(n, 0, c(5, 5, .3, 3)[kind])
  b1 <- c(.02, 0, .5, 0)[kind] * rnorm(n) + c(0, .05, 0, -.06)[kind] * b0
  d$y <- round(40 + b0[d$id] - (.9 + b1[d$id]) * d$visit + rnorm(nrow(d), 0, 2), 1)
  seen <- runif(nrow(d)) > .15
  fit <- lmer(y ~ visit + visit:arm + (visit | id), d[seen, ], control = lmerControl(check.conv.singular = "ignore",
    optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e5)))
  found <- summary(fit)$coefficients["visit:arm", ]
  line <- lme(y ~ visit + visit:arm, d[seen, ], random = ~ visit | id,
              control = lmeControl(opt = "optim", maxIter = 500, msMaxIter = 500, returnObject = TRUE))
  d$y[!seen] <- NA
  out[[paste0("seed_", seed)]] <- list(y = matrix(d$y, n, v, byrow = TRUE), singular = isSingular(fit),
    value = found[["Estimate"]], se = found[["Std. Error"]], df = found[["df"]], loglik = as.numeric(logLik(fit)),
    lme = as.numeric(logLik(line)), covariance = matrix(as.numeric(VarCorr(fit)$id), 2, 2), error = sigma(fit))
}
out$made_with <- list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")),
  lmerTest = as.character(packageVersion("lmerTest")), nlme = as.character(packageVersion("nlme")))
write(toJSON(out, auto_unbox = TRUE, digits = 12, na = "null"), "slopes.json")
for (k in names(out)[-9]) cat(k, out[[k]]$singular, out[[k]]$loglik, out[[k]]$lme, out[[k]]$value, "\n")
