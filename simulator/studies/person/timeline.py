"""One person's scenario as two scenarios of twins: up to now, and from the earliest measurement into the future.

Twins of the person's genotype, age, sex and site of onset enter at the time of the earliest measurement and live
untreated to now; then the arms begin. Both scenarios have the same people and the same random numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.language.parts import MAX_DAYS
from simulator.units import DAYS_PER_MONTH, MONTHS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language.blocks.person import Person, Reading
    from simulator.language.scenario import Scenario

MONTHS = (6, 12, 18, 24, 36)
"""Months after now at which a person's course is told."""
SITES = ("bulbar", "upper_limb", "lower_limb")


class Measured(NamedTuple):
    """What was measured on a day since the twins' entry, and where it stands in the scenario."""

    path: tuple[str | int, ...]
    day: int
    reading: Reading


class Timeline(NamedTuple):
    """Days since the twins' entry: now, and the measurements."""

    now: int
    measured: list[Measured]


def days_of(months: float) -> int:
    """The nearest whole day."""
    return round(months * DAYS_PER_MONTH)


def timeline(person: Person) -> Timeline:
    """When what was measured; entry is at the earliest."""
    earlier = person.earlier or []
    now = max((days_of(one.months_before.value) for one in earlier), default=0)
    found = [Measured(("person", "now"), now, person.now)]
    for number, one in enumerate(earlier):
        found.append(Measured(("person", "earlier", number), now - days_of(one.months_before.value), one))
    return Timeline(now, found)


def reported_days(follow_up_days: int) -> list[int]:
    """Days after now at which the course is told."""
    return [days for days in map(days_of, MONTHS) if days <= follow_up_days] or [follow_up_days]


def history(scenario: Scenario, line: Timeline) -> Scenario:
    """Twins from their entry to now, untreated, with their truth on the days of the measurements."""
    days = sorted({one.day for one in line.measured})
    return scenario.replace(
        _of_this_person(scenario, line)
        | {
            "arms": {"untreated": []},
            "follow_up_days": max(line.now, 1),
            "visits.every_days": MAX_DAYS,
            "visits.days": None,
            "output": {"every_days": MAX_DAYS, "days": days, "stages": False},
        }
    )


def future(scenario: Scenario, line: Timeline) -> Scenario:
    """Twins from their entry to the end of follow-up; arms, visits and output count from now."""
    end = scenario.follow_up_days
    days = {*range(0, end + 1, scenario.output.every_days), *reported_days(end), *(scenario.output.days or ())}
    for one in scenario.person.account or [] if scenario.person else []:
        days |= {days_of(one.months.value)} if one.months is not None else set()
    visits = scenario.visits
    seen = visits.days or range(0, end + 1, visits.every_days or end + 1)
    return scenario.replace(
        _of_this_person(scenario, line)
        | {
            "arms": {name: [_later(epoch, line.now) for epoch in epochs] for name, epochs in scenario.arms.items()},
            "follow_up_days": line.now + end,
            "visits.every_days": None,
            "visits.days": [0, *(line.now + day for day in seen if 0 < day <= end)],
            "output": {
                "every_days": MAX_DAYS,
                "days": sorted(line.now + day for day in days if day <= end),
                "stages": scenario.output.stages,
            },
        }
    )


def _later(epoch: Any, days: int) -> dict[str, Any]:
    """An epoch so many days later; holds count from its start."""
    to_day = None if epoch.to_day is None else epoch.to_day + days
    holds = [hold.model_dump() for hold in epoch.holds] if epoch.holds else None
    moved = {"from_day": epoch.from_day + days, "to_day": to_day, "holds": holds}
    return {"treatments": epoch.treatments, "reload": epoch.reload, **moved}


def _of_this_person(scenario: Scenario, line: Timeline) -> dict[str, Any]:
    """Who the twins are: age, sex, site of onset and time of entry are the person's."""
    person = scenario.person
    assert person is not None
    given, age = scenario.entry.time_since_onset_months, person.age_years.value
    assert given is not None
    _, centre, *_ = given.terms()
    settings: dict[str, Any] = {
        "person": None,
        "disease.age_at_onset": age - centre / MONTHS_PER_YEAR,
        "entry": {"time_since_onset_months": _earlier(given, line.now / DAYS_PER_MONTH)},
    }
    if person.sex is not None:
        settings["disease.men"] = 1 if person.sex == "man" else 0
    if person.onset_site is not None:
        settings["disease.onset_site"] = {site: int(site == person.onset_site) for site in SITES}
    return settings


def _earlier(given: Any, months: float) -> Any:
    """The time since onset so many months before; a log-normal has no earlier measurements."""
    if given.number is not None:
        return max(given.number.value - months, 0.0)
    if given.normal is None:
        return given
    shape = given.normal
    bounds = {key: getattr(shape, key).value - months for key in ("low", "high") if getattr(shape, key) is not None}
    bounds["low"] = max(bounds["low"], 0.0)
    return {"normal": {"mean": shape.mean.value - months, "sd": shape.sd.value, **bounds}}
