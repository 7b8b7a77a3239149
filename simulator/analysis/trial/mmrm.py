"""Mixed model for repeated measures: change from baseline at all visits, by REML; unstructured covariance by default.

Arm, baseline, strata and covariates have their own coefficient at every visit; with `matched` scores each visit also
has a coefficient of its own score. Standard errors and degrees of freedom
are those of `kenward_roger`: Satterthwaite's, or Kenward and Roger's. With nothing missing and an unstructured
covariance all are those of the ANCOVA at the visit.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from simulator.analysis.trial.data import Bools, Floats, TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis
from simulator.analysis.trial.design import ARM, columns, usable
from simulator.analysis.trial.errors import NotEstimableError, solvable
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, adjusted, wald
from simulator.analysis.trial.potential import as_if_alive
from simulator.analysis.trial.structures import Fitted, Name, fitted, in_theta, start
from simulator.analysis.trial.structures import fit as structured
from simulator.analysis.trial.unstructured import (
    Patterns,
    curvatures,
    maximum,
    patterns,
    traces,
    traces_of,
    variance_gradient,
)

ESTIMAND = estimand(
    "change of function from baseline to the visit of analysis",
    "difference of means, adjusted for baseline and strata",
    death(Strategy.HYPOTHETICAL, "as if nobody died: values after death count as missing at random"),
    STOPPING,
    PAV,
)


Df = Literal["satterthwaite", "kenward_roger"]
ORDER: tuple[Name, ...] = ("unstructured", "toeplitz", "ar1", "compound_symmetry")
"""Covariances from the most general on; each is the fallback of the one before."""
WORDS = {"satterthwaite": "Satterthwaite df", "kenward_roger": "Kenward–Roger"}


def mmrm(
    data: TrialData,
    *,
    covariates: tuple[str, ...] = (),
    covariance: Name = "unstructured",
    fallback: bool = False,
    df: Df = "satterthwaite",
) -> Estimate:
    """Adjusted difference in change at the last visit.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline and strata.
    covariance : {"unstructured", "toeplitz", "ar1", "compound_symmetry"}
        That of the visits.
    fallback : bool
        Whether the next in ORDER is taken where this one cannot be estimated; the method says which it is.
    df : {"satterthwaite", "kenward_roger"}
        How the standard error and degrees of freedom are found.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    return at_last_visit(data, covariates, How(covariance, df), fallback=fallback)


class How(NamedTuple):
    """The covariance of the visits; how standard error and df are found; whether visits have their own scores."""

    covariance: Name = "unstructured"
    df: Df = "satterthwaite"
    matched: bool = False


USUAL = How()


def at_last_visit(data: TrialData, covariates: tuple[str, ...], how: How, *, fallback: bool) -> Estimate:
    """The difference between arms at the last visit, by the first covariance that can be estimated."""
    weights = np.zeros(data.later_change().shape[1])
    weights[-1] = 1
    tried = ORDER[ORDER.index(how.covariance) :] if fallback else (how.covariance,)
    for name in tried:
        words = f"MMRM, {name.replace('_', ' ')} covariance, REML, {WORDS[how.df]}"
        if name != how.covariance:
            words += f", {how.covariance.replace('_', ' ')} not estimable"
        try:
            about = About(adjusted(words, (*covariates, *["prognostic score of each visit"] * how.matched)), ESTIMAND)
            return contrast(data, weights, about, covariates=covariates, how=how._replace(covariance=name))
        except NotEstimableError:
            if name == tried[-1]:
                raise
    raise AssertionError


def contrast(
    data: TrialData, weights: Floats, about: About, *, covariates: tuple[str, ...] = (), how: How = USUAL
) -> Estimate:
    """A weighted sum of the differences between arms at the visits after baseline, weights : (v − 1,)."""
    with solvable("MMRM"):
        cells, found, n = fit(data, covariates=covariates, covariance=how.covariance, matched=how.matched)
        wanted = np.zeros_like(found.state.beta)
        wanted[ARM] = weights
        variance, df = (kenward_roger if how.df == "kenward_roger" else satterthwaite)(cells, found, wanted)
    return wald(float(found.state.beta[ARM] @ weights), float(np.sqrt(variance)), about, n=n, df=df)


