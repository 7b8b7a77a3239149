"""The multistate model's rows of a block, and its constants. It runs on the clock model's clock, in the same rows."""

from typing import NamedTuple

import numpy as np

from simulator.engine import rows
from simulator.models.clock.kernels.state import D50, SPEED, STARTED, XI, XI1, XI2, XI3, Q, U, Z

_CLOCK_ROWS = 12  # disease time, volatility and speed: the first rows of the clock model
REACH_2, REACH_3, REACH_4 = rows.offsets(rows.MODEL + _CLOCK_ROWS, 3)
"""Disease times at which the person enters King's stages 2, 3 and 4."""
ROWS = _CLOCK_ROWS + 3
PARAMETERS = {"d50": D50, "reach_kings_2": REACH_2, "reach_kings_3": REACH_3, "reach_kings_4": REACH_4}
"""Rows reported in the `patients` group."""

__all__ = [
    "D50", "PARAMETERS", "REACH_2", "REACH_3", "REACH_4", "ROWS", "SPEED", "STARTED", "XI", "XI1", "XI2", "XI3",
    "Multistate", "Q", "U", "Z",
]  # fmt: skip


class Multistate(NamedTuple):
    """Population constants of the multistate model, float32; rates per unit of disease time.

    What differs by variant is in a table of its own: columns 0 to 4 the terms of D50 in months, 5 the probability to
    carry a listed (fast) variant, 6 the D50 below which that holds.
    """

    rho: np.float32
    innovation: np.float32  # sqrt(1 - rho^2)
    sd_q: np.float32
    leave_1: np.float32
    leave_2: np.float32
    leave_3: np.float32
    leave_4: np.float32  # for death
    epsilon: np.float32
