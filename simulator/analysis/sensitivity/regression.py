"""Given draws of parameters and an outcome at each, which parameters go with it? For draws that need no design.

The parameters of an ensemble are correlated, so that one share of the variance cannot say it all. Two do: what a
parameter says alone, V(E[y | x_i])/V(y), which includes what it shares with others, and what it adds to all the others.

The outcome of a stochastic model is y_r(x) = f(x) + e_r(x), r a replicate. Wanted are shares of V(f). Every square of y
in the usual estimators is a product of two different replicates here, so that noise has mean 0 in it: noise of one
point alone, and also that of common random numbers, where replicate r has the same people at every point and e_r(x) is
a smooth function of x. A single replicate cannot tell f from e.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis.crossed import products

Floats = NDArray[np.float64]
CUBIC = 3
CERTAIN = 0.975
"""In so many bootstrap samples f must vary, or its shares are refused."""


class Shares(NamedTuple):
    """Shares of the variance of an outcome over draws, (parameters,) each, with the standard error of `alone`.

    `alone` and `added` may come out slightly below 0, for they are unbiased rather than positive. `explained` is the
    share that all parameters explain together in straight lines; `noise_share` of the variance of the mean over
    replicates is noise and was taken out, NaN with one replicate. `variance` is what is left.
    """

    alone: Floats
    alone_se: Floats
    added: Floats
    explained: float
    noise_share: float
    variance: float
    draws: int


def variance_shares(x: ArrayLike, y: ArrayLike, shared: bool = False, resamples: int = 200, seed: int = 1) -> Shares:
    """The shares of each parameter.

    `alone` is the adjusted R² of a cubic in x_i; `added` the loss of adjusted R² when x_i leaves the linear model of
    all parameters, (t² − 1)(1 − R²)/(n − p − 1) with t of its slope.

    Parameters
    ----------
    x : (draws, parameters)
    y : (draws,) or (draws, replicates)
    shared : bool
        Whether replicate r is the same people at every draw (common random numbers). What is special to them is then
        in the error too, by the jackknife over replicates, which needs three.
    resamples : int
        Bootstrap samples of draws for the standard errors.

    Raises
    ------
    ValueError
        There are too few draws, or the outcome does not vary beyond its noise.
    """
    points, values = np.asarray(x, np.float64), np.asarray(y, np.float64).reshape(len(np.asarray(y)), -1)
    n, d = points.shape
    if n <= d + 2 or np.ptp(values.mean(axis=1)) == 0:
        raise ValueError(f"{n} draws do not tell {d} parameters apart, or the outcome does not vary")
    whole = float(values.mean(axis=1).var(ddof=1))
    variance = _variance(values)
    rng = np.random.default_rng(seed)
    picks = [rng.integers(n, size=n) for _ in range(resamples)]
    if variance <= 0 or np.mean([_variance(values[pick]) > 0 for pick in picks]) < CERTAIN:
        raise ValueError(f"the outcome varies no more over {n} draws than its Monte Carlo noise makes it")
    again = np.array([_alone(points[pick], values[pick]) for pick in picks])
    error = np.nanstd(again, axis=0, ddof=1)
    if shared:
        error = np.hypot(error, _jackknife(points, values))
    explained, added = _linear(points, values)
    noise = float("nan") if values.shape[1] == 1 else max(1 - variance / whole, 0.0)
    return Shares(_alone(points, values), error, added, explained, noise, variance, n)


def _variance(y: Floats) -> float:
    """Variance of f over the draws."""
    return _square(y - y.mean(axis=0)) / (len(y) - 1)


def _square(y: Floats) -> float:
    """Sum of squares of f, or of its components : (n, replicates)."""
    return float(products(y, y).sum())


def _alone(x: Floats, y: Floats) -> Floats:
    """Adjusted R² of a cubic in each parameter; NaN where f does not vary."""
    n, centred = len(y), y - y.mean(axis=0)
    whole = _square(centred)
    if whole <= 0:
        return np.full(x.shape[1], np.nan)
    found = []
    for column in x.T:
        basis = _powers(column)
        explained = _square(basis.T @ centred)
        left = (whole - explained) / (n - 1 - basis.shape[1])
        found.append(1 - left * (n - 1) / whole)
    return np.array(found)


def _powers(x: Floats) -> Floats:
    """Orthonormal columns that span a cubic without its constant, (n, at most 3)."""
    spread = x.std()
    z = (x - x.mean()) / (spread if spread > 0 else 1.0)
    columns = np.stack([z**k for k in range(1, CUBIC + 1)], axis=1)
    left, size, _ = np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)
    return np.asarray(left[:, size > max(size[0], np.finfo(float).tiny) * 1e-10])


def _jackknife(x: Floats, y: Floats) -> Floats:
    """Standard error of `alone` over the replicates; NaN with fewer than three, of which two make each estimate."""
    count = y.shape[1]
    if count < 3:
        return np.full(x.shape[1], np.nan)
    without = np.array([_alone(x, np.delete(y, r, axis=1)) for r in range(count)])
    return np.asarray(np.sqrt((count - 1) * without.var(axis=0)))


def _linear(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Adjusted R² of the linear model, and what each parameter adds to it."""
    n, d = x.shape
    basis = np.column_stack([np.ones(n), x - x.mean(axis=0)])
    inverse = np.linalg.pinv(basis.T @ basis)
    slopes = inverse @ basis.T @ y
    whole = _square(y - y.mean(axis=0))
    left = _square(y - basis @ slopes) / (n - d - 1)
    squares = products(slopes, slopes)[1:] / np.diag(inverse)[1:]
    return 1 - left * (n - 1) / whole, (squares - left) / whole
