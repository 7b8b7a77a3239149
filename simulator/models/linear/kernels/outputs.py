"""What can be seen: straight lines of disease time and of months since onset. Sections 2, 3 and 5."""

import numpy as np

from simulator.engine import rows
from simulator.engine.jit import LANES
from simulator.engine.mathematics import ONE, ZERO, F, exp32
from simulator.engine.rows import V
from simulator.models.linear.kernels.state import AMPLITUDE, BACKGROUND, D50, MONTHS, SVC_SLOPE, V0, U

FULL_SCORE, HALF_SCORE, LEAST_LEAK, YEAR_MONTHS = F(48.0), F(24.0), F(0.02), F(12.0)
NOT_MODELLED = F(np.nan)


def outputs(model, s, o, years):
    """Sections 2, 3 and 5: ALSFRS-R = 48 - 24 u and SVC = V0 - g b x_V, neither below 0, and plasma NfL."""
    aging, lived, own = exp32(model.log_growth * years), YEAR_MONTHS * years, ONE - model.ratio
    for i in range(LANES):
        u = s[U + i]
        # x_V = (1 - rho) t + rho x, in the order that gives x alone where rho = 1
        x = own * (s[MONTHS + i] + lived) + model.ratio * (u * s[D50 + i])
        o[rows.ALSFRS_R + i] = min(max(FULL_SCORE - HALF_SCORE * u, ZERO), FULL_SCORE)
        o[rows.SVC + i] = max(s[V0 + i] - s[SVC_SLOPE + i] * max(x, ZERO), ZERO)
        leak = max(ONE - s[rows.E_N + i] * s[V + i], LEAST_LEAK)
        o[rows.NFL + i] = s[BACKGROUND + i] * aging + s[AMPLITUDE + i] * leak
        o[rows.DISEASE_TIME + i] = u
        o[rows.BULBAR + i] = NOT_MODELLED
        o[rows.FINE + i] = NOT_MODELLED
        o[rows.GROSS + i] = NOT_MODELLED
        o[rows.RESPIRATORY + i] = NOT_MODELLED
        o[rows.HHD + i] = NOT_MODELLED


def items(model, s, o):
    """There are totals only."""


def stages(model, s, o, day):
    """There is nothing to read a stage from."""
