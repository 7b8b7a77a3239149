"""ANCOVA whose control borrows earlier controls by a robust meta-analytic-predictive prior.

The mean of control at the mean of the covariates is one more of the means of earlier control groups, with the
probability `borrowed`, or something that one participant would say. The data decide: the further control is from the
earlier ones, the less is borrowed. See `earlier.predicted` and `posterior`.
"""

from __future__ import annotations

from simulator.analysis.trial.ancova import ESTIMAND
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis, Borrows
from simulator.analysis.trial.earlier import BETWEEN, BORROWED, Prior, known, predicted
from simulator.analysis.trial.estimate import About, Estimate, adjusted
from simulator.analysis.trial.posterior import difference, estimate, fitted, told
from simulator.analysis.trial.potential import always_survivors


def ancova_map(
    data: TrialData, *, borrowed: float = BORROWED, between: float = BETWEEN, covariates: tuple[str, ...] = ()
) -> Estimate:
    """Posterior of the adjusted difference in change at the last visit.

    Parameters
    ----------
    data : TrialData
        Participants of two arms, with earlier controls that tell the change until the last visit.
    borrowed : float
        Probability that control is like the earlier ones; 0 gives ANCOVA.
    between : float
        Scale of the half-normal prior of the standard deviation between trials, in SDs of a participant.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline and strata.

    Returns
    -------
    Estimate
        Posterior mean, standard deviation and interval; p is twice the smaller tail.
    """
    words = "ANCOVA, control with a robust MAP prior"
    return borrowing(data, predicted(borrowed, between), covariates, (words, "ancova_map"))


def borrowing(data: TrialData, kind: Prior, covariates: tuple[str, ...], called: tuple[str, str]) -> Estimate:
    """The posterior by a kind of borrowing, called so in words and as an analysis."""
    words, name = called
    of = known(data.earlier, "change", float(data.nominal_day[-1]), name)
    fit = fitted(data, covariates)
    found = difference(fit, kind(of))
    method = told(adjusted(words, covariates), float(found.delta.below(0.0)), found.borrowed)
    return estimate(found.delta, About(method, ESTIMAND), fit.n)


BORROWS = Borrows("change", predicted)
ANALYSES = (Analysis("ancova_map", ancova_map, ESTIMAND, CHANGE, truth=always_survivors, borrows=BORROWS),)
