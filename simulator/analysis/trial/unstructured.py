"""REML of a multivariate regression with an unstructured covariance and values missing at random.

Every column of Z acts on every visit with its own coefficient, but for those that are held at 0, Y_i = B' z_i + ε_i
with ε_i ~ N(0, Σ), so what the likelihood needs are Z'Z, Z'Y and Y'Y of the participants who miss the same visits: an
iteration costs the same for any number of participants. With W = Σ⁻¹ of the observed visits (0 elsewhere), R = Σ_i r_i
r_i' and M = Σ_i cov(B̂' z_i), both summed over the participants of a pattern, the gradient in Σ is half of Σ W (R + M)
W − n W over the patterns.

References
----------
Mallinckrodt et al. (2008), doi:10.1177/009286150804200402. Fai & Cornelius (1996), doi:10.1080/00949659608811740
(Satterthwaite's degrees of freedom for a contrast).
"""

from __future__ import annotations

from functools import cache
from math import isqrt
from typing import NamedTuple

import numpy as np

from simulator.analysis.trial.data import Bools, Floats, Integers
from simulator.analysis.trial.errors import NotEstimableError

ITERATIONS, TOLERANCE, NOISE = 100, 1e-12, 1e-9


class Patterns(NamedTuple):
    """Sums over the participants of each pattern of observed visits.

    Parameters
    ----------
    seen : (p, v) which visits are observed.
    size : (p,) participants.
    zz, zy, yy : (p, q, q), (p, q, v), (p, v, v) cross products, 0 where a visit is missing.
    free : (q v,) positions of the coefficients that are estimated, row by row of B; None: all.
    """

    seen: Bools
    size: Integers
    zz: Floats
    zy: Floats
    yy: Floats
    free: Integers | None = None


class State(NamedTuple):
    """The likelihood at one covariance.

    Parameters
    ----------
    sigma : (v, v) the covariance Σ.
    beta : (q, v) coefficients.
    covariance : (q, v, q, v) their covariance.
    weight : (p, v, v) W of each pattern.
    residual, leverage : (p, v, v) R and M of each pattern.
    value : restricted log-likelihood, constants left out.
    """

    sigma: Floats
    beta: Floats
    covariance: Floats
    weight: Floats
    residual: Floats
    leverage: Floats
    value: float


def patterns(z: Floats, y: Floats) -> Patterns:
    """Cross products of z : (n, q) and y : (n, v), NaN = missing."""
    seen = np.isfinite(y)
    code = seen @ (2 ** np.arange(y.shape[1], dtype=np.int64))
    _, where, index = np.unique(code, return_index=True, return_inverse=True)
    member = (index == np.arange(len(where))[:, None]).astype(np.float64)
    z_of = (member[:, :, None] * z).transpose(0, 2, 1)
    filled = np.where(seen, y, 0.0)
    y_of = (member[:, :, None] * filled).transpose(0, 2, 1)
    return Patterns(seen[where], np.bincount(index), z_of @ z, z_of @ filled, y_of @ filled)


def evaluate(data: Patterns, sigma: Floats) -> State | None:
    """The restricted likelihood at `sigma`; None where that is no covariance."""
    both = data.seen[:, :, None] & data.seen[:, None, :]
    padded = np.where(both, sigma, np.eye(len(sigma)))  # a missing visit stands alone, with variance 1
    try:
        logs = 2 * np.log(np.diagonal(np.linalg.cholesky(padded), axis1=1, axis2=2)).sum(axis=1)
    except np.linalg.LinAlgError:
        return None
    weight = np.where(both, np.linalg.inv(padded), 0.0)
    q, v = data.zy.shape[1:]
    normal = np.tensordot(data.zz, weight, (0, 0)).transpose(0, 2, 1, 3).reshape(q * v, q * v)
    kept = normal if data.free is None else normal[np.ix_(data.free, data.free)]
    sign, log_normal = np.linalg.slogdet(kept)
    if sign <= 0:
        return None
    covariance = np.linalg.inv(kept)
    if data.free is not None:
        covariance = _spread(covariance, data.free, q * v)
    beta = (covariance @ (data.zy @ weight).sum(axis=0).reshape(q * v)).reshape(q, v)
    cross = beta.T @ data.zy
    residual = data.yy - cross - cross.transpose(0, 2, 1) + beta.T @ data.zz @ beta
    blocks = covariance.reshape(q, v, q, v)
    leverage = np.tensordot(data.zz, blocks, ((1, 2), (0, 2)))
    value = -0.5 * float(data.size @ logs + log_normal + (weight * residual).sum())
    return State(sigma, beta, blocks, weight, residual, leverage, value)


def _spread(covariance: Floats, free: Integers, size: int) -> Floats:
    """The covariance of all coefficients: 0 in the rows and columns of those that are held."""
    found = np.zeros((size, size))
    found[np.ix_(free, free)] = covariance
    return found


def maximum(data: Patterns, start: Floats) -> State:
    """The REML estimate: nearly Newton's method on the elements of Σ, steps halved until the likelihood rises.

    Raises
    ------
    NotEstimableError
        The likelihood does not settle: too few participants for so many visits.
    """
    now = evaluate(data, start)
    if now is None:
        raise NotEstimableError("MMRM: an arm or covariate has nobody observed at one of the visits")
    for _ in range(ITERATIONS):
        slope = score(data, now)
        step = np.linalg.solve(_curvature(data, now), slope)
        if abs(slope @ step) < TOLERANCE:
            return now
        now = _uphill(data, now, (duplication(len(start)) @ step).reshape(start.shape))
    raise NotEstimableError(f"MMRM: no convergence in {ITERATIONS} iterations. Use fewer visits")


