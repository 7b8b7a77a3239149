"""Tables in the manner of ADaM: ADSL, ADQS and ADTTE, of this program's own export exactly, and of others.

ADSL: USUBJID, TRT01P, STRATAR or STRATA1, AGE, SEX, VARIANT, ONSSITE, ONSMON [months], TRTSDY and TRTEDY; other columns
of numbers become covariates under their names in small letters, LOGNFL as `log_nfl`. ADQS: USUBJID, PARAMCD, AVAL, ADY
(day 1 is baseline, there is no day 0), ATPTD [d] or AVISIT (Baseline, Week 26, Day 91, Month 6). ADTTE: USUBJID,
PARAMCD, AVAL (days + 1) or TTEDAYS (days, exact), CNSR (0 is the event).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from simulator.datasets.building import Parts, build, need
from simulator.datasets.dataset import Dataset, Note
from simulator.datasets.faults import Faults, Place
from simulator.datasets.files import Named
from simulator.datasets.tables import PER_UNIT, Column, Table, numeric
from simulator.datasets.variables import ENDPOINTS, PARAMCDS

Codes = Mapping[str, Mapping[str, str]]
Made = Mapping[str, Column]
NONE: Mapping[str, Any] = MappingProxyType({})


ADSL = {
    "id": ("USUBJID",),
    "arm": ("TRT01P",),
    "stratum": ("STRATAR", "STRATA1"),
    "variant": ("VARIANT",),
    "sex": ("SEX",),
    "onset_site": ("ONSSITE",),
    "age": ("AGE",),
    "since_onset": ("ONSMON",),
    "treatment_start": ("TRTSDY",),
    "treatment_end": ("TRTEDY",),
}
UNITS = {"ONSMON": "month", "TRTSDY": "study_day", "TRTEDY": "study_day"}
NO_COVARIATES = ("SUBJID", "TRT01PN", "TRT01AN", "EOSDY", "NDOSES", "ONSAGE", "STUDYID", "SITEID")
"""Columns of numbers that say nothing of a participant at baseline, or what another says already."""
OWN_NAMES = {"LOGNFL": "log_nfl"}


def from_adam(adsl: Named, adqs: Named, adtte: Named | None = None, name: str = "ADaM") -> Dataset:
    """The data set of these tables.

    Raises
    ------
    DataError
        A column is missing, or cells are wrong: all faults at once.
    """
    faults = Faults()
    _needed(adsl, ("USUBJID", "TRT01P"), faults)
    _needed(adqs, ("USUBJID", "PARAMCD", "AVAL", "ADY"), faults)
    if adtte is not None:
        _needed(adtte, ("USUBJID", "PARAMCD", "CNSR"), faults)
        if "TTEDAYS" not in adtte.cells:
            _needed(adtte, ("AVAL",), faults)
    planned = _planned(adqs, faults)
    faults.check()
    people, left = _people(adsl)
    names = {"id": "USUBJID", "variable": "PARAMCD", "value": "AVAL", "day": "ADY"}
    measured = _table(adqs, names, {"ADY": "study_day"}, {"PARAMCD": PARAMCDS}, {"planned_day": planned})
    times = () if adtte is None else (_times(adtte),)
    notes = (Note(len(left), "columns of ADSL", f"not read: {', '.join(left)}"),) if left else ()
    return build(Parts(name, people, (measured,), times, notes))


def _needed(table: Named, names: Sequence[str], faults: Faults) -> None:
    for name in names:
        if name not in table.cells:
            need(Place(table.name, name, table.rows, ()), list(table.cells), name, faults)


def _table(
    of: Named,
    names: Mapping[str, str],
    units: Mapping[str, str],
    codes: Codes = NONE,
    more: Made = NONE,
) -> Table:
    """Columns by this package's names, with their units and the meaning of their codes, and others that are made."""
    columns = {
        key: Column(of.cells[name], name, units.get(name, ""), codes.get(name, {})) for key, name in names.items()
    }
    return Table(of.name, of.rows, {**columns, **more})


def _people(adsl: Named) -> tuple[Table, list[str]]:
    """The table of participants, and the columns that are not read."""
    names = {key: next((name for name in known if name in adsl.cells), "") for key, known in ADSL.items()}
    left, more = [], {}
    for name, cells in adsl.cells.items():
        if name in names.values():
            continue
        if name not in NO_COVARIATES and numeric(cells):
            own = OWN_NAMES.get(name, name.lower())
            more[f"covariate {own}"] = Column(cells, name)
        else:
            left.append(name)
    return _table(adsl, {key: name for key, name in names.items() if name}, UNITS, more=more), left


def _planned(adqs: Named, faults: Faults) -> Column:
    """Planned days, from ATPTD or the names of visits."""
    if "ATPTD" in adqs.cells:
        return Column(adqs.cells["ATPTD"], "ATPTD")
    if "AVISIT" in adqs.cells:
        return Column([planned_day(cell) for cell in adqs.cells["AVISIT"]], "AVISIT")
    fact = "ADQS has neither ATPTD (planned day) nor AVISIT (Baseline, Week 26): when visits were planned is not known"
    faults.add(adqs.name, 1, "ATPTD", fact, "Add one of them")
    return Column([], "ATPTD")


def planned_day(name: object) -> float | None:
    """The day of a visit that is called Baseline, Week 26, Day 91 or Month 6; None for any other name."""
    text = str(name).strip().lower()
    if text == "baseline":
        return 0.0
    found = re.fullmatch(r"(day|week|month)\s*(\d+(?:\.\d+)?)", text)
    return float(found[2]) * PER_UNIT[found[1]] if found else None


def _times(adtte: Named) -> Table:
    time = "TTEDAYS" if "TTEDAYS" in adtte.cells else "AVAL"
    names = {"id": "USUBJID", "endpoint": "PARAMCD", "time": time, "censoring": "CNSR"}
    return _table(adtte, names, {"AVAL": "study_day"}, {"PARAMCD": ENDPOINTS})
