"""Sobol' indices of the mean of a stochastic model, free of the noise of its replicates.

A stochastic model gives y_r(x) = f(x) + e_r(x): r numbers the replicates, and e has mean 0. Wanted are the indices
of f, S_i = V(E[f | x_i])/V(f) and T_i = E[V(f | all but x_i)]/V(f). Put into the usual estimators, averages of R
replicates count the noise as if it were influence: V(f) and each Jansen difference grow by its variance over R.

Every product in the estimators below is of two *different* replicates, r ≠ s, so that the noise has expectation 0
in it, whatever its variance is and wherever it is largest:

    V   = mean over A, B of <y, y>  −  <m, m>                       m_r the mean of replicate r
    V_i = mean of <B, AB_i − A>                                     (Saltelli et al. 2010, table 2 b)
    T_i V = mean of <A − AB_i, A − AB_i> / 2                        (Jansen 1999)
    <x, y> = sum over r ≠ s of x_r y_s / (R (R − 1))

<x, x> is mean(x)² − s²/R, s² the variance between replicates: the correction of the denominator and of Jansen's
differences by the estimated noise. In V_i the points differ, so that with independent noise r = s is no harm and all
pairs are used. With common random numbers (replicate r has the same noise at every point, e_r(x) and e_r(x') are
correlated) only r ≠ s is.

References
----------
Sobol' (2001), doi:10.1016/S0378-4754(00)00270-6. Jansen (1999), doi:10.1016/S0010-4655(98)00154-4.
Saltelli et al. (2010), doi:10.1016/j.cpc.2009.09.018.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis.crossed import products
from simulator.analysis.intervals import reach

Floats = NDArray[np.float64]
Noise = Literal["independent", "common", "ignored"]
ENOUGH = 3
"""Replicates of common random numbers from which on the intervals hold how their people differ."""


class Index(NamedTuple):
    """Indices of the parameters with bootstrap intervals, each (parameters,)."""

    value: Floats
    se: Floats
    lower: Floats
    upper: Floats


class Indices(NamedTuple):
    """Sobol' indices, and what they were found from.

    `variance` is that of f over the parameters; `noise` that of one replicate at a point, `noise_share` its share of
    the variance of one run. Both are NaN with a single replicate, which cannot tell them apart.
    """

    first: Index
    total: Index
    mean: float
    variance: float
    noise: float
    noise_share: float
    points: int
    replicates: int


class Terms(NamedTuple):
    """What a base point adds to each estimate; estimates are means over base points."""

    square: Floats  # (n,) <y, y> over A and B
    mean: Floats  # (n, R) mean of A and B
    first: Floats  # (n, d)
    total: Floats  # (n, d)


def sobol_indices(
    values: ArrayLike, *, noise: Noise = "independent", resamples: int = 1000, level: float = 0.95, seed: int = 1
) -> Indices:
    """First and total order of each parameter.

    Parameters
    ----------
    values : (n, parameters + 2, replicates) or (n, parameters + 2)
        The model at the points of `designs.saltelli`.
    noise : {"independent", "common", "ignored"}
        Whether replicate r of different points has random numbers of its own, or the same ones. "ignored": the
        replicates are averaged as if they were exact, which is biased for a stochastic model.
    resamples : int
        Bootstrap samples of base points. Rows of a Sobol' sequence are more even than independent ones, so that the
        intervals are too wide rather than too narrow from 32 points on. Of common noise the jackknife over replicates
        adds what the people share over all points, where there are three.
    level : float
        Of the percentile intervals.
    seed : int
        Of the bootstrap.
    """
    y = np.asarray(values, np.float64)
    y = y[..., None] if y.ndim == 2 else y
    if y.ndim != 3 or y.shape[1] < 3 or len(y) < 2 or not np.isfinite(y).all():
        raise ValueError("the values must be finite, (base points, parameters + 2, replicates)")
    centre = float(y[:, :2].mean())
    spread = float(y[:, :2].var(axis=2, ddof=1).mean()) if y.shape[2] > 1 else float("nan")
    terms = _terms(y - centre, noise)
    rows = np.random.default_rng(seed).multinomial(len(y), np.full(len(y), 1 / len(y)), size=resamples) / len(y)
    distinct = noise != "ignored"
    variance, first, total = _estimates(terms, np.full((1, len(y)), 1 / len(y)), distinct)
    _, first_again, total_again = _estimates(terms, rows, distinct)
    people = _jackknife(y - centre) if noise == "common" else (np.zeros(1), np.zeros(1))
    found = float(variance[0])
    share = spread / (max(found, 0.0) + spread) if spread > 0 else spread  # 0, or NaN with one replicate
    return Indices(
        _index(first[0], first_again, people[0], level),
        _index(total[0], total_again, people[1], level),
        centre,
        found,
        spread,
        share,
        len(y),
        y.shape[2],
    )


def _terms(y: Floats, noise: Noise) -> Terms:
    """The terms of each base point, from centred values."""
    distinct = noise != "ignored"
    a, b, mixed = y[:, 0], y[:, 1], y[:, 2:]
    square = (products(a, a, distinct) + products(b, b, distinct)) / 2
    away = mixed - a[:, None]
    first = products(np.broadcast_to(b[:, None], away.shape), away, noise == "common")
    return Terms(square, (a + b) / 2, first, products(away, away, distinct) / 2)


def _estimates(terms: Terms, weights: Floats, distinct: bool) -> tuple[Floats, Floats, Floats]:
    """Variance, first and total order under weights of the base points : (samples, n)."""
    n = 2 * weights.shape[1]
    middle = weights @ terms.mean
    variance = (weights @ terms.square - products(middle, middle, distinct)) * n / (n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(variance > 0, variance, np.nan)[:, None]
        return variance, weights @ terms.first / scale, weights @ terms.total / scale


def _jackknife(y: Floats) -> tuple[Floats, Floats]:
    """Standard errors of both orders over replicates of common numbers; NaN with fewer than three."""
    count, even = y.shape[2], np.full((1, len(y)), 1 / len(y))
    if count < ENOUGH:
        unknown = np.full(y.shape[1] - 2, np.nan)
        return unknown, unknown
    without = [_estimates(_terms(np.delete(y, r, axis=2), "common"), even, True)[1:] for r in range(count)]
    first, total = (np.sqrt((count - 1) * np.var(np.concatenate(one), axis=0)) for one in zip(*without, strict=True))
    return first, total


def _index(value: Floats, again: Floats, people: Floats, level: float) -> Index:
    """The index with the spread of its bootstrap samples, wider by what the people of common numbers add."""
    known = np.isfinite(again).all(axis=1)
    if known.sum() < 2:
        unknown = np.full_like(value, np.nan)
        return Index(value, unknown, unknown, unknown)
    lower, upper = np.quantile(again[known], ((1 - level) / 2, (1 + level) / 2), axis=0)
    wider = np.nan_to_num(people) * float(reach(np.inf, level))
    below, above = (np.hypot(np.maximum(side, 0), wider) for side in (value - lower, upper - value))
    low, high = np.where(wider > 0, value - below, lower), np.where(wider > 0, value + above, upper)
    return Index(value, np.hypot(again[known].std(axis=0, ddof=1), people), low, high)
