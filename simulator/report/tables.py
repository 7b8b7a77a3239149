"""Tables of the report, as rows of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.measures.headline import Headline, Row
from simulator.tables.numbers import when, with_error
from simulator.tables.table import Table
from simulator.units import how_many

if TYPE_CHECKING:
    from simulator.studies.draws import Spread

MAIN = (
    ("alsfrs_r_change_death0",),
    ("kings_4_or_dead",),
    ("svc_change",),
    ("nfl_plasma_ratio",),
    ("event_free",),
    ("event_free_months",),
)

WIDEST = 6  # columns that fit a page


def main(headline: Headline) -> Table:
    """Page one: arms, then differences, down; the main metrics on the main day across."""
    day = headline.main_day
    rows = [row for row in headline.rows if row.day == day and not row.group]
    known = {row.metric for row in rows}
    names = [next(name for name in choice if name in known) for choice in MAIN if known & set(choice)]
    columns = [next(row for row in rows if row.metric == name) for name in names]
    who = list(dict.fromkeys((row.arm, row.against) for row in rows))
    who.sort(key=lambda pair: pair[1] != "")
    arms = sum(not against for _, against in who)
    cells = {(row.metric, row.arm, row.against): _cell(row) for row in rows}
    body = [[versus(*pair), *(cells.get((name, *pair), "") for name in names)] for pair in who]
    return Table(f"{when(day)}, all patients", ["", *map(label, columns)], body, (arms,))


def by_day(headline: Headline) -> list[Table]:
    """Each day of analysis: metrics down, then by stratum; arms and differences across."""
    rows = [row for row in headline.rows if row.kind != "onset"]
    found = []
    for day in dict.fromkeys(row.day for row in rows):
        found += _parted(when(day), [row for row in rows if row.day == day])
    return found


def _parted(caption: str, rows: Sequence[Row]) -> list[Table]:
    """One table, or two where it would be too wide for a page."""
    if len({(row.arm, row.against) for row in rows}) <= WIDEST:
        return [_table(caption, rows)]
    arms, differences = ([row for row in rows if bool(row.against) == kind] for kind in (False, True))
    return [_table(caption, arms), _table(f"{caption}, differences", differences)]


def from_onset(headline: Headline) -> list[Table]:
    """Survival from onset by variant, where everybody enters at onset."""
    rows = [row for row in headline.rows if row.kind == "onset"]
    return [_table("From onset, by variant", rows)] if rows else []


def screening(headline: Headline) -> list[Table]:
    """Why candidates were not eligible, by stratum."""
    rejected = headline.screening.get("rejected", [])
    if not rejected:
        return []
    tried = headline.screening["candidates"]
    strata = list(dict.fromkeys(stratum for stratum, _, _ in rejected))
    counts = {(rule, stratum): count for stratum, rule, count in rejected}
    rules = sorted(dict.fromkeys(rule for _, rule, _ in rejected), key=lambda rule: -_sum(counts, rule))
    body = [[rule, *(_count(counts, rule, stratum) for stratum in strata)] for rule in rules]
    caption = f"Screening: {tried:,} candidates for {how_many(headline.patients, 'patients')}; not eligible, by reason"
    return [Table(caption, ["", *strata], body)]


def _count(counts: dict[tuple[str, str], int], rule: str, stratum: str) -> str:
    return f"{counts[rule, stratum]:,}" if (rule, stratum) in counts else ""


def _sum(counts: dict[tuple[str, str], int], rule: str) -> int:
    return sum(count for (one, _), count in counts.items() if one == rule)


def _table(caption: str, rows: Sequence[Row]) -> Table:
    """Groups and metrics down, arms and pairs of arms across."""
    columns = sorted(dict.fromkeys((row.arm, row.against) for row in rows), key=lambda pair: pair[1] != "")
    cells = {(row.group, row.metric, row.arm, row.against): _cell(row) for row in rows}
    lines = {(row.group, row.metric): row for row in reversed(rows)}
    keys = list(dict.fromkeys((row.group, row.metric) for row in rows))
    body = [[label(lines[key], key[0]), *(cells.get((*key, *column), "") for column in columns)] for key in keys]
    parts = tuple(k for k in range(1, len(keys)) if keys[k][0] != keys[k - 1][0])
    return Table(caption, ["", *(versus(*column) for column in columns)], body, parts)


def _cell(row: Row) -> str:
    return with_error(row.estimate, row.mcse, row.digits)


def label(row: Row | Spread, group: str = "") -> str:
    """Metric and unit, and of which part of the patients."""
    return f"{group}: {row.label}, {row.unit}" if group else f"{row.label}, {row.unit}"


def versus(arm: str, against: str) -> str:
    """An arm, or two that are set against each other."""
    return f"{arm} vs {against}" if against else arm
