"""The columns of a linear model, and least squares.

References
----------
MacKinnon & White (1985), doi:10.1016/0304-4076(85)90158-7 (HC3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.analysis.trial.data import Bools, Floats, TrialData
from simulator.analysis.trial.errors import NotEstimableError

ARM = 1  # the column of the arm in every design


class Fit(NamedTuple):
    """Coefficients : (q,), their covariance : (q, q), and residual degrees of freedom."""

    coefficients: Floats
    covariance: Floats
    df: int


def dummies(codes: np.ndarray) -> Floats:
    """(n, k − 1) indicators of all distinct codes but the first."""
    if codes.size and codes.min() == codes.max():  # most often; sorting takes longer
        return np.empty((len(codes), 0))
    return (codes[:, None] == np.unique(codes)[None, 1:]).astype(np.float64)


def columns(data: TrialData, covariates: tuple[str, ...] = ()) -> Floats:
    """(n, q): 1, arm, baseline, indicators of the strata, covariates. NaN where a baseline or covariate is missing."""
    named = [data.covariate(name) for name in covariates]
    return np.column_stack([np.ones(data.n), data.arm, data.baseline, dummies(data.stratum), *named])


def usable(x: Floats) -> Bools:
    """(n,) whose columns are complete."""
    return np.asarray(np.isfinite(x).all(axis=1))


def least_squares(x: Floats, y: Floats, *, robust: bool = False) -> Fit:
    """Ordinary least squares of y : (n,) on x : (n, q).

    The covariance is s² (X'X)⁻¹ with s² = RSS/(n − q), or with `robust` the sandwich HC3, whose residuals are divided
    by 1 − leverage.

    Raises
    ------
    NotEstimableError
        Fewer rows than columns, or columns that depend on each other.
    """
    n, q = x.shape
    if n <= q:
        raise NotEstimableError(f"{n} participants cannot determine {q} coefficients")
    orthogonal, triangle = np.linalg.qr(x)
    size = np.abs(np.diagonal(triangle))
    if size.min() <= 1e-10 * size.max():
        raise NotEstimableError("the covariates of the linear model depend on each other, or an arm is empty")
    inverse = np.linalg.inv(triangle)
    beta = inverse @ (orthogonal.T @ y)
    residual = y - x @ beta
    if not robust:
        return Fit(beta, (inverse @ inverse.T) * float(residual @ residual) / (n - q), n - q)
    leverage = np.einsum("ij,ij->i", orthogonal, orthogonal)
    scores = orthogonal * (residual / (1 - leverage))[:, None]
    return Fit(beta, inverse @ (scores.T @ scores) @ inverse.T, n - q)
