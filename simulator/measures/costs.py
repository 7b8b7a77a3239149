"""What an arm costs under the block `decision`, part by part: a price is in one part, and their sum is the cost.

Parts are of each patient where patients were kept. From a summary they are means, and only what everybody who lives has
can be counted: doses by the arm's calendar, months in a stage, months on a multiplier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.health_economics import Present
from simulator.language.blocks.decision import ALIVE, STATES
from simulator.language.care import spans
from simulator.mechanisms import ByDay, Dosed, Offered
from simulator.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.decision import Costs, Decision, Money, Price
    from simulator.results import Result

Floats = NDArray[np.float64]
PAV, PAV_CODE = "pav", 2
OF_DOSES = {"doses": "per_dose", "administration": "per_administration"}
TIMES = {"diagnosis": "diagnosis_time", "death": "death_time", "niv": "niv_time", "gastrostomy": "gastrostomy_time"}
"""Events that cost, beside `pav` and kinds of adverse events."""


def present(decision: Decision, what: str, discounted: bool = True) -> Present:
    """What an amount of money (`costs`) or a year of health (`effects`) is worth by its day."""
    if not discounted:
        return Present(0.0)
    own = decision.discount_effects_per_year if what == "effects" else None
    rate = (own or decision.discount_per_year).value
    later = decision.discount_later
    return Present(rate, None if later is None else (float(later.from_day), getattr(later, what).value))


class Arm(NamedTuple):
    """An arm of a full result, under a decision until a day."""

    result: Result
    scenario: Scenario
    name: str
    horizon: float
    discounted: bool = True

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
    def present(self) -> Present:
        """What money is worth by its day."""
        assert self.scenario.decision is not None
        return present(self.scenario.decision, "costs", self.discounted)

    def of(self, price: Price) -> Present:
        """What a price is worth by the day, of its value."""
        return self.present.with_steps(price.steps)

    @property
    def last(self) -> Floats:
        """The last day that counts, of each patient: death, or the horizon."""
        return np.minimum(self.events("death_time"), self.horizon)

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

    def paid(self, day: Floats, price: Price) -> Floats:
        """What a price on a day of each patient comes to; 0 outside the time that counts."""
        inside = (day >= 0) & (day < self.horizon)
        return np.where(inside, price.value * self.of(price).worth(np.where(inside, day, 0.0)), 0.0)

    def months(self, price: Price, start: Floats, end: Floats) -> Floats:
        """What a price a month comes to from day to day."""
        return price.value * MONTHS_PER_YEAR * self.of(price).years(np.maximum(start, 0.0), end)

    @property
    def pav_time(self) -> Floats:
        """When permanent ventilation begins, of each patient; infinite where it never does."""
        event = self.result.groups["events"]["event"].values[self.place]
        return np.where(event == PAV_CODE, self.events("event_free_time"), np.inf)


class Course(NamedTuple):
    """A stretch of time on a treatment, of each patient; nothing where it does not begin before it ends."""

    start: Floats
    end: Floats


def of_patients(arm: Arm) -> dict[str, Floats]:
    """Every part of what each patient costs, beside months in a stage."""
    costs, n = arm.costs, arm.result.n_patients
    used = treatments_of(arm.scenario, arm.name)
    parts = {part: _doses(arm, key) for part, key in OF_DOSES.items()}
    names = ("months on treatments", "starts", "stops", "monitoring")
    parts |= {name: np.zeros(n) for name in names}
    for name in used:
        if priced_by_course(costs, name):
            for course in _courses(arm, name):
                for part, values in zip(names, _of_course(arm, name, course), strict=True):
                    parts[part] = parts[part] + values
    parts["events"] = sum((_event(arm, name) for name in costs.per_event), np.zeros(n))
    after = costs.price("per_month", PAV)
    if after is not None:
        parts["months after PAV"] = arm.months(after, arm.pav_time, arm.last)
    parts["once"] = np.full(n, once(arm.scenario, arm.name))
    return parts


def _of_course(arm: Arm, name: str, one: Course) -> tuple[Floats, Floats, Floats, Floats]:
    """What a course costs each patient: its months, its start, its stop, its visits of monitoring."""
    costs, nothing = arm.costs, np.zeros(arm.result.n_patients)
    last, start, end = arm.last, np.broadcast_to(one.start, nothing.shape), np.broadcast_to(one.end, nothing.shape)
    begins = (start < end) & (start < last)
    stops = begins & (end < last)
    month, at_start, at_stop = (costs.price(key, name) for key in ("per_month_on", "at_start", "at_stop"))
    return (
        nothing if month is None else arm.months(month, start, np.minimum(end, last)),
        nothing if at_start is None else arm.paid(np.where(begins, start, np.inf), at_start),
        nothing if at_stop is None else arm.paid(np.where(stops, end, np.inf), at_stop),
        _monitoring(arm, name, start, np.minimum(end, last)),
    )


def _monitoring(arm: Arm, name: str, start: Floats, end: Floats) -> Floats:
    """What visits of monitoring cost each patient: on the first day of a course and every so many days of it."""
    rule, price = arm.costs.monitoring.get(name), arm.costs.price("monitoring", name)
    if rule is None or price is None:
        return np.zeros(arm.result.n_patients)
    return _regular(arm, price, (start, end), rule.every_days)


def _regular(arm: Arm, price: Price, course: tuple[Floats, Floats], every_days: float) -> Floats:
    """What a price costs each patient that is paid on the first day of a course and every so many days of it."""
    found, (start, end) = np.zeros(arm.result.n_patients), course
    day = np.array(start, np.float64)
    while (due := day < end).any():
        found += arm.paid(np.where(due, day, np.inf), price)
        day = day + every_days
    return found


def saved_by_stopping(arm: Arm, name: str) -> tuple[Floats, Floats]:
    """What going on with a treatment would have cost those who stopped it, lives being the same, and who stopped.

    Its doses, giving them, its months and its monitoring, from the end of its last course until death or the horizon.
    """
    end = np.full(arm.result.n_patients, -np.inf)
    for course in _courses(arm, name):
        end = np.maximum(end, np.where(course.start < np.minimum(course.end, arm.last), course.end, -np.inf))
    stopped = np.isfinite(end) & (end < arm.last)
    since = np.where(stopped, np.maximum(end, 0.0), np.inf)
    found, treatment = _monitoring(arm, name, since, arm.last), arm.scenario.treatments[name]
    if isinstance(treatment, Dosed):
        for key in OF_DOSES.values():
            price = arm.costs.price(key, name)
            if price is not None:
                found += _regular(arm, price, (since, arm.last), treatment.regimen.every_days)
    month = arm.costs.price("per_month_on", name)
    if month is not None:
        found += arm.months(month, np.where(stopped, since, arm.last), arm.last)
    return found, stopped.astype(np.float64)


def treatments_of(scenario: Scenario, arm: str) -> list[str]:
    """Treatments of an arm, each once."""
    return list(dict.fromkeys(name for epoch in scenario.arms[arm] for name in epoch.treatments))


def priced_by_course(costs: Costs, name: str) -> bool:
    """Whether something is paid for a course of a treatment: its months, its start, its stop or its monitoring."""
    return any(name in of for of in (costs.per_month_on, costs.at_start, costs.at_stop, costs.monitoring))


def once(scenario: Scenario, arm: str) -> float:
    """What an option costs on the first day, whatever follows."""
    assert scenario.decision is not None
    return _price(scenario.decision.costs.once, arm)


def of_doses(scenario: Scenario, arm: str, day: Floats, present: Present) -> dict[str, Floats]:
    """What a dose on each day costs, and giving it; an arm has one drug given in doses at most."""
    found = {part: np.zeros(len(day)) for part in ("doses", "administration")}
    for part, price in _dose_prices(scenario, arm):
        found[part] = found[part] + price.value * present.with_steps(price.steps).worth(day)
    return found


def are_doses_free(scenario: Scenario, arm: str) -> bool:
    """Whether no dose of an arm costs anything, nor giving it."""
    return not any(price.value for _, price in _dose_prices(scenario, arm))


def _dose_prices(scenario: Scenario, arm: str) -> list[tuple[str, Price]]:
    assert scenario.decision is not None
    costs, used = scenario.decision.costs, treatments_of(scenario, arm)
    found = ((part, costs.price(key, name)) for part, key in OF_DOSES.items() for name in used)
    return [(part, price) for part, price in found if price is not None]


def _price(prices: Mapping[str, Money], name: str) -> float:
    return prices[name].amount if name in prices else 0.0


def _doses(arm: Arm, key: str) -> Floats:
    """What the doses of each patient cost, or giving them."""
    n, found = arm.result.n_patients, np.zeros(arm.result.n_patients)
    every = (arm.costs.price(key, name) for name in treatments_of(arm.scenario, arm.name))
    for price in (one for one in every if one is not None):
        patient, day, mine = arm.records("doses")
        found = found + np.bincount(patient[mine], price.value * arm.of(price).worth(day[mine]), n)
    return found


def _event(arm: Arm, name: str) -> Floats:
    """What the events of a kind cost each patient."""
    price = arm.costs.price("per_event", name)
    assert price is not None
    if name in TIMES:
        return arm.paid(arm.events(TIMES[name]), price)
    if name == PAV:
        return arm.paid(arm.pav_time, price)
    patient, day = adverse_events(arm, name)
    return np.bincount(patient, price.value * arm.of(price).worth(day), arm.result.n_patients).astype(np.float64)


def adverse_events(arm: Arm, name: str) -> tuple[NDArray[np.intp], Floats]:
    """Patient and day of each adverse event of a kind in the time that counts."""
    patient, day, mine = arm.records("adverse_events")
    kinds = str(arm.result.groups["adverse_events"]["kind"].attrs["flag_meanings"]).split()
    mine &= arm.result.groups["adverse_events"]["kind"].values == kinds.index(name)
    return patient[mine], day[mine]


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


def months_of_summary(
    scenario: Scenario, arm: str, time: Floats, alive: Floats, until: tuple[float, Present]
) -> Floats:
    """What months on multipliers cost per share alive at each time : (times,), to be multiplied with `alive`."""
    assert scenario.decision is not None
    (horizon, present), found = until, np.zeros(len(time))
    for name in treatments_of(scenario, arm):
        price = scenario.decision.costs.price("per_month_on", name)
        for start, end in spans(scenario.arms[arm], name) if price is not None else ():
            assert price is not None
            worth = present.with_steps(price.steps)
            close, since = (min(day, horizon) for day in (end, start))
            years = worth.weights(time, close) if close > 0 else np.zeros(len(time))
            years = years - (worth.weights(time, since) if since > 0 else 0.0)
            found += price.value * MONTHS_PER_YEAR * years
    return found * alive


def needs_patients(scenario: Scenario, arms: Iterable[str]) -> bool:
    """Whether something is priced that sums do not know: when a course begins or ends, events, care that is offered."""
    assert scenario.decision is not None
    costs = scenario.decision.costs
    if any(price.amount for price in costs.per_event.values()) or PAV in costs.per_month:
        return True
    if scenario.decision.utilities.needs_patients:
        return True
    for name in {name for arm in arms for name in treatments_of(scenario, arm)}:
        of_course = _price(costs.at_start, name) + _price(costs.at_stop, name)
        if name in costs.monitoring:
            return True
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
    found += [f"months on {name}" for name in sorted(used) if name not in (*dosed, *costs.per_month_on)]
    for what, prices in (("start", costs.at_start), ("stop", costs.at_stop)):
        found += [f"{what} of {name}" for name in sorted(used) if name not in prices]
    follows = ["diagnosis"] if scenario.entry.presymptomatic_at_age is not None else []
    found.extend(event for event in (*follows, "death", "pav") if event not in costs.per_event)
    if scenario.safety is not None:
        found += [name for name in scenario.safety.event_names if name not in costs.per_event]
    found += [f"monitoring of {name}" for name in sorted(used) if name not in costs.monitoring]
    found += ["months after PAV"] if PAV not in costs.per_month else []
    states = STATES[scenario.decision.utilities.system]
    bare = [] if ALIVE in costs.per_month else [name for name in states if name not in costs.per_month]
    return found + (["months of care"] if bare == list(states) else [f"a month in {name}" for name in bare])
