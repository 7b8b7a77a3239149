"""What stands in the report of a run over draws; the template of a run's report lays it out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from math import isnan
from typing import TYPE_CHECKING

from simulator.language.display import treated
from simulator.measures.headline import main_day
from simulator.report.content import Page, Pair, asked, lead, pictures, provenance, sentences
from simulator.report.drivers import drivers
from simulator.report.evidence import evidence
from simulator.report.people import people
from simulator.report.stored_scenario import stored_scenario
from simulator.report.tables import MAIN, label, versus
from simulator.results.notices import NOTICE
from simulator.studies.answer import answer_of_draws
from simulator.studies.draws import Spread, drawn, one_draw
from simulator.tables.numbers import fixed, when, with_error
from simulator.tables.table import Table

if TYPE_CHECKING:
    from simulator.results import Result

HEADS = ("", "", "median", "5th to 95th percentile")
ASSUMED = "assumed"
NOTE = (
    "Median and percentiles are over {} parameter vectors of the ensemble that calibration drew, with the same random "
    "numbers: their range shows how far the parameters leave a figure open; where the model itself is wrong is not in "
    "it. ± is the Monte Carlo standard error of one vector: how far a figure would move with other random numbers. A "
    "difference is that of the same patients in two arms, the first minus the second; for a ratio, their ratio. As if "
    "alive: the course is followed beyond death. Survivors: those alive that day. The values listed below are those "
    "that the scenario names; a vector replaces those that were calibrated.{}"
)
SHARE = " Assumed: share of the variance over vectors from directions that published rows inform less than the priors."


def drawn_content(result: Result) -> Page:
    """The report of a run over draws: the headline as median and percentiles; pictures have bands over the vectors."""
    found = drawn(result)
    rows, (scenario, fault) = found.rows, stored_scenario(result)
    day = main_day(result)
    vectors = f"{result.draws} parameter {'vectors' if result.draws > 1 else 'vector'}"
    return Page(
        title=result.title,
        lead=f"{lead(result)} The same people at {vectors} of the calibrated ensemble.",
        notice=NOTICE,
        asked=asked(scenario),
        arms=[Pair(arm, treated(scenario, arm)) for arm in result.arms] if scenario else [],
        main=[_across(f"{when(day)}, all patients, median (5th to 95th percentile)", _main(rows, day))],
        note=NOTE.format(result.draws, SHARE if _tells(rows) else ""),
        evidence=evidence(scenario) if scenario else None,
        unreadable=fault,
        warnings=result.warnings,
        pictures=pictures(result),
        tables=list(_by_day(rows)),
        scenario_yaml=str(result.attrs["scenario"]),
        citations=json.loads(result.attrs["citations"]),
        provenance=provenance(result),
        answer=sentences(answer_of_draws(found, day)),
        people=_people(result),
        drivers=drivers(result, scenario) if scenario else None,
    )


def _people(result: Result) -> list[Table]:
    """Who was simulated, and what became of them, at the first vector."""
    tables = people(one_draw(result, 0))
    return [table._replace(caption=f"{table.caption}, at the first of {result.draws} vectors") for table in tables]


def _across(caption: str, rows: Sequence[Spread]) -> Table:
    """Arms, then differences, down; metrics across."""
    names = list(dict.fromkeys(row.metric for row in rows))
    who = sorted(dict.fromkeys((row.arm, row.against) for row in rows), key=lambda pair: pair[1] != "")
    cells = {(row.metric, row.arm, row.against): _spread(row) for row in rows}
    heads = ["", *(label(next(row for row in rows if row.metric == name)) for name in names)]
    body = [[versus(*pair), *(cells.get((name, *pair), "") for name in names)] for pair in who]
    return Table(caption, heads, body, (sum(not against for _, against in who),))


def _spread(row: Spread) -> str:
    """The median and its range."""
    middle, low, high = (fixed(one, row.digits) for one in (row.estimate, row.lower, row.upper))
    return middle if isnan(row.lower) else f"{middle} ({low} to {high})"


def _main(every: Sequence[Spread], day: float) -> list[Spread]:
    """The main metrics of all patients on a day, as many as fit with their ranges; all are in the tables by day."""
    rows = [row for row in every if row.day == day and not row.metric.startswith("svc")]
    known = {row.metric for row in rows}
    names = [next(name for name in choice if name in known) for choice in MAIN if known & set(choice)]
    return [row for name in names for row in rows if row.metric == name and not row.group]


def _by_day(rows: Sequence[Spread]) -> Iterator[Table]:
    """A table for each day; what has none comes last."""
    for day in dict.fromkeys(row.day for row in rows if not isnan(row.day)):
        yield _table(when(day), [row for row in rows if row.day == day])
    if undated := [row for row in rows if isnan(row.day)]:
        yield _table("From onset, by variant, and from the trigger on", undated)


def _tells(rows: Sequence[Spread]) -> bool:
    """Whether there are draws enough to say what rests on assumption."""
    return not all(isnan(row.assumed) for row in rows)


def _table(caption: str, rows: Sequence[Spread]) -> Table:
    """A part for each metric, named in its first line; arms, then differences, down."""
    heads = [*HEADS, ASSUMED] if _tells(rows) else list(HEADS)
    names = [label(row, row.group) for row in rows]
    parts = tuple(k for k in range(1, len(rows)) if names[k] != names[k - 1])
    body = [
        [name if k in parts or not k else "", versus(row.arm, row.against), *_figures(row)][: len(heads)]
        for k, (name, row) in enumerate(zip(names, rows, strict=True))
    ]
    return Table(caption, heads, body, parts)


def _figures(row: Spread) -> Iterator[str]:
    yield with_error(row.estimate, row.mcse, row.digits)
    yield "" if isnan(row.lower) else f"{fixed(row.lower, row.digits)} to {fixed(row.upper, row.digits)}"
    yield "" if isnan(row.assumed) else f"{row.assumed:.0%}"
