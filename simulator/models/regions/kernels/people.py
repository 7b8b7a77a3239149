"""Candidates of the regions model: traits, the history before entry, and diagnosis on the clock. Sections 1, 2, 4."""

from simulator.engine import rows
from simulator.engine.jit import LANES, inline, merge
from simulator.engine.mathematics import HALF, ONE, TWO, ZERO, F, exp32, log32
from simulator.engine.people import AFTER_DIAGNOSIS, BY_TIME
from simulator.engine.random import U32, normals, sample
from simulator.engine.rows import DIAGNOSIS, ENTRY, REFERRAL, SITE, TIME_SINCE_ONSET
from simulator.models.clock.kernels import people as clock
from simulator.models.clock.kernels.people import EPOCH_DAYS, HISTORY, I1, MONTH, TRAIT
from simulator.models.clock.kernels.state import D50, LOG_L, SPEED, STARTED, TAU1, TAU2, TAU3, V0, Q, U, Z
from simulator.models.regions.kernels.state import (
    CROSSED,
    DUE,
    LAG,
    O_BULBAR,
    O_FINE,
    O_GROSS,
    TAU,
    TAU_V,
    U_DX,
    WAITS,
)

I4 = U32(4)
NOT_YET, UNDIAGNOSED = F(-1.0), TWO
WAIT_D50 = F(20.0)
"""D50 [months] of the people whose time from diagnosis to entry is the one that is written."""


@merge
def _draw_decline(model, key, w, s):
    for i in range(LANES):
        z4, _, z6, z7 = normals(key, w[rows.PATIENT + i], I1, TRAIT, w[rows.CANDIDATE + i])
        site = s[SITE + i]
        s[TAU + i] = sample(model.tau, s[TAU + i])
        s[TAU1 + i] = sample(model.tau, s[TAU1 + i])
        s[TAU2 + i] = sample(model.tau, s[TAU2 + i])
        s[TAU3 + i] = sample(model.tau, z4)
        s[O_BULBAR + i] = ZERO if site == ZERO else model.o_bulbar
        s[O_FINE + i] = ZERO if site == ONE else model.o_limb
        s[O_GROSS + i] = ZERO if site == TWO else model.o_limb
        v0 = sample(model.v0, z6)
        tau_v = sample(model.tau_v, model.with_respiratory * z4 + model.own * z7)
        s[V0 + i] = v0
        s[TAU_V + i] = tau_v
        s[LOG_L + i] = log32(tau_v) + HALF * log32(v0 / model.critical - ONE)


@merge
def _draw_diagnosis(model, key, w, s):
    for i in range(LANES):
        due, lag, _, _ = normals(key, w[rows.PATIENT + i], I4, TRAIT, w[rows.CANDIDATE + i])
        s[U_DX + i] = sample(model.u_dx, due)
        s[LAG + i] = MONTH * sample(model.lag, lag)
        s[DUE + i], s[CROSSED + i], s[WAITS + i] = s[U_DX + i], NOT_YET, s[LAG + i]


def draw(model, table, key, w, s):
    """Traits of a block of candidates, all from numbers that belong to the candidate."""
    clock.look_up_speed(table, s)
    clock.draw_speed(model, key, w, s)
    _draw_decline(model, key, w, s)
    _draw_diagnosis(model, key, w, s)
    clock.stand_at_onset(model, key, w, s)


@inline
def _live_epoch(model, s, i, xi, mode, longest):
    """As in the clock model; and the day on which u passes u_dx, exact, because u is a line within an epoch."""
    z = model.rho * s[Z + i] + model.innovation * xi if s[STARTED + i] > ZERO else xi
    q = exp32(model.sd_q * z - HALF * model.sd_q * model.sd_q)
    rate = q * s[SPEED + i]
    u, days, due = s[U + i], s[Q + i], s[DUE + i]
    crossing = s[CROSSED + i] if s[CROSSED + i] >= ZERO else days + (due - u) / rate
    wanted = (s[ENTRY + i] - u) / rate
    if mode == BY_TIME:
        wanted = s[ENTRY + i] * MONTH - days
    if mode == AFTER_DIAGNOSIS:
        slower = exp32(model.wait_exponent * log32(s[D50 + i] / WAIT_D50))
        wanted = crossing + s[WAITS + i] + s[ENTRY + i] * slower * MONTH - days
    going = s[TIME_SINCE_ONSET + i] < ZERO
    arrives = wanted <= EPOCH_DAYS
    lived = min(wanted, EPOCH_DAYS)
    passes = going & (u + rate * lived >= due)
    s[CROSSED + i] = crossing if passes else s[CROSSED + i]
    s[U + i] = u + rate * lived if going else u
    days = days + lived if going else days
    s[Q + i] = days
    s[Z + i] = z if going else s[Z + i]
    s[STARTED + i] = ONE if going else s[STARTED + i]
    over = arrives or days > longest
    diagnosed = (mode == AFTER_DIAGNOSIS) | ((s[CROSSED + i] >= ZERO) & (s[CROSSED + i] + s[WAITS + i] <= days))
    s[REFERRAL + i] = UNDIAGNOSED if going & over & (not diagnosed) else s[REFERRAL + i]
    s[TIME_SINCE_ONSET + i] = days / MONTH if going and over else s[TIME_SINCE_ONSET + i]


def live_back(model, key, w, s, mode, longest):
    """Four epochs of history: du/dt = q/D50, until the disease time of entry, or the time since onset or diagnosis."""
    days = longest * MONTH
    for i in range(LANES):
        group = w[rows.GROUP + i]
        z0, z1, z2, z3 = normals(key, w[rows.PATIENT + i], group, HISTORY, w[rows.CANDIDATE + i])
        _live_epoch(model, s, i, z0, mode, days)
        _live_epoch(model, s, i, z1, mode, days)
        _live_epoch(model, s, i, z2, mode, days)
        _live_epoch(model, s, i, z3, mode, days)
        w[rows.GROUP + i] = U32(group + I1)


def arrive(model, s):
    """What is used up of the hazard; and the day of diagnosis: of those not diagnosed yet, at q = 1 from here on."""
    clock.use_up(model, s)
    for i in range(LANES):
        crossed = s[CROSSED + i] >= ZERO
        past = s[CROSSED + i] - s[TIME_SINCE_ONSET + i] * MONTH
        ahead = (s[U_DX + i] - s[U + i]) / s[SPEED + i]
        s[DIAGNOSIS + i] = (past if crossed else ahead) + s[LAG + i]
