"""The participants of a fit: what was measured, how long they were followed, who is set aside and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.datasets import Note
from simulator.errors import UsageError, absent
from simulator.studies.twins import cohort as matched

if TYPE_CHECKING:
    from simulator.datasets import Dataset
    from simulator.language.parts import Rule
    from simulator.language.scenario import Scenario
    from simulator.studies.twins.cohort import Case, Reading

Floats = NDArray[np.float64]
LEAST, LEAST_EVENTS = 5, 5
ALL_DAYS = 10**6
MEASURED_RULES = ("alsfrs_r", "svc_percent", "nfl_plasma", "progression_rate")
"""Rules of eligibility on what screening measures: they enter the likelihood as a probability."""


class People(NamedTuple):
    """Those whose measurements are fitted, n of them.

    Parameters
    ----------
    place : (n,) positions in the data set. cases : what is known of each.
    past : [d] days of measurements, rising.
    endpoint : `event_free`, `death`, or "" where the data have no time to an event.
    end, event : (n,) [d] followed to this day; whether the event came then.
    stayed, dropped : (n,) [d] known not to have left until this day; whether they left then.
    rule : eligibility by what screening measures.
    there : what the data have, for `parameters.choose`.
    set_aside : (id, reason) of the others. notes : what else was set aside.
    """

    place: NDArray[np.int64]
    cases: tuple[Case, ...]
    past: tuple[int, ...]
    endpoint: str
    end: Floats
    event: NDArray[np.bool_]
    stayed: Floats
    dropped: NDArray[np.bool_]
    rule: Rule | None
    there: tuple[str, ...]
    set_aside: tuple[tuple[str, str], ...]
    notes: tuple[Note, ...]

    @property
    def n(self) -> int:
        """Number of people."""
        return len(self.cases)


def people(data: Dataset, scenario: Scenario, arms: Sequence[str] = (), given: int = 0) -> People:
    """Everybody whose measurements count, from baseline to the start of a treatment or the end of follow-up.

    What was measured to the day `given` is taken as known; who was not followed beyond it is set aside.

    Raises
    ------
    UsageError
        Fewer than five people are left, or nothing that the model has was measured.
    """
    if arms and (unknown := sorted(set(arms) - set(data.arms))):
        raise UsageError(absent("arm", unknown[0], data.arms))
    notes: list[Note] = []
    names = matched.matched_names(data, scenario, notes)
    if not names:
        raise UsageError(
            f"nothing of {', '.join(matched.MATCHED)} was measured that the model has. Nothing can be fitted"
        )
    readings = matched.readings_of(data, names, ALL_DAYS, notes)
    endpoint, end, event = matched.ended(data)
    end, event = end.copy(), event.copy()
    kept: list[int] = []
    cases: list[Case] = []
    aside: list[tuple[str, str]] = []
    cut = _cut(data, readings, end, event, notes)
    for k in range(data.n):
        case = matched.case_of(data, scenario, k, readings[k], "")
        reason = _outside(data, k, arms) or case.reason or _ineligible(scenario, case)
        if given and end[k] <= given:
            reason = reason or f"not followed beyond day {given}, until which is given"
        if reason:
            aside.append((str(data.participants.id[k]), reason))
        else:
            kept.append(k)
            cases.append(case)
    if len(kept) < LEAST:
        why = f": {aside[0][1]}" if aside else ""
        raise UsageError(f"{len(kept)} of {data.n:,} participants can be fitted{why}. At least {LEAST} are needed")
    place = np.array(kept, np.int64)
    notes += [Note(cut, "participants", "followed until their treatment begins only")] if cut else []
    past = tuple(sorted({0, *(one.day for case in cases for one in case.readings)}))
    there = _there(data, scenario, names, cases, bool(endpoint) and int(event[place].sum()) >= LEAST_EVENTS)
    stayed, left = _stayed(data, end, event)
    return People(
        place, tuple(cases), past, endpoint, end[place], event[place], stayed[place], left[place],
        scenario.entry.eligible, there, tuple(aside), tuple(notes),
    )  # fmt: skip


def _stayed(data: Dataset, end: Floats, event: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """Day until which everybody is known to have stayed, and who left then.

    Leaving has a day of its own: deaths may be known of people who have left, and nobody leaves who has died or whose
    treatment has begun by then.
    """
    if "dropout" not in data.endpoints:
        return end, np.zeros(data.n, np.bool_)
    time, left = data.endpoints["dropout"]
    begun = np.where(np.isfinite(data.participants.treatment_start_day), data.participants.treatment_start_day, np.inf)
    most = np.minimum(np.where(event, end, np.inf), np.maximum(begun, 0.0))
    found = np.minimum(np.where(np.isfinite(time), time, end), most)
    return found, left & (time <= found)


def _cut(
    data: Dataset, readings: list[tuple[Reading, ...]], end: Floats, event: NDArray[np.bool_], notes: list[Note]
) -> int:
    """End everybody's following where treatment begins, drop what was measured after the end; how many were cut."""
    treated = data.participants.treatment_start_day
    cut = late = 0
    for k in range(data.n):
        last = float(max((one.day for one in readings[k]), default=0))
        if np.isfinite(treated[k]) and (not np.isfinite(end[k]) or treated[k] < end[k]):
            end[k], event[k] = max(float(treated[k]), 0.0), False
            cut += 1
        elif not np.isfinite(end[k]) or (not event[k] and end[k] < last):
            end[k], event[k] = last, False
        inside = tuple(one for one in readings[k] if one.day <= np.ceil(end[k]))
        late += len(readings[k]) - len(inside)
        readings[k] = inside
    if late:
        notes.append(Note(late, "values", "measured after the event or the start of a treatment, not fitted"))
    return cut


def _outside(data: Dataset, k: int, arms: Sequence[str]) -> str:
    arm = str(data.participants.arm[k])
    return f"in arm {arm or 'without a name'}, which is not fitted" if arms and arm not in arms else ""


def _ineligible(scenario: Scenario, case: Case) -> str:
    """Why a baseline contradicts the scenario's rule of eligibility; "" where it does not."""
    rule = scenario.entry.eligible
    for one in case.readings if rule is not None else ():
        limits = getattr(rule, one.name, None) if one.day == 0 else None
        low, high = bounds(limits)
        if not low <= one.value <= high:
            return f"{one.name} {one.value:g} at baseline is not within {low:g} to {high:g}, the scenario's rule"
    return ""


def bounds(limits: Any) -> tuple[float, float]:
    """Inclusive limits as numbers."""
    low = -np.inf if limits is None or limits.min is None else limits.min.value
    return low, np.inf if limits is None or limits.max is None else limits.max.value


def _there(
    data: Dataset, scenario: Scenario, names: Sequence[str], cases: Sequence[Case], events: bool
) -> tuple[str, ...]:
    """What the data have, as far as it decides what is fitted."""
    variants = list(scenario.disease.variants)
    seen = {variants[code] for case in cases for code in case.variant} or set(variants)
    unknown = sum(not np.isfinite(case.since_onset) for case in cases) > len(cases) / 2
    return (
        *names,
        *(["event"] if events else []),
        *(["entry"] if unknown else []),
        *(f"variant:{v}" for v in sorted(seen)),
    )
