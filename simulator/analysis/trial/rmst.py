"""Difference in restricted mean event-free time: the areas under two Kaplan–Meier curves to a horizon.

References
----------
Royston & Parmar (2013), doi:10.1186/1471-2288-13-152. Variance: Greenwood's, see `analysis.survival.restricted_mean`.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.survival import kaplan_meier, restricted_mean
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.estimand import STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, wald
from simulator.analysis.trial.potential import NOTHING, Options, Potential

ESTIMAND = estimand(
    "event-free time up to the horizon",
    "difference of means in days",
    death(Strategy.COMPOSITE, "death ends event-free time"),
    STOPPING,
)


def rmst(data: TrialData, *, horizon: float | None = None) -> Estimate:
    """Difference in days to the horizon [d], by default the shorter of the arms' longest follow-ups; normal.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    horizon : float, optional
        Until when time counts [d].

    Returns
    -------
    Estimate
        Value, standard error, interval and p.

    Raises
    ------
    AnalysisError
        The horizon lies beyond the follow-up of an arm.
    """
    arms = [data.treated, ~data.treated]
    longest = min(float(data.time[arm].max()) for arm in arms)
    to = longest if horizon is None else horizon
    if to > longest:
        raise AnalysisError(
            f"RMST: horizon {to:g} d is beyond the follow-up of an arm, {longest:g} d. Choose a shorter one"
        )
    treated, control = (restricted_mean(kaplan_meier(data.time[arm], data.event[arm]), to) for arm in arms)
    about = About(f"difference in restricted mean time to {to:g} d, Greenwood variance", ESTIMAND)
    return wald(treated.value - control.value, float(np.hypot(treated.mcse, control.mcse)), about, n=data.n)


def true_rmst(of: Potential, options: Options = NOTHING) -> float:
    """Difference of mean event-free days to the horizon, by default the day of analysis."""
    horizon = options.get("horizon")
    time = np.minimum(of.data.time, of.day if horizon is None else horizon).reshape(2, -1)
    return float(np.mean(time[0] - time[1]))


ANALYSES = (Analysis("rmst", rmst, ESTIMAND, "difference of RMST, days", truth=true_rmst, changes=("horizon",)),)
