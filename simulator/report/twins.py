"""What stands in the report of twins: who was matched, were they right, an external comparison, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING, Any

from simulator.report.captions import figure
from simulator.report.data import DataPage
from simulator.results.notices import OF_PEOPLE
from simulator.studies.twins.calibration import METHODS, calibration
from simulator.studies.twins.external import CALLED, compared_arms, external
from simulator.tables.numbers import fixed
from simulator.tables.table import Table
from simulator.units import how_many

if TYPE_CHECKING:
    from simulator.studies.twins.result import Twins

NONE = "–"


def twins_content(found: Twins) -> DataPage:
    """The report of twins; numbers of single participants are not in it."""
    lines = found.lines()
    arms = compared_arms(found)
    notes = [*lines[1:-1], *([CALLED] if arms else [])]
    pictures = [figure(picture.kind, picture.svg()) for picture in map(found.plot.draw, found.plot.kinds)]
    tables = [*(_right(found) if found.plot.kinds else ()), *_external(found, arms), *_unmatched(found)]
    told = _answer(found) if found.plot.kinds else [f"{lines[0]}."]
    main = [table for table in tables if table.caption.endswith("all days")]
    tables = [table for table in tables if table not in main]
    return DataPage(
        found.title, f"{lines[0]}.", OF_PEOPLE, notes, pictures, tables, "Were the twins right?", told, main
    )


def _answer(found: Twins) -> list[str]:
    """How far the twins' forecasts were off, beside the best rival's; events seen beside those expected."""
    told = calibration(found)
    mine = told.row("twins")
    rivals = [row for row in told.rows if row.method != "twins" and row.day != row.day and row.crps.n]
    best = min(rivals, key=lambda row: row.crps.value, default=None)
    beside = f"; of the best rival, {METHODS[best.method]}, {pair(best.crps, 2)}" if best else ""
    held = (
        f"{number(100 * mine.within_95.value, 0)} % of {mine.crps.n:,} measurements lay in the twins' 95 % intervals."
    )
    lines = [f"Error of the twins' forecasts (CRPS) {pair(mine.crps, 2)}{beside}. {held}"]
    if (one := told.ratio) is not None:
        ratio = f"{fixed(one.value, 2)} ({fixed(one.lower, 2)} to {fixed(one.upper, 2)})"
        lines.append(f"{how_many(one.observed, 'events')} seen, {one.expected:.1f} expected: ratio {ratio}.")
    return lines


def _right(found: Twins) -> Iterator[Table]:
    """Calibration by day and method."""
    told = calibration(found)
    heads = ["", "n", "CRPS", "more than twins", "in 50, 80, 95 %", "slope"]
    for day in [*found.days.tolist(), None]:
        rows = [row for row in told.rows if row.crps.n and (row.day == day or (day is None and row.day != row.day))]
        body = [
            [
                METHODS[row.method],
                f"{row.crps.n:,}",
                pair(row.crps, 2),
                "" if row.method == "twins" else pair(row.gain, 2),
                _shares([100 * one.value for one in (row.within_50, row.within_80, row.within_95)]),
                pair(row.slope, 2),
            ]
            for row in rows
        ]
        if body:
            yield Table(f"Forecasts of measurements, {'all days' if day is None else f'day {day:g}'}", heads, body)
    if told.ratio is not None:
        one = told.ratio
        body = [
            ["observed, expected", f"{one.observed}, {one.expected:.1f}"],
            ["ratio, exact interval", f"{fixed(one.value, 2)} ({fixed(one.lower, 2)} to {fixed(one.upper, 2)})"],
            ["concordance", pair(told.concordance, 2)],
            *([f"Brier score, day {row.day:g}; of Kaplan–Meier", f"{pair(row.brier, 3)}; {pair(row.brier_of_all, 3)}"]
              for row in told.events),
        ]  # fmt: skip
        yield Table("Events", ["", "value"], body)


def _shares(percents: list[float]) -> str:
    """Several shares; nothing where a method has none."""
    return "" if all(map(isnan, percents)) else ", ".join(number(one, 0) for one in percents)


def _external(found: Twins, arms: list[str]) -> Iterator[Table]:
    """Participants less their untreated twins, an arm a table."""
    heads = ["", "n", "difference (95 %)", "SE: sampling", "parameters", "twins", "speed"]
    for arm in arms:
        one = external(found, [arm])
        for who, visits in (("survivors", one.visits), ("all, an event as 0", one.composite)):
            body = [
                [
                    f"day {v.day:g}",
                    f"{v.n:,}",
                    f"{fixed(v.difference, 2)} ({fixed(v.lower, 2)} to {fixed(v.upper, 2)})",
                    *(number(x, 2) for x in (v.sampling, v.parameters, v.cohort, v.speed)),
                ]
                for v in visits
            ]
            if body:
                yield Table(f"{arm} less their own untreated twins, {found.outcome}, {who}", heads, body)


def _unmatched(found: Twins) -> Iterator[Table]:
    """How many have no twins; their names stand in scores.csv."""
    if found.unmatched:
        yield Table("Without twins", ["", "participants"], [["see scores.csv", f"{len(found.unmatched):,}"]])


def pair(one: Any, digits: int) -> str:
    """A figure ± its error."""
    return number(one.value, digits) + ("" if isnan(one.error) else f" ± {fixed(one.error, digits)}")


def number(value: float, digits: int) -> str:
    """A number, or a dash where there is none."""
    return NONE if isnan(value) else fixed(value, digits)
