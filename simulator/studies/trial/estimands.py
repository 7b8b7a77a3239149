"""What is estimated: the estimand of a scenario, set against the analyses before anything runs, and that of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.estimand import DEATH, PAV, Estimand, IntercurrentEvent, Strategy, estimand
from simulator.analysis.trial.registry import COMPOSITE, agree, analysis

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

EVENTS = {
    "death": DEATH,
    "pav": PAV.event,
    "niv": "non-invasive ventilation",
    "stopping": "stopping treatment",
    "crossover": "crossover",
}
"""Keys of the block, and what analyses call the events."""
EVENT_FREE = "event_free"
PART = IntercurrentEvent(PAV.event, Strategy.COMPOSITE, "it is one of the events, as death is")


def estimand_of(scenario: Scenario) -> Estimand | None:
    """The estimand that the scenario states."""
    block = scenario.estimand
    if block is None:
        return None
    stated = {key: getattr(block.intercurrent_events, key) for key in EVENTS}
    events = [
        IntercurrentEvent(EVENTS[key], Strategy(one.strategy.replace("_", " ")), one.words or "")
        for key, one in stated.items()
        if one is not None
    ]
    return estimand(block.variable, block.summary, *events, population=block.population, treatment=block.treatment)


def estimated_by(name: str, endpoint: str) -> Estimand:
    """What an analysis estimates: where the event is one of death and ventilation, ventilation is part of it too."""
    found = analysis(name)
    if endpoint != EVENT_FREE or not found.death & COMPOSITE:
        return found.estimand
    others = tuple(one for one in found.estimand.intercurrent_events if one.event != PAV.event)
    return found.estimand._replace(intercurrent_events=(*others, PART))


def check_estimand(scenario: Scenario, analyses: Sequence[str], endpoint: str) -> None:
    """Refuse analyses that do not estimate what the scenario says, or the one that it names.

    Raises
    ------
    AnalysisError
        The estimand contradicts an analysis; the message says where.
    """
    wanted, block = estimand_of(scenario), scenario.estimand
    if wanted is None or block is None:
        return
    for name in analyses if block.analysis is None else (block.analysis,):
        try:
            agree(name, wanted)
            _check_ventilation(name, wanted, endpoint)
        except AnalysisError as error:
            raise AnalysisError(f"estimand: {error}") from None


def _check_ventilation(name: str, wanted: Estimand, endpoint: str) -> None:
    """Ventilation is part of the event, or it is not."""
    stated = [one.strategy for one in wanted.intercurrent_events if one.event == PAV.event]
    done = [one.strategy for one in estimated_by(name, endpoint).intercurrent_events if one.event == PAV.event]
    able = done[0] if done else Strategy.TREATMENT_POLICY
    if stated and stated[0] is not able:
        other = "death" if endpoint == EVENT_FREE else EVENT_FREE
        raise AnalysisError(
            f"with the endpoint {endpoint}, {name} handles {PAV.event} as {able.value}, not as {stated[0].value}: "
            f"write that, or take the endpoint {other}"
        )


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
