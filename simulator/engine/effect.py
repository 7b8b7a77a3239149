"""From dose to rate: an arm's drug in doses, stepped for a block of patients. Section 5 of docs/model.md."""

from typing import NamedTuple

import numpy as np

from simulator.engine import propagators, rows
from simulator.engine.jit import LANES, inline, merge
from simulator.engine.mathematics import HALF, ONE, TINY, TWO, ZERO, F, exp32, log32
from simulator.engine.random import U32, Stream, normals, sample
from simulator.engine.rows import DELTA, E_F, E_N, EC50, Z1, Z2, ZBAR, ZWAS, C, E, M, R, V, X

_COLUMN = {name: k for k, name in enumerate(propagators.COLUMNS)}
DECAY, DECAY1, DECAY2 = (_COLUMN[name] for name in ("decay", "decay1", "decay2"))
EE, E1, E2 = (_COLUMN[name] for name in ("ee", "e1", "e2"))
RE, RR, R1, R2 = (_COLUMN[name] for name in ("re", "rr", "r1", "r2"))
XE, XR, XX, X1, X2 = (_COLUMN[name] for name in ("xe", "xr", "xx", "x1", "x2"))
AE, AA, A1, A2 = (_COLUMN[name] for name in ("ae", "aa", "a1", "a2"))
BE, BA, BB, B1, B2 = (_COLUMN[name] for name in ("be", "ba", "bb", "b1", "b2"))
ME, MA, MB, M1, M2 = (_COLUMN[name] for name in ("me", "ma", "mb", "m1", "m2"))
HRE, HRR, HR1, HR2 = (_COLUMN[name] for name in ("hre", "hrr", "hr1", "hr2"))
HXE, HXR, HXX, HX1, HX2 = (_COLUMN[name] for name in ("hxe", "hxr", "hxx", "hx1", "hx2"))
VV, V_START, V_HALF, V_END = (_COLUMN[name] for name in ("vv", "v0", "vh", "v1"))
TRAIT, RESPONSE = U32(Stream.TRAIT), U32(2)
NFL_LIMIT = F(1.25)
FOUR, THIN = F(4.0), F(1e-6)
PACE = F(25.0)
"""D50 [months] of the people for whom the median of a logistic effect is written."""


class Drug(NamedTuple):
    """Constants of a drug given in doses, float32 scalars. An arm without one carries a drug that is never given."""

    dose: np.float32  # what one dose adds to C, in steady-state means
    scale: np.float32  # 1 + typical EC50, 0 if nothing is inhibited
    ec50_log: np.float32  # the five terms of a distribution
    ec50_centre: np.float32
    ec50_spread: np.float32
    ec50_low: np.float32
    ec50_high: np.float32
    reference: np.float32  # I_ref: the inhibition that engagement 1 stands for
    csf: np.float32  # share of tissue lowering that CSF shows
    n_mean: np.float32
    n_sd: np.float32
    n_low: np.float32
    n_high: np.float32
    f_mean: np.float32
    f_sd: np.float32
    f_low: np.float32
    f_high: np.float32
    with_n: np.float32  # correlation of E_F with E_N
    own: np.float32  # sqrt(1 - correlation^2)
    slow: np.float32  # f: share of NfL that follows the slow pool
    cap: np.float32  # recovery cap
    most: np.float32  # largest E_F of the logistic form; below 0: E_F is a clipped normal
    logit: np.float32  # of the median of E_F/most
    logit_sd: np.float32
    gamma: np.float32  # what a logarithm of D50 adds to the log-odds
    waning: np.float32  # per day: E_F falls by e^(-waning t), t days after the first dose
    keeps: np.float32  # 1: recovery is bounded by the worst state so far; 0: by that of the first dose


