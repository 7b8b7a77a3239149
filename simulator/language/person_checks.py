"""Checks of one person against the rest of the scenario."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.language.check import reads
from simulator.language.faults import Path, Problem, printable, suggest
from simulator.mechanisms import Dosed, Offered

AT: Path = ("person",)
CROWD = {
    "strata": "one person is in no stratum",
    "trial": "one person is in no trial",
    "attrition": "one person does not drop out",
    "safety": "adverse events of one person are not simulated",
    "rules": "visits decide nothing for one person",
}


@reads("person", "entry")
def _entry(scenario: Any) -> Iterator[Problem]:
    """The person is where the entry says, and nobody screens them."""
    person, entry = scenario.person, scenario.entry
    if person is None:
        return
    given = entry.time_since_onset_months
    if given is None:
        remedy = "Write entry: {time_since_onset_months: ...}, a number or a distribution"
        yield Problem(("entry",), "a person needs the time since onset now", remedy)
        return
    for key in ("referral_months", "eligible"):
        if getattr(entry, key) is not None:
            yield Problem(("entry", key), "one person is not screened", "Remove it; what was measured stands in person")
    before = [reading.months_before.value for reading in person.earlier or []]
    if before and given.lognormal is not None:
        fact = "with earlier measurements a log-normal time since onset cannot be counted back"
        yield Problem(("entry", "time_since_onset_months"), fact, "Write a number or a normal")
    elif before and max(before) > given.lowest:
        number = before.index(max(before))
        fact = f"{max(before):g} months ago may be before onset, which is {given.lowest:g} months ago or more"
        yield Problem((*AT, "earlier", number, "months_before"), fact, "Correct it, or entry.time_since_onset_months")


@reads("person", "strata", "trial", "attrition", "safety", "rules", "visits")
def _alone(scenario: Any) -> Iterator[Problem]:
    """What only a crowd has."""
    if scenario.person is None:
        return
    for key, fact in CROWD.items():
        if getattr(scenario, key) is not None:
            yield Problem((key,), fact, f"Remove {key}")
    if scenario.visits.entry_effect_points.value != 0:
        fact = "the effect of entering a trial has no place in one person's measurements"
        yield Problem(("visits", "entry_effect_points"), fact, "Write 0")


@reads("person", "arms", "treatments")
def _by_day(scenario: Any) -> Iterator[Problem]:
    """Treatment of one person begins, ends and repeats on days: rules would look at visits before now."""
    if scenario.person is None:
        return
    for arm, epochs in scenario.arms.items():
        for number, epoch in enumerate(epochs):
            for key in ("after", "until"):
                if getattr(epoch, key) is not None:
                    fact = "one person is treated from day to day, whatever happens"
                    yield Problem(("arms", arm, number, key), fact, f"Remove {key}")
            if epoch.from_day < 0:
                fact = "one person is treated from now on"
                yield Problem(("arms", arm, number, "from_day"), fact, "Write 0 or a number above it")
    for name, one in scenario.treatments.items():
        if isinstance(one, Dosed) and one.regimen.guided_by_nfl is not None:
            fact = "one person's doses are not guided"
            yield Problem(("treatments", name, "regimen", "guided_by_nfl"), fact, "Remove guided_by_nfl")
        if isinstance(one, Offered):
            yield Problem(("treatments", name), "visits decide nothing for one person", f"Remove {printable(name)}")


@reads("person", "visits")
def _scoring(scenario: Any) -> Iterator[Problem]:
    """Domains are sums of items."""
    person = scenario.person
    if person is None or scenario.visits.scoring == "items":
        return
    places = [("now", person.now), *((f"earlier.{k}", one) for k, one in enumerate(person.earlier or []))]
    for place, reading in places:
        for name in reading.domains:
            path = tuple(int(step) if step.isdigit() else step for step in place.split("."))
            yield Problem((*AT, *path, name), "domains are scored item by item", "Write visits: {scoring: items}")


@reads("person", "arms", "follow_up_days")
def _account(scenario: Any) -> Iterator[Problem]:
    """What is told is of an arm and a time that are simulated."""
    from simulator.units import DAYS_PER_MONTH

    for number, one in enumerate((scenario.person.account or []) if scenario.person else []):
        path: Path = (*AT, "account", number)
        if one.arm not in scenario.arms:
            yield Problem((*path, "arm"), f"there is no arm {printable(one.arm)}", suggest(one.arm, scenario.arms))
        if one.months is not None and round(one.months.value * DAYS_PER_MONTH) > scenario.follow_up_days:
            fact = f"{one.months.value:g} months are beyond the follow-up of {scenario.follow_up_days} days"
            yield Problem((*path, "months"), fact, "Correct it or follow_up_days")


@reads("person")
def _published(scenario: Any) -> Iterator[Problem]:
    """Facts to print beside the answer exist."""
    from simulator.catalog.facts import facts

    for number, name in enumerate((scenario.person.published or []) if scenario.person else []):
        if name not in facts():
            remedy = suggest(name, facts(), "als-sim show facts")
            remedy = remedy if remedy.startswith("Did") else "als-sim show facts lists them"
            yield Problem((*AT, "published", number), f"there is no published fact {printable(name)}", remedy)


__all__: list[str] = []
