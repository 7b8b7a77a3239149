"""The drug chain solved exactly: constants for a step of 1 to 7 days (float64, once per parameter set).

The chain y = (e, r, x, z1, z2, z̄) is linear, y' = A y + c i(t), and the inhibition i(t) is interpolated between the
two Gauss points of the step. So one step is ``y⁺ = P y + W1 i1 + W2 i2`` with
``P = φ0(AH)``, ``W1 = (τ2 H φ1 c − H² φ2 c)/(τ2−τ1)``, ``W2 = (H² φ2 c − τ1 H φ1 c)/(τ2−τ1)`` and
``φj = Σ (AH)^n/(n+j)!``.
z̄ is the mean of z2 over the step. See docs/model.md, section 5.
"""

from functools import lru_cache
from math import ceil, expm1, factorial, log, log2, sqrt
from typing import NamedTuple

import numpy as np

TERMS = 24
COLUMNS = (
    *("decay", "decay1", "decay2"),
    *("ee", "e1", "e2", "re", "rr", "r1", "r2", "xe", "xr", "xx", "x1", "x2"),
    *("ae", "aa", "a1", "a2", "be", "ba", "bb", "b1", "b2", "me", "ma", "mb", "m1", "m2"),
    *("hre", "hrr", "hr1", "hr2", "hxe", "hxr", "hxx", "hx1", "hx2", "vv", "v0", "vh", "v1"),
)
"""Columns of the table: target row, then source (i1, i2 are 1, 2); a, b, m = z1, z2, z̄; h = halfway;
v = NfL deficit."""


class Rates(NamedTuple):
    """Rates of the drug chain, per day."""

    tissue: float
    sod1: float
    delay: float  # 2 / mean transit time
    fast: float
    slow: float
    nfl: float


STEPS = np.arange(1.0, 8.0)
GAUSS = 0.5 + np.array([-0.5, 0.5]) / sqrt(3.0)
TARGETS = {"e": 0, "r": 1, "x": 2, "a": 3, "b": 4, "m": 5}


@lru_cache(maxsize=64)
def table(rates: Rates) -> np.ndarray:
    """Constants of the chain: (8, columns) float32, row h for a step of h days (row 0 unused)."""
    whole, half = _propagate(rates, 1.0), _propagate(rates, 0.5)
    columns = [np.exp(-rates.tissue * share * STEPS) for share in (1.0, *GAUSS)]
    for name in COLUMNS[3:-4]:
        p, w = half if name[0] == "h" else whole
        target, source = TARGETS[name[-2]], name[-1]
        columns.append(w[int(source) - 1][:, target] if source.isdigit() else p[:, target, TARGETS[source]])
    columns += [np.exp(-rates.nfl * STEPS), *_lagrange(rates.nfl)]
    return np.concatenate([np.zeros((1, len(columns))), np.stack(columns, axis=1)]).astype(np.float32)


def _propagate(rates: Rates, share: float) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """P (step, 6, 6), and W1 and W2 (step, 6), for `share` of each step of 1 to 7 days."""
    a = np.zeros((len(STEPS), 6, 6))
    a[:, 0, 0] = -rates.sod1
    a[:, 1, 0], a[:, 1, 1] = rates.fast, -rates.fast
    a[:, 2, 1], a[:, 2, 2] = rates.slow, -rates.slow
    a[:, 3, 0], a[:, 3, 3] = rates.delay, -rates.delay
    a[:, 4, 3], a[:, 4, 4] = rates.delay, -rates.delay
    a[:, 5, 4] = 1.0 / STEPS
    length = (share * STEPS)[:, None]
    phi0, phi1, phi2 = _phi(a * length[..., None])
    first = length * phi1[:, :, 0] * rates.sod1
    second = length**2 * phi2[:, :, 0] * rates.sod1
    node1, node2 = GAUSS[:, None, None] * STEPS[:, None]
    return phi0, ((node2 * first - second) / (node2 - node1), (second - node1 * first) / (node2 - node1))


def _phi(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """phi_0, phi_1 and phi_2 of each matrix: phi_j = sum of (AH)^n / (n + j)!, on halves small enough, then doubled."""
    doublings = max(0, ceil(log2(float(np.abs(matrix).sum(axis=-1).max()))))
    small = matrix / 2.0**doublings
    one = np.broadcast_to(np.eye(6), matrix.shape)
    power, totals = one, np.zeros((3, *matrix.shape))
    for n in range(TERMS):
        for j in range(3):
            totals[j] += power / factorial(n + j)
        power = power @ small
    phi0, phi1, phi2 = totals
    for _ in range(doublings):
        phi2 = (phi0 @ phi2 + phi1 + phi2) / 4
        phi1 = (phi0 + one) @ phi1 / 2
        phi0 = phi0 @ phi0
    return phi0, phi1, phi2


def _lagrange(rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Integrals of k e^(-k(h-t)) times the Lagrange polynomials on 0, h/2, h."""
    zeroth, first, second = np.transpose([_moments(rate * h) for h in STEPS])
    return 2 * second - 3 * first + zeroth, 4 * first - 4 * second, 2 * second - first


def _moments(x: float) -> list[float]:
    """Integrals over 0..1 of s^n x e^(-x(1-s)) ds, n = 0, 1, 2: a series, or the recursion where it does not cancel."""
    if x < 1:
        return [x * sum((-x) ** j * factorial(n) / factorial(n + j + 1) for j in range(TERMS)) for n in range(3)]
    zeroth = -expm1(-x)
    first = 1 - zeroth / x
    return [zeroth, first, 1 - 2 * first / x]


def half_life(days: float) -> float:
    """Rate per day of a half-life in days."""
    return log(2.0) / days
