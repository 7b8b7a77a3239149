"""Which reader reads which files, and how a data set is written."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from simulator.datasets.adam import from_adam
from simulator.datasets.dataset import Dataset
from simulator.datasets.faults import fail
from simulator.datasets.files import TABLES, Named, noting, read_table, sheets, sums_of
from simulator.datasets.mapping import from_mapping
from simulator.datasets.proact import from_proact, looks_like_proact
from simulator.datasets.tidy import from_one, from_tidy, looks_measured, tidy
from simulator.writing import write_tables

ADAM = ("adsl", "adqs", "adtte")
TIDY = ("participants", "measurements", "events")


def read_data(*files: str | Path) -> Dataset:
    """Participants and measurements of real people from files.

    Parameters
    ----------
    *files : str or path
        A folder (ADaM, PRO-ACT, or participants, measurements and events), a mapping in YAML, an Excel workbook
        with sheets of these names, two or three tables, or one with a row a visit that repeats who it is of.

    Returns
    -------
    Dataset
        The data; `notes` says what was set aside or computed.

    Raises
    ------
    DataError
        The files cannot be used as they are: all faults at once, as `file:row:column: fact. remedy`.

    Examples
    --------
    >>> import simulator as sim
    >>> data = sim.read_data("participants.csv", "measurements.csv")  # doctest: +SKIP
    >>> data.n, data.arms  # doctest: +SKIP
    (154, ['placebo', 'valproic_acid'])
    """
    paths = [Path(one) for one in files]
    if not paths:
        fail("", 1, "", "no file is named", "Name a folder, a mapping, or the tables")
    with noting() as digests:
        data = _read(paths)
    return data._replace(files=tuple(sorted((path.name, digest) for path, digest in digests.items())))


def _read(paths: Sequence[Path]) -> Dataset:
    if len(paths) == 1 and paths[0].is_dir():
        return _folder(paths[0])
    if len(paths) == 1 and paths[0].suffix in {".yaml", ".yml"}:
        return from_mapping(paths[0])
    if len(paths) == 1 and paths[0].suffix == ".xlsx":
        return _sheets(paths[0])
    return _tables([read_table(path) for path in paths])


def _folder(folder: Path) -> Dataset:
    """The reader that knows the files of a folder."""
    there = {
        path.stem.lower(): path for path in sorted(folder.iterdir(), reverse=True) if path.suffix.lower() in TABLES
    }
    for names, least in ((ADAM, 2), (TIDY, 2)):
        if set(names[:least]) <= set(there):
            return _tables([read_table(there[name]) for name in names if name in there], folder.resolve().name)
    if not looks_like_proact(folder):
        found = ", ".join(there) or "no tables"
        fail(str(folder), 1, "", f"the folder has {found}", "Name the files, or write a mapping (docs/data.md)")
    return from_proact(folder)


def _sheets(path: Path) -> Dataset:
    names = {name.lower(): name for name in sheets(path)}
    wanted = next((group for group in (ADAM, TIDY) if set(group[:2]) <= set(names)), None)
    if wanted is None:
        fail(
            path.name, 1, "", f"there are sheets {', '.join(names)}", f"Call them {', '.join(TIDY)}, or write a mapping"
        )
    tables = [(name, read_table(path, names[name])) for name in wanted if name in names]
    return _tables([table._replace(name=f"{path.name}[{name}]") for name, table in tables], path.stem)


def _tables(tables: Sequence[Named], name: str = "") -> Dataset:
    """Tables of ADaM or tidy ones, by their columns."""
    if any("USUBJID" in table.cells for table in tables):
        return _adam(tables, name)
    events: list[Named] = []
    measured: list[Named] = []
    people: list[Named] = []
    for table in tables:
        timed = {"endpoint", "event"} <= set(table.cells)
        (events if timed else measured if looks_measured(table) else people).append(table)
    if len(tables) == len(measured) == 1:
        return from_one(measured[0], name)
    if len(people) != 1 or len(measured) != 1 or len(events) > 1:
        fact = f"of {len(tables)} tables {len(people)} are of participants, {len(measured)} of measurements (with days)"
        if len(tables) == 1:
            fact = f"columns are {', '.join(tables[0].cells)}: none says the day of a visit and what was measured"
        remedy = "Name one of each, or call columns id, day or date, alsfrs_r …, or write a mapping (docs/data.md)"
        fail(tables[0].name, 1, "", fact, remedy)
    return from_tidy(people[0], measured[0], events[0] if events else None, name or people[0].name)


def _adam(tables: Sequence[Named], name: str) -> Dataset:
    roles: dict[str, Named] = {}
    for table in tables:
        role = "adtte" if "CNSR" in table.cells else "adqs" if "PARAMCD" in table.cells else "adsl"
        if role in roles:
            fail(table.name, 1, "", f"{roles[role].name} and {table.name} are both {role.upper()}", "Name one of them")
        roles[role] = table
    if not {"adsl", "adqs"} <= set(roles):
        fail(tables[0].name, 1, "", "ADSL and ADQS are needed", "Name both, and ADTTE if there is one")
    return from_adam(roles["adsl"], roles["adqs"], roles.get("adtte"), name or roles["adsl"].name)


def write_data(data: Dataset, folder: Path, kind: str = "csv", *, force: bool = False) -> list[Path]:
    """Write a data set as tidy tables, csv or parquet, which `read_data` reads without loss.

    Raises
    ------
    DataError
        One of the files is there already and `force` is not set.
    """
    tables = {folder / f"{name}.{kind}": table for name, table in tidy(data).items()}
    if not force and (there := [place for place in tables if place.exists()]):
        fail(str(there[0]), 1, "", "the file is there already", "Name another folder with -o, or use --force")
    sums_of(folder)  # an error where it cannot be read
    writer = _write_csv if kind == "csv" else _write_parquet
    write_tables(folder, [(place.name, partial(writer, table)) for place, table in tables.items()], data.made_from)
    return list(tables)


def _write_csv(table: Mapping[str, Sequence[object]], place: Path) -> None:
    with place.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table)
        writer.writerows([_cell(cell) for cell in row] for row in zip(*table.values(), strict=True))


def _cell(cell: object) -> str:
    """Every digit of a number, nothing for NaN."""
    return "" if cell != cell else repr(cell) if isinstance(cell, float) else str(cell)  # noqa: PLR0124


def _write_parquet(table: Mapping[str, Sequence[object]], place: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({name: list(cells) for name, cells in table.items()}), place)
