"""What is wrong with data, where, and what to do about it: all faults at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import numpy as np

from simulator.errors import SimulatorError

SHOWN = 5
"""Further rows with the same fault that are listed by number."""


class DataFault(NamedTuple):
    """One fault: file or table, row (1 is the line of the header in a file), column, what is the case, what to do."""

    file: str
    row: int
    column: str
    fact: str
    remedy: str

    def __str__(self) -> str:
        return f"{printable(self.file)}:{self.row}:{printable(self.column)}: {self.fact}. {self.remedy}"


class DataError(SimulatorError):
    """The data cannot be used as they are; `errors` are all faults, by file, row and column."""

    exit_code = 2

    def __init__(self, errors: Sequence[DataFault]) -> None:
        self.errors = sorted(dict.fromkeys(errors))
        super().__init__("\n".join(map(str, self.errors)))


class Faults:
    """The faults found so far."""

    def __init__(self) -> None:
        self.found: list[DataFault] = []

    def add(self, file: str, row: int, column: str, fact: str, remedy: str) -> None:
        """One fault in one place."""
        self.found.append(DataFault(file, int(row), column, fact, remedy))

    def rows(self, place: Place, bad: np.ndarray, fact: str, remedy: str) -> None:
        """The same fault in several rows: the first is its place. `{}` in the fact is the first cell."""
        rows = np.flatnonzero(bad)
        if not len(rows):
            return
        fact = fact.replace("{}", printable(str(place.cells[rows[0]]).strip()))
        if others := [str(place.rows[k]) for k in rows[1 : 1 + SHOWN]]:
            more = len(rows) - 1 - len(others)
            fact += f" (rows {', '.join(others)}{f' and {more} more' if more else ''} too)"
        self.add(place.file, place.rows[rows[0]], place.column, fact, remedy)

    def check(self) -> None:
        """Raise DataError if there are any."""
        if self.found:
            raise DataError(self.found)


class Place(NamedTuple):
    """A column of a table: its file, its name there, the numbers of its rows and its cells."""

    file: str
    column: str
    rows: np.ndarray
    cells: Sequence[object]


def fail(file: str, row: int, column: str, fact: str, remedy: str) -> NoReturn:
    """A fault after which nothing else can be checked."""
    raise DataError([DataFault(file, row, column, fact, remedy)])


def printable(text: object) -> str:
    """Text for one line of a terminal: no control characters, at most 60."""
    clean = "".join(c if c.isprintable() else "?" for c in str(text))
    return clean if len(clean) <= 60 else clean[:57] + "..."
