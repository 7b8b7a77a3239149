"""A group as a long table, made some thousand rows at a time: a column for each label, then one for each variable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.results import cells
from simulator.results.arrays import Group, Named, is_coordinate

ROWS = 1 << 13
Span = tuple[int, int]
"""First row and the one after the last."""


class Column(NamedTuple):
    """A column: numbers, or places in a list of labels."""

    labels: NDArray[Any] | None
    part: Callable[[int, int], NDArray[Any]]  # numbers, or places, of the rows from the first to before the second


class Long(NamedTuple):
    """A group as columns of equal length."""

    columns: dict[str, Column]
    rows: int

    def spans(self, rows: int = ROWS) -> Iterator[Span]:
        """The rows, some at a time."""
        for start in range(0, self.rows, rows):
            yield start, min(start + rows, self.rows)


def long(group: Group) -> Long:
    """The columns of a group, all variables of which have the same dimensions."""
    labels = {key: array for key, array in group.items() if is_coordinate(key, array)}
    variables = {key: array for key, array in group.items() if key not in labels}
    first = next(iter(variables.values()))
    columns = {key: _label(array, first) for key, array in labels.items()}
    columns |= {key: _variable(array) for key, array in variables.items()}
    return Long(columns, first.values.size)


def _label(label: Named, like: Named) -> Column:
    """A label repeated over the dimensions of an array."""
    axis, shape = like.dims.index(label.dims[0]), like.values.shape
    inner, own = int(np.prod(shape[axis + 1 :])), shape[axis]
    names = label.values if not label.attrs.get("flag_meanings") else _meanings(label)[_codes(label.values)]
    return Column(names, lambda start, stop: np.arange(start, stop) // inner % own)


def _variable(array: Named) -> Column:
    values = array.values.reshape(-1)
    if array.attrs.get("flag_meanings"):
        return Column(_meanings(array), lambda start, stop: _codes(values[start:stop]))
    if values.dtype.kind in "UO":
        names, places = np.unique(values, return_inverse=True)
        return Column(names, lambda start, stop: places[start:stop])
    return Column(None, lambda start, stop: values[start:stop])


def _meanings(array: Named) -> NDArray[np.str_]:
    """Names of codes; the last is that of a missing one."""
    return np.array([*array.attrs["flag_meanings"].split(), ""])


def _codes(values: NDArray[Any]) -> NDArray[np.int64]:
    return np.where(np.isfinite(values), values, -1).astype(np.int64)


def csv_chunks(table: Long) -> Iterator[tuple[bytes, int]]:
    """The table as CSV, piece by piece, and how many rows that makes so far; the first is the head."""
    written = {
        key: cells.texts(column.labels.tolist()) for key, column in table.columns.items() if column.labels is not None
    }
    yield cells.lines([cells.texts([key]) for key in table.columns]), 0
    for start, stop in table.spans():
        parts = [_cells(written.get(key), column.part(start, stop)) for key, column in table.columns.items()]
        yield cells.lines(parts), stop


def _cells(labels: cells.Bytes | None, part: NDArray[Any]) -> cells.Bytes:
    if labels is not None:
        return np.asarray(labels[part])
    if part.dtype.kind == "f":
        return cells.numbers(part)
    distinct, places = np.unique(part, return_inverse=True)
    return np.asarray(cells.texts(distinct.tolist())[places])
