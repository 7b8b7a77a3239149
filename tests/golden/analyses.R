# Golden values of further analyses of trial.csv: Rscript tests/golden/analyses.R, in the folder of that file.
# Needs survival, jsonlite (Debian 12: r-cran-*). Kenward-Roger, Firth and the imputations are written out here.
suppressMessages({library(survival); library(jsonlite)})
d <- read.csv("trial.csv")
v <- 7
d$stratum <- factor(d$stratum)
change <- as.matrix(d[paste0("y", 1:v)]) - d$y0
out <- list()

# Responders within strata: Cochran-Mantel-Haenszel, Mantel-Haenszel difference, variance of Sato, Greenland and Robins
r <- !is.na(change[, v]) & change[, v] >= -4 & d$event == 0
N <- table(d$arm, d$stratum); R <- table(factor(d$arm)[r], d$stratum[r])
a <- R["1", ]; b <- R["0", ]; n1 <- N["1", ]; n0 <- N["0", ]; n <- n1 + n0
w <- n1 * n0 / n; rd <- sum(w * (a / n1 - b / n0)) / sum(w)
P <- (n1^2 * b - n0^2 * a + n1 * n0 * (n0 - n1) / 2) / n^2; Q <- (a * (n0 - b) + b * (n1 - a)) / (2 * n)
out$responder_stratified <- list(value = rd, se = sqrt((rd * sum(P) + sum(Q)) / sum(w)^2),
  p = mantelhaen.test(d$arm, r, d$stratum, correct = FALSE)$p.value)

# Cox: likelihood ratio and score tests given log NfL, profile limits, Firth's penalty
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100)
surv <- Surv(d$time, d$event)
full <- coxph(surv ~ arm + log_nfl, d, control = tight); null <- coxph(surv ~ log_nfl, d, control = tight)
lr <- 2 * (full$loglik[2] - null$loglik[2])
held <- coxph(surv ~ arm + log_nfl, d, init = c(0, coef(null)), control = coxph.control(iter.max = 0))
profile <- function(beta) coxph(surv ~ log_nfl + offset(beta * arm), d, control = tight)$loglik[2]
limit <- function(side) uniroot(function(beta) 2 * (full$loglik[2] - profile(beta)) - qchisq(.95, 1),
  sort(coef(full)[["arm"]] + side * c(0.1, 3)), tol = 1e-12)$root
out$cox_lr <- list(value = coef(full)[["arm"]], se = sqrt(vcov(full)["arm", "arm"]),
  p = pchisq(lr, 1, lower.tail = FALSE), lower = limit(-1), upper = limit(1))
out$cox_score <- list(value = coef(full)[["arm"]], se = sqrt(vcov(full)["arm", "arm"]), p = pchisq(held$score, 1, lower.tail = FALSE))
at <- function(beta) { fit <- coxph(surv ~ arm + log_nfl, d, init = beta, control = coxph.control(iter.max = 0))
  list(value = fit$loglik[2] - as.numeric(determinant(fit$var)$modulus) / 2, var = fit$var) }
top <- optim(coef(full), function(b) -at(b)$value, method = "BFGS", control = list(reltol = 1e-16, maxit = 1000))
top <- optim(top$par, function(b) -at(b)$value, method = "Nelder-Mead", control = list(reltol = 1e-16, maxit = 2000))
held <- optimize(function(b) at(c(0, b))$value, c(-2, 3), maximum = TRUE, tol = 1e-10)
out$cox_firth <- list(value = top$par[[1]], se = sqrt(at(top$par)$var[1, 1]), p = pchisq(2 * (-top$value - held$objective), 1, lower.tail = FALSE))

# MMRM
long <- do.call(rbind, lapply(1:v, function(k) data.frame(id = d$id, arm = d$arm, y0 = d$y0, stratum = d$stratum, visit = k, change = change[, k])))
long <- long[!is.na(long$change), ]; long <- long[order(long$id, long$visit), ]; long$time <- factor(long$visit)
formula <- change ~ 0 + time + time:arm + time:y0 + time:stratum
last <- paste0("time", v, ":arm")
X <- model.matrix(formula, long); Qr <- qr(X); X <- X[, Qr$pivot[seq_len(Qr$rank)]]
pieces <- split(seq_len(nrow(long)), long$id)
structures <- list(
  unstructured = function(th) { S <- matrix(0, v, v); S[upper.tri(S, TRUE)] <- th; S + t(S) - diag(diag(S)) })
