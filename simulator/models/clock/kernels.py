"""The disease clock, in equations that step 128 patients at once. Sections are those of docs/model.md.

Every function takes the parameter tuple first; rows are documented in engine/rows.py and below.
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import rows, seam
from simulator.engine.jit import LANES, inline
from simulator.engine.mathematics import HALF, ONE, TWO, ZERO, F, exp32, log32
from simulator.engine.random import U32, Stream, normals, sample
from simulator.engine.rows import AGE_AT_ONSET, ENTRY, FAST, LEFT, SITE, TIME_SINCE_ONSET, VARIANT, M, V
from simulator.units import DAYS_PER_MONTH

(
    U,  # disease time
    PHI,  # cumulative hazard at U on the clock
    Q,  # volatility of this epoch
    Z,  # its normal
    STARTED,  # 1 once the volatility chain has begun
    SPEED,  # disease time per day at q = m = 1
    D50,
    FLOOR,  # lowest disease time that recovery can reach
    XI,  # four coming normals of the chain: XI, XI + LANES, ...
    _XI1,
    _XI2,
    _XI3,
    LOG_L,  # log of the disease time at which SVC is critical
    A,  # steepness of function
    LOG_TAU,  # log tau of bulbar, fine motor, gross motor, respiratory: LOG_TAU, LOG_TAU + LANES, ...
    _TAU1,
    _TAU2,
    _TAU3,
    LOG_TAU_V,
    V0,
    M0,
    D_F,
    AMPLITUDE,  # A (12/D50)^beta e^eta
    BACKGROUND,  # N_bg at baseline
) = rows.offsets(rows.MODEL, 24)
ROWS = 24
PARAMETERS = {
    "d50": D50,
    "steepness": A,
    "log_tau_bulbar": LOG_TAU,
    "log_tau_fine_motor": _TAU1,
    "log_tau_gross_motor": _TAU2,
    "log_tau_respiratory": _TAU3,
    "log_tau_svc": LOG_TAU_V,
    "v0": V0,
    "log_critical_time": LOG_L,
    "hhd_level": M0,
    "fvc_offset": D_F,
    "nfl_amplitude": AMPLITUDE,
}
"""Rows reported in the `patients` group."""

TRAIT, HISTORY, VOLATILITY = U32(Stream.TRAIT), U32(Stream.HISTORY), U32(Stream.VOLATILITY)
I0, I1, I2, I3 = U32(0), U32(1), U32(2), U32(3)
EPOCH_DAYS, STEP_DAYS, MONTH = F(28.0), F(7.0), F(DAYS_PER_MONTH)
MINUS_INFINITY = F(-np.inf)
DOMAIN, HALVES, YEARS = F(12.0), F(24.0), F(1 / 12)
FLAT, THIN, TWELFTH, SIXTH = F(0.004), F(1e-6), F(1 / 12), F(1 / 6)


class Clock(NamedTuple):
    """Population constants of the clock model, float32; distributions are terms (log, centre, spread, low, high).

    Scalars only: arrays would be counted at every call. What differs by variant is in a table of its own: columns 0 to 4
    the terms of D50 in months, 5 the probability to carry a listed (fast) variant, 6 the D50 below which that holds.
    """

    rho: np.float32
    innovation: np.float32  # sqrt(1 - rho^2)
    sd_q: np.float32
    a: tuple  # steepness of function
    log_limb: np.float32
    log_axial: np.float32
    sd_tau: np.float32
    log_lead: np.float32  # log of the factor on tau of the region of onset
    v0: tuple  # % predicted
    tau_v: tuple
    with_respiratory: np.float32  # correlation of log tau_V with log tau_respiratory
    own: np.float32  # sqrt(1 - correlation^2)
    b: np.float32
    m0_sd: np.float32
    loss: np.float32
    fvc_offset: tuple  # SVC - FVC
    kappa: np.float32
    critical: np.float32
    epsilon: np.float32
    background: np.float32
    log_growth: np.float32
    log_amplitude: np.float32
    beta: np.float32
    sd_eta: np.float32
    lead: np.float32  # kappa0
    rise: np.float32  # kappa1


# --- who the patient is: sections 1 to 4 and 6


@inline
def _look_up_speed(table, s):
    """Put the variants' rows of the table where the loop that follows can read them in lanes."""
    for i in range(LANES):
        v = int(s[VARIANT + i])
        s[XI + i], s[_XI1 + i], s[_XI2 + i] = table[v, 0], table[v, 1], table[v, 2]
        s[_XI3 + i], s[A + i] = table[v, 3], table[v, 4]
        s[V0 + i], s[LOG_L + i] = table[v, 5], table[v, 6]


