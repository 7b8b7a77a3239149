"""How far summaries are from what was published: errors of one curve are correlated, as its patients are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.studies.calibrate.rows import Datum
from simulator.studies.evidence.score import Runs, figures

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


def likelihood(data: Sequence[Datum], start: Runs) -> Likelihood:
    """Published errors with the correlations of simulated patients, plus the discrepancy, independent from row to row.

    The rows of a curve share their patients; how strongly their errors go together is not published and is taken from
    the patients simulated at `start`, measurement noise included. Rows of different curves count as independent.
    """
    errors = np.array([datum.se for datum in data])
    correlation = np.eye(len(data))
    for curve in {datum.curve for datum in data}:
        mine = [k for k, datum in enumerate(data) if datum.curve == curve]
        if len(mine) > 1:
            correlation[np.ix_(mine, mine)] = _correlation([data[k] for k in mine], start)
    covariance = correlation * np.outer(errors, errors) + np.diag([datum.slack**2 for datum in data])
    return Likelihood(np.array([datum.observed for datum in data]), covariance)


def _correlation(curve: Sequence[Datum], start: Runs) -> Floats:
    """Of the means of the same patients at several times; both measurements of a change are noisy, one is shared."""
    by_point = [figures(datum.target.model_copy(update={"n": 1.0}), start) for datum in curve]
    total = np.zeros((len(curve), len(curve)))
    for arm, size in enumerate(by_point[0][1]):
        found = [point[arm] for point, _ in by_point]
        influence = np.array([one.estimate.influence for one in found])
        people = influence @ influence.T / influence.shape[1]
        noise = found[0].person - found[0].estimate.mcse ** 2 * influence.shape[1]
        total += (people + noise / 2 * (1 + np.eye(len(curve)))) / (size or 1.0)
    spread = np.sqrt(np.diag(total))
    return total / np.outer(spread, spread)
