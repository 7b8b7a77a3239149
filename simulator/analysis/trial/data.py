"""The data of a trial as its analyst sees them: one row a participant, simulated or real.

Event indicators are 1 for an event; CDISC's CNSR is the complement, 0 for an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.datasets.faults import Faults
from simulator.datasets.tables import Column, Range, Table, flags, numbers

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
SCORE = "prognostic_score"
"""The covariate that is the change expected untreated by the last visit."""


class Group(NamedTuple):
    """The control group of an earlier trial, until a day: what is not known of it is NaN.

    `mean` and `sd` of the change of `people` from baseline; `events`, and the `years` that all were followed.
    """

    name: str
    day: float
    mean: float = np.nan
    sd: float = np.nan
    people: float = np.nan
    events: float = np.nan
    years: float = np.nan


class TrialData(NamedTuple):
    """Two arms of a trial. Make one with `trial_data`, or from a result or table with the functions of `reading`.

    Parameters
    ----------
    arm : (n,) 1 experimental, 0 control.
    stratum : (n,) codes of the randomisation strata.
    nominal_day : (v,) [d] planned days of the visits since baseline, rising; visit 0 is baseline.
    day : (n, v) [d] days on which the visits were held, NaN where there was none.
    outcome : (n, v) what was measured, higher is better; NaN = missing, also after death.
    time : (n,) [d] day of the event, or the last day on which the participant was known to be free of it.
    event : (n,) whether there was the event.
    covariates : more columns, (n,) each, such as `log_nfl`.
    expected : (n, v) prognostic scores: the untreated change from baseline to each visit that a model expects, known at
        baseline; None without.
    earlier : control groups of earlier trials, of the same outcome and event.
    """

    arm: Integers
    stratum: Integers
    nominal_day: Floats
    day: Floats
    outcome: Floats
    time: Floats
    event: Bools
    covariates: Mapping[str, Floats]
    expected: Floats | None = None
    earlier: tuple[Group, ...] = ()

    @property
    def n(self) -> int:
        """Number of participants."""
        return len(self.arm)

    @property
    def treated(self) -> Bools:
        """(n,) who is in the experimental arm."""
        return self.arm == 1

    @property
    def baseline(self) -> Floats:
        """(n,) the outcome at visit 0."""
        return self.outcome[:, 0]

    @property
    def change(self) -> Floats:
        """(n, v) the outcome minus its baseline."""
        return self.outcome - self.outcome[:, :1]

    def later_change(self) -> Floats:
        """(n, v − 1) the change at the visits after baseline; NotEstimableError where there are none."""
        if len(self.nominal_day) < 2:
            raise NotEstimableError("there is no visit after baseline, so nothing changes")
        return self.change[:, 1:]

    def covariate(self, name: str) -> Floats:
        """A covariate by name; AnalysisError with the names that exist."""
        if name == SCORE:
            return self.scores[:, -1]
        if name not in self.covariates:
            known = ", ".join(sorted(self.covariates)) or "none"
            raise AnalysisError(
                f"the data have no covariate {name}; they have {known}. Add it or choose another analysis"
            )
        return self.covariates[name]

    @property
    def scores(self) -> Floats:
        """(n, v) the prognostic scores; AnalysisError where there are none."""
        if self.expected is None:
            raise AnalysisError("the data have no prognostic scores. Give twins of the participants: scores")
        return self.expected


def trial_data(
    *,
    arm: ArrayLike,
    nominal_day: ArrayLike,
    outcome: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    stratum: ArrayLike | None = None,
    day: ArrayLike | None = None,
    covariates: Mapping[str, ArrayLike] | None = None,
) -> TrialData:
    """The data, checked. Without `day` visits are held when planned; without `stratum` there is one stratum.

    Raises
    ------
    AnalysisError
        A shape does not fit, an arm is empty, planned days do not rise, a time is negative or missing.
    DataError
        An arm or event is neither 0 nor 1, a stratum is no whole number, or a value is a text or infinite.
    """
    faults = Faults()
    groups, events = _cells("arm", arm, faults, flag=True), _cells("event", event, faults, flag=True)
    planned, measured, times = (
        _cells(name, cells, faults)
        for name, cells in (("nominal_day", nominal_day), ("outcome", outcome), ("time", time))
    )
    strata = np.zeros(len(groups)) if stratum is None else _cells("stratum", stratum, faults, Range(whole=True))
    held = None if day is None else _cells("day", day, faults)
    more = {name: _cells(name, values, faults) for name, values in (covariates or {}).items()}
    faults.check()
    _complete({"arm": groups, "event": events, "stratum": strata})
    if measured.shape != (len(groups), len(planned)):
        shape = f"{(len(groups), len(planned))}: a row each, a column for each visit"
        raise AnalysisError(
            f"outcome has the shape {measured.shape}. With {len(groups)} participants it must be {shape}"
        )
    if held is None:
        held = np.where(np.isnan(measured), np.nan, planned)
    ended = TrialData(
        groups.astype(np.int64), strata.astype(np.int64), planned, held, measured, times, events.astype(np.bool_), more
    )
    _check(ended)
    return ended


def _cells(name: str, cells: ArrayLike, faults: Faults, within: Range = Range(), *, flag: bool = False) -> Floats:  # noqa: B008
    """An array as numbers, NaN where missing; what is no number, infinite or (`flag`) neither 0 nor 1 is a fault."""
    array = np.asarray(cells)
    if _sound(array, within.whole, flag):
        return array.astype(np.float64)
    flat = array.reshape(-1)
    rows = np.arange(len(flat)) // max(len(flat) // max(len(array), 1), 1) + 1 if array.ndim else np.ones(1, np.int64)
    table = Table("trial_data", rows, {name: Column(flat.tolist(), name)})
    parsed = flags(table, name, faults) if flag else numbers(table, name, faults, within)
    return parsed.reshape(array.shape)


def _sound(array: np.ndarray, whole: bool, flag: bool) -> bool:
    """Whether an array of numbers needs no look at its cells."""
    kind = array.dtype.kind
    if flag:
        return kind == "b" or (kind in "iuf" and bool(((array == 0) | (array == 1) | np.isnan(array)).all()))
    if kind == "f":
        return not np.isinf(array).any() and not (whole and (array != np.floor(array)).any())
    return kind in "iu"


def _complete(columns: Mapping[str, Floats]) -> None:
    for name, values in columns.items():
        if values.ndim != 1 or np.isnan(values).any():
            row = 1 + int(np.flatnonzero(np.isnan(values).reshape(-1))[0]) if np.isnan(values).any() else 1
            raise AnalysisError(f"{name} is missing in row {row}. Everybody needs one")


def until(data: TrialData, day: float | Floats) -> TrialData:
    """What is known on a day of analysis: visits planned by then, events censored there.

    Parameters
    ----------
    day : [d] since baseline, one for all or (n,) each participant's own, as at an interim look. Who is not enrolled by
        then is to be left out first, with `where`.

    Raises
    ------
    AnalysisError
        No visit after baseline is planned by that day, or a participant's day lies before baseline.
    """
    last = np.broadcast_to(np.asarray(day, np.float64), data.time.shape)
    kept = int(np.searchsorted(data.nominal_day, last.max(), side="right"))
    if kept < 2 or last.min() < 0:
        raise AnalysisError(f"no visit after baseline is planned by day {last.min():g}. Choose a later day of analysis")
    seen = data.nominal_day[:kept] <= last[:, None]
    return data._replace(
        nominal_day=data.nominal_day[:kept],
        day=np.where(seen, data.day[:, :kept], np.nan),
        outcome=np.where(seen, data.outcome[:, :kept], np.nan),
        time=np.minimum(data.time, last),
        event=data.event & (data.time <= last),
        expected=None if data.expected is None else data.expected[:, :kept],
    )


def since(data: TrialData, day: float) -> TrialData:
    """The same counted from a later baseline, such as randomisation after a lead-in, by those free of the event then.

    Prognostic scores are of the earlier baseline and are left out.

    Raises
    ------
    AnalysisError
        No visit is planned on that day.
    """
    if day not in data.nominal_day:
        raise AnalysisError(f"no visit is planned on day {day:g}. The baseline must be a visit")
    first = int(np.searchsorted(data.nominal_day, day))
    left = where(data, data.time > day)
    return left._replace(
        nominal_day=left.nominal_day[first:] - day,
        day=left.day[:, first:] - day,
        outcome=left.outcome[:, first:],
        time=left.time - day,
        expected=None,
    )


def where(data: TrialData, rows: Bools) -> TrialData:
    """The participants for whom `rows` : (n,) holds: a subgroup, or the members of a replicate."""
    return TrialData(
        data.arm[rows],
        data.stratum[rows],
        data.nominal_day,
        data.day[rows],
        data.outcome[rows],
        data.time[rows],
        data.event[rows],
        {name: values[rows] for name, values in data.covariates.items()},
        None if data.expected is None else data.expected[rows],
        data.earlier,
    )


def _check(data: TrialData) -> None:
    n, visits = data.n, len(data.nominal_day)
    shapes = {
        "stratum": (data.stratum, (n,)),
        "day": (data.day, (n, visits)),
        "outcome": (data.outcome, (n, visits)),
        "time": (data.time, (n,)),
        "event": (data.event, (n,)),
    } | {name: (values, (n,)) for name, values in data.covariates.items()}
    for name, (array, shape) in shapes.items():
        if array.shape != shape:
            raise AnalysisError(f"{name} has the shape {array.shape}. With {n} participants it must be {shape}")
    if set(data.arm.tolist()) != {0, 1}:
        raise AnalysisError("arm must be 1 for experimental and 0 for control, and both must have participants")
    if visits < 1 or data.nominal_day[0] != 0 or np.any(np.diff(data.nominal_day) <= 0):
        raise AnalysisError("nominal_day must rise from 0, the day of baseline")
    if not np.all(data.time >= 0):
        raise AnalysisError("time has negative or missing values. It is the day of the event or of last contact")
