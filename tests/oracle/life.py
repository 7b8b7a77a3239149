"""What visits find out during a life, and what follows from it (model.md 7 and 8).

The course is walked again and again: each walk knows the decisions of the ones before it, and the first decision that
it makes differently, or in addition, is added. A decision depends on the course before it only, so this ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .calendar import BASELINE, Known, antisense_of, courses, epoch_bounds, first_week
from .patient import Person
from .philox import CARE, VISIT, Keys
from .units import DAYS_PER_MONTH, Numbers

REFUSED = -1.0
CARED = ("niv", "gastrostomy")
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
    course: int = -1


def known_events(person: Person, decisions: list[Decision]) -> Known:
    """Days on which events can be acted upon."""
    found = {name: first_week(day) for name, day, _ in decisions if name in FOUND}
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
        decisions += offered(numbers, keys, epochs, seen, {name for name, _, _ in decisions})
    return decisions


def offered(numbers: Numbers, keys: Keys, epochs: list[Numbers], seen: Numbers, had: set[str]) -> list[Decision]:
    """Ventilation and feeding tubes (docs/care.md): what, the day, and the multiplier of the hazard, or REFUSED."""
    found: list[Decision] = []
    niv, tube = (care_of(numbers, epochs, kind, seen["day"]) for kind in ("non_invasive_ventilation", "gastrostomy"))
    accepts, takes, _, _ = keys.uniforms(CARE, 0)
    points = seen.get("items")
    if niv and "niv" not in had and not seen["assisted"]:
        low = "svc" in numbers["visits"]["assessments"] and seen["svc"] < niv["offered_below_svc_percent"]
        if low or (points and min(points[9:]) <= niv["offered_at_respiratory_item"]):
            which = "good" if seen["bulbar"] >= niv["good_bulbar_points"] else "poor"
            yes = accepts < niv[f"accepted_{which}_bulbar"]
            found.append(("niv", seen["day"], niv[f"hazard_multiplier_{which}_bulbar"] if yes else REFUSED))
    if tube and "gastrostomy" not in had and points and points[2] <= tube["at_swallowing_item"]:
        found.append(("gastrostomy", seen["day"], tube["hazard_multiplier"] if takes < tube["uptake"] else REFUSED))
    return found


def care_of(numbers: Numbers, epochs: list[Numbers], kind: str, day: float) -> Numbers | None:
    """The treatment of a kind that an arm offers on a day."""
    for epoch in epochs:
        start, end = epoch_bounds(epoch)
        for treatment in (numbers["treatments"][name] for name in epoch["treatments"]):
            if treatment["kind"] == kind and start <= day < end:
                return treatment
    return None


def care_days(decisions: list[Decision]) -> dict[str, float]:
    """Days on which accepted care begins; infinite where it does not."""
    began = {name: first_week(day) for name, day, factor in decisions if name in CARED and factor != REFUSED}
    return {name: began.get(name, math.inf) for name in CARED}


def care_factor(decisions: list[Decision], day: float) -> float:
    """What care multiplies the hazard by on a day."""
    factors = [c for name, since, c in decisions if name in CARED and c != REFUSED and first_week(since) <= day]
    return math.prod(factors)


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
    running = next((one for one in courses(numbers, epochs, known) if one.start <= seen["day"] < one.end), None)
    if running is None:
        return []
    if running.number != memory.course:
        memory.course, memory.logs = running.number, []
        memory.every = numbers["treatments"][name]["regimen"]["every_days"]
    if seen["day"] < max(running.start, memory.changed) + guide["wait_days"]:
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
