"""What an arm costs under the block `decision`, part by part: a price is in one part, and their sum is the cost.

Parts are of each patient where patients were kept. From a summary they are means, and only what everybody who lives has
can be counted: doses by the arm's calendar, months in a stage, months on a multiplier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import health_economics as economics
from simulator.language.care import spans
from simulator.mechanisms import ByDay, Dosed, Offered
from simulator.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.decision import Costs, Money
    from simulator.results import Result

Floats = NDArray[np.float64]
TIMES = {"death": "death_time", "niv": "niv_time", "gastrostomy": "gastrostomy_time"}
"""Events that cost, beside `pav` and kinds of adverse events."""


class Arm(NamedTuple):
    """An arm of a full result, under a decision until a day."""

    result: Result
    scenario: Scenario
    name: str
    horizon: float

    @property
    def place(self) -> int:
        """Its number."""
        return self.result.arm_index(self.name)

    @property
    def costs(self) -> Costs:
        """The prices."""
        assert self.scenario.decision is not None
        return self.scenario.decision.costs

    @property
    def rate(self) -> float:
        """The rate of discount."""
        assert self.scenario.decision is not None
        return self.scenario.decision.discount_per_year.value

    def events(self, name: str) -> Floats:
        """A day of each patient; infinite where it never comes."""
        found = self.result.groups["events"].get(name)
        values = np.full(self.result.n_patients, np.nan) if found is None else found.values[self.place]
        return np.where(np.isnan(values), np.inf, values).astype(np.float64)

    def records(self, group: str) -> tuple[NDArray[np.intp], Floats, NDArray[np.bool_]]:
        """Patient and day of each record of a group, and which are the arm's, from now until the horizon."""
        table = self.result.groups[group]
        day = np.asarray(table["day"].values, np.float64)
        mine = (table["arm"].values == self.place) & (day >= 0) & (day < self.horizon)
        return np.asarray(table["patient"].values, np.intp), day, mine

    def paid(self, day: Floats) -> Floats:
        """What 1 on a day of each patient is worth; 0 outside the time that counts."""
        inside = (day >= 0) & (day < self.horizon)
        return np.where(inside, economics.discounted(np.where(inside, day, 0.0), self.rate), 0.0)


class Course(NamedTuple):
    """A stretch of time on a treatment, of each patient; nothing where it does not begin before it ends."""

    start: Floats
    end: Floats


def of_patients(arm: Arm) -> dict[str, Floats]:
    """Every part of what each patient costs, beside months in a stage."""
    costs, n = arm.costs, arm.result.n_patients
    used = treatments_of(arm.scenario, arm.name)
    parts = {"doses": _doses(arm, costs.per_dose), "administration": _doses(arm, costs.per_administration)}
    courses = {name: list(_courses(arm, name)) for name in used if priced_by_course(costs, name)}
    parts["months on treatments"], parts["starts"], parts["stops"] = np.zeros((3, n))
    last = np.minimum(arm.events("death_time"), arm.horizon)
    for name, every in courses.items():
        month, start, stop = (_price(of, name) for of in (costs.per_month_on, costs.at_start, costs.at_stop))
        for one in every:
            begins = (one.start < one.end) & (one.start < last)
            years = economics.discounted_years(np.maximum(one.start, 0.0), np.minimum(one.end, last), arm.rate)
            parts["months on treatments"] += month * MONTHS_PER_YEAR * years
            parts["starts"] += start * arm.paid(np.where(begins, one.start, np.inf))
            parts["stops"] += stop * arm.paid(np.where(begins & (one.end < last), one.end, np.inf))
    parts["events"] = sum((price.value * _event(arm, name) for name, price in costs.per_event.items()), np.zeros(n))
    parts["once"] = np.full(n, once(arm.scenario, arm.name))
    return parts


def treatments_of(scenario: Scenario, arm: str) -> list[str]:
    """Treatments of an arm, each once."""
    return list(dict.fromkeys(name for epoch in scenario.arms[arm] for name in epoch.treatments))


def priced_by_course(costs: Costs, name: str) -> bool:
    """Whether something is paid for a course of a treatment: its months, its start or its stop."""
    return any(name in of for of in (costs.per_month_on, costs.at_start, costs.at_stop))


def once(scenario: Scenario, arm: str) -> float:
    """What an option costs on the first day, whatever follows."""
    assert scenario.decision is not None
    return _price(scenario.decision.costs.once, arm)


