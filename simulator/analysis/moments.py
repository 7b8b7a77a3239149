"""Estimates that carry, for every patient, how much that patient moves them.

An estimate with an influence ψ_i for each of n patients has the Monte Carlo variance sum(ψ_i²)/(n (n − 1)). Two
estimates from the same patients differ with the influence ψ_i − φ_i: that is all that pairing needs, for means,
proportions, means over survivors and restricted means alike.

References
----------
Hampel (1974), The influence curve and its role in robust estimation, doi:10.1080/01621459.1974.10482962.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis.intervals import share_error

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A value, its Monte Carlo standard error, the patients behind it, and their influences (None: not kept).

    `paired` marks a difference whose error takes account of common patients. A share, and a time that an event ends,
    have an error also where no two patients differ: a difference is then uncertain by `least`, unless the `facts` that
    were counted are equal patient by patient, for equal lives differ in no run.
    """

    value: float
    mcse: float
    n: int
    influence: Floats | None = None
    paired: bool = False
    least: float = 0.0
    facts: Floats | None = None


def from_influence(value: float, influence: Floats, n: int | None = None) -> Estimate:
    """The estimate whose error follows from the influences."""
    size = len(influence)
    if size == 0 or not np.isfinite(value):
        return Estimate(float("nan"), float("nan"), n or 0, np.full(size, np.nan))
    spread = float(np.sqrt(np.sum(influence**2) / (size * (size - 1)))) if size > 1 else float("nan")
    return Estimate(float(value), spread, size if n is None else n, influence)


def mean(x: ArrayLike, weight: ArrayLike | None = None) -> Estimate:
    """Mean of x : (n_patients,), influence x − mean; with weights of mean 1, w (x − mean)."""
    values = np.asarray(x, np.float64)
    if weight is not None:
        return mean_over(values, np.ones(len(values), bool), weight)
    centre = values.mean() if len(values) else np.nan
    return from_influence(float(centre), values - centre)


def mean_over(x: ArrayLike, group: ArrayLike, weight: ArrayLike | None = None) -> Estimate:
    """Mean of x over the patients in `group` : (n_patients,) bool, such as the survivors.

    The size of the group is random too: the influence is 1[in the group] (x − mean)/share of the group. With weights,
    each patient's counts w times, over the weighted share. The squared error has the divisor n - 1 of the group (n the
    effective number): a single survivor has a mean, and no error.
    """
    values, inside = np.asarray(x, np.float64), np.asarray(group, bool)
    count = int(inside.sum())
    if count == 0:
        return from_influence(np.nan, np.zeros(len(values)), 0)
    within = inside.astype(np.float64) if weight is None else np.asarray(weight, np.float64) * inside
    centre = float(np.sum(within * np.where(inside, values, 0.0)) / within.sum())
    away = np.where(inside, values - centre, 0.0)
    influence = within * away * len(values) / within.sum() * _few(effective(within), len(values))
    return from_influence(centre, influence, count)


def _few(n: float, size: int) -> float:
    """What an influence is multiplied by, so that the error of the mean of n of so many patients divides by n - 1."""
    if n < 1 + 1e-9:
        return float("nan")
    return float(np.sqrt(n / (n - 1) * (size - 1) / size))


def effective(weight: ArrayLike) -> float:
    """The number of patients alike whose mean has the error of the weighted one: (sum w)²/sum w²."""
    w = np.asarray(weight, np.float64)
    return float(w.sum() ** 2 / np.sum(w**2)) if w.any() else 0.0


def proportion(happened: ArrayLike, weight: ArrayLike | None = None, facts: ArrayLike | None = None) -> Estimate:
    """Share of patients for whom something holds, with the error of Wilson's interval.

    Parameters
    ----------
    happened : (n_patients,) bool.
    weight : (n_patients,) of twins.
    facts : (n_patients,) what `happened` was read from, such as the day of an event; by default itself.
    """
    holds = np.asarray(happened, np.float64)
    return proportion_over(holds, np.ones(len(holds), bool), weight, facts)


def proportion_over(
    happened: ArrayLike, group: ArrayLike, weight: ArrayLike | None = None, facts: ArrayLike | None = None
) -> Estimate:
    """Share of the patients in `group` for whom something holds, with the error of Wilson's interval."""
    found = mean_over(happened, group, weight)
    if found.n == 0:
        return found
    inside = np.asarray(group, np.float64)
    n = effective(inside if weight is None else inside * np.asarray(weight, np.float64))
    known = np.asarray(happened if facts is None else facts, np.float64)
    error = float(share_error(min(found.value, 1.0) * n, n))
    influence = np.zeros(len(known)) if found.influence is None else np.nan_to_num(found.influence)
    return found._replace(mcse=error, influence=influence, least=1 / (n + 2), facts=known)


def restricted_mean(time: ArrayLike, horizon: float, weight: ArrayLike | None = None) -> Estimate:
    """Mean of min(time, horizon): restricted mean survival when nobody is censored before the horizon.

    Where nobody has had the event it has the error of a share of 0, as if its events were spread evenly over the time.
    """
    times = np.minimum(np.asarray(time, np.float64), horizon)
    found = mean(times, weight)
    if not len(times):
        return found
    n = len(times) if weight is None else effective(weight)
    error = float(share_error(0, n)) * horizon / 2 if times.min() >= horizon else found.mcse
    return found._replace(mcse=error, least=horizon / 2 / (n + 2), facts=times)


def standard_deviation(x: ArrayLike) -> Estimate:
    """SD of x, influence ((x − mean)² − variance)/(2 SD); that of two values has no error."""
    values = np.asarray(x, np.float64)
    if len(values) < 2:
        return from_influence(np.nan, np.zeros(len(values)))
    if len(values) == 2:
        return Estimate(float(values.std(ddof=1)), float("nan"), 2)
    distance = (values - values.mean()) ** 2
    spread = float(np.sqrt(distance.sum() / (len(values) - 1)))
    influence = (distance - distance.mean()) / (2 * spread) if spread else np.zeros(len(values))
    return from_influence(spread, influence)


def exponential(estimate: Estimate) -> Estimate:
    """Exponential of an estimate (a geometric mean from the mean of logarithms), error by the delta method."""
    value = float(np.exp(estimate.value))
    influence = None if estimate.influence is None else value * estimate.influence
    return estimate._replace(value=value, mcse=value * estimate.mcse, influence=influence)


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """The estimate in another unit."""
    influence = None if estimate.influence is None else factor * estimate.influence
    error, least = abs(factor) * estimate.mcse, abs(factor) * estimate.least
    return estimate._replace(value=factor * estimate.value, mcse=error, influence=influence, least=least)
