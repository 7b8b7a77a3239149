"""From a simulated result, or the tables of a real trial, to the data that analyses take."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis.trial.data import Bools, Floats, Integers, TrialData, trial_data
from simulator.analysis.trial.errors import AnalysisError
from simulator.datasets.adam import from_adam
from simulator.datasets.dataset import Dataset, Note
from simulator.datasets.files import Named
from simulator.datasets.variables import ENDPOINTS, PARAMCDS
from simulator.errors import absent

Columns = Mapping[str, ArrayLike]
Groups = Mapping[str, Mapping[str, Any]]
TRAITS = {"age": "age", "months_since_onset": "time_since_onset", "female": "sex", "bulbar": "onset_site"}
"""Covariates that are traits of a participant at entry: years, months, 1 for a woman, 1 for bulbar onset."""
TOTAL, HIGHEST = "alsfrs_r", 48.0
PROGRESSION_RATE, BASELINE = "progression_rate", "baseline_alsfrs_r"
"""The covariates (48 − ALSFRS-R at baseline)/months since onset, and ALSFRS-R at baseline, whatever the outcome is."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
BULBAR = 0
"""Code of bulbar onset."""
EVENTS = ("event_free_time", "event", "death_time", "dropout_time", "followup_time")


class Contrast(NamedTuple):
    """Which arms are compared, by name."""

    experimental: str
    control: str


class TrialSource(NamedTuple):
    """What a trial is read from: every participant in every arm, of which it sees one.

    Parameters
    ----------
    allocated : (n,) label of the arm in which each is seen.
    stratum : (n,) labels or codes; only their order matters.
    nominal_day : (v,) [d] planned days of the visits.
    observed : `day`, the outcome and what else was measured, (arm, n, v) each.
    events : the variables EVENTS, (arm, n) each.
    traits : variables of `patients` at entry, of TRAITS those that there are, (n,) each.
    """

    allocated: np.ndarray
    stratum: np.ndarray
    nominal_day: np.ndarray
    observed: Mapping[str, np.ndarray]
    events: Mapping[str, np.ndarray]
    traits: Mapping[str, np.ndarray] = NOTHING


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
            raise AnalysisError(absent("arm", name, names))
    seen = TrialSource(
        _values(patients, "allocated_arm"),
        _values(patients, "stratum"),
        _values(observed, "nominal_day"),
        {key: _values(observed, key) for key in ("day", outcome, log, TOTAL) if key in observed},
        {key: _values(events, key) for key in EVENTS},
        {key: _values(patients, key) for key in TRAITS.values() if key in patients},
    )
    return from_arrays(seen, arms, tuple(map(names.index, arms)), outcome=outcome, endpoint=endpoint, log=log)


