"""Checks of what happens during life: entry before onset, epochs that wait for events, what rules measure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from simulator.language.care import spans
from simulator.language.check import reads
from simulator.language.faults import Path, Problem, printable
from simulator.mechanisms import ByDay, Dosed, Mechanism, Offered
from simulator.mechanisms.care import Gastrostomy, Ventilation
from simulator.models import MODELS
from simulator.units import DAYS_PER_YEAR

MEASURED = {"trigger": {"nfl_plasma"}, "phenoconversion": {"alsfrs_r"}}
"""What the visits must measure for a rule."""
DEFINED = ("trigger", "phenoconversion", "limit")
"""Events that the block `rules` defines."""
MOST_REACTIONS = 3000
"""Expected reactions of one sort in one patient: nobody then has the 4096 that have random numbers."""
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
            yield from _untreated_events(scenario, epoch, epochs[:number], path)
            yield from _only_dosed(scenario, epoch, path)
            yield from _before_baseline(scenario, epoch, path)


def _untreated_events(scenario: Any, epoch: Any, earlier: list[Any], path: Path) -> Iterator[Problem]:
    """Onset and diagnosis are those of a life without treatment: what comes before must wait for one of them too."""
    treated = not all(set(one.starts) <= set(UNTREATED) for one in earlier)
    for name in UNTREATED:
        if treated and name in epoch.starts:
            fact = f"the {name} is that of a life without treatment, but an epoch comes before"
            yield Problem((*path, "after"), fact, "Let the epochs before it wait for onset or diagnosis too")
    if "diagnosis" in epoch.refers_to:
        for name, variant in scenario.disease.variants.items():
            if variant.diagnostic_delay_months is None:
                fact = f"there is no diagnostic delay of {printable(name)}, neither here nor in the catalog"
                remedy = f"Write disease.variants.{printable(name)}.diagnostic_delay_months"
                yield Problem((*path, "after"), fact, remedy)


def _only_dosed(scenario: Any, epoch: Any, path: Path) -> Iterator[Problem]:
    """Other treatments begin and end on days, for everybody alike."""
    if epoch.is_fixed and epoch.holds is None:
        return
    for place, name in enumerate(epoch.treatments):
        treatment = scenario.treatments.get(name)
        if treatment is not None and not isinstance(treatment, Dosed):
            what = "be held" if epoch.is_fixed else "wait for an event"
            fact = f"{printable(name)} is a {treatment.kind}, which cannot {what}"
            yield Problem((*path, "treatments", place), fact, "Give it an epoch from day to day")


def _before_baseline(scenario: Any, epoch: Any, path: Path) -> Iterator[Problem]:
    """People enter on treatments whose effect is known from their days alone; nothing precedes an event."""
    if epoch.from_day >= 0:
        return
    if epoch.after is not None:
        fact = f"day {epoch.from_day} is before the event that the epoch waits for"
        yield Problem((*path, "from_day"), fact, "Write 0 or a number above it")
        return
    for name in epoch.treatments:
        treatment = scenario.treatments.get(name)
        if treatment is not None and not isinstance(treatment, ByDay):
            fact = f"{printable(name)} ({treatment.kind}) cannot begin before baseline"
            yield Problem((*path, "from_day"), fact, "Write 0 or a number above it")


@reads("arms", "treatments")
def _once(scenario: Any) -> Iterator[Problem]:
    """What is given once has one course in an arm."""
    for arm, epochs in scenario.arms.items():
        for name, treatment in scenario.treatments.items():
            if isinstance(treatment, Mechanism) and treatment.ONCE and len(spans(epochs, name)) > 1:
                again = [number for number, epoch in enumerate(epochs) if name in epoch.treatments][1]
                fact = f"{printable(name)} ({treatment.kind}) is given once"
                yield Problem(("arms", arm, again, "treatments"), fact, "Remove it from this epoch")


@reads("arms", "treatments", "visits")
def _care(scenario: Any) -> Iterator[Problem]:
    """An arm offers each care that visits decide about once, without a break, and visits measure what decides."""
    for arm, epochs in scenario.arms.items():
        offered: dict[str, tuple[str, int | None]] = {}  # kind: the treatment, the day on which its epoch ends
        for number, epoch in enumerate(epochs):
            for place, name in enumerate(epoch.treatments):
                treatment = scenario.treatments.get(name)
                if not isinstance(treatment, Offered):
                    continue
                kind, path = treatment.kind, ("arms", arm, number, "treatments", place)
                if offered.get(kind, (name, epoch.from_day)) != (name, epoch.from_day):
                    remedy = "Offer it in one epoch or in epochs that adjoin, by one treatment"
                    yield Problem(path, f"the arm offers a {kind} twice", remedy)
                if kind not in offered:
                    yield from _decidable(scenario.visits, printable(name), treatment, path)
                offered[kind] = (name, epoch.to_day)


def _decidable(visits: Any, name: str, treatment: Offered, path: Path) -> Iterator[Problem]:
    """Visits measure what decides about a treatment."""
    by_items = visits.scoring == "items"
    if isinstance(treatment, Gastrostomy) and not by_items:
        fact = f"{name} is offered by an item of swallowing, and visits score a total only"
        yield Problem(path, fact, "Write visits.scoring: items")
    if isinstance(treatment, Ventilation) and not by_items and "svc" not in visits.assessments:
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


@reads("safety", "follow_up_days")
def _reactions(scenario: Any) -> Iterator[Problem]:
    """Reactions are so rare that each has its random number."""
    block = scenario.safety
    if block is None:
        return
    most = MOST_REACTIONS * DAYS_PER_YEAR / scenario.follow_up_days
    rates = [("serious_neurologic", key) for key in ("per_year", "later_per_year")]
    rates += [("transaminases", "per_year")] if block.transaminases is not None else []
    for part, key in rates:
        rate = getattr(getattr(block, part), key).value
        if rate > most:
            fact = f"{rate:g} a year are more reactions in one patient than can be kept"
            yield Problem(("safety", part, key), fact, f"Write at most {math.floor(most):,}")


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
        if isinstance(treatment, Dosed) and treatment.regimen.guided_by_nfl is not None:
            wanted.append((("treatments", name, "regimen", "guided_by_nfl"), {"nfl_plasma"}))
    leaving = scenario.attrition.by_function if scenario.attrition else None
    if leaving is not None and leaving.missing == "MAR":
        wanted.append((("attrition", "by_function", "missing"), {"alsfrs_r"}))
    for path, measures in wanted:
        for measure in sorted(measures - seen):
            yield Problem(path, f"visits do not measure {measure}", f"Add {measure} to visits.assessments", True)
