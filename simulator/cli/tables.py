"""Tables as plain aligned text, 80 columns wide: the same on a terminal and in a pipe, without colours."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import typer

from simulator.tables.numbers import fixed, when, with_error
from simulator.tables.text import WIDTH, aligned, clean, short
from simulator.units import how_many, minus

LEGEND = (
    "± is the Monte Carlo standard error. As if alive: followed beyond death.",
    "Survivors: alive that day. Death = 0: the dead score 0 points.",
)
UNDATED = {"onset": "From onset, by variant", "trigger": "From the trigger on"}
"""Kinds of rows without a day, and their heads."""

if TYPE_CHECKING:
    from simulator.measures.headline import Headline, Row
    from simulator.studies.compare import Comparison, Difference
    from simulator.studies.dependencies import Dependency
    from simulator.studies.doctor import Check
    from simulator.studies.draws import Drawn, Spread
    from simulator.studies.replay import Replay
    from simulator.studies.single_run import Plan

ENOUGH = 100  # draws


def tell(text: str) -> None:
    """Print text for people on stdout, negative numbers with a minus sign where the terminal has it."""
    signed = minus(text)
    try:
        signed.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        signed = text
    typer.echo(signed)


def headline_text(headline: Headline) -> str:
    """The headline of a run: a block for each metric, arms and differences down, days across."""
    lines = [
        clean(headline.title),
        f"{how_many(headline.patients, 'patients')} in each arm, seed {headline.seed}, "
        f"{headline.follow_up_days:g} days",
        f"engine {headline.engine_version}, scenario {headline.scenario_sha256[:12]}",
        *_blocks([row for row in headline.rows if row.kind not in UNDATED], headline.arms),
        *undated(headline),
        "",
        *_screening(headline),
        *(f"Warning: {clean(text)}" for text in headline.warnings),
    ]
    if len(headline.arms) > 1:
        paired = "in the same patients" if headline.output != "summary" else "not paired, the errors upper bounds"
        lines.append(f"vs: the first minus the second, {paired}; of ratios the quotient.")
    return "\n".join([*lines, *LEGEND, headline.notice])


def _blocks(rows: Sequence[Row], arms: Sequence[str]) -> Iterator[str]:
    """As many days side by side as fit, then the others below; a single arm needs no row of its own."""
    days = sorted({row.day for row in rows})
    cells = {(_key(row), _column(row), row.day): with_error(row.estimate, row.mcse, row.digits) for row in rows}
    width = max((len(text) for text in [*cells.values(), *map(_day, days)]), default=0)
    lettered, named = ([_label(row) if len(arms) == 1 else who(row, arms) for row in rows] for who in (_who, _named))
    names = named if _across(named, width) >= min(_across(lettered, width), len(days)) else lettered
    first, fit = max(map(len, names), default=0), _across(names, width)
    for some in (days[k : k + fit] for k in range(0, len(days), fit)):
        yield from ("", _line("", map(_day, some), first, width), _line("", map(_week, some), first, width))
        seen: set[tuple[str, str]] = set()
        for row, name in {
            (_key(row), _column(row)): (row, name) for row, name in zip(rows, names, strict=True)
        }.values():
            if _key(row) not in seen and len(arms) > 1:
                yield _label(row)
            seen.add(_key(row))
            yield _line(name, (cells.get((_key(row), _column(row), day), "") for day in some), first, width)


def _across(names: Sequence[str], width: int) -> int:
    """How many days fit beside the names."""
    return max(1, (WIDTH - max(map(len, names), default=0)) // (width + 2))


def _line(name: str, cells: Iterable[str], first: int, width: int) -> str:
    return f"{name:<{first}}{''.join(f'  {cell:>{width}}' for cell in cells)}".rstrip()


def _key(row: Row) -> tuple[str, str]:
    """What a block is about."""
    return row.group, row.metric


def _column(row: Row) -> tuple[str, str]:
    """Which arm, or which two."""
    return row.arm, row.against


def _day(day: float) -> str:
    return f"day {day:g}"


def _week(day: float) -> str:
    return f"week {day / 7:.1f}".removesuffix(".0")


def undated(headline: Headline) -> Iterator[str]:
    """What has no day: survival from onset by variant, what follows the trigger."""
    for kind, head in UNDATED.items():
        yield from _onset([row for row in headline.rows if row.kind == kind], headline.arms, head)


def _onset(rows: Sequence[Row], arms: Sequence[str], head: str) -> Iterator[str]:
    """A block for each metric and variant."""
    if rows:
        yield from ("", head)
    for key in dict.fromkeys(map(_key, rows)):
        block = [row for row in rows if _key(row) == key]
        cells = [[_named(row, arms), with_error(row.estimate, row.mcse, row.digits)] for row in block]
        yield from (
            (_label(block[0]), *aligned(cells)) if len(arms) > 1 else aligned([[_label(block[0]), cells[0][1]]], (55,))
        )


def _label(row: Row | Spread) -> str:
    group = f"{short(row.group)}: " if row.group else ""
    return f"{group}{row.label}, {row.unit}"


def _who(row: Row | Spread, arms: Sequence[str]) -> str:
    """The arm with its letter, or the letters of two arms."""
    if row.against:
        return f"  {_letter(row.arm, arms)} vs {_letter(row.against, arms)}"
    return f"  {_letter(row.arm, arms)} {short(row.arm)}" if len(arms) > 1 else f"  {short(row.arm)}"


def _named(row: Row | Spread, arms: Sequence[str], limit: int = 40) -> str:
    """The arm, or the two, by name; with letters where names are too long."""
    text = f"  {clean(row.arm)} vs {clean(row.against)}" if row.against else f"  {clean(row.arm)}"
    return text if len(text) <= limit else _who(row, arms)


def _letter(arm: str, arms: Sequence[str]) -> str:
    return chr(ord("A") + arms.index(arm))  # at most 20 arms


def _screening(headline: Headline) -> Iterator[str]:
    """Candidates tried, and why they were not eligible by stratum, most frequent reason first."""
    tried, rejected = headline.screening.get("candidates"), headline.screening.get("rejected", [])
    if tried is None:
        return
    strata = list(dict.fromkeys(row[0] for row in rejected))
    counts: dict[str, dict[str, int]] = {}
    for stratum, rule, count in rejected:
        counts.setdefault(rule, {})[stratum] = count
    rules = sorted(counts.items(), key=lambda item: -sum(item[1].values()))
    heads = [short(name) if name != "all" else "not eligible" for name in strata]
    table = [[f"Screening: {tried:,} candidates for {how_many(headline.patients, 'patients')}", *heads]]
    table += [[f"  {clean(rule)}", *(f"{by[one]:,}" if one in by else "" for one in strata)] for rule, by in rules]
    lines = list(aligned(table))
    if max(map(len, lines)) > WIDTH:  # many strata: all of them together
        whole = [[table[0][0], "not eligible"], *([f"  {rule}", f"{sum(by.values()):,}"] for rule, by in rules)]
        lines = list(aligned([[clean(cell) for cell in row] for row in whole]))
    yield from lines


def draws_document(found: Drawn) -> dict[str, Any]:
    """A run over draws as plain data."""
    from simulator.results.notices import NOTICE

    result = found.result
    return {
        "title": result.title,
        "patients": result.n_patients,
        "seed": result.seed,
        "follow_up_days": result.follow_up_days,
        "engine_version": result.engine_version,
        "scenario_sha256": result.scenario_sha256,
        "draws": found.draws,
        "rows": found.rows,
        "notice": NOTICE,
    }


def draws_text(found: Drawn) -> str:
    """The headline over the draws of an ensemble: a table for each day, a block for each metric."""
    from simulator.results.notices import NOTICE

    rows, result = found.rows, found.result
    arms = list(dict.fromkeys(row.arm for row in rows if not row.against))
    lines = [
        clean(result.title),
        f"{how_many(result.n_patients, 'patients')} in each arm, seed {result.seed}, {result.follow_up_days:g} days",
        f"engine {result.engine_version}, scenario {result.scenario_sha256[:12]}",
        f"Median and 90 % of {found.draws} parameter vectors; ± is the Monte Carlo error of one.",
    ]
    for day in dict.fromkeys(row.day for row in rows if not math.isnan(row.day)):
        lines += ["", *_drawn([row for row in rows if row.day == day], arms, f"{_day(day)}, {_week(day)}")]
    if onset := [row for row in rows if math.isnan(row.day)]:
        lines += ["", *_drawn(onset, arms, "From onset, by variant")]
    lines += ["", "assumed: share of the variance over draws from directions that published rows"]
    lines.append("inform less than the priors do" + (" (needs 100 draws)." if found.draws < ENOUGH else "."))
    return "\n".join([*lines, NOTICE])


def _drawn(rows: Sequence[Spread], arms: Sequence[str], head: str) -> Iterator[str]:
    """Median, interval and assumed share, arm by arm, under the name of each metric."""
    cells = [[_named(row, arms, 34), *_spread(row)] for row in rows]
    table = list(aligned([[head, "median", "5th to 95th percentile", "assumed"], *cells]))
    yield table[0]
    label = ""
    for row, line in zip(rows, table[1:], strict=True):
        if _label(row) != label:
            yield (label := _label(row))
        yield line


def _spread(row: Spread) -> list[str]:
    interval = f"{fixed(row.lower, row.digits)} to {fixed(row.upper, row.digits)}"
    return [
        with_error(row.estimate, row.mcse, row.digits),
        interval,
        "" if math.isnan(row.assumed) else f"{row.assumed:.0%}",
    ]


def comparison_text(comparison: Comparison) -> str:
    """The table of differences between two results: a block for each day and arm."""
    told = (f"A  {comparison.a}", f"B  {comparison.b}", *comparison.notes)
    lines = [fill(clean(text), WIDTH, subsequent_indent="   ", break_on_hyphens=False) for text in told]
    for day, arm in dict.fromkeys((row.day, row.arm) for row in comparison.rows):
        head = [f"{when(day)}, {short(arm)}", "A", "B", "B - A", "95 % interval"]
        rows = [_comparison_row(row) for row in comparison.rows if (row.day, row.arm) == (day, arm)]
        lines += ["", *aligned([head, *rows], (38, 6, 6, 6, 16))]
    return "\n".join([*lines, "", "Intervals are Monte Carlo intervals; the B - A of a ratio is B / A."])


def _comparison_row(row: Difference) -> list[str]:
    d = row.digits
    interval = "?" if math.isnan(row.lower) else f"{fixed(row.lower, d)} to {fixed(row.upper, d)}"
    numbers = [fixed(value, d) for value in (row.a, row.b, row.estimate)]
    return [f"{row.label}, {row.unit}", *numbers, interval]


def replay_text(found: Replay) -> str:
    """Equal, or what differs."""
    lines = [*found.notes, *(f"differs  {one}" for one in found.deviations)]
    if found.equal:
        how = "bit by bit" if found.exact else "within the tolerance"
        lines.append(f"equal    {found.folder}: all {found.compared} variables, {how}")
    return "\n".join(lines)


def checks_text(found: Sequence[Check]) -> str:
    """What the doctor found."""
    words = {None: "", True: "ok", False: "FAILED"}
    return "\n".join(f"{check.name:<16}{words[check.passed]:<8}{check.finding}".rstrip() for check in found)


def licences_text(found: list[Dependency]) -> str:
    """A distribution a line: what it is needed for, and its licence."""
    rows = [(one.name, one.version, one.extra or "always", one.licence) for one in found]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows
    )


def plan_text(plan: Plan) -> str:
    """What would be run."""
    rows = [(key.replace("_", " "), value) for key, value in plan._asdict().items() if value != ()]
    said = [(key, ", ".join(value) if isinstance(value, tuple) else str(value)) for key, value in rows]
    return "\n".join(fill(text, WIDTH, initial_indent=f"{key:<20}", subsequent_indent=" " * 20) for key, text in said)
