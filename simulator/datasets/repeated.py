"""One table of all: a row a visit, in which what is known of a participant is repeated, to a row each."""

from __future__ import annotations

import datetime

import numpy as np

from simulator.datasets.dataset import Note
from simulator.datasets.faults import Faults
from simulator.datasets.tables import Column, Table, dates, is_missing, texts

COVARIATE = "covariate_"


def one_row_each(people: Table, measured: Table, faults: Faults, notes: list[Note]) -> Table:
    """The participants of a table of visits. The end of follow-up is not taken from these: deaths are known longer."""
    return _baseline(_once(people, faults, notes), measured, notes)


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


def _baseline(people: Table, measured: Table, notes: list[Note]) -> Table:
    """The first visit as baseline, where visits have dates and the table does not say it."""
    key = next((one for one in ("day", "planned_day") if one in measured.columns), "")
    if not key or measured.columns[key].unit != "date" or "baseline" in people.columns:
        return people
    ids, when = texts(measured, "id"), dates(measured, key, Faults())  # what is no date is a fault of `build`
    found: list[str | None] = []
    for who in texts(people, "id").tolist():
        mine = when[(ids == who) & np.isfinite(when)]
        found.append(datetime.date.fromordinal(int(mine.min())).isoformat() if len(mine) else None)
    notes.append(Note(len(found), "participants", "there is no baseline_date: the first visit is day 0"))
    column = Column(found, "baseline_date", "date")
    return people._replace(columns={**people.columns, "baseline": column})
