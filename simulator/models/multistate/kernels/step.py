"""One week of the multistate model, and the day on which the last stage ends. Section 3."""

from simulator.engine import rows
from simulator.engine.effect import mean_of_positive, when_done
from simulator.engine.jit import LANES
from simulator.engine.mathematics import HALF, ONE, ZERO, F
from simulator.engine.rows import LEFT, M
from simulator.models.multistate.kernels.state import REACH_4, SPEED, Q, U

STEP_DAYS = F(7.0)


def mark(model, s, i, fraction, addon, cap):
    """Stages are never left backwards: there is nothing to bound."""


def step(model, s, day, hazard):
    """Seven days: u moves by K times the mean of m+; in stage 4 the threshold is used up at r_4 [eps + (1 - eps) m+].

    Whoever enters stage 4 within the step is at risk from that moment on.
    """
    past = ONE - model.epsilon
    for i in range(LANES):
        u, m, delta = s[U + i], s[M + i], s[rows.DELTA + i]
        k = STEP_DAYS * s[Q + i] * s[SPEED + i]
        u_next = u + k * mean_of_positive(m, delta)
        to_go = s[REACH_4 + i] - u
        share = to_go / (u_next - u) if u_next > u else ONE
        share = min(max(share, ZERO), ONE) if to_go > ZERO else ZERO
        entered = when_done(share, max(m - HALF * delta, ZERO), max(m + HALF * delta, ZERO))
        inside = max(u_next - max(u, s[REACH_4 + i]), ZERO)
        rise = hazard * model.leave_4 * (past * inside + model.epsilon * k * (ONE - entered))
        left = s[LEFT + i]
        hit = (left > ZERO) & (rise >= left)
        if hit:
            s[rows.TRY_DAY + i] = day
            s[rows.TRY_LEFT + i] = left
            s[rows.TRY_RISE + i] = rise
            s[rows.TRY_U + i] = entered
            s[rows.TRY_DU + i] = ZERO
            s[rows.TRY_M + i] = m
            s[rows.TRY_DELTA + i] = delta
        s[LEFT + i] = left - rise
        s[U + i] = u_next


def peek(model, s, days):
    """The first `days` days of a step, for outputs inside it."""
    for i in range(LANES):
        s[U + i] += days * s[Q + i] * s[SPEED + i] * mean_of_positive(s[M + i], s[rows.DELTA + i])


def invert(model, s, i):
    """The day in the step on which the last threshold is used up, from the entry into stage 4 on if that is there."""
    entered, m, delta = s[rows.TRY_U + i], s[rows.TRY_M + i], s[rows.TRY_DELTA + i]
    past = ONE - model.epsilon
    first = model.epsilon + past * max(m + delta * (entered - HALF), ZERO)
    last = model.epsilon + past * max(m + HALF * delta, ZERO)
    theta = entered + (ONE - entered) * when_done(s[rows.TRY_LEFT + i] / s[rows.TRY_RISE + i], first, last)
    return s[rows.TRY_DAY + i] + STEP_DAYS * min(max(theta, ZERO), ONE)
