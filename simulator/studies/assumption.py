"""How much of an answer's spread over the ensemble rests on assumption."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PER_PARAMETER = 4
"""Draws a parameter that the regression needs."""


def assumed_share(values: Floats, vectors: Floats, ensemble: Floats) -> float:
    """Share of the variance over draws that comes from directions which the rows inform less than the priors.

    The principal directions of the ensemble are uncorrelated, so that the variance of a linear answer is the sum of
    b_k² v_k over them. Where v_k, in prior SDs, is above one half, the prior says more than the rows.

    Parameters
    ----------
    values : (n_draws,)
        A figure at each draw.
    vectors : (n_draws, n_parameters)
        The draws, in prior SDs.
    ensemble : (n_vectors, n_parameters)
        Where they were drawn from.

    Returns
    -------
    float
        From 0 to 1; NaN with too few draws, or where the figure does not vary.
    """
    draws, parameters = vectors.shape
    if draws < PER_PARAMETER * parameters or not np.isfinite(values).all() or np.ptp(values) == 0:
        return float("nan")
    variance, axes = np.linalg.eigh(np.cov(ensemble.T))
    scores = (vectors - ensemble.mean(axis=0)) @ axes
    slopes = np.linalg.lstsq(np.column_stack([np.ones(draws), scores]), values, rcond=None)[0][1:]
    parts = slopes**2 * variance
    return float(parts[variance > 0.5].sum() / parts.sum())
