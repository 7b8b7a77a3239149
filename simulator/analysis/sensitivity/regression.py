"""Given draws of parameters and an outcome at each, which parameters go with it? For draws that need no design.

The parameters of an ensemble are correlated, so that one share of the variance cannot say it all. Two do: what a
parameter says alone, V(E[y | x_i])/V(y), which includes what it shares with others, and what it adds to all the others.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
CUBIC = 3
PENALTIES = np.concatenate([[0.0], np.logspace(-4, 4, 33)])


class Shares(NamedTuple):
    """Shares of the variance of an outcome over draws, (parameters,) each, with the standard error of `alone`.

    `alone` and `added` may come out slightly below 0, for they are unbiased rather than positive. `explained` is the
    share that all parameters explain together in straight lines; `noise_share` was taken out of the variance.
    """

    alone: Floats
    alone_se: Floats
    added: Floats
    explained: float
    noise_share: float
    draws: int


def variance_shares(x: ArrayLike, y: ArrayLike, noise: float = 0.0, resamples: int = 200, seed: int = 1) -> Shares:
    """The shares of each parameter.

    `alone` is the adjusted R² of a cubic in x_i; `added` the loss of adjusted R² when x_i leaves the linear model of
    all parameters, (t² − 1)(1 − R²)/(n − p − 1) with t of its slope. Both are divided by the share of the variance
    that is not noise.

    Parameters
    ----------
    x : (draws, parameters)
    y : (draws,) or (draws, replicates)
        With replicates, their mean counts and their variance is the noise.
    noise : float
        Variance of the Monte Carlo noise of y where there is one replicate.
    resamples : int
        Bootstrap samples of draws for the standard errors.
    """
    points, values = np.asarray(x, np.float64), np.asarray(y, np.float64).reshape(len(np.asarray(y)), -1)
    n, d = points.shape
    if n <= d + 2 or np.ptp(values.mean(axis=1)) == 0:
        raise ValueError(f"{n} draws do not tell {d} parameters apart, or the outcome does not vary")
    if values.shape[1] > 1:
        noise = float(values.var(axis=1, ddof=1).mean()) / values.shape[1]
    mean = values.mean(axis=1)
    share = min(noise / float(mean.var(ddof=1)), 1.0)
    rng = np.random.default_rng(seed)
    picks = [rng.integers(n, size=n) for _ in range(resamples)]
    again = np.array([[_adjusted(points[pick, i], mean[pick]) for i in range(d)] for pick in picks])
    alone = np.array([_adjusted(points[:, i], mean) for i in range(d)])
    explained, added = _linear(points, mean)
    true = max(1 - share, np.finfo(float).tiny)
    return Shares(alone / true, again.std(axis=0, ddof=1) / true, added / true, explained / true, share, n)


def _adjusted(x: Floats, y: Floats) -> float:
    """Adjusted R² of a cubic."""
    basis = terms(x[:, None], CUBIC)
    rest = y - fitted(x[:, None], y[:, None], CUBIC, penalised=False)[:, 0]
    n = len(y)
    return 1 - float(rest @ rest / (n - 1 - basis.shape[1])) / float(y.var(ddof=1))


def _linear(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Adjusted R² of the linear model, and what each parameter adds to it."""
    n, d = x.shape
    basis = np.column_stack([np.ones(n), x])
    inverse = np.linalg.pinv(basis.T @ basis)
    slopes = inverse @ basis.T @ y
    rest = y - basis @ slopes
    left, whole = float(rest @ rest) / (n - d - 1), float(((y - y.mean()) ** 2).sum())
    t2 = slopes[1:] ** 2 / (left * np.diag(inverse)[1:])
    return 1 - left * (n - 1) / whole, (t2 - 1) * left / whole


def terms(x: Floats, degree: int) -> Floats:
    """Powers and products of standardised parameters up to a degree, each with mean 0 and SD 1, (n, terms)."""
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    columns = [
        np.prod(z[:, chosen], axis=1)
        for order in range(1, degree + 1)
        for chosen in combinations_with_replacement(range(x.shape[1]), order)
    ]
    found = np.stack(columns, axis=1)
    found -= found.mean(axis=0)
    size = found.std(axis=0)
    return found[:, size > 0] / size[size > 0]


def fitted(x: ArrayLike, y: ArrayLike, degree: int, penalised: bool = True) -> Floats:
    """E[y | x] by polynomial regression, at the draws themselves.

    Ridge regression, with the penalty that has the smallest leave-one-out error of each outcome.

    Parameters
    ----------
    x : (draws, parameters)
    y : (draws, outcomes)
    degree : int
    penalised : bool
        False: least squares.
    """
    points, values = np.asarray(x, np.float64), np.asarray(y, np.float64)
    centre = values.mean(axis=0)
    left, size, _ = np.linalg.svd(terms(points, degree), full_matrices=False)
    kept = size > size[0] * 1e-10
    left, size, scores = left[:, kept], size[kept], left[:, kept].T @ (values - centre)
    found = np.empty_like(values)
    for k in range(values.shape[1]):
        best = np.inf
        for penalty in PENALTIES if penalised else PENALTIES[:1]:
            shrink = size**2 / (size**2 + penalty * len(values))
            line = left @ (shrink * scores[:, k])
            leverage = np.minimum((left**2) @ shrink + 1 / len(values), 1 - 1e-9)
            error = float(np.mean(((values[:, k] - centre[k] - line) / (1 - leverage)) ** 2))
            if error < best:
                best, found[:, k] = error, centre[k] + line
    return found
