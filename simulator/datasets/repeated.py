"""One table of all: a row a visit, in which what is known of a participant is repeated, to a row each."""

from __future__ import annotations

import datetime

import numpy as np

from simulator.datasets.dataset import Note
from simulator.datasets.faults import Faults
from simulator.datasets.tables import Column, Table, dates, is_missing, missing, numbers, texts

COVARIATE = "covariate_"


def one_row_each(people: Table, measured: Table, faults: Faults, notes: list[Note]) -> Table:
    """The participants of a table of visits; what it does not say of their first and last day is taken from these."""
    return _ends(_once(people, faults, notes), measured, notes)


def _once(table: Table, faults: Faults, notes: list[Note]) -> Table:
    """A row for each participant, where each visit repeats what is known of one or leaves it empty."""
    ids = texts(table, "id").tolist()
    rows: dict[str, int] = {}
    for row, who in enumerate(ids):
        rows.setdefault(who, row)
    columns = {}
    for key, column in table.columns.items():
        known: dict[str, object] = {}
        differs = np.zeros(len(ids), np.bool_)
        for row, (who, cell) in enumerate(zip(ids, column.cells, strict=True)):
            differs[row] = not is_missing(cell) and str(known.setdefault(who, cell)) != str(cell)
        if differs.any() and key.startswith("covariate ") and not column.name.startswith(COVARIATE):
            notes.append(Note(1, f"column of {table.file}", f"not read, it changes between visits: {column.name}"))
            continue
        fact = "{} is not what an earlier row of the participant says"
        faults.rows(table.place(key), differs, fact, "Write what holds at baseline in every row, or in one")
        columns[key] = column._replace(cells=[known.get(who) for who in rows])
    return Table(table.file, table.rows[list(rows.values())], columns)


def _ends(people: Table, measured: Table, notes: list[Note]) -> Table:
    """The first visit as baseline and the last as the end of follow-up, where the table says neither."""
    key = next((one for one in ("day", "planned_day") if one in measured.columns), "day")
    on = measured.columns[key]
    ids, quiet = texts(measured, "id"), Faults()  # a day that cannot be read is a fault of `build`
    when = dates(measured, key, quiet) if on.unit == "date" else numbers(measured, key, quiet)
    own = [when[(ids == who) & np.isfinite(when)] for who in texts(people, "id").tolist()]
    columns = dict(people.columns)

    def cell(found: float) -> object:
        return datetime.date.fromordinal(int(found)).isoformat() if on.unit == "date" else found

    if on.unit == "date" and "baseline" not in columns:
        columns["baseline"] = Column([cell(one.min()) if len(one) else None for one in own], "baseline_date", "date")
        notes.append(Note(len(own), "participants", "there is no baseline_date: the first visit is day 0"))
    if {"death", "followup", "pav", "dropout"} & set(columns) == {"death"}:
        alive = missing(columns["death"].cells)
        last = [cell(one.max()) if len(one) and lives else None for one, lives in zip(own, alive, strict=True)]
        columns["followup"] = Column(last, "followup", on.unit)
        notes.append(Note(int(alive.sum()), "participants", "no end of follow-up is given: it is the last visit"))
    return people._replace(columns=columns)
