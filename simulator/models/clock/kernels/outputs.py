"""What can be seen: every output is a function of disease time. Sections 2, 3 and 6."""

import numpy as np

from simulator.engine import interface, rows, staging
from simulator.engine.jit import LANES, inline
from simulator.engine.mathematics import ONE, ZERO, F, exp32, log32
from simulator.engine.rows import ITEM, V
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

DOMAIN, HALVES, LEAST_LEAK, POINTS = F(12.0), F(24.0), F(0.02), F(4.0)
LOG_92, LOG_95, LOG_105, LOG_110 = (F(np.log(d)) for d in (0.92, 0.95, 1.05, 1.10))


@inline
def _domain(a, log_u, log_tau, onset):
    return DOMAIN / (ONE + exp32(a * (log_u - log_tau))) if onset else DOMAIN


@inline
def _item(lost, weight):
    """An item of 4/(1 + (u/(tau d))^a), from what its domain has lost, (u/tau)^a, and from d^-a."""
    return POINTS / (ONE + lost * weight)


def items(model, s, o):
    """Section 2: the twelve latent items; those with d < 1 fail before their domain, those with d > 1 after it."""
    for i in range(LANES):
        a = s[A + i]
        early, earlier = exp32(-a * LOG_95), exp32(-a * LOG_92)
        late, later = exp32(-a * LOG_105), exp32(-a * LOG_110)
        bulbar, fine = DOMAIN / o[rows.BULBAR + i] - ONE, DOMAIN / o[rows.FINE + i] - ONE
        breathing = DOMAIN / o[rows.RESPIRATORY + i] - ONE
        gross = o[rows.GROSS + i] / F(3.0)
        o[ITEM + i] = _item(bulbar, early)
        o[ITEM + LANES + i] = o[rows.BULBAR + i] / F(3.0)
        o[ITEM + 2 * LANES + i] = _item(bulbar, late)
        o[ITEM + 3 * LANES + i] = o[rows.FINE + i] / F(3.0)
        o[ITEM + 4 * LANES + i] = _item(fine, early)
        o[ITEM + 5 * LANES + i] = _item(fine, late)
        o[ITEM + 6 * LANES + i] = gross
        o[ITEM + 7 * LANES + i] = gross
        o[ITEM + 8 * LANES + i] = gross
        o[ITEM + 9 * LANES + i] = _item(breathing, earlier)
        o[ITEM + 10 * LANES + i] = o[rows.RESPIRATORY + i] / F(3.0)
        o[ITEM + 11 * LANES + i] = _item(breathing, later)


def stages(model, s, o, day):
    """Section 2: stages are read from the items."""
    interface.items(model, s, o)
    staging.stage(s, o, day)


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
