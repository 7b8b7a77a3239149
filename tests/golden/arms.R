# Golden values of trials with several arms: Rscript tests/golden/arms.R. Needs mvtnorm, DoseFinding, rpact and jsonlite
# (Debian 12: r-cran-mvtnorm, r-cran-dosefinding 1.0, r-cran-rpact 3.3.4, r-cran-jsonlite).
suppressMessages({library(mvtnorm); library(DoseFinding); library(rpact); library(jsonlite)})
set.seed(1)
exact <- GenzBretz(maxpts = 1e6, abseps = 1e-5)
shared <- function(n, n0) { l <- sqrt(n / (n + n0)); r <- outer(l, l); diag(r) <- 1; r }
out <- list()
# Critical values of Dunnett's tables (1955, 1964), and how likely they are crossed
tables <- list(one = c(1.92, 2.06, 2.16, 2.23), one_t10 = c(2.15, 2.34, 2.47, 2.56),
               two = c(2.21, 2.35, 2.44, 2.51), two_t10 = c(2.57, 2.76, 2.89, 2.99))
for (kind in names(tables)) for (k in 2:5) {
  z <- rep(tables[[kind]][k - 1], k); low <- if (startsWith(kind, "two")) -z else rep(-Inf, k); r <- shared(rep(1, k), 1)
  inside <- if (endsWith(kind, "t10")) pmvt(low, z, df = 10, corr = r, algorithm = exact) else
    pmvnorm(low, z, corr = r, algorithm = exact)
  out$dunnett[[kind]] <- c(out$dunnett[[kind]], 1 - inside[1])
}
out$tables <- tables
n <- c(20, 35, 50); z <- c(2.1, 2.4, 0.3)
p_all <- 1 - pmvnorm(upper = rep(2.4, 3), corr = shared(n, 40), algorithm = exact)[1]
p_two <- 1 - pmvnorm(upper = rep(2.1, 2), corr = shared(n[c(1, 3)], 40), algorithm = exact)[1]
out$step_down <- c(max(p_all, p_two), p_all, max(p_all, p_two, pnorm(-0.3)))
out$single_step <- sapply(z, function(x) 1 - pmvnorm(upper = rep(x, 3), corr = shared(n, 40), algorithm = exact)[1])

doses <- c(10, 30, 60); se <- c(1.1, .9, 1.0); l <- sqrt(n / (n + 40))
S <- outer(se * l, se * l); diag(S) <- se^2
models <- Mods(linear = NULL, emax = 15, exponential = 40, doses = c(0, doses), placEff = 0, maxEff = 1)
test <- MCTtest(doses, c(1, 1.6, 2.4), S = S, models = models, type = "general", placAdj = TRUE, df = Inf,
                mvtcontrol = DoseFinding::mvtnorm.control(maxpts = 1e6, abseps = 1e-5))
out$trend <- list(z = as.numeric(test$tStat), p = min(attr(test$tStat, "pVal")), contrasts = unname(test$contMat))

# Arms that go on until they cross: the largest of all statistics of all stages
mams <- function(upper, k, t) {
  corr <- outer(t, t, function(a, b) sqrt(pmin(a, b) / pmax(a, b))) %x% shared(rep(1, k), 1)
  1 - pmvnorm(upper = rep(upper, each = k), corr = corr, algorithm = exact)[1]
}
out$mams <- list(two = mams(c(2.4532829, 2.3129773), 4, c(.5, 1)), three = mams(c(2.9, 2.6, 2.2), 3, (1:3) / 3))

# Closed combination test of two arms against control after two stages, Dunnett in each (rpact)
design <- getDesignInverseNormal(informationRates = c(.5, 1), alpha = .025, typeOfDesign = "asOF")
data <- getDataset(n1 = c(20, 20), n2 = c(30, 25), n3 = c(25, 30), means1 = c(2.1, 1.7), means2 = c(1.4, 1.0),
                   means3 = c(0.3, 0.4), stDevs1 = c(3, 3), stDevs2 = c(3, 3), stDevs3 = c(3, 3))
found <- getAnalysisResults(design, data, intersectionTest = "Dunnett", varianceOption = "overallPooled",
                            normalApproximation = TRUE, stage = 2)
closed <- found$.closedTestResults
out$closed <- list(bounds = design$criticalValues, statistics = closed$overallAdjustedTestStatistics,
                   hypotheses = closed$indices, rejected = closed$rejected)

# After looks: median unbiased estimate and interval by stage-wise ordering, at the second look of three, error 1/sqrt(70) (rpact)
looks <- getDesignGroupSequential(informationRates = c(.3, .7, 1), alpha = .025, sided = 1, typeOfDesign = "asOF")
one <- getDataset(n = c(30, 40), means = c(.4571428571, .4571428571), stDevs = rep(sqrt(69 / 68), 2))
final <- getAnalysisResults(looks, one, normalApproximation = TRUE, stage = 2)
out$after <- list(median = final$medianUnbiasedEstimates[2], low = final$finalConfidenceIntervalLowerBounds[2],
                  high = final$finalConfidenceIntervalUpperBounds[2], p = final$finalPValues[2],
                  repeated_low = final$repeatedConfidenceIntervalLowerBounds[2],
                  repeated_high = final$repeatedConfidenceIntervalUpperBounds[2], bounds = looks$criticalValues)
write(toJSON(out, digits = 10, auto_unbox = TRUE, pretty = TRUE), "arms.json")
