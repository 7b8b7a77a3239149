"""Every value behind a decision: what is drawn and from what, what is not, each with its source and grade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.language.listing import Value, values
from simulator.studies.decide.drawing import COSTS, UTILITIES, Drawn
from simulator.studies.decide.tables import Cell, Column, Table, number

if TYPE_CHECKING:
    from simulator.language import Scenario

DECISION = "decision."
HEADS = ("value", "group", "own", "unit", "prior", "grade", "source", "address")
NOT_DRAWN = "not drawn"
ASKED = ("decision.thresholds.", "decision.scenarios.")
"""Values that are only asked about."""


def parameters(drawn: Drawn, scenario: Scenario) -> Table:
    """What is drawn, then the other values of the decision; those of the model that are not drawn are only counted."""
    known = {one.address: one for one in values(scenario)}
    rows = [_row(one.name, one.group, one.prior, known[one.address]) for one in drawn.uncertain if one.address in known]
    rows += [
        _row(one.address.removeprefix(DECISION), one.address.split(".")[1], NOT_DRAWN, one)
        for one in _left(drawn, scenario)
        if one.address.startswith(DECISION) and not one.address.startswith(ASKED)
    ]
    columns = [Column(name, 4 if name == "own" else 0) for name in HEADS]
    note = "ensemble: the calibrated vectors, correlated. Values of the model that are not drawn stand in the scenario."
    return Table("parameters", "Values of the decision, and all that is uncertain", columns, rows, note)


def _row(name: str, group: str, prior: str, one: Value) -> list[Cell]:
    recalled = "recalled, not read in the source" if one.read_in_source is False else None
    source = "; ".join(part for part in (one.source, recalled, one.note) if part)
    return [name, group, number(float(one.value)), one.unit or "", prior, one.evidence or "", source, one.address]


def fixed(drawn: Drawn, scenario: Scenario) -> list[str]:
    """What is not drawn, for it has no prior: utilities and costs by name, other values counted by section."""
    left = [one.address for one in _left(drawn, scenario)]
    named = [place.removeprefix(DECISION) for place in left if place.startswith((UTILITIES, COSTS))]
    every = Counter(map(_section, (one.address for one in _graded(scenario))))
    counts = Counter(_section(place) for place in left if not place.startswith((UTILITIES, COSTS)))
    return [*named, *(f"{count} of {every[section]} values of {section}" for section, count in counts.items())]


def _section(place: str) -> str:
    return place.split(".", maxsplit=1)[0]


def _left(drawn: Drawn, scenario: Scenario) -> Iterator[Value]:
    """Values with a grade that no draw sets."""
    moved = set().union(*drawn.settings)
    return (one for one in _graded(scenario) if one.address not in moved)


def _graded(scenario: Scenario) -> Iterator[Value]:
    return (one for one in values(scenario) if one.evidence and one.value is not None)
