"""Reactions to the drug and the doses that are held for them (docs/safety.md, docs/random_numbers.md)."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from .patient import choose
from .philox import REACTION, REACTION_TO_DOSE, Keys
from .units import DAYS_PER_YEAR, Numbers

PER_PROCESS = 4096
LIVER = "raised_transaminases"


class Reaction(NamedTuple):
    """A reaction: its day, kind, whether it is serious, and the day until which doses are held (infinite: for good)."""

    day: float
    kind: str
    serious: bool
    until: float


def day_of(spans: list[tuple[float, float]], on_drug: float) -> float:
    """The day since baseline after so many days on the drug; infinite if the drug is not given so long."""
    for first, end in spans:
        if on_drug < end - first:
            return first + on_drug
        on_drug -= end - first
    return math.inf


def serious_days(block: Numbers, hazard: float) -> float:
    """Days on the drug at which the hazard, of one rate until `later_from_days` and another after, has accumulated."""
    early, later = block["per_year"] / DAYS_PER_YEAR, block["later_per_year"] / DAYS_PER_YEAR
    turn = block["later_from_days"]
    if hazard <= early * turn:
        return hazard / early
    return turn + (hazard - early * turn) / later if later > 0.0 else math.inf


def liver_days(block: Numbers, hazard: float) -> float:
    """Days on the drug at which the constant hazard of raised transaminases has accumulated."""
    return hazard * DAYS_PER_YEAR / block["per_year"] if block["per_year"] > 0.0 else math.inf


def above(distribution: Numbers, limit: float) -> float:
    """Probability that the log-normal peak lies above a limit (the oracle takes no other shape, and no bounds)."""
    terms = distribution["lognormal"]
    return 0.5 * math.erfc(math.log(limit / terms["median"]) / (terms["log_sd"] * math.sqrt(2.0)))


def arrivals(keys: Keys, process: int, days: Callable[[float], float]) -> list[tuple[float, tuple[float, ...]]]:
    """Days (by `days` of the accumulated hazard) and the other three uniforms of all reactions of a process."""
    hazard, found = 0.0, []
    for number in count():
        threshold, *rest = keys.uniforms(REACTION, PER_PROCESS * process + number)
        hazard -= math.log(threshold)
        day = days(hazard)
        if math.isinf(day):
            return found
        found.append((day, tuple(rest)))
    raise AssertionError("the count never ends")


def hold(block: Numbers, uniform: float) -> float:
    """Whole days, uniform between the shortest and the longest."""
    shortest, longest = block["held_days_min"], block["held_days_max"]
    return float(shortest + math.floor((longest - shortest + 1) * uniform))


def serious(numbers: Numbers, keys: Keys, spans: list[tuple[float, float]]) -> list[Reaction]:
    """Serious neurologic reactions: process 0."""
    block = numbers["safety"]["serious_neurologic"]
    kinds, total, found = block["kinds"], sum(block["kinds"].values()), []
    for day, (u_kind, u_outcome, u_hold) in arrivals(keys, 0, lambda h: day_of(spans, serious_days(block, h))):
        until = math.inf if u_outcome < block["stopped"] else day + hold(block, u_hold)
        kind = choose({name: weight / total for name, weight in kinds.items()}, u_kind)
        found.append(Reaction(day, kind, True, until))
    return found


def liver(numbers: Numbers, keys: Keys, spans: list[tuple[float, float]]) -> list[Reaction]:
    """Raised transaminases: process 1, dated at the liver test that finds them; one test finds one."""
    block, every = numbers["safety"].get("transaminases"), numbers["safety"]["monitoring"]["liver_test_every_days"]
    if not block:
        return []
    stops, acts = (above(block["peak_multiple"], block[name]) for name in ("stop_above", "hold_above"))
    found: dict[float, Reaction] = {}
    for onset, (_, u_outcome, u_hold) in arrivals(keys, 1, lambda h: day_of(spans, liver_days(block, h))):
        day = spans[0][0] + every * math.ceil((onset - spans[0][0]) / every)
        until = math.inf if u_outcome < stops else day + hold(block, u_hold) if u_outcome < acts else day
        found.setdefault(day, Reaction(day, LIVER, False, until))
    return list(found.values())


def reactions(numbers: Numbers, keys: Keys, spans: list[tuple[float, float]], stop: float) -> list[Reaction]:
    """Everything until the drug ends on day `stop`, or earlier by a reaction; nothing without the block.

    `spans` : epochs with the drug, from their first dose to their end, half-open.
    """
    spans = [(first, min(end, numbers["follow_up_days"] + 7.0)) for first, end in spans]
    spans = [(first, end) for first, end in spans if first < end]
    if not numbers.get("safety") or not spans:
        return []
    found = [*serious(numbers, keys, spans), *liver(numbers, keys, spans)]
    last = min([stop, *(one.day for one in found if math.isinf(one.until) and one.day <= stop)])
    return sorted((one for one in found if one.day <= last), key=lambda one: one.day)


def without_held(found: list[Reaction], doses: list[float]) -> list[float]:
    """The doses that no reaction holds."""
    return [day for day in doses if not any(one.day <= day < one.until for one in found)]


def at_dose(numbers: Numbers, keys: Keys, regimen: Numbers, number: int) -> list[str]:
    """Common events of a patient's n-th dose: each with the chance that gives its share over the doses of 24 weeks."""
    block = numbers["safety"]["common"]
    first = regimen["loading_days"][0]
    days = [day - first for day in regimen["loading_days"]]
    while days[-1] + regimen["every_days"] <= block["over_days"]:
        days.append(days[-1] + regimen["every_days"])
    doses = sum(day <= block["over_days"] for day in days)
    found = []
    for place, (kind, share) in enumerate(block["shares"].items()):
        uniform = keys.uniforms(REACTION_TO_DOSE, 16 * number + place // 4)[place % 4]
        if uniform < 1.0 - (1.0 - share) ** (1.0 / doses):
            found.append(kind)
    return found
