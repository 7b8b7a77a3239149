"""Tables of cells, as files or callers give them, and cells as texts, numbers, days and flags."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.datasets.faults import Faults, Place
from simulator.units import DAYS_PER_MONTH

Floats = NDArray[np.float64]
MISSING = frozenset({"", ".", "NA", "N/A", "NaN", "nan", "NAN", "NULL", "null", "None", "<NA>", "NaT"})
"""Texts of a cell that mean: not known."""
TEXT, COMMA = "text", "comma"
GUARDED = ("=", "+", "-", "@")
YES = frozenset({"1", "1.0", "y", "yes", "true"})
NO = frozenset({"0", "0.0", "n", "no", "false"})
PER_UNIT = {"day": 1.0, "week": 7.0, "month": DAYS_PER_MONTH, "year": 12 * DAYS_PER_MONTH}
"""Days of a unit of time; `study_day` (1 is baseline, there is no 0) and `date` are units too."""


Cells = Mapping[str, Sequence[Any]]


class Column(NamedTuple):
    """A column: its cells, what the file calls it, its unit of time where it is one, and what its codes mean."""

    cells: Sequence[object]
    name: str
    unit: str = ""
    codes: Mapping[str, str] = {}


class Table(NamedTuple):
    """Columns by this package's names, from one file; `rows` : (k,) are their lines there."""

    file: str
    rows: np.ndarray
    columns: Mapping[str, Column]

    def place(self, name: str) -> Place:
        """Where a column stands."""
        column = self.columns[name]
        return Place(self.file, column.name, self.rows, column.cells)


def is_missing(cell: object) -> bool:
    """Whether a cell says that nothing is known."""
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN of any library
        return True
    return str(cell).strip() in MISSING


