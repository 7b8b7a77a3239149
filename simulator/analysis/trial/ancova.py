"""ANCOVA of the change from baseline at the last visit, among those alive and measured there.

    Y_v − Y_0 = β₀ + δ arm + β₁ Y_0 + strata + covariates + ε

It estimates the effect among participants who are alive at the visit: a survivor effect. It is the effect in the
principal stratum of those who would be alive in both arms only if treatment does not change who survives until then.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis
from simulator.analysis.trial.design import ARM, columns, least_squares, usable
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, adjusted, wald
from simulator.analysis.trial.potential import always_survivors

ESTIMAND = estimand(
    "change of function from baseline to the visit of analysis",
    "difference of means, adjusted for baseline and strata",
    death(Strategy.PRINCIPAL_STRATUM, "those who would be alive at the visit in either arm, if treatment moves nobody"),
    STOPPING,
    PAV,
    population="randomised participants who would be alive at the visit of analysis in either arm",
)


def ancova(data: TrialData, *, covariates: tuple[str, ...] = (), robust: bool = False) -> Estimate:
    """Adjusted difference in change at the last visit; t with n − q degrees of freedom.

    The standard error is the classical one; `robust` takes the sandwich HC3.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline and strata.
    robust : bool
        The sandwich error HC3.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    x, y = columns(data, covariates), data.later_change()[:, -1]
    rows = usable(x) & np.isfinite(y)
    fit = least_squares(x[rows], y[rows], robust=robust)
    words = f"ANCOVA of observed cases, {'HC3' if robust else 'classical'} standard error"
    about = About(adjusted(words, covariates), ESTIMAND)
    return wald(fit.coefficients[ARM], np.sqrt(fit.covariance[ARM, ARM]), about, n=int(rows.sum()), df=fit.df)


def ancova_nfl(data: TrialData, *, robust: bool = False) -> Estimate:
    """The same, adjusted for the logarithm of neurofilament light at baseline (covariate `log_nfl`).

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    robust : bool
        The sandwich error HC3.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    return ancova(data, covariates=("log_nfl",), robust=robust)


ANALYSES = (
    Analysis("ancova", ancova, ESTIMAND, CHANGE, truth=always_survivors),
    Analysis("ancova_nfl", ancova_nfl, ESTIMAND, CHANGE, truth=always_survivors),
)
