# Golden values of the trial analyses: Rscript tests/golden/trial.R, in the folder of this file's trial.csv.
# Needs survival, nlme, lmerTest, sandwich, numDeriv, mice, jsonlite (Debian 12: r-cran-*).
suppressMessages({library(survival); library(nlme); library(lmerTest); library(sandwich); library(jsonlite)})
d <- read.csv("trial.csv")
v <- 7
d$stratum <- factor(d$stratum)
out <- list()

# ANCOVA
d$change <- d$y7 - d$y0
wald <- function(fit, V = vcov(fit)) {
  est <- unname(coef(fit)["arm"]); se <- sqrt(V["arm", "arm"]); df <- fit$df.residual
  list(value = est, se = se, df = df, lower = est - qt(.975, df) * se, upper = est + qt(.975, df) * se,
       p = 2 * pt(-abs(est / se), df), n = nobs(fit))
}
plain <- lm(change ~ arm + y0 + stratum, d)
out$ancova <- wald(plain)
out$ancova_hc3 <- wald(plain, vcovHC(plain, "HC3"))
out$ancova_nfl <- wald(lm(change ~ arm + y0 + stratum + log_nfl, d))

# Survival
surv <- Surv(d$time, d$event)
rank_test <- function(fit, rows) {
  list(excess = sum(as.matrix(fit$obs)[2, ] - as.matrix(fit$exp)[2, ]), variance = fit$var[2, 2], chisq = fit$chisq)
}
out$logrank <- rank_test(survdiff(surv ~ arm, d))
out$stratified_logrank <- rank_test(survdiff(surv ~ arm + strata(stratum), d))
cox <- function(formula) {
  s <- summary(coxph(formula, d, ties = "efron", control = coxph.control(eps = 1e-14, toler.chol = 1e-15)))$coefficients["arm", ]
  list(value = s[["coef"]], se = s[["se(coef)"]], p = s[["Pr(>|z|)"]])
}
out$cox <- cox(surv ~ arm)
out$cox_nfl <- cox(surv ~ arm + log_nfl)
out$cox_nfl_stratified <- cox(surv ~ arm + log_nfl + strata(stratum))
km <- summary(survfit(surv ~ arm, d), rmean = 196)$table
out$rmst <- list(value = km["arm=1", "rmean"] - km["arm=0", "rmean"],
                 se = sqrt(sum(km[, grep("se\\(rmean\\)", colnames(km))]^2)))

# MMRM: nlme for estimate, error and likelihood; degrees of freedom from a numerical Hessian of the restricted likelihood
long <- do.call(rbind, lapply(1:v, function(k) data.frame(id = d$id, arm = d$arm, y0 = d$y0, stratum = d$stratum,
  visit = k, change = d[[paste0("y", k)]] - d$y0)))
long <- long[!is.na(long$change), ]
long <- long[order(long$id, long$visit), ]
long$time <- factor(long$visit)
g <- gls(change ~ 0 + time + time:arm + time:y0 + time:stratum, long, method = "REML",
         correlation = corSymm(form = ~ visit | id), weights = varIdent(form = ~ 1 | time),
         control = glsControl(tolerance = 1e-10, msTol = 1e-12, maxIter = 500, msMaxIter = 1000))
last <- paste0("time", v, ":arm")
X <- model.matrix(~ 0 + time + time:arm + time:y0 + time:stratum, long)
Q <- qr(X); X <- X[, Q$pivot[seq_len(Q$rank)]] # the first stratum's columns repeat those of the visits
pieces <- split(seq_len(nrow(long)), long$id)
sigma_of <- function(theta) { L <- matrix(0, v, v); L[lower.tri(L, TRUE)] <- theta; L %*% t(L) }
assemble <- function(S) {
  A <- 0; b <- 0; yy <- 0; logs <- 0
  for (rows in pieces) {
    k <- long$visit[rows]; W <- solve(S[k, k, drop = FALSE]); Xi <- X[rows, , drop = FALSE]; yi <- long$change[rows]
    A <- A + t(Xi) %*% W %*% Xi; b <- b + t(Xi) %*% W %*% yi; yy <- yy + sum(yi * (W %*% yi))
    logs <- logs - determinant(W)$modulus
  }
  beta <- solve(A, b)
  list(A = A, beta = setNames(drop(beta), colnames(X)), loglik = -0.5 * as.numeric(logs + determinant(A)$modulus + yy - sum(b * beta)))
}
full <- names(pieces)[sapply(pieces, length) == v][1]
S <- getVarCov(g, individual = full); S <- matrix(as.numeric(S), v, v)
theta <- t(chol(S))[lower.tri(S, TRUE)]
restricted <- function(th) assemble(sigma_of(th))$loglik
for (k in 1:3) theta <- theta - solve(numDeriv::hessian(restricted, theta), numDeriv::grad(restricted, theta))
H <- numDeriv::hessian(restricted, theta) # nlme stops a little before the maximum: three steps of Newton go there
variance <- function(th) solve(assemble(sigma_of(th))$A)[last, last]
slope <- numDeriv::grad(variance, theta)
out$mmrm <- list(value = assemble(sigma_of(theta))$beta[[last]], se = sqrt(variance(theta)),
                 df = 2 * variance(theta)^2 / sum(slope * solve(-H, slope)), sigma = sigma_of(theta),
                 gls = list(value = unname(coef(g)[last]), se = unname(sqrt(vcov(g)[last, last]))))

