"""The step loop of the default model in NumPy, float64: what a careful user of NumPy would write, and an oracle for C.

Two arms, untreated and treated from day 0 on, weekly steps, 8192 patients at a time, every lane stepped until the end.
With ``drop=True`` the dead leave when they are a tenth. The formulas, numbered as in the other files:

1. concentration at two points of the step; 2. the chain by propagators; 3. the neurofilament drive;
4. the multiplier m and the clock u; 5. the hazard; 6. the time of the event inside its step.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.cohort import KAPPA, MONTH, STEEPNESS_SVC, Traits, critical
from benchmarks.propagators import Propagators, propagators

CHUNK = 8192
STEP, EPOCH = 7.0, 28  # days; to see what the step costs, STEP may be any divisor of 7
TINY = 1e-30
VOLATILITY, MEMORY, STATE_SHARE, RECOVERY_CAP = 0.38, 0.93, 0.45, 0.30
EC50, I_MAX, CSF_SHARE, SLOW_SHARE = 0.60, 0.72, 0.80, 0.17
DOSE = np.log(2)  # 100 mg / C_n, with C_n = 1 / (k_C 28 d)
KAPPA0, KAPPA1, AMPLITUDE, BETA = 0.80, 1.5, 300.0, 0.90

Normals = Callable[[np.ndarray, int], np.ndarray]  # (patients, epoch) -> one normal each


class Drug(NamedTuple):
    """State of the treated arm. The two big arrays are kept and filled in place: a fresh one costs page faults."""

    c: np.ndarray
    v: np.ndarray
    before: np.ndarray  # (7, n): e, r, x, z1, z2 at the start of the step, i1, i2
    y: np.ndarray  # (8, n): e, r, x, z1, z2 and the mean of z2 at its end; r and x at its middle


class Body(NamedTuple):
    """State of everybody: disease time, Phi at it, what is left of the threshold, volatility and q; then the drug."""

    u: np.ndarray
    phi: np.ndarray
    left: np.ndarray
    z: np.ndarray
    q: np.ndarray
    drug: Drug | None

    def take(self, rows: np.ndarray) -> "Body":
        """The same for some patients."""
        drug = self.drug and Drug(*(array[..., rows] for array in self.drug))
        return Body(*(array[rows] for array in self[:5]), drug)


class Fixed(NamedTuple):
    """What does not change, per patient."""

    speed: np.ndarray  # du per step at q = m = 1
    log_l: np.ndarray
    log_tau: np.ndarray
    log_tau_v: np.ndarray
    nfl: np.ndarray  # A (12 / D50)^beta e^eta
    background: np.ndarray  # N_bg at baseline
    floor: np.ndarray

    def take(self, rows: np.ndarray) -> "Fixed":
        """The same for some patients."""
        return Fixed(*(array[..., rows] for array in self))


class Outcome(NamedTuple):
    """`event_time` (2, n) in days, NaN = none; `sums` (2, n_time, 5): alive, ALSFRS-R, SVC, NfL, CSF SOD1."""

    event_time: np.ndarray
    sums: np.ndarray


def own_normals(seed: int) -> Normals:
    """NumPy's own generator: fast, but not a function of the patient's number."""
    rng = np.random.Generator(np.random.Philox(seed))
    return lambda patients, epoch: rng.standard_normal(len(patients))


def simulate(traits: Traits, weeks: int, normals: Normals, drop: bool = False) -> Outcome:
    """Step both arms of all patients."""
    n = len(traits.u0)
    outcome = Outcome(np.full((2, n), np.nan), np.zeros((2, 7 * weeks // EPOCH + 1, 5)))
    for first in range(0, n, CHUNK):
        rows = slice(first, min(first + CHUNK, n))
        for arm in (0, 1):
            run_arm(traits.take(rows), np.arange(n)[rows], (weeks, arm, normals, drop), outcome)
    return outcome


def run_arm(traits: Traits, ids: np.ndarray, plan: tuple[int, int, Normals, bool], outcome: Outcome) -> np.ndarray:
    """Step one arm of one chunk through all weeks; gives what can be seen at the end of those still stepped."""
    weeks, arm, normals, drop = plan
    constants, fixed, body = propagators(STEP), fix(traits), start(traits, arm == 1)
    for day in np.arange(0, 7 * weeks, STEP):
        if day % EPOCH == 0:
            alive = np.flatnonzero(body.left > 0)
            if drop and len(alive) < 0.9 * len(ids):  # moving everybody costs as much as some steps
                traits, ids, fixed, body = traits.take(alive), ids[alive], fixed.take(alive), body.take(alive)
            outcome.sums[arm, int(day) // EPOCH] += observe(traits, fixed, body, day)
            body = renew(body, normals(ids, int(day) // EPOCH))
        body, days = step(traits, fixed, body, day, constants)
        if days is not None:
            outcome.event_time[arm, ids[days[0]]] = day + days[1]
    if 7 * weeks % EPOCH == 0:
        outcome.sums[arm, -1] += observe(traits, fixed, body, 7 * weeks)
    return outputs(traits, fixed, body, 7 * weeks)


def fix(traits: Traits) -> Fixed:
    """Work out what does not change."""
    return Fixed(
        STEP / (traits.d50 * MONTH),
        np.log(critical(traits.v0, traits.tau_v)),
        np.log(traits.tau),
        np.log(traits.tau_v),
        AMPLITUDE * (12 / traits.d50) ** BETA * np.exp(traits.eta),
        9 * 1.02 ** (traits.age - 50),
        traits.u0 - RECOVERY_CAP * np.maximum(traits.u0, 0),
    )


def start(traits: Traits, treated: bool) -> Body:
    """State at baseline; the drug's at the untreated equilibrium."""
    n = len(traits.u0)
    drug = Drug(*(np.zeros((*rows, n)) for rows in ((), (), (7,), (8,)))) if treated else None
    phi = cumulative(traits.u0, np.log(critical(traits.v0, traits.tau_v)))
    return Body(traits.u0, phi, traits.left, traits.z, np.ones(n), drug)


