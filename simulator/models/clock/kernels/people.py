"""Candidates of the clock model: their traits, the volatility chain, and their life from onset to entry."""

import numpy as np

from simulator.engine import rows
from simulator.engine.jit import LANES, inline, merge
from simulator.engine.mathematics import HALF, ONE, TWO, ZERO, F, exp32, log32
from simulator.engine.people import BY_TIME
from simulator.engine.random import U32, Stream, normals, sample
from simulator.engine.rows import AGE_AT_ONSET, ENTRY, FAST, SEX, SITE, TIME_SINCE_ONSET, VARIANT
from simulator.models.clock.kernels.state import (
    AMPLITUDE,
    BACKGROUND,
    D50,
    D_F,
    FLOOR,
    LOG_L,
    LOG_TAU,
    LOG_TAU_V,
    M0,
    PHI,
    SPEED,
    STARTED,
    TAU1,
    TAU2,
    TAU3,
    V0,
    XI,
    XI1,
    XI2,
    XI3,
    A,
    Q,
    U,
    Z,
)
from simulator.units import DAYS_PER_MONTH

TRAIT, HISTORY, VOLATILITY = U32(Stream.TRAIT), U32(Stream.HISTORY), U32(Stream.VOLATILITY)
I0, I1, I2, I3 = U32(0), U32(1), U32(2), U32(3)
EPOCH_DAYS, MONTH, TWELVE, WEEK = F(28.0), F(DAYS_PER_MONTH), F(12.0), F(7.0)
MINUS_INFINITY, NEVER = F(-np.inf), F(np.inf)
REFERENCE_AGE, TENTH = F(50.0), F(0.1)
"""Age at onset [years] of the people whose D50 is written, where speed goes with age."""
NEVER_ILL = F(-100.0)
"""Disease time of carriers who never fall ill: it does not move."""


# --- who the patient is: sections 1 to 4 and 6


@merge
def look_up_speed(table, s):
    """Put the variants' rows of the table where the loop that follows can read them in lanes."""
    for i in range(LANES):
        v = int(s[VARIANT + i])
        s[XI + i], s[XI1 + i], s[XI2 + i] = table[v, 0], table[v, 1], table[v, 2]
        s[XI3 + i], s[A + i] = table[v, 3], table[v, 4]
        s[V0 + i], s[LOG_L + i] = table[v, 5], table[v, 6]


@merge
def draw_speed(model, key, w, s):
    """D50 and what follows from it; three more normals wait in the rows of tau."""
    for i in range(LANES):
        z0, z1, z2, z3 = normals(key, w[rows.PATIENT + i], I0, TRAIT, w[rows.CANDIDATE + i])
        bulbar = model.by_bulbar if s[SITE + i] == ZERO else ZERO
        decades = (s[AGE_AT_ONSET + i] - REFERENCE_AGE) * TENTH
        slower = exp32(bulbar + model.by_women * s[SEX + i] + model.by_decade * decades)
        d50 = slower * sample((s[XI + i], s[XI1 + i], s[XI2 + i], s[XI3 + i], s[A + i]), z0)
        s[D50 + i] = d50
        s[SPEED + i] = ONE / (MONTH * d50)
        s[FAST + i] = ONE if s[FAST + i] < s[V0 + i] and d50 < s[LOG_L + i] else ZERO
        s[LOG_TAU + i] = z1
        s[TAU1 + i] = z2
        s[TAU2 + i] = z3


