"""Numbers that are far from what is usual: most often a slip of the unit. They are told, not refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from simulator.catalog import entry
from simulator.language.faults import Fault, Path, Problem
from simulator.models import MODELS
from simulator.quantities import Distribution, Part, Quantity

FACTOR = 10.0
"""So far beyond the range of the catalog a number is told: months for days, or mg for g, are further away."""
NOTHING = 1000.0
"""A number so many times below the catalog's is no slip: it stands for nothing where 0 cannot be written."""
LONGEST_LIFE_YEARS = 120.0
UNITS = ("mg", "d", "months", "years", "pg/mL")
"""Units that are mistaken for one another. Shares, points and logarithms have limits of their own."""
CENTRES = ("value", "number", "mean", "median")
SPREADS = ("sd", "log_sd", "low", "high", "prior", "interval")
SHAPES = ("normal", "lognormal")
SINCE = ("time_since_onset_months", "months_since_diagnosis", "referral_months", "diagnostic_delay_months")


class Usual(NamedTuple):
    """What the catalog has at places of one kind."""

    low: float
    high: float
    unit: str

    def __str__(self) -> str:
        span = f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"
        return f"{span} {'days' if self.unit == 'd' else self.unit}"


def doubts(scenario: Any) -> list[Fault]:
    """The numbers of a scenario that are probably slips, each with its place, what is usual, and what to look at."""
    return [scenario.fault(problem) for problem in _doubts(scenario)]


def warnings(scenario: Any) -> tuple[str, ...]:
    """The same as sentences, for results: without the name of a file."""
    return tuple(f"{fault.address}: {fault.message}" for fault in doubts(scenario))


def _doubts(scenario: Any) -> Iterator[Problem]:
    usual = _usual()
    for path, value in _numbers(scenario, ()):
        kind = place_kind(path)
        limit = _limit(kind)
        found = usual.get(kind)
        if value > limit:
            known = f"; the catalog has {found}" if found else ""
            fact = f"{value:,.6g} {'months' if limit > LONGEST_LIFE_YEARS else 'years'} are longer than a life{known}"
            yield Problem(path, fact, "Check the unit")
        elif found and value > found.high * FACTOR:
            fact = f"{value:,.6g} is more than {FACTOR:g} times what the catalog has, {found}"
            yield Problem(path, fact, "Check the unit")
        elif found and found.low / NOTHING <= value < found.low / FACTOR:
            fact = f"{value:,.6g} is less than 1/{FACTOR:g} of what the catalog has, {found}"
            yield Problem(path, fact, "Check the unit")


def _limit(kind: Path) -> float:
    """The largest number at an age, or at a time since onset, that can be; infinite elsewhere."""
    if kind[-1:] in (("age_at_onset",), ("presymptomatic_at_age",)) or "age_years" in kind:
        return LONGEST_LIFE_YEARS
    return 12 * LONGEST_LIFE_YEARS if kind and set(kind[-2:]) & set(SINCE) else float("inf")


def _numbers(node: Any, path: Path) -> Iterator[tuple[Path, float]]:
    """The places of a scenario that hold a number, with it; of a distribution its centre."""
    if isinstance(node, Quantity):
        yield path, node.value
    elif isinstance(node, Distribution):
        log, centre, *_ = node.terms()
        shape = ("lognormal", "median") if log else ("normal", "mean")
        yield (path if node.number is not None else (*path, *shape)), centre
    else:
        for name, part in _parts(node):
            yield from _numbers(part, (*path, name))


def _parts(node: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(node, Part):
        return ((name, getattr(node, name)) for name in type(node).model_fields)
    if isinstance(node, Mapping):
        return node.items()
    return enumerate(node) if isinstance(node, list) else ()


@cache
def _usual() -> dict[Path, Usual]:
    """By kind of place, the range of what the catalog has: of SOD1-ALS, its drug and its measurements."""
    disease = entry("disease", "sod1")
    treatments = {"catalog": entry("treatment", "tofersen")["treatment"]}
    parts: list[Mapping[str, Any]] = [
        {"disease": disease["disease"], "treatments": treatments},
        {"visits": entry("measurement", "measurement")["visits"]},
        *({"progression": one} for one in disease["progression"].values()),
    ]
    found: dict[Path, Usual] = {}
    for part in parts:
        for path, value, unit in _graded(part, ()):
            low, high, _ = found.get(place_kind(path), (value, value, unit))
            found[place_kind(path)] = Usual(min(low, value), max(high, value), unit)
    return found


def _graded(node: Any, path: Path) -> Iterator[tuple[Path, float, str]]:
    """The numbers of a catalog entry that have one of UNITS and are no spread: place, number and unit."""
    if not isinstance(node, Mapping) or (path and path[-1] in SPREADS):
        return
    if node.get("unit") in UNITS and node.get("value", 0) > 0:
        yield path, float(node["value"]), str(node["unit"])
    elif "value" not in node or "kind" in node:
        for key, part in node.items():
            yield from _graded(part, (*path, key))


def place_kind(path: Path) -> Path:
    """What a place is, whatever the names of variants and treatments and the shape of a distribution."""
    named = {"variants", "treatments", *(key for model in MODELS.values() for key in model.BY_VARIANT)}
    kept = [part for before, part in zip(("", *path), path, strict=False) if before not in named]
    ends = [part for part in kept if part not in SHAPES]
    return tuple(ends[:-1] if len(kept) > len(ends) and ends[-1] in CENTRES else ends)