def cumulative(u: np.ndarray, log_l: np.ndarray) -> np.ndarray:
    """Phi(u) = (u+ / L)^kappa."""
    return np.exp(KAPPA * (np.log(np.maximum(u, TINY)) - log_l))


def renew(body: Body, normal: np.ndarray) -> Body:
    """Begin an epoch of 28 days: a new q, log-normal with mean 1."""
    z = MEMORY * body.z + (1 - MEMORY**2) ** 0.5 * normal
    return body._replace(z=z, q=np.exp(VOLATILITY * z - VOLATILITY**2 / 2))


def dosed(day: float) -> bool:
    """Days 0, 14, 28, then every 28."""
    return day == 14 or day % 28 == 0


def step(
    traits: Traits, fixed: Fixed, body: Body, day: float, constants: Propagators
) -> tuple[Body, tuple[np.ndarray, np.ndarray] | None]:
    """One step. Gives the new state, and who had the event with the days into the step."""
    k = body.q * fixed.speed
    drug, u = body.drug, body.u
    if drug is None:
        m, delta, new = 1.0, 0.0, u + k
    else:
        drug = treat(traits, drug, dosed(day), constants)
        m, delta = 1 - traits.e_f * drug.y[5], -traits.e_f * (drug.y[4] - drug.before[4])
        new = np.maximum(u + k * m, fixed.floor)
    phi = cumulative(new, fixed.log_l)
    hazard = accumulate((u, new), (body.phi, phi), (k, m, delta))
    after = body.left - hazard
    hit = np.flatnonzero((body.left > 0) & (after <= 0))
    days = None
    if len(hit):
        m, delta = np.broadcast_to(m, u.shape), np.broadcast_to(delta, u.shape)
        share = body.left[hit] / hazard[hit]
        days = hit, event_day(share, (u[hit], new[hit]), fixed.log_l[hit], (m[hit], delta[hit]))
    return Body(new, phi, after, body.z, body.q, drug), days


def treat(traits: Traits, drug: Drug, dose: bool, constants: Propagators) -> Drug:
    """Formulas 1 to 3: dose, engagement, delay and neurofilament."""
    c = drug.c + DOSE if dose else drug.c
    y, before = drug.y, drug.before
    before[:5] = y[:5]
    for row, keep in zip((5, 6), constants.decay, strict=False):
        before[row] = (1 + EC50) * (c * keep) / (c * keep + traits.ec50)
    np.matmul(table(constants), before, out=y)
    drive = [np.minimum((1 - SLOW_SHARE) * r + SLOW_SHARE * x, 1.25) for r, x in (before[1:3], y[6:], y[1:3])]
    v = constants.nfl_keep * drug.v + sum(w * g for w, g in zip(constants.nfl_in, drive, strict=True))
    return Drug(c * constants.decay[2], v, before, y)


