"""What an analysis gives back, the same for all: a value with its error, interval, test, and estimand."""

from __future__ import annotations

from math import erfc, sqrt
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import Estimand

LEVEL = 0.95
INFINITE = float("inf")


class Estimate(NamedTuple):
    """An estimate of experimental against control; positive is better for differences of function.

    `scale` says on which scale value, error and interval are: "log" for ratios, whose normal approximation holds
    there. `df` are the degrees of freedom of t, infinite where the normal distribution is used. The interval is at
    95 %, p is two-sided, n counts the participants behind the number.
    """

    value: float
    se: float
    df: float
    lower: float
    upper: float
    p: float
    n: int
    method: str
    estimand: Estimand
    scale: Literal["identity", "log"] = "identity"

    @property
    def z(self) -> float:
        """Value over standard error; NaN without one (nobody or everybody responded)."""
        return self.value / self.se if self.se else float("nan")

    @property
    def natural(self) -> tuple[float, float, float]:
        """Value and interval as people quote them: exponentials where the scale is "log"."""
        values = (self.value, self.lower, self.upper)
        if self.scale == "identity":
            return values
        value, lower, upper = (float(np.exp(x)) for x in values)
        return value, lower, upper


class About(NamedTuple):
    """What stays the same for every estimate of one analysis."""

    method: str
    estimand: Estimand
    scale: Literal["identity", "log"] = "identity"


def adjusted(method: str, covariates: tuple[str, ...]) -> str:
    """A method in words, with what it is adjusted for."""
    return ", ".join([method, *(f"adjusted for {name}" for name in covariates)])


def two_sided(statistic: float, df: float = INFINITE) -> float:
    """Two-sided p of a t or, with infinite df, a normal statistic."""
    if np.isinf(df):
        return erfc(abs(statistic) / sqrt(2))
    from scipy.special import stdtr

    return float(2 * stdtr(df, -abs(statistic)))


def quantile(df: float = INFINITE) -> float:
    """How many standard errors the 95 % interval reaches to either side."""
    upper = (1 + LEVEL) / 2
    if np.isinf(df):
        return NormalDist().inv_cdf(upper)
    from scipy.special import stdtrit

    return float(stdtrit(df, upper))


def wald(value: float, se: float, about: About, *, n: int, df: float = INFINITE) -> Estimate:
    """The estimate whose test and interval follow from its standard error.

    Raises
    ------
    NotEstimableError
        The value is not finite, or the error is not finite and positive, or there are no degrees of freedom.
    """
    if not (np.isfinite(value) and np.isfinite(se) and se > 0 and df > 0):
        raise NotEstimableError(f"{about.method}: these data give {value:g} with standard error {se:g} and {df:g} df")
    reach = quantile(df) * se
    p = two_sided(value / se, df)
    limits = float(value - reach), float(value + reach)
    return Estimate(float(value), float(se), float(df), *limits, p, int(n), about.method, about.estimand, about.scale)
