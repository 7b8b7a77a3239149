"""The answer of one person's run on one screen of 80 columns: sentences, one table, where the rest is."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from simulator.studies.person.answer import number, sentences
from simulator.tables.numbers import with_error
from simulator.tables.text import WIDTH, aligned, clean, short

if TYPE_CHECKING:
    from simulator.studies.person.portrait import Chance, Portrait

SCORE, FREE = "alsfrs_r_death0", "event_free"
ROWS = 14
NOTE = (
    "Quantiles are over simulated people who match what was measured, so they are how far such people differ; "
    "± is the Monte Carlo standard error. The range of the parameters is not known: twins are not looked for vector by "
    "vector. Dead at 0: who has died scores 0 points."
)


def portrait_answer(found: Portrait, folder: Path) -> str:
    """What `als-sim run` prints of one person's twins."""
    fits = f"{found.twins:,} twins of {found.looked_at:,} looked at, {100 * found.share_that_fits:.3g} % fit"
    lines = [clean(found.title), f"{fits}, worth {found.effective:,.0f}, seed {found.seed}", ""]
    lines += [_folded(text) for text in sentences(found)]
    lines += ["", *aligned([*HEADS, *_rows(found)]), ""]
    lines += [_folded(text) for text in (NOTE, *(f"Warning: {text}" for text in found.warnings))]
    lines.append(_folded(f"Survivors, what is reported, what is published: als-sim show {folder}"))
    lines.append(_folded(f"Pictures and sources, one HTML file: als-sim report {folder}"))
    return "\n".join([*lines, found.notice])


HEADS = (["", "ALSFRS-R, dead at 0, points", "Event-free,"], ["", "median (5 % to 95 %)", "%"])


def _folded(text: str) -> str:
    return fill(clean(text), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _rows(found: Portrait) -> list[list[str]]:
    """Months and arms down; the last months where there are many."""
    free: dict[tuple[str, float | None], Chance] = {
        (row.arm, row.months): row for row in found.chances if row.outcome == FREE and not row.against
    }
    rows = []
    for row in found.spreads:
        if row.outcome == SCORE and not row.against:
            chance = free.get((row.arm, row.months))
            ends = f"({number(row.quantiles[0])} to {number(row.quantiles[4])})"
            share = with_error(chance.estimate, chance.mcse, 1) if chance else ""
            rows.append([f"{row.months:2.0f} months  {short(row.arm)}", f"{number(row.quantiles[2])} {ends}", share])
    return rows[-ROWS:]
