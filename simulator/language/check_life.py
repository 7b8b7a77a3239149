"""Checks of what happens during life: entry before onset, epochs that wait for events, what rules measure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from simulator.language.check import reads
from simulator.language.faults import Path, Problem, printable
from simulator.models import MODELS

MEASURED = {"trigger": {"nfl_plasma"}, "phenoconversion": {"alsfrs_r"}}
"""What the visits must measure for a rule."""
DEFINED = ("trigger", "phenoconversion", "limit")
"""Events that the block `rules` defines."""
DECIDED = ("non_invasive_ventilation", "gastrostomy")
"""Kinds of treatment that visits decide about."""
UNTREATED = ("onset", "diagnosis")
"""Events that are known without treatment only."""


@reads("entry", "disease", "progression")
def _presymptomatic(scenario: Any) -> Iterator[Problem]:
    """Who enters before onset has a penetrance, a model that knows the time before onset, and no referral."""
    if scenario.entry.presymptomatic_at_age is None:
        return
    path: Path = ("entry", "presymptomatic_at_age")
    model = scenario.progression.model
    if not MODELS[model].PRESYMPTOMATIC:
        known = ", ".join(name for name, spec in MODELS.items() if spec.PRESYMPTOMATIC)
        fact = f"the model {model} knows nothing of the time before onset"
        yield Problem(path, fact, f"Use {known}, or let people enter at onset or later", True)
    if scenario.entry.referral_months is not None:
        yield Problem(("entry", "referral_months"), "nobody is referred before onset", "Remove referral_months", True)
    for name, variant in scenario.disease.variants.items():
        if variant.penetrance is None:
            fact = f"there is no penetrance of {printable(name)}, neither here nor in the catalog"
            yield Problem(("disease", "variants", name), fact, "Write its share and penetrance", True)


@reads("arms", "treatments", "rules", "disease")
def _events(scenario: Any) -> Iterator[Problem]:
    """Epochs wait for events that can happen, with treatments that can wait."""
    for arm, epochs in scenario.arms.items():
        for number, epoch in enumerate(epochs):
            path: Path = ("arms", arm, number)
            for name in DEFINED:
                if name in epoch.refers_to and getattr(scenario.rules, name, None) is None:
                    key = "after" if name in (epoch.after or []) else "until"
                    yield Problem((*path, key), f"nothing says what the {name} is", f"Add rules.{name}")
            yield from _untreated_events(scenario, epoch, number, path)
            yield from _only_antisense(scenario, epoch, path)


def _untreated_events(scenario: Any, epoch: Any, number: int, path: Path) -> Iterator[Problem]:
    """Onset and diagnosis are those of a life without treatment."""
    for name in UNTREATED:
        if number > 0 and name in (epoch.after or []):
            fact = f"the {name} is that of a life without treatment, but an epoch comes before"
            yield Problem((*path, "after"), fact, f"Let only the first epoch of an arm begin after {name}")
    if "diagnosis" in epoch.refers_to:
        for name, variant in scenario.disease.variants.items():
            if variant.diagnostic_delay_months is None:
                fact = f"there is no diagnostic delay of {printable(name)}, neither here nor in the catalog"
                remedy = f"Write disease.variants.{printable(name)}.diagnostic_delay_months"
                yield Problem((*path, "after"), fact, remedy)


def _only_antisense(scenario: Any, epoch: Any, path: Path) -> Iterator[Problem]:
    """Other treatments begin and end on days, for everybody alike."""
    if epoch.is_fixed and epoch.holds is None:
        return
    for place, name in enumerate(epoch.treatments):
        kind = getattr(scenario.treatments.get(name), "kind", "antisense")
        if kind != "antisense":
            what = "be held" if epoch.is_fixed else "wait for an event"
            fact = f"{printable(name)} is a {kind}, which cannot {what}"
            yield Problem((*path, "treatments", place), fact, "Give it an epoch from day to day")


@reads("arms", "treatments", "visits")
def _care(scenario: Any) -> Iterator[Problem]:
    """An arm offers each care that visits decide about in one epoch at most, and visits measure what decides."""
    for arm, epochs in scenario.arms.items():
        offered: set[str] = set()
        for number, epoch in enumerate(epochs):
            for place, name in enumerate(epoch.treatments):
                kind = getattr(scenario.treatments.get(name), "kind", "")
                path: Path = ("arms", arm, number, "treatments", place)
                if kind in DECIDED and kind in offered:
                    yield Problem(path, f"the arm offers a {kind} twice", "Offer it in one epoch, by one treatment")
                if kind in DECIDED and kind not in offered:
                    yield from _decidable(scenario.visits, printable(name), kind, path)
                offered.add(kind)


def _decidable(visits: Any, name: str, kind: str, path: Path) -> Iterator[Problem]:
    """Visits measure what decides about a treatment."""
    by_items = visits.scoring == "items"
    if kind == "gastrostomy" and not by_items:
        fact = f"{name} is offered by an item of swallowing, and visits score a total only"
        yield Problem(path, fact, "Write visits.scoring: items")
    if kind == "non_invasive_ventilation" and not by_items and "svc" not in visits.assessments:
        fact = f"{name} is offered by SVC or an item of breathing, and visits measure neither"
        yield Problem(path, fact, "Add svc to visits.assessments, or write visits.scoring: items")


@reads("arms")
def _holds(scenario: Any) -> Iterator[Problem]:
    """Holds ascend."""
    for arm, epochs in scenario.arms.items():
        for number, epoch in enumerate(epochs):
            for place, (one, two) in enumerate(pairwise(epoch.holds or [])):
                if two.from_day < one.to_day:
                    fact = f"the hold begins on day {two.from_day}, before the one before it ends on day {one.to_day}"
                    path: Path = ("arms", arm, number, "holds", place + 1, "from_day")
                    yield Problem(path, fact, "Order the holds so that they do not overlap")


@reads("rules", "treatments", "visits", "attrition")
def _measured(scenario: Any) -> Iterator[Problem]:
    """Rules look at what visits measure."""
    seen, rules = set(scenario.visits.assessments), scenario.rules
    wanted: list[tuple[Path, set[str]]] = []
    for name, measures in MEASURED.items():
        if getattr(rules, name, None) is not None:
            wanted.append((("rules", name), measures))
    for name, measure in (("alsfrs_r", "alsfrs_r"), ("svc_percent", "svc")):
        if rules is not None and rules.limit is not None and getattr(rules.limit, name) is not None:
            wanted.append((("rules", "limit", name), {measure}))
    for name, treatment in scenario.treatments.items():
        if treatment.kind == "antisense" and treatment.regimen.guided_by_nfl is not None:
            wanted.append((("treatments", name, "regimen", "guided_by_nfl"), {"nfl_plasma"}))
    leaving = scenario.attrition.by_function if scenario.attrition else None
    if leaving is not None and leaving.missing == "MAR":
        wanted.append((("attrition", "by_function", "missing"), {"alsfrs_r"}))
    for path, measures in wanted:
        for measure in sorted(measures - seen):
            yield Problem(path, f"visits do not measure {measure}", f"Add {measure} to visits.assessments", True)
