"""What can be seen: every output is a function of disease time. Sections 2, 3 and 6."""

from simulator.engine import rows
from simulator.engine.jit import LANES, inline
from simulator.engine.mathematics import ONE, ZERO, F, exp32, log32
from simulator.engine.rows import V
from simulator.models.clock.kernels.state import (
    AMPLITUDE,
    BACKGROUND,
    LOG_TAU,
    LOG_TAU_V,
    M0,
    TAU1,
    TAU2,
    TAU3,
    V0,
    A,
    U,
)

DOMAIN, HALVES, LEAST_LEAK = F(12.0), F(24.0), F(0.02)


@inline
def _domain(a, log_u, log_tau, onset):
    return DOMAIN / (ONE + exp32(a * (log_u - log_tau))) if onset else DOMAIN


def outputs(model, s, o, years):
    """Sections 2, 3 and 6: F_k = 12/(1 + (u/tau_k)^a), SVC = V0/(1 + (u/tau_V)^b), HHD and plasma NfL."""
    aging = exp32(model.log_growth * years)
    for i in range(LANES):
        u = s[U + i]
        begun = u > ZERO
        log_u = log32(u)
        a = s[A + i]
        bulbar = _domain(a, log_u, s[LOG_TAU + i], begun)
        fine = _domain(a, log_u, s[TAU1 + i], begun)
        gross = _domain(a, log_u, s[TAU2 + i], begun)
        respiratory = _domain(a, log_u, s[TAU3 + i], begun)
        o[rows.BULBAR + i] = bulbar
        o[rows.FINE + i] = fine
        o[rows.GROSS + i] = gross
        o[rows.RESPIRATORY + i] = respiratory
        o[rows.ALSFRS_R + i] = (bulbar + fine) + (gross + respiratory)
        lost = ONE + exp32(model.b * (log_u - s[LOG_TAU_V + i])) if begun else ONE
        o[rows.SVC + i] = s[V0 + i] / lost
        o[rows.HHD + i] = s[M0 + i] - model.loss * (ONE - (fine + gross) / HALVES)
        injury = ONE - exp32(-max(u + model.lead, ZERO) / model.rise)
        leak = max(ONE - s[rows.E_N + i] * s[V + i], LEAST_LEAK)
        o[rows.NFL + i] = s[BACKGROUND + i] * aging + s[AMPLITUDE + i] * injury * leak
        o[rows.DISEASE_TIME + i] = u
