"""Kaplan–Meier, with delayed entry and Greenwood's variance; restricted mean; median with its interval.

References
----------
Kaplan & Meier (1958), doi:10.1080/01621459.1958.10501452. Brookmeyer & Crowley (1982), A confidence interval for the
median survival time, doi:10.2307/2530286, with the log(−log) transform. Tsai, Jewell & Wang (1987), A note on the
product-limit estimator under right censoring and left truncation, doi:10.1093/biomet/74.4.883.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis.intervals import Z_95, share_error
from simulator.analysis.moments import Estimate

Floats = NDArray[np.float64]


class Curve(NamedTuple):
    """A survival curve at its event times: the probability just after, how many were at risk and had the event.

    `last` is the longest follow-up: beyond it nothing is known, unless nobody was left.
    """

    time: Floats
    survival: Floats
    at_risk: Floats
    events: Floats
    n: int
    last: float = np.inf

    def knows(self, time: float) -> bool:
        """Whether somebody was followed so long, or all had the event before."""
        return time <= self.last or (len(self.time) > 0 and self.survival[-1] <= 0)

    @property
    def greenwood(self) -> Floats:
        """Greenwood's sum of d/(Y (Y − d)): the variance of S is S² times this; infinite once S is 0."""
        with np.errstate(divide="ignore"):
            return np.cumsum(self.events / (self.at_risk * (self.at_risk - self.events)))


class Median(NamedTuple):
    """The median and its 95 % interval; NaN where the curve does not come down far enough."""

    value: float
    lower: float
    upper: float
    mcse: float


def kaplan_meier(
    time: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None, *, alive_at: float = -np.inf
) -> Curve:
    """The product-limit estimate.

    With `entry` nobody is at risk before they came under observation (left truncation): who died before could not be
    seen, and counting the others from the start would make everybody live longer. It needs entry that does not depend
    on the time to the event. Where few are at risk early on, one that is free of the event at `alive_at` is estimated:
    the probability to be free later, given that.

    Parameters
    ----------
    time : (n_patients,) end of observation, any unit. Events come before censorings of the same time.
    event : (n_patients,) bool: whether it ended in the event.
    entry : (n_patients,) start of observation on the same scale, before `time`; everybody from the start by default.
    alive_at : the time from which the curve starts; events until then are left out.

    Raises
    ------
    ValueError
        Somebody enters at or after the end of their observation.
    """
    times, happened = np.asarray(time, np.float64), np.asarray(event, bool)
    entries = np.full(len(times), -np.inf) if entry is None else np.asarray(entry, np.float64)
    if np.any(entries >= times) and entry is not None:
        raise ValueError("somebody enters at or after the end of their observation: leave them out")
    distinct, index = np.unique(times[happened & (times > alive_at)], return_inverse=True)
    died = np.bincount(index, minlength=len(distinct)).astype(np.float64)
    entered = np.searchsorted(np.sort(entries), distinct, side="left").astype(np.float64)
    at_risk = entered - np.searchsorted(np.sort(times), distinct, side="left").astype(np.float64)
    survival = np.cumprod(1 - died / at_risk, dtype=np.float64)
    return Curve(distinct, survival, at_risk, died, len(times), float(times.max()) if len(times) else -np.inf)


def survival_at(curve: Curve, time: float) -> Estimate:
    """S(t) with the root of Greenwood's variance, at 0 and 1 with Wilson's error; NaN beyond the follow-up."""
    if not curve.knows(time):
        return Estimate(np.nan, np.nan, curve.n)
    k = int(np.searchsorted(curve.time, time, side="right"))
    p = float(curve.survival[k - 1]) if k else 1.0
    error = p * np.sqrt(curve.greenwood[k - 1]) if k and p > 0 else share_error(p * curve.n, curve.n)
    return Estimate(p, float(error), curve.n)


def restricted_mean(curve: Curve, horizon: float) -> Estimate:
    """Area under the curve to the horizon; variance sum of A_j² d_j/(Y_j (Y_j − d_j)), A_j the area after t_j.

    NaN where the horizon lies beyond the follow-up. Where nobody has had the event, the error is that of a share of 0,
    as if its events were spread evenly over the time.
    """
    if not curve.knows(horizon):
        return Estimate(np.nan, np.nan, curve.n)
    inside = curve.time <= horizon
    nodes = np.concatenate([[0.0], curve.time[inside], [horizon]])
    pieces = np.concatenate([[1.0], curve.survival[inside]]) * np.diff(nodes)
    after = np.cumsum(pieces[::-1])[::-1][1:]
    at_risk, events = curve.at_risk[inside], curve.events[inside]
    left = at_risk - events
    terms = np.where(left > 0, after**2 * events / (at_risk * np.maximum(left, 1)), 0.0)
    error = np.sqrt(terms.sum()) if len(terms) else share_error(0, curve.n) * horizon / 2
    return Estimate(float(pieces.sum()), float(error), curve.n)


def median(curve: Curve) -> Median:
    """The first time at which S ≤ 0.5, with an interval.

    The interval holds the times at which 0.5 lies in the log(−log) interval of S; the error is the half-distance
    between where the curve passes 0.5 ± its own standard error there; where nobody is left after it, ± that of a share
    of 0.5 of those at risk at it. One person tells no error.
    """
    value = _passes(curve, curve.survival)
    if not len(curve.time):
        return Median(value, value, value, value)
    usable = (curve.survival > 0) & (curve.survival < 1)
    p = np.where(usable, curve.survival, 0.5)
    spread = Z_95 * np.sqrt(np.where(usable, curve.greenwood, 0.0)) / np.abs(np.log(p))
    low = np.where(usable, p ** np.exp(spread), curve.survival)
    high = np.where(usable, p ** np.exp(-spread), curve.survival)
    error = _error_at(curve, value)
    early, late = (_passes(curve, curve.survival, 0.5 + shift) for shift in (error, -error))
    return Median(value, _passes(curve, low), _passes(curve, high), (late - early) / 2)


def _error_at(curve: Curve, middle: float) -> float:
    """Standard error of S where it is 0.5."""
    k = int(np.searchsorted(curve.time, middle))
    if not np.isfinite(middle) or curve.at_risk[k] <= 1:
        return float("nan")
    if curve.survival[k] > 0:
        return float(curve.survival[k] * np.sqrt(curve.greenwood[k]))
    return float(0.5 / np.sqrt(curve.at_risk[k]))


def _passes(curve: Curve, survival: Floats, level: float = 0.5) -> float:
    """First event time at which the curve given is at or below the level."""
    reached = np.flatnonzero(survival <= level + 1e-12)
    return float(curve.time[reached[0]]) if len(reached) else float("nan")
