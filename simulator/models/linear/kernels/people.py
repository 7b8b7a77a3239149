"""Candidates of the linear model: their slopes, and their straight life from onset to entry. Sections 1 to 5."""

import numpy as np

from simulator.engine import rows
from simulator.engine.jit import LANES, inline, merge
from simulator.engine.mathematics import ONE, ZERO, F, exp32, expm1_32, log32
from simulator.engine.people import BY_TIME
from simulator.engine.random import U32, Stream, normals, sample
from simulator.engine.rows import ENTRY, FAST, TIME_SINCE_ONSET, VARIANT
from simulator.models.linear.kernels.state import (
    AMPLITUDE,
    BACKGROUND,
    CHANCE,
    D50,
    D_F,
    FLOOR,
    GROWTH,
    MONTHS,
    SLOPE,
    SPEED,
    SVC_SLOPE,
    V0,
    U,
)
from simulator.units import DAYS_PER_MONTH

TRAIT = U32(Stream.TRAIT)
I0, I1, I2, I3 = U32(0), U32(1), U32(2), U32(3)
MONTH, HALF_SCORE, MIDDLE_AGE = F(DAYS_PER_MONTH), F(24.0), F(50.0)
MINUS_INFINITY = F(-np.inf)
NEARLY_CONSTANT = F(1e-6)


@inline
def cumulative_share(growth):
    """(e^x - 1)/x of a growth x over an interval: the mean of e^(x tau) for tau in 0 to 1."""
    return expm1_32(growth) / growth if growth > NEARLY_CONSTANT else ONE


@merge
def _draw_slope(table, key, w, s):
    for i in range(LANES):
        v = int(s[VARIANT + i])
        z, _, _, _ = normals(key, w[rows.PATIENT + i], I0, TRAIT, w[rows.CANDIDATE + i])
        slope = sample((table[v, 0], table[v, 1], table[v, 2], table[v, 3], table[v, 4]), z)
        d50 = HALF_SCORE / slope
        s[SLOPE + i] = slope
        s[D50 + i] = d50
        s[SPEED + i] = ONE / (MONTH * d50)
        s[FAST + i] = ONE if s[FAST + i] < table[v, 5] and d50 < table[v, 6] else ZERO


def draw(model, table, key, w, s):
    """Traits of a block of candidates, all from numbers that belong to the candidate."""
    _draw_slope(table, key, w, s)
    for i in range(LANES):
        patient, candidate = w[rows.PATIENT + i], w[rows.CANDIDATE + i]
        _, _, z_v0, z_ratio = normals(key, patient, I1, TRAIT, candidate)
        _, _, _, eta = normals(key, patient, I2, TRAIT, candidate)
        _, _, z_offset, _ = normals(key, patient, I3, TRAIT, candidate)
        slope = s[SLOPE + i]
        speed = exp32(model.alpha * log32(slope))
        s[CHANCE + i] = model.rate * speed
        s[GROWTH + i] = model.growth * speed
        s[V0 + i] = sample(model.v0, z_v0)
        s[SVC_SLOPE + i] = slope * sample(model.per_point, z_ratio)
        s[D_F + i] = sample(model.fvc_offset, z_offset)
        s[AMPLITUDE + i] = exp32(model.log_amplitude + model.beta * log32(slope) + model.sd_eta * eta)
        s[BACKGROUND + i] = ZERO
        s[FLOOR + i] = MINUS_INFINITY
        s[U + i] = s[ENTRY + i]
        s[MONTHS + i] = s[ENTRY + i] * s[D50 + i]


def look_back(model, s, i):
    """Put lane i at onset."""
    s[TIME_SINCE_ONSET + i] = -ONE if s[ENTRY + i] > ZERO else ZERO


def live_back(model, key, w, s, mode, longest):
    """Section 1: untreated, u = t/D50, so the whole history is one step."""
    for i in range(LANES):
        if s[TIME_SINCE_ONSET + i] < ZERO:
            by_time = mode == BY_TIME
            months = s[ENTRY + i] if by_time else s[ENTRY + i] * s[D50 + i]
            s[MONTHS + i] = months
            s[U + i] = months / s[D50 + i] if by_time else s[ENTRY + i]
            s[TIME_SINCE_ONSET + i] = months


def arrive(model, s):
    """Section 4: what is used up by entry is lambda v (e^(gamma v t) - 1)/(gamma v), t months since onset."""
    for i in range(LANES):
        months = s[MONTHS + i]
        s[rows.USED + i] = s[CHANCE + i] * months * cumulative_share(s[GROWTH + i] * months)
        s[BACKGROUND + i] = model.background * exp32(model.log_growth * (s[rows.AGE + i] - MIDDLE_AGE))


def renew(model, key, w, s, epoch):
    """A straight line has no volatility."""
