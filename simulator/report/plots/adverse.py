"""Adverse events by time: who has had a first one of each kind, by arm."""

from __future__ import annotations

from functools import partial

import numpy as np

from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.incidence import cumulative
from simulator.report.plots.needs import need_adverse
from simulator.results import Result

MOST = 5
"""Kinds that are drawn: serious ones of any kind, then the most frequent."""


def draw(result: Result) -> Picture:
    """The picture."""
    need_adverse(result, Kind.adverse)
    names, counts = np.unique(result.groups["adverse_events"]["kind"].values, return_counts=True)
    shown = names[np.argsort(-counts, kind="stable")][: MOST - 1]
    notes = ["First event of each kind, of all patients; nobody is taken out on dropout or death."]
    of = partial(first, shown=shown)
    return cumulative(result, Kind.adverse, "Adverse events: cumulative incidence, by arm", notes, of)


def first(result: Result, k: int, shown: np.ndarray) -> dict[str, np.ndarray]:
    """Day of each patient's first serious event, and of the first of each kind, in an arm."""
    group = result.groups["adverse_events"]
    arm, patient, day, kind, serious = (group[key].values for key in ("arm", "patient", "day", "kind", "serious"))
    flags = str(group["kind"].attrs.get("flag_meanings", "")).split()
    which = {"any serious event": serious > 0} | {
        (flags[int(name)] if flags else str(name)).replace("_", " "): kind == name for name in shown
    }
    return {name: _first(result.n_patients, patient, day, (arm == k) & of) for name, of in which.items()}


def _first(n: int, patient: np.ndarray, day: np.ndarray, mine: np.ndarray) -> np.ndarray:
    """Day of each patient's first event, NaN without one."""
    found = np.full(n, np.inf)
    np.minimum.at(found, patient[mine], day[mine].astype(np.float64))
    return np.where(np.isfinite(found), found, np.nan)