def table(constants: Propagators) -> np.ndarray:
    """The step as one matrix (8, 7) on (y, i1, i2): y and the mean of z2 (0 at first) at h, then r and x at h/2."""
    full = np.hstack([constants.full[:, :5], constants.full_in.T])
    half = np.hstack([constants.half[1:3, :5], constants.half_in.T[1:3]])
    return np.vstack([full, half])


def accumulate(us: tuple, phis: tuple, rate: tuple) -> np.ndarray:
    """Formula 5: the hazard of one step."""
    (u, new), (phi, phi_new), (k, m, delta) = us, phis, rate
    du, total = new - u, u + new
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = KAPPA * (phi / np.maximum(u, TINY) + phi_new / np.maximum(new, TINY))  # 0 where u <= 0
        bend = 1 - (KAPPA - 1) * (KAPPA - 2) * (2 * du / total) ** 2 / 12
        mean = np.where(np.abs(du) > 0.004 * np.abs(u), (phi_new - phi) / du, slopes / 2 * bend)
        if np.ndim(m) == 0:
            return np.where(new > 0, k * mean, 0)  # untreated: the bracket is exactly 1
        gamma = np.maximum(np.abs(delta) / 2, 1e-6)
        t = np.clip(m + gamma, 0, 2 * gamma)
        positive = t * t / (4 * gamma) + np.maximum(m - gamma, 0)
        tilt = np.where(np.minimum(u, new) > 0, (KAPPA - 1) * k * delta / (6 * total), 0)
    bracket = STATE_SHARE * (1 - tilt) + (1 - STATE_SHARE) * positive
    return np.where(np.maximum(u, new) > 0, k * mean * bracket, 0)


def event_day(share: np.ndarray, us: tuple, log_l: np.ndarray, rate: tuple) -> np.ndarray:
    """Formula 6: days into the step at which the threshold is used up."""
    (u, new), (m, delta) = us, rate
    du = new - u
    phi, phi_new = cumulative(u, log_l), cumulative(new, log_l)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = (np.exp(log_l) * (phi + share * (phi_new - phi)) ** (1 / KAPPA) - u) / du
        theta = np.where(np.abs(du) < 1e-4 * np.abs(u), share, exact)
    g0, g1 = (STATE_SHARE + (1 - STATE_SHARE) * np.maximum(m + sign * delta / 2, 0) for sign in (-1, 1))
    g0, g1 = 2 * g0 / (g0 + g1), 2 * g1 / (g0 + g1)
    return 2 * STEP * theta / (g0 + np.sqrt(g0 * g0 + 2 * (g1 - g0) * theta))


def observe(traits: Traits, fixed: Fixed, body: Body, day: float) -> np.ndarray:
    """Sums over survivors: alive, ALSFRS-R, SVC, NfL and CSF SOD1."""
    alive = (body.left > 0).astype(float)
    return np.array([alive.sum(), *outputs(traits, fixed, body, day) @ alive])


def outputs(traits: Traits, fixed: Fixed, body: Body, day: float) -> np.ndarray:
    """ALSFRS-R, SVC, NfL and CSF SOD1 of every lane, (4, n)."""
    u, drug = body.u, body.drug
    log_u = np.log(np.maximum(u, TINY))
    function = sum(12 / (1 + np.exp(traits.a * (log_u - log_tau))) for log_tau in fixed.log_tau)
    svc = traits.v0 / (1 + np.exp(STEEPNESS_SVC * (log_u - fixed.log_tau_v)))
    psi = 1 - np.exp(-np.maximum(u + KAPPA0, 0) / KAPPA1)
    treated = drug is not None
    j = np.maximum(1 - traits.e_n * drug.v, 0.02) if treated else 1.0
    nfl = fixed.background * 1.02 ** (day / (12 * MONTH)) + fixed.nfl * psi * j
    sod1 = 1 - CSF_SHARE * I_MAX / (1 + EC50) * drug.y[0] if treated else np.ones_like(u)
    return np.array([function, svc, nfl, sod1])
