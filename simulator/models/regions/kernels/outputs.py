"""What can be seen: function and breathing without a power, strength and neurofilament. Sections 2, 3 and 6."""

from simulator.engine import interface, rows, staging
from simulator.engine.jit import LANES, inline
from simulator.engine.mathematics import ONE, ZERO, F, exp32
from simulator.engine.rows import ITEM, V
from simulator.models.clock.kernels.outputs import DOMAIN, HALVES, LEAST_LEAK, POINTS
from simulator.models.clock.kernels.state import AMPLITUDE, BACKGROUND, M0, TAU1, TAU2, TAU3, V0, U
from simulator.models.regions.kernels.state import O_BULBAR, O_FINE, O_GROSS, TAU, TAU_V

EARLIER, EARLY, LATE, LATER = (F(d**-2) for d in (0.92, 0.95, 1.05, 1.10))


@inline
def _left(since, tau):
    """1/(1 + (since/tau)^2), since not below 0."""
    x = max(since, ZERO)
    square = tau * tau
    return square / (square + x * x)


@inline
def _item(lost, weight):
    """An item of 4/(1 + (x/d)^2), from what its domain has lost, x^2, and from d^-2."""
    return POINTS / (ONE + lost * weight)


def items(model, s, o):
    """Section 2: the twelve latent items; those with d < 1 fail before their domain, those with d > 1 after it."""
    for i in range(LANES):
        bulbar, fine = DOMAIN / o[rows.BULBAR + i] - ONE, DOMAIN / o[rows.FINE + i] - ONE
        breathing = DOMAIN / o[rows.RESPIRATORY + i] - ONE
        gross = o[rows.GROSS + i] / F(3.0)
        o[ITEM + i] = _item(bulbar, EARLY)
        o[ITEM + LANES + i] = o[rows.BULBAR + i] / F(3.0)
        o[ITEM + 2 * LANES + i] = _item(bulbar, LATE)
        o[ITEM + 3 * LANES + i] = o[rows.FINE + i] / F(3.0)
        o[ITEM + 4 * LANES + i] = _item(fine, EARLY)
        o[ITEM + 5 * LANES + i] = _item(fine, LATE)
        o[ITEM + 6 * LANES + i] = gross
        o[ITEM + 7 * LANES + i] = gross
        o[ITEM + 8 * LANES + i] = gross
        o[ITEM + 9 * LANES + i] = _item(breathing, EARLIER)
        o[ITEM + 10 * LANES + i] = o[rows.RESPIRATORY + i] / F(3.0)
        o[ITEM + 11 * LANES + i] = _item(breathing, LATER)


def stages(model, s, o, day):
    """Section 2: stages are read from the items."""
    interface.items(model, s, o)
    staging.stage(s, o, day)


def outputs(model, s, o, years):
    """F_k = 12/(1 + ((u - o_k)/tau_k)^2), SVC = V0/(1 + (u/tau_V)^2), HHD and plasma NfL."""
    aging = exp32(model.log_growth * years)
    for i in range(LANES):
        u = s[U + i]
        bulbar = DOMAIN * _left(u - s[O_BULBAR + i], s[TAU + i])
        fine = DOMAIN * _left(u - s[O_FINE + i], s[TAU1 + i])
        gross = DOMAIN * _left(u - s[O_GROSS + i], s[TAU2 + i])
        respiratory = DOMAIN * _left(u - model.o_respiratory, s[TAU3 + i])
        o[rows.BULBAR + i] = bulbar
        o[rows.FINE + i] = fine
        o[rows.GROSS + i] = gross
        o[rows.RESPIRATORY + i] = respiratory
        o[rows.ALSFRS_R + i] = (bulbar + fine) + (gross + respiratory)
        o[rows.SVC + i] = s[V0 + i] * _left(u, s[TAU_V + i])
        o[rows.HHD + i] = s[M0 + i] - model.loss * (ONE - (fine + gross) / HALVES)
        injury = ONE - exp32(-max(u + model.lead, ZERO) / model.rise)
        leak = max(ONE - s[rows.E_N + i] * s[V + i], LEAST_LEAK)
        o[rows.NFL + i] = s[BACKGROUND + i] * aging + s[AMPLITUDE + i] * injury * leak
        o[rows.DISEASE_TIME + i] = u
