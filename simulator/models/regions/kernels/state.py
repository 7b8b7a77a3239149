"""The model's rows of a block, and its constants. Clock, hazard and fluctuation lie where the clock model has them."""

from typing import NamedTuple

import numpy as np

from simulator.engine import rows
from simulator.models.clock.kernels.state import (
    AMPLITUDE,
    D50,
    D_F,
    LOG_L,
    LOG_TAU,
    LOG_TAU_V,
    M0,
    TAU1,
    TAU2,
    TAU3,
    V0,
    XI,
    XI1,
    XI2,
    A,
)
from simulator.models.clock.kernels.state import ROWS as CLOCK_ROWS

U_DX = A
"""Disease time at which diagnosis is due."""
TAU, TAU_V = LOG_TAU, LOG_TAU_V
"""Time scales of the four regions (TAU, TAU1, TAU2, TAU3) and of breathing, no logarithms here."""
DUE, CROSSED, WAITS = XI, XI1, XI2
"""While a history is lived: u_dx, the day since onset on which u passed it (-1: not yet), the lag in days."""
LAG, O_BULBAR, O_FINE, O_GROSS = rows.offsets(rows.MODEL + CLOCK_ROWS, 4)
"""Days from the crossing to diagnosis, and the disease times at which three regions begin."""
ROWS = CLOCK_ROWS + 4
PARAMETERS = {
    "d50": D50,
    "diagnosis_disease_time": U_DX,
    "diagnosis_lag": LAG,
    "tau_bulbar": TAU,
    "tau_fine_motor": TAU1,
    "tau_gross_motor": TAU2,
    "tau_respiratory": TAU3,
    "tau_svc": TAU_V,
    "v0": V0,
    "log_critical_time": LOG_L,
    "hhd_level": M0,
    "fvc_offset": D_F,
    "nfl_amplitude": AMPLITUDE,
}
"""Rows reported in the `patients` group."""


class Regions(NamedTuple):
    """Population constants, float32; distributions are terms (log, centre, spread, low, high).

    What differs by variant is in a table of its own: columns 0 to 4 the terms of D50 in months, 5 the probability to
    carry a listed (fast) variant, 6 the D50 below which that holds.
    """

    by_bulbar: np.float32  # logarithms of factors of D50: bulbar onset, women, a decade of age at onset
    by_women: np.float32
    by_decade: np.float32
    rho: np.float32
    innovation: np.float32  # sqrt(1 - rho^2)
    sd_q: np.float32
    tau: tuple
    o_limb: np.float32  # disease time at which a limb begins that does not lead
    o_bulbar: np.float32
    o_respiratory: np.float32
    v0: tuple  # % predicted
    tau_v: tuple
    with_respiratory: np.float32  # correlation of log tau_V with log tau_respiratory
    own: np.float32  # sqrt(1 - correlation^2)
    m0_sd: np.float32
    loss: np.float32
    fvc_offset: tuple  # SVC - FVC
    kappa: np.float32
    critical: np.float32
    epsilon: np.float32
    u_dx: tuple
    lag: tuple  # months
    wait_exponent: np.float32  # of D50 in the time from diagnosis to entry
    background: np.float32
    log_growth: np.float32
    log_amplitude: np.float32
    beta: np.float32
    sd_eta: np.float32
    lead: np.float32  # kappa0
    rise: np.float32  # kappa1
