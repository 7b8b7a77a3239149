"""Tidy tables: one of participants, one of measurements, and if there is one a table of times to events; or one of all.

Names of columns are fixed; days and dates say their unit in the name: followup_day, followup_months, followup_date.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from simulator.datasets.building import Parts, build, need
from simulator.datasets.dataset import Dataset, Note
from simulator.datasets.faults import Faults, Place, fail
from simulator.datasets.files import Named, read_table
from simulator.datasets.repeated import COVARIATE, one_row_each
from simulator.datasets.tables import Column, Table, is_missing, numeric
from simulator.datasets.variables import VARIABLES

TEXTS = ("id", "arm", "stratum", "variant", "sex", "onset_site", "age", "died")
TIMES = ("onset", "since_onset", "followup", "death", "pav", "dropout", "treatment_start", "treatment_end")
SUFFIXES = {"day": "day", "days": "day", "week": "week", "weeks": "week", "month": "month", "months": "month"}
SUFFIXES |= {"year": "year", "years": "year", "date": "date"}
ALIASES = {"months_since_onset": "since_onset_months", "days_since_onset": "since_onset_days"}
NEAR = 0.85


def from_tidy(people: Named, measured: Named, events: Named | None = None, name: str = "") -> Dataset:
    """The data set of tidy tables.

    Raises
    ------
    DataError
        A column is missing or unknown, or cells are wrong: all faults at once.
    """
    faults = Faults()
    notes: list[Note] = []
    tables = [_people(people, faults, notes), _measured(measured, faults, notes)]
    times = [] if events is None else [_events(events, faults)]
    faults.check()
    return build(Parts(name or people.name, tables[0], (tables[1],), times, tuple(notes)))


def from_one(table: Named, name: str = "") -> Dataset:
    """The data set of one table with a row a visit, in which what is known of a participant is repeated.

    Raises
    ------
    DataError
        As of two tables; or what is known of a participant differs between rows.
    """
    faults = Faults()
    notes: list[Note] = []
    visits = [one for one in table.cells if one == "id" or _of_a_visit(one)]
    left = [one for one in table.cells if one == "id" or one not in visits]
    if len(left) < 2:
        remedy = "Name the table of the participants too, or add columns such as sex, age, onset_date"
        fail(table.name, 1, "", "the table has visits, and nothing of the participants", remedy)
    measured = _measured(table._replace(cells={one: table.cells[one] for one in visits}), faults, notes)
    people = _people(table._replace(cells={one: table.cells[one] for one in left}), faults, notes)
    faults.check()
    people = one_row_each(people, measured, faults, notes)
    faults.check()
    return build(Parts(name or table.name, people, (measured,), (), tuple(notes)))


def _of_a_visit(name: str) -> bool:
    """Whether a column is of measurements: when, what, and how much."""
    return name in {"variable", "value", *VARIABLES} or _visit_day(name)[0] is not None


def _visit_day(name: str) -> tuple[str | None, str]:
    """Which day of a visit a column is ("" or planned) and its unit; (None, "") for none."""
    return _time(name if "_" in name else f"_{name}", ("", "planned"))


def looks_measured(table: Named) -> bool:
    """Whether a table has the columns of measurements: a day and what was measured, or a variable and a value."""
    names = {_visit_day(name)[0] for name in table.cells}
    known = bool(set(VARIABLES) & set(table.cells)) or "planned" in names or "id" not in table.cells
    return (known and bool(names & {"", "planned"})) or {"variable", "value"} <= set(table.cells)


def _time(name: str, known: Sequence[str]) -> tuple[str | None, str]:
    """Which time a column is and its unit; (None, "") for none."""
    head, _, suffix = ALIASES.get(name, name).rpartition("_")
    return (head, SUFFIXES[suffix]) if suffix in SUFFIXES and head in known else (None, "")


def _people(table: Named, faults: Faults, notes: list[Note]) -> Table:
    columns: dict[str, Column] = {}
    left = []
    known = [*TEXTS, *TIMES, *(f"{time}_{unit}" for time in TIMES for unit in SUFFIXES)]
    for name, cells in table.cells.items():
        time, unit = _time(name, TIMES)
        key = "baseline" if name == "baseline_date" else name if name in TEXTS else time
        if key == "onset" and unit != "date":
            key = "onset_day"
        key = "onset_day" if key == "onset" else key
        if key is None and (name.startswith(COVARIATE) or numeric(cells)):
            key = f"covariate {name.removeprefix(COVARIATE)}"
        if key is None:
            left.append(name)
        _fill(table, columns, key or "", Column(cells, name, unit), faults)
        if (key is None or key.startswith("covariate")) and not name.startswith(COVARIATE):
            _mistyped(table, name, known, faults)
    if "id" not in columns:
        need(Place(table.name, "id", table.rows, ()), list(table.cells), "id", faults)
    if left:
        notes.append(Note(len(left), f"columns of {table.name}", f"not read, texts: {', '.join(left)}"))
    return Table(table.name, table.rows, {key: one for key, one in columns.items() if key})


def _measured(table: Named, faults: Faults, notes: list[Note]) -> Table:
    columns: dict[str, Column] = {}
    left = []
    known = ["id", "variable", "value", *VARIABLES, *SUFFIXES, *(f"planned_{unit}" for unit in SUFFIXES)]
    for name, cells in table.cells.items():
        time, unit = _visit_day(name)
        key = {"": "day", "planned": "planned_day"}.get(time, "") if time is not None else ""
        if not key and (name in {"id", "variable", "value"} or name in VARIABLES):
            key = name
        if not key:
            left.append(name)
            _mistyped(table, name, known, faults)
        _fill(table, columns, key, Column(cells, name, unit), faults)
    if "id" not in columns:
        need(Place(table.name, "id", table.rows, ()), list(table.cells), "id", faults)
    if not {"day", "planned_day"} & set(columns):
        need(Place(table.name, "day", table.rows, ()), list(table.cells), "day", faults)
    if left:
        notes.append(Note(len(left), f"columns of {table.name}", f"not read: {', '.join(left)}"))
    return Table(table.name, table.rows, {key: one for key, one in columns.items() if key})


def _events(table: Named, faults: Faults) -> Table:
    columns: dict[str, Column] = {}
    for name, cells in table.cells.items():
        time, unit = _time(name, ("time",))
        _fill(table, columns, "time" if time else name, Column(cells, name, unit), faults)
    for name in ("id", "endpoint", "time", "event"):
        if name not in columns:
            need(Place(table.name, name, table.rows, ()), list(table.cells), name, faults)
    return Table(table.name, table.rows, columns)


def _fill(table: Named, columns: dict[str, Column], key: str, column: Column, faults: Faults) -> None:
    """Put a column in its place; two for one place are a fault."""
    if key in columns and key:
        fact = f"{columns[key].name} and {column.name} say the same"
        faults.add(table.name, 1, column.name, fact, "Keep one")
    columns[key] = column


def _mistyped(table: Named, name: str, known: Sequence[str], faults: Faults) -> None:
    """A name that is nearly that of a known column is a fault, not a column of its own."""
    if near := difflib.get_close_matches(name.lower(), known, n=1, cutoff=NEAR):
        remedy = f"Did you mean {near[0]}? Call it {COVARIATE}{name} if it is a covariate"
        faults.add(table.name, 1, name, f"no column {name} is known", remedy)


def tidy(data: Dataset) -> dict[str, Mapping[str, Sequence[object]]]:
    """The tables of a data set, which `from_tidy` reads without loss: participants, measurements, events."""
    who = data.participants
    texts = {key: getattr(who, key).tolist() for key in ("id", "arm", "stratum", "variant", "sex", "onset_site")}
    numbers = {key: getattr(who, key).tolist() for key in ("age", "months_since_onset")}
    numbers |= {key: getattr(who, key).tolist() for key in ("treatment_start_day", "treatment_end_day")}
    people = {**texts, **numbers, **{f"{COVARIATE}{key}": one.tolist() for key, one in who.covariates.items()}}
    known = {key: cells for key, cells in people.items() if key == "id" or not all(map(is_missing, cells))}
    long: dict[str, list[object]] = {key: [] for key in ("id", "variable", "day", "planned_day", "value")}
    for name, of in data.measurements.items():
        long["id"] += who.id[of.person].tolist()
        long["variable"] += [name] * len(of.person)
        for key in ("day", "planned_day", "value"):
            long[key] += getattr(of, key).tolist()
    held = {day for of in data.measurements.values() for day in of.planned_day.tolist()}
    for day in data.visits.tolist():
        if day not in held:  # a planned visit that nobody had: a row without a value
            for key, cell in zip(long, (who.id[0], "", day, day, math.nan), strict=True):
                long[key].append(cell)
    events: dict[str, list[object]] = {key: [] for key in ("id", "endpoint", "time_days", "event")}
    for name, end in data.endpoints.items():
        there = [k for k, time in enumerate(end.time.tolist()) if time == time]  # noqa: PLR0124
        events["id"] += who.id[there].tolist()
        events["endpoint"] += [name] * len(there)
        events["time_days"] += end.time[there].tolist()
        events["event"] += end.event[there].astype(int).tolist()
    found: dict[str, Mapping[str, Sequence[object]]] = {"participants": known, "measurements": long}
    return {**found, "events": events} if events["id"] else found


def as_lines(data: Dataset) -> dict[str, list[str]]:
    """The data as lines of its tables, from which `from_lines` makes it again."""
    found = {}
    for name, table in tidy(data).items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table)
        rows = zip(*table.values(), strict=True)
        writer.writerows([["" if cell != cell else cell for cell in row] for row in rows])  # noqa: PLR0124
        found[name] = text.getvalue().removesuffix("\n").split("\n")
    return found


def from_lines(lines: Mapping[str, Sequence[str]], name: str) -> Dataset:
    """The data set of the lines of its tables: participants, measurements and, if there are any, events."""
    with TemporaryDirectory() as folder:
        tables = []
        for table in ("participants", "measurements", "events"):
            if table in lines:
                place = Path(folder) / f"{table}.csv"
                place.write_bytes(("\n".join(lines[table]) + "\n").encode("utf-8"))
                tables.append(read_table(place))
    return from_tidy(tables[0], tables[1], tables[2] if len(tables) > 2 else None, name)
