"""The linear model's rows of a block, and its constants."""

from typing import NamedTuple

import numpy as np

from simulator.engine import rows

(
    U,  # disease time: b x / 24, x months of untreated progression; 1 where the score is 24
    MONTHS,  # since onset, at baseline
    SPEED,  # disease time per day at m = 1
    FLOOR,  # lowest disease time that recovery can reach
    CHANCE,  # lambda v, per month
    GROWTH,  # gamma v, per month
    D50,  # 24 / b, months
    SLOPE,  # b, points a month
    V0,
    SVC_SLOPE,  # g b, % predicted a month
    D_F,
    AMPLITUDE,  # A b^beta e^eta
    BACKGROUND,  # N_bg at baseline
) = rows.offsets(rows.MODEL, 13)
ROWS = 13
PARAMETERS = {
    "slope": SLOPE,
    "d50": D50,
    "v0": V0,
    "svc_slope": SVC_SLOPE,
    "fvc_offset": D_F,
    "hazard_at_onset": CHANCE,
    "hazard_growth": GROWTH,
    "nfl_amplitude": AMPLITUDE,
}
"""Rows reported in the `patients` group."""


class Linear(NamedTuple):
    """Population constants of the linear model, float32; distributions are terms (log, centre, spread, low, high).

    What differs by variant is in a table of its own: columns 0 to 4 the terms of the slope in points a month, 5 the
    probability to carry a listed (fast) variant, 6 the D50 below which that holds.
    """

    v0: tuple  # % predicted
    per_point: tuple  # % predicted of SVC lost per point of ALSFRS-R lost
    ratio: np.float32  # effect on SVC over effect on ALSFRS-R
    fvc_offset: tuple  # SVC - FVC
    rate: np.float32
    growth: np.float32
    alpha: np.float32
    epsilon: np.float32
    background: np.float32
    log_growth: np.float32
    log_amplitude: np.float32
    beta: np.float32
    sd_eta: np.float32
