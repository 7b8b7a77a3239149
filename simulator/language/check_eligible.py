"""Checks that somebody can be eligible, as far as can be known without simulating."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from simulator.language.check import reads
from simulator.language.faults import Path, Problem

RANGES = {
    "alsfrs_r": ("ALSFRS-R", 0.0, 48.0),
    "alsfrs_r_lost": ("the loss of ALSFRS-R", -48.0, 48.0),
    "progression_rate": ("the progression rate", 0.0, inf),
    "time_since_onset_months": ("time since onset", 0.0, inf),
    "age_years": ("age", 0.0, inf),
    "nfl_plasma": ("neurofilament", 0.0, inf),
}
"""What is measured, its name, and the values that it can take."""
ENTERING = {"time_since_onset_months": "time_since_onset_months", "presymptomatic_at_age": "age_years"}
"""Ways into the study that set a measured value, and which."""


@reads("entry", "strata", "trial")
def _possible(scenario: Any) -> Iterator[Problem]:
    """Limits contain values that can be measured."""
    rules: list[tuple[Path, Any]] = [(("entry", "eligible"), scenario.entry.eligible), *_of_strata(scenario)]
    if scenario.trial is not None and scenario.trial.lead_in is not None:
        rules.append((("trial", "lead_in", "eligible"), scenario.trial.lead_in.eligible))
    for path, rule in rules:
        for name, limits in _limits(rule):
            what, low, high = RANGES.get(name, ("", -inf, inf))
            if not _overlap(limits, (low, high)):
                span = f"lies in {low:g} to {high:g}" if high < inf else f"is {low:g} or more"
                yield Problem((*path, name), f"nobody is eligible: {what} {span}", "Correct the limits")


@reads("entry", "strata")
def _together(scenario: Any) -> Iterator[Problem]:
    """Limits of a stratum, of entry, and of the way in leave room for somebody."""
    general = dict(_limits(scenario.entry.eligible))
    for path, rule in _of_strata(scenario):
        for name, limits in _limits(rule):
            if name in general and not _overlap(limits, general[name]):
                fact = "nobody is eligible: no value meets these limits and those of entry.eligible"
                yield Problem((*path, name), fact, "Correct one of them")
    for way, name in ENTERING.items():
        entering = getattr(scenario.entry, way)
        if entering is not None and name in general and general[name][1] < entering.lowest:
            fact = f"nobody is eligible: entry.{way} is {entering.lowest:g} or more"
            yield Problem(("entry", "eligible", name), fact, "Correct one of them")


@reads("entry", "strata")
def _members(scenario: Any) -> Iterator[Problem]:
    """Who belongs to a stratum by one of its rules can be eligible for it."""
    for name, stratum in (scenario.strata or {}).items():
        wanted = [*_limits(scenario.entry.eligible), *_limits(stratum.eligible)]
        rules = [dict(_limits(rule)) for rule in stratum.when or []]
        if rules and not any(all(_overlap(rule.get(key, limits), limits) for key, limits in wanted) for rule in rules):
            fact = "nobody is eligible: who belongs here by these rules never meets what makes eligible"
            yield Problem(("strata", name, "when"), fact, "Correct them, or the limits of eligible")


def _of_strata(scenario: Any) -> list[tuple[Path, Any]]:
    return [(("strata", name, "eligible"), stratum.eligible) for name, stratum in (scenario.strata or {}).items()]


def _limits(rule: Any) -> Iterator[tuple[str, tuple[float, float]]]:
    """What a rule limits, with the least and the largest value."""
    for name in type(rule).model_fields if rule is not None else ():
        bounds = getattr(rule, name)
        if bounds is not None and name != "variant":
            yield name, (_or(bounds.min, -inf), _or(bounds.max, inf))


def _or(limit: Any, otherwise: float) -> float:
    return otherwise if limit is None else float(limit.value)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two closed intervals have a value in common."""
    return max(one[0], other[0]) <= min(one[1], other[1])
