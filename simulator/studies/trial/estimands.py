"""What is estimated: the estimand of a scenario, set against the analyses before anything runs, and that of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from simulator.analysis.trial.estimand import PAV, Estimand, IntercurrentEvent, Strategy, estimand
from simulator.analysis.trial.registry import analysis
from simulator.language.check_estimand import estimand_problems, strategies
from simulator.language.faults import ScenarioError
from simulator.strategies import EVENT_FREE, EVENTS, UNMEASURED

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

PART = IntercurrentEvent(PAV.event, Strategy.COMPOSITE, "it is one of the events, as death is")


def estimand_of(scenario: Scenario) -> Estimand | None:
    """The estimand that the scenario states."""
    block = scenario.estimand
    if block is None:
        return None
    events = [
        IntercurrentEvent(EVENTS[key], strategy, getattr(block.intercurrent_events, key).words or "")
        for key, strategy in strategies(block).items()
    ]
    return estimand(block.variable, block.summary, *events, population=block.population, treatment=block.treatment)


def estimated_by(name: str, endpoint: str, outcome: str = "alsfrs_r") -> Estimand:
    """What an analysis estimates.

    Where the event is one of death and ventilation, ventilation is part of it too. What cannot be measured on
    ventilation is missing from then on as it is after death.
    """
    found = analysis(name).estimand
    composite = found.death is Strategy.COMPOSITE
    if composite and endpoint != EVENT_FREE:
        return found
    if not composite and outcome not in UNMEASURED:
        return found
    part = PART if composite else IntercurrentEvent(PAV.event, found.death, f"{outcome} cannot be measured after it")
    others = tuple(one for one in found.intercurrent_events if one.event != PAV.event)
    return found._replace(intercurrent_events=(*others, part))


def check_estimand(scenario: Scenario, analyses: Sequence[str], endpoint: str, outcome: str) -> None:
    """Refuse analyses that do not estimate what the scenario says, or the one that it names.

    Raises
    ------
    ScenarioError
        The estimand contradicts an analysis; the message says where.
    """
    if scenario.estimand is None:
        return
    if found := [*estimand_problems(scenario.estimand, analyses, endpoint, outcome)]:
        raise ScenarioError(map(scenario.fault, found))


def in_words(one: dict[str, Any]) -> str:
    """The five attributes of an estimand that is told as plain data, in a sentence."""
    events = "; ".join(
        f"{event['event']}: {event['strategy']}" + (f" ({event['words']})" if event["words"] else "")
        for event in one["intercurrent_events"]
    )
    return f"{one['variable']}; {one['summary']}; in {one['population']}; {one['treatment']}; {events}."


def alike(estimands: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Analyses that estimate the same, by their names, and what that is in words."""
    found: dict[str, list[str]] = {}
    for name, one in estimands.items():
        found.setdefault(in_words(one), []).append(name)
    return {", ".join(names): text for text, names in found.items()}


def told(found: Estimand) -> dict[str, Any]:
    """The estimand as plain data."""
    events = [{**one._asdict(), "strategy": one.strategy.value} for one in found.intercurrent_events]
    return {**found._asdict(), "intercurrent_events": events}
