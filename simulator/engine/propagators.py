"""The drug chain solved exactly: constants for a step of 1 to 7 days (float64, once per parameter set).

The chain y = (e, r, x, z1, z2, z̄) is linear, y' = A y + c i(t), and the inhibition i(t) is interpolated between the
two Gauss points of the step. So one step is ``y⁺ = P y + W1 i1 + W2 i2`` with
``P = φ0(AH)``, ``W1 = (τ2 H φ1 c − H² φ2 c)/(τ2−τ1)``, ``W2 = (H² φ2 c − τ1 H φ1 c)/(τ2−τ1)`` and
``φj = Σ (AH)^n/(n+j)!``.
z̄ is the mean of z2 over the step. See docs/model.md, section 5.
"""

from math import exp, factorial, log, sqrt
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


def table(rates: Rates) -> np.ndarray:
    """Constants of the chain: (8, columns) float32, row h for a step of h days (row 0 unused)."""
    rows = [np.zeros(len(COLUMNS))] + [_row(rates, float(h)) for h in range(1, 8)]
    return np.ascontiguousarray(rows, dtype=np.float32)


def _row(rates: Rates, h: float) -> np.ndarray:
    node1, node2 = h * (0.5 - 0.5 / sqrt(3.0)), h * (0.5 + 0.5 / sqrt(3.0))
    p, w1, w2 = _propagate(rates, h, h, (node1, node2))
    q, v1, v2 = _propagate(rates, h, h / 2, (node1, node2))
    e, r, x, a, b, m = range(6)
    whole = [p[e, e], w1[e], w2[e], p[r, e], p[r, r], w1[r], w2[r], p[x, e], p[x, r], p[x, x], w1[x], w2[x]]
    delay = [p[a, e], p[a, a], w1[a], w2[a], p[b, e], p[b, a], p[b, b], w1[b], w2[b]]
    mean = [p[m, e], p[m, a], p[m, b], w1[m], w2[m]]
    half = [q[r, e], q[r, r], v1[r], v2[r], q[x, e], q[x, r], q[x, x], v1[x], v2[x]]
    decay = [exp(-rates.tissue * t) for t in (h, node1, node2)]
    return np.array(decay + whole + delay + mean + half + [exp(-rates.nfl * h), *_lagrange(rates.nfl, h)])


def _propagate(rates: Rates, h: float, length: float, nodes: tuple[float, float]) -> tuple[np.ndarray, ...]:
    a = np.zeros((6, 6))
    a[0, 0] = -rates.sod1
    a[1, 0], a[1, 1] = rates.fast, -rates.fast
    a[2, 1], a[2, 2] = rates.slow, -rates.slow
    a[3, 0], a[3, 3] = rates.delay, -rates.delay
    a[4, 3], a[4, 4] = rates.delay, -rates.delay
    a[5, 4] = 1.0 / h
    c = np.zeros(6)
    c[0] = rates.sod1
    phi0, phi1, phi2 = (_phi(a * length, j) for j in range(3))
    first, second = length * phi1 @ c, length**2 * phi2 @ c
    span = nodes[1] - nodes[0]
    return phi0, (nodes[1] * first - second) / span, (second - nodes[0] * first) / span


def _phi(matrix: np.ndarray, j: int) -> np.ndarray:
    power, total = np.eye(len(matrix)), np.zeros_like(matrix)
    for n in range(TERMS):
        total += power / factorial(n + j)
        power = power @ matrix
    return total


def _lagrange(rate: float, h: float) -> list[float]:
    """Integrals of k e^(-k(h-t)) times the Lagrange polynomials on 0, h/2, h, by a series in k h."""
    # moments[n] = integral over 0..1 of s^n kh e^(-kh(1-s)) ds
    kh = rate * h
    moments = [sum((-kh) ** j * factorial(n) / factorial(n + j + 1) for j in range(TERMS)) * kh for n in range(3)]
    zeroth, first, second = moments
    return [2 * second - 3 * first + zeroth, 4 * first - 4 * second, 2 * second - first]


def half_life(days: float) -> float:
    """Rate per day of a half-life in days."""
    return log(2.0) / days
