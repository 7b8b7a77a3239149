"""Functions whose sensitivity indices are known."""

import numpy as np

ISHIGAMI_VARIANCE = 49 / 8 + 0.1 * np.pi**4 / 5 + 0.01 * np.pi**8 / 18 + 0.5


ISHIGAMI = (np.array([0.313905, 0.442411, 0.0]), np.array([0.557589, 0.442411, 0.243684]))


G = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])


def ishigami(u):
    x = np.pi * (2 * u - 1)
    return np.sin(x[..., 0]) + 7 * np.sin(x[..., 1]) ** 2 + 0.1 * x[..., 2] ** 4 * np.sin(x[..., 0])


def g_function(u):
    return np.prod((np.abs(4 * u - 2) + G) / (1 + G), axis=-1)


def g_indices():
    """Closed form: partial variances 1/(3 (1 + a)²)."""
    part = 1 / (3 * (1 + G) ** 2)
    whole = np.prod(1 + part) - 1
    total = np.array([part[i] * np.prod(np.delete(1 + part, i)) for i in range(len(G))])
    return part / whole, total / whole
