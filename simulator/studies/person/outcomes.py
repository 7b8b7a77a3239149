"""What is read from every twin: function, breathing and neurofilament at a time, event-free time, survival."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.results import Result
from simulator.studies.metrics import View, time_index
from simulator.units import DAYS_PER_MONTH

Floats = NDArray[np.float64]


class Outcome(NamedTuple):
    """An outcome: label, unit, and whether more of it is better; the dead have the worst there is."""

    label: str
    unit: str
    more_is_better: bool = True


OUTCOMES = {
    "alsfrs_r": Outcome("ALSFRS-R", "points"),
    "alsfrs_r_change": Outcome("change of ALSFRS-R from now", "points"),
    "svc_percent": Outcome("SVC", "% pred."),
    "fvc_percent": Outcome("FVC", "% pred."),
    "fvc_percent_lowest": Outcome("lowest FVC until then", "% pred."),
    "nfl_plasma": Outcome("plasma NfL", "pg/mL", more_is_better=False),
    "nfl_plasma_ratio": Outcome("plasma NfL, ratio to now", "ratio", more_is_better=False),
    "event_free_from_onset_months": Outcome("time from onset without death or PAV", "months"),
    "survival_from_onset_months": Outcome("time from onset to death", "months"),
}


def death_as_zero(result: Result, arm: int, day: float) -> Floats:
    """ALSFRS-R of every twin, 0 after death."""
    view = View(result, arm, time_index(result, day))
    return np.where(view.alive, view.truth("alsfrs_r"), 0.0)


def event_free_months(result: Result, arm: int) -> Floats:
    """Months from now without death or PAV; infinite where follow-up ends first."""
    events = result.groups["events"]
    happened = events["event"].values[arm] > 0
    return np.where(happened, events["event_free_time"].values[arm] / DAYS_PER_MONTH, np.inf)


def value_of(result: Result, arm: int, outcome: str, months: float | None) -> Floats:
    """An outcome of every twin; the dead have minus infinity, or infinity where less is better."""
    since = result.groups["patients"]["time_since_onset"].values.astype(np.float64)
    if outcome == "event_free_from_onset_months":
        return since + event_free_months(result, arm)
    if outcome == "survival_from_onset_months":
        death = result.groups["events"]["death_time"].values[arm] / DAYS_PER_MONTH
        return since + np.where(np.isnan(death), np.inf, death)
    view = View(result, arm, time_index(result, (months or 0.0) * DAYS_PER_MONTH))
    worst = -np.inf if OUTCOMES[outcome].more_is_better else np.inf
    return np.where(view.alive, _at(view, outcome), worst)


def _at(view: View, outcome: str) -> Floats:
    """An outcome at a time, as if alive."""
    if outcome.startswith("alsfrs_r"):
        return view.change("alsfrs_r") if outcome.endswith("_change") else view.truth("alsfrs_r")
    if outcome.startswith("nfl_plasma"):
        return view.truth("nfl_plasma") / (view.truth("nfl_plasma", 0) if outcome.endswith("_ratio") else 1.0)
    if outcome == "svc_percent":
        return view.truth("svc")
    offset = view.result.groups["patients"]["fvc_offset"].values.astype(np.float64)
    if outcome == "fvc_percent":
        return view.truth("svc") - offset
    until = view.result.groups["truth"]["svc"].values[view.arm, :, : view.at + 1]
    return until.min(axis=1).astype(np.float64) - offset