def from_arrays(
    seen: TrialSource, labels: tuple[Any, Any], places: tuple[int, ...], *, outcome: str, endpoint: str, log: str
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
    traits: dict[str, Floats] = {
        name: np.asarray(seen.traits[key][people], float) for name, key in TRAITS.items() if key in seen.traits
    }
    if "bulbar" in traits:
        traits["bulbar"] = (traits["bulbar"] == BULBAR).astype(np.float64)
    total = seen.observed[TOTAL][*place, 0].astype(np.float64) if TOTAL in seen.observed else None
    covariates = with_score(traits, total)
    if log in seen.observed:
        covariates["log_nfl"] = np.log(seen.observed[log][*place, 0])
    return trial_data(
        arm=treated,
        stratum=_ranks(seen.stratum[people]),
        nominal_day=seen.nominal_day,
        day=np.where(np.isfinite(measured), seen.observed["day"][place], np.nan),
        outcome=measured,
        time=time,
        event=event,
        covariates=covariates,
    )


def _ranks(codes: NDArray[Any]) -> NDArray[np.int64]:
    """(n,) the codes as 0, 1, 2 ... in their order; one code alone needs no sorting."""
    if codes.size and codes.dtype.kind == "i" and codes.min() == codes.max():
        return np.zeros(len(codes), np.int64)
    return np.unique(codes, return_inverse=True)[1]


def with_score(covariates: Mapping[str, Floats], total: Floats | None) -> dict[str, Floats]:
    """The covariates, the total score at baseline where it is known, the rate of progression where the onset is too."""
    if total is None:
        return dict(covariates)
    covariates = {BASELINE: total, **covariates}
    months = covariates.get("months_since_onset")
    if months is None or PROGRESSION_RATE in covariates:
        return covariates
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(months > 0, (HIGHEST - total) / months, np.nan)
    return {**covariates, PROGRESSION_RATE: rate}


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
        raise AnalysisError(absent("endpoint", endpoint, ["event_free", "death"]))
    last = np.minimum(end, np.nan_to_num(events["dropout_time"][place], nan=np.inf))
    return np.minimum(reached, last), reached <= last


def from_tables(
    adsl: Columns, adqs: Columns, adtte: Columns, arms: Contrast, *, paramcd: str = "ALSFRSR", endpoint: str = "DTHPAV"
) -> TrialData:
    """The same from tables in the manner of ADaM, as mappings of column name to column; see `datasets.adam`.

    Parameters
    ----------
    paramcd, endpoint : PARAMCD of the outcome in ADQS, and of the time to the event in ADTTE.

    Raises
    ------
    DataError
        A column is missing, or cells are wrong: all faults at once, each with table, row and column.
    AnalysisError
        There is no such arm, outcome or endpoint.
    """
    wanted = Selection(arms, PARAMCDS.get(paramcd, paramcd), ENDPOINTS.get(endpoint, endpoint))
    return from_dataset(from_adam(_named("ADSL", adsl), _named("ADQS", adqs), _named("ADTTE", adtte)), wanted).data


def _named(name: str, table: Columns) -> Named:
    return Named(name, {key: np.asarray(column).tolist() for key, column in table.items()})


class Selection(NamedTuple):
    """What is taken from a data set.

    Parameters
    ----------
    arms : the two arms.
    outcome : a variable. endpoint : a time to an event; "": `event_free`, else `death`, else none.
    visits : (v,) [d] planned days; measurements belong to the nearest within `window` [d]. Without them the planned
        days that the data state.
    """

    arms: Contrast
    outcome: str = "alsfrs_r"
    endpoint: str = ""
    visits: tuple[float, ...] = ()
    window: float = 14.0


class Read(NamedTuple):
    """The data of a trial, its endpoint ("" where the data have none), and what was left out or assumed."""

    data: TrialData
    endpoint: str
    notes: tuple[Note, ...]


def from_dataset(data: Dataset, wanted: Selection) -> Read:
    """The participants of two arms of a data set, measured at its planned visits.

    Raises
    ------
    AnalysisError
        An arm has nobody, nothing of that outcome or endpoint is there, visits have no planned days, or somebody has no
        stratum or time where others have.
    """
    who = data.participants
    for arm in wanted.arms:
        if arm not in data.arms:
            raise AnalysisError(absent("arm", arm, data.arms))
    rows = np.flatnonzero(np.isin(who.arm, list(wanted.arms)))
    notes = [Note(data.n - len(rows), "participants", "in neither arm")] if len(rows) < data.n else []
    visits, day, outcome = _at_visits(data, wanted, notes)
    endpoint, time, event = _ended(data, wanted.endpoint, rows, notes)
    stratum = who.stratum[rows]
    if (stratum == "").any() and (stratum != "").any():
        raise AnalysisError(f"participant {who.id[rows][stratum == ''][0]} has no stratum, others have. Add it")
    lacking = np.flatnonzero(~np.isfinite(time))
    if len(lacking):
        raise AnalysisError(f"participant {who.id[rows][lacking[0]]} has no time of {endpoint}. Add it")
    own = {"age": who.age, "months_since_onset": who.months_since_onset, "female": _female(who.sex)}
    own["bulbar"] = np.where(who.onset_site == "", np.nan, np.char.find(np.char.lower(who.onset_site), "bulbar") >= 0)
    columns = with_score({**own, **who.covariates}, _baseline(data, TOTAL))
    if "log_nfl" not in columns and (nfl := _baseline(data, "nfl_plasma")) is not None:
        columns["log_nfl"] = np.log(nfl)
    found = trial_data(
        arm=(who.arm[rows] == wanted.arms.experimental).astype(np.int64),
        stratum=np.unique(stratum, return_inverse=True)[1],
        nominal_day=visits,
        day=day[rows],
        outcome=outcome[rows],
        time=time,
        event=event,
        covariates={name: column[rows] for name, column in columns.items() if np.isfinite(column).any()},
    )
    return Read(found, endpoint, tuple(notes))


def _at_visits(data: Dataset, wanted: Selection, notes: list[Note]) -> tuple[Floats, Floats, Floats]:
    """Planned days : (v,), days and values : (n, v) of everybody."""
    if wanted.outcome not in data.measurements:
        raise AnalysisError(absent("outcome", wanted.outcome, data.measurements))
    of = data.measurements[wanted.outcome]
    visits = np.array(sorted(wanted.visits) or data.visits[data.visits >= 0], np.float64)
    if not len(visits) or visits[0] != 0:
        raise AnalysisError("planned days of visits are not known, or day 0 is not among them. Give their days: visits")
    planned = of.planned_day
    if wanted.visits:
        near = np.abs(of.day[:, None] - visits).argmin(axis=1)
        planned = np.where(np.abs(of.day - visits[near]) <= wanted.window, visits[near], np.nan)
        notes.append(Note(len(of.day), "measurements", f"matched with planned days within {wanted.window:g} d"))
    at = np.minimum(np.searchsorted(visits, np.nan_to_num(planned, nan=-1.0)), len(visits) - 1)
    fits = np.flatnonzero(visits[at] == planned)
    away = np.abs(of.day - visits[at])
    fits = fits[np.lexsort((of.day[fits], away[fits]))]  # the nearest first, the earlier of two
    fits = fits[np.sort(np.unique(of.person[fits] * len(visits) + at[fits], return_index=True)[1])]
    if len(fits) < len(of.day):
        notes.append(
            Note(
                len(of.day) - len(fits),
                f"values of {wanted.outcome}",
                "left out: at no planned visit, or not the nearest to it",
            )
        )
    day, outcome = np.full((2, data.n, len(visits)), np.nan)
    day[of.person[fits], at[fits]], outcome[of.person[fits], at[fits]] = of.day[fits], of.value[fits]
    return visits, day, outcome


def _ended(data: Dataset, name: str, rows: Integers, notes: list[Note]) -> tuple[str, Floats, Bools]:
    """The endpoint by name, its times and events; without any, everybody is followed to the last measurement."""
    there = data.endpoints
    if name and name not in there:
        raise AnalysisError(absent("endpoint", name, there))
    name = name or next((one for one in ("event_free", "death") if one in there), "")
    if name:
        return name, there[name].time[rows], there[name].event[rows]
    last = np.zeros(data.n)
    for of in data.measurements.values():
        np.maximum.at(last, of.person, of.day)
    notes.append(Note(len(rows), "participants", "the data have no events: followed to the last measurement"))
    return "", last[rows], np.zeros(len(rows), np.bool_)


def _baseline(data: Dataset, name: str) -> Floats | None:
    """(n,) values planned for day 0, or of day 0; None where nothing was measured."""
    if name not in data.measurements:
        return None
    of, found = data.measurements[name], np.full(data.n, np.nan)
    first = (of.planned_day == 0) | (np.isnan(of.planned_day) & (of.day == 0))
    found[of.person[first]] = of.value[first]
    return found


def _female(sex: np.ndarray) -> Floats:
    """(n,) 1 for a woman, 0 for a man, NaN where it is not known; texts begin with F or W, and M."""
    first = np.char.upper(sex.astype("U1"))
    return np.where(np.isin(first, ["F", "W"]), 1.0, np.where(first == "M", 0.0, np.nan))


def _find(groups: Groups, name: str) -> Mapping[str, Any]:
    if name not in groups:
        raise AnalysisError(f"the result has no group {name}: it holds a summary only. Run with --output full")
    return groups[name]


def _values(group: Mapping[str, Any], name: str) -> np.ndarray:
    if name not in group:
        raise AnalysisError(f"the result has no variable {name}. Was there a trial, and was it assessed?")
    return np.asarray(group[name].values)