fit <- function(S) {
  A <- 0; b <- 0; yy <- 0; logs <- 0
  for (rows in pieces) { k <- long$visit[rows]; W <- solve(S[k, k, drop = FALSE]); Xi <- X[rows, , drop = FALSE]; yi <- long$change[rows]
    A <- A + t(Xi) %*% W %*% Xi; b <- b + t(Xi) %*% W %*% yi; yy <- yy + sum(yi * (W %*% yi)); logs <- logs - determinant(W)$modulus }
  beta <- solve(A, b)
  list(A = A, beta = beta, loglik = -0.5 * as.numeric(logs + determinant(A)$modulus + yy - sum(b * beta)))
}
kenward_roger <- function(structure, theta) { # Kenward & Roger 1997 for one contrast, first derivatives by differences (exact: linear)
  S <- structure(theta); k <- length(theta); C <- solve(fit(S)$A); l <- as.numeric(colnames(X) == last)
  D <- lapply(1:k, function(i) { e <- numeric(k); e[i] <- 1; (structure(theta + e) - structure(theta - e)) / 2 })
  P <- lapply(1:k, function(i) 0); Qs <- matrix(list(0), k, k); tr <- matrix(0, k, k)
  for (rows in pieces) { m <- long$visit[rows]; W <- solve(S[m, m, drop = FALSE]); Xi <- X[rows, , drop = FALSE]
    for (i in 1:k) { Di <- D[[i]][m, m, drop = FALSE]; P[[i]] <- P[[i]] - t(Xi) %*% W %*% Di %*% W %*% Xi
      for (j in 1:k) { Dj <- D[[j]][m, m, drop = FALSE]
        Qs[[i, j]] <- Qs[[i, j]] + t(Xi) %*% W %*% Di %*% W %*% Dj %*% W %*% Xi; tr[i, j] <- tr[i, j] + sum(diag(W %*% Di %*% W %*% Dj)) } } }
  I <- matrix(0, k, k)
  for (i in 1:k) for (j in 1:k) I[i, j] <- 0.5 * (tr[i, j] - sum(diag(2 * C %*% Qs[[i, j]] - C %*% P[[i]] %*% C %*% P[[j]])))
  W <- solve(I); L <- 0
  for (i in 1:k) for (j in 1:k) L <- L + W[i, j] * (Qs[[i, j]] - P[[i]] %*% C %*% P[[j]])
  adjusted <- C + 2 * C %*% L %*% C
  f <- drop(t(l) %*% C %*% l); g <- sapply(P, function(Pi) drop(t(l) %*% C %*% Pi %*% C %*% l))
  list(se = sqrt(drop(t(l) %*% adjusted %*% l)), df = 2 * f^2 / drop(t(g) %*% W %*% g))
}
S <- as.matrix(fromJSON("trial.json")$mmrm$sigma)
out$unstructured_kr <- kenward_roger(structures$unstructured, S[upper.tri(S, TRUE)])

# Controlled imputation: the mean over infinitely many imputations, where nobody comes back after a missed visit
Y <- change
for (i in seq_len(nrow(Y))) { gap <- which(is.na(Y[i, ])); if (length(gap)) Y[i, min(gap):v] <- NA }
Z <- cbind(1, d$arm, d$y0, as.numeric(d$stratum == "1")); Z0 <- Z; Z0[, 2] <- 0; q <- ncol(Z)
for (rule in c("random", "jump", "copy", "increments")) {
  full <- Y; own <- control <- expected <- matrix(0, nrow(Y), 0); anchor <- numeric(nrow(Y))
  for (k in 1:v) {
    there <- !is.na(Y[, k]); past <- full[, seq_len(k - 1), drop = FALSE]
    beta <- coef(lm.fit(cbind(Z, past)[there, , drop = FALSE], Y[there, k]))
    mo <- cbind(Z, own) %*% beta; mc <- cbind(Z0, control) %*% beta
    anchor <- ifelse(there, mo - mc, anchor)
    centre <- ifelse(there, mo, switch(rule, random = mo, jump = mc, copy = mc, increments = mc + anchor))
    value <- switch(rule, random = cbind(Z, past) %*% beta, copy = cbind(Z0, past) %*% beta,
      if (k > 1) centre + (past - expected) %*% beta[-seq_len(q)] else centre)
    full[!there, k] <- value[!there]
    own <- cbind(own, mo); control <- cbind(control, mc); expected <- cbind(expected, centre)
  }
  out[[paste0("imputed_", rule)]] <- coef(lm.fit(Z, full[, v]))[[2]]
}

out$made_with <- list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")))
write(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = TRUE), "analyses.json")
