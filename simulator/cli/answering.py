"""The answer of a run on one screen of 80 columns: sentences, one table, where the rest is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import fill, wrap
from typing import TYPE_CHECKING, Any

from simulator.cli.tables import UNDATED as UNDATED_HEADS
from simulator.cli.tables import draws_document, undated
from simulator.measures.headline import Headline
from simulator.tables.numbers import when, with_error
from simulator.tables.text import WIDTH, aligned, clean, short
from simulator.units import how_many

if TYPE_CHECKING:
    from simulator.results import Result
    from simulator.studies.answer import Answer
    from simulator.studies.draws import Drawn

SENTENCES, ARMS, UNDATED = 5, 8, 8
"""Most comparisons, arms and lines of what has no day; the others are in the folder."""
HEAD = 13  # letters of a line of a head
UNPAIRED = "Only sums were kept: differences are not paired, and their errors are upper bounds."
MEANING = "Dead at 0: who has died scores 0 points. ± is the Monte Carlo standard error."


def answer_text(result: Result, folder: Path) -> str:
    """What `als-sim run` prints of a result in a folder."""
    from simulator.results.notices import NOTICE

    known, rest = _answered(result)
    lines = [clean(result.title), _size(result), ""]
    lines += [_folded(one.text) for one in known.comparisons[:SENTENCES]]
    lines += _others(len(known.comparisons) - SENTENCES, "comparisons")
    lines += ["", *_table(known)]
    lines += [*(_undated(rest) if isinstance(rest, Headline) else ()), ""]
    unpaired = [UNPAIRED] if not result.is_full and len(result.arms) > 1 else []
    lines += [_folded(text) for text in (known.source, MEANING, *unpaired, *map(_warning, result.warnings))]
    lines.append(_folded(f"All days, strata, metrics: als-sim show {folder}"))
    lines.append(_folded(f"Pictures and sources, one HTML file: als-sim report {folder}"))
    return "\n".join([*lines, NOTICE])


def document(result: Result) -> dict[str, Any]:
    """All figures of a run as plain data, and its answer."""
    known, rest = _answered(result)
    plain = rest._asdict() if isinstance(rest, Headline) else draws_document(rest)
    return {**plain, "answer": known.document()}


def _answered(result: Result) -> tuple[Answer, Headline | Drawn]:
    """The answer, and the figures that it is part of."""
    from simulator.measures.headline import headline, main_day
    from simulator.studies.answer import answer, answer_of_draws
    from simulator.studies.draws import drawn
    from simulator.studies.ranges import stored_ranges

    if result.draws:
        spread = drawn(result)
        return answer_of_draws(spread, main_day(result)), spread
    found = headline(result)
    return answer(found, stored_ranges(result)), found


def _size(result: Result) -> str:
    each = "the same in each arm" if len(result.arms) > 1 else "one arm"
    text = f"{how_many(result.n_patients, 'patients')}, {each}, {result.follow_up_days:g} days, seed {result.seed}"
    return f"{text}, {result.draws} parameter vectors" if result.draws else text


def _folded(text: str) -> str:
    return fill(clean(text), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _others(left: int, what: str) -> list[str]:
    return [f"… and {left} more {what}"] if left > 0 else []


def _warning(text: str) -> str:
    return f"Warning: {text}"


def _table(known: Answer) -> Iterator[str]:
    """Arms down, metrics across, their units in the heads."""
    figures = {one.metric: one for arm in known.arms for one in arm.figures}
    tall = [[*wrap(f"{one.label},", HEAD), one.unit] for one in figures.values()]
    lines = max(map(len, tall), default=0)
    heads = [[when(known.day)] if k == lines - 1 else [""] for k in range(lines)]
    for column in tall:
        for row, cell in zip(heads, [""] * (lines - len(column)) + column, strict=True):
            row.append(cell)
    body = []
    for arm in known.arms[:ARMS]:
        cells = {one.metric: with_error(one.estimate, one.mcse, one.digits) for one in arm.figures}
        body.append([short(arm.arm), *(cells.get(name, "") for name in figures)])
    yield from aligned([*heads, *body])
    yield from _others(len(known.arms) - ARMS, "arms")


def _undated(head: Headline) -> Iterator[str]:
    """Figures that belong to no day, if they are few."""
    lines = list(undated(head))
    if len(lines) <= UNDATED:
        yield from lines
    else:
        heads = " and ".join(line.lower() for line in lines if line in UNDATED_HEADS.values())
        yield from ("", f"More figures {heads}: als-sim show, below.")
