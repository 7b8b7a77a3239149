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

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A value, its Monte Carlo standard error, the patients behind it, and their influences (None: not kept).

    `paired` marks a difference whose error takes account of common patients.
    """

    value: float
    mcse: float
    n: int
    influence: Floats | None = None
    paired: bool = False


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
    each patient's counts w times, over the weighted share.
    """
    values, inside = np.asarray(x, np.float64), np.asarray(group, bool)
    count = int(inside.sum())
    if weight is not None and count:
        within = np.asarray(weight, np.float64) * inside
        centre = float(np.sum(within * np.where(inside, values, 0.0)) / within.sum())
        away = np.where(inside, values - centre, 0.0)
        return from_influence(centre, within * away * len(values) / within.sum(), count)
    if count == 0:
        return from_influence(np.nan, np.zeros(len(values)), 0)
    centre = float(values[inside].mean())
    influence = np.where(inside, values - centre, 0.0) * len(values) / count
    return from_influence(centre, influence, count)


def proportion(happened: ArrayLike, weight: ArrayLike | None = None) -> Estimate:
    """Share of patients for whom something holds."""
    return mean(np.asarray(happened, np.float64), weight)


def restricted_mean(time: ArrayLike, horizon: float, weight: ArrayLike | None = None) -> Estimate:
    """Mean of min(time, horizon): restricted mean survival when nobody is censored before the horizon."""
    return mean(np.minimum(np.asarray(time, np.float64), horizon), weight)


def standard_deviation(x: ArrayLike) -> Estimate:
    """SD of x, influence ((x − mean)² − variance)/(2 SD)."""
    values = np.asarray(x, np.float64)
    if len(values) < 2:
        return from_influence(np.nan, np.zeros(len(values)))
    distance = (values - values.mean()) ** 2
    spread = float(np.sqrt(distance.sum() / (len(values) - 1)))
    influence = (distance - distance.mean()) / (2 * spread) if spread else np.zeros(len(values))
    return from_influence(spread, influence)


def exponential(estimate: Estimate) -> Estimate:
    """Exponential of an estimate (a geometric mean from the mean of logarithms), error by the delta method."""
    value = float(np.exp(estimate.value))
    influence = None if estimate.influence is None else value * estimate.influence
    return Estimate(value, value * estimate.mcse, estimate.n, influence, estimate.paired)


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """The estimate in another unit."""
    influence = None if estimate.influence is None else factor * estimate.influence
    return Estimate(factor * estimate.value, abs(factor) * estimate.mcse, estimate.n, influence, estimate.paired)
