"""Were forecasts right: coverage, PIT, CRPS, Brier score, concordance, calibration slope, each with its error.

Errors are those of a mean over people; values of one person belong together (`clusters`). A forecast of a value is a
sample of what may be measured. Whole-numbered values have no continuous distribution: their PIT is an interval from
F(y − 1) to F(y), and its parts count.

References
----------
Gneiting & Raftery (2007), doi:10.1198/016214506000001437 (CRPS). Czado, Gneiting & Held (2009),
doi:10.1111/j.1541-0420.2009.01191.x (PIT of counts). Graf et al. (1999),
doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5 (Brier score under censoring).
Harrell, Lee & Mark (1996), doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4 (concordance).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.survival import kaplan_meier

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
LEVELS = (0.5, 0.8, 0.95)
BINS = 10


class Figure(NamedTuple):
    """A figure, its standard error, and the number of values behind it."""

    value: float
    error: float
    n: int


UNKNOWN = Figure(float("nan"), float("nan"), 0)


class Forecast(NamedTuple):
    """A forecast and what came: P(less than y) and P(at most y), CRPS, mean, and the value y itself."""

    below: float
    within: float
    crps: float
    mean: float
    value: float


def unknown(y: float, mean: float = float("nan"), error: float = float("nan")) -> Forecast:
    """No forecast, or one without a distribution: its mean and its absolute error alone."""
    return Forecast(float("nan"), float("nan"), error, mean, y)


def forecast(sample: Floats, y: float) -> Forecast:
    """A sample of forecasts : (k,), NaN left out, beside the value y that came.

    CRPS is that of the distribution that the sample comes from: mean |X − y| − mean |X − X'|/2 over unlike pairs.
    """
    x = np.sort(sample[np.isfinite(sample)])
    n = len(x)
    if n < 2:
        return unknown(y)
    spread = float(np.dot(2 * np.arange(1, n + 1) - n - 1, x)) / (n * (n - 1))
    crps = float(np.abs(x - y).mean()) - spread
    below, within = np.searchsorted(x, y, side="left") / n, np.searchsorted(x, y, side="right") / n
    return Forecast(float(below), float(within), crps, float(x.mean()), y)


def normal(mean: float, sd: float, y: float) -> Forecast:
    """The same of a normal forecast of a whole-numbered value; CRPS by its closed form."""
    from math import erf, exp, pi, sqrt

    def below(x: float) -> float:
        return 0.5 * (1 + erf((x - mean) / (sd * sqrt(2))))

    z = (y - mean) / sd
    density = exp(-z * z / 2) / sqrt(2 * pi)
    crps = sd * (z * (2 * below(y) - 1) + 2 * density - 1 / sqrt(pi))
    return Forecast(below(y - 0.5), below(y + 0.5), crps, mean, y)


def mean(values: Floats, clusters: NDArray[np.int64]) -> Figure:
    """A mean with the error that clusters leave; NaN left out."""
    known = np.isfinite(values)
    n = int(known.sum())
    if not n:
        return UNKNOWN
    value = float(values[known].mean())
    sums = np.bincount(clusters[known], values[known] - value)
    count = len(np.unique(clusters[known]))
    error = float(np.sqrt(np.sum(sums**2) * count / max(count - 1, 1)) / n) if count > 1 else float("nan")
    return Figure(value, error, n)


def covered(found: list[Forecast], level: float) -> Floats:
    """(n,) which part of each value's PIT lies in the central interval of a level."""
    low, high = (1 - level) / 2, (1 + level) / 2
    below, within = (np.array([getattr(one, key) for one in found]) for key in ("below", "within"))
    width = within - below
    inside = np.clip(np.minimum(within, high) - np.maximum(below, low), 0, None)
    point = ((below >= low) & (below <= high)).astype(np.float64)
    return np.where(width > 0, inside / np.where(width > 0, width, 1.0), point)


def pit(found: list[Forecast]) -> Floats:
    """(bin,) share of the PIT in each of ten bins; all .1 where forecasts are right."""
    edges = np.linspace(0, 1, BINS + 1)
    total = np.zeros(BINS)
    for one in found:
        width = one.within - one.below
        if width > 0:
            total += np.clip(np.minimum(one.within, edges[1:]) - np.maximum(one.below, edges[:-1]), 0, None) / width
        else:
            total[min(int(one.below * BINS), BINS - 1)] += 1
    return total / max(len(found), 1)


def slope(found: list[Forecast], clusters: NDArray[np.int64]) -> Figure:
    """The slope of what came on what was expected, with its error: below 1 forecasts are too far apart."""
    x, y = (np.array([getattr(one, key) for one in found]) for key in ("mean", "value"))
    known = np.isfinite(x) & np.isfinite(y)
    x, y, who = x[known], y[known], clusters[known]
    if len(x) < 3 or np.ptp(x) == 0:
        return UNKNOWN
    away = x - x.mean()
    total = float(np.sum(away**2))
    value = float(np.dot(away, y) / total)
    left = y - y.mean() - value * away
    sums, count = np.bincount(who, away * left), len(np.unique(who))
    return Figure(value, float(np.sqrt(np.sum(sums**2) * count / max(count - 1, 1)) / total), len(x))


def brier(free: Floats, time: Floats, event: Bools, day: float) -> Figure:
    """Brier score of the probability to be free of an event on a day, weighted for censoring before it.

    Parameters
    ----------
    free : (n,) forecast probability. time, event : (n,) end of follow-up, and whether by the event.
    """
    n = len(free)
    if n < 2:
        return UNKNOWN
    censoring = kaplan_meier(time, ~event)
    at = np.searchsorted(censoring.time, np.minimum(time, day), side="left")
    left = np.concatenate([[1.0], censoring.survival])[at]
    known = (event & (time <= day)) | (time > day)
    weight = np.where(known, 1 / np.maximum(left, 1e-12), 0.0)
    score = weight * ((time > day) - free) ** 2
    return Figure(float(score.mean()), float(score.std(ddof=1) / np.sqrt(n)), n)


def concordance(risk: Floats, time: Floats, event: Bools) -> Figure:
    """Harrell's C: of pairs of which one has the event first, the share in which that one's risk was higher."""
    first = event[:, None] & ((time[:, None] < time) | ((time[:, None] == time) & ~event))
    right = first * ((risk[:, None] > risk) + 0.5 * (risk[:, None] == risk))
    pairs = float(first.sum())
    if pairs == 0:
        return UNKNOWN
    value = float(right.sum()) / pairs
    own = (right.sum(axis=1) + right.sum(axis=0)) - value * (first.sum(axis=1) + first.sum(axis=0))
    return Figure(value, float(np.sqrt(np.sum(own**2))) / pairs, int(pairs))


class Ratio(NamedTuple):
    """Events observed and expected, and their ratio with its exact 95 % interval."""

    observed: int
    expected: float
    value: float
    lower: float
    upper: float


def events(observed: int, expected: float, level: float = 0.95) -> Ratio:
    """A standardised ratio of events, exact as if the expected number were known (Garwood 1936)."""
    from scipy.special import gammaincinv

    if not expected > 0:
        return Ratio(observed, expected, *[float("nan")] * 3)
    tail = (1 - level) / 2
    low = float(gammaincinv(observed, tail)) if observed else 0.0
    high = float(gammaincinv(observed + 1, 1 - tail))
    return Ratio(observed, expected, observed / expected, low / expected, high / expected)
