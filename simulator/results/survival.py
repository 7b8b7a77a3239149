"""The event-free curve of one arm. Every patient is followed to the end of follow-up: nobody is censored before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.intervals import share_error
from simulator.units import DAYS_PER_MONTH

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A value and its Monte Carlo standard error."""

    value: float
    mcse: float

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.mcse:.2g}"

    def _repr_html_(self) -> str:
        return f"<p>{self} <small>(Monte Carlo error)</small></p>"


@dataclass(frozen=True)
class SurvivalCurve:
    """Probability to be event-free at `time` (days since baseline; the first is 0) for `n` patients (of equal weight).

    Exact event times give a step function; a summary gives points of a grid, joined by straight lines.
    """

    time: Floats
    probability: Floats
    n: float
    follow_up_days: float
    steps: bool

    def at(self, day: float) -> Estimate:
        """Probability to be event-free at a day, with the error of Wilson's interval."""
        day = self._checked(day)
        if self.steps:
            p = float(self.probability[np.searchsorted(self.time, day, side="right") - 1])
        else:
            p = float(np.interp(day, self.time, self.probability))
        return Estimate(p, float(share_error(p * self.n, self.n)))

    def rmst(self, months: float | None = None) -> Estimate:
        """Mean event-free months within the first `months` (default: all of follow-up).

        The area under the curve, with Greenwood's variance: sum of A_j² d_j / (Y_j (Y_j − d_j)), A_j the area that is
        left after t_j. Without censoring it is the variance of the mean of min(T, months). Where nobody has had the
        event the error is that of a share of 0, as if its events were spread evenly over the time.
        """
        days = self.follow_up_days if months is None else self._checked(months * DAYS_PER_MONTH)
        inside = self.time < days
        time = np.append(self.time[inside], days)
        last = self.at(days).value
        p = np.append(self.probability[inside], last)
        height = p[:-1] if self.steps else (p[:-1] + p[1:]) / 2
        pieces = height * np.diff(time)
        left = np.append(np.cumsum(pieces[::-1])[::-1], 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = left[1:] ** 2 * (p[:-1] - p[1:]) / (self.n * p[:-1] * p[1:])
        error = np.sqrt(float(np.sum(np.where(p[1:] > 0, terms, 0.0))))
        if last == 1:
            error = float(share_error(0, self.n)) * days / 2
        return Estimate(float(pieces.sum()) / DAYS_PER_MONTH, float(error) / DAYS_PER_MONTH)

    def median(self) -> Estimate:
        """Median event-free time in months; NaN when more than half are event-free at the end of follow-up.

        Its error is half of the distance between the times at which the curve passes 0.5 ± 0.5/sqrt(n); one patient
        tells none.
        """
        error = 0.5 / np.sqrt(self.n) if self.n > 1 else np.nan
        early, middle, late = (self._passes(0.5 + shift) / DAYS_PER_MONTH for shift in (error, 0.0, -error))
        return Estimate(middle, (late - early) / 2)

    def _passes(self, level: float) -> float:
        """First day on which the curve is at or below the level."""
        reached = np.flatnonzero(self.probability <= level + 1e-12)
        if len(reached) == 0:
            return float("nan")
        k = int(reached[0])
        if self.steps or k == 0:
            return float(self.time[k])
        return float(np.interp(-level, -self.probability[k - 1 : k + 1], self.time[k - 1 : k + 1]))

    def _checked(self, day: float) -> float:
        """The day, which must lie within follow-up, give or take what months cost in rounding."""
        if not 0 <= day <= self.follow_up_days + 1e-6:
            raise ValueError(f"day {day:g} is outside the follow-up of 0 to {self.follow_up_days:g} days")
        return min(day, self.follow_up_days)


def curve_from_times(
    time: Floats, happened: NDArray[np.bool_], follow_up_days: float, weight: Floats | None = None
) -> SurvivalCurve:
    """The curve from each patient's event-free time and whether it ended in an event.

    With weights, `n` is the effective number of patients, (sum w)²/sum w².
    """
    share = np.full(len(time), 1 / len(time)) if weight is None else np.asarray(weight, np.float64) / np.sum(weight)
    days, place = np.unique(np.asarray(time, np.float64)[happened], return_inverse=True)
    if weight is None:
        gone = np.cumsum(np.bincount(place, minlength=len(days))) / len(time)
    else:
        gone = np.minimum(np.cumsum(np.bincount(place, share[happened], minlength=len(days))), 1.0)
    n = len(time) if weight is None else round(1 / float(np.sum(share**2)))
    return SurvivalCurve(np.append(0.0, days), np.append(1.0, 1 - gone), n, float(follow_up_days), True)


def curve_from_grid(time: Floats, probability: Floats, n: float) -> SurvivalCurve:
    """The curve from the event-free probabilities of a summary."""
    return SurvivalCurve(np.asarray(time), np.asarray(probability), n, float(time[-1]), False)
