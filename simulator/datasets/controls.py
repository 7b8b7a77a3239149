"""What a group of real people says as earlier controls: its change until a day, its events and years by then."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.datasets.dataset import Dataset, Measurements
from simulator.errors import UsageError, absent

WINDOW, YEAR = 14.0, 365.25
"""[d] How far a measurement may lie from the day; days of a year."""


def told(data: Dataset, arm: str, day: float, outcome: str, endpoint: str) -> dict[str, Any]:
    """The keys `change` and `events` of earlier controls, those that the data tell.

    Parameters
    ----------
    data : the data set.
    arm : of whom; "" for everybody.
    day : [d] since baseline.
    outcome, endpoint : by name.

    Raises
    ------
    UsageError
        There is no such arm, or nothing is told: two changes are needed, or times of the endpoint.
    """
    if arm and arm not in data.arms:
        raise UsageError(absent("arm", arm, data.arms))
    mine = np.ones(data.n, np.bool_) if not arm else data.participants.arm == arm
    found: dict[str, Any] = {}
    change = _changes(data.measurements[outcome], data.n, day)[mine] if outcome in data.measurements else np.zeros(0)
    change = change[np.isfinite(change)]
    if len(change) > 1 and change.std() > 0:
        mean, sd = float(change.mean()), float(change.std(ddof=1))
        found["change"] = {"mean": mean, "sd": sd, "people": len(change)}
    if endpoint in data.endpoints:
        of = data.endpoints[endpoint]
        time, known = np.minimum(of.time, day)[mine], np.isfinite(of.time[mine])
        years = float(time[known].sum()) / YEAR
        if years > 0:
            events = int((of.event & (of.time <= day))[mine][known].sum())
            found["events"] = {"number": events, "years": years}
    if not found:
        fact = f"{arm or 'the data'}: no change of {outcome} by day {day:g} within {WINDOW:g} d, and no {endpoint}"
        raise UsageError(f"{fact}. Choose another day, outcome or endpoint")
    return found


def _changes(of: Measurements, n: int, day: float) -> np.ndarray:
    """(n,) change from day 0 to the measurement nearest to the day, NaN without one."""
    planned = np.where(np.isfinite(of.planned_day), of.planned_day, of.day)
    values = np.full((2, n), np.nan)
    for row, (at, window) in enumerate(((0.0, 0.0), (day, WINDOW))):
        away = np.abs(planned - at)
        order = np.argsort(-away, kind="stable")  # the nearest last
        kept = order[away[order] <= window]
        values[row, of.person[kept]] = of.value[kept]
    return np.asarray(values[1] - values[0])
