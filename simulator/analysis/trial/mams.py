"""Boundaries of a trial of several arms in several stages: arms are dropped, one that crosses is better than control.

Each of K arms has so many participants at each stage as the others, and its statistic against the shared control is
Z_kj. Given the sums of the control up to each stage the arms are independent, so the probability that none of them
crosses is an integral over the sums of the control of the K-th power of what one arm does (Magirr, Jaki & Whitehead
2012). Dropping is not binding: the familywise error counts arms as going on until they cross, unless `binding`.

References
----------
Magirr, Jaki & Whitehead (2012), doi:10.1093/biomet/ass002. Jaki, Pallmann & Magirr (2019), doi:10.18637/jss.v088.i04
(the package MAMS).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from simulator.analysis.trial.data import Floats

Form = Literal["pocock", "obrien_fleming", "triangular", "fixed"]
POINTS, REACH = {1: (65, 9), 2: (41, 61), 3: (23, 27)}, 6.5
"""Points for the sums of the control and of an arm, by the number of stages: boundaries are right to 1e-4."""


class Bounds(NamedTuple):
    """An arm crosses at stage j with Z_j ≥ upper[j], and is dropped with Z_j ≤ lower[j]; `share` of the information."""

    share: Floats
    upper: Floats
    lower: Floats


def shaped(form: Form, share: Floats, most: float) -> Floats:
    """(j,) bounds of a shape whose size at the end is `most`: Pocock's is flat, O'Brien and Fleming's falls as 1/√t.

    Triangular: most (1 + t)/√t at the top, most (3 t − 1)/√t below, which meet at the end at 2 most.
    """
    if form == "pocock":
        return np.full(len(share), most)
    if form == "triangular":
        return np.asarray(most * (1 + share) / np.sqrt(share))
    return np.asarray(most / np.sqrt(share))


def lower_of(form: Form, upper: Floats, share: Floats, fixed: float = -np.inf) -> Floats:
    """(j,) bounds below: one for all looks (`fixed`; none by default), or the triangle's; at the end they meet."""
    low = upper[-1] / 2 * (3 * share - 1) / np.sqrt(share) if form == "triangular" else np.full(len(share), fixed)
    low[-1] = upper[-1]
    return np.minimum(low, upper)


def crossing(bounds: Bounds, arms: int, ratio: float = 1.0, *, binding: bool = False) -> float:
    """Probability that any arm crosses, without an effect; `ratio` of an arm's participants to the control's."""
    t = bounds.share
    steps = np.sqrt(np.diff(t, prepend=0.0))
    x, weight = np.polynomial.legendre.leggauss(POINTS[len(t)][0])
    x, weight = REACH * x, weight * REACH * np.exp(-((REACH * x) ** 2) / 2) / np.sqrt(2 * np.pi)
    # √t_j Z_kj = own sum + shared sum, both with independent steps
    own, shared = np.sqrt(1 / (1 + ratio)), np.sqrt(ratio / (1 + ratio))
    grids = np.meshgrid(*[x] * len(t), indexing="ij")
    mass = np.prod(np.meshgrid(*[weight] * len(t), indexing="ij"), axis=0).ravel()
    control = np.cumsum([step * one.ravel() for step, one in zip(steps, grids, strict=True)], axis=0)
    low = bounds.lower if binding else np.full(len(t), -np.inf)
    stays = _one_arm(t, (low, bounds.upper), control * shared, own)
    return float(1 - mass @ stays**arms)


def _one_arm(t: Floats, bounds: tuple[Floats, Floats], shared: Floats, own: float) -> Floats:
    """(g,) probability that an arm crosses nowhere, for each course of the shared sums : (j, g).

    Its own sum is a walk; the density on the region where it goes on is carried from stage to stage on a grid.
    """
    from scipy.special import ndtr

    low, high = bounds
    crossed = np.zeros(shared.shape[1])
    density: Floats | None = None
    grid: Floats | None = None
    for j, share in enumerate(t):
        step = own * np.sqrt(share - (t[j - 1] if j else 0.0))
        top = high[j] * np.sqrt(share) - shared[j]
        base = low[j] * np.sqrt(share) - shared[j]
        if density is None or grid is None:
            crossed += ndtr(-top / step)
        else:
            crossed += np.einsum("gi,gi->g", density, ndtr(-(top[:, None] - grid) / step))
        if j == len(t) - 1:
            break
        spread = own * np.sqrt(share)
        first = np.maximum(base, -8 * spread)
        last = np.clip(top, first, 8 * spread)
        x, weight = np.polynomial.legendre.leggauss(POINTS[len(t)][1])
        new = first[:, None] + (last - first)[:, None] * (x + 1) / 2
        if density is None or grid is None:
            at = np.exp(-((new / step) ** 2) / 2)
        else:
            gap = (new[:, :, None] - grid[:, None, :]) / step
            at = np.einsum("gi,gji->gj", density, np.exp(-(gap**2) / 2))
        density = at / (step * np.sqrt(2 * np.pi)) * weight * (last - first)[:, None] / 2
        grid = new
    return 1 - crossed


def boundaries(
    arms: int,
    share: Floats,
    alpha: float = 0.025,
    form: Form = "triangular",
    *,
    ratio: float = 1.0,
    fixed: float = -np.inf,
    binding: bool = False,
) -> Bounds:
    """The boundaries with the one-sided familywise error α."""
    from scipy.optimize import brentq

    t = np.asarray(share, np.float64)

    def at(most: float) -> Bounds:
        upper = shaped(form, t, most)
        return Bounds(t, upper, lower_of(form, upper, t, fixed))

    return at(float(brentq(lambda most: crossing(at(most), arms, ratio, binding=binding) - alpha, 0.3, 8.0, xtol=1e-6)))
