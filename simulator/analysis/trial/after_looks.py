"""Estimates after a trial that could stop early: median unbiased, with intervals that hold what they say.

Outcomes are ordered by when the trial stops (stage-wise): a benefit at an earlier look is further from no effect than
one at a later. With P(drift) the probability of an outcome at least so far, the estimate has P = 1/2, the limits
P = 2.5 and 97.5 %. A repeated interval, estimate ± bound × standard error, holds the truth at all looks together,
whether or not the trial stops by its bounds.

References
----------
Tsiatis, Rosner & Mehta (1984), doi:10.2307/2530923. Jennison & Turnbull (1989), doi:10.1111/j.2517-6161.1989.tb01774.x.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.trial.data import Floats
from simulator.analysis.trial.sequential import Boundaries, Walk

DRIFTS = np.linspace(-12.0, 16.0, 85)
"""Where P is computed; between them it is interpolated as a normal deviate, to 1e-3 of a standard error."""


def beyond(bounds: Boundaries, look: int, z: ArrayLike, drift: float) -> Floats:
    """Probability, under a drift, to cross for benefit before a look, or to come to it and find at least z there."""
    up, low = bounds.efficacy, np.maximum(bounds.futility, bounds.harm)
    walk, found = Walk(bounds.share, drift), np.zeros(np.shape(z))
    for k in range(look):
        found = found + walk.above(k, up[k])
        walk.go_on(k, low[k], up[k])
    return np.asarray(found + [walk.above(look, one) for one in np.asarray(z, np.float64)])


def drifts(bounds: Boundaries, look: int, z: ArrayLike, probability: ArrayLike) -> Floats:
    """(n, q) drifts under which outcomes z : (n,) at a look, counted from 0, or beyond have probabilities : (q,)."""
    from scipy.special import ndtri

    at, wanted = np.asarray(z, np.float64), ndtri(np.asarray(probability, np.float64))
    if look == 0:
        return np.asarray((at[:, None] + wanted) / np.sqrt(bounds.share[0]))
    each = np.array([beyond(bounds, look, at, float(one)) for one in DRIFTS])
    deviate = ndtri(np.clip(each, 1e-15, 1 - 1e-15))
    return np.array([np.interp(wanted, deviate[:, i], DRIFTS) for i in range(len(at))])
