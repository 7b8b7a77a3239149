"""Points in the unit cube at which a model is evaluated.

References
----------
Saltelli et al. (2010), Variance based sensitivity analysis of model output, doi:10.1016/j.cpc.2009.09.018. Owen (1998),
Latin supercube sampling for very high-dimensional simulations, doi:10.1145/272991.273010.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LARGEST = 20_000
"""Dimensions of the Sobol' sequence that are used; a design needs two for each parameter."""
JOINT = 128
"""Base points from which on one sequence has the dimensions of both samples."""
TRUSTED = 32
"""Base points below which 95 % intervals hold the truth in fewer than nine of ten cases (measured; see the tests)."""


def saltelli(size: int, parameters: int, seed: int = 1) -> Floats:
    """The points of Sobol' indices: two independent samples A and B, and A with one column of B after the other.

    From 128 points on, a scrambled Sobol' sequence of twice as many dimensions is cut in two. Fewer points of so many
    dimensions are no better than few: the first digits of two dimensions may be the same at all of them, so that the
    parameters move together (correlations of .9 at 32 points). There A and B are two sequences, scrambled apart, and
    the rows of B in random order: a scramble alone leaves the first digits of a dimension as they are, or turns them
    all round. A larger design begins with the smaller one, on either side of 128.

    Parameters
    ----------
    size : int
        Base points; a power of 2 keeps the sequence balanced.
    parameters : int
    seed : int
        Of the scrambling.

    Returns
    -------
    (size, parameters + 2, parameters) in (0, 1): for each base point A, B, then A with column i from B.
    """
    from scipy.stats import qmc

    if size < 2 or not 1 <= parameters <= LARGEST // 2:
        raise ValueError(f"a design of {size} base points in {parameters} parameters cannot be made")
    if size < JOINT:
        rng = np.random.default_rng(seed)
        a, b = (_first(qmc.Sobol(parameters, seed=one), JOINT) for one in rng.spawn(2))
        a, b = a[:size], b[_mixed(rng)][:size]
    else:
        both = _first(qmc.Sobol(2 * parameters, seed=seed), size)
        a, b = both[:, :parameters], both[:, parameters:]
    mixed = np.repeat(a[:, None, :], parameters, axis=1)
    for i in range(parameters):
        mixed[:, i, i] = b[:, i]
    return np.concatenate([a[:, None], b[:, None], mixed], axis=1)


def _mixed(rng: np.random.Generator) -> NDArray[np.intp]:
    """The rows up to JOINT in random order, but each power of 2 of them first: these are balanced."""
    ends = [0, *(2**k for k in range(1, JOINT.bit_length()))]
    return np.concatenate([low + rng.permutation(high - low) for low, high in pairwise(ends)])


def _first(sequence: object, size: int) -> Floats:
    """The first points of a sequence; it is drawn in a power of 2, which it is balanced in."""
    power = int(np.ceil(np.log2(size)))
    points: Floats = sequence.random_base2(power)[:size]  # type: ignore[attr-defined]
    return np.clip(points, 1e-9, 1 - 1e-9)


def one_at_a_time(parameters: int, low: float = 0.05, high: float = 0.95) -> Floats:
    """Each parameter at its low and at its high quantile, the others in the middle.

    Returns
    -------
    (parameters, 2, parameters) quantiles; NaN where a parameter keeps its own value.
    """
    points = np.full((parameters, 2, parameters), np.nan)
    for i in range(parameters):
        points[i, :, i] = low, high
    return points
