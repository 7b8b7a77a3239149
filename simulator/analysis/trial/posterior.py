"""The posterior of a difference of means, where something is known of the control's; and what it says as an estimate.

    y = β₀ + δ arm + covariates + ε,    ε ~ N(0, σ²),    γ = the control's mean at the mean of the covariates

σ² has the prior 1/σ², δ and all coefficients but γ a flat one, γ a mixture of normals, or a flat one. Given σ all is
normal, and the posterior of (γ, δ) is a mixture in closed form; over log σ² the trapezoidal rule converges
exponentially. With a flat γ the posterior of δ is the t of least squares: its interval and p are those of ANCOVA.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.analysis.trial.borrowing import Normals
from simulator.analysis.trial.data import Floats, TrialData
from simulator.analysis.trial.design import ARM, columns, least_squares, usable
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimate import About, Estimate

NODES, TAIL = 32, 1e-13
"""Nodes for σ², and the probability beyond them at either side."""
LEAST_WEIGHT = 1e-12


class Fitted(NamedTuple):
    """Least squares as a posterior needs it: δ and γ, the entries of (X'X)⁻¹ that are theirs, s², n."""

    delta: float
    gamma: float
    of_delta: float
    of_gamma: float
    of_both: float
    variance: float
    df: int
    n: int
    controls: int


class Found(NamedTuple):
    """The posterior of δ, and the effective number of controls that the prior of γ added."""

    delta: Normals
    borrowed: float


def fitted(data: TrialData, covariates: tuple[str, ...] = ()) -> Fitted:
    """ANCOVA of the change at the last visit, and the control's mean at the mean of the covariates."""
    x, y = columns(data, covariates), data.later_change()[:, -1]
    rows = usable(x) & np.isfinite(y)
    fit = least_squares(x[rows], y[rows])
    at = x[rows].mean(axis=0)
    at[ARM] = 0.0
    variance = float(((y[rows] - x[rows] @ fit.coefficients) ** 2).sum() / fit.df)
    if not variance > 0:
        raise NotEstimableError("everybody changes as the model says, so there is no error to know the mean by")
    inverse = fit.covariance / variance
    return Fitted(
        float(fit.coefficients[ARM]),
        float(at @ fit.coefficients),
        float(inverse[ARM, ARM]),
        float(at @ inverse @ at),
        float(inverse[ARM] @ at),
        variance,
        fit.df,
        int(rows.sum()),
        int((rows & ~data.treated).sum()),
    )


def difference(fit: Fitted, prior: Normals | None) -> Found:
    """The posterior of δ with a prior of γ; flat without one."""
    spread, weight = _variances(fit)
    if prior is None:
        mean = np.full(len(spread), fit.delta)
        return Found(Normals(weight, mean, np.sqrt(spread * fit.of_delta)), 0.0)
    apart = prior.sd**2 + spread[:, None] * fit.of_gamma
    log = np.log(weight)[:, None] + np.log(prior.weight)
    log = log - 0.5 * (np.log(apart) + (fit.gamma - prior.mean) ** 2 / apart)
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    shrink = spread[:, None] * fit.of_gamma / apart  # how far γ goes to the prior
    gamma, sd_gamma = fit.gamma + shrink * (prior.mean - fit.gamma), np.sqrt(shrink) * prior.sd
    slope = fit.of_both / fit.of_gamma
    left = spread * (fit.of_delta - fit.of_both * slope)
    mean, sd = fit.delta + slope * (gamma - fit.gamma), np.sqrt(left[:, None] + (slope * sd_gamma) ** 2)
    kept = weights > LEAST_WEIGHT
    delta = Normals(weights[kept] / weights[kept].sum(), mean[kept], sd[kept])
    alone = float(weight @ spread) * fit.of_gamma
    with_prior = Normals(weights[kept] / weights[kept].sum(), gamma[kept], sd_gamma[kept]).moments[1] ** 2
    return Found(delta, fit.controls * (alone / with_prior - 1))


def _variances(fit: Fitted) -> tuple[Floats, Floats]:
    """Values of σ² and their weights: df s²/σ² is chi-squared."""
    from scipy.stats import chi2

    low, high = np.log(chi2.ppf(TAIL, fit.df)), np.log(chi2.isf(TAIL, fit.df))
    x = np.linspace(low, high, NODES)
    log = 0.5 * fit.df * x - 0.5 * np.exp(x)  # density of the logarithm
    weight = np.exp(log - log.max())
    return fit.df * fit.variance / np.exp(x), weight / weight.sum()


def estimate(found: Normals, about: About, n: int) -> Estimate:
    """Posterior mean and standard deviation, the 95 % interval of equal tails, and twice the smaller tail beyond 0.

    p is no test: 1 − p/2 is the probability that the effect has the sign of the mean.
    """
    mean, sd = found.moments
    if not (np.isfinite(mean) and np.isfinite(sd) and sd > 0):
        raise NotEstimableError(f"{about.method}: these data give {mean:g} with standard deviation {sd:g}")
    below = float(found.below(0.0))
    limits = found.quantile(0.025), found.quantile(0.975)
    p = 2 * min(below, float(Normals(found.weight, -found.mean, found.sd).below(0.0)))
    return Estimate(mean, sd, float("inf"), *limits, p, n, about.method, about.estimand, about.scale)


def told(what: str, below: float, borrowed: float, unit: str = "participants") -> str:
    """A method in words, with the probability of an effect above 0 and how much was borrowed."""
    words = f"{what}; P(above 0) {1 - below:.4f}"
    return f"{words}; earlier controls count as {borrowed:.1f} {unit}"
