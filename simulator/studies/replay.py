"""Run again from what a folder stores, and tell what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simulator.results import Result, open_result
from simulator.results.arrays import Group
from simulator.results.folder import SCENARIO, read_manifest

NOT_COMPARED = frozenset({"versions", "scenario_name"})  # the first may change without changing a number


class Deviation(NamedTuple):
    """One variable, or one attribute (group ""), that is not the same: how many cells, and by how much at most."""

    group: str
    variable: str
    cells: int
    largest: float
    fact: str

    def __str__(self) -> str:
        place = f"{self.group}/{self.variable}" if self.group else f"attribute {self.variable}"
        return f"{place}: {self.fact}"


class Replay(NamedTuple):
    """What came of running again: equal when there are no deviations."""

    folder: str
    deviations: list[Deviation]
    compared: int
    notes: list[str]

    @property
    def equal(self) -> bool:
        """Whether every number of the two is the same."""
        return not self.deviations


def replay(folder: str | Path, threads: int | None = None, progress: Any = None) -> Replay:
    """Check the folder's files against its manifest, run its scenario with its arguments, compare every number."""
    from simulator.language import load
    from simulator.studies.draws import simulate_draws
    from simulator.studies.simulate import simulate

    place = Path(folder)
    manifest = read_manifest(place)
    stored = open_result(place)
    scenario = load(place / SCENARIO)
    arguments = dict(manifest["arguments"])
    if draws := arguments.pop("draws", 0):
        fresh: Result = simulate_draws(scenario, draws, progress, threads=threads, **arguments).result
    else:
        fresh = simulate(scenario, threads=threads, progress=progress, **arguments)
    compared = sum(len(group) for group in stored.groups.values())
    return Replay(str(place), deviations(stored, fresh), compared, _notes(manifest, fresh))


def deviations(a: Result, b: Result) -> list[Deviation]:
    """Everything in which two results are not the same, bit by bit, NaN equal to NaN."""
    found = [
        Deviation("", key, 1, float("nan"), f"{_short(a.attrs.get(key))} is now {_short(b.attrs.get(key))}")
        for key in sorted((a.attrs.keys() | b.attrs.keys()) - NOT_COMPARED)
        if a.attrs.get(key) != b.attrs.get(key)
    ]
    for name in sorted(a.groups.keys() | b.groups.keys()):
        found += _group_deviations(name, a.groups.get(name, {}), b.groups.get(name, {}))
    return found


def _group_deviations(name: str, a: Group, b: Group) -> list[Deviation]:
    missing = [(key, "only in the stored result") for key in a.keys() - b.keys()]
    missing += [(key, "only in the new result") for key in b.keys() - a.keys()]
    found = [Deviation(name, key, 0, float("nan"), fact) for key, fact in sorted(missing)]
    pairs = [(key, a[key].values, b[key].values) for key in a if key in b]
    return found + [one for key, x, y in pairs if (one := _deviation(name, key, x, y))]


def _deviation(group: str, name: str, a: Any, b: Any) -> Deviation | None:
    if a.shape != b.shape:
        return Deviation(group, name, max(a.size, b.size), float("nan"), f"shape {a.shape} is now {b.shape}")
    differs = a != b
    numbers = a.dtype.kind == "f" and b.dtype.kind == "f"
    if numbers:
        differs &= ~(np.isnan(a) & np.isnan(b))
    cells = int(np.count_nonzero(differs))
    if not cells:
        return None
    largest = float("nan")
    if a.dtype.kind in "iuf":
        distance = np.abs(a.astype(np.float64) - b.astype(np.float64))[differs]
        largest = float(np.nanmax(distance)) if np.isfinite(distance).any() else float("nan")
    return Deviation(group, name, cells, largest, f"{cells:,} of {a.size:,} cells differ, by at most {largest:.6g}")


def _notes(manifest: dict[str, Any], fresh: Result) -> list[str]:
    stored, now = manifest["engine_version"], fresh.attrs["engine_version"]
    return [] if stored == now else [f"The stored result is of engine {stored}, this is {now}."]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
