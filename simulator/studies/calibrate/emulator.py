"""A quadratic emulator of the summaries around the point fit, with the error it makes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


class Emulator(NamedTuple):
    """Summaries, or their logarithms where `log`, as polynomials of degree 2 in u = W (x − centre).

    `error` is the leave-one-out RMSE of the summaries, (n_data,).
    """

    centre: Floats
    whiten: Floats
    coefficients: Floats
    error: Floats
    log: NDArray[np.bool_]

    def __call__(self, x: Floats) -> Floats:
        """Summaries at vectors x : (n, n_parameters), shape (n, n_data)."""
        found = _terms((x - self.centre) @ self.whiten.T) @ self.coefficients
        return np.where(self.log, np.exp(np.where(self.log, found, 0.0)), found)


def _terms(u: Floats) -> Floats:
    """1, u_i, and u_i u_j for i ≤ j."""
    first, second = np.triu_indices(u.shape[1])
    return np.concatenate([np.ones((len(u), 1)), u, u[:, first] * u[:, second]], axis=1)


def emulate(x: Floats, y: Floats, centre: Floats, whiten: Floats) -> Emulator:
    """Fit the polynomial by ridge regression; products are penalised, the penalty chosen by leave-one-out error.

    Summaries that are positive at every vector (times, ratios) are emulated by their logarithms.

    Parameters
    ----------
    x : (n, n_parameters)
    y : (n, n_data)
    centre, whiten : (n_parameters,), (n_parameters, n_parameters)
        The design has about mean 0 and covariance 1 in u = W (x − centre).
    """
    log = np.asarray((y > 0).all(axis=0), bool)
    unit = np.where(log, np.abs(y).mean(axis=0), 1.0)  # an error of a logarithm, times this, is one of the summary
    y = np.where(log, np.log(np.where(log, y, 1.0)), y)
    terms = _terms((x - centre) @ whiten.T)
    penalty = np.where(np.arange(terms.shape[1]) <= x.shape[1], 1e-8, 1.0)
    gram, moment = terms.T @ terms, terms.T @ y
    best: tuple[float, Floats, Floats] | None = None
    scale = y.std(axis=0) + 1e-12
    for strength in PENALTIES:
        inverse = np.linalg.inv(gram + strength * np.diag(penalty))
        coefficients = inverse @ moment
        leverage = np.einsum("ij,jk,ik->i", terms, inverse, terms)
        left_out = (y - terms @ coefficients) / np.maximum(1 - leverage, 1e-6)[:, None]
        error = np.sqrt((left_out**2).mean(axis=0))
        if best is None or (error / scale).mean() < best[0]:
            best = float((error / scale).mean()), coefficients, error
    assert best is not None
    return Emulator(centre, whiten, best[1], best[2] * unit, log)
