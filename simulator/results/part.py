"""Part of a run: some of its arms, until some day."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from simulator.results.arrays import Group, Named
from simulator.results.errors import ChoiceError
from simulator.results.frames import arm_places

if TYPE_CHECKING:
    from simulator.results.tree import Result

RECORDS = ("doses", "adverse_events", "monitoring")


def part(result: Result, arms: Iterable[str] | None = None, until: float | None = None) -> Result:
    """The run with these arms, as if follow-up had ended on the day `until`.

    Raises
    ------
    ChoiceError
        There is no such arm, or nothing was kept until then.
    """
    groups, attrs = dict(result.groups), dict(result.attrs)
    if until is not None:
        groups, attrs = _until(groups, attrs, float(until))
    if arms is not None:
        attrs["control"] = attrs.get("control") or result.control
        groups = _with_arms(groups, arm_places(result, arms))
    return type(result)(attrs, groups)


def _with_arms(groups: dict[str, Group], places: list[int]) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for key, group in groups.items():
        if key in RECORDS:
            found[key] = _records(group, places)
            continue
        found[key] = {
            name: one._replace(values=np.take(one.values, places, one.dims.index("arm"))) if "arm" in one.dims else one
            for name, one in group.items()
        }
    return found


def _records(group: Group, places: list[int]) -> Group:
    """Records of these arms, numbered anew."""
    arm = group["arm"].values
    kept = np.isin(arm, places)
    number = np.full(max([*places, *arm.tolist()], default=0) + 1, -1, arm.dtype)
    number[places] = np.arange(len(places))
    rows = {
        name: one._replace(values=one.values[kept]) if len(one.values) == len(arm) else one
        for name, one in group.items()
    }
    return rows | {"arm": group["arm"]._replace(values=number[arm[kept]])}


def _until(
    groups: dict[str, Group], attrs: dict[str, object], day: float
) -> tuple[dict[str, Group], dict[str, object]]:
    """What was known on that day."""
    time = groups["summary"]["time"].values
    if not (time[:2][-1] <= day <= float(str(attrs["follow_up_days"]))):
        first, last = float(time[:2][-1]), float(str(attrs["follow_up_days"]))
        raise ChoiceError(f"nothing can be shown until day {day:g}. Choose a day from {first:g} to {last:g}")
    found = {key: _cut(group, key, day) for key, group in groups.items()}
    if "events" in found:
        events = found["events"]
        free, event = events["event_free_time"], events["event"]
        over = free.values > day
        events["event"] = event._replace(values=np.where(over, 0, event.values).astype(event.values.dtype))
        events["event_free_time"] = free._replace(values=np.minimum(free.values, day))
    days = {key: json.loads(str(attrs.get(key, "[]"))) for key in ("analysis_days", "named_days")}
    kept = {key: json.dumps([one for one in each if one <= day]) for key, each in days.items()}
    return found, attrs | kept | {"follow_up_days": np.float64(day)}


def _cut(group: Group, key: str, day: float) -> Group:
    """Without what came later."""
    if key in RECORDS:
        kept = group["day"].values <= day
        return {
            name: one._replace(values=one.values[kept]) if len(one.values) == len(kept) else one
            for name, one in group.items()
        }
    found = dict(group)
    for dim, of in (("time", "time"), ("visit", "nominal_day")):
        if of in found:
            kept = found[of].values <= day
            found = {name: _along(one, dim, kept) for name, one in found.items()}
    if key == "events":
        for name, one in found.items():
            if name.endswith("_time") and name not in ("event_free_time", "followup_time"):
                found[name] = one._replace(values=np.where(one.values > day, np.nan, one.values))
    return found


def _along(one: Named, dim: str, kept: np.ndarray) -> Named:
    return one._replace(values=np.compress(kept, one.values, one.dims.index(dim))) if dim in one.dims else one
