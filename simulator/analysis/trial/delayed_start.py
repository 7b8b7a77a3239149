"""Delayed start: what remains of the difference between arms after control has begun treatment too.

The difference at the end, minus a share of the difference when control starts, from one MMRM over both periods. A share
of 0 gives the remaining difference; a share such as 0.5 gives the contrast that is positive when more than half of the
early advantage is kept. A gap that does not close is what a slower disease leaves behind; it is early start against
late start, not treatment against none.

References
----------
Liu-Seifert et al. (2015), doi:10.1371/journal.pone.0119632.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate
from simulator.analysis.trial.mmrm import contrast
from simulator.analysis.trial.potential import NOTHING, Options, Potential

ESTIMAND = estimand(
    "change of function from baseline to the end of the delayed-start period",
    "difference of means, early against delayed start, minus the share of the earlier difference",
    death(Strategy.HYPOTHETICAL, "as if nobody died: values after death count as missing at random"),
    STOPPING,
    PAV,
    treatment="assignment to early start against assignment to delayed start",
)


def delayed_start(
    data: TrialData, *, switch_day: float | None = None, kept_share: float = 0.0, covariates: tuple[str, ...] = ()
) -> Estimate:
    """Difference at the last visit minus `kept_share` of that at the last visit by `switch_day` [d].

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    switch_day : float, optional
        Last day of the period in which one arm is untreated [d].
    kept_share : float
        Share of the earlier difference that is taken off.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline and strata.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.

    Raises
    ------
    AnalysisError
        A share of the earlier difference is asked for without a day after baseline and before the last visit.
    """
    days = data.nominal_day[1:]
    weights = np.zeros(data.later_change().shape[1])
    weights[-1] = 1.0
    if kept_share:
        switch = int(np.searchsorted(days, -np.inf if switch_day is None else switch_day, side="right")) - 1
        if not 0 <= switch < len(days) - 1:
            raise AnalysisError(
                f"delayed start: switch_day {switch_day} needs visits before and after it. Give its day"
            )
        weights[switch] -= kept_share
    about = About(f"delayed-start contrast, {kept_share:g} of the earlier difference subtracted, MMRM", ESTIMAND)
    return contrast(data, weights, about, covariates=covariates)


def true_delayed_start(of: Potential, options: Options = NOTHING) -> float:
    """Difference as if alive at the last visit, minus a share of that at the last visit by `switch_day`."""
    kept, gap = options.get("kept_share", 0.0), of.course[0] - of.course[1]
    mean = np.mean(gap - gap[:, :1], axis=0)
    switch = int(np.searchsorted(of.visit_day, options.get("switch_day") or 0.0, side="right")) - 1
    return float(mean[-1] - kept * mean[switch])


ANALYSES = (
    Analysis(
        "delayed_start",
        delayed_start,
        ESTIMAND,
        CHANGE,
        truth=true_delayed_start,
        changes=("switch_day", "kept_share"),
    ),
)
