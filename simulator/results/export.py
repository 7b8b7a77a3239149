"""A result as tables for other programs: a long table per group, or the ADaM-like tables of its trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.results import adam
from simulator.results.arrays import Group, Named, is_coordinate
from simulator.results.errors import FolderError
from simulator.results.files import Writer, bytes_writer, text_writer, write_all
from simulator.results.occupancy import Cell, occupancy
from simulator.results.tidy import Row, csv_text, safe_cell
from simulator.results.tree import Result

if TYPE_CHECKING:
    import pandas

Writers = Iterable[tuple[str, Writer]]
Labels = dict[str, dict[str, str]]
"""What is known of each column: its label and, where it has one, its unit."""


def export(result: Result, kind: str, folder: Path, force: bool = False) -> list[Path]:
    """Write a result as tables of one kind: csv, parquet or adam.

    Raises
    ------
    FolderError
        One of the files is there already and `force` is not set.
    NoTrialError
        ADaM-like tables are asked for, and the result has no trial or no patients.
    ModuleNotFoundError
        Parquet is asked for, and pyarrow is not installed.
    """
    writers = dict(KINDS[kind](result))
    places = [folder / name for name in writers]
    there = [place for place in places if place.exists()]
    if there and not force:
        raise FolderError(f"{there[0]}: is there already; name another folder with -o, or use --force")
    write_all(folder, writers.items())
    return places


def check(kinds: Iterable[str], is_full: bool, has_trial: bool) -> None:
    """Refuse, before a run, kinds of tables that its result will not give."""
    if "adam" in kinds:
        adam.need_trial(is_full, has_trial)
    if "parquet" in kinds:
        import pyarrow  # noqa: F401 - missing: the extra `tables`


def _csv(result: Result) -> Writers:
    for name, group in result.groups.items():
        if name == "summary":
            yield "summary.csv", text_writer(csv_text(Row._fields, result.summary_rows()))
        else:
            yield f"{name}.csv", _csv_writer(partial(table, group))
    yield "occupancy.csv", text_writer(csv_text(Cell._fields, occupancy(result)))


def _parquet(result: Result) -> Writers:
    for name, group in result.groups.items():
        if name == "summary":
            yield "summary.parquet", _parquet_writer(result.summary, {})
        else:
            labels = {
                key: {"label": array.attrs["long_name"], "units": array.attrs["units"]} for key, array in group.items()
            }
            yield f"{name}.parquet", _parquet_writer(partial(table, group), labels)
    yield "occupancy.parquet", _parquet_writer(partial(_occupancy, result), {})


def _occupancy(result: Result) -> pandas.DataFrame:
    """Shares of patients by state and cycle."""
    import pandas

    return pandas.DataFrame(occupancy(result))


def _adam(result: Result) -> Writers:
    """The three tables and their variables as CSV; as Parquet too where pyarrow is installed."""
    from importlib.util import find_spec

    for name, made in adam.to_adam(result).items():
        columns = adam.COLUMNS[name]
        yield f"{name.lower()}.csv", _csv_writer(made.copy, exact=True)
        if find_spec("pyarrow"):
            labels = {column.name: {"label": column.label, "codes": column.codes} for column in columns}
            yield f"{name.lower()}.parquet", _parquet_writer(made.copy, labels)
    rows = [(name, *column) for name, columns in adam.COLUMNS.items() for column in columns]
    yield "variables.csv", text_writer(csv_text(("dataset", "variable", "label", "type", "codes"), rows))
    yield "README.txt", bytes_writer(f"{adam.NOTICE}\n".encode())


KINDS: dict[str, Callable[[Result], Writers]] = {"adam": _adam, "csv": _csv, "parquet": _parquet}


def table(group: Group) -> pandas.DataFrame:
    """A group as a long table: a column for each dimension's label, then one for each variable."""
    import pandas

    labels = {key: array for key, array in group.items() if is_coordinate(key, array)}
    variables = {key: array for key, array in group.items() if key not in labels}
    first = next(iter(variables.values()))
    columns = {key: _spread(array, first).ravel() for key, array in labels.items()}
    return pandas.DataFrame(columns | {key: _named(array).ravel() for key, array in variables.items()})


def _csv_writer(make: Callable[[], pandas.DataFrame], *, exact: bool = False) -> Writer:
    """A writer of a table as CSV, its texts made safe for spreadsheets, empty cells for what is missing.

    `exact` writes every digit, so that the table can be read in again without loss.
    """

    def write(path: Path) -> None:
        made = make()
        texts = {key: _safe(column) for key, column in made.items() if column.dtype.kind in "OU"}
        made.assign(**texts).to_csv(path, index=False, float_format=None if exact else "%.7g", lineterminator="\n")

    return write


def _parquet_writer(make: Callable[[], pandas.DataFrame], labels: Labels) -> Writer:
    """A writer of a table as Parquet, with label and unit of each column in its metadata."""
    import pyarrow
    import pyarrow.parquet

    def write(path: Path) -> None:
        found = pyarrow.Table.from_pandas(make(), preserve_index=False).replace_schema_metadata(None)
        fields = [field.with_metadata(labels.get(field.name)) for field in found.schema]
        pyarrow.parquet.write_table(found.cast(pyarrow.schema(fields)), path)

    return write


def _safe(texts: pandas.Series) -> Any:
    """Texts that no spreadsheet takes for a formula."""
    import pandas

    index, names = pandas.factorize(texts.fillna(""))
    return np.array([safe_cell(str(name)) for name in names], object)[index]


def _spread(label: Named, like: Named) -> Any:
    """A label repeated over the dimensions of an array."""
    axis = like.dims.index(label.dims[0])
    shape = [1] * like.values.ndim
    shape[axis] = -1
    return np.broadcast_to(_named(label).reshape(shape), like.values.shape)


def _named(array: Named) -> Any:
    """Values, with names for codes; a missing code has no name."""
    meanings = array.attrs.get("flag_meanings")
    if not meanings:
        return array.values
    codes = np.where(np.isfinite(array.values), array.values, -1).astype(int)
    return np.array([*meanings.split(), ""])[codes]
