"""The catalog for people: an entry, a table of the evidence or one row of it, as values with unit, evidence, source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from simulator import catalog
from simulator.catalog.claims import Claim, claims
from simulator.catalog.facts import Fact, Point, facts, points
from simulator.language.faults import Path, address
from simulator.language.listing import SHAPE_KEYS, Value, unit_of, values
from simulator.language.loading import bundled, load
from simulator.language.scenario import Scenario

ARTICLE = "the article"
CURVE_UNITS = {"alsfrs_r_change": "points", "event_free_share": "share"}


class Shown(NamedTuple):
    """What stands under a name: values and, for a scenario, the scenario."""

    name: str
    values: list[Value]
    scenario: Scenario | None = None

    def content(self) -> dict[str, Any]:
        """As plain data."""
        listed = {"values": [value._asdict() for value in self.values]}
        if self.scenario is None:
            return {"name": self.name, **listed}
        return {
            "name": self.name, "sha256": self.scenario.sha256, "scenario": self.scenario.content(), **listed
        }  # fmt: skip


def look_up(name: str) -> Shown:
    """A part of the catalog, or else a scenario; a file or a bundled scenario of the same name comes first.

    Raises
    ------
    ScenarioError
        Neither has the name.
    """
    if name not in bundled() and not FilePath(name).exists():
        found = catalogued(name)
        if found is not None:
            return Shown(name, found)
    scenario = load(name)
    return Shown(scenario.name, values(scenario), scenario)


def catalogued(name: str) -> list[Value] | None:
    """Every value under a name of the catalog; None where it has no such name.

    Parameters
    ----------
    name : str
        An entry (`sod1`), a table (`facts`, `curves`, `claims`) or the id of a row (`VAL-14`, `A03`, a point of a
        curve).
    """
    tables: dict[str, Callable[[], Iterable[Value]]] = {
        "facts": lambda: map(_fact, facts().values()),
        "curves": lambda: map(_point, points().values()),
        "claims": lambda: map(_claim, claims().values()),
    }
    if name in tables:
        return list(tables[name]())
    for kind in catalog.KINDS:
        if name in catalog.names(kind):
            return list(_entry(catalog.entry(kind, name), (), None))
    if name in facts():
        return [_fact(facts()[name])]
    if name in points():
        return [_point(points()[name])]
    return [_claim(claims()[name])] if name in claims() else None


def _entry(node: Any, path: Path, unit: str | None) -> Iterator[Value]:
    """The sourced numbers below a node of an entry."""
    if isinstance(node, list):
        for number, part in enumerate(node):
            yield from _entry(part, (*path, number), unit)
    elif isinstance(node, Mapping) and "value" in node and "kind" not in node:
        note = "; ".join(part for part in (_belief(node), _basis(node), node.get("note")) if part) or None
        grade, source, read = (node.get(key) for key in ("evidence", "source", "read_in_source"))
        yield Value(address(path), float(node["value"]), node.get("unit", unit), grade, source, note, read)
    elif isinstance(node, Mapping):
        for key, part in node.items():
            yield from _entry(part, (*path, key), unit if key in SHAPE_KEYS else unit_of(key) or None)


def _basis(node: Mapping[str, Any]) -> str:
    """Price year and perspective of an amount of money."""
    return f"prices of {node['price_year']}, perspective {node['perspective']}" if "price_year" in node else ""


def _belief(node: Mapping[str, Any]) -> str:
    """Interval and prior of a value."""
    interval = "interval {:g} to {:g}".format(*node["interval"]) if "interval" in node else ""
    shapes = [
        f"prior {shape} " + ", ".join(f"{k} {v:g}" for k, v in part.items())
        for shape, part in node.get("prior", {}).items()
    ]
    return "; ".join(part for part in (interval, *shapes) if part)


def _fact(fact: Fact) -> Value:
    where = [part for part in (fact.quantity, fact.population, fact.arm, fact.time) if part]
    return Value(
        f"{fact.id} {', '.join(where)}",
        fact.value,
        fact.unit,
        fact.evidence,
        fact.cited,
        _details(fact, fact.interval_kind or "", f"confidence {fact.confidence}", fact.note),
        fact.read_in_source,
    )


def _point(point: Point) -> Value:
    unit = CURVE_UNITS.get(point.endpoint, "ratio to baseline")
    return Value(
        point.id,
        point.value,
        unit,
        point.evidence,
        point.cited,
        _details(point, "ci95", point.phase, {"plot": "read off the plot", "printed": "printed"}[point.reading]),
        True,
    )


def _details(row: Fact | Point, kind: str, *rest: str | None) -> str:
    """Spread, number of people, role and remarks."""
    interval = f"{kind} {row.interval[0]:g} to {row.interval[1]:g}" if row.interval else None
    spread = f"SD {row.sd:g}" if isinstance(row, Fact) and row.sd is not None else None
    people = f"n {row.n:g}" if row.n else None
    return "; ".join(part for part in (interval, spread, people, row.role, *rest) if part)


def _claim(claim: Claim) -> Value:
    parts = (f"published: {claim.published}", claim.verdict, ", ".join(claim.evidence), claim.note)
    note = "; ".join(part for part in parts if part)
    return Value(f"{claim.id} {claim.claim}", claim.article, None, "assumed", ARTICLE, note, True)
