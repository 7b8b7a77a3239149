"""Mixed model for repeated measures: change from baseline at all visits, unstructured covariance, by REML.

Arm, baseline, strata and covariates have their own coefficient at every visit. Standard errors are those of the fitted
covariance; degrees of freedom are Satterthwaite's, from the observed information of the restricted likelihood. With
nothing missing both are those of the ANCOVA at the visit.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.trial.data import Floats, TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis
from simulator.analysis.trial.design import ARM, columns, usable
from simulator.analysis.trial.errors import NotEstimableError, solvable
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, wald
from simulator.analysis.trial.potential import as_if_alive
from simulator.analysis.trial.unstructured import Patterns, State, maximum, patterns, satterthwaite

ESTIMAND = estimand(
    "change of function from baseline to the visit of analysis",
    "difference of means, adjusted for baseline and strata",
    death(Strategy.HYPOTHETICAL, "as if nobody died: values after death count as missing at random"),
    STOPPING,
    PAV,
)


def mmrm(data: TrialData, *, covariates: tuple[str, ...] = ()) -> Estimate:
    """Adjusted difference in change at the last visit.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline and strata.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    weights = np.zeros(data.later_change().shape[1])
    weights[-1] = 1
    words = "MMRM, unstructured covariance, REML, Satterthwaite df"
    about = About(words + "".join(f", adjusted for {name}" for name in covariates), ESTIMAND)
    return contrast(data, weights, about, covariates=covariates)


def contrast(data: TrialData, weights: Floats, about: About, *, covariates: tuple[str, ...] = ()) -> Estimate:
    """A weighted sum of the differences between arms at the visits after baseline, weights : (v − 1,)."""
    with solvable("MMRM"):
        cells, fitted, n = fit(data, covariates=covariates)
        wanted = np.zeros_like(fitted.beta)
        wanted[ARM] = weights
        variance = float(np.tensordot(np.tensordot(wanted, fitted.covariance, 2), wanted, 2))
        df = satterthwaite(cells, fitted, wanted)
    return wald(float(fitted.beta[ARM] @ weights), float(np.sqrt(variance)), about, n=n, df=df)


def fit(data: TrialData, *, covariates: tuple[str, ...] = ()) -> tuple[Patterns, State, int]:
    """The fitted model and the number of participants with at least one visit after baseline."""
    z, change = columns(data, covariates), data.later_change()
    rows = usable(z) & np.isfinite(change).any(axis=1)
    z, change = z[rows], change[rows]
    cells = patterns(z, change)
    return cells, maximum(cells, _start(z, change)), len(z)


def _start(z: Floats, y: Floats) -> Floats:
    """Covariance of the residuals of each visit's own regression, drawn towards its diagonal until it is one."""
    seen = np.isfinite(y)
    if seen.sum(axis=0).min() <= z.shape[1]:
        raise NotEstimableError("MMRM: a visit has fewer participants than coefficients. Leave it out")
    residual = np.zeros_like(y)
    for visit, rows in enumerate(seen.T):
        fitted = z[rows] @ np.linalg.lstsq(z[rows], y[rows, visit], rcond=None)[0]
        residual[rows, visit] = y[rows, visit] - fitted
    pairs = seen.T.astype(np.float64) @ seen
    sigma = residual.T @ residual / np.maximum(pairs - z.shape[1], 1)
    own = np.diag(np.diagonal(sigma))
    if not np.diagonal(sigma).min() > 0:
        raise NotEstimableError("MMRM: a visit has no variance left after its covariates")
    while np.linalg.eigvalsh(sigma)[0] < 1e-3 * np.diagonal(own).min():
        sigma = 0.7 * sigma + 0.3 * own
    return np.asarray(sigma)


ANALYSES = (Analysis("mmrm", mmrm, ESTIMAND, CHANGE, truth=as_if_alive),)
