"""How far summaries are from what was published: errors of one cohort are correlated, as its patients are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import Calibration
from simulator.studies.calibrate.cohorts import covariance
from simulator.studies.calibrate.rows import Datum
from simulator.studies.evidence.score import Runs

Floats = NDArray[np.float64]


class Likelihood(NamedTuple):
    """Published summaries, (n_data,), and the covariance of what separates them from the simulated ones."""

    observed: Floats
    covariance: Floats

    @property
    def root(self) -> Floats:
        """A matrix R with R Σ Rᵀ = 1."""
        return np.linalg.inv(np.linalg.cholesky(self.covariance))

    @property
    def sd(self) -> Floats:
        """Standard deviation of each summary."""
        return np.sqrt(np.diag(self.covariance))

    def wider(self, error: Floats) -> Likelihood:
        """With another, independent error, such as an emulator's."""
        return self._replace(covariance=self.covariance + np.diag(error**2))


def likelihood(data: Sequence[Datum], spec: Calibration, start: Runs) -> Likelihood:
    """Published errors, correlated as each cohort's patients make them, plus the discrepancy, independent by row.

    How strongly the errors of two summaries of the same people go together is not published and is taken from the
    patients simulated at `start`, measurement noise included (`cohorts.covariance`).
    """
    errors = np.array([datum.se for datum in data])
    shared = covariance(data, start, spec.cohorts)
    spread = np.sqrt(np.where(np.diag(shared) > 0, np.diag(shared), 1.0))
    correlation = shared / np.outer(spread, spread)
    np.fill_diagonal(correlation, 1.0)
    whole = correlation * np.outer(errors, errors) + np.diag([datum.slack**2 for datum in data])
    return Likelihood(np.array([datum.observed for datum in data]), whole)