def fit(
    data: TrialData, *, covariates: tuple[str, ...] = (), covariance: Name = "unstructured", matched: bool = False
) -> tuple[Patterns, Fitted, int]:
    """The fitted model and the number of participants with at least one visit after baseline."""
    z, change = columns(data, covariates), data.later_change()
    visits, free = change.shape[1], np.ones((z.shape[1], change.shape[1]), np.bool_)
    if matched:
        z, free = np.column_stack([z, data.scores[:, 1:]]), np.concatenate([free, np.eye(visits, dtype=np.bool_)])
    rows = usable(z) & np.isfinite(change).any(axis=1)
    z, change = z[rows], change[rows]
    cells, near = patterns(z, change), _start(z, change, free)
    if matched:
        cells = cells._replace(free=np.flatnonzero(free))
    if covariance == "unstructured":
        return cells, fitted(cells, maximum(cells, near)), len(z)
    return cells, structured(cells, covariance, start(covariance, near)), len(z)


def _start(z: Floats, y: Floats, free: Bools) -> Floats:
    """Covariance of the residuals of each visit's own regression, drawn towards its diagonal until it is one."""
    seen = np.isfinite(y)
    own_columns = int(free.sum(axis=0).max())
    if seen.sum(axis=0).min() <= own_columns:
        raise NotEstimableError("MMRM: a visit has fewer participants than coefficients. Leave it out")
    residual = np.zeros_like(y)
    for visit, rows in enumerate(seen.T):
        own_z = z[rows][:, free[:, visit]]
        fitted = own_z @ np.linalg.lstsq(own_z, y[rows, visit], rcond=None)[0]
        residual[rows, visit] = y[rows, visit] - fitted
    pairs = seen.T.astype(np.float64) @ seen
    sigma = residual.T @ residual / np.maximum(pairs - own_columns, 1)
    own = np.diag(np.diagonal(sigma))
    if not np.diagonal(sigma).min() > 0:
        raise NotEstimableError("MMRM: a visit has no variance left after its covariates")
    while np.linalg.eigvalsh(sigma)[0] < 1e-3 * np.diagonal(own).min():
        sigma = 0.7 * sigma + 0.3 * own
    return np.asarray(sigma)


ANALYSES = (Analysis("mmrm", mmrm, ESTIMAND, CHANGE, truth=as_if_alive),)


def satterthwaite(data: Patterns, of: Fitted, contrast: Floats) -> tuple[float, float]:
    """The variance of a contrast : (q, v) and its degrees of freedom."""
    f, gradient, _ = variance_gradient(data, of.state, contrast)
    slope = in_theta(of.first, gradient)
    return f, 2 * f**2 / float(slope @ np.linalg.solve(of.information, slope))


def kenward_roger(data: Patterns, of: Fitted, contrast: Floats) -> tuple[float, float]:
    """The same by Kenward and Roger."""
    at = of.state
    f, gradient, pull = variance_gradient(data, at, contrast)
    curved = curvatures(data, at)
    covariance = at.covariance.reshape(len(curved), -1)
    weight, inside = at.weight, pull.T @ data.zz @ pull
    expected = (
        traces(weight, data.size[:, None, None] * weight)
        - 2 * traces(weight, weight @ at.leverage @ weight)
        + traces_of(np.tensordot(covariance, curved, 1))
    ) / 2
    towards = np.tensordot(pull.reshape(-1), curved, 1)  # l'C G_i
    more = traces(weight, weight @ inside @ weight) - towards.T @ covariance @ towards
    inverse = np.linalg.inv(in_theta(of.first, expected))
    slope = in_theta(of.first, gradient)
    return f + 2 * float((inverse * in_theta(of.first, more)).sum()), 2 * f**2 / float(slope @ inverse @ slope)
