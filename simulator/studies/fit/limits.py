"""Ends of intervals where the likelihood has fallen as far as a normal's does, on each side by itself.

A quadratic at the estimate says how far the log-likelihood falls if it went on so. Where values trade off against one
another (spread of D50 and a fluctuation that lasts), or a spread is near 0, it does not. So it is looked at along the
way on which the others follow as the quadratic says, and the end is where it has fallen by z²/2: the signed root of
the likelihood ratio is taken as straight between estimate and end. The way is not the very maximum over the others,
so ends lie at those of the profile likelihood or within, and none is taken nearer than the quadratic has it.

References
----------
Venzon & Moolgavkar (1988), doi:10.2307/2347496 (intervals by profile likelihood).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.intervals import Z_95
from simulator.errors import SimulatorError
from simulator.studies.fit.parameters import penalty
from simulator.studies.fit.surface import Setting, Surface

Floats = NDArray[np.float64]
FALL = Z_95**2 / 2
NEAR = (0.45, 2.2)
"""Falls between so many times the wanted one are near enough to reckon the end from."""
LOOKS, LONGEST, SHORTEST, FLAT = 3, 2.5, 0.4, 0.1
"""So many looks at a side, each so many times further or nearer than the last; a smaller fall counts as this."""
FARTHEST = 4.0
"""No end is further than so many times a normal's: where the likelihood is flat there is none."""


def sides(setting: Setting, t: Floats, covariance: Floats) -> Floats:
    """(p, 2) how far the ends below and above lie from the estimate, on the scale of the fit.

    Parameters
    ----------
    t : (p,) the estimate. covariance : (p, p) inverse of the information there.
    """
    top = _height(setting, t)
    found = np.zeros((len(t), 2))
    for j in range(len(t)):
        way = covariance[:, j] / covariance[j, j]  # of all, for one unit of this one
        for side, sign in enumerate((-1.0, 1.0)):
            usual = Z_95 * float(np.sqrt(covariance[j, j]))
            found[j, side] = float(np.clip(_side(setting, top, t, sign * way, usual), usual, FARTHEST * usual))
    return found


def _side(setting: Setting, top: float, t: Floats, way: Floats, by: float) -> float:
    """How far one end lies, first looked at by a normal's distance."""
    for look in range(LOOKS):
        fall = max(top - _height(setting, t + by * way), FLAT)
        further = float(np.sqrt(FALL / fall))
        if NEAR[0] < fall / FALL < NEAR[1] or look == LOOKS - 1:
            break
        by *= min(max(further, SHORTEST), LONGEST)
    return by * min(max(further, SHORTEST), LONGEST)


def _height(setting: Setting, t: Floats) -> float:
    """Log-likelihood and log-prior, from a crowd that is simulated there; nothing where no scenario is."""
    try:
        return float(Surface(setting, t).values(t).sum()) + penalty(setting.free, t)
    except SimulatorError:
        return -np.inf
