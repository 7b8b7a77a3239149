"""The clock model's rows of a block, and its constants."""

from typing import NamedTuple

import numpy as np

from simulator.engine import rows

(
    U,  # disease time
    PHI,  # cumulative hazard at U on the clock
    Q,  # volatility of this epoch
    Z,  # its normal
    STARTED,  # 1 once the volatility chain has begun
    SPEED,  # disease time per day at q = m = 1
    D50,
    FLOOR,  # lowest disease time that recovery can reach
    XI,  # four coming normals of the chain: XI, XI + LANES, ...
    XI1,
    XI2,
    XI3,
    LOG_L,  # log of the disease time at which SVC is critical
    A,  # steepness of function
    LOG_TAU,  # log tau of bulbar, fine motor, gross motor, respiratory: LOG_TAU, LOG_TAU + LANES, ...
    TAU1,
    TAU2,
    TAU3,
    LOG_TAU_V,
    V0,
    M0,
    D_F,
    AMPLITUDE,  # A (12/D50)^beta e^eta
    BACKGROUND,  # N_bg at baseline
) = rows.offsets(rows.MODEL, 24)
ROWS = 24
PARAMETERS = {
    "d50": D50,
    "steepness": A,
    "log_tau_bulbar": LOG_TAU,
    "log_tau_fine_motor": TAU1,
    "log_tau_gross_motor": TAU2,
    "log_tau_respiratory": TAU3,
    "log_tau_svc": LOG_TAU_V,
    "v0": V0,
    "log_critical_time": LOG_L,
    "hhd_level": M0,
    "fvc_offset": D_F,
    "nfl_amplitude": AMPLITUDE,
}
"""Rows reported in the `patients` group."""


class Clock(NamedTuple):
    """Population constants of the clock model, float32; distributions are terms (log, centre, spread, low, high).

    Scalars only: arrays would be counted at every call. What differs by variant is in a table of its own: columns 0 to
    4 the terms of D50 in months, 5 the probability to carry a listed (fast) variant, 6 the D50 below which that holds.
    """

    by_bulbar: np.float32  # logarithms of factors of D50: bulbar onset, women, a decade of age at onset
    by_women: np.float32
    by_decade: np.float32
    rho: np.float32
    innovation: np.float32  # sqrt(1 - rho^2)
    sd_q: np.float32
    a: tuple  # steepness of function
    log_limb: np.float32
    log_axial: np.float32
    sd_tau: np.float32
    log_lead: np.float32  # log of the factor on tau of the region of onset
    v0: tuple  # % predicted
    tau_v: tuple
    with_respiratory: np.float32  # correlation of log tau_V with log tau_respiratory
    own: np.float32  # sqrt(1 - correlation^2)
    b: np.float32
    m0_sd: np.float32
    loss: np.float32
    fvc_offset: tuple  # SVC - FVC
    kappa: np.float32
    critical: np.float32
    epsilon: np.float32
    background: np.float32
    log_growth: np.float32
    log_amplitude: np.float32
    beta: np.float32
    sd_eta: np.float32
    lead: np.float32  # kappa0
    rise: np.float32  # kappa1
