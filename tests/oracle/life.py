"""What visits find out during a life, and what follows from it (model.md 7 and 8).

The course is walked again and again: each walk knows the decisions of the ones before it, and the first decision that
it makes differently, or in addition, is added. A decision depends on the course before it only, so this ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .calendar import BASELINE, Known, antisense_of, epoch_bounds, first_week
from .patient import Person
from .philox import VISIT, Keys
from .units import DAYS_PER_MONTH, Numbers

FOUND = ("trigger", "phenoconversion", "pav", "limit")
Decision = tuple[str, float, float]
"""What, the day of the visit, and (for `interval`) the new interval."""


@dataclass
class Memory:
    """What visits so far have shown."""

    baseline: float = math.nan
    logs: list[float] = field(default_factory=list)
    every: float = math.nan
    changed: float = -math.inf


def known_events(person: Person, decisions: list[Decision]) -> Known:
    """Days on which events can be acted upon."""
    found = {name: first_week(day) for name, day, _ in decisions if name != "interval"}
    diagnosis = person.onset_day + person.delay_months * DAYS_PER_MONTH
    return BASELINE | found | {"onset": first_week(person.onset_day), "diagnosis": first_week(diagnosis)}


def interval_changes(decisions: list[Decision]) -> list[tuple[float, float]]:
    """Changes of the interval of maintenance: day from which, interval."""
    return [(first_week(day), every) for name, day, every in decisions if name == "interval"]


def decide(numbers: Numbers, keys: Keys, epochs: list[Numbers], known: Known, visits: list[Numbers]) -> list[Decision]:
    """All decisions of one walk.

    Parameters
    ----------
    visits : the visits that were held, in order, each with `visit`, `day`, `disease_time`, `assisted` and what it
        measured.
    """
    decisions: list[Decision] = []
    memory = Memory()
    for seen in visits:
        if seen["visit"] == 0:
            memory.baseline = seen["nfl_plasma"]
        had = {name for name, _, _ in decisions}
        new = [
            name for name in FOUND if name not in had and happens(numbers.get("rules") or {}, keys, name, seen, memory)
        ]
        decisions += [(name, seen["day"], 0.0) for name in new]
        decisions += guided(numbers, epochs, known, seen, memory)
    return decisions


def happens(rules: Numbers, keys: Keys, name: str, seen: Numbers, memory: Memory) -> bool:
    """Whether a visit finds one of the events."""
    rule = rules.get(name) or {}
    if name == "trigger" and rule:
        return bool(seen["nfl_plasma"] >= rule["nfl_plasma"] and seen["nfl_plasma"] - memory.baseline >= rule["rise"])
    if name == "phenoconversion" and rule:
        ill = seen["disease_time"] >= 0.0 and seen["alsfrs_r"] < 48.0
        return bool(ill and keys.uniforms(VISIT, seen["visit"])[2] < rule["sensitivity"])
    if name == "limit":
        measured = {"alsfrs_r": seen["alsfrs_r"], "svc_percent": seen["svc"]}
        return any(rule.get(key) is not None and measured[key] <= rule[key] for key in measured)
    return bool(name == "pav" and seen["assisted"])


def guided(numbers: Numbers, epochs: list[Numbers], known: Known, seen: Numbers, memory: Memory) -> list[Decision]:
    """A longer or shorter interval, by the geometric mean of so many samples against the first one of all."""
    name = antisense_of(numbers, epochs)
    guide = numbers["treatments"][name]["regimen"].get("guided_by_nfl") if name else None
    if not guide:
        return []
    if math.isnan(memory.every):
        memory.every = numbers["treatments"][name]["regimen"]["every_days"]
    start = epoch_bounds(epochs[0], known)[0]
    if seen["day"] < max(start, memory.changed) + guide["wait_days"]:
        return []
    memory.logs.append(math.log(seen["nfl_plasma"] / memory.baseline))
    if len(memory.logs) < guide["samples"]:
        return []
    ratio, place = math.exp(sum(memory.logs) / len(memory.logs)), guide["intervals_days"].index(memory.every)
    memory.logs = []
    if ratio <= guide["longer_at_ratio"]:
        place = min(place + 1, len(guide["intervals_days"]) - 1)
    elif ratio >= guide["shorter_at_ratio"]:
        place = max(place - 1, 0)
    if guide["intervals_days"][place] == memory.every:
        return []
    memory.every, memory.changed = guide["intervals_days"][place], seen["day"]
    return [("interval", seen["day"], memory.every)]
