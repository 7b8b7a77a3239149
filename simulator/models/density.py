"""Density of what a distribution draws, so that simulated people can be re-weighted to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulator.quantities import Distribution

Floats = NDArray[np.float64]
AT_LIMIT = 1e-5
"""Relative distance within which a float32 draw is at a limit, where draws are clipped."""


def log_normal_density(x: Floats, centre: Floats | float, sd: float) -> Floats:
    """Log-density of a normal, without the constant; 0 everywhere where the SD is 0."""
    return -0.5 * ((x - centre) / sd) ** 2 - np.log(sd) if sd > 0 else np.zeros(np.shape(x))


def log_density(distribution: Distribution, x: Floats) -> Floats:
    """Log-density of draws x, up to a term that is the same for every distribution of the same shape.

    Limits clip: a draw at a limit has the probability of everything beyond. A distribution without spread has 0.
    """
    from scipy.special import log_ndtr

    log, centre, sd, low, high = distribution.terms()
    x = np.asarray(x, np.float64)
    if sd == 0:
        return np.zeros(x.shape)
    turn = np.log if log else np.asarray
    found = log_normal_density(turn(x), float(turn(centre)), sd)
    for limit, sign in ((low, 1.0), (high, -1.0)):
        if np.isfinite(limit) and not (log and limit <= 0):
            beyond = log_ndtr(sign * (float(turn(limit)) - float(turn(centre))) / sd) + 0.5 * np.log(2 * np.pi)
            at = sign * (x - limit) <= AT_LIMIT * max(abs(limit), 1.0)
            found = np.where(at, beyond, found)
    return found


def has_spread(distribution: Distribution) -> bool:
    """Whether people differ, so that one can be re-weighted to another."""
    return distribution.terms()[2] > 0
