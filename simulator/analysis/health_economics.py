"""Life years, quality-adjusted life years and costs from the share of patients in each state over time.

Shares are known at the ends of cycles and go in a straight line between them: without discounting an area is the mean
of the two ends times the cycle's length, which is the half-cycle correction. Discounting at a rate r a year multiplies
what happens at time t by (1 + r)^−t, inside a cycle too: the integrals of (1 − s/h) e^−δs and (s/h) e^−δs with
δ = ln(1 + r) are the weights of a cycle's two ends. So the length of a cycle matters only where shares bend inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.units import DAYS_PER_YEAR

Floats = NDArray[np.float64]


def discounted(day: ArrayLike, rate_per_year: float) -> Floats:
    """What 1 on a day is worth on day 0: (1 + r)^−years."""
    found: Floats = (1 + rate_per_year) ** (-np.asarray(day, np.float64) / DAYS_PER_YEAR)
    return found


def discounted_years(start: ArrayLike, end: ArrayLike, rate_per_year: float) -> Floats:
    """Years from one day to another, each day at what it is worth on day 0; 0 where the end is not after the start."""
    begin, length = np.asarray(start, np.float64), np.asarray(end, np.float64) - np.asarray(start, np.float64)
    inside = length > 0
    found: Floats = np.zeros(np.broadcast(begin, length).shape)
    found[inside] = discounted(begin, rate_per_year)[inside] * _area(
        float(np.log1p(rate_per_year)), length[inside] / DAYS_PER_YEAR
    )
    return found


def year_weights(day: ArrayLike, rate_per_year: float, horizon: float | None = None) -> Floats:
    """Weights w with sum(w x) the discounted area, in years, under x given at the days.

    Parameters
    ----------
    day : (n,) [d]
        The ends of the cycles, ascending from 0.
    rate_per_year : float
    horizon : float, optional
        Day at which the area ends, at most the last; inside a cycle x is cut where its straight line is.

    Returns
    -------
    (n,) [years]
    """
    days = np.asarray(day, np.float64)
    end = float(days[-1]) if horizon is None else horizon
    if len(days) < 2 or (np.diff(days) <= 0).any() or days[0] != 0 or not 0 < end <= days[-1] + 1e-6:
        raise ValueError(f"the days must ascend from 0 and reach the horizon, day {end:g}")
    length = np.diff(days) / DAYS_PER_YEAR
    reach = np.clip(end - days[:-1], 0, np.diff(days)) / DAYS_PER_YEAR
    delta = float(np.log1p(rate_per_year))
    first, rising = _area(delta, reach), _moment(delta, reach) / length
    factor = np.exp(-delta * days[:-1] / DAYS_PER_YEAR)
    weights = np.zeros(len(days))
    weights[:-1] += factor * (first - rising)
    weights[1:] += factor * rising
    return weights


def _area(delta: float, h: Floats) -> Floats:
    """Integral of e^−δs from 0 to h."""
    found: Floats = h if delta == 0 else -np.expm1(-delta * h) / delta
    return found


def _moment(delta: float, h: Floats) -> Floats:
    """Integral of s e^−δs from 0 to h; a series where δh is small, for the closed form cancels there."""
    x = delta * h
    series = h**2 * (1 / 2 - x / 3 + x**2 / 8 - x**3 / 30)
    if (np.abs(x) < 1e-3).all():
        return series
    found: Floats = np.where(np.abs(x) < 1e-3, series, (-np.expm1(-x) - x * np.exp(-x)) / delta**2)
    return found


@dataclass(frozen=True)
class Present:
    """What 1 on each day is worth on day 0: a discount rate that may change on a day, times factors of a price.

    Parameters
    ----------
    rate : float
        Discount rate a year.
    later : (day, rate), optional
        The rate from a day on; what is before the day stays discounted as it was.
    steps : sequence of (day, factor)
        From each day on a price is its own times the factor, which replaces that of an earlier step.
    """

    rate: float
    later: tuple[float, float] | None = None
    steps: Sequence[tuple[float, float]] = ()

    def with_steps(self, steps: Sequence[tuple[float, float]]) -> Present:
        """The same discounting of a price that changes."""
        return Present(self.rate, self.later, steps) if steps else self

    def pieces(self) -> list[tuple[float, float, float, float]]:
        """Stretches of time with one rate and one price: start, end, rate, and the factor of (1 + rate)^−years."""
        changes = sorted(self.steps)
        switch = self.later[0] if self.later is not None else np.inf
        days = sorted({0.0, switch, *(day for day, _ in changes), np.inf})
        found = []
        for start, end in pairwise(days):
            rate, scale = self.rate, 1.0
            if self.later is not None and start >= switch:
                rate = self.later[1]
                scale = float(discounted(switch, self.rate) / discounted(switch, rate))
            price = [factor for day, factor in changes if day <= start]
            found.append((start, end, rate, scale * (price[-1] if price else 1.0)))
        return found

    def worth(self, day: ArrayLike) -> Floats:
        """What 1 on a day is worth; `day` from 0 on."""
        days = np.asarray(day, np.float64)
        found = np.zeros(days.shape)
        for start, end, rate, scale in self.pieces():
            inside = (days >= start) & (days < end)
            found[inside] = scale * discounted(days[inside], rate)
        return found

    def years(self, start: ArrayLike, end: ArrayLike) -> Floats:
        """Years from a day to another, each day at its worth; 0 where the end is not after the start."""
        begins, ends = np.asarray(start, np.float64), np.asarray(end, np.float64)
        found: Floats = np.zeros(np.broadcast(begins, ends).shape)
        for since, until, rate, scale in self.pieces():
            found = found + scale * discounted_years(np.maximum(begins, since), np.minimum(ends, until), rate)
        return found

    def moments(self, start: ArrayLike, end: ArrayLike) -> Floats:
        """As `years`, each day times the years since the start."""
        begins, ends = np.asarray(start, np.float64), np.asarray(end, np.float64)
        found: Floats = np.zeros(np.broadcast(begins, ends).shape)
        for since, until, rate, scale in self.pieces():
            first, delta = np.maximum(begins, since), float(np.log1p(rate))
            h = np.maximum(np.minimum(ends, until) - first, 0.0) / DAYS_PER_YEAR
            inside = (first - begins) / DAYS_PER_YEAR * _area(delta, h) + _moment(delta, h)
            found = found + scale * discounted(np.minimum(first, ends), rate) * inside
        return found

    def weights(self, day: ArrayLike, horizon: float) -> Floats:
        """As `year_weights`, of the whole."""
        found: Floats = np.zeros(len(np.asarray(day)))
        for since, until, rate, scale in self.pieces():
            if since < horizon:
                found = found + scale * year_weights(day, rate, min(until, horizon))
                found = found - (scale * year_weights(day, rate, since) if since > 0 else 0.0)
        return found


def quality(shares: ArrayLike, utilities: ArrayLike) -> Floats:
    """Mean utility at each time: shares (…, states) times utilities (states,), death being 0."""
    found: Floats = np.asarray(shares, np.float64) @ np.asarray(utilities, np.float64)
    return found


def most_error(shares: ArrayLike, utilities: ArrayLike, weights: Floats, n: float) -> float:
    """An upper bound of the Monte Carlo error of discounted quality, from shares alone.

    A summary does not know how a patient's states hang together over time; the SD of a sum is at most the sum of SDs.
    """
    mean = quality(shares, utilities)
    square = quality(shares, np.asarray(utilities, np.float64) ** 2)
    return float(np.abs(weights) @ np.sqrt(np.maximum(square - mean**2, 0.0))) / float(np.sqrt(n))


def net_benefit(qalys: ArrayLike, costs: ArrayLike, willingness_to_pay: float) -> Floats:
    """Net monetary benefit: what the QALYs are worth, less what they cost."""
    found: Floats = willingness_to_pay * np.asarray(qalys, np.float64) - np.asarray(costs, np.float64)
    return found


OLDEST = 120.0
STEPS_A_YEAR = 12


def expected_quality(
    age: ArrayLike, from_age: float, dying: ArrayLike, utility: tuple[float, float, float], present: Present
) -> Floats:
    """Discounted QALYs that people of some ages have left by a life table.

    Parameters
    ----------
    age : (n,) [years]
        Not below `from_age`.
    from_age : float
        Age of the first probability.
    dying : (ages,)
        Probability of dying within a year of age, at a constant hazard in it; the last holds on to age 120.
    utility : (constant, per year of age, per squared year)
    present : Present
        What a year is worth by its day.

    Returns
    -------
    (n,)
    """
    ages = np.asarray(age, np.float64)
    if ages.size == 0:
        return np.zeros(0)
    if ages.min() < from_age:
        raise ValueError(f"the life table begins at age {from_age:g}, and somebody is {ages.min():.1f}")
    hazard = -np.log1p(-np.minimum(np.asarray(dying, np.float64), 1 - 1e-12))
    begun = np.concatenate([[0.0], np.cumsum(hazard)])  # the hazard lived through at the start of each year of age
    years = np.arange(0, OLDEST - ages.min(), 1 / STEPS_A_YEAR)
    at = ages[:, None] + years
    year = np.minimum((at - from_age).astype(np.intp), len(hazard) - 1)
    through = begun[year] + hazard[year] * (at - from_age - year)
    alive = np.exp(through[:, [0]] - through)
    value = utility[0] + utility[1] * at + utility[2] * at**2
    found: Floats = (alive * np.maximum(value, 0.0) * (at <= OLDEST)) @ present.weights(
        years * DAYS_PER_YEAR, float(years[-1] * DAYS_PER_YEAR)
    )
    return found
