"""What a data set of real people holds, as plain data: people, measurements by visit, survival, what was set aside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from simulator.datasets import Dataset, Measurements
from simulator.studies.analysed import Followed, arm_of, survival

NUMBERS = (("age", "age, years", 1), ("months_since_onset", "time since onset, months", 1))
TEXTS = ("sex", "onset_site", "variant", "stratum")
MOST, TICKS = 12, 6
"""Values of a text that are listed; days of the table of survival."""


def summary(data: Dataset) -> dict[str, Any]:
    """The summary of a data set as plain data."""
    who, rows = data.participants, _rows(data)
    return {
        "data": data.name,
        "participants": data.n,
        "arms": {arm: int(mine.sum()) for arm, mine in rows.items()},
        "people": list(_people(data, rows)),
        "measurements": {name: len(of.value) for name, of in data.measurements.items()},
        "visits": {name: list(_visits(data, of)) for name, of in data.measurements.items()},
        "endpoints": [_events_by_arm(followed(data, name)) for name in data.endpoints],
        "covariates": sorted(who.covariates),
        "notes": [{"number": note.number, "what": note.what, "why": note.why} for note in data.notes],
    }


def _rows(data: Dataset) -> dict[str, np.ndarray]:
    """(n,) who is in each arm; everybody in one where there are no two."""
    arms = data.participants.arm
    groups = [*data.arms, *([""] if (arms == "").any() else [])]
    if len(groups) < 2:
        return {(groups or ["all"])[0] or "all": np.ones(data.n, np.bool_)}
    return {group or "(no arm)": arms == group for group in groups}


def _people(data: Dataset, rows: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    """A row for each number (known, mean, SD) and each value of a text (count), arms across."""
    who = data.participants
    for key, label, _ in NUMBERS:
        values = getattr(who, key)
        if np.isfinite(values).any():
            spreads = {arm: _spread(values[mine]) for arm, mine in rows.items()}
            yield {"what": label, "known": int(np.isfinite(values).sum()), "arms": spreads}
    for key in TEXTS:
        texts = getattr(who, key)
        names, counts = np.unique(texts[texts != ""], return_counts=True)
        for name in names[np.argsort(-counts, kind="stable")][:MOST].tolist():
            cells = {arm: int((texts[mine] == name).sum()) for arm, mine in rows.items()}
            yield {"what": f"{key} {name}", "known": int((texts != "").sum()), "arms": cells}


def _spread(values: np.ndarray) -> list[float | None]:
    """Mean and SD of what is known."""
    known = values[np.isfinite(values)]
    return [float(known.mean()) if len(known) else None, float(known.std(ddof=1)) if len(known) > 1 else None]


def _visits(data: Dataset, of: Measurements) -> Iterator[dict[str, Any]]:
    """A row for each planned day: how many were measured, of those not known to be dead; mean and SD."""
    alive = np.full(data.n, np.inf)
    if "death" in data.endpoints:
        end = data.endpoints["death"]
        alive = np.where(end.event, end.time, np.inf)
    for day in data.visits.tolist():
        here = of.planned_day == day
        if here.any():
            mean, sd = _spread(of.value[here])
            expected = int((alive >= day).sum())
            yield {"day": day, "measured": len(np.unique(of.person[here])), "alive": expected, "mean": mean, "sd": sd}
    loose = np.isnan(of.planned_day)
    if loose.any():
        mean, sd = _spread(of.value[loose])
        people = len(np.unique(of.person[loose]))
        yield {"day": None, "measured": people, "alive": data.n, "mean": mean, "sd": sd}


def followed(data: Dataset, name: str) -> Followed:
    """Follow-up to an endpoint, by arm."""
    of = data.endpoints[name]
    known = np.isfinite(of.time)
    last = float(of.time[known].max()) if known.any() else 0.0
    rows = {arm: mine & known for arm, mine in _rows(data).items() if (mine & known).any()}
    arms = tuple(arm_of(arm, of.time[mine], of.event[mine], last) for arm, mine in rows.items())
    return Followed(data.name, name, last, arms, data.made_from)


def _events_by_arm(found: Followed) -> dict[str, Any]:
    """Events, and the share free of the event with the number at risk, by arm."""
    days = [round(one, 6) for one in np.linspace(0, found.day, TICKS + 1).tolist()]
    arms = {
        arm.name: {
            "participants": arm.participants,
            "events": arm.events,
            "survival": [{"day": d, "free": survival(arm.curve, d), "at_risk": arm.at_risk(d)} for d in days],
        }
        for arm in found.arms
    }
    return {"endpoint": found.endpoint, "arms": arms}
