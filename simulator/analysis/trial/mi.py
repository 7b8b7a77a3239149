"""ANCOVA of the change at the last visit after multiple imputation.

Death is handled as if the dead had stayed on the course of the others: the hypothetical strategy.
"""

from __future__ import annotations

from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis
from simulator.analysis.trial.design import columns, least_squares, usable
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, adjusted
from simulator.analysis.trial.imputation import Plan, complete, pooled
from simulator.analysis.trial.potential import as_if_alive

ESTIMAND = estimand(
    "change of function from baseline to the visit of analysis",
    "difference of means, adjusted for baseline and strata",
    death(Strategy.HYPOTHETICAL, "as if nobody died: values after death are imputed like other missing ones"),
    STOPPING,
    PAV,
)


def mi(
    data: TrialData,
    *,
    covariates: tuple[str, ...] = (),
    imputations: int = 20,
    passes: int = 5,
    per_arm: bool = False,
    seed: int = 0,
) -> Estimate:
    """Adjusted difference in change, Rubin's rules; see `imputation.Plan` for the options.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline and strata.
    imputations, passes : int
        Completed data sets; rounds of the imputation.
    per_arm : bool
        Impute each arm on its own.
    seed : int
        Of the imputations.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    x, change = columns(data, covariates), data.later_change()
    rows = usable(x)
    completed = complete(x[rows], change[rows], Plan(imputations, passes, per_arm, seed))
    fits = [least_squares(x[rows], one[:, -1]) for one in completed]
    words = f"ANCOVA after {imputations} imputations by regression, missing at random, Rubin's rules"
    return pooled(fits, About(adjusted(words, covariates), ESTIMAND), int(rows.sum()))


ANALYSES = (Analysis("mi", mi, ESTIMAND, CHANGE, truth=as_if_alive),)
