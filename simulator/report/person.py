"""One person's tables in the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.tables.numbers import fixed, with_error
from simulator.tables.table import Table

if TYPE_CHECKING:
    from simulator.studies.person.portrait import Portrait, Spread

HEADS = ["", "5 %", "25 %", "median", "75 %", "95 %"]


def tables_of(found: Portrait) -> list[Table]:
    """Quantiles of each outcome, chances, what is reported of the person, what is published beside it."""
    how = f"{found.twins:,} twins of {found.looked_at:,}, effective sample size {found.effective:,.0f} ({found.method})"
    outcomes = dict.fromkeys(row.outcome for row in found.spreads)
    spreads = [_spread([row for row in found.spreads if row.outcome == outcome]) for outcome in outcomes]
    spreads[0] = spreads[0]._replace(caption=f"{spreads[0].caption}; {how}")
    chances = [
        Table(f"{rows[0].label}, {rows[0].unit}", ["", ""], [[_who(*_place(row)), _cell(row)] for row in rows])
        for outcome in dict.fromkeys(row.outcome for row in found.chances)
        if (rows := [row for row in found.chances if row.outcome == outcome])
    ]
    return [*_account(found), *spreads, *chances, *_known(found)]


def _spread(rows: Sequence[Spread]) -> Table:
    body = [[_who(*_place(row)), *map(_number, row.quantiles, row.mcse)] for row in rows]
    return Table(f"{rows[0].label}, {rows[0].unit}", HEADS, body)


def _place(row: object) -> tuple[str, str, float | None]:
    return row.arm, row.against, row.months  # type: ignore[attr-defined]


def _who(arm: str, against: str, months: float | None) -> str:
    name = f"{arm} vs {against}" if against else arm
    return name if months is None else f"{months:.0f} months, {name}"


def _cell(row: object) -> str:
    return with_error(row.estimate, row.mcse, 1)  # type: ignore[attr-defined]


def _number(value: float, error: float) -> str:
    if math.isinf(value):
        return "beyond follow-up"
    return "nobody" if math.isnan(value) else with_error(value, error, 1)


def _account(found: Portrait) -> list[Table]:
    """What is reported, placed among the twins."""
    if not found.told:
        return []
    body = [
        [
            f"“{one.quote}”: {one.arm}, {one.label}" + ("" if one.months is None else f" at {one.months:g} months"),
            f"{one.value:g}",
            "dead or worse" if math.isinf(one.middle) else fixed(one.middle, 1),
            with_error(one.at_least_as_well, one.mcse, 1),
        ]
        for one in found.told
    ]
    body += [
        [f"{row.arm}: {row.label.lower()}", "", "", with_error(row.estimate, row.mcse, 2)] for row in found.together
    ]
    return [
        Table("What is reported of the person", ["", "reported", "median of twins", "% who do at least as well"], body)
    ]


def _known(found: Portrait) -> list[Table]:
    if not found.known:
        return []
    body = [
        [
            f"{one.id} {one.quantity}, {one.population}",
            f"{one.value:g} {one.unit}",
            _source(one.source, one.read_in_source),
        ]
        for one in found.known
    ]
    return [Table("Published beside it; not used to choose twins", ["", "published", "source"], body)]


def _source(source: str, is_read: bool) -> str:
    return source if is_read else f"{source}; recalled, not read in the source"
