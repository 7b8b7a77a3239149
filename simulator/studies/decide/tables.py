"""Tables of a decision as plain data, and as text of a terminal: one form for text, CSV, Excel, HTML and JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from simulator.analysis.cost_effectiveness import Figure

Cell = str | float | None


class Column(NamedTuple):
    """A column: its head, and how many decimals its numbers have; `unit` is empty for text and for what has none."""

    name: str
    digits: int = 0
    unit: str = ""


class Table(NamedTuple):
    """A table. `name` is that of its file; a cell is text, a number, or None where there is none."""

    name: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    note: str = ""

    @property
    def heads(self) -> list[str]:
        """Heads of the columns with their units."""
        return [f"{one.name} [{one.unit}]" if one.unit else one.name for one in self.columns]

    def texts(self) -> list[list[str]]:
        """Every cell as people read it."""
        return [[shown(cell, one.digits) for cell, one in zip(row, self.columns, strict=True)] for row in self.rows]

    def joined(self) -> list[list[str]]:
        """Heads, then rows as text, in which an error, and a spread over the draws, stand beside their figure."""
        heads, keep = self.heads, [k for k, one in enumerate(self.columns) if one.name not in BESIDE]
        return [[heads[k] for k in keep], *([self._beside(row, k) for k in keep] for row in self.texts())]

    def _beside(self, row: Sequence[str], k: int) -> str:
        """A cell as text, with its error and its spread."""
        found = row[k]
        for word, form in zip(BESIDE, (" ± {}", " (SD {})"), strict=True):
            k += 1
            if k == len(row) or self.columns[k].name != word:
                break
            found += form.format(row[k]) if row[k] else ""
        return found

    def content(self) -> dict[str, Any]:
        """As plain data."""
        return {**self._asdict(), "columns": [list(one) for one in self.columns]}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Table:
        """From plain data."""
        return cls(**{**data, "columns": [Column(*one) for one in data["columns"]]})


def shown(cell: Cell, digits: int) -> str:
    """A cell as text."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, str):
        return cell
    text = f"{cell:,.{digits}f}"
    return text.lstrip("-") if not any(c in "123456789" for c in text) else text


BELOW = "< noise"
"""A spread over the draws that is not above what Monte Carlo noise alone makes."""
BESIDE = ("±", "SD")
"""Heads of columns that belong to the figure before them."""


def spread(value: float) -> Cell:
    """A standard deviation over the draws as a cell."""
    return BELOW if value < 0 else number(value)


def three(figure: Figure, scale: float = 1.0) -> list[Cell]:
    """A figure, its Monte Carlo error and its spread as cells."""
    return [number(figure.value * scale), number(figure.mcse * scale), spread(figure.sd * scale)]


def spreads(heads: Sequence[tuple[str, int, str]]) -> list[Column]:
    """Columns of figures, each followed by those of its standard error and of its spread."""
    return [one for name, digits, unit in heads
            for one in (Column(name, digits, unit), Column("±", digits), Column("SD", digits))]  # fmt: skip


def number(value: float) -> float | None:
    """A number as a cell; None where it has no value."""
    return float(value) if math.isfinite(value) else None


def row_of(table: Table, first: str) -> dict[str, Cell]:
    """The row that begins with a text, by the heads of its columns."""
    row = next(row for row in table.rows if row[0] == first)
    return dict(zip([one.name for one in table.columns], row, strict=True))


def errors(names: Sequence[str], digits: int, unit: str = "") -> list[Column]:
    """Columns of figures, each followed by that of its standard error."""
    return [one for name in names for one in (Column(name, digits, unit), Column("±", digits))]
