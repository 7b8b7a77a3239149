"""A made-up cohort that resembles VALOR's, for timing the step loop alone: drawn with NumPy, screened roughly."""

from typing import NamedTuple

import numpy as np

MONTH = 30.4375
KAPPA, CRITICAL_SVC, STEEPNESS_SVC = 12.0, 39.5, 1.9


class Traits(NamedTuple):
    """One value per patient, float64, as the step loop needs them."""

    d50: np.ndarray  # months
    tau: np.ndarray  # (4, n): bulbar, fine, gross, respiratory
    a: np.ndarray
    v0: np.ndarray  # % predicted
    tau_v: np.ndarray
    ec50: np.ndarray
    e_n: np.ndarray
    e_f: np.ndarray
    eta: np.ndarray
    age: np.ndarray  # years at baseline
    u0: np.ndarray  # disease time at baseline
    left: np.ndarray  # of the event threshold, at baseline
    z: np.ndarray  # volatility of the last epoch before baseline

    def take(self, rows: slice | np.ndarray) -> "Traits":
        """The same for some patients."""
        return Traits(*(array[..., rows] for array in self))


def critical(v0: np.ndarray, tau_v: np.ndarray) -> np.ndarray:
    """Disease time L at which SVC reaches the critical value."""
    return tau_v * (v0 / CRITICAL_SVC - 1) ** (1 / STEEPNESS_SVC)


def candidates(n: int, rng: np.random.Generator) -> Traits:
    """`n` people as they stand at screening, volatility before it left out; `left` < 0 where the event came before."""
    fast = rng.random(n) < 0.12
    log_d50 = np.where(fast, np.log(11.8) + 0.33 * rng.normal(size=n), np.log(77) + 1.25 * rng.normal(size=n))
    site = np.searchsorted([0.08, 0.35], rng.random(n))  # bulbar, fine, gross
    tau = np.array([1.63, 0.78, 0.78, 1.63])[:, None] * np.exp(0.30 * rng.normal(size=(4, n)))
    tau[site, np.arange(n)] *= 0.5
    own = 0.6 * np.log(tau[3] / 1.63) / 0.30 + 0.8 * rng.normal(size=n)
    tau_v, v0 = np.exp(0.22 * own), np.clip(rng.normal(98, 16, n), 60, 140)
    neuro = rng.normal(size=n)
    effect = 0.5 * neuro + 0.75**0.5 * rng.normal(size=n)
    u0 = np.clip(rng.normal(0.46, 0.22, n), 0.06, 1.3)
    return Traits(
        d50=np.exp(log_d50),
        tau=tau,
        a=3.7 * np.exp(0.12 * rng.normal(size=n)),
        v0=v0,
        tau_v=tau_v,
        ec50=0.60 * np.exp(0.35 * rng.normal(size=n)),
        e_n=np.clip(0.80 + 0.14 * neuro, 0, 0.97),
        e_f=np.clip(0.78 + 0.41 * effect, -0.1, 1.35),
        eta=0.45 * rng.normal(size=n),
        age=np.maximum(rng.normal(49.7, 12.3, n), 18) + u0 * np.exp(log_d50) / 12,
        u0=u0,
        left=rng.exponential(size=n) - (u0 / critical(v0, tau_v)) ** KAPPA,
        z=rng.normal(size=n),
    )


def screened(people: Traits, rng: np.random.Generator) -> np.ndarray:
    """Stratum of each person: 0 faster, 1 slower, -1 dead, not referred or outside the trial's limits."""
    n = len(people.u0)
    months = people.u0 * people.d50
    alsfrs = (12 / (1 + (people.u0 / people.tau) ** people.a)).sum(0) + 1.6 * rng.normal(size=n)
    svc = people.v0 / (1 + (people.u0 / people.tau_v) ** STEEPNESS_SVC) + 5 * rng.normal(size=n)
    rate = (48 - alsfrs) / months
    listed = (people.d50 < 40) & (rng.random(n) < 0.65)
    slower = ~((listed & (rate >= 0.2)) | (rate >= 0.9))
    fit = (people.left > 0) & (rng.random(n) < 1 - np.exp(-((months / 9) ** 2))) & (months <= 150)
    fit &= (alsfrs > 18.5) & (alsfrs < 47.5) & (svc >= np.where(slower, 50, 65))
    return np.where(fit, slower.astype(int), -1)


def cohort(n: int, seed: int = 1) -> Traits:
    """`n` patients of a VALOR-like trial, 5 of 9 in the faster stratum."""
    rng = np.random.default_rng(seed)
    wanted = n * 5 // 9, n - n * 5 // 9
    kept: tuple[list[Traits], list[Traits]] = [], []
    while any(sum(len(part.u0) for part in parts) < number for parts, number in zip(kept, wanted, strict=True)):
        people = candidates(4 * n + 1000, rng)
        stratum = screened(people, rng)
        for code in (0, 1):
            kept[code].append(people.take(stratum == code))
    order = rng.permutation(n)
    full = [[np.concatenate(parts, -1) for parts in zip(*kept[code], strict=True)] for code in (0, 1)]
    fields = (np.concatenate([a[..., : wanted[0]], b[..., : wanted[1]]], -1) for a, b in zip(*full, strict=True))
    return Traits(*(array[..., order] for array in fields))
