"""Files as named cells: CSV (comma, semicolon or tab), Parquet (extra `tables`), Excel (extra `excel`)."""

from __future__ import annotations

import csv
import gc
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simulator.datasets.faults import DataError, DataFault, fail
from simulator.datasets.tables import Cells, is_missing
from simulator.errors import absent
from simulator.writing import SUMS, sha256

DELIMITERS = ",;\t"
TABLES = (".csv", ".tsv", ".txt", ".parquet", ".xlsx")
LARGEST = 2_000_000_000
"""Bytes of the largest file that is read."""
_read: ContextVar[dict[Path, str] | None] = ContextVar("_read", default=None)


class Named(NamedTuple):
    """Cells by the names of their columns, from one file or mapping, and the numbers of their rows there."""

    name: str
    cells: Cells
    lines: np.ndarray | None = None

    @property
    def rows(self) -> np.ndarray:
        """(k,) numbers of the rows."""
        if self.lines is not None:
            return self.lines
        return np.arange(len(next(iter(self.cells.values())))) + 1 if self.cells else np.arange(0)


@contextmanager
def noting() -> Iterator[dict[Path, str]]:
    """The sha256 of every file that is read meanwhile."""
    found: dict[Path, str] = {}
    token = _read.set(found)
    try:
        yield found
    finally:
        _read.reset(token)


def note_read(path: Path) -> str:
    """The sha256 of a file that is read."""
    digest = sha256(path)
    if (found := _read.get()) is not None:
        found[path.resolve()] = digest
    return digest


def sums_of(folder: Path) -> dict[str, str]:
    """The sha256 of tables that this program wrote to a folder; none where it wrote none."""
    try:
        found = json.loads((folder / SUMS).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        fail(SUMS, 1, "", "it cannot be read", "Remove it, or write the tables again with als-sim data convert")
    return found if isinstance(found, dict) else {}


def read_table(path: Path, sheet: str = "") -> Named:
    """The cells of a file; of a sheet of an Excel file, the first by default.

    Raises
    ------
    DataError
        There is no such file, it is none of these kinds, or its rows are not alike.
    ModuleNotFoundError
        Parquet or Excel without its extra.
    """
    name = path.name
    if path.is_dir():
        fail(str(path), 1, "", "this is a folder, not a file", "Name its files, or the folder alone")
    if not path.is_file():
        fail(str(path), 1, "", "there is no such file", "Check its name")
    if path.suffix.lower() not in TABLES:
        fail(name, 1, "", f"a file that ends in {path.suffix or 'nothing'} is not read", f"Use {', '.join(TABLES)}")
    if path.stat().st_size > LARGEST:
        fail(name, 1, "", "the file is larger than 2 GB", "Split it, or keep the columns that are needed")
    known, digest = sums_of(path.parent).get(name), note_read(path)
    if known is not None and known != digest:
        fact = f"damaged or changed: its sha256 is not the one in {SUMS} beside it"
        fail(name, 1, "", fact, f"Write it again, or remove {SUMS} if the change is meant")
    if path.suffix == ".parquet":
        return _parquet(path)
    collects = gc.isenabled()
    gc.disable()  # a list for each row, and none in a cycle
    try:
        rows, lines = _sheet(path, sheet) if path.suffix == ".xlsx" else _lines(path)
        return _columns(name, rows, lines)
    finally:
        if collects:
            gc.enable()


def _parquet(path: Path) -> Named:
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowInvalid:
        fail(path.name, 1, "", "the file is no Parquet", "Write it again")
    return Named(path.name, {name: table.column(name).to_pylist() for name in table.column_names})


def _sheet(path: Path, sheet: str) -> tuple[list[Sequence[Any]], list[int]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception:  # noqa: BLE001, RUF100 - the library raises whatever it meets
        fail(path.name, 1, "", "the file is no Excel workbook", "Save it as .xlsx")
    if sheet and sheet not in book.sheetnames:
        fail(path.name, 1, "", *absent("sheet", sheet, book.sheetnames).split(". ", 1))
    found = [(k, row) for k, row in enumerate(book[sheet or book.sheetnames[0]].iter_rows(values_only=True), 1)]
    kept = [(k, row) for k, row in found if any(cell is not None for cell in row)]
    return [list(row) for _, row in kept], [k for k, _ in kept]


def sheets(path: Path) -> list[str]:
    """The names of the sheets of an Excel file."""
    import openpyxl

    return list(openpyxl.load_workbook(path, read_only=True).sheetnames)


def _lines(path: Path) -> tuple[list[Sequence[Any]], list[int]]:
    """Rows of cells and the lines on which they begin."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        fail(path.name, line, "", "the text is not UTF-8", "Save the file as CSV UTF-8")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        fail(path.name, line, "", "there is a zero byte", "Save the file as CSV UTF-8")
    head = text.split("\n", 1)[0]
    counts = {one: head.count(one) for one in DELIMITERS}
    delimiter = max(counts, key=lambda one: counts[one])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Sequence[Any]] = []
    lines: list[int] = []
    begins = 1
    try:
        for row in reader:
            if any(row) and any(map(str.strip, row)):
                rows.append(row)
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        fail(path.name, begins, "", f"the row cannot be read ({error})", "Close every quotation mark, keep cells short")
    return rows, lines


def _columns(name: str, rows: list[Sequence[Any]], lines: list[int]) -> Named:
    """Cells by column; rows must be as long as the header."""
    if not rows:
        fail(name, 1, "", "the file is empty", "Give a header and rows")
    heads = ["" if is_missing(cell) else str(cell).strip() for cell in rows[0]]
    while heads and not heads[-1] and all(len(row) < len(heads) or is_missing(row[len(heads) - 1]) for row in rows[1:]):
        heads.pop()
    faults = []
    if len(heads) < 2:
        fact = "the header has one column: cells are not separated by comma, semicolon or tab"
        faults.append(DataFault(name, lines[0], heads[0] if heads else "", fact, "Save the file as CSV"))
    for k, head in enumerate(heads):
        if not head:
            faults.append(DataFault(name, lines[0], f"column {k + 1}", "the column has no name", "Name it"))
        elif head in heads[:k]:
            faults.append(DataFault(name, lines[0], head, "the column is there twice", "Keep one"))
    wrong = [(row, line) for row, line in zip(rows[1:], lines[1:], strict=True) if not _fits(row, len(heads))]
    if wrong and len(heads) > 1:
        row, line = wrong[0]
        fact = f"the row has {len(row)} cells, the header {len(heads)}"
        fact += f" ({len(wrong) - 1} more rows too)" if len(wrong) > 1 else ""
        remedy = "Is there a decimal comma, or a cell with a comma unquoted?"
        faults.append(DataFault(name, line, heads[-1], fact, remedy))
    if faults:
        raise DataError(faults)
    width = len(heads)
    columns: list[Any] = list(zip(*rows[1:], strict=False)) or [()] * width  # a longer row has empty cells there
    cells = dict(zip(heads, columns, strict=False))
    return Named(name, cells, np.array(lines[1:], np.int64))


def _fits(row: Sequence[Any], width: int) -> bool:
    """Whether a row has the cells of the header, and empty ones beyond."""
    return len(row) == width or (len(row) > width and all(is_missing(cell) for cell in row[width:]))
