"""The evidence on the terminal: plain text, never wrapped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.studies.evidence import cells
from simulator.studies.evidence.study import Evidence

NOTE = (
    "z = (simulated - published)/sqrt(SE^2 + MCSE^2); ± is the Monte Carlo standard error. Errors of the published "
    "value: published, derived, design.\nResearch software. A simulated benefit is not a proven one."
)


def evidence_text(found: Evidence) -> str:
    """Targets by role, agreement, rows that cannot be simulated, known conflicts."""
    lines: list[str] = []
    for role in cells.ROLES:
        lines += [role.capitalize(), *left(cells.table(found.scores, role)), ""]
    lines += [
        "Not simulated",
        *left(cells.missing(found)),
        "",
        "Known conflicts",
        *_blocks(cells.conflicts(found)),
        "",
    ]
    return "\n".join([*lines, f"Agreement of the {found.values} values", *cells.agreement(found.scores), "", NOTE])


def claims_text(found: Evidence) -> str:
    """The article's claims, a block each."""
    return "\n".join([*_blocks(cells.claims(found)), "", NOTE])


def left(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells as lines, all columns to the left."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _blocks(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with long cells as blocks: number and title, then the rest with its names."""
    (_, _, *names), *body = rows
    for key, title, *rest in body:
        yield f"{key:<4}{title}"
        for name, cell in zip(names, rest, strict=True):
            yield f"    {name:<10}{cell}"
