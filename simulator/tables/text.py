"""Aligned text, 80 columns wide: the same on a terminal and in a pipe, without colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.tables.table import Table

WIDTH = 80
NAME_WIDTH = 30  # longer names of arms and strata are cut


def aligned(rows: Sequence[Sequence[str]], widths: Sequence[int] = ()) -> Iterator[str]:
    """Rows of cells as lines: the first column to the left, the others to the right, at least so wide."""
    needed = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    wide = [max(pair) for pair in zip(needed, [*widths, *[0] * len(needed)], strict=False)]
    for first, *others in rows:
        cells = [f"  {cell:>{width}}" for cell, width in zip(others, wide[1:], strict=True)]
        yield f"{first:<{wide[0]}}{''.join(cells)}".rstrip()


def side_by_side(table: Table) -> Iterator[str]:
    """A table in as many pieces, one below the other, as it takes to fit the width."""
    rows = [table.heads, *table.rows]
    left = [row[: table.fixed] for row in rows]
    columns = list(zip(*(row[table.fixed :] for row in rows), strict=True))
    rest = WIDTH - max(map(len, aligned(left)), default=0)
    while columns:
        width = max(max(map(len, column)) for column in columns) + 2
        some, columns = columns[: max(1, rest // width)], columns[max(1, rest // width) :]
        yield from aligned([[*a, *b] for a, b in zip(left, zip(*some, strict=True), strict=True)])
        yield ""


def clean(text: str) -> str:
    """Text of one line, without control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def short(name: str) -> str:
    """A name of one line that leaves room for numbers."""
    text = clean(name)
    return text if len(text) <= NAME_WIDTH else f"{text[: NAME_WIDTH - 1]}…"
