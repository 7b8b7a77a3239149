"""Checks that a scenario asks of its progression model only what the model has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.language.check import reads
from simulator.language.faults import Path, Problem
from simulator.mechanisms.care import Ventilation
from simulator.models import DRUG_OUTPUTS, MODELS

NEEDS = {"alsfrs_r": "alsfrs_r", "progression_rate": "alsfrs_r", "svc_percent": "svc"}
"""Rules on measured values, and the variable that is measured for them."""
OUTCOMES = {
    "alsfrs_r_change_survivors": "alsfrs_r",
    "alsfrs_r_change_death0": "alsfrs_r",
    "svc_change": "svc",
    "nfl_plasma_ratio": "nfl_plasma",
}
"""Outcomes of `sensitivity`, and the variable that they are read from."""
MOST_ITEM_NOISE = 7.5
"""SD of a total of items that are measured at random [points], nearly: 7.7."""
STAGES = {"kings": "kings_stage", "ft9": "ft9_stage", "mitos": "mitos_stage"}


def _model(scenario: Any) -> tuple[str, tuple[str, ...]]:
    """The model's name, and what it and the drug can show."""
    name = scenario.progression.model
    return name, (*MODELS[name].OUTPUTS, *DRUG_OUTPUTS)


def _lacks(name: str, what: str) -> str:
    """The fact that a model does not have something."""
    return f"the model {name} has no {what}"


def _others(what: str) -> str:
    """Which models have a variable, as a remedy."""
    return " or ".join(name for name, spec in MODELS.items() if what in spec.OUTPUTS)


@reads("progression", "visits")
def _assessments(scenario: Any) -> Iterator[Problem]:
    """Visits measure what the model has."""
    name, known = _model(scenario)
    for number, what in enumerate(scenario.visits.assessments):
        if what not in known:
            remedy = f"Remove it, or take the model {_others(what)}"
            yield Problem(("visits", "assessments", number), _lacks(name, what), remedy)
    if scenario.visits.scoring == "items" and not MODELS[name].SCORES_ITEMS:
        models = " or ".join(other for other, spec in MODELS.items() if spec.SCORES_ITEMS)
        remedy = f"Write scoring: total, or take the model {models}"
        yield Problem(("visits", "scoring"), _lacks(name, "items of the ALSFRS-R"), remedy)
    noise = scenario.visits.noise.alsfrs_r_points.value
    if scenario.visits.scoring == "items" and noise > MOST_ITEM_NOISE:
        fact = f"{noise:g} is more than the noise that twelve items of 0 to 4 can have"
        remedy = f"Write at most {MOST_ITEM_NOISE:g}, or scoring: total"
        yield Problem(("visits", "noise", "alsfrs_r_points"), fact, remedy)


@reads("progression", "entry")
def _diagnosis(scenario: Any) -> Iterator[Problem]:
    """Entry counts from diagnosis only where diagnosis lies on the model's clock."""
    name, _ = _model(scenario)
    if scenario.entry.months_since_diagnosis is not None and not MODELS[name].DIAGNOSES:
        models = " or ".join(other for other, spec in MODELS.items() if spec.DIAGNOSES)
        fact = _lacks(name, "diagnosis of its own, only delays in months by variant")
        yield Problem(("entry", "months_since_diagnosis"), fact, f"Write another way in, or take the model {models}")


@reads("progression", "output")
def _stages(scenario: Any) -> Iterator[Problem]:
    """Stages are asked only of a model that has items or stages."""
    name, known = _model(scenario)
    if scenario.output.stages and "kings_stage" not in known:
        fact = _lacks(name, "stages: it has totals of the ALSFRS-R only")
        yield Problem(("output", "stages"), fact, f"Remove it, or take the model {_others('kings_stage')}")


@reads("progression", "person")
def _person(scenario: Any) -> Iterator[Problem]:
    """Twins of a person are told by their scores."""
    name, known = _model(scenario)
    if scenario.person is not None and "alsfrs_r" not in known:
        remedy = f"Take the model {_others('alsfrs_r')}"
        yield Problem(("person",), _lacks(name, "alsfrs_r to compare a person's with"), remedy)


@reads("progression", "treatments")
def _ventilation(scenario: Any) -> Iterator[Problem]:
    """Ventilation depends on bulbar function."""
    name, known = _model(scenario)
    for key, one in scenario.treatments.items():
        if isinstance(one, Ventilation) and "alsfrs_r_bulbar" not in known:
            remedy = f"Remove it, or take the model {_others('alsfrs_r_bulbar')}"
            yield Problem(("treatments", key), _lacks(name, "bulbar function, which ventilation depends on"), remedy)


@reads("progression", "attrition")
def _leaving(scenario: Any) -> Iterator[Problem]:
    """Dropout depends on a score that the model has."""
    name, known = _model(scenario)
    if scenario.attrition is not None and scenario.attrition.by_function is not None and "alsfrs_r" not in known:
        remedy = f"Remove it, or take the model {_others('alsfrs_r')}"
        yield Problem(("attrition", "by_function"), _lacks(name, "alsfrs_r, which dropout depends on"), remedy)


@reads("progression", "sensitivity")
def _outcome(scenario: Any) -> Iterator[Problem]:
    """What a sensitivity analysis explains is something that the model has."""
    if scenario.sensitivity is None:
        return
    name, known = _model(scenario)
    what = OUTCOMES.get(scenario.sensitivity.outcome)
    if what is not None and what not in known:
        remedy = f"Choose another outcome, or take the model {_others(what)}"
        yield Problem(("sensitivity", "outcome"), _lacks(name, what), remedy)


@reads("progression", "decision")
def _utilities(scenario: Any) -> Iterator[Problem]:
    """Utilities go by stages that the model has."""
    if scenario.decision is None:
        return
    (name, known), system = _model(scenario), scenario.decision.utilities.system
    if STAGES[system] not in known:
        fact = _lacks(name, f"stages of {system}")
        yield Problem(("decision", "utilities", "system"), fact, f"Take the model {_others(STAGES[system])}")


@reads("progression", "entry", "strata")
def _rules(scenario: Any) -> Iterator[Problem]:
    """Rules of entry and of strata look at what the model has."""
    rules: list[tuple[Path, Any]] = [(("entry", "eligible"), scenario.entry.eligible)]
    for stratum, part in (scenario.strata or {}).items():
        rules.append((("strata", stratum, "eligible"), part.eligible))
        rules.extend((("strata", stratum, "when", i), rule) for i, rule in enumerate(part.when or []))
    name, known = _model(scenario)
    for path, rule in rules:
        for key, what in NEEDS.items():
            if rule is not None and getattr(rule, key) is not None and what not in known:
                remedy = f"Remove the rule, or take the model {_others(what)}"
                yield Problem((*path, key), _lacks(name, f"{what} to measure"), remedy)