@merge
def _draw_decline(model, key, w, s):
    for i in range(LANES):
        z4, z5, z6, z7 = normals(key, w[rows.PATIENT + i], I1, TRAIT, w[rows.CANDIDATE + i])
        site, lead = s[SITE + i], model.log_lead
        s[LOG_TAU + i] = model.log_axial + model.sd_tau * s[LOG_TAU + i] + (lead if site == ZERO else ZERO)
        s[TAU1 + i] = model.log_limb + model.sd_tau * s[TAU1 + i] + (lead if site == ONE else ZERO)
        s[TAU2 + i] = model.log_limb + model.sd_tau * s[TAU2 + i] + (lead if site == TWO else ZERO)
        s[TAU3 + i] = model.log_axial + model.sd_tau * z4
        s[A + i] = sample(model.a, z5)
        v0 = sample(model.v0, z6)
        log_tau_v = log32(sample(model.tau_v, model.with_respiratory * z4 + model.own * z7))
        s[V0 + i] = v0
        s[LOG_TAU_V + i] = log_tau_v
        s[LOG_L + i] = log_tau_v + log32(v0 / model.critical - ONE) / model.b


def draw(model, table, key, w, s):
    """Traits of a block of candidates, all from numbers that belong to the candidate."""
    look_up_speed(table, s)
    draw_speed(model, key, w, s)
    _draw_decline(model, key, w, s)
    stand_at_onset(model, key, w, s)


@merge
def stand_at_onset(model, key, w, s):
    """Levels of neurofilament and strength, and a clock that has not begun to vary."""
    for i in range(LANES):
        patient, candidate = w[rows.PATIENT + i], w[rows.CANDIDATE + i]
        _, _, _, eta = normals(key, patient, I2, TRAIT, candidate)
        _, zm, zf, _ = normals(key, patient, I3, TRAIT, candidate)
        slowness = log32(s[D50 + i] / TWELVE)
        s[AMPLITUDE + i] = exp32(model.log_amplitude - model.beta * slowness + model.sd_eta * eta)
        s[M0 + i] = model.m0_sd * zm
        s[D_F + i] = sample(model.fvc_offset, zf)
        before = s[ENTRY + i] < ZERO  # months before onset
        s[U + i] = s[ENTRY + i] / s[D50 + i] if before else s[ENTRY + i]
        s[BACKGROUND + i] = ZERO
        s[FLOOR + i] = MINUS_INFINITY
        s[STARTED + i] = ZERO
        s[Z + i] = ZERO
        s[Q + i] = ONE
    for i in range(LANES):
        if s[rows.ONSET + i] == NEVER:  # a carrier who never falls ill
            s[U + i], s[SPEED + i] = NEVER_ILL, ZERO


# --- the volatility chain and the history before entry: sections 1 and 10


def look_back(model, s, i):
    """Put lane i at onset. Until arrival Q counts the days lived."""
    before = s[ENTRY + i] < ZERO
    s[U + i] = s[U + i] if before else ZERO
    s[Q + i] = ONE if before else ZERO  # days lived, until arrival
    s[TIME_SINCE_ONSET + i] = -ONE
    if s[ENTRY + i] <= ZERO:
        s[TIME_SINCE_ONSET + i] = ZERO


@inline
def _live_epoch(model, s, i, xi, by_time, longest):
    z = model.rho * s[Z + i] + model.innovation * xi if s[STARTED + i] > ZERO else xi
    q = exp32(model.sd_q * z - HALF * model.sd_q * model.sd_q)
    rate = q * s[SPEED + i]
    u, days = s[U + i], s[Q + i]
    wanted = s[ENTRY + i] * MONTH - days if by_time else (s[ENTRY + i] - u) / rate
    going = s[TIME_SINCE_ONSET + i] < ZERO
    arrives = wanted <= EPOCH_DAYS
    lived = min(wanted, EPOCH_DAYS)
    s[U + i] = u + rate * lived if going else u
    days = days + lived if going else days
    s[Q + i] = days
    s[Z + i] = z if going else s[Z + i]
    s[STARTED + i] = ONE if going else s[STARTED + i]
    over = arrives or days > longest
    s[TIME_SINCE_ONSET + i] = days / MONTH if going and over else s[TIME_SINCE_ONSET + i]


