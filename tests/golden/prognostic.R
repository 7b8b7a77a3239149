# Golden values of analyses with prognostic scores of trial.csv: Rscript tests/golden/prognostic.R, in the folder of that file.
# Needs nlme, jsonlite (Debian 12: r-cran-*). The score of visit k is -0.9 k exp(0.4 (log_nfl - 4)).
suppressMessages({library(nlme); library(jsonlite)})
d <- read.csv("trial.csv")
v <- 7
d$stratum <- factor(d$stratum)
score <- function(k) -0.9 * k * exp(0.4 * (d$log_nfl - 4))
d$change <- d[[paste0("y", v)]] - d$y0
d$score <- score(v)
a <- lm(change ~ arm + y0 + stratum + score, d)
long <- do.call(rbind, lapply(1:v, function(k) {
  one <- data.frame(id = d$id, arm = d$arm, y0 = d$y0, stratum = d$stratum, visit = k, change = d[[paste0("y", k)]] - d$y0)
  for (j in 1:v) one[[paste0("s", j)]] <- if (j == k) score(k) else 0
  one
}))
long <- long[!is.na(long$change), ]; long <- long[order(long$id, long$visit), ]; long$time <- factor(long$visit, levels = 1:v)
formula <- as.formula(paste("change ~ 0 + time + time:arm + time:y0 + time:stratum +", paste0("s", 1:v, collapse = " + ")))
g <- gls(formula, long, method = "REML", correlation = corSymm(form = ~ visit | id), weights = varIdent(form = ~ 1 | time),
         control = glsControl(tolerance = 1e-10, msTol = 1e-12, maxIter = 500, msMaxIter = 2000, opt = "nlminb"))
last <- paste0("time", v, ":arm")
out <- list(
  ancova_prognostic = list(value = coef(a)[["arm"]], se = sqrt(vcov(a)["arm", "arm"]), df = a$df.residual),
  mmrm_prognostic = list(value = coef(g)[[last]], se = sqrt(vcov(g)[last, last]), slope = coef(g)[[paste0("s", v)]]),
  made_with = list(R = as.character(getRversion()), nlme = as.character(packageVersion("nlme")))
)
write(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = TRUE), "prognostic.json")
