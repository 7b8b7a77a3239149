"""Analyses that adjust for a prognostic score: the untreated change that a model expects of each, known at baseline.

`ancova_prognostic` takes the score of the last visit as one more covariate (PROCOVA). `mmrm_prognostic` is
time-matched: at each visit the score of that visit has a coefficient of its own (PROCOVA-MMRM). A wrong score costs
power, not the type I error, as any baseline covariate does.

References
----------
Schuler et al. (2022), Increasing the efficiency of randomized trial estimates via linear adjustment for a prognostic
score, doi:10.1515/ijb-2021-0072.
"""

from __future__ import annotations

from simulator.analysis.trial import mmrm as repeated
from simulator.analysis.trial.ancova import ESTIMAND, ancova
from simulator.analysis.trial.data import SCORE, TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis
from simulator.analysis.trial.estimate import Estimate
from simulator.analysis.trial.mmrm import Df, How, at_last_visit
from simulator.analysis.trial.potential import always_survivors, as_if_alive
from simulator.analysis.trial.structures import Name


def ancova_prognostic(data: TrialData, *, covariates: tuple[str, ...] = (), robust: bool = False) -> Estimate:
    """ANCOVA that also adjusts for the prognostic score of the last visit.

    Parameters
    ----------
    data : TrialData
        Participants of two arms, with prognostic scores.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline, strata and the score.
    robust : bool
        The sandwich error HC3.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    return ancova(data, covariates=(*covariates, SCORE), robust=robust)


def mmrm_prognostic(
    data: TrialData,
    *,
    covariates: tuple[str, ...] = (),
    covariance: Name = "unstructured",
    fallback: bool = False,
    df: Df = "satterthwaite",
) -> Estimate:
    """MMRM in which each visit also has a coefficient of the prognostic score of that visit.

    Parameters
    ----------
    data : TrialData
        Participants of two arms, with prognostic scores.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline, strata and the scores.
    covariance : {"unstructured", "toeplitz", "ar1", "compound_symmetry"}
        That of the visits.
    fallback : bool
        Whether a simpler covariance is taken where this one cannot be estimated; the method says which it is.
    df : {"satterthwaite", "kenward_roger"}
        How the standard error and degrees of freedom are found.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    return at_last_visit(data, covariates, How(covariance, df, matched=True), fallback=fallback)


ANALYSES = (
    Analysis("ancova_prognostic", ancova_prognostic, ESTIMAND, CHANGE, truth=always_survivors),
    Analysis("mmrm_prognostic", mmrm_prognostic, repeated.ESTIMAND, CHANGE, truth=as_if_alive),
)