def live_back(model, key, w, s, mode, longest):
    """Four epochs of history: du/dt = q/D50, until the disease time or the time since onset of entry."""
    days, by_time = longest * MONTH, mode == BY_TIME
    for i in range(LANES):
        group = w[rows.GROUP + i]
        z0, z1, z2, z3 = normals(key, w[rows.PATIENT + i], group, HISTORY, w[rows.CANDIDATE + i])
        _live_epoch(model, s, i, z0, by_time, days)
        _live_epoch(model, s, i, z1, by_time, days)
        _live_epoch(model, s, i, z2, by_time, days)
        _live_epoch(model, s, i, z3, by_time, days)
        w[rows.GROUP + i] = U32(group + I1)


def arrive(model, s):
    """Section 4: what is used up by entry is Phi(u) = (u/L)^kappa, whatever the volatility was."""
    use_up(model, s)


@merge
def use_up(model, s):
    """The hazard used up by entry, and the level of neurofilament in the healthy at that age."""
    for i in range(LANES):
        phi = exp32(model.kappa * (log32(s[U + i]) - s[LOG_L + i]))
        phi = phi if s[U + i] > ZERO else ZERO
        s[PHI + i] = phi
        s[rows.USED + i] = phi
        s[BACKGROUND + i] = model.background * exp32(model.log_growth * (s[rows.AGE + i] - F(50.0)))


def renew(model, key, w, s, epoch):
    """Section 1: z' = rho z + sqrt(1 - rho^2) xi and q = exp(s_q z - s_q^2/2), which has mean 1."""
    if epoch % 4 == 0:
        group = U32(epoch // 4)
        for i in range(LANES):
            z0, z1, z2, z3 = normals(key, w[rows.PATIENT + i], group, VOLATILITY, w[rows.CANDIDATE + i])
            s[XI + i] = z0
            s[XI1 + i] = z1
            s[XI2 + i] = z2
            s[XI3 + i] = z3
    if epoch == 0:
        for i in range(LANES):
            begins = s[STARTED + i] == ZERO
            s[Z + i] = s[XI + i] if begins else model.rho * s[Z + i] + model.innovation * s[XI + i]
            s[STARTED + i] = ONE
    else:
        for i in range(LANES):
            s[Z + i] = model.rho * s[Z + i] + model.innovation * s[XI + i]
    for i in range(LANES):
        s[Q + i] = exp32(model.sd_q * s[Z + i] - HALF * model.sd_q * model.sd_q)
        s[XI + i], s[XI1 + i], s[XI2 + i] = s[XI1 + i], s[XI2 + i], s[XI3 + i]


def turn(model, key, w, s, step):
    """Sections 1 and 7: q = 1 before the untreated onset; from then on a new epoch every four weeks, in every arm.

    Onset in this arm is where u passes 0; it is found at the start of the next week, from the rate of the one before.
    """
    for i in range(LANES):
        if s[rows.SYMPTOMS + i] == NEVER and s[U + i] >= ZERO:
            lived = s[U + i] / (s[Q + i] * s[SPEED + i] * s[rows.M + i])
            s[rows.SYMPTOMS + i] = WEEK * F(step) - min(lived, WEEK)
        if F(step) * WEEK >= s[rows.ONSET + i]:
            weeks = step - int(s[rows.ONSET + i]) // 7
            if weeks % 4 == 0:
                _begin_own_epoch(model, key, w, s, i, weeks // 4)


@inline
def _begin_own_epoch(model, key, w, s, i, epoch):
    if epoch % 4 == 0:
        z0, z1, z2, z3 = normals(key, w[rows.PATIENT + i], U32(epoch // 4), VOLATILITY, w[rows.CANDIDATE + i])
        s[XI + i], s[XI1 + i], s[XI2 + i], s[XI3 + i] = z0, z1, z2, z3
    begins = s[STARTED + i] == ZERO
    s[Z + i] = s[XI + i] if begins else model.rho * s[Z + i] + model.innovation * s[XI + i]
    s[STARTED + i] = ONE
    s[Q + i] = exp32(model.sd_q * s[Z + i] - HALF * model.sd_q * model.sd_q)
    s[XI + i], s[XI1 + i], s[XI2 + i] = s[XI1 + i], s[XI2 + i], s[XI3 + i]
