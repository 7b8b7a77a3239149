"""Tables as plain aligned text: the same on a terminal and in a pipe, never wrapped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

LEGEND = "± is the Monte Carlo standard error. Survivors: alive that day; death = 0: the dead score 0 points."

if TYPE_CHECKING:
    from simulator.studies.compare import Comparison, Difference
    from simulator.studies.doctor import Check
    from simulator.studies.draws import Spread
    from simulator.studies.headline import Headline, Row
    from simulator.studies.replay import Replay
    from simulator.studies.single import Plan

LABEL_WIDTH = 38
ENOUGH = 100  # draws
WIDEST = 6
"""Columns of a table of arms with their differences beside them; more, and the differences get a table of their own."""


def aligned(rows: Sequence[Sequence[str]], width: int = LABEL_WIDTH) -> Iterator[str]:
    """Rows of cells as lines: the first column to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    widths[0] = max(widths[0], width)
    for first, *others in rows:
        cells = [f"  {cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        yield f"{first:<{widths[0]}}{''.join(cells)}".rstrip()


def clean(text: str) -> str:
    """Text of one line, without control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def with_error(value: float, mcse: float, digits: int) -> str:
    """A number and its Monte Carlo standard error."""
    if math.isnan(value):
        return "not reached"
    return f"{fixed(value, digits)} ± {'?' if math.isnan(mcse) else fixed(mcse, digits)}"


def fixed(value: float, digits: int) -> str:
    """A number with so many decimals, and no minus sign before a zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def headline_text(headline: Headline) -> str:
    """The headline of a run."""
    lines = [
        clean(headline.title),
        f"{headline.patients:,} patients in each arm, seed {headline.seed}, {headline.follow_up_days:g} days; "
        f"engine {headline.engine_version}, scenario {headline.scenario_sha256[:12]}",
    ]
    rows = [row for row in headline.rows if row.kind != "onset"]
    for day in dict.fromkeys(row.day for row in rows):
        for title, part in _parted(when(day), [row for row in rows if row.day == day]):
            lines += ["", *_block(title, part, headline.arms)]
    lines += _onset_block([row for row in headline.rows if row.kind == "onset"], headline.arms)
    lines += ["", *_screening(headline), *(f"Warning: {clean(text)}" for text in headline.warnings)]
    if len(headline.arms) > 1:
        paired = "in the same patients" if headline.output != "summary" else "not paired, the errors upper bounds"
        lines.append(f"B vs A: B minus A, {paired}; for a ratio, B / A.")
    return "\n".join([*lines, LEGEND, headline.notice])


def _parted(title: str, rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """The rows of a day in one table, or in two if it would be too wide."""
    if len({(row.arm, row.against) for row in rows}) <= WIDEST:
        return [(title, rows)]
    return [(title, [r for r in rows if not r.against]), (f"{title}, differences", [r for r in rows if r.against])]


def when(day: float, capital: bool = True) -> str:
    """A day, with its week where it is a whole one."""
    text = f"day {day:g}" + (f" (week {day / 7:g})" if day % 7 == 0 else "")
    return text.capitalize() if capital else text


def _block(title: str, rows: Sequence[Row], arms: Sequence[str]) -> list[str]:
    """One table: metrics down, strata below; arms and pairs of arms across."""
    if not rows:
        return []
    columns = sorted(dict.fromkeys((row.arm, row.against) for row in rows), key=lambda column: column[1] != "")
    table = [[title, *(_column(column, arms) for column in columns)]]
    for key in dict.fromkeys((row.group, row.metric) for row in rows):
        line = [row for row in rows if (row.group, row.metric) == key]
        cells = {(row.arm, row.against): with_error(row.estimate, row.mcse, row.digits) for row in line}
        table.append([_label(line[0]), *(cells.get(column, "") for column in columns)])
    return list(aligned(table))


def _onset_block(rows: Sequence[Row], arms: Sequence[str]) -> list[str]:
    return ["", *_block("From onset, by variant", rows, arms)] if rows else []


def _label(row: Row) -> str:
    group = f"{clean(row.group)}: " if row.group else ""
    return f"{group}{row.label}, {row.unit}"


def _column(column: tuple[str, str], arms: Sequence[str]) -> str:
    """The arm with its letter, or the letters of two arms."""
    arm, against = column
    if against:
        return f"{_letter(arm, arms)} vs {_letter(against, arms)}"
    return f"{_letter(arm, arms)} {arm}" if len(arms) > 1 else arm


def _letter(arm: str, arms: Sequence[str]) -> str:
    return chr(ord("A") + arms.index(arm))  # at most 20 arms


def _screening(headline: Headline) -> Iterator[str]:
    """Candidates tried, and why they were not eligible by stratum, most frequent reason first."""
    tried, rejected = headline.screening.get("candidates"), headline.screening.get("rejected", [])
    if tried is None:
        return
    title = f"Screening: {tried:,} candidates for {headline.patients:,} patients"
    strata = list(dict.fromkeys(row[0] for row in rejected))
    counts: dict[str, dict[str, int]] = {}
    for stratum, rule, count in rejected:
        counts.setdefault(rule, {})[stratum] = count
    table = [[title, *(strata if strata != ["all"] else ["not eligible"][: len(strata)])]]
    for rule, by in sorted(counts.items(), key=lambda item: -sum(item[1].values())):
        table.append([f"  {rule}", *(f"{by[name]:,}" if name in by else "" for name in strata)])
    yield from aligned([[clean(cell) for cell in row] for row in table])


def draws_text(found: dict[str, Any]) -> str:
    """The headline over the draws of an ensemble."""
    rows: list[Spread] = found["rows"]
    lines = [f"Median and 90 % of {found['draws']} parameter vectors; ± is the Monte Carlo standard error of one draw."]
    for day in dict.fromkeys(row.day for row in rows if not math.isnan(row.day)):
        table = [[when(day), "arm", "median", "5th to 95th percentile", "assumed"]]
        for row in (row for row in rows if row.day == day):
            arm = f"{row.arm} vs {row.against}" if row.against else row.arm
            label = f"{clean(row.group)}: {row.label}" if row.group else row.label
            interval = f"{fixed(row.lower, row.digits)} to {fixed(row.upper, row.digits)}"
            share = "" if math.isnan(row.assumed) else f"{row.assumed:.0%}"
            table.append([f"{label}, {row.unit}", arm, with_error(row.estimate, row.mcse, row.digits), interval, share])
        lines += ["", *aligned(table)]
    note = "assumed: share of the variance over draws from directions that the rows inform less than the priors do"
    lines += ["", note + (" (needs 100 draws)." if found["draws"] < ENOUGH else ".")]
    return "\n".join(lines)


def comparison_text(comparison: Comparison) -> str:
    """The table of differences between two results."""
    lines = [f"A  {clean(comparison.a)}", f"B  {clean(comparison.b)}", *comparison.notes]
    for day in dict.fromkeys(row.day for row in comparison.rows):
        header = [when(day), "arm", "A", "B", "B - A", "95 % interval"]
        rows = [_comparison_row(row) for row in comparison.rows if row.day == day]
        lines += ["", *aligned([header, *rows])]
    return "\n".join([*lines, "", "Intervals are Monte Carlo intervals; the B - A of a ratio is B / A."])


def _comparison_row(row: Difference) -> list[str]:
    d = row.digits
    interval = f"{fixed(row.lower, d)} to {fixed(row.upper, d)}"
    numbers = [fixed(value, d) for value in (row.a, row.b, row.estimate)]
    return [f"{row.label}, {row.unit}", row.arm, *numbers, interval]


def without_nan(value: Any) -> Any:
    """The value as JSON can say it: NaN and infinity are null, named tuples are objects."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "_asdict"):
        return {key: without_nan(one) for key, one in value._asdict().items()}
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [without_nan(one) for one in value]
    return value


def replay_text(found: Replay) -> str:
    """Equal, or what differs."""
    lines = [*found.notes, *(f"differs  {one}" for one in found.deviations)]
    if found.equal:
        lines.append(f"equal    {found.folder}: all {found.compared} variables, bit by bit")
    return "\n".join(lines)


def checks_text(found: Sequence[Check]) -> str:
    """What the doctor found."""
    words = {None: "", True: "ok", False: "FAILED"}
    return "\n".join(f"{check.name:<16}{words[check.passed]:<8}{check.finding}".rstrip() for check in found)


def plan_text(plan: Plan) -> str:
    """What would be run."""
    rows = [(key.replace("_", " "), value) for key, value in plan._asdict().items()]
    return "\n".join(f"{key:<20}{', '.join(value) if isinstance(value, tuple) else value}" for key, value in rows)
