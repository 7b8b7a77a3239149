"""Checks of the blocks `sensitivity` and `decision` that look at the rest of the scenario."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from simulator.language.blocks.sensitivity import ECONOMIC
from simulator.language.check import reads
from simulator.language.faults import Path, Problem, printable, suggest
from simulator.models import MODELS


@reads("sensitivity", "arms", "follow_up_days")
def _sensitivity(scenario: Any) -> Iterator[Problem]:
    """Its arms are arms of the scenario, and its day is within follow-up."""
    block = scenario.sensitivity
    if block is None:
        return
    for key in ("arm", "against"):
        if (name := getattr(block, key)) is not None:
            yield from _arm(name, scenario.arms, ("sensitivity", key))
    yield from _day(block.day, scenario.follow_up_days, ("sensitivity", "day"))


@reads("sensitivity", "safety")
def _safety(scenario: Any) -> Iterator[Problem]:
    """Adverse events are those of the block safety."""
    block = scenario.sensitivity
    if block is not None and block.outcome == "serious_neurologic" and scenario.safety is None:
        fact = "serious_neurologic counts adverse events, and the scenario has none"
        yield Problem(("sensitivity", "outcome"), fact, "Add the block safety, or choose another outcome")


@reads("sensitivity", "decision")
def _economic(scenario: Any) -> Iterator[Problem]:
    """QALYs and costs are defined by a decision."""
    if scenario.sensitivity is not None and scenario.decision is None and scenario.sensitivity.outcome in ECONOMIC:
        fact = f"{scenario.sensitivity.outcome} needs utilities, costs and a discount rate"
        yield Problem(("sensitivity", "outcome"), fact, "Add the block decision, or choose another outcome")


@reads("sensitivity", "decision")
def _arms_of_the_decision(scenario: Any) -> Iterator[Problem]:
    """An economic outcome is about options of the decision."""
    block, decision = scenario.sensitivity, scenario.decision
    if block is None or decision is None or block.outcome not in ECONOMIC:
        return
    for key in ("arm", "against"):
        name = getattr(block, key)
        if name is not None and name not in decision.options:
            fact = f"{printable(name)} is no option of the decision"
            yield Problem(("sensitivity", key), fact, suggest(name, decision.options, "Options"))


@reads("decision", "arms", "treatments", "follow_up_days", "output", "progression")
def _decision(scenario: Any) -> Iterator[Problem]:
    """Options are arms, doses are of drugs that are given in doses, and stages are simulated."""
    block = scenario.decision
    if block is None:
        return
    for number, name in enumerate(block.options):
        yield from _arm(name, scenario.arms, ("decision", "options", number))
    yield from _day(block.day, scenario.follow_up_days, ("decision", "day"))
    dosed = [name for name, drug in scenario.treatments.items() if drug.kind == "antisense"]
    for name in block.costs.per_dose:
        if name not in dosed:
            fact = f"there are no doses of {printable(name)}"
            remedy = suggest(name, dosed, "Treatments given in doses")
            yield Problem(("decision", "costs", "per_dose", name), fact, remedy, on_key=True)
    for name in sorted(_given(scenario, block.options) & set(dosed) - set(block.costs.per_dose)):
        remedy = f"Write costs.per_dose.{name}, 0 if it costs nothing"
        yield Problem(("decision", "costs"), f"a dose of {printable(name)} has no price", remedy)
    for name in sorted(_given(scenario, block.options) & set(scenario.treatments) - set(dosed)):
        fact = f"{printable(name)} is not given in doses and would cost nothing: a decision prices doses only"
        yield Problem(("decision", "options"), fact, "Leave it out of the arms that are options")
    if not scenario.output.stages and "kings_stage" in MODELS[scenario.progression.model].OUTPUTS:
        fact = "utilities go by stages, and output.stages is false"
        yield Problem(("decision", "utilities"), fact, "Remove output.stages")


def _given(scenario: Any, options: Iterable[str]) -> set[str]:
    """Treatments of the options that are arms."""
    epochs = (epoch for name in options for epoch in scenario.arms.get(name, ()))
    return {name for epoch in epochs for name in epoch.treatments}


def _arm(name: str, arms: Any, path: Path) -> Iterator[Problem]:
    if name not in arms:
        yield Problem(path, f"there is no arm {printable(name)}", suggest(name, arms, "Arms"))


def _day(day: int | None, limit: int, path: Path) -> Iterator[Problem]:
    if day is not None and day > limit:
        fact = f"day {day} is after the end of follow-up on day {limit}"
        yield Problem(path, fact, "Correct it or follow_up_days")
