"""Quantiles of weighted values, with their Monte Carlo errors.

References
----------
Woodruff (1952), Confidence intervals for medians and other position measures, doi:10.1080/01621459.1952.10483443.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Quantiles(NamedTuple):
    """Quantiles, their Monte Carlo standard errors, and the effective number of patients behind them."""

    value: Floats
    mcse: Floats
    effective: float


def quantiles(x: ArrayLike, probabilities: ArrayLike, weight: ArrayLike | None = None) -> Quantiles:
    """Quantiles of x : (n,), the smallest value at which the weighted distribution function reaches p.

    The error is half of Q(p + e) - Q(p - e), e = sqrt(p (1 - p)/n) with the effective n = (sum w)²/sum w². Infinite
    values are values; a quantile that is infinite has no error, nor has that of a single value.
    """
    values, p = np.asarray(x, np.float64), np.asarray(probabilities, np.float64)
    if len(values) == 0:
        return Quantiles(np.full(p.shape, np.nan), np.full(p.shape, np.nan), 0.0)
    w = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    order = np.argsort(values, kind="stable")
    below = np.cumsum(w[order]) / w.sum()
    effective = float(w.sum() ** 2 / np.sum(w**2))
    error = np.sqrt(p * (1 - p) / effective)
    low, middle, high = (
        values[order][np.minimum(np.searchsorted(below, q - 1e-12), len(values) - 1)]
        for q in (np.maximum(p - error, 0), p, np.minimum(p + error, 1))
    )
    with np.errstate(invalid="ignore"):
        known = np.isfinite(middle) & (effective > 1 + 1e-9)
        return Quantiles(middle, np.where(known, (high - low) / 2, np.nan), effective)
