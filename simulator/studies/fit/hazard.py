"""Death, ventilation and leaving: their exact probabilities for each simulated course.

The cumulative hazard of a course is a function of its disease time (section 4 of docs/model.md), so nobody's event is
drawn: following to a day and an event on a day have a probability for every course.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.units import DAYS_PER_MONTH, DAYS_PER_WEEK, DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.studies.fit.pool import Crowd

Floats = NDArray[np.float64]
Rows = NDArray[np.int64] | slice
SMALLEST = 1e-300
LEAST = 1e-12  # a day; stands for a hazard of 0
LOG_2 = float(np.log(2.0))


def density_of(scenario: Scenario) -> Any:
    """The module that knows densities of traits and the hazard of a progression model."""
    return import_module(f"simulator.models.{scenario.progression.model}.density")


class Hazard:
    """Hazards of the courses of a crowd under a scenario.

    Parameters
    ----------
    crowd : the people. scenario : its values of the hazard count. endpoint : `event_free`, `death`, or "" for neither.
    """

    def __init__(self, crowd: Crowd, scenario: Scenario, endpoint: str) -> None:
        survival = scenario.progression.survival
        self.crowd, self.endpoint, self.kappa = crowd, endpoint, survival.steepness.value
        self.log_critical = density_of(scenario).log_critical(scenario.progression, crowd.patients)
        self.pav = survival.pav_probability.value
        self.after = LOG_2 / max(survival.months_after_pav.value * DAYS_PER_MONTH, LEAST)
        one = scenario.disease.background_mortality
        women = np.where(crowd.patients["sex"] > 0, one.women.value, 1.0)
        self.growth = one.per_year_of_age.value / DAYS_PER_YEAR
        age = np.asarray(crowd.patients["age"], np.float64)
        rate = one.multiplier.value * np.exp(one.log_rate.value + one.per_year_of_age.value * age)
        self.background = rate * women / DAYS_PER_YEAR
        if endpoint == "death" and self.pav > 0:
            self._ventilated  # noqa: B018 - made once, before threads ask

    def used(self, clock: Floats, rows: Rows = slice(None)) -> Floats:
        """Cumulative hazard since onset at a disease time."""
        begun = clock > 0
        shape = self.log_critical[rows]
        log = np.log(np.where(begun, clock, 1.0)) - (shape if clock.ndim == 1 else shape[:, None])
        return np.where(begun, np.exp(np.minimum(self.kappa * log, 600.0)), 0.0)

    @cached_property
    def at_entry(self) -> Floats:
        """(m,) what is used up on day 0: who enters has survived it."""
        return self.used(self.crowd.clock[:, 0].astype(np.float64))

    def log_probability(self, end: float, event: bool, rows: Rows = slice(None)) -> Floats:
        """(k,) log-probability to be followed to a day without the event, or log-density [1/d] of the event then."""
        clock, speed, column = self._clock(end, rows)
        used, background = self.used(clock, rows), self.background[rows]
        lived = used - self.at_entry[rows]
        spent = background * _mean_growth(self.growth * end) * end
        disease = np.where(clock > 0, self.kappa * used * speed / np.where(clock > 0, clock, 1.0), 0.0)
        other = background * np.exp(self.growth * end)
        if self.endpoint != "death" or self.pav == 0:
            return -lived - spent + (np.log(disease + other + LEAST) if event else 0.0)
        before, free_before = self._ventilated
        free = np.exp(-lived)
        days = end - self.crowd.time[column]
        on = self._aged(before[rows, column], free_before[rows, column] - free, days)
        if not event:
            return np.log(np.maximum(free + on, SMALLEST)) - spent
        dying = disease * free * (1 - self.pav) + self.after * on + other * (free + on)
        return np.log(np.maximum(dying, SMALLEST)) - spent

    def _clock(self, day: float, rows: Rows) -> tuple[Floats, Floats, int]:
        """Disease time on a day, its rate a day, and the epoch."""
        time, clock = self.crowd.time, self.crowd.clock
        column = min(int(np.searchsorted(time, day, side="right")) - 1, len(time) - 2)
        first, last = clock[rows, column].astype(np.float64), clock[rows, column + 1].astype(np.float64)
        speed = (last - first) / (time[column + 1] - time[column])
        return first + speed * (day - time[column]), speed, column

    @cached_property
    def _ventilated(self) -> tuple[Floats, Floats]:
        """(m, time) probability to be alive on ventilation, who begins in an epoch in its middle; to be free of it."""
        free = np.exp(-(self.used(self.crowd.clock.astype(np.float64)) - self.at_entry[:, None]))
        found = np.zeros(free.shape)
        for column in range(1, free.shape[1]):
            days = float(self.crowd.time[column] - self.crowd.time[column - 1])
            found[:, column] = self._aged(found[:, column - 1], free[:, column - 1] - free[:, column], days)
        return found, free

    def _aged(self, before: Floats, events: Floats, days: float) -> Floats:
        return np.asarray(before * np.exp(-self.after * days) + self.pav * events * np.exp(-self.after * days / 2))


def _mean_growth(x: float) -> float:
    """(e^x - 1)/x, 1 at 0."""
    return float(np.expm1(x) / x) if abs(x) > 1e-12 else 1.0


class Leaving:
    """Dropout by the truth (MNAR): its cumulative hazard for each course. At random, what is measured suffices.

    As in the engine, the score on the first day of a week decides for all of the week; between days of the crowd, which
    are an epoch apart, it is interpolated.
    """

    def __init__(self, crowd: Crowd, scenario: Scenario) -> None:
        block = scenario.attrition
        assert block is not None
        assert block.by_function is not None
        assert crowd.score is not None
        by, score = block.by_function, crowd.score
        first = score[:, :1] if by.points_lost_since == "entry" else np.float32(48.0)
        slope = np.float32(np.log(by.hazard_ratio_per_point.value))
        self._log_factor = slope * (first - score - np.float32(by.neutral_points.value))
        self.time = crowd.time
        self.starts = np.array([0.0, *(float(piece.until_day or 0) for piece in block.dropout_per_year[:-1])])
        self.rates = np.array([piece.rate.value / DAYS_PER_YEAR for piece in block.dropout_per_year])
        weeks = np.arange(0.0, self.time[-1], DAYS_PER_WEEK)
        steps = [self._factor(day) * np.float32(self._usual(day, day + DAYS_PER_WEEK)) for day in weeks.tolist()]
        self.spent = np.cumsum(np.stack([np.zeros_like(steps[0]), *steps], axis=1), axis=1)

    def _factor(self, day: float, rows: Rows = slice(None)) -> NDArray[np.float32]:
        """(k,) what the hazard of the week that begins on a day is multiplied by."""
        k = min(int(np.searchsorted(self.time, day, side="right")) - 1, len(self.time) - 2)
        share = np.float32((day - self.time[k]) / (self.time[k + 1] - self.time[k]))
        log = (1 - share) * self._log_factor[rows, k] + share * self._log_factor[rows, k + 1]
        return np.asarray(np.exp(log), np.float32)

    def _usual(self, first: float, last: float) -> float:
        """Hazard between two days where it is multiplied by 1."""
        ends = np.append(self.starts[1:], np.inf)
        return float(self.rates @ np.maximum(np.minimum(ends, last) - np.maximum(self.starts, first), 0.0))

    def log_probability(self, end: float, left: bool, rows: Rows = slice(None)) -> Floats:
        """(k,) log-probability to stay to a day, or log-density [1/d] to leave then."""
        week = min(int(end // DAYS_PER_WEEK), self.spent.shape[1] - 2)
        day = float(week * DAYS_PER_WEEK)
        factor = self._factor(day, rows).astype(np.float64)
        spent = self.spent[rows, week] + factor * self._usual(day, end)
        rate = self.rates[int(np.searchsorted(self.starts, end, side="right")) - 1]
        return np.asarray(-spent + (np.log(rate * factor + LEAST) if left else 0.0), np.float64)


def is_by_truth(scenario: Scenario) -> bool:
    """Whether dropout depends on what nobody has seen."""
    block = scenario.attrition
    return block is not None and block.by_function is not None and block.by_function.missing == "MNAR"
