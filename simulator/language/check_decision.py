"""Checks of the blocks `sensitivity` and `decision` that look at the rest of the scenario."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from simulator.language.blocks.decision import EVENTS
from simulator.language.blocks.sensitivity import ECONOMIC
from simulator.language.check import reads
from simulator.language.faults import Path, Problem, printable, suggest
from simulator.mechanisms import Dosed
from simulator.models import MODELS


@reads("sensitivity", "arms")
def _sensitivity(scenario: Any) -> Iterator[Problem]:
    """Its arms are arms of the scenario."""
    block = scenario.sensitivity
    if block is None:
        return
    for key in ("arm", "against"):
        if (name := getattr(block, key)) is not None:
            yield from _arm(name, scenario.arms, ("sensitivity", key))


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


@reads("sensitivity", "decision", "follow_up_days")
def _horizon(scenario: Any) -> Iterator[Problem]:
    """An economic outcome counts until the day of the decision."""
    block, decision = scenario.sensitivity, scenario.decision
    if block is None or decision is None or block.outcome not in ECONOMIC or block.day is None:
        return
    day = decision.day or scenario.follow_up_days
    if block.day != day:
        fact = f"{block.outcome} counts until day {day}, that of the decision"
        yield Problem(("sensitivity", "day"), fact, "Remove it, or correct decision.day")


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


@reads("decision", "arms", "output", "progression")
def _decision(scenario: Any) -> Iterator[Problem]:
    """Options are arms, and stages are simulated."""
    block = scenario.decision
    if block is None:
        return
    for number, name in enumerate(block.options):
        yield from _arm(name, scenario.arms, ("decision", "options", number))
    if not scenario.output.stages and "kings_stage" in MODELS[scenario.progression.model].OUTPUTS:
        fact = "utilities go by stages, and output.stages is false"
        yield Problem(("decision", "utilities"), fact, "Remove output.stages")


@reads("decision", "arms")
def _named_options(scenario: Any) -> Iterator[Problem]:
    """What names an option names one that is there."""
    block = scenario.decision
    if block is None:
        return
    named: list[tuple[Path, str]] = []
    if block.severity is not None:
        named.append((("severity", "option"), block.severity.option))
    if block.research is not None and block.research.trial is not None:
        trial = block.research.trial
        named += [(("research", "trial", key), getattr(trial, key)) for key in ("arm", "against")]
    if block.budget is not None:
        named.append((("budget", "current"), block.budget.current))
        named.extend((("budget", "uptake", name), name) for name in block.budget.uptake)
    for path, name in named:
        if name not in block.options:
            fact = f"{printable(name)} is no option of the decision"
            yield Problem(("decision", *path), fact, suggest(name, block.options, "Options"))


@reads("decision", "follow_up_days", "entry")
def _within_horizon(scenario: Any) -> Iterator[Problem]:
    """A trial ends before the horizon; a life table needs utilities of people at large."""
    block = scenario.decision
    if block is None:
        return
    last = block.day or scenario.follow_up_days
    if block.research is not None and block.research.trial is not None and block.research.trial.day > last:
        fact = f"the trial ends on day {block.research.trial.day}, the decision on day {last}"
        yield Problem(("decision", "research", "trial", "day"), fact, "Take an earlier day, or a later horizon")
    if block.severity is not None and block.severity.life_table is not None and block.utilities.norm is None:
        fact = "a life table gives years, and QALYs need the utility of people at large"
        yield Problem(("decision", "severity", "life_table"), fact, "Add utilities.norm")


@reads("decision", "arms", "treatments")
def _prices(scenario: Any) -> Iterator[Problem]:
    """Every treatment of an option has a price, and every price is of something that is there."""
    block = scenario.decision
    if block is None:
        return
    dosed = [name for name, drug in scenario.treatments.items() if isinstance(drug, Dosed)]
    there = {"per_dose": dosed, "per_administration": dosed, "once": block.options}
    there |= {key: list(scenario.treatments) for key in ("per_month_on", "at_start", "at_stop", "monitoring")}
    for key, names in there.items():
        for name in getattr(block.costs, key):
            if name not in names:
                yield from _unknown(key, name, names)
    given = _given(scenario, block.options) & set(scenario.treatments)
    for name in sorted(given & set(dosed) - set(block.costs.per_dose)):
        remedy = f"Write costs.per_dose.{name}, 0 if it costs nothing"
        yield Problem(("decision", "costs"), f"a dose of {printable(name)} has no price", remedy)
    for name in sorted(given - set(dosed)):
        keys = ["per_month_on", "at_start"]
        if not any(name in getattr(block.costs, key) for key in keys):
            remedy = f"Write costs.per_month_on.{name} or costs.at_start.{name}, 0 if it costs nothing"
            yield Problem(("decision", "costs"), f"{printable(name)} has no price", remedy)


def _unknown(key: str, name: str, names: Iterable[str]) -> Iterator[Problem]:
    """A price of what is not there."""
    what = {"per_dose": "doses of ", "per_administration": "doses of ", "once": "option "}.get(key, "treatment ")
    label = {"once": "Options"}.get(key, "Treatments given in doses" if "doses" in what else "Treatments")
    fact = f"there {'are' if 'doses' in what else 'is'} no {what}{printable(name)}"
    yield Problem(("decision", "costs", key, name), fact, suggest(name, names, label), on_key=True)


@reads("decision", "safety")
def _priced_events(scenario: Any) -> Iterator[Problem]:
    """Events that cost are those that a run can have."""
    block = scenario.decision
    if block is None:
        return
    adverse = list(scenario.safety.event_names if scenario.safety else ())
    priced = [(name, ("costs", "per_event", name), [*EVENTS, *adverse]) for name in block.costs.per_event]
    lost = [(name, ("utilities", "events", name), adverse) for name in block.utilities.events]
    for name, path, names in (*priced, *lost):
        if name not in names:
            fact = f"there is no event {printable(name)}"
            yield Problem(("decision", *path), fact, suggest(name, names, "Events"), on_key=True)


def _given(scenario: Any, options: Iterable[str]) -> set[str]:
    """Treatments of the options that are arms."""
    epochs = (epoch for name in options for epoch in scenario.arms.get(name, ()))
    return {name for epoch in epochs for name in epoch.treatments}


def _arm(name: str, arms: Any, path: Path) -> Iterator[Problem]:
    if name not in arms:
        yield Problem(path, f"there is no arm {printable(name)}", suggest(name, arms, "Arms"))
