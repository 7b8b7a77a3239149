"""A straight line for everybody and one's own intercept and slope: a linear mixed model by maximum likelihood.

References
----------
Laird & Ware (1982), Random-effects models for longitudinal data, doi:10.2307/2529876 (the EM algorithm).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEPS, PRECISION = 1_000, 1e-6
LEAST_PEOPLE = 5


class Mixed(NamedTuple):
    """The model: mean line (intercept, slope), covariance of own lines, SD of what is left."""

    line: Floats
    covariance: Floats
    sd: float

    def predict(self, time: Floats, y: Floats, at: float) -> tuple[float, float]:
        """Mean and SD of a measurement at a time, given one's own values y at `time`."""
        z, new = _design(time), np.array([1.0, at])
        inner = z.T @ z / self.sd**2 + np.linalg.inv(self.covariance)
        spread = np.linalg.inv(inner)
        own = spread @ (z.T @ (y - z @ self.line)) / self.sd**2
        return float(new @ (self.line + own)), float(np.sqrt(new @ spread @ new + self.sd**2))


def fit_mixed(person: NDArray[np.int64], time: Floats, y: Floats) -> Mixed | None:
    """Fit by EM; None where fewer than five people were measured twice.

    Parameters
    ----------
    person : (n,) whose value. time : (n,) any unit. y : (n,) values.
    """
    people, number = np.unique(person, return_inverse=True)
    counts = np.bincount(number)
    if (counts > 1).sum() < LEAST_PEOPLE:
        return None
    z = _design(time)
    zz = _summed(z[:, :, None] * z[:, None, :], number, len(people))
    zy = _summed(z * y[:, None], number, len(people))
    total, yy = zz.sum(axis=0), float(y @ y)
    line = np.linalg.solve(total, zy.sum(axis=0))
    sd2 = max(float(np.mean((y - z @ line) ** 2)) / 2, 1e-12)
    covariance = np.diag([sd2, sd2 / max(float(np.mean(time**2)), 1e-12)])
    for _ in range(STEPS):
        spread = np.linalg.inv(zz / sd2 + np.linalg.inv(covariance))
        own = np.einsum("kij,kj->ki", spread, zy - zz @ line) / sd2
        new = np.linalg.solve(total, (zy - np.einsum("kij,kj->ki", zz, own)).sum(axis=0))
        each = new + own
        left = yy - 2 * float(np.sum(each * zy)) + float(np.einsum("ki,kij,kj->", each, zz, each))
        sd2_new = max((left + float(np.einsum("kij,kji->", zz, spread))) / len(y), 1e-12)
        covariance_new = np.einsum("ki,kj->ij", own, own) / len(people) + spread.mean(axis=0) + 1e-12 * np.eye(2)
        moved = abs(sd2_new - sd2) / sd2 + np.abs(new - line).max() + np.abs(covariance_new - covariance).max()
        line, sd2, covariance = new, sd2_new, covariance_new
        if moved < PRECISION:
            break
    return Mixed(line, covariance, float(np.sqrt(sd2)))


def _design(time: Floats) -> Floats:
    return np.column_stack([np.ones(len(time)), time])


def _summed(values: Floats, number: NDArray[np.int64], n: int) -> Floats:
    """Rows added up by person."""
    found = np.zeros((n, *values.shape[1:]))
    np.add.at(found, number, values)
    return found
