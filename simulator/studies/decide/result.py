"""What a decision comes to, as one document: in Python, as JSON, as tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from simulator.errors import SimulatorError
from simulator.results.files import Writer, text_writer
from simulator.results.kinds import DECISION, Kind
from simulator.results.study import DocumentResult
from simulator.results.tidy import csv_text
from simulator.studies.decide.tables import BELOW, BESIDE, Table, row_of
from simulator.units import minus
from simulator.writing import MADE_FROM

if TYPE_CHECKING:
    import xarray

NOTICE = "For research, not for reimbursement as it stands. A simulated benefit is not proven."
SHEET_NAME = 31
"""Letters that a sheet of Excel may have."""
TIME, EPOCH = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"1980-01-01T00:00:00Z"


class NoExcelError(SimulatorError):
    """The library for Excel files is not installed."""

    exit_code = 3


@dataclass(frozen=True)
class Decided(DocumentResult):
    """A decision: base case, probabilistic analysis, value of information, and what else the scenario asks.

    `tables` hold every number, each under a name: `found.tables["incremental"]`. `fixed` is what was not drawn;
    `horizon` and `discount` are those of `basis`; `threshold` is the decision's own value of a QALY in `currency`.
    `found.plot.plane().save("a.svg")` draws.
    """

    title: str
    scenario_name: str
    scenario_sha256: str
    engine_version: str
    seed: int
    basis: str
    currency: str
    threshold: float
    options: tuple[str, ...]
    tables: dict[str, Table]
    warnings: tuple[str, ...]
    fixed: tuple[str, ...]
    scenario: str = ""
    horizon: str = ""
    discount: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    notice: str = NOTICE

    kind: ClassVar[Kind] = DECISION
    table_file: ClassVar[str] = "decision.csv"

    @property
    def data(self) -> xarray.Dataset:
        """Its numbers as an `xarray.Dataset` along `row`: table, row, column, value."""
        found: xarray.Dataset = self.summary().rename_axis("row").to_xarray()
        return found

    @property
    def answer(self) -> list[str]:
        """What a QALY costs, which option is the best at the decision's threshold, and how sure that is."""
        money, found = self.currency, []
        for row in (self._row("incremental", name) for name in self.options):
            if row["status"]:
                found.append(f"{row['option']} is {row['status']}.")
            elif row["versus"] and row["ICER"] is not None:
                found.append(f"A QALY costs {row['ICER']:,.0f} {money} with {row['option']} against {row['versus']}.")
        accepted = next(row for row in self.tables["acceptability"].rows if row[0] == self.threshold)
        draws, worth = len(self.tables["plane"].rows), self.tables["information"].rows[0][2]
        found.append(
            f"At {self.threshold:,.0f} {money} a QALY {accepted[-2]} is the best on average, and in "
            f"{100 * float(accepted[-1] or 0):.0f} % of {draws:,} draws; to know everything would be worth "
            f"{worth:,.0f} {money} a patient."
        )
        return found

    def _row(self, table: str, first: str) -> dict[str, Any]:
        return dict(row_of(self.tables[table], first))

    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """Every number of every table, a row each.

        Returns
        -------
        tuple
            The columns (table, row, column, value), and the rows.
        """
        return ("table", "row", "column", "value"), self._long()

    def _long(self) -> Iterable[Iterable[Any]]:
        for table in self.tables.values():
            words = [k for k, one in enumerate(table.columns) if one.name not in BESIDE]
            text = [k for k in words if any(isinstance(row[k], str) for row in table.rows)]
            for row in table.rows:
                name = " ".join(str(row[k]) for k in text if row[k]) or str(row[0])
                before = ""
                for k, (head, cell) in enumerate(zip(table.heads, row, strict=True)):
                    if k not in text:
                        value = None if cell == BELOW else cell
                        yield table.name, name, f"{before} {head}" if head in BESIDE else head, value
                        before = before if head in BESIDE else head

    def frame(self, name: str) -> Any:
        """A table as a data frame.

        Parameters
        ----------
        name : str
            One of `tables`.

        Returns
        -------
        pandas.DataFrame
            With the units in the heads.
        """
        import pandas

        one = self.tables[name]
        return pandas.DataFrame(one.rows, columns=one.heads)

    def files(self) -> list[tuple[str, Writer]]:
        """The files of its folder, apart from the manifest: beside the usual ones a CSV of every table.

        Returns
        -------
        list of tuple
            The name of a file and its writer.
        """
        return [
            *super().files(),
            *((f"{name}.csv", text_writer(csv_text(one.heads, one.rows))) for name, one in self.tables.items()),
        ]

    def excel(self) -> bytes:
        """Every table as a sheet of an Excel file; needs the extra `excel`.

        Returns
        -------
        bytes
            The content of the file.

        Raises
        ------
        NoExcelError
            The library is not installed.
        """
        try:
            import openpyxl
        except ImportError:
            raise NoExcelError("Excel files need openpyxl. Install it: pip install 'als-simulator[excel]'") from None
        book = openpyxl.Workbook()
        book.remove(book.active)
        if self.file_sha256:
            book.properties.description = f"{MADE_FROM} sha256:{self.file_sha256}"
        for name, one in self.tables.items():
            sheet = book.create_sheet(name[:SHEET_NAME])
            lines: list[list[Any]] = [[one.caption], list(one.heads), *one.rows, [one.note]]
            for row in lines:
                sheet.append([_cell(value) for value in row])
        file = BytesIO()
        book.save(file)
        return _undated(file)

    def content(self) -> dict[str, Any]:
        """As plain data.

        Returns
        -------
        dict
            What the JSON document holds, without its checksum.
        """
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        plain |= {key: list(plain[key]) for key in ("options", "warnings", "fixed")}
        return {"format": self.kind.format, **plain, "tables": [one.content() for one in self.tables.values()]}

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> Decided:
        """The decision of a document that was checked.

        Parameters
        ----------
        content : dict
            What `content` gave, without its format.

        Returns
        -------
        Decided
            As it was saved.
        """
        tables = [Table.of(one) for one in content["tables"]]
        texts = {key: tuple(content[key]) for key in ("options", "warnings", "fixed")}
        return cls(**{**content, **texts, "tables": {one.name: one for one in tables}})

    def _repr_html_(self) -> str:
        table = self.tables["incremental"]
        head = "".join(f"<th>{escape(one)}</th>" for one in table.heads)
        body = "".join(f"<tr>{''.join(f'<td>{escape(x)}</td>' for x in row)}</tr>" for row in table.texts())
        said = " ".join([*self.answer, f"{self.basis}."])
        notes = "".join(f"<li>{escape(one)}</li>" for one in self.warnings)
        return minus(
            f"<div><h4>{escape(self.title)}</h4><p>{escape(said)}</p><table><tr>{head}</tr>{body}</table>"
            f"<ul>{notes}</ul><p><small>{escape(self.notice)}</small></p></div>"
        )


def _cell(value: Any) -> Any:
    """A value that a sheet takes as it is: text that begins like a formula stays text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"} else value


def _undated(file: BytesIO) -> bytes:
    """An Excel file without the time at which it was written: the same decision gives the same bytes."""
    found = BytesIO()
    with ZipFile(file) as old, ZipFile(found, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(ZipInfo(name), re.sub(TIME, EPOCH, old.read(name)), ZIP_DEFLATED)
    return found.getvalue()
