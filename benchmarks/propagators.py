"""Constants of the weekly step, made in float64 from the equations alone: a second version of what the engine has.

The drug's state y = (e, r, x, z1, z2, mean of z2 over the step) obeys y' = A y + c i(t), and i is known at two points
of the step. Then y(H) = P y(0) + W1 i1 + W2 i2 without error in A. The formulas it serves stand in numpy_twin.py.
"""

from math import factorial
from typing import NamedTuple

import numpy as np

LN2 = float(np.log(2.0))


class Rates(NamedTuple):
    """Rates of the default drug, per day."""

    concentration: float = LN2 / 28
    target: float = LN2 / 25
    transit: float = 2 / 91
    fast: float = 1 / 14
    slow: float = LN2 / 280
    neurofilament: float = LN2 / 9.5


class Propagators(NamedTuple):
    """What one step of `h` days needs."""

    decay: np.ndarray  # (3,): concentration left at the two nodes and at the end of the step
    full: np.ndarray  # (6, 6): P at h
    full_in: np.ndarray  # (2, 6): W1, W2 at h
    half: np.ndarray  # (6, 6): P at h/2
    half_in: np.ndarray  # (2, 6): W1, W2 at h/2
    nfl_keep: float  # what is left of v after h
    nfl_in: np.ndarray  # (3,): weights of the drive at 0, h/2, h


def drift(rates: Rates, h: float) -> np.ndarray:
    """The matrix A; its last row turns z2 into its mean over a step of `h` days."""
    a = np.zeros((6, 6))
    a[0, 0] = -rates.target
    a[1, :2] = rates.fast, -rates.fast
    a[2, 1:3] = rates.slow, -rates.slow
    a[3, 0], a[3, 3] = rates.transit, -rates.transit
    a[4, 3:5] = rates.transit, -rates.transit
    a[5, 4] = 1 / h
    return a


def phi(j: int, matrix: np.ndarray) -> np.ndarray:
    """The function phi_j of a matrix: the sum over n < 24 of matrix^n / (n + j)!."""
    total, power = np.zeros_like(matrix), np.eye(len(matrix))
    for n in range(24):
        total += power / factorial(n + j)
        power = power @ matrix
    return total


def chain(rates: Rates, h: float, to: float) -> tuple[np.ndarray, np.ndarray]:
    """P and (W1, W2) at day `to` of a step of `h` days."""
    a = drift(rates, h)
    c = np.array([rates.target, 0, 0, 0, 0, 0])
    first, second = nodes(h)
    once, twice = to * phi(1, a * to) @ c, to**2 * phi(2, a * to) @ c
    weights = np.array([second * once - twice, twice - first * once]) / (second - first)
    return phi(0, a * to), weights


def nodes(h: float) -> tuple[float, float]:
    """The two Gauss points of the step, days after its start."""
    return h * (0.5 - 0.5 / 3**0.5), h * (0.5 + 0.5 / 3**0.5)


def drive_weights(rate: float, h: float) -> np.ndarray:
    """Integrals of rate exp(-rate (h - t)) times the Lagrange polynomials on 0, h/2, h."""
    x, w = np.polynomial.legendre.leggauss(20)
    t, w = (x + 1) / 2, w / 2  # on 0..1
    kernel = rate * h * np.exp(-rate * h * (1 - t))
    lagrange = np.array([(2 * t - 1) * (t - 1), 4 * t * (1 - t), t * (2 * t - 1)])
    return lagrange @ (w * kernel)


def propagators(h: float = 7.0, rates: Rates = Rates()) -> Propagators:  # noqa: B008 - a tuple of numbers
    """All constants of a step of `h` days."""
    times = np.array([*nodes(h), h])
    full, half = chain(rates, h, h), chain(rates, h, h / 2)
    nfl = rates.neurofilament
    return Propagators(
        np.exp(-rates.concentration * times), *full, *half, float(np.exp(-nfl * h)), drive_weights(nfl, h)
    )
