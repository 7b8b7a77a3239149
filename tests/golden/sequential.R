# Golden values of group-sequential boundaries: Rscript tests/golden/sequential.R. Needs rpact and jsonlite
# (Debian 12: r-cran-rpact 3.3.4, r-cran-jsonlite).
suppressMessages({library(rpact); library(jsonlite)})
two_sided <- function(t, type, ...) {
  getDesignGroupSequential(informationRates = t, alpha = 0.05, sided = 2, typeOfDesign = type, ...)$criticalValues
}
five <- (1:5) / 5
uneven <- c(.3, .7, 1)
out <- list(
  obrien_fleming_five = two_sided(five, "asOF"), obrien_fleming_uneven = two_sided(uneven, "asOF"),
  pocock_five = two_sided(five, "asP"), pocock_uneven = two_sided(uneven, "asP"),
  power_five = two_sided(five, "asKD", gammaA = 3), hwang_shih_decani_five = two_sided(five, "asHSD", gammaA = -4),
  classical_obrien_fleming_five = two_sided(five, "OF"), classical_pocock_five = two_sided(five, "P")
)
for (kind in c("bsOF", "bsP")) {
  d <- getDesignGroupSequential(informationRates = uneven, alpha = 0.025, sided = 1, typeOfDesign = "asOF",
                                typeBetaSpending = kind, bindingFutility = FALSE, beta = 0.2)
  out[[kind]] <- list(efficacy = d$criticalValues, futility = d$futilityBounds, shift = getDesignCharacteristics(d)$shift)
}
write(toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE), "sequential.json")
