"""E[y | x] at draws that did not help to find it: smoothing splines, each fold predicted from the others.

The spline is the polyharmonic one of kernel r³ with a linear part, which in one dimension is the cubic smoothing spline
(Wahba 1990, Spline Models for Observational Data, doi:10.1137/1.9781611970128). It bends wherever the draws do, not as
a polynomial must. Its penalty is the one that predicts the left-out draws best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
FOLDS, NODES = 5, 21
PENALTIES = np.logspace(-3, 7, 6)


class Fit(NamedTuple):
    """Predictions of an outcome : (draws,), the penalty behind them, and their mean squared error."""

    value: Floats
    penalty: float
    error: float


def smooth(x: Floats, y: Floats) -> list[Fit]:
    """E[y | x] of parameters x : (draws, parameters) and outcomes y : (draws, outcomes), predicted fold by fold."""
    found = [Fit(np.full(len(one), one.mean()), float("inf"), float(one.var())) for one in y.T]
    z = _scaled(x)
    return _better(found, [z] * FOLDS, y) if z.shape[1] else found


def smooth_measured(x: Floats, y: Floats, width: float) -> tuple[Floats, Floats]:
    """E[y | x + error] where x + error is what a study finds of x : (draws,), predicted fold by fold.

    What is found says of each other draw how likely it is its own: E[y | x] of these, weighted so, is Bayes' theorem
    with the draws as the prior. The error is normal with SD `width`, integrated by quadrature.

    Returns
    -------
    tuple
        (draws, nodes, outcomes) predictions, and the probability of each node.
    """
    whole = smooth(x[:, None], y)
    if width == 0:
        return np.stack([fit.value for fit in whole], axis=1)[:, None], np.ones(1)
    node, share = np.polynomial.hermite_e.hermegauss(NODES)
    found = np.empty((len(x), NODES, y.shape[1]))
    for others, fold in _folds(len(y)):
        at = np.stack([_along(x[others], y[others, k], fit.penalty) for k, fit in enumerate(whole)], axis=1)
        far = -0.5 * ((x[fold, None, None] + width * node[:, None] - x[others]) / width) ** 2
        weight = np.exp(far - far.max(axis=2, keepdims=True))
        found[fold] = weight @ at / weight.sum(axis=2, keepdims=True)
    return found, share / share.sum()


def _along(x: Floats, y: Floats, penalty: float) -> Floats:
    """E[y | x] at the draws themselves, at a penalty."""
    z = _scaled(x[:, None])
    return _spline(z, y[:, None], penalty, z)[:, 0] if np.isfinite(penalty) else np.full(len(y), y.mean())


def smooth_group(x: Floats, y: Floats, members: Sequence[Sequence[Fit]]) -> list[Fit]:
    """As `smooth`, for several parameters of which some may not matter.

    Distances between draws are measured in the parameters as they are, then in what each of them says of the outcome
    alone (`members`, the fits of each), found again without the fold: a parameter that says nothing then has no length,
    and a sum of functions of one parameter each is a plane. What predicts better stands.
    """
    found = smooth(x, y)
    for k in range(len(found)):
        own = [fits[k] for fits in members]
        apart = [_effects(x, y[:, k], own, others) for others, _ in _folds(len(y))]
        if all(z.shape[1] for z in apart):
            found[k] = _better([found[k]], apart, y[:, [k]])[0]
    return found


def _scaled(x: Floats) -> Floats:
    """Coordinates of SD 1; what does not vary is left out."""
    spread = x.std(axis=0)
    kept = np.ptp(x, axis=0) > 1e-12 * np.abs(x).max(axis=0)
    return (x[:, kept] - x[:, kept].mean(axis=0)) / spread[kept]


def _folds(n: int) -> list[tuple[Integers, Integers]]:
    """The draws that predict, and those that are predicted."""
    place = np.arange(n)
    return [(place[place % FOLDS != k], place[place % FOLDS == k]) for k in range(FOLDS)]


def _better(fits: Sequence[Fit], coordinates: Sequence[Floats], y: Floats) -> list[Fit]:
    """The fits, or what predicts the outcomes y : (draws, outcomes) better from the coordinates of each fold."""
    best = list(fits)
    if not all(_spans(z[others]) for (others, _), z in zip(_folds(len(y)), coordinates, strict=True)):
        return best
    for penalty in PENALTIES:
        value = np.empty_like(y)
        for (others, fold), z in zip(_folds(len(y)), coordinates, strict=True):
            value[fold] = _spline(z[others], y[others], penalty, z[fold])
        for k, error in enumerate(((value - y) ** 2).mean(axis=0)):
            if error < best[k].error:
                best[k] = Fit(value[:, k], float(penalty), float(error))
    return best


def _spans(x: Floats) -> bool:
    """Whether points : (draws, parameters) are enough, and far enough apart, to lay a plane through."""
    return bool(np.linalg.matrix_rank(np.insert(x, 0, 1.0, axis=1)) > x.shape[1])


def _effects(x: Floats, y: Floats, members: Sequence[Fit], others: Integers) -> Floats:
    """What each parameter says of the outcome alone, from some of the draws; the largest of SD 1."""
    table = np.zeros((len(y), len(members)))
    for k, member in enumerate(members):
        if np.isfinite(member.penalty):
            z = _scaled(x[:, [k]])
            table[:, k] = _spline(z[others], y[others, None], member.penalty, z)[:, 0]
    spread = table.std(axis=0)
    most = float(spread.max(initial=0))
    return table[:, spread > 1e-6 * most] / most if most else table[:, :0]


def _spline(x: Floats, y: Floats, penalty: float, at: Floats) -> Floats:
    """The spline of draws x, y at other draws; the mean of y where x are too few, or too alike, to span a plane."""
    from scipy.interpolate import RBFInterpolator

    if np.linalg.matrix_rank(np.column_stack([np.ones(len(x)), x])) <= x.shape[1]:
        return np.tile(y.mean(axis=0), (len(at), 1))
    return np.asarray(RBFInterpolator(x, y, kernel="cubic", degree=1, smoothing=penalty)(at), np.float64)
