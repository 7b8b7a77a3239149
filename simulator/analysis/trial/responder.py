"""Difference in the proportion of responders, with Newcombe's interval.

The interval combines Wilson's score intervals (l₁, u₁), (l₀, u₀) of the two proportions: from
d − √((p₁ − l₁)² + (u₀ − p₀)²) to d + √((u₁ − p₁)² + (p₀ − l₀)²).

References
----------
Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in Medicine
17:873-890, method 10.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.intervals import share_interval
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import Estimate, two_sided
from simulator.analysis.trial.potential import NOTHING, Options, Potential

ESTIMAND = estimand(
    "response: event-free at the visit of analysis with at least the least change of function",
    "difference of proportions",
    death(Strategy.COMPOSITE, "death is no response"),
    STOPPING,
    PAV,
)


def responder(data: TrialData, *, least_change: float = 0.0, missing_fails: bool = True) -> Estimate:
    """Difference in the proportion whose change at the last visit is at least `least_change` [points].

    An event is no response. A missing value without an event is none either, or with `missing_fails=False` is left
    out. p is that of the pooled z test without continuity correction, the standard error the unpooled one, 0 where
    nobody or everybody in both arms responds.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    least_change : float
        Change that is a response [points].
    missing_fails : bool
        A missing value is no response.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.

    Raises
    ------
    NotEstimableError
        An arm has nobody with a known response.
    """
    last = data.later_change()[:, -1]
    known = np.isfinite(last) | data.event
    rows = np.ones(data.n, np.bool_) if missing_fails else known
    responds = (np.nan_to_num(last, nan=-np.inf) >= least_change) & ~data.event
    size = np.bincount(data.arm[rows], minlength=2).astype(np.float64)
    if not size.all():
        raise NotEstimableError("responder: an arm has nobody with a known response")
    control, treated = shares = np.bincount(data.arm[rows], responds[rows], minlength=2) / size
    gap, pooled = float(treated - control), float(size @ shares / size.sum())
    error = float(np.sqrt(pooled * (1 - pooled) * (1 / size).sum()))
    lower, upper = share_interval(shares * size, size)
    below = float(np.hypot(treated - lower[1], upper[0] - control))
    above = float(np.hypot(upper[1] - treated, control - lower[0]))
    return Estimate(
        value=gap,
        se=float(np.sqrt((shares * (1 - shares) / size).sum())),
        df=float("inf"),
        lower=gap - below,
        upper=gap + above,
        p=two_sided(gap / error) if error else 1.0,
        n=int(rows.sum()),
        method=f"responders with change of {least_change:g} or more, Newcombe interval, pooled z test",
        estimand=ESTIMAND,
    )


def responders(of: Potential, options: Options = NOTHING) -> float:
    """Difference of the shares of responders."""
    return responder(of.data, **options).value


ANALYSES = (
    Analysis(
        "responder",
        responder,
        ESTIMAND,
        "difference of proportions",
        truth=responders,
        changes=("least_change", "missing_fails"),
    ),
)