@merge
def respond(drug, key, w, s):
    """Each patient's own response to the drug, and the untreated equilibrium to start from."""
    terms = (drug.ec50_log, drug.ec50_centre, drug.ec50_spread, drug.ec50_low, drug.ec50_high)
    for i in range(LANES):
        z0, z1, z2, _ = normals(key, w[rows.PATIENT + i], RESPONSE, TRAIT, w[rows.CANDIDATE + i])
        s[EC50 + i] = sample(terms, z0)
        s[E_N + i] = min(max(drug.n_mean + drug.n_sd * z1, drug.n_low), drug.n_high)
        z_effect = drug.with_n * z1 + drug.own * z2
        effect = min(max(drug.f_mean + drug.f_sd * z_effect, drug.f_low), drug.f_high)
        odds = exp32(drug.logit + drug.logit_sd * z_effect + drug.gamma * log32(s[rows.D50 + i] / PACE))
        s[E_F + i] = drug.most * odds / (ONE + odds) if drug.most >= ZERO else effect
        s[C + i] = ZERO
        s[E + i] = ZERO
        s[R + i] = ZERO
        s[X + i] = ZERO
        s[Z1 + i] = ZERO
        s[Z2 + i] = ZERO
        s[V + i] = ZERO
        s[ZBAR + i] = ZERO
        s[ZWAS + i] = ZERO
        s[DELTA + i] = ZERO
        s[M + i] = ONE


@inline
def _multiplier(effect, z2, change, addon):
    """Multiplier of the rate for a (mean) z2, and its change: add-ons multiply it where it is positive."""
    m, delta = ONE - effect * z2, -effect * change
    return (m * addon, delta * addon) if m > ZERO else (m, delta)


@inline
def mean_of_positive(m, delta):
    """Mean of max(m(t), 0) over the step, m linear in time with mean m and change delta."""
    g = max(HALF * abs(delta), THIN)
    t = min(max(m + g, ZERO), TWO * g)
    return t * t / (FOUR * g) + max(m - g, ZERO)


@inline
def moved(u, k, m, delta, floor):
    """Where u stands after a step at K m, m linear in time with mean m and change delta, if it cannot fall below floor.

    Where m rises through 0, u first falls, at most to the floor, and then rises by K times the mean of m+. (In the week
    of the first dose u begins below the floor; m is positive then.)
    """
    lift = k * mean_of_positive(m, delta) if (delta > ZERO) & (HALF * delta > m) else ZERO
    return max(u + k * m, floor + lift)


@inline
def when_done(share, first, last):
    """Part of an interval after which `share` of what it does is done, at a rate that goes from first to last."""
    mean = HALF * (first + last)
    per_mean = ONE / max(mean, TINY)
    a, b = first * per_mean, last * per_mean
    part = TWO * share / max(a + np.sqrt(max(a * a + TWO * (b - a) * share, ZERO)), TINY)
    return part if mean > ZERO else share


@inline
def half_way(drug, table, h):
    """What drives the NfL deficit in the middle of `h` whole days: weights of e, r, x and of the two inhibitions."""
    fast, slow = ONE - drug.slow, drug.slow
    he, hr, hx = (
        fast * table[h, HRE] + slow * table[h, HXE],
        fast * table[h, HRR] + slow * table[h, HXR],
        slow * table[h, HXX],
    )
    return he, hr, hx, fast * table[h, HR1] + slow * table[h, HX1], fast * table[h, HR2] + slow * table[h, HX2]


@inline
def _advanced(drug, table, h, middle, s, i):
    """Lane i after `h` whole days: C, e, r, x, z1, z2, V, and the mean of z2. `middle` : see `half_way`."""
    fast, slow = ONE - drug.slow, drug.slow
    he, hr, hx, h1, h2 = middle
    c, half = s[C + i], s[EC50 + i]
    c1, c2 = c * table[h, DECAY1], c * table[h, DECAY2]
    d1, d2 = c1 + half, c2 + half
    per_both = drug.scale / (d1 * d2)  # one division for both Gauss points
    i1, i2 = c1 * d2 * per_both, c2 * d1 * per_both
    e, r, x, z1, z2 = s[E + i], s[R + i], s[X + i], s[Z1 + i], s[Z2 + i]
    r_next = table[h, RE] * e + table[h, RR] * r + table[h, R1] * i1 + table[h, R2] * i2
    x_next = table[h, XE] * e + table[h, XR] * r + table[h, XX] * x + table[h, X1] * i1 + table[h, X2] * i2
    at_start = min(fast * r + slow * x, NFL_LIMIT)
    at_half = min(he * e + hr * r + hx * x + h1 * i1 + h2 * i2, NFL_LIMIT)
    at_end = min(fast * r_next + slow * x_next, NFL_LIMIT)
    v = table[h, VV] * s[V + i] + table[h, V_START] * at_start + table[h, V_HALF] * at_half + table[h, V_END] * at_end
    mean = table[h, ME] * e + table[h, MA] * z1 + table[h, MB] * z2 + table[h, M1] * i1 + table[h, M2] * i2
    z2_next = table[h, BE] * e + table[h, BA] * z1 + table[h, BB] * z2 + table[h, B1] * i1 + table[h, B2] * i2
    z1_next = table[h, AE] * e + table[h, AA] * z1 + table[h, A1] * i1 + table[h, A2] * i2
    e_next = table[h, EE] * e + table[h, E1] * i1 + table[h, E2] * i2
    return c * table[h, DECAY], e_next, r_next, x_next, z1_next, z2_next, v, mean


