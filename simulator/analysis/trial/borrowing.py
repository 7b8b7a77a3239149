"""Controls of earlier trials as a prior: meta-analytic-predictive, made robust, and what a trial makes of it.

    y_h ~ N(θ_h, s_h²),   θ_h ~ N(μ, τ²),   μ ~ N(m, s²),   τ half-normal

for earlier trials h, of which the new one is another. Given τ the predictive distribution of its θ is normal, so over τ
it is a mixture of normals: nodes of a quadrature are its components, weighted by the density of τ and the likelihood of
all y_h. No sampling is needed, and the posterior of the new trial is a mixture again, in closed form. The robust prior
keeps a weight for controls who are none of these.

References
----------
Neuenschwander et al. (2010), doi:10.1177/1740774509356002 (the prior). Schmidli et al. (2014), doi:10.1111/biom.12242
(robust). Neuenschwander et al. (2020), doi:10.1111/biom.13252 (what a prior is worth). Weber et al. (2021),
doi:10.18637/jss.v100.i19 (the package RBesT).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.trial.data import Floats

NODES, REACH = 60, 8.0
"""Nodes for τ, and how many of its prior's scales they reach."""


class Normals(NamedTuple):
    """A mixture of normals: (k,) weights that add up to 1, means and standard deviations."""

    weight: Floats
    mean: Floats
    sd: Floats

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        mean = float(self.weight @ self.mean)
        return mean, float(np.sqrt(self.weight @ (self.sd**2 + (self.mean - mean) ** 2)))

    def below(self, value: ArrayLike) -> Floats:
        """(...,) probability of less than each value."""
        from scipy.special import ndtr

        return np.asarray(ndtr((np.asarray(value)[..., None] - self.mean) / self.sd) @ self.weight)

    def quantile(self, p: float) -> float:
        """The value below which the probability is p."""
        from scipy.optimize import brentq

        low, high = float((self.mean - 9 * self.sd).min()), float((self.mean + 9 * self.sd).max())
        return float(brentq(lambda x: float(self.below(x)) - p, low, high, xtol=1e-9 * (high - low)))


def normal(mean: float, sd: float) -> Normals:
    """A single normal."""
    return Normals(np.ones(1), np.array([mean]), np.array([sd]))


@cache
def gauss(count: int) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre on -1 to 1."""
    x, weight = np.polynomial.legendre.leggauss(count)
    return x, weight


def predictive(value: ArrayLike, se: ArrayLike, *, between: float, about: tuple[float, float]) -> Normals:
    """The prior of a new trial's control from those of earlier ones.

    Parameters
    ----------
    value, se : (h,) mean of each earlier control group and its standard error.
    between : the scale of the half-normal prior of τ, the standard deviation between trials.
    about : mean and standard deviation of the prior of μ, the mean of all trials.

    Returns
    -------
    Normals
        A component for each τ; of many that weigh nothing only those that count are kept.

    Examples
    --------
    >>> prior = predictive([-51, -49, -36], [10.2, 6.8, 4.9], between=44, about=(0, 88))
    >>> [round(one, 1) for one in prior.moments]
    [-43.2, 23.8]
    """
    y, s = np.asarray(value, np.float64), np.asarray(se, np.float64)
    x, step = gauss(NODES)
    tau = between * REACH * ((x + 1) / 2) ** 2  # dense near 0
    spread = s**2 + tau[:, None] ** 2
    precision = (1 / spread).sum(axis=1) + 1 / about[1] ** 2
    mean = ((y / spread).sum(axis=1) + about[0] / about[1] ** 2) / precision
    square = ((y**2 / spread).sum(axis=1) + about[0] ** 2 / about[1] ** 2) - mean**2 * precision
    log = -0.5 * (np.log(spread).sum(axis=1) + np.log(precision) + square + (tau / between) ** 2)
    weight = step * (x + 1) * np.exp(log - log.max())
    weight /= weight.sum()
    kept = weight > 1e-12
    return Normals(weight[kept] / weight[kept].sum(), mean[kept], np.sqrt(tau**2 + 1 / precision)[kept])


def robust(prior: Normals, weight: float, mean: float, sd: float) -> Normals:
    """The prior with this `weight` for controls unlike those of earlier trials, about whom this normal is known."""
    other = normal(mean, sd)
    parts = zip(prior, other, strict=True)
    weights, *rest = (np.concatenate(one) for one in parts)
    weights[:-1] *= 1 - weight
    weights[-1] = weight
    return Normals(weights, *rest)


def updated(prior: Normals, value: float, se: float) -> Normals:
    """The posterior after a mean with this standard error."""
    apart = prior.sd**2 + se**2
    log = np.log(prior.weight) - 0.5 * (np.log(apart) + (value - prior.mean) ** 2 / apart)
    weight = np.exp(log - log.max())
    precision = 1 / prior.sd**2 + 1 / se**2
    return Normals(
        weight / weight.sum(), (prior.mean / prior.sd**2 + value / se**2) / precision, np.sqrt(1 / precision)
    )


def less(one: Normals, other: Normals, by: float = 0.0) -> float:
    """Probability that a value of `one` lies below an independent one of `other` + `by`."""
    weight = np.outer(one.weight, other.weight).ravel()
    mean = np.subtract.outer(one.mean, other.mean).ravel()
    sd = np.hypot.outer(one.sd, other.sd).ravel()
    return float(Normals(weight, mean, sd).below(by))


def worth(prior: Normals, sd: float) -> float:
    """How many participants, of this standard deviation, the prior stands for: by its expected information.

    That is ∫ p'²/p, 1/variance where it is normal, in units of the information of one participant: it does not take a
    long tail for want of knowledge, as the variance does.
    """
    across = np.linspace(-REACH, REACH, NODES)
    x = np.unique(prior.mean + prior.sd * across[:, None])
    gap = (x[:, None] - prior.mean) / prior.sd
    each = np.exp(-0.5 * gap**2) * (prior.weight / prior.sd)
    density, slope = each.sum(axis=1), (each * gap / prior.sd).sum(axis=1)
    information = np.where(density > 0, slope**2 / np.where(density > 0, density, 1.0), 0.0)
    return float(sd**2 * np.trapezoid(information, x) / np.trapezoid(density, x))
