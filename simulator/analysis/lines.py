"""A linear mixed model: a straight line for everybody, one's own intercept and slope, by ML or REML, exactly.

    y_ij = (β₀ + b₀_i) + (β₁ + b₁_i) t_ij + ε_ij,    (b₀, b₁) ~ N(0, D),    ε ~ N(0, σ²)

The marginal likelihood is Gaussian. It is maximised over the Cholesky factor of D and ln σ by Newton's method, so that
every point is a covariance, as in lme4.

References
----------
Laird & Ware (1982), doi:10.2307/2529876. Bates et al. (2015), doi:10.18637/jss.v067.i01.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.mixed import fit_mixed
from simulator.errors import UsageError

Floats = NDArray[np.float64]
METHODS = ("reml", "ml")


class LinesError(UsageError):
    """The data do not determine the model."""


class Lines(NamedTuple):
    """A fitted model.

    Parameters
    ----------
    line : (2,) intercept and slope. line_covariance : (2, 2) of these. covariance : (2, 2) of own lines. sd : what is
        left.
    log_likelihood : at the maximum, restricted with REML. each : (n,) that of each person's values at the estimate, not
        restricted: with ML they add up to it. phi, phi_covariance : where it is, and its covariance: Cholesky factor of
        `covariance` (l₁₁, l₂₁, l₂₂) and ln sd.
    own : (n, 2) everybody's own intercept and slope, expected given their data. people : (n,) who.
    """

    line: Floats
    line_covariance: Floats
    covariance: Floats
    sd: float
    log_likelihood: float
    each: Floats
    phi: Floats
    phi_covariance: Floats
    own: Floats
    people: NDArray[np.int64]


class _Sums(NamedTuple):
    """Cross-products of each person: (n, 2, 2), (n, 2), (n,), and how many values."""

    zz: Floats
    zy: Floats
    yy: Floats
    values: Floats


class _State(NamedTuple):
    value: float
    each: Floats
    line: Floats
    spread: Floats
    own: Floats


def fit_lines(person: NDArray[np.int64], time: Floats, y: Floats, method: str = "reml") -> Lines:
    """Fit the model.

    Parameters
    ----------
    person : (m,) whose value. time : (m,) any unit. y : (m,) values. method : `reml` or `ml`.

    Raises
    ------
    LinesError
        Fewer than five people were measured twice, or the likelihood has no maximum.
    """
    from scipy.optimize import minimize

    people, number = np.unique(person, return_inverse=True)
    first = fit_mixed(person, time, y)
    if first is None:
        raise LinesError("fewer than five people were measured twice")
    z = np.column_stack([np.ones(len(time)), time])
    sums = _Sums(*(_added(one, number, len(people)) for one in (
        z[:, :, None] * z[:, None, :], z * y[:, None], y**2, np.ones(len(y)))))  # fmt: skip
    root = np.linalg.cholesky(first.covariance + 1e-9 * np.eye(2))
    phi = np.array([root[0, 0], root[1, 0], root[1, 1], np.log(first.sd)])
    unit = np.array([abs(root[0, 0]), *2 * [max(abs(root[1, 1]), abs(root[1, 0]))], 1.0])

    def height(x: Floats) -> float:
        return -_evaluate(sums, x * unit, method).value

    start = phi / unit
    for way, options in (("Nelder-Mead", {"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000}), ("BFGS", {"gtol": 1e-7})):
        start = minimize(height, start, method=way, options=options).x
    bent = _hessian(height, start)
    if not np.isfinite(bent).all():
        raise LinesError("the likelihood of the mixed model has no maximum")
    phi = start * unit
    phi[:3] *= np.where(phi[[0, 0, 2]] < 0, -1, 1)  # the signs of a column of a Cholesky factor are free
    at = _evaluate(sums, phi, method)
    low = np.array([[phi[0], 0], [phi[1], phi[2]]])
    spread = np.asarray(np.linalg.pinv(bent) * np.outer(unit, unit), np.float64)
    sd = float(np.exp(phi[3]))
    return Lines(at.line, at.spread, low @ low.T, sd, at.value, at.each, phi, spread, at.own, people)


def _evaluate(sums: _Sums, phi: Floats, method: str) -> _State:
    """Log-likelihood at a covariance, profiled over the line."""
    low = np.array([[phi[0], 0.0], [phi[1], phi[2]]])
    error = float(np.exp(2 * phi[3]))
    inner = np.eye(2) + low.T @ sums.zz @ low / error
    turned = low @ np.linalg.inv(inner) @ low.T / error  # (n, 2, 2): Z'V⁻¹Z = (ZZ - ZZ turned ZZ)/error
    normal = (sums.zz - sums.zz @ turned @ sums.zz) / error
    right = (sums.zy - np.einsum("nij,njk,nk->ni", sums.zz, turned, sums.zy)) / error
    total = normal.sum(axis=0)
    line = np.linalg.solve(total, right.sum(axis=0))
    left = (sums.yy - np.einsum("ni,nij,nj->n", sums.zy, turned, sums.zy)) / error
    quadratic = left - 2 * right @ line + np.einsum("i,nij,j->n", line, normal, line)
    each = sums.values * np.log(2 * np.pi * error) + np.linalg.slogdet(inner)[1] + quadratic
    value = each.sum()
    if method == "reml":
        value += np.linalg.slogdet(total)[1] - 2 * np.log(2 * np.pi)
    own = line + np.einsum("ij,nj->ni", low @ low.T, right - normal @ line)
    return _State(-0.5 * float(value), -0.5 * each, line, np.linalg.inv(total), own)


def _hessian(height: Callable[[Floats], float], x: Floats, step: float = 1e-4) -> Floats:
    """Second derivatives by central differences."""
    p = len(x)
    unit = step * np.eye(p)
    found = np.empty((p, p))
    for j in range(p):
        for k in range(p):
            corners = [a * b * height(x + a * unit[j] + b * unit[k]) for a in (1, -1) for b in (1, -1)]
            found[j, k] = sum(corners) / (4 * step**2)
    return found


def _added(values: Floats, number: NDArray[np.int64], n: int) -> Floats:
    """Rows added up by person."""
    found = np.zeros((n, *values.shape[1:]))
    np.add.at(found, number, values)
    return found
