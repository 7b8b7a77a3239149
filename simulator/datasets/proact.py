"""A folder of PRO-ACT by its public column names: function, vital capacity, death, treatment, demographics, history.

Days count from the start of the trial. Of several FVC or SVC trials of a visit the best counts, as spirometry reports.
Nobody's end of follow-up is in PRO-ACT: it is the last day of any record of the participant, which the notes say.

References
----------
Atassi et al. (2014), The PRO-ACT database, doi:10.1212/WNL.0000000000000951.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from simulator.datasets.building import Parts, build, need
from simulator.datasets.dataset import Dataset, Note
from simulator.datasets.faults import Faults, Place
from simulator.datasets.files import TABLES, Named, read_table
from simulator.datasets.tables import Column, Range, Table, flags, is_missing, missing, numbers, texts

PARTS = ("alsfrs", "fvc", "svc", "deathdata", "demographics", "treatment", "alshistory", "riluzole")
ITEMS = {
    "Q1_Speech": "speech",
    "Q2_Salivation": "salivation",
    "Q3_Swallowing": "swallowing",
    "Q4_Handwriting": "handwriting",
    "Q6_Dressing_and_Hygiene": "dressing",
    "Q7_Turning_in_Bed": "turning",
    "Q8_Walking": "walking",
    "Q9_Climbing_Stairs": "stairs",
    "R_1_Dyspnea": "dyspnea",
    "R_2_Orthopnea": "orthopnea",
    "R_3_Respiratory_Insufficiency": "respiratory_insufficiency",
}
CUTTING = ("Q5_Cutting", "Q5a_Cutting_without_Gastrostomy", "Q5b_Cutting_with_Gastrostomy")
TRIALS = tuple(f"pct_of_Normal_Trial_{k}" for k in (1, 2, 3))
DAYS = {"alsfrs": "ALSFRS_Delta", "fvc": "Forced_Vital_Capacity_Delta", "svc": "Slow_vital_Capacity_Delta"}


def looks_like_proact(folder: Path) -> bool:
    """Whether a folder has PRO-ACT's table of the ALSFRS: by its name and one of its columns."""
    found = _files(folder).get("alsfrs")
    return found is not None and (found.suffix != ".csv" or b"ALSFRS_Delta" in found.read_bytes().split(b"\n", 1)[0])


