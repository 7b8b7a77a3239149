"""The observed trial of a result: who takes part, in which arm, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.results.errors import ResultError

if TYPE_CHECKING:
    from simulator.results.tree import Result


class NoTrialError(ResultError):
    """The result has no observed trial."""

    exit_code = 2


class Trial(NamedTuple):
    """Who takes part, and in which arm: (n_participants,) each; `end` is the last day in the study."""

    result: Result
    who: np.ndarray
    arm: np.ndarray
    end: np.ndarray
    dropout: np.ndarray  # infinite: did not drop out
    death: np.ndarray  # infinite: alive at the end of follow-up

    def events(self, name: str) -> np.ndarray:
        """A variable of the events in the arm that was seen."""
        return np.asarray(self.result.groups["events"][name].values[self.arm, self.who])

    def patients(self, name: str) -> np.ndarray:
        """A variable of the participants."""
        return np.asarray(self.result.groups["patients"][name].values[self.who])


def need_trial(is_full: bool, has_trial: bool) -> None:
    """Refuse a result that kept sums only, and one of a scenario without a trial."""
    if not is_full:
        raise NoTrialError("ADaM tables need patients, and a summary keeps none; run with --output full")
    if not has_trial:
        raise NoTrialError("ADaM tables show a trial, and the scenario has none; add a block trial to it")


def observed_trial(result: Result) -> Trial:
    """The trial that a result holds."""
    result.need_one_vector("an ADaM table")
    need_trial(result.is_full, result.is_full and "allocated_arm" in result.groups["patients"])
    allocated = result.groups["patients"]["allocated_arm"]
    who = np.flatnonzero(allocated.values != "")
    arm = np.array([result.arm_index(str(name)) for name in allocated.values[who]], np.intp)
    events = result.groups["events"]
    dropout, death = (_infinite(events[name].values[arm, who]) for name in ("dropout_time", "death_time"))
    last = np.minimum(np.minimum(dropout, death), events["followup_time"].values[arm, who])
    return Trial(result, who, arm, last, dropout, death)


def _infinite(days: np.ndarray) -> np.ndarray:
    """What has not happened, never does."""
    return np.where(np.isnan(days), np.inf, days)


def study_day(day: Any) -> np.ndarray:
    """Day of the study, baseline being day 1 and the day before it day −1: there is no day 0."""
    whole = np.floor(np.asarray(day, np.float64)).astype(np.int64)
    return np.where(whole >= 0, whole + 1, whole)


def who(trial: Trial, rows: np.ndarray) -> dict[str, Any]:
    """The identifiers of participants, by position."""
    study = str(trial.result.attrs["scenario_name"])
    numbers = np.array([f"{i:07d}" for i in trial.who])[rows] if len(trial.who) else np.array([], str)
    return {"STUDYID": study, "USUBJID": np.char.add(f"{study}-", numbers), "SUBJID": numbers}


def treatment(trial: Trial, rows: np.ndarray) -> dict[str, Any]:
    """Arm and stratum of participants, by position."""
    arms = np.array(trial.result.arms)[trial.arm][rows]
    return {"TRTP": arms, "TRTPN": trial.arm[rows] + 1, "STRATAR": trial.patients("stratum")[rows]}


def whole(days: np.ndarray) -> Any:
    """Study days as integers, missing where a day is not finite."""
    import pandas

    known = np.isfinite(days)
    return pandas.arrays.IntegerArray(study_day(np.where(known, days, 0)), ~known)