def score(data: Patterns, at: State) -> Floats:
    """(m,) the gradient of the restricted log-likelihood in the distinct elements of Σ."""
    sandwich = at.weight @ (at.residual + at.leverage) @ at.weight
    return 0.5 * distinct((sandwich.sum(axis=0) - np.tensordot(data.size, at.weight, 1)).reshape(-1))


def _curvature(data: Patterns, at: State) -> Floats:
    """Nearly the observed information where that is positive definite, else the expected one for known coefficients."""
    found = _main_information(data, at)
    try:
        np.linalg.cholesky(found)
    except np.linalg.LinAlgError:
        return traces(at.weight, 0.5 * data.size[:, None, None] * at.weight)
    return found


def _uphill(data: Patterns, now: State, step: Floats) -> State:
    for _ in range(40):
        new = evaluate(data, now.sigma + step)
        if new is not None and new.value > now.value - NOISE:
            return new
        step = step / 2
    raise NotEstimableError("MMRM: the likelihood does not rise. Use fewer visits")


@cache
def _pairs(v: int) -> tuple[Integers, Integers, Floats]:
    """Rows and columns of the distinct elements of a symmetric matrix, and 1 for those off its diagonal."""
    rows, columns = np.triu_indices(v)
    return rows, columns, (rows != columns).astype(np.float64)


@cache
def duplication(v: int) -> Floats:
    """(v², v (v + 1)/2) from the distinct elements of a symmetric matrix to all of them."""
    rows, columns, _ = _pairs(v)
    found = np.zeros((v, v, len(rows)))
    index = np.arange(len(rows))
    found[rows, columns, index] = found[columns, rows, index] = 1
    return found.reshape(v * v, -1)


def distinct(x: Floats) -> Floats:
    """`x @ duplication`, x : (..., v²): derivatives in all elements of a symmetric matrix to those in distinct ones."""
    v = isqrt(x.shape[-1])
    rows, columns, off = _pairs(v)
    return np.asarray(x[..., rows * v + columns] + off * x[..., columns * v + rows])


def traces(a: Floats, b: Floats) -> Floats:
    """(m, m) the sum over patterns of tr(E_i A E_j B), E_i the derivative of Σ in its i-th distinct element."""
    p, v, _ = a.shape
    products = a.reshape(p, v * v).T @ b.reshape(p, v * v)  # [bc, da]
    aligned = products.reshape(v, v, v, v).transpose(3, 0, 1, 2).reshape(v * v, v * v)
    found = distinct(distinct(aligned).T)
    return (found + found.T) / 2


def observed_information(data: Patterns, at: State) -> Floats:
    """(m, m) minus the Hessian of the restricted log-likelihood in the distinct elements of Σ.

    With P = V⁻¹ − V⁻¹X C X'V⁻¹ and V_i the derivatives of V it is −½ tr(P V_i P V_j) + y'P V_i P V_j P y.
    """
    curved = curvatures(data, at)
    turned = np.tensordot(at.covariance.reshape(len(curved), -1), curved, 1)
    return _main_information(data, at) - 0.5 * traces_of(turned)  # tr(C G_i C G_j)


def curvatures(data: Patterns, at: State) -> Floats:
    """(qv, qv, m) G_i = X'V⁻¹ V_i V⁻¹X for the distinct elements of Σ."""
    weight, (q, v) = at.weight, at.beta.shape
    rows, columns, off = _pairs(v)
    outer = weight[:, :, None, rows] * weight[:, columns].transpose(0, 2, 1)[:, None]
    curved = data.zz.reshape(len(weight), -1).T @ outer.reshape(len(weight), -1)
    curved = curved.reshape(q, q, v, v, -1).transpose(0, 2, 1, 3, 4).reshape(q * v, q * v, -1)
    return np.asarray(curved + off * curved.transpose(1, 0, 2))


def traces_of(turned: Floats) -> Floats:
    """(m, m) tr(A_i A_j) of matrices turned : (k, k, m)."""
    m = turned.shape[-1]
    return np.asarray(turned.reshape(-1, m).T @ turned.transpose(1, 0, 2).reshape(-1, m))


def _main_information(data: Patterns, at: State) -> Floats:
    """The observed information but for its costly and small last term, which comes from log|X'V⁻¹X|."""
    weight, (q, v) = at.weight, at.beta.shape
    inner = weight @ (at.residual + at.leverage) @ weight - 0.5 * data.size[:, None, None] * weight
    gap = (data.zy - data.zz @ at.beta) @ weight  # (p, q, v): Z'r W
    pull = np.tensordot(gap, weight, (0, 0))  # [k, b, r, a]
    pull = distinct(pull.transpose(0, 2, 3, 1).reshape(q * v, v * v))
    return traces(weight, inner) - pull.T @ at.covariance.reshape(q * v, q * v) @ pull


def variance_gradient(data: Patterns, at: State, contrast: Floats) -> tuple[float, Floats, Floats]:
    """The variance of a contrast l : (q, v) of the coefficients, its gradient : (m,) in the elements of Σ, and C l."""
    pull = np.tensordot(contrast, at.covariance, 2)
    inside = pull.T @ data.zz @ pull
    gradient = distinct((at.weight @ inside @ at.weight).sum(axis=0).reshape(-1))
    return float((pull * contrast).sum()), gradient, pull
