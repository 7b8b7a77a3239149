"""Carriers and onset: how many have met the trigger, have converted, have onset, are diagnosed, over time by arm."""

from __future__ import annotations

import numpy as np

from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.incidence import cumulative
from simulator.report.plots.needs import need_milestones
from simulator.results import Result

EVENTS = {
    "trigger_time": "trigger met: neurofilament at a visit",
    "phenoconversion_time": "phenoconversion noticed at a visit",
    "onset_time": "onset of weakness",
    "diagnosis_time": "diagnosis, as it comes without treatment",
    "death_time": "death",
}


def draw(result: Result) -> Picture:
    """The picture; what a scenario does not have is left out."""
    need_milestones(result, Kind.milestones)
    notes = ["The distance from the trigger to onset is the time that an early start has."]
    return cumulative(result, Kind.milestones, "From carrier to onset: cumulative incidence, by arm", notes, times)


def times(result: Result, arm: int) -> dict[str, np.ndarray]:
    """Day of each milestone in an arm."""
    events = result.groups["events"]
    return {words: _since(events[key].values[arm]) for key, words in EVENTS.items() if key in events}


def _since(day: np.ndarray) -> np.ndarray:
    """Days from baseline on: what came before is there at once."""
    return np.where(np.isfinite(day), np.maximum(day.astype(np.float64), 0.0), np.nan)