@inline
def chain(drug, table, h, weight, s, addon, whole):
    """Advance the drug by `h` whole days, row `h` of the propagators.

    If that is the `whole` step, M and DELTA follow at once; if not, ZBAR gains `weight` times the mean of z2 (see
    `open_step` and `close_step`).
    """
    middle = half_way(drug, table, h)
    for i in range(LANES):
        c, e, r, x, z1, z2, v, mean = _advanced(drug, table, h, middle, s, i)
        if whole:
            s[M + i], s[DELTA + i] = _multiplier(s[E_F + i], mean, z2 - s[Z2 + i], addon)
        else:
            s[ZBAR + i] += weight * mean
        s[C + i], s[E + i], s[R + i], s[X + i], s[Z1 + i], s[Z2 + i], s[V + i] = c, e, r, x, z1, z2, v


@inline
def chain_some(drug, table, h, s, end):
    """Advance by the `h` whole days of a step the lanes whose next dose, left in DELTA, is not before `end`."""
    middle = half_way(drug, table, h)
    for i in range(LANES):
        c, e, r, x, z1, z2, v, mean = _advanced(drug, table, h, middle, s, i)
        on = s[DELTA + i] >= end
        s[ZBAR + i] = mean if on else ZERO
        s[C + i], s[E + i] = c if on else s[C + i], e if on else s[E + i]
        s[R + i], s[X + i] = r if on else s[R + i], x if on else s[X + i]
        s[Z1 + i], s[Z2 + i] = z1 if on else s[Z1 + i], z2 if on else s[Z2 + i]
        s[V + i] = v if on else s[V + i]


@inline
def chain_one(drug, table, h, weight, s, i):
    """Advance lane i by `h` whole days, a part of the step."""
    c, e, r, x, z1, z2, v, mean = _advanced(drug, table, h, half_way(drug, table, h), s, i)
    s[ZBAR + i] += weight * mean
    s[C + i], s[E + i], s[R + i], s[X + i], s[Z1 + i], s[Z2 + i], s[V + i] = c, e, r, x, z1, z2, v


@inline
def fade(drug, s, i, days):
    """E_F of lane i, `days` days later on the drug."""
    s[E_F + i] *= exp32(-drug.waning * days)


@inline
def open_step(s):
    """Before a step's doses: no mean yet, and where z2 stood."""
    for i in range(LANES):
        s[ZBAR + i] = ZERO
        s[ZWAS + i] = s[Z2 + i]


@inline
def close_step(s, addon):
    """After a step's doses: the rate's multiplier, its mean over the step and its change."""
    for i in range(LANES):
        s[M + i], s[DELTA + i] = _multiplier(s[E_F + i], s[ZBAR + i], s[Z2 + i] - s[ZWAS + i], addon)


@inline
def untreated(s, addon):
    """A step without the drug so far: add-ons alone."""
    for i in range(LANES):
        s[M + i] = addon
        s[DELTA + i] = ZERO


@merge
def read_out(drug, s, o, addon):
    """The drug's own output rows: CSF SOD1 as a ratio to baseline, and the rate's multiplier at this moment."""
    for i in range(LANES):
        o[rows.SOD1 + i] = ONE - drug.csf * drug.reference * s[E + i]
        m = ONE - s[E_F + i] * s[Z2 + i]
        o[rows.RATE + i] = m * addon if m > ZERO else m
