"""One week of the linear model, and the day on which an event threshold is used up. Sections 2 and 4."""

from simulator.engine import rows
from simulator.engine.effect import mean_of_positive, moved, when_done
from simulator.engine.jit import LANES
from simulator.engine.mathematics import HALF, ONE, ZERO, F, exp32, expm1_32, log1p_32
from simulator.engine.rows import LEFT, M
from simulator.models.linear.kernels.people import MONTH, NEARLY_CONSTANT, cumulative_share
from simulator.models.linear.kernels.state import CHANCE, FLOOR, GROWTH, MONTHS, SPEED, U

STEP_DAYS, STEP_MONTHS, TWELFTH = F(7.0), F(7.0) / MONTH, F(1 / 12)


def mark(model, s, i, fraction, addon, cap):
    """With u1 the disease time at the first dose, u never falls below u1 - cap max(u1, 0)."""
    u = s[U + i] + fraction * STEP_DAYS * s[SPEED + i] * addon
    s[FLOOR + i] = max(s[FLOOR + i], u - cap * max(u, ZERO))


def step(model, s, day, hazard):
    """Sections 2 and 4 over seven days: u moves by its mean rate; the Gompertz hazard is integrated exactly.

    The weight of the hazard is linear in time within the step; the term with the twelfth is its covariance with growth.
    """
    past, began = ONE - model.epsilon, day / MONTH
    for i in range(LANES):
        m, delta = s[M + i], s[rows.DELTA + i]
        growth = s[GROWTH + i] * STEP_MONTHS
        mean = s[CHANCE + i] * exp32(s[GROWTH + i] * (s[MONTHS + i] + began)) * cumulative_share(growth)
        weight = model.epsilon + past * mean_of_positive(m + delta * growth * TWELFTH, delta)
        rise = (hazard * STEP_MONTHS) * mean * weight
        left = s[LEFT + i]
        hit = (left > ZERO) & (rise >= left)
        if hit:
            s[rows.TRY_DAY + i] = day
            s[rows.TRY_LEFT + i] = left
            s[rows.TRY_RISE + i] = rise
            s[rows.TRY_U + i] = growth
            s[rows.TRY_DU + i] = ZERO
            s[rows.TRY_M + i] = m
            s[rows.TRY_DELTA + i] = delta
        s[LEFT + i] = left - rise
        s[U + i] = moved(s[U + i], STEP_DAYS * s[SPEED + i], m, delta, s[FLOOR + i])


def peek(model, s, days):
    """The first `days` days of a step, for outputs inside it."""
    for i in range(LANES):
        s[U + i] = moved(s[U + i], days * s[SPEED + i], s[M + i], s[rows.DELTA + i], s[FLOOR + i])


def invert(model, s, i):
    """Section 4: the day in the step at which the hazard has used up what was left of the threshold."""
    epsilon, growth = model.epsilon, s[rows.TRY_U + i]
    theta = s[rows.TRY_LEFT + i] / s[rows.TRY_RISE + i]
    if growth > NEARLY_CONSTANT:
        theta = log1p_32(theta * expm1_32(growth)) / growth
    m, half = s[rows.TRY_M + i], HALF * s[rows.TRY_DELTA + i]
    first = epsilon + (ONE - epsilon) * max(m - half, ZERO)
    last = epsilon + (ONE - epsilon) * max(m + half, ZERO)
    theta = when_done(theta, first, last)
    return s[rows.TRY_DAY + i] + STEP_DAYS * min(max(theta, ZERO), ONE)