# Random intercepts and slopes
rows <- do.call(rbind, lapply(0:v, function(k) data.frame(id = d$id, arm = d$arm, stratum = d$stratum,
  months = d[[paste0("d", k)]] / 30.4375, y = d[[paste0("y", k)]])))
rows <- rows[!is.na(rows$y), ]
l <- lme(y ~ months + months:arm + stratum + stratum:months, rows, random = ~ months | id, method = "REML",
         control = lmeControl(msTol = 1e-12, tolerance = 1e-12))
tested <- lmer(y ~ months + months:arm + stratum + stratum:months + (months | id), rows,
               control = lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12)))
out$random_slope <- list(value = unname(fixef(l)["months:arm"]), se = sqrt(vcov(l)["months:arm", "months:arm"]),
                         df = summary(tested)$coefficients["months:arm", "df"],
                         lmer = summary(tested)$coefficients["months:arm", c("Estimate", "Std. Error")])

# Joint rank, by loops
n <- nrow(d); change <- as.matrix(d[paste0("y", 0:v)]) - d$y0; score <- numeric(n)
better <- function(i, j) {
  fell <- function(a, b) d$event[a] == 1 && (d$time[a] < d$time[b] || (d$time[a] == d$time[b] && d$event[b] == 0))
  if (fell(i, j)) return(-1)
  if (fell(j, i)) return(1)
  common <- which(!is.na(change[i, ]) & !is.na(change[j, ])); k <- max(common)
  if (k == 1) 0 else sign(change[i, k] - change[j, k])
}
C <- outer(1:n, 1:n, Vectorize(function(i, j) if (i == j) 0 else better(i, j)))
score <- rowSums(C); n1 <- sum(d$arm); n0 <- n - n1
out$joint_rank <- list(value = sum(score[d$arm == 1]) / (n1 * n0), se = sqrt(n1 * n0 / (n * (n - 1)) * sum(score^2)) / (n1 * n0))
within <- C * outer(d$stratum, d$stratum, "=="); score <- rowSums(within)
T <- 0; V <- 0; pairs <- 0
for (s in levels(d$stratum)) { m <- d$stratum == s; a <- sum(d$arm[m]); b <- sum(m) - a
  T <- T + sum(score[m & d$arm == 1]); V <- V + a * b / (sum(m) * (sum(m) - 1)) * sum(score[m]^2); pairs <- pairs + a * b }
out$joint_rank_stratified <- list(value = T / pairs, se = sqrt(V) / pairs)

# Win ratio within strata (Dong et al. 2018): wins and losses over the size of the stratum; variances of two-sample U-statistics
W <- 0; L <- 0; V <- matrix(0, 2, 2)
for (k in levels(d$stratum)) { m <- d$stratum == k; one <- C[m & d$arm == 1, m & d$arm == 0]; w <- one > 0; l <- one < 0
  a <- nrow(one); b <- ncol(one); size <- a * b / (a + b)
  W <- W + size * mean(w); L <- L + size * mean(l)
  V <- V + size^2 * (cov(cbind(rowMeans(w), rowMeans(l))) / a + cov(cbind(colMeans(w), colMeans(l))) / b) }
g <- c(1 / W, -1 / L)
out$win_ratio_stratified <- list(value = log(W / L), se = sqrt(drop(g %*% V %*% g)))

# Rubin's rules
Q <- c(1.2, 0.7, 1.9, 1.1, 0.4); U <- c(1.1, 1.3, 0.9, 1.0, 1.2)^2
pooled <- mice::pool.scalar(Q, U, n = 108, k = 4)
out$rubin <- list(values = Q, variances = U, df_complete = 104, value = pooled$qbar, se = sqrt(pooled$t), df = pooled$df)

out$made_with <- list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")),
  nlme = as.character(packageVersion("nlme")), lmerTest = as.character(packageVersion("lmerTest")),
  sandwich = as.character(packageVersion("sandwich")), mice = as.character(packageVersion("mice")))
write(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = TRUE), "trial.json")
