"""Is there any trend over the doses? Contrasts that are best for candidate shapes, and the largest of their statistics.

Estimates d_k of the arms against control have the covariance S: s_j s_k λ_j λ_k, as they share the control. For a shape
with the values f_k = f(dose_k) − f(0) the contrast c = S⁻¹ f has the most power; its statistic is c'd/√(c'Sc). The
statistics of several shapes are normal with known correlations, and the largest is held against their joint
distribution (the multiple comparison step of MCP-Mod, for any analysis that gives d and S).

References
----------
Bretz, Pinheiro & Branson (2005), doi:10.1111/j.1541-0420.2005.00344.x. Pinheiro, Bornkamp, Glimm & Bretz (2014),
doi:10.1002/sim.6052. Genz & Bretz (2009), Computation of Multivariate Normal and t Probabilities,
doi:10.1007/978-3-642-01689-9.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.trial.data import Floats

Form = Literal["linear", "log_linear", "emax", "exponential", "quadratic"]
POINTS = 4093
"""Points of the lattice: probabilities are right to about 1e-4."""


class Shape(NamedTuple):
    """A candidate for how the effect rises with dose; its `parameter` is a dose, as the help of `effects` says."""

    form: Form
    parameter: float = 1.0


class Trend(NamedTuple):
    """Statistics of the shapes : (m,), their correlations : (m, m), and p of the largest, one-sided."""

    z: Floats
    correlation: Floats
    p: float


def effects(shape: Shape, doses: ArrayLike) -> Floats:
    """(k,) effect of each dose above that of none, up to a factor.

    Linear; log(1 + d/p); Emax d/(p + d), half of the most at dose p; exponential e^(d/p) − 1; quadratic d − d²/(2 p),
    highest at p.
    """
    d, p = np.asarray(doses, np.float64), shape.parameter
    if shape.form == "linear":
        return d
    if shape.form == "log_linear":
        return np.log1p(d / p)
    if shape.form == "emax":
        return d / (p + d)
    return np.expm1(d / p) if shape.form == "exponential" else d - d**2 / (2 * p)


def contrasts(values: ArrayLike, covariance: ArrayLike) -> Floats:
    """(m, k) the best contrasts of estimates with this covariance for (m, k) effects, of length 1."""
    c = np.linalg.solve(np.asarray(covariance, np.float64), np.atleast_2d(np.asarray(values, np.float64)).T).T
    return np.asarray(c / np.linalg.norm(c, axis=1, keepdims=True))


def trend(estimate: Floats, se: Floats, loading: Floats, values: Floats) -> Trend:
    """The test of a trend from the estimates of the arms against control, their standard errors and loadings.

    `values` : (m, k) effects of the shapes at the doses of the arms.
    """
    shared = np.outer(se * loading, se * loading)
    covariance = shared - np.diag(np.diag(shared)) + np.diag(se**2)
    c = contrasts(values, covariance)
    spread = c @ covariance @ c.T
    scale = np.sqrt(np.diag(spread))
    z, correlation = c @ estimate / scale, spread / np.outer(scale, scale)
    return Trend(z, correlation, any_above(float(z.max()), correlation))


def any_above(z: float, correlation: Floats) -> float:
    """Probability that the largest of normals with these correlations is z or more.

    Genz's transformation to a cube, summed over a lattice with the baker's transformation: no chance in it.
    """
    from scipy.special import ndtr, ndtri

    m = len(correlation)
    if m == 1:
        return float(ndtr(-z))
    root = np.linalg.cholesky(correlation + 1e-9 * np.eye(m))
    step = np.sqrt(np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71], np.float64))
    u = np.abs(2 * ((np.arange(1, POINTS + 1)[:, None] * step[: m - 1]) % 1) - 1)
    y, inside, below = np.zeros((POINTS, m)), np.ones(POINTS), np.zeros(POINTS)
    for k in range(m):
        below = ndtr((z - y[:, :k] @ root[k, :k]) / root[k, k])
        inside = inside * below
        if k < m - 1:
            y[:, k] = ndtri(np.clip(u[:, k] * below, 1e-300, 1 - 1e-16))
    return float(1 - inside.mean())
