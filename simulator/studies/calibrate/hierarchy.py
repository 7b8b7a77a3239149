"""Rows as a linear model of the parameters, with effects of cohorts: what some cohorts' rows say of another's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.studies.calibrate.likelihood import Likelihood

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
SPEEDS = np.linspace(0, 1.5, 31)
"""Between-cohort SDs of log D50 that are weighed."""
LEVELS = np.linspace(0, 1.5, 31)
"""Between-cohort SDs of the level of a quantity that are weighed, in SDs between people."""
BELIEF = 0.35
"""Scale of the half-normal prior of the first, that of `cohort_log_shift` (assumed)."""
LEVEL_BELIEF = 0.35
"""Scale of the half-normal prior of the second (assumed)."""
NEGLIGIBLE = 1e-4  # weight of a pair of SDs that is left out of a prediction


class Linear(NamedTuple):
    """Summaries as linear functions of the parameters, in prior SDs, and of what is a cohort's own.

    `value` : (n,) is that at `centre` : (p,); `jacobian` : (n, p). `shift` : (n,) is the slope by a cohort's shift of
    log D50, `spread` : (n,) the SD between people of the quantity, 0 where a cohort's own level cancels.
    """

    centre: Floats
    value: Floats
    jacobian: Floats
    shift: Floats
    spread: Floats


class Known(NamedTuple):
    """Rows that may inform: their model, what was published, whose and of which quantity they are, which are fitted.

    Rows that are not fitted inform the between-cohort SDs alone.
    """

    model: Linear
    target: Likelihood
    cohorts: NDArray[np.str_]
    quantities: NDArray[np.str_]
    fitted: Mask


class Predicted(NamedTuple):
    """Means of rows and their SDs by the parameters, by the cohort's speed and by the cohort's level."""

    mean: Floats
    parameters: Floats
    speed: Floats
    level: Floats


def posterior(known: Known, kept: Mask, between: tuple[float, float]) -> tuple[Floats, Floats]:
    """Mean and covariance of the parameters, in prior SDs, from the fitted rows that are kept."""
    rows = kept & known.fitted
    slopes, weight = known.model.jacobian[rows], np.linalg.inv(_covariance(known, rows, between))
    covariance = np.linalg.inv(slopes.T @ weight @ slopes + np.eye(slopes.shape[1]))
    return covariance @ slopes.T @ weight @ _away(known, rows), np.asarray(covariance, np.float64)


def between_cohorts(known: Known, kept: Mask) -> Floats:
    """Posterior probabilities of pairs of between-cohort SDs, (SPEEDS, LEVELS), all else integrated out."""
    away, slopes = _away(known, kept), known.model.jacobian[kept]
    height = np.empty((len(SPEEDS), len(LEVELS)))
    for at in np.ndindex(height.shape):
        pair = float(SPEEDS[at[0]]), float(LEVELS[at[1]])
        root = np.linalg.cholesky(_covariance(known, kept, pair) + slopes @ slopes.T)
        white = np.linalg.solve(root, away)
        prior = (pair[0] / BELIEF) ** 2 + (pair[1] / LEVEL_BELIEF) ** 2
        height[at] = -0.5 * white @ white - np.log(np.diag(root)).sum() - 0.5 * prior
    weights = np.exp(height - height.max())
    return np.asarray(weights / weights.sum(), np.float64)


def _away(known: Known, rows: Mask) -> Floats:
    """What was published, less the model at the priors' centre."""
    model = known.model
    return (known.target.observed - model.value + model.jacobian @ model.centre)[rows]


def _covariance(known: Known, rows: Mask, between: tuple[float, float]) -> Floats:
    """Errors of rows; those of one cohort share its shift, those of one quantity of it also its level."""
    cohorts, quantities = known.cohorts[rows], known.quantities[rows]
    same = cohorts[:, None] == cohorts
    alike = same & (quantities[:, None] == quantities)
    shift, spread = known.model.shift[rows], known.model.spread[rows]
    speed, level = (between[0] ** 2 * same * np.outer(shift, shift), between[1] ** 2 * alike * np.outer(spread, spread))
    return np.asarray(known.target.covariance[np.ix_(rows, rows)] + speed + level)


def predict(known: Known, model: Linear, cohort: str) -> Predicted:
    """Rows of a cohort from the other cohorts' rows."""
    kept = known.cohorts != cohort
    weights = between_cohorts(known, kept)
    likely = np.argwhere(weights > NEGLIGIBLE)
    share = np.array([weights[tuple(at)] for at in likely])
    share /= share.sum()
    means, spreads = [], []
    for speed, level in likely:
        mean, covariance = posterior(known, kept, (float(SPEEDS[speed]), float(LEVELS[level])))
        means.append(model.value + model.jacobian @ (mean - model.centre))
        spreads.append(np.einsum("ij,jk,ik->i", model.jacobian, covariance, model.jacobian))
    mean = share @ np.array(means)
    variance = share @ (np.array(spreads) + (np.array(means) - mean) ** 2)
    by_speed, by_level = (np.sqrt(weights.sum(axis=axis) @ grid**2) for axis, grid in ((1, SPEEDS), (0, LEVELS)))
    return Predicted(mean, np.sqrt(variance), by_speed * np.abs(model.shift), by_level * model.spread)
