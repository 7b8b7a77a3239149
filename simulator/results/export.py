"""A result as long tables, one row per cell of a group, for spreadsheets and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.results.arrays import Group, Named, is_coordinate
from simulator.results.errors import FolderError
from simulator.results.files import Writer, write_all
from simulator.results.tidy import Row, csv_text, safe_cell
from simulator.results.tree import Result

if TYPE_CHECKING:
    import pandas


def export_csv(result: Result, folder: Path, force: bool = False) -> list[Path]:
    """Write one CSV file per group, names instead of codes, empty cells for what is missing.

    Raises
    ------
    FolderError
        One of the files is there already and `force` is not set.
    """
    places = [folder / f"{name}.csv" for name in result.groups]
    there = [place for place in places if place.exists()]
    if there and not force:
        raise FolderError(f"{there[0]}: is there already; name another folder with -o, or use --force")
    write_all(folder, [(f"{name}.csv", _writer(result, name)) for name in result.groups])
    return places


def table(group: Group) -> pandas.DataFrame:
    """A group as a long table: a column for each dimension's label, then one for each variable."""
    import pandas

    labels = {key: array for key, array in group.items() if is_coordinate(key, array)}
    variables = {key: array for key, array in group.items() if key not in labels}
    first = next(iter(variables.values()))
    columns = {key: _spread(array, first).ravel() for key, array in labels.items()}
    return pandas.DataFrame(columns | {key: _named(array).ravel() for key, array in variables.items()})


def _writer(result: Result, name: str) -> Writer:
    def write(path: Path) -> None:
        if name == "summary":
            path.write_text(csv_text(Row._fields, result.summary_rows()), "utf-8")
        else:
            table(result.groups[name]).to_csv(path, index=False, float_format="%.7g", lineterminator="\n")

    return write


def _spread(label: Named, like: Named) -> Any:
    """A label repeated over the dimensions of an array."""
    axis = like.dims.index(label.dims[0])
    shape = [1] * like.values.ndim
    shape[axis] = -1
    return np.broadcast_to(_named(label).reshape(shape), like.values.shape)


def _named(array: Named) -> Any:
    """Values with the names of their codes; text made safe for spreadsheets."""
    meanings = array.attrs.get("flag_meanings")
    values = np.array(meanings.split())[array.values] if meanings else array.values
    if values.dtype.kind != "U":
        return values
    names, index = np.unique(values, return_inverse=True)
    return np.array([safe_cell(str(name)) for name in names])[index].reshape(values.shape)
