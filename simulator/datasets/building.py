"""From tables of cells to a data set: every check of real data, whichever file the cells come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from simulator.datasets.dataset import Dataset, Endpoint, Floats, Measurements, Note, Participants
from simulator.datasets.faults import Faults, Place
from simulator.datasets.tables import Range, Table, dates, days, flags, missing, numbers, texts
from simulator.datasets.variables import ITEMS, VARIABLES
from simulator.errors import absent
from simulator.units import DAYS_PER_MONTH

TEXTS = ("arm", "stratum", "variant", "sex", "onset_site")
ENDS = ("death", "pav", "dropout", "followup")
"""Times of a participant: days on which something happened, and the last day on which anything is known."""
AGES = Range(0, 120)


class Parts(NamedTuple):
    """The tables of a data set: of participants (a row each), of measurements, of times to events (a row each).

    Columns of measurements: id, day, planned_day, and either variable and value or a column for each variable. Columns
    of times: id, endpoint, time, and event or censoring (0 is the event).
    """

    name: str
    people: Table
    measured: Sequence[Table] = ()
    times: Sequence[Table] = ()
    notes: tuple[Note, ...] = ()


class Who(NamedTuple):
    """The rows of participants by id."""

    rows: Mapping[str, int]
    n: int


def build(parts: Parts) -> Dataset:
    """The data set of these tables.

    Raises
    ------
    DataError
        Anything is wrong with them: all faults at once.
    """
    faults, notes = Faults(), list(parts.notes)
    who = _who(parts.people, faults)
    baseline = dates(parts.people, "baseline", faults) if "baseline" in parts.people.columns else None
    people = _participants(parts.people, faults, baseline)
    endpoints = _ends(parts.people, faults, baseline)
    for table in parts.times:
        endpoints |= _times(table, who, faults, notes)
    measured, visits = _measured(parts, who, faults, notes, baseline)
    faults.check()
    return Dataset(parts.name, people, measured, endpoints, visits, tuple(notes))


def _who(table: Table, faults: Faults) -> Who:
    """Participants by id, each once."""
    ids = texts(table, "id")
    place = table.place("id")
    faults.rows(place, ids == "", "the participant has no id", "Give each participant an id")
    first: dict[str, int] = {}
    again = np.zeros(len(ids), np.bool_)
    for row, name in enumerate(ids.tolist()):
        again[row] = bool(name) and first.setdefault(name, row) != row
    faults.rows(place, again, "the participant {} is there twice", "Keep one row each")
    if not len(ids):
        faults.add(table.file, 1, place.column, "there are no participants", "Give one row each")
    return Who(first, len(ids))


def _participants(table: Table, faults: Faults, baseline: Floats | None) -> Participants:
    """What is known of each."""
    onset = "onset_day" in table.columns
    since = -days(table, "onset_day", faults, baseline) if onset else days(table, "since_onset", faults, baseline)
    if "since_onset" in table.columns or onset:
        place = table.place("onset_day" if onset else "since_onset")
        with np.errstate(invalid="ignore"):
            faults.rows(place, since < 0, "onset ({}) is after baseline", "Correct it")
    named = [name for name in table.columns if name.startswith("covariate ")]
    covariates = {name.removeprefix("covariate "): numbers(table, name, faults) for name in named}
    return Participants(
        **{name: texts(table, name) for name in ("id", *TEXTS)},
        age=numbers(table, "age", faults, AGES),
        months_since_onset=since / DAYS_PER_MONTH,
        treatment_start_day=days(table, "treatment_start", faults, baseline),
        treatment_end_day=days(table, "treatment_end", faults, baseline),
        covariates={name: one for name, one in covariates.items() if np.isfinite(one).any()},
    )


def _ends(table: Table, faults: Faults, baseline: Floats | None) -> dict[str, Endpoint]:
    """Times to death, to death or ventilation, and to dropout, from the days of participants."""
    there = [name for name in ENDS if name in table.columns]
    if not there and "died" in table.columns:
        fact = "who died is known, and not when, nor how long the others were followed"
        faults.add(
            table.file, table.rows[0] if len(table.rows) else 1, table.place("died").column, fact, "Add followup_day"
        )
    if not there:
        return {}
    at = {name: days(table, name, faults, baseline) for name in ENDS}
    for name in there:
        with np.errstate(invalid="ignore"):
            negative = at[name] < 0
        faults.rows(table.place(name), negative, "{} is before baseline", "Count days from baseline, or leave it empty")
    died = flags(table, "died", faults)
    if "died" in table.columns:
        lacking = (died == 1) & np.isnan(at["death"]) & np.isnan(at["followup"])
        faults.rows(table.place("died"), lacking, "who died has no day of death", "Add death_day or followup_day")
        unlike = (died == 0) & np.isfinite(at["death"])
        faults.rows(table.place("died"), unlike, "who did not die has a day of death", "Correct one of the two")
        at["death"] = np.where((died == 1) & np.isnan(at["death"]), at["followup"], at["death"])
    return _endpoints(table, at, faults)


def _endpoints(table: Table, at: Mapping[str, Floats], faults: Faults) -> dict[str, Endpoint]:
    """Endpoints from the days on which things happened; who has neither event nor end is a fault."""
    with np.errstate(invalid="ignore"):
        late = at["death"] > at["followup"]
    if late.any():
        remedy = "Leave the end of follow-up of who died empty, or correct one of the two"
        faults.rows(table.place("death"), late, "death ({}) is after the end of follow-up", remedy)
    death, pav, left = (np.nan_to_num(at[name], nan=np.inf) for name in ("death", "pav", "dropout"))
    end = np.where(np.isfinite(at["followup"]), at["followup"], np.minimum(death, left))
    place = table.place(next(name for name in ("followup", "death", "dropout", "pav") if name in table.columns))
    empty = [_empty(table, name) for name in ("followup", "death", "dropout") if name in table.columns]
    open_ = ~np.isfinite(end) & np.all(empty, axis=0)  # a cell that cannot be read is a fault already
    remedy = "Add the last day of contact, as followup_day or followup_date"
    faults.rows(place, open_, "neither a day of death nor an end of follow-up is known", remedy)
    found = {}
    if "death" in table.columns or "died" in table.columns:
        found["death"] = Endpoint(np.minimum(death, end), death <= end)
    if "pav" in table.columns:
        either = np.minimum(death, pav)
        found["event_free"] = Endpoint(np.minimum(either, end), either <= end)
    if "dropout" in table.columns:
        found["dropout"] = Endpoint(np.minimum(np.minimum(left, death), end), (left <= end) & (left < death))
    return found


def _times(table: Table, who: Who, faults: Faults, notes: list[Note]) -> dict[str, Endpoint]:
    """Endpoints of a table of times; each participant has one row of each."""
    rows = _known(table, who, notes)
    names, place = texts(table, "endpoint"), table.place("id")
    time = days(table, "time", faults)
    if "censoring" in table.columns:
        code = numbers(table, "censoring", faults, Range(0, whole=True))
        event = np.where(np.isnan(code), np.nan, code == 0)
    else:
        event = flags(table, "event", faults)
    what = "censoring" if "censoring" in table.columns else "event"
    mine = rows >= 0
    faults.rows(table.place("time"), mine & _empty(table, "time"), "the time is missing", "Give the last day known")
    faults.rows(table.place("time"), mine & (time < 0), "{} is before baseline", "Correct it")
    faults.rows(table.place(what), mine & _empty(table, what), "whether there was the event is missing", "Add it")
    found = {}
    for name in dict.fromkeys(names[mine].tolist()):
        some = np.flatnonzero(mine & (names == name))
        again = np.zeros(len(names), np.bool_)
        again[some] = ~_first(rows[some])
        faults.rows(place, again, f"{{}} has a second row of {name}", "Keep one")
        own = Endpoint(np.full(who.n, np.nan), np.zeros(who.n, np.bool_))
        own.time[rows[some]], own.event[rows[some]] = time[some], event[some] == 1
        found[name] = own
    return found


def _measured(
    parts: Parts, who: Who, faults: Faults, notes: list[Note], baseline: Floats | None
) -> tuple[dict[str, Measurements], Floats]:
    """Measurements by variable, and the planned days of all."""
    found: dict[str, list[Measurements]] = {}
    planned = []
    for table in parts.measured:
        rows = _known(table, who, notes)
        mine = rows >= 0
        own = None if baseline is None else np.where(mine, baseline[np.maximum(rows, 0)], np.nan)
        day, plan = days(table, "day", faults, own), days(table, "planned_day", faults)
        if "day" not in table.columns:
            day = plan
            notes.append(Note(int(mine.sum()), "rows", "only planned days are known: taken as the days of measuring"))
        what = "day" if "day" in table.columns else "planned_day"
        blank = _empty(table, what)
        if "value" in table.columns:
            blank &= ~_empty(table, "value")  # a row without a value says that a visit was planned
        faults.rows(table.place(what), mine & blank, "the day is missing", "Give the day of measuring")
        planned.append(plan[mine])
        for name, value in _values(table, faults, notes).items():
            some = mine & np.isfinite(value)
            if not some.any():
                continue
            _twice(table, rows, some, (name, day, plan), faults)
            found.setdefault(name, []).append(Measurements(rows[some], day[some], plan[some], value[some]))
    days_planned = np.unique(np.concatenate(planned)) if planned else np.array([])
    joined = {name: _sorted(some) for name, some in found.items()}
    return joined, days_planned[np.isfinite(days_planned)]


def _sorted(parts: list[Measurements]) -> Measurements:
    """Measurements in the order of participants and days."""
    person, day, plan, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((day, person))
    return Measurements(person[order].astype(np.int64), day[order], plan[order], value[order])


def _values(table: Table, faults: Faults, notes: list[Note]) -> dict[str, Floats]:
    """(k,) values of each variable of a table, NaN in the rows of others."""
    if "variable" not in table.columns:
        names = [name for name in table.columns if name in VARIABLES]
        found = {name: numbers(table, name, faults, VARIABLES[name].within) for name in names}
        return _totals(found, notes)
    variable, value = texts(table, "variable"), numbers(table, "value", faults)
    found = {}
    for name in dict.fromkeys(variable[variable != ""].tolist()):
        mine = variable == name
        found[name] = np.where(mine, value, np.nan)
        if name in VARIABLES:
            low, high, _ = VARIABLES[name].within
            with np.errstate(invalid="ignore"):
                out = mine & ((value < low) | (value > high))
            faults.rows(table.place("value"), out, f"{name} of {{}} is outside {low:g} to {high:g}", "Correct it")
    return found


def _totals(found: dict[str, Floats], notes: list[Note]) -> dict[str, Floats]:
    """The total of the twelve items where it is not given and all are there."""
    if not set(ITEMS) <= set(found) or "alsfrs_r" in found:
        return found
    total = np.sum([found[item] for item in ITEMS], axis=0)
    notes.append(Note(int(np.isfinite(total).sum()), "values of alsfrs_r", "computed as the sum of the twelve items"))
    return {**found, "alsfrs_r": total}


def _twice(table: Table, rows: np.ndarray, some: np.ndarray, of: tuple[str, Floats, Floats], faults: Faults) -> None:
    """Two values of one participant and variable on one day, or for one planned visit."""
    name, day, plan = of
    for words, days_of in (("day", day), ("planned day", plan)):
        at = np.flatnonzero(some & np.isfinite(days_of))
        again = np.zeros(len(rows), np.bool_)
        again[at] = ~_first(np.stack([rows[at].astype(np.float64), days_of[at]], axis=1))
        if again.any():
            baseline = (
                "a second baseline" if days_of[np.flatnonzero(again)[0]] == 0 else f"a second value on one {words}"
            )
            faults.rows(table.place("id"), again, f"the participant {{}} has {baseline} of {name}", "Keep one")
            return


def _first(keys: np.ndarray) -> np.ndarray:
    """Which rows are the first with their key."""
    found = np.zeros(len(keys), np.bool_)
    found[np.unique(keys, axis=0, return_index=True)[1]] = True
    return found


def _known(table: Table, who: Who, notes: list[Note]) -> np.ndarray:
    """(k,) positions of the participants of rows, −1 for those who are not among them."""
    ids = texts(table, "id")
    rows = np.array([who.rows.get(name, -1) for name in ids.tolist()], np.int64)
    if strangers := int((rows < 0).sum()):
        some = ", ".join(list(dict.fromkeys(ids[rows < 0].tolist()))[:3])
        notes.append(Note(strangers, f"rows of {table.file}", f"set aside, not among the participants ({some}, …)"))
    return rows


def _empty(table: Table, name: str) -> np.ndarray:
    return missing(table.columns[name].cells)


def need(place: Place, names: Sequence[str], wanted: str, faults: Faults) -> None:
    """A column that must be there."""
    faults.add(place.file, 1, wanted, *absent("column", wanted, names).split(". ", 1))
