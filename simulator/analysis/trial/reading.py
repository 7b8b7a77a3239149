"""From a simulated result, or the tables of a real trial, to the data that analyses take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.trial.data import Floats, Integers, TrialData, trial_data
from simulator.analysis.trial.errors import AnalysisError

Columns = Mapping[str, ArrayLike]
Groups = Mapping[str, Mapping[str, Any]]
EVENTS = ("event_free_time", "event", "death_time", "dropout_time", "followup_time")


class Contrast(NamedTuple):
    """Which arms are compared, by name."""

    experimental: str
    control: str


class Seen(NamedTuple):
    """What a trial is read from: every participant in every arm, of which it sees one.

    Parameters
    ----------
    allocated : (n,) label of the arm in which each is seen.
    stratum : (n,) labels or codes; only their order matters.
    nominal_day : (v,) [d] planned days of the visits.
    observed : `day`, the outcome and what else was measured, (arm, n, v) each.
    events : the variables EVENTS, (arm, n) each.
    """

    allocated: np.ndarray
    stratum: np.ndarray
    nominal_day: np.ndarray
    observed: Mapping[str, np.ndarray]
    events: Mapping[str, np.ndarray]


def from_result(
    groups: Groups, arms: Contrast, *, outcome: str = "alsfrs_r", endpoint: str = "event_free", log: str = "nfl_plasma"
) -> TrialData:
    """What a trial would have seen: each participant in the arm of allocation.

    Parameters
    ----------
    groups : the groups of a result, `result.groups`, or the tree `result.data`: variables with `.values`, of the
        dimensions arm, patient, visit.
    arms : the two arms. Participants allocated elsewhere are left out.
    outcome : variable of `observed`.
    endpoint : `event_free` (death or permanent assisted ventilation) or `death`. Dropout censors both.
    log : variable of `observed` whose logarithm at baseline becomes the covariate `log_nfl`, if it was measured.

    Raises
    ------
    AnalysisError
        The result has no allocation, arm, outcome or endpoint of that name, or it is over draws.
    """
    patients, observed, events = (_find(groups, name) for name in ("patients", "observed", "events"))
    if "draw" in patients:
        raise AnalysisError("the result is over draws of the ensemble. Take one out: simulator.one_draw(result, 0)")
    names = [str(name) for name in _values(observed, "arm")]
    for name in arms:
        if name not in names:
            raise AnalysisError(f"no arm {name}; there are {', '.join(names)}. Name one of them")
    seen = Seen(
        _values(patients, "allocated_arm"),
        _values(patients, "stratum"),
        _values(observed, "nominal_day"),
        {key: _values(observed, key) for key in ("day", outcome, log) if key in observed},
        {key: _values(events, key) for key in EVENTS},
    )
    return from_arrays(seen, arms, tuple(map(names.index, arms)), outcome=outcome, endpoint=endpoint, log=log)


def from_arrays(
    seen: Seen, labels: tuple[Any, Any], places: tuple[int, ...], *, outcome: str, endpoint: str, log: str
) -> TrialData:
    """The same from bare arrays.

    Parameters
    ----------
    seen : the arrays.
    labels : how `seen.allocated` calls the experimental arm and control.
    places : which arms of the arrays these are.
    """
    treated = seen.allocated == labels[0]
    people = np.flatnonzero(treated | (seen.allocated == labels[1]))
    treated = treated[people]
    place = np.where(treated, *places), people
    time, event = _followed(seen.events, endpoint, place)
    if outcome not in seen.observed:
        raise AnalysisError(f"the result has no variable {outcome}. Was there a trial, and was it assessed?")
    measured = seen.observed[outcome][place]
    covariates = {"log_nfl": np.log(seen.observed[log][*place, 0])} if log in seen.observed else {}
    return trial_data(
        arm=treated,
        stratum=np.unique(seen.stratum[people], return_inverse=True)[1],
        nominal_day=seen.nominal_day,
        day=np.where(np.isfinite(measured), seen.observed["day"][place], np.nan),
        outcome=measured,
        time=time,
        event=event,
        covariates=covariates,
    )


def _followed(
    events: Mapping[str, np.ndarray], endpoint: str, place: tuple[np.ndarray, np.ndarray]
) -> tuple[Floats, Any]:
    """Time to the event or its censoring by dropout or the end, and whether it was the event."""
    end = events["followup_time"][place]
    if endpoint == "event_free":
        reached = np.where(events["event"][place] > 0, events["event_free_time"][place], np.inf)
    elif endpoint == "death":
        reached = np.nan_to_num(events["death_time"][place], nan=np.inf)
    else:
        raise AnalysisError(f"no endpoint {endpoint}. Choose event_free or death")
    last = np.minimum(end, np.nan_to_num(events["dropout_time"][place], nan=np.inf))
    return np.minimum(reached, last), reached <= last


def from_tables(
    adsl: Columns, adqs: Columns, adtte: Columns, arms: Contrast, *, paramcd: str = "ALSFRSR", endpoint: str = "DTHPAV"
) -> TrialData:
    """The same from tables in the manner of ADaM, as mappings of column name to column.

    Parameters
    ----------
    adsl : one row a participant: USUBJID, TRT01P (planned arm), and if there are any STRATA1 and LOGNFL (log of
        neurofilament light at baseline).
    adqs : one row a measurement: USUBJID, PARAMCD, AVISITN (visit number, 0 = baseline), ADY (day 1 = baseline, there
        is no day 0), AVAL; ATPTD [d], the planned day of the visit, defaults to the median day of the visit.
    adtte : one row a participant and endpoint: USUBJID, PARAMCD, AVAL (days + 1), CNSR (0 = event).

    Raises
    ------
    AnalysisError
        A column is missing, a participant or visit occurs twice, or somebody has no time of that endpoint.
    """
    subject, planned = _column(adsl, "USUBJID"), _column(adsl, "TRT01P")
    rows = np.isin(planned, list(arms))
    who = {name: row for row, name in enumerate(subject[rows].tolist())}
    if len(who) < rows.sum():
        raise AnalysisError("ADSL names a participant twice. Keep one row each")
    nominal, day, outcome = _visits(adqs, paramcd, who)
    time, event = _times(adtte, endpoint, who)
    strata = np.unique(_column(adsl, "STRATA1")[rows], return_inverse=True)[1] if "STRATA1" in adsl else None
    return trial_data(
        arm=(planned[rows] == arms.experimental).astype(np.int64),
        stratum=strata,
        nominal_day=nominal,
        day=day,
        outcome=outcome,
        time=time,
        event=event,
        covariates={"log_nfl": _column(adsl, "LOGNFL")[rows]} if "LOGNFL" in adsl else {},
    )


def _visits(adqs: Columns, paramcd: str, who: Mapping[str, int]) -> tuple[Floats, Floats, Floats]:
    """Planned days : (v,), days and values : (n, v)."""
    rows, person = _rows_of(adqs, paramcd, who)
    number, visit = np.unique(_column(adqs, "AVISITN")[rows], return_inverse=True)
    if len(np.unique(person * len(number) + visit)) < len(person):
        raise AnalysisError(f"ADQS has two values of {paramcd} for one participant and visit. Keep one")
    study_day = _column(adqs, "ADY")[rows].astype(np.float64)
    day, outcome = np.full((2, len(who), len(number)), np.nan)
    day[person, visit] = np.where(study_day > 0, study_day - 1, study_day)
    outcome[person, visit] = _column(adqs, "AVAL")[rows].astype(np.float64)
    if "ATPTD" in adqs:
        nominal = np.zeros(len(number))
        nominal[visit] = _column(adqs, "ATPTD")[rows]
    else:
        nominal = np.nanmedian(day, axis=0)
    return nominal, np.where(np.isfinite(outcome), day, np.nan), outcome


def _times(adtte: Columns, endpoint: str, who: Mapping[str, int]) -> tuple[Floats, np.ndarray]:
    rows, person = _rows_of(adtte, endpoint, who)
    if len(np.unique(person)) < len(person) or len(person) < len(who):
        raise AnalysisError(
            f"ADTTE needs one row of {endpoint} for each of {len(who)} participants, and has {len(person)}"
        )
    time, event = np.zeros(len(who)), np.zeros(len(who), np.bool_)
    time[person] = _column(adtte, "AVAL")[rows].astype(np.float64) - 1
    event[person] = _column(adtte, "CNSR")[rows].astype(np.int64) == 0
    return time, event


def _rows_of(table: Columns, paramcd: str, who: Mapping[str, int]) -> tuple[np.ndarray, Integers]:
    """Rows of one parameter and of known participants, and whose they are."""
    subject, code = _column(table, "USUBJID"), _column(table, "PARAMCD")
    person = np.array([who.get(name, -1) for name in subject.tolist()], np.int64)
    rows = np.flatnonzero((person >= 0) & (code == paramcd))
    if not len(rows):
        raise AnalysisError(f"no row has PARAMCD {paramcd}; there are {', '.join(map(str, np.unique(code)))}. Name one")
    return rows, person[rows]


def _column(table: Columns, name: str) -> np.ndarray:
    if name not in table:
        raise AnalysisError(f"the table has no column {name}; it has {', '.join(table)}. Add it")
    return np.asarray(table[name])


def _find(groups: Groups, name: str) -> Mapping[str, Any]:
    if name not in groups:
        raise AnalysisError(f"the result has no group {name}: it holds a summary only. Run with --output full")
    return groups[name]


def _values(group: Mapping[str, Any], name: str) -> np.ndarray:
    if name not in group:
        raise AnalysisError(f"the result has no variable {name}. Was there a trial, and was it assessed?")
    return np.asarray(group[name].values)