def _files(folder: Path) -> dict[str, Path]:
    """The files of each part, whatever stands before and after its name."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        part = next((one for one in PARTS if one in path.stem.lower()), None)
        if part and path.suffix.lower() in TABLES:
            found.setdefault(part, path)
    return found


def from_proact(folder: Path) -> Dataset:
    """The data set of the folder.

    Raises
    ------
    DataError
        The table of the ALSFRS or one of its columns is missing, or cells are wrong.
    """
    tables = {part: read_table(path) for part, path in _files(folder).items()}
    faults = Faults()
    notes: list[Note] = []
    for table in tables.values():
        _columns(table, {"id": "subject_id"}, faults)
    faults.check()
    measured = [_function(tables["alsfrs"], faults)]
    _tell_old(tables["alsfrs"], notes)
    measured += [_capacity(tables[part], part, faults) for part in ("fvc", "svc") if part in tables]
    faults.check()
    measured = [_without_repeats(_without_days(table, notes), notes) for table in measured]
    people = _people(tables, measured, faults, notes)
    faults.check()
    return build(Parts(folder.resolve().name, people, measured, (), tuple(notes)))


def _function(table: Named, faults: Faults) -> Table:
    """Total and items of the ALSFRS-R; the old ALSFRS, of ten items, is another scale and is not read."""
    columns = _columns(table, {"id": "subject_id", "day": "ALSFRS_Delta", "alsfrs_r": "ALSFRS_R_Total"}, faults)
    columns |= {key: Column(table.cells[name], name) for name, key in ITEMS.items() if name in table.cells}
    there = [table.cells[name] for name in CUTTING if name in table.cells]
    if there:
        known = [next((cell for cell in row if not is_missing(cell)), "") for row in zip(*there, strict=True)]
        columns["cutting"] = Column(known, CUTTING[0])
    return Table(table.name, table.rows, columns)


def _tell_old(table: Named, notes: list[Note]) -> None:
    """Count the rows whose only total is that of the ten items."""
    if {"ALSFRS_Total", "ALSFRS_R_Total"} <= set(table.cells):
        old = missing(table.cells["ALSFRS_R_Total"]) & ~missing(table.cells["ALSFRS_Total"])
        if old.any():
            why = "ALSFRS_Total of ten items alone: another scale, not read"
            notes.append(Note(int(old.sum()), f"rows of {table.name}", why))


def _capacity(table: Named, part: str, faults: Faults) -> Table:
    """The best of the trials, % of predicted."""
    columns = _columns(table, {"id": "subject_id", "day": DAYS[part]}, faults)
    trials = [name for name in TRIALS if name in table.cells]
    if not trials:
        need(Place(table.name, TRIALS[0], table.rows, ()), list(table.cells), TRIALS[0], faults)
        return Table(table.name, table.rows, columns)
    made = Table(table.name, table.rows, {name: Column(table.cells[name], name) for name in trials})
    values = np.array([numbers(made, name, faults) for name in trials])
    best = np.where(np.isfinite(values), values, -np.inf).max(axis=0)
    cells = [value if np.isfinite(value) else "" for value in best.tolist()]
    return Table(table.name, table.rows, {**columns, part: Column(cells, "pct_of_Normal")})


def _columns(table: Named, names: Mapping[str, str], faults: Faults) -> dict[str, Column]:
    for name in names.values():
        if name not in table.cells:
            need(Place(table.name, name, table.rows, ()), list(table.cells), name, faults)
    return {key: Column(table.cells[name], name) for key, name in names.items() if name in table.cells}


def _without_days(table: Table, notes: list[Note]) -> Table:
    """Rows without a participant or day say nothing of a course."""
    nobody = missing(table.columns["id"].cells)
    lacking = missing(table.columns["day"].cells) & ~nobody
    for rows, why in ((nobody, "set aside, they have no subject_id"), (lacking, "set aside, they have no day")):
        if rows.any():
            notes.append(Note(int(rows.sum()), f"rows of {table.file}", why))
    return _rows(table, ~lacking & ~nobody)


def _without_repeats(table: Table, notes: list[Note]) -> Table:
    """Rows of one participant and day: one is kept of those that say the same, none of those that differ."""
    columns = list(table.columns.values())
    keys = list(zip(texts(table, "id").tolist(), map(str, table.columns["day"].cells), strict=True))
    whole = list(zip(*(map(str, column.cells) for column in columns), strict=True))
    different: dict[object, set[object]] = {}
    for key, row in zip(keys, whole, strict=True):
        different.setdefault(key, set()).add(row)
    clash = np.array([len(different[key]) > 1 for key in keys], np.bool_)
    first = {row: k for k, row in reversed(list(enumerate(whole)))}
    again = np.array([first[row] != k for k, row in enumerate(whole)], np.bool_)
    if (again & ~clash).any():
        notes.append(Note(int((again & ~clash).sum()), f"rows of {table.file}", "set aside, they repeat another"))
    if clash.any():
        why = "set aside, rows of the same participant and day that differ"
        notes.append(Note(int(clash.sum()), f"rows of {table.file}", why))
    return _rows(table, ~clash & ~again)


def _rows(table: Table, kept: np.ndarray) -> Table:
    at = np.flatnonzero(kept).tolist()
    columns = {key: one._replace(cells=[one.cells[k] for k in at]) for key, one in table.columns.items()}
    return Table(table.file, table.rows[at], columns)


def _people(tables: Mapping[str, Named], measured: Sequence[Table], faults: Faults, notes: list[Note]) -> Table:
    """A row for everybody of any table; the last day of any record is the end of follow-up."""
    ids = sorted({name for table in tables.values() for name in _ids(table)}, key=lambda name: (len(name), name))
    row = {name: k for k, name in enumerate(ids)}
    last = np.zeros(len(ids))
    for table in measured:
        at = np.array([row[name] for name in texts(table, "id").tolist()], np.int64)
        np.maximum.at(last, at, np.nan_to_num(numbers(table, "day", faults)))
    death = _deaths(tables, row, faults, notes)
    end = np.where(np.isfinite(death), death, last)
    alive = int((~np.isfinite(death)).sum())
    notes.append(Note(alive, "participants", "not known to have died: followed to their last record of a measurement"))
    cells = {"id": ids, "followup": end.tolist(), "death": ["" if np.isnan(day) else day for day in death.tolist()]}
    columns = {
        name: Column(values, {"id": "subject_id", "death": "Death_Days"}.get(name, name))
        for name, values in cells.items()
    }
    wanted = (("demographics", "age", "Age"), ("demographics", "sex", "Sex"), ("treatment", "arm", "Study_Arm"))
    for part, key, name in (
        *wanted,
        ("alshistory", "onset_site", "Site_of_Onset"),
        ("alshistory", "onset_day", "Onset_Delta"),
    ):
        if part in tables and name in tables[part].cells:
            columns[key] = Column(_first_known(tables[part], name, row, notes), name)
    if "riluzole" in tables and "Subject_used_Riluzole" in tables["riluzole"].cells:
        used = _first_known(tables["riluzole"], "Subject_used_Riluzole", row, notes)
        codes = {"yes": "1", "no": "0"}
        coded = [codes.get(str(cell).strip().lower(), cell) for cell in used]
        columns["covariate riluzole"] = Column(coded, "Subject_used_Riluzole")
    return Table("PRO-ACT", np.arange(len(ids)) + 1, columns)


def _ids(table: Named) -> list[str]:
    made = Table(table.name, table.rows, {"id": Column(table.cells.get("subject_id", ()), "subject_id")})
    return [name for name in texts(made, "id").tolist() if name]


def _deaths(tables: Mapping[str, Named], row: Mapping[str, int], faults: Faults, notes: list[Note]) -> np.ndarray:
    """(n,) days of death, NaN for those who are not known to have died, or not when."""
    found = np.full(len(row), np.nan)
    if "deathdata" not in tables:
        return found
    table = tables["deathdata"]
    columns = _columns(table, {"id": "subject_id", "died": "Subject_Died", "day": "Death_Days"}, faults)
    faults.check()
    made = Table(table.name, table.rows, columns)
    died, day = flags(made, "died", faults), numbers(made, "day", faults, Range())
    dead = died == 1
    with np.errstate(invalid="ignore"):
        early = dead & (day < 0)
    undated = int((dead & np.isnan(day)).sum())
    if undated:
        notes.append(Note(undated, "deaths", "set aside, without a day: the participants are censored"))
    if early.any():
        notes.append(Note(int(early.sum()), "deaths", "set aside, before the start of the trial"))
    for name, at, ok in zip(texts(made, "id").tolist(), day.tolist(), (dead & ~early).tolist(), strict=True):
        if ok and name in row and at == at:  # noqa: PLR0124
            found[row[name]] = np.fmin(found[row[name]], at)
    return found


def _first_known(table: Named, name: str, row: Mapping[str, int], notes: list[Note]) -> list[object]:
    """The first cell that is known of each participant; how many have others is noted."""
    found: list[object] = [""] * len(row)
    clash = set()
    made = Table(table.name, table.rows, {"id": Column(table.cells["subject_id"], "subject_id")})
    for who, cell in zip(texts(made, "id").tolist(), table.cells[name], strict=True):
        if is_missing(cell) or who not in row:
            continue
        if found[row[who]] == "":
            found[row[who]] = cell
        elif str(found[row[who]]) != str(cell):
            clash.add(who)
    if clash:
        notes.append(Note(len(clash), f"participants with several values of {name}", "the first is taken"))
    return found