def dose_price(scenario: Scenario, arm: str) -> dict[str, float]:
    """What a dose in an arm costs, and giving it; an arm has one drug given in doses at most."""
    assert scenario.decision is not None
    costs, used = scenario.decision.costs, treatments_of(scenario, arm)
    given = {"doses": costs.per_dose, "administration": costs.per_administration}
    return {part: sum(_price(of, name) for name in used) for part, of in given.items()}


def _price(prices: Mapping[str, Money], name: str) -> float:
    return float(prices[name].value) if name in prices else 0.0


def _doses(arm: Arm, prices: Mapping[str, Money]) -> Floats:
    """What the doses of each patient cost."""
    n, price = arm.result.n_patients, sum(_price(prices, name) for name in treatments_of(arm.scenario, arm.name))
    if price == 0:
        return np.zeros(n)
    patient, day, mine = arm.records("doses")
    return np.bincount(patient[mine], price * economics.discounted(day[mine], arm.rate), n).astype(np.float64)


def _event(arm: Arm, name: str) -> Floats:
    """What the events of a kind would cost each patient at a price of 1."""
    if name in TIMES:
        return arm.paid(arm.events(TIMES[name]))
    if name == "pav":
        event = arm.result.groups["events"]["event"].values[arm.place]
        return arm.paid(np.where(event == 2, arm.events("event_free_time"), np.inf))
    patient, day, mine = arm.records("adverse_events")
    kinds = str(arm.result.groups["adverse_events"]["kind"].attrs["flag_meanings"]).split()
    mine &= arm.result.groups["adverse_events"]["kind"].values == kinds.index(name)
    return np.bincount(patient[mine], economics.discounted(day[mine], arm.rate), arm.result.n_patients).astype(float)


def _courses(arm: Arm, name: str) -> Iterator[Course]:
    """The courses of a treatment in an arm."""
    treatment, n = arm.scenario.treatments[name], arm.result.n_patients
    if isinstance(treatment, Dosed):
        patient, day, _ = arm.records("doses")
        mine = arm.result.groups["doses"]["arm"].values == arm.place
        first, last = np.full(n, np.inf), np.full(n, -np.inf)
        np.minimum.at(first, patient[mine], day[mine])
        np.maximum.at(last, patient[mine], day[mine])
        yield Course(first, last + treatment.regimen.every_days)
    elif isinstance(treatment, Offered):
        yield Course(arm.events(treatment.BEGINS), np.full(n, np.inf))
    else:
        for start, end in spans(arm.scenario.arms[arm.name], name):
            yield Course(np.full(n, float(start)), np.full(n, end))


def months_of_summary(scenario: Scenario, arm: str, time: Floats, alive: Floats, horizon: float) -> Floats:
    """What months on multipliers cost per share alive at each time : (times,), to be multiplied with `alive`."""
    assert scenario.decision is not None
    prices, rate = scenario.decision.costs.per_month_on, scenario.decision.discount_per_year.value
    found = np.zeros(len(time))
    for name in treatments_of(scenario, arm):
        for start, end in spans(scenario.arms[arm], name) if name in prices else ():
            until, since = (min(day, horizon) for day in (end, start))
            years = economics.year_weights(time, rate, until) if until > 0 else 0.0
            years = years - (economics.year_weights(time, rate, since) if since > 0 else 0.0)
            found += prices[name].value * MONTHS_PER_YEAR * years
    return found * alive


def needs_patients(scenario: Scenario, arms: Iterable[str]) -> bool:
    """Whether something is priced that sums do not know: when a course begins or ends, events, care that is offered."""
    assert scenario.decision is not None
    costs = scenario.decision.costs
    if any(price.value for price in costs.per_event.values()):
        return True
    for name in {name for arm in arms for name in treatments_of(scenario, arm)}:
        of_course = _price(costs.at_start, name) + _price(costs.at_stop, name)
        of_month = 0.0 if isinstance(scenario.treatments[name], ByDay) else _price(costs.per_month_on, name)
        if of_course + of_month > 0:
            return True
    return False


def unpriced(scenario: Scenario) -> list[str]:
    """What happens in the options and has no price, in words; what is given without a price is refused before."""
    assert scenario.decision is not None
    costs, found = scenario.decision.costs, []
    used = {name for arm in scenario.decision.options for name in treatments_of(scenario, arm)}
    dosed = [name for name in sorted(used) if isinstance(scenario.treatments[name], Dosed)]
    found += [f"giving a dose of {name}" for name in dosed if name not in costs.per_administration]
    found.extend(event for event in ("death", "pav") if event not in costs.per_event)
    if scenario.safety is not None:
        found += [name for name in scenario.safety.event_names if name not in costs.per_event]
        found.append("visits and tests of monitoring")
    return found