def numeric(cells: Sequence[Any]) -> bool:
    """Whether a column has numbers and nothing else."""
    known = [str(cell) for cell in cells if not is_missing(cell)]
    return bool(known) and all(re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", one) for one in known)


def each(cells: Sequence[object], parse: Callable[[object], Any]) -> list[Any]:
    """What each cell is; a text that is there often is parsed once."""
    known: dict[str, Any] = {}
    found = []
    for cell in cells:
        if cell.__class__ is str:
            if cell not in known:
                known[cell] = parse(cell)  # type: ignore[index]
            found.append(known[cell])  # type: ignore[index]
        else:
            found.append(parse(cell))
    return found


def missing(cells: Sequence[object]) -> NDArray[np.bool_]:
    """(k,) which cells say that nothing is known."""
    return np.array(each(cells, is_missing), np.bool_)


def texts(table: Table, name: str) -> NDArray[np.str_]:
    """(k,) texts without blanks around them, "" where missing or where there is no such column; codes have names."""
    if name not in table.columns:
        return np.full(len(table.rows), "", np.str_)
    column = table.columns[name]
    codes = column.codes

    def named(cell: object) -> str:
        text = "" if is_missing(cell) else _text(cell)
        return codes.get(text, text)

    return np.array(each(column.cells, named), np.str_)


def _text(cell: object) -> str:
    """A cell as text, as it was before a library read or a spreadsheet guarded it.

    Whole numbers of a column with gaps are read as 101.0: the text is 101. A text that a spreadsheet would take for a
    formula is written with a quote before it.
    """
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    text = str(cell).replace("\r\n", "\n").replace("\r", "\n").strip()  # a csv writer would not guard them
    return text[1:] if text[:1] == "'" and text[1:2] in GUARDED and len(text) > 1 else text


class Range(NamedTuple):
    """The values that a number can have."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False


def numbers(table: Table, name: str, faults: Faults, within: Range = Range()) -> Floats:  # noqa: B008 - immutable
    """(k,) numbers, NaN where missing or where there is no such column; what is no number of the range is a fault."""
    if name not in table.columns:
        return np.full(len(table.rows), np.nan)
    place, codes = table.place(name), table.columns[name].codes
    parsed = each(place.cells, lambda cell: _number(cell, codes))
    found = np.array([one if one.__class__ is float else math.nan for one in parsed], np.float64)
    text, comma = (np.array([one is kind for one in parsed], np.bool_) for kind in (TEXT, COMMA))
    faults.rows(place, text, "{} is no number", "Write a number, or leave the cell empty where it is not known")
    faults.rows(place, comma, "{} has a decimal comma", "Write a decimal point")
    faults.rows(place, np.isinf(found), "{} is infinite", "Leave the cell empty where it is not known")
    with np.errstate(invalid="ignore"):
        out = np.isfinite(found) & ((found < within.low) | (found > within.high))
        part = within.whole & np.isfinite(found) & (found != np.floor(found))
    span = f"{within.low:g} to {within.high:g}" if math.isfinite(within.high) else f"{within.low:g} or more"
    faults.rows(place, out, f"{{}} is outside {span}", "Correct it, or leave the cell empty where it is not known")
    faults.rows(place, part & ~out, "{} is no whole number", "Correct it")
    return np.where(np.isfinite(found), found, np.nan)


def _number(cell: object, codes: Mapping[str, str]) -> float | str:
    """The number of a cell, NaN where missing; TEXT or COMMA where it is none."""
    if is_missing(cell):
        return math.nan
    if isinstance(cell, bool | np.bool_):
        return TEXT
    try:
        found = float(codes.get(_text(cell), cell))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return COMMA if _decimal_comma(str(cell)) else TEXT
    return TEXT if math.isnan(found) else found


def _decimal_comma(text: str) -> bool:
    head, comma, tail = text.strip().lstrip("+-").partition(",")
    return bool(comma) and head.isdigit() and tail.isdigit()


def days(table: Table, name: str, faults: Faults, baseline: Floats | None = None) -> Floats:
    """(k,) days since baseline from numbers of the column's unit, or from dates and the `baseline` : (k,) ordinals."""
    if name not in table.columns:
        return np.full(len(table.rows), np.nan)
    unit = table.columns[name].unit
    if unit == "date":
        found = dates(table, name, faults)
        known = np.full(len(found), np.nan) if baseline is None else baseline
        lacking = np.isfinite(found) & ~np.isfinite(known)
        faults.rows(table.place(name), lacking, "{} is a date, and there is no baseline_date", "Add baseline_date")
        return found - known
    found = numbers(table, name, faults)
    if unit == "study_day":
        zero = found == 0
        faults.rows(
            table.place(name), zero, "{} is no study day: day 1 is baseline, the day before it -1", "Correct it"
        )
        return np.where(found > 0, found - 1, found)
    return found * PER_UNIT[unit or "day"]


def dates(table: Table, name: str, faults: Faults) -> Floats:
    """(k,) days of the calendar, NaN where missing."""
    place = table.place(name)
    parsed = each(place.cells, _date)
    bad = np.array([one is TEXT for one in parsed], np.bool_)
    found = np.array([math.nan if one is TEXT else one for one in parsed], np.float64)
    faults.rows(place, bad, "{} is no date", "Write dates as 2026-11-30")
    return found


def _date(cell: object) -> float | str:
    """The day of the calendar, NaN where missing; TEXT where it is none."""
    if is_missing(cell):
        return math.nan
    try:
        return float(datetime.date.fromisoformat(str(cell).strip()[:10]).toordinal())
    except ValueError:
        return TEXT


def flags(table: Table, name: str, faults: Faults) -> Floats:
    """(k,) 1 for yes, 0 for no, NaN where missing: 1 and 0, yes and no, true and false; nothing else is guessed."""
    if name not in table.columns:
        return np.full(len(table.rows), np.nan)
    place, codes = table.place(name), table.columns[name].codes
    words = np.array(each(place.cells, lambda cell: _word(cell, codes)), np.str_)
    yes, no = np.isin(words, list(YES)), np.isin(words, list(NO))
    bad = ~yes & ~no & (words != "")
    remedy = "Write 1 and 0, or yes and no"
    if bad.any() and set(words[words != ""].tolist()) == {"1", "2"}:
        remedy = "Which of 1 and 2 is yes is not guessed. " + remedy
    faults.rows(place, bad, "{} is neither 1 nor 0, yes nor no", remedy)
    return np.where(yes, 1.0, np.where(no, 0.0, np.nan))


def _word(cell: object, codes: Mapping[str, str]) -> str:
    return "" if is_missing(cell) else codes.get(_text(cell), _text(cell)).lower()