@inline
def _draw_speed(key, w, s):
    for i in range(LANES):
        z0, z1, z2, z3 = normals(key, w[rows.PATIENT + i], I0, TRAIT, w[rows.CANDIDATE + i])
        d50 = sample((s[XI + i], s[_XI1 + i], s[_XI2 + i], s[_XI3 + i], s[A + i]), z0)
        s[D50 + i] = d50
        s[SPEED + i] = ONE / (MONTH * d50)
        s[FAST + i] = ONE if s[FAST + i] < s[V0 + i] and d50 < s[LOG_L + i] else ZERO
        s[LOG_TAU + i] = z1
        s[_TAU1 + i] = z2
        s[_TAU2 + i] = z3


@inline
def _draw_decline(model, key, w, s):
    for i in range(LANES):
        z4, z5, z6, z7 = normals(key, w[rows.PATIENT + i], I1, TRAIT, w[rows.CANDIDATE + i])
        site, lead = s[SITE + i], model.log_lead
        s[LOG_TAU + i] = model.log_axial + model.sd_tau * s[LOG_TAU + i] + (lead if site == ZERO else ZERO)
        s[_TAU1 + i] = model.log_limb + model.sd_tau * s[_TAU1 + i] + (lead if site == ONE else ZERO)
        s[_TAU2 + i] = model.log_limb + model.sd_tau * s[_TAU2 + i] + (lead if site == TWO else ZERO)
        s[_TAU3 + i] = model.log_axial + model.sd_tau * z4
        s[A + i] = sample(model.a, z5)
        v0 = sample(model.v0, z6)
        log_tau_v = log32(sample(model.tau_v, model.with_respiratory * z4 + model.own * z7))
        s[V0 + i] = v0
        s[LOG_TAU_V + i] = log_tau_v
        s[LOG_L + i] = log_tau_v + log32(v0 / model.critical - ONE) / model.b


def draw(model, table, key, w, s):
    _look_up_speed(table, s)
    _draw_speed(key, w, s)
    _draw_decline(model, key, w, s)
    for i in range(LANES):
        patient, candidate = w[rows.PATIENT + i], w[rows.CANDIDATE + i]
        _, _, _, eta = normals(key, patient, I2, TRAIT, candidate)
        _, zm, zf, _ = normals(key, patient, I3, TRAIT, candidate)
        slowness = log32(s[D50 + i] / DOMAIN)
        s[AMPLITUDE + i] = exp32(model.log_amplitude - model.beta * slowness + model.sd_eta * eta)
        s[M0 + i] = model.m0_sd * zm
        s[D_F + i] = sample(model.fvc_offset, zf)
        s[U + i] = s[ENTRY + i]
        s[BACKGROUND + i] = ZERO
        s[FLOOR + i] = MINUS_INFINITY
        s[STARTED + i] = ZERO
        s[Z + i] = ZERO
        s[Q + i] = ONE


# --- the volatility chain and the history before entry: sections 1 and 10


def look_back(model, s, i):
    s[U + i] = ZERO
    s[Q + i] = ZERO  # days lived, until arrival
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
    s[STARTED + i] = ONE
    over = arrives or days > longest
    s[TIME_SINCE_ONSET + i] = days / MONTH if going and over else s[TIME_SINCE_ONSET + i]


def live_back(model, key, w, s, by_time, longest):
    days = longest * MONTH
    for i in range(LANES):
        group = w[rows.GROUP + i]
        z0, z1, z2, z3 = normals(key, w[rows.PATIENT + i], group, HISTORY, w[rows.CANDIDATE + i])
        _live_epoch(model, s, i, z0, by_time, days)
        _live_epoch(model, s, i, z1, by_time, days)
        _live_epoch(model, s, i, z2, by_time, days)
        _live_epoch(model, s, i, z3, by_time, days)
        w[rows.GROUP + i] = U32(group + I1)


