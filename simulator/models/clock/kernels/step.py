"""One week of the disease clock, and the day on which an event threshold is used up. Sections 1, 4 and 5."""

import numpy as np

from simulator.engine import rows
from simulator.engine.effect import mean_of_positive, moved
from simulator.engine.jit import LANES, inline
from simulator.engine.mathematics import HALF, ONE, TWO, ZERO, F, exp32, expm1_32, log1p_32, log32
from simulator.engine.rows import LEFT, M
from simulator.models.clock.kernels.state import FLOOR, LOG_L, PHI, SPEED, Q, U

STEP_DAYS = F(7.0)
FLAT, THIRD, SIXTH = F(0.004), F(1 / 3), F(1 / 6)


def mark(model, s, i, fraction, addon, cap):
    """Section 5: with u1 the disease time at the first dose, u never falls below u1 - cap max(u1, 0)."""
    u = s[U + i] + fraction * STEP_DAYS * s[Q + i] * s[SPEED + i] * addon
    s[FLOOR + i] = max(s[FLOOR + i], u - cap * max(u, ZERO))


@inline
def _mean_hazard(half_kappa, bend, u, u_next, phi, phi_next, per_both):
    """Mean of dPhi/du over the step: the difference quotient, or the corrected trapezoid where that would cancel.

    Both are written as one fraction, because a division costs as much as ten multiplications.
    """
    du = u_next - u
    turn = du * per_both
    thick = abs(du) > FLAT * abs(u)
    over = phi_next - phi if thick else half_kappa * (phi * u_next + phi_next * u) * (ONE - bend * turn * turn)
    under = du if thick else u * u_next
    return over / under if thick | (u > ZERO) else ZERO


def step(model, s, day, hazard):
    """Sections 1 and 4 over seven days: u moves by K m, the hazard takes the mean of dPhi/du and of max(m, 0).

    One formula for every sign of m, and for every arm, so that a drug without effect changes no bit.
    """
    half_kappa, lean, past = HALF * model.kappa, (model.kappa - ONE) * SIXTH, ONE - model.epsilon
    bend = (model.kappa - ONE) * (model.kappa - TWO) * THIRD
    for i in range(LANES):
        u, phi = s[U + i], s[PHI + i]
        m, delta = s[M + i], s[rows.DELTA + i]
        k = STEP_DAYS * s[Q + i] * s[SPEED + i]
        u_next = moved(u, k, m, delta, s[FLOOR + i])
        inside = exp32(model.kappa * (log32(u_next) - s[LOG_L + i]))
        phi_next = inside if u_next > ZERO else ZERO
        per_both = ONE / (u + u_next)
        mean = _mean_hazard(half_kappa, bend, u, u_next, phi, phi_next, per_both)
        tilt = ONE - lean * (k * delta) * per_both
        tilt = tilt if min(u, u_next) > ZERO else ONE
        rise = (hazard * k) * mean * (model.epsilon * tilt + past * mean_of_positive(m, delta))
        left = s[LEFT + i]
        hit = (left > ZERO) & (rise >= left)
        if hit:
            s[rows.TRY_DAY + i] = day
            s[rows.TRY_LEFT + i] = left
            s[rows.TRY_RISE + i] = rise
            s[rows.TRY_U + i] = u
            s[rows.TRY_DU + i] = u_next - u
            s[rows.TRY_M + i] = m
            s[rows.TRY_DELTA + i] = delta
        s[LEFT + i] = left - rise
        s[U + i] = u_next
        s[PHI + i] = phi_next


def peek(model, s, days):
    """The first `days` days of a step, for outputs inside it."""
    for i in range(LANES):
        k = days * s[Q + i] * s[SPEED + i]
        s[U + i] = moved(s[U + i], k, s[M + i], s[rows.DELTA + i], s[FLOOR + i])


def invert(model, s, i):
    """Section 4: the day in the step at which the hazard has used up what was left of the threshold."""
    kappa, epsilon = model.kappa, model.epsilon
    u, du = s[rows.TRY_U + i], s[rows.TRY_DU + i]
    share = s[rows.TRY_LEFT + i] / s[rows.TRY_RISE + i]
    m, half = s[rows.TRY_M + i], HALF * s[rows.TRY_DELTA + i]
    theta = share
    if du >= u:  # Phi begins at 0, or at a small part of what it becomes
        before = exp32(kappa * (log32(u) - log32(u + du))) if u > ZERO else ZERO
        theta = ((u + du) * exp32(log32(before + share * (ONE - before)) / kappa) - u) / du
    elif abs(du) > F(1e-4) * u:
        r = max(du / u, -ONE)
        grown = share * expm1_32(kappa * log1p_32(r))  # of Phi, as a share of what it was
        theta = expm1_32(log1p_32(grown) / kappa) / r
    first = epsilon + (ONE - epsilon) * max(m - half, ZERO)
    last = epsilon + (ONE - epsilon) * max(m + half, ZERO)
    mean = HALF * (first + last)
    if mean > ZERO:
        first, last = first / mean, last / mean
        theta = TWO * theta / (first + np.sqrt(max(first * first + TWO * (last - first) * theta, ZERO)))
    return s[rows.TRY_DAY + i] + STEP_DAYS * min(max(theta, ZERO), ONE)
