# Golden values of the MMRM with structured correlations of trial.csv: Rscript tests/golden/structures.R, in the folder of that file.
# Needs nlme, jsonlite (Debian 12: r-cran-*). Kenward-Roger is written out, for one contrast, with derivatives by differences.
suppressMessages({library(nlme); library(jsonlite)})
d <- read.csv("trial.csv")
v <- 7
d$stratum <- factor(d$stratum)
change <- as.matrix(d[paste0("y", 1:v)]) - d$y0
long <- do.call(rbind, lapply(1:v, function(k) data.frame(id = d$id, arm = d$arm, y0 = d$y0, stratum = d$stratum, visit = k, change = change[, k])))
long <- long[!is.na(long$change), ]; long <- long[order(long$id, long$visit), ]; long$time <- factor(long$visit, levels = 1:v)
formula <- change ~ 0 + time + time:arm + time:y0 + time:stratum
last <- paste0("time", v, ":arm")
X <- model.matrix(formula, long); Q <- qr(X); X <- X[, Q$pivot[seq_len(Q$rank)]]; l <- as.numeric(colnames(X) == last)
pieces <- split(seq_len(nrow(long)), long$id)
apart <- abs(outer(1:v, 1:v, "-"))
correlations <- list(compound_symmetry = function(r) (apart == 0) + r * (apart > 0), ar1 = function(r) r^apart)
kinds <- list(compound_symmetry = corCompSymm(form = ~ visit | id), ar1 = corAR1(form = ~ visit | id))
kenward_roger <- function(structure, theta) {
  S <- structure(theta); k <- length(theta); A <- 0
  D <- lapply(1:k, function(i) { e <- numeric(k); e[i] <- 1e-5; (structure(theta + e) - structure(theta - e)) / 2e-5 })
  P <- lapply(1:k, function(i) 0); Qs <- matrix(list(0), k, k); tr <- matrix(0, k, k)
  for (rows in pieces) {
    m <- long$visit[rows]; W <- solve(S[m, m, drop = FALSE]); Xi <- X[rows, , drop = FALSE]; A <- A + t(Xi) %*% W %*% Xi
    B <- lapply(D, function(Di) W %*% Di[m, m, drop = FALSE])
    for (i in 1:k) { P[[i]] <- P[[i]] - t(Xi) %*% B[[i]] %*% W %*% Xi
      for (j in 1:k) { Qs[[i, j]] <- Qs[[i, j]] + t(Xi) %*% B[[i]] %*% B[[j]] %*% W %*% Xi; tr[i, j] <- tr[i, j] + sum(diag(B[[i]] %*% B[[j]])) } }
  }
  C <- solve(A); I <- matrix(0, k, k)
  for (i in 1:k) for (j in 1:k) I[i, j] <- 0.5 * (tr[i, j] - sum(diag(2 * C %*% Qs[[i, j]] - C %*% P[[i]] %*% C %*% P[[j]])))
  W <- solve(I); L <- 0
  for (i in 1:k) for (j in 1:k) L <- L + W[i, j] * (Qs[[i, j]] - P[[i]] %*% C %*% P[[j]])
  f <- drop(t(l) %*% C %*% l); g <- sapply(P, function(Pi) drop(t(l) %*% C %*% Pi %*% C %*% l))
  list(se = sqrt(drop(t(l) %*% (C + 2 * C %*% L %*% C) %*% l)), df = 2 * f^2 / drop(t(g) %*% W %*% g))
}
out <- list()
for (name in names(kinds)) {
  g <- gls(formula, long, method = "REML", correlation = kinds[[name]], weights = varIdent(form = ~ 1 | time),
           control = glsControl(tolerance = 1e-10, msTol = 1e-12, maxIter = 500, msMaxIter = 1000))
  s <- g$sigma * coef(g$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[as.character(1:v)]
  rho <- coef(g$modelStruct$corStruct, unconstrained = FALSE)[[1]]
  structure <- function(th) outer(th[1:v], th[1:v]) * correlations[[name]](th[v + 1])
  out[[name]] <- list(value = coef(g)[[last]], se = sqrt(vcov(g)[last, last]), sd = unname(s), rho = rho, kenward_roger = kenward_roger(structure, c(s, rho)))
}
out$made_with <- list(R = as.character(getRversion()), nlme = as.character(packageVersion("nlme")))
write(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = TRUE), "structures.json")
