"""A result as tables for other programs: a long table per group, or the ADaM-like tables of its trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.results import adam, cells
from simulator.results.arrays import Group, Lazily, Named, is_coordinate
from simulator.results.errors import FolderError
from simulator.results.files import SUMS, Writer, bytes_writer, check_space, text_writer, write_tables
from simulator.results.folder import add_made
from simulator.results.tidy import Row
from simulator.results.tree import Result
from simulator.results.variables import STAGES
from simulator.tables.files import csv_text, safe_cell
from simulator.units import DAYS_PER_YEAR
from simulator.writing import MADE_FROM

if TYPE_CHECKING:
    import pandas

Writers = Iterable[tuple[str, Writer]]
Told = Callable[[str, int, int], None]
"""Called with a group, how many of its rows are written, and how many it has."""
SHARES = 1000
ROW_GROUP = 1 << 15
Labels = dict[str, dict[str, str]]
"""What is known of each column: its label and, where it has one, its unit."""


ROWS = 1 << 13
Span = tuple[int, int]
"""First row and the one after the last."""


def export(
    result: Result,
    kind: str,
    folder: Path,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    *,
    home: Path | None = None,
) -> list[Path]:
    """Write a result as tables of one kind: csv, parquet or adam.

    `tables.sha256.json` beside them has the checksum of each and that of the result's file that it was made from,
    which Parquet has inside as `made_from` too.

    Parameters
    ----------
    progress : callable, optional
        Called with (what is written, all of it) as rows are written.
    home : Path, optional
        The folder of the study, where it is noted first what is made from it.

    Raises
    ------
    FolderError
        One of the files is there already and `force` is not set.
    NoTrialError
        ADaM-like tables are asked for, and the result has no trial or no patients.
    ModuleNotFoundError
        Parquet is asked for, and pyarrow is not installed.
    """
    groups = [name for name in result.groups if name != "summary"]

    def told(group: str, rows: int, of: int) -> None:
        if progress is not None:
            progress(SHARES * groups.index(group) + SHARES * rows // max(of, 1), SHARES * len(groups))

    writers = dict(KINDS[kind](result, told))
    places = [folder / name for name in writers]
    there = [place for place in places if place.exists()]
    if there and not force:
        raise FolderError(f"{there[0]}: is there already; name another folder with -o, or use --force")
    if home is not None:
        add_made(home, [*places, folder / SUMS])
    write_tables(folder, writers.items(), result.file_sha256)
    return places


def check(kinds: Iterable[str], is_full: bool, has_trial: bool) -> None:
    """Refuse, before a run, kinds of tables that its result will not give."""
    if "adam" in kinds:
        adam.need_trial(is_full, has_trial)
    if "parquet" in kinds:
        import pyarrow  # noqa: F401 - missing: the extra `tables`


def _csv(result: Result, told: Told) -> Writers:
    for name in result.groups:
        if name == "summary":
            yield "summary.csv", text_writer(csv_text(Row._fields, result.summary_rows()))
        else:
            yield f"{name}.csv", partial(_write_csv, result, name, told)
    yield "occupancy.csv", text_writer(csv_text(Cell._fields, occupancy(result)))


def _write_csv(result: Result, name: str, told: Told, path: Path) -> None:
    with path.open("wb") as file, _table(result, name) as table:
        for content, stop in csv_chunks(table):
            file.write(content)
            told(name, stop, table.rows)
            if 0 < stop <= ROWS:  # the first rows tell how long all are
                check_space(path.parent, len(content) / stop * (table.rows - stop), f"the rest of {name}.csv takes")


@contextmanager
def _table(result: Result, name: str) -> Iterator[Long]:
    """A group as a long table; its arrays are let go afterwards if they can be made or read again."""
    yield long(result.groups[name])
    if isinstance(result.groups, Lazily):
        result.groups.forget(name)


def _parquet(result: Result, told: Told) -> Writers:
    import pandas

    for name in result.groups:
        if name == "summary":
            yield "summary.parquet", _parquet_writer(result, result.summary, {})
        else:
            yield f"{name}.parquet", partial(_write_parquet, result, name, told)
    yield "occupancy.parquet", _parquet_writer(result, lambda: pandas.DataFrame(occupancy(result)), {})


def _write_parquet(result: Result, name: str, told: Told, path: Path) -> None:
    """Write a long table a row group at a time, with label and unit of each column in its metadata."""
    import pyarrow
    from pyarrow import parquet

    group = result.groups[name]
    labels = {key: {"label": array.attrs["long_name"], "units": array.attrs["units"]} for key, array in group.items()}
    with _table(result, name) as table:

        def chunk(start: int, stop: int) -> pyarrow.Table:
            return pyarrow.table({key: _arrow(column, start, stop) for key, column in table.columns.items()})

        fields = [field.with_metadata(labels[field.name]) for field in chunk(0, 0).schema]
        schema = pyarrow.schema(fields, _made_from(result))
        with parquet.ParquetWriter(path, schema) as file:
            for start, stop in table.spans(ROW_GROUP):
                file.write_table(chunk(start, stop).cast(schema))
                told(name, stop, table.rows)
                if not start:
                    rest = path.stat().st_size / stop * (table.rows - stop)
                    check_space(path.parent, rest, f"the rest of {name}.parquet takes")


def _arrow(column: Column, start: int, stop: int) -> Any:
    """A part of a column; a number that is not there is null."""
    import pyarrow

    part = column.part(start, stop)
    if column.labels is None:
        return pyarrow.array(part, from_pandas=True)
    labels = pyarrow.array(column.labels, from_pandas=True)
    return labels.take(pyarrow.array(part % len(column.labels)))


def _adam(result: Result, told: Told) -> Writers:
    """The three tables and their variables as CSV; as Parquet too where pyarrow is installed."""
    from importlib.util import find_spec

    for name, made in adam.to_adam(result).items():
        columns = adam.COLUMNS[name]
        yield f"{name.lower()}.csv", _csv_writer(made.copy, exact=True)
        if find_spec("pyarrow"):
            labels = {column.name: {"label": column.label, "codes": column.codes} for column in columns}
            yield f"{name.lower()}.parquet", _parquet_writer(result, made.copy, labels)
    rows = [(name, *column) for name, columns in adam.COLUMNS.items() for column in columns]
    yield "variables.csv", text_writer(csv_text(("dataset", "variable", "label", "type", "codes"), rows))
    yield "README.txt", bytes_writer(f"{adam.NOTICE}\n".encode())


KINDS: dict[str, Callable[[Result, Told], Writers]] = {"adam": _adam, "csv": _csv, "parquet": _parquet}


def _csv_writer(make: Callable[[], pandas.DataFrame], *, exact: bool = False) -> Writer:
    """A writer of a table as CSV, its texts made safe for spreadsheets, empty cells for what is missing.

    `exact` writes every digit, so that the table can be read in again without loss.
    """

    def write(path: Path) -> None:
        made = make()
        texts = {key: _safe(column) for key, column in made.items() if column.dtype.kind in "OU"}
        made.assign(**texts).to_csv(path, index=False, float_format=None if exact else "%.7g", lineterminator="\n")

    return write


def _made_from(result: Result) -> dict[str, str] | None:
    """What a file says inside of what it was made from; nothing where that was in no file."""
    return {MADE_FROM: f"sha256:{result.file_sha256}"} if result.file_sha256 else None


def _parquet_writer(result: Result, make: Callable[[], pandas.DataFrame], labels: Labels) -> Writer:
    """A writer of a table as Parquet, with label and unit of each column in its metadata."""
    import pyarrow
    import pyarrow.parquet

    def write(path: Path) -> None:
        found = pyarrow.Table.from_pandas(make(), preserve_index=False).replace_schema_metadata(None)
        fields = [field.with_metadata(labels.get(field.name)) for field in found.schema]
        pyarrow.parquet.write_table(found.cast(pyarrow.schema(fields, _made_from(result))), path)

    return write


def _safe(texts: pandas.Series) -> Any:
    """Texts that no spreadsheet takes for a formula."""
    import pandas

    index, names = pandas.factorize(texts.fillna(""))
    return np.array([safe_cell(str(name)) for name in names], object)[index]


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


class Cell(NamedTuple):
    """A state in a cycle of an arm; shares are of all patients, years are person-years per patient.

    `draw` numbers the parameter vectors of a run; it is 0 where there is one.
    """

    draw: int
    arm: str
    system: str
    state: str
    cycle: int
    from_day: float
    to_day: float
    share_at_start: float
    share_at_end: float
    years: float


def occupancy(result: Result) -> list[Cell]:
    """Every state in every cycle: alive without ventilation, with it, dead; and stages where the model has items."""
    return [cell for system, names, shares in _systems(result) for cell in _columns(result, system, names, shares)]


def _systems(result: Result) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.float64]]]:
    """Name, states and shares (draw, arm, time, state) of each way to divide the patients."""
    group = result.groups["summary"]
    alive, free = (group[name].values for name in ("survival", "event_free"))
    yield "event", ("event_free", "ventilated", "dead"), _by_draw(np.stack([free, alive - free, 1 - alive], axis=-1))
    for stage, names in STAGES.items():
        if (share := group.get(f"{stage}_share")) is not None:
            yield stage.removesuffix("_stage"), names, _by_draw(share.values)


def _by_draw(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares with a dimension of draws, also where there is one."""
    return shares.reshape(-1, *shares.shape[-3:])


def _columns(result: Result, system: str, names: tuple[str, ...], shares: NDArray[np.float64]) -> Iterator[Cell]:
    """One system, draw by draw, arm by arm, state by state, cycle by cycle."""
    time = result.time
    years = (shares[:, :, 1:] + shares[:, :, :-1]) / 2 * (np.diff(time) / DAYS_PER_YEAR)[:, None]
    for d, a, k, t in np.ndindex(*(len(shares), len(result.arms), len(names), len(time) - 1)):
        ends = float(shares[d, a, t, k]), float(shares[d, a, t + 1, k])
        cycle = t, float(time[t]), float(time[t + 1])
        yield Cell(d, result.arms[a], system, names[k], *cycle, *ends, float(years[d, a, t, k]))
