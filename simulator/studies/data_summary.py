"""What a data set of real people holds, as plain data: people, measurements by visit, survival, what was set aside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from simulator.analysis.survival import kaplan_meier
from simulator.datasets import Dataset, Measurements
from simulator.studies.analyse import survival

NUMBERS = (("age", "age, years", 1), ("months_since_onset", "time since onset, months", 1))
TEXTS = ("sex", "onset_site", "variant", "stratum")
MOST, TICKS = 12, 6
"""Values of a text that are listed; days of the table of survival."""


def summary(data: Dataset) -> dict[str, Any]:
    """The summary of a data set as plain data."""
    who = data.participants
    groups = [*data.arms, *([""] if (who.arm == "").any() else [])]
    rows = {arm: who.arm == arm for arm in groups} if len(groups) > 1 else {"all": np.ones(data.n, np.bool_)}
    return {
        "data": data.name,
        "participants": data.n,
        "arms": {arm or "(no arm)": int(mine.sum()) for arm, mine in rows.items()},
        "people": list(_people(data, rows)),
        "measurements": {name: len(of.value) for name, of in data.measurements.items()},
        "visits": {name: list(_visits(data, of)) for name, of in data.measurements.items()},
        "endpoints": [_ended(data, name, rows) for name in data.endpoints],
        "covariates": sorted(who.covariates),
        "notes": [{"number": note.number, "what": note.what, "why": note.why} for note in data.notes],
    }


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


def _ended(data: Dataset, name: str, rows: dict[str, np.ndarray]) -> dict[str, Any]:
    """Events, follow-up, and the share free of the event with the number at risk, by arm."""
    of = data.endpoints[name]
    known = np.isfinite(of.time)
    last = float(of.time[known].max()) if known.any() else 0.0
    days = [round(one, 6) for one in np.linspace(0, last, TICKS + 1).tolist()]
    arms: dict[str, Any] = {}
    for arm, mine in rows.items():
        time, event = of.time[mine & known], of.event[mine & known]
        curve = kaplan_meier(time, event)
        free = [{"day": day, "free": survival(curve, day), "at_risk": int((time >= day).sum())} for day in days]
        arms[arm or "(no arm)"] = {"participants": len(time), "events": int(event.sum()), "survival": free}
    return {"endpoint": name, "arms": arms}
