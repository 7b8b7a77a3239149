"""The point fit under common random numbers, and which directions of the parameters the rows inform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import Parameter
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.calibrate.evaluate import Evaluator
from simulator.studies.calibrate.likelihood import Likelihood

Floats = NDArray[np.float64]
STEP = 0.25  # prior SDs: wide enough that differences are slopes and not people who cross a threshold
MOST = 12


class Fit(NamedTuple):
    """A point fit. Vectors are in prior SDs; `jacobian` is that of whitened summaries."""

    vector: Floats
    summaries: Floats
    residuals: Floats
    jacobian: Floats
    misfit: float
    start_misfit: float
    iterations: int

    @property
    def covariance(self) -> Floats:
        """Posterior covariance of the linear model, in prior SDs: (JᵀJ + 1)⁻¹."""
        return np.asarray(np.linalg.inv(self.jacobian.T @ self.jacobian + np.eye(len(self.vector))), np.float64)


class Direction(NamedTuple):
    """A direction of parameter space: information of the rows relative to the prior, and its main parameters."""

    information: float
    parameters: tuple[tuple[str, float], ...]

    @property
    def informed(self) -> bool:
        """Whether the rows say more than the prior."""
        return self.information > 1


def fit(evaluate: Evaluator, target: Likelihood, start: Floats) -> Fit:
    """Minimise (simulated − published)ᵀ Σ⁻¹ (simulated − published) + Σ(vector)²: the priors are penalties.

    Levenberg and Marquardt's steps of `scipy.optimize.least_squares`, with central differences one quarter of a prior
    SD away, so that Monte Carlo noise, common to all vectors, does not enter the slopes.
    """
    from scipy.optimize import least_squares

    root = target.root

    def residuals(x: Floats) -> Floats:
        return np.concatenate([root @ _finite(evaluate(x) - target.observed, x), x])

    def slopes(x: Floats) -> Floats:
        steps = STEP * np.eye(len(x))
        rows = [_finite(evaluate(x + step) - evaluate(x - step), x) / (2 * STEP) for step in steps]
        return np.concatenate([root @ np.array(rows).T, np.eye(len(x))])

    found = least_squares(
        residuals, start, jac=slopes, method="trf", bounds=(-4, 4), max_nfev=MOST, xtol=1e-3, ftol=1e-3
    )
    summaries = evaluate(found.x)
    return Fit(
        found.x,
        summaries,
        (summaries - target.observed) / target.sd,
        slopes(found.x)[: len(summaries)],
        float(2 * found.cost),
        float((residuals(start) ** 2).sum()),
        int(found.njev),
    )


def _finite(values: Floats, x: Floats) -> Floats:
    if not np.isfinite(values).all():
        raise CalibrationError(f"nobody could be recruited at {np.round(x, 2).tolist()} prior SDs. Narrow the priors")
    return values


def directions(jacobian: Floats, parameters: Sequence[Parameter]) -> list[Direction]:
    """Eigenvectors of the prior-whitened information JᵀJ, best informed first, each with its three main parameters.

    A direction with information λ has posterior variance 1/(1 + λ) of the prior's.
    """
    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    found = []
    for value, vector in sorted(zip(values, vectors.T, strict=True), key=lambda pair: -pair[0]):
        main = np.argsort(-np.abs(vector))[:3]
        sign = np.sign(vector[main[0]])
        found.append(Direction(float(value), tuple((parameters[k].name, float(sign * vector[k])) for k in main)))
    return found
