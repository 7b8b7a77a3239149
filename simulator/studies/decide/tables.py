"""Tables of a decision as plain data, and as text of a terminal: one form for text, CSV, Excel, HTML and JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

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