def arrive(model, s):
    for i in range(LANES):
        phi = exp32(model.kappa * (log32(s[U + i]) - s[LOG_L + i]))
        phi = phi if s[U + i] > ZERO else ZERO
        s[PHI + i] = phi
        s[rows.USED + i] = phi
        age = s[AGE_AT_ONSET + i] + s[TIME_SINCE_ONSET + i] * YEARS
        s[BACKGROUND + i] = model.background * exp32(model.log_growth * (age - F(50.0)))


def renew(model, key, w, s, epoch):
    if epoch % 4 == 0:
        group = U32(epoch // 4)
        for i in range(LANES):
            z0, z1, z2, z3 = normals(key, w[rows.PATIENT + i], group, VOLATILITY, w[rows.CANDIDATE + i])
            s[XI + i] = z0
            s[_XI1 + i] = z1
            s[_XI2 + i] = z2
            s[_XI3 + i] = z3
    if epoch == 0:
        for i in range(LANES):
            begins = s[STARTED + i] == ZERO
            s[Z + i] = s[XI + i] if begins else model.rho * s[Z + i] + model.innovation * s[XI + i]
            s[STARTED + i] = ONE
    elif epoch % 4 == 0:
        _chain(model, s, XI)
    elif epoch % 4 == 1:
        _chain(model, s, _XI1)
    elif epoch % 4 == 2:
        _chain(model, s, _XI2)
    else:
        _chain(model, s, _XI3)
    for i in range(LANES):
        s[Q + i] = exp32(model.sd_q * s[Z + i] - HALF * model.sd_q * model.sd_q)


@inline
def _chain(model, s, xi):
    for i in range(LANES):
        s[Z + i] = model.rho * s[Z + i] + model.innovation * s[xi + i]


# --- the step: sections 1, 4 and 5


def mark(model, s, i, fraction, addon, cap):
    u = s[U + i] + fraction * STEP_DAYS * s[Q + i] * s[SPEED + i] * addon
    s[FLOOR + i] = u - cap * max(u, ZERO)


@inline
def _mean_hazard(model, u, u_next, phi, phi_next, per_both):
    """Mean of dPhi/du over the step: the difference quotient, or the corrected trapezoid where that would cancel.

    Both are written as one fraction, because a division costs as much as ten multiplications.
    """
    du = u_next - u
    bend = TWO * du * per_both
    correction = ONE - (model.kappa - ONE) * (model.kappa - TWO) * bend * bend * TWELFTH
    thick = abs(du) > FLAT * abs(u)
    over = phi_next - phi if thick else HALF * model.kappa * (phi * u_next + phi_next * u) * correction
    under = du if thick else u * u_next
    return over / under if thick or u > ZERO else ZERO


@inline
def _mean_of_positive(m, delta):
    """Mean of max(m(t), 0) over the step, m linear in time with mean m and change delta."""
    g = max(HALF * abs(delta), THIN)
    t = min(max(m + g, ZERO), TWO * g)
    return t * t / (F(4.0) * g) + max(m - g, ZERO)


def step(model, s, day, hazard):
    for i in range(LANES):
        u, phi = s[U + i], s[PHI + i]
        m, delta = s[M + i], s[rows.DELTA + i]
        k = STEP_DAYS * s[Q + i] * s[SPEED + i]
        u_next = max(u + k * m, s[FLOOR + i])
        inside = exp32(model.kappa * (log32(u_next) - s[LOG_L + i]))
        phi_next = inside if u_next > ZERO else ZERO
        per_both = ONE / (u + u_next)
        mean = _mean_hazard(model, u, u_next, phi, phi_next, per_both)
        tilt = ONE - (model.kappa - ONE) * k * delta * SIXTH * per_both
        tilt = tilt if u > ZERO and u_next > ZERO else ONE
        rise = mean * (model.epsilon * tilt + (ONE - model.epsilon) * _mean_of_positive(m, delta))
        rise = hazard * k * rise
        rise = rise if u > ZERO or u_next > ZERO else ZERO
        left = s[LEFT + i]
        hit = left > ZERO and rise >= left
        s[rows.TRY_DAY + i] = day if hit else s[rows.TRY_DAY + i]
        s[rows.TRY_LEFT + i] = left if hit else s[rows.TRY_LEFT + i]
        s[rows.TRY_RISE + i] = rise if hit else s[rows.TRY_RISE + i]
        s[rows.TRY_U + i] = u if hit else s[rows.TRY_U + i]
        s[rows.TRY_DU + i] = u_next - u if hit else s[rows.TRY_DU + i]
        s[rows.TRY_M + i] = m if hit else s[rows.TRY_M + i]
        s[rows.TRY_DELTA + i] = delta if hit else s[rows.TRY_DELTA + i]
        s[LEFT + i] = left - rise
        s[U + i] = u_next
        s[PHI + i] = phi_next


def peek(model, s, days):
    for i in range(LANES):
        u = s[U + i]
        s[U + i] = max(u + days * s[Q + i] * s[SPEED + i] * s[M + i], s[FLOOR + i])


def invert(model, s, i):
    kappa, epsilon = float(model.kappa), float(model.epsilon)
    u, du = float(s[rows.TRY_U + i]), float(s[rows.TRY_DU + i])
    share = float(s[rows.TRY_LEFT + i]) / float(s[rows.TRY_RISE + i])
    m, half = float(s[rows.TRY_M + i]), 0.5 * float(s[rows.TRY_DELTA + i])
    theta = share
    if abs(du) > 1e-4 * abs(u):
        log_l = float(s[LOG_L + i])
        phi = np.exp(kappa * (np.log(u) - log_l)) if u > 0.0 else 0.0
        end = np.exp(kappa * (np.log(u + du) - log_l)) if u + du > 0.0 else 0.0
        reached = np.exp(log_l + np.log(phi + share * (end - phi)) / kappa)
        theta = min(max((reached - u) / du, 0.0), 1.0)
    first = epsilon + (1.0 - epsilon) * max(m - half, 0.0)
    last = epsilon + (1.0 - epsilon) * max(m + half, 0.0)
    mean = 0.5 * (first + last)
    if mean > 0.0:
        first, last = first / mean, last / mean
        theta = 2.0 * theta / (first + np.sqrt(max(first * first + 2.0 * (last - first) * theta, 0.0)))
    return F(float(s[rows.TRY_DAY + i]) + 7.0 * min(max(theta, 0.0), 1.0))


# --- what can be seen: sections 2, 3, 5 and 6


@inline
def _domain(a, log_u, log_tau, onset):
    return DOMAIN / (ONE + exp32(a * (log_u - log_tau))) if onset else DOMAIN


def outputs(model, s, o, years):
    aging = exp32(model.log_growth * years)
    for i in range(LANES):
        u = s[U + i]
        begun = u > ZERO
        log_u = log32(u)
        a = s[A + i]
        bulbar = _domain(a, log_u, s[LOG_TAU + i], begun)
        fine = _domain(a, log_u, s[_TAU1 + i], begun)
        gross = _domain(a, log_u, s[_TAU2 + i], begun)
        respiratory = _domain(a, log_u, s[_TAU3 + i], begun)
        o[rows.BULBAR + i] = bulbar
        o[rows.FINE + i] = fine
        o[rows.GROSS + i] = gross
        o[rows.RESPIRATORY + i] = respiratory
        o[rows.ALSFRS_R + i] = (bulbar + fine) + (gross + respiratory)
        lost = ONE + exp32(model.b * (log_u - s[LOG_TAU_V + i])) if begun else ONE
        o[rows.SVC + i] = s[V0 + i] / lost
        o[rows.HHD + i] = s[M0 + i] - model.loss * (ONE - (fine + gross) / HALVES)
        injury = ONE - exp32(-max(u + model.lead, ZERO) / model.rise)
        leak = max(ONE - s[rows.E_N + i] * s[V + i], F(0.02))
        o[rows.NFL + i] = s[BACKGROUND + i] * aging + s[AMPLITUDE + i] * injury * leak
        o[rows.DISEASE_TIME + i] = u


seam.register(
    Clock,
    draw=draw,
    look_back=look_back,
    live_back=live_back,
    arrive=arrive,
    renew=renew,
    mark=mark,
    step=step,
    peek=peek,
    invert=invert,
    outputs=outputs,
)
