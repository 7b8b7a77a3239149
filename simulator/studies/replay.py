"""Run again from what a folder stores, and tell what differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.execution.version_check import other_versions
from simulator.results import GroupedResult, StudyResult, open_study
from simulator.results.arrays import Group, Groups, Named
from simulator.results.folder import SCENARIO, read_manifest
from simulator.results.kinds import ANALYSES, FIT, TWINS
from simulator.tables.table import notebook
from simulator.units import how_many

if TYPE_CHECKING:
    from simulator.language import Scenario

Arguments = dict[str, Any]
Progress = Callable[[int, int], None]
NOT_COMPARED = frozenset({"versions", "engine_version", "scenario_name", "parameters"})  # no number of the run itself
RELATIVE, ABSOLUTE = 1e-5, 1e-6
"""Within what numbers of other versions count as the same: compilers round float32 differently."""


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
    exact: bool = True

    @property
    def equal(self) -> bool:
        """Whether every number of the two is the same."""
        return not self.deviations

    def _repr_html_(self) -> str:
        found = "Equal" if self.equal else how_many(len(self.deviations), "variables that differ")
        lead = f"{self.folder}: {self.compared:,} numbers compared"
        return notebook(found, lead, notes=[*self.deviations, *self.notes])


def replay(folder: str | Path, threads: int | None = None, progress: Progress | None = None) -> Replay:
    """Check a folder's files against its manifest, run its scenario with its arguments, compare every number.

    Parameters
    ----------
    folder : str or Path
        Of a run, a trial, a sweep, a sensitivity analysis or twins.
    threads : int, optional
        The machine's cores by default; no number depends on it.
    progress : callable, optional
        Called with (parts done, parts in all).

    Returns
    -------
    Replay
        What was compared, and what deviates.

    Raises
    ------
    ResultError
        A file is missing or was changed.

    Examples
    --------
    >>> import simulator as sim
    >>> sim.replay("results/valor-0123abcd").deviations  # doctest: +SKIP
    []
    """
    from simulator.language import load

    place = Path(folder)
    kind, manifest = read_manifest(place)
    stored = open_study(place)
    if kind is ANALYSES:
        return _replayed(place, stored, _analyses(stored))
    scenario, arguments = load(place / SCENARIO), dict(manifest["arguments"])
    if kind in (TWINS, FIT):
        fresh = _of_people(stored, scenario, threads, progress)
    else:
        fresh = AGAIN[kind.name](scenario, arguments, threads, progress)
    return _replayed(place, stored, fresh, *changed_data(scenario, place))


def _replayed(
    place: Path, stored: Any, fresh: StudyResult, changed: Sequence[Deviation] = (), absent: Sequence[str] = ()
) -> Replay:
    """What the comparison of two studies comes to."""
    compared = sum(len(group) for group in _parts(stored)[1].values())
    others = other_versions(stored.provenance(), fresh.provenance())
    exact = not others
    found = [*changed, *deviations(stored, fresh, exact=exact)]
    return Replay(str(place), found, compared, [*_notes(others), *absent], exact)


def _analyses(stored: Any) -> StudyResult:
    from simulator.studies.analyse import again

    return again(stored)


def changed_data(scenario: Scenario, place: Path) -> tuple[list[Deviation], list[str]]:
    """Files of `entry.data` that are not what they were when they were read; what is said of those not found.

    They are looked for from here, in the study's folder, and beside the bundled scenarios.
    """
    from simulator.language.blocks.entering import hashed
    from simulator.language.loading import bundled

    data = scenario.entry.data
    if data is None:
        return [], []
    folders = [Path(), place, *{path.parent for path in bundled().values()}]
    changed, absent = [], []
    for name, digest in zip(data.read or [], data.sha256 or [], strict=True):
        there = next((folder / name for folder in folders if (folder / name).exists()), None)
        if there is None:
            absent.append(f"{name} is not here; the participants are those that the folder holds.")
        elif (now := hashed(there)) != digest:
            fact = f"the file has changed since: SHA-256 {digest[:12]}… is now {now[:12]}…"
            changed.append(Deviation("entry.data", name, 1, float("nan"), fact))
    return changed, absent


def _of_people(stored: Any, scenario: Scenario, threads: int | None, progress: Progress | None) -> StudyResult:
    from simulator.studies.fit.study import fit
    from simulator.studies.twins.study import again, twins

    return again(stored, scenario, threads, progress, twins if stored.kind is TWINS else fit)


def _run(scenario: Scenario, arguments: Arguments, threads: int | None, progress: Progress | None) -> StudyResult:
    from simulator.studies.draws import simulate_draws
    from simulator.studies.simulate import simulate

    if draws := arguments.pop("draws", 0):
        return simulate_draws(scenario, draws, progress, threads=threads, **arguments).result
    return simulate(scenario, threads=threads, progress=progress, **arguments)


def _trial(scenario: Scenario, arguments: Arguments, threads: int | None, progress: Progress | None) -> StudyResult:
    from simulator.studies.trial.replaying import again

    return again(scenario, arguments, threads, progress)


def _sweep(scenario: Scenario, arguments: Arguments, _threads: int | None, progress: Progress | None) -> StudyResult:
    from simulator.studies.sweep.study import sweep

    return sweep(scenario, progress=progress, **arguments)


def _sensitivity(
    scenario: Scenario, arguments: Arguments, _threads: int | None, progress: Progress | None
) -> StudyResult:
    from simulator.studies.sensitivity.study import sensitivity

    return sensitivity(scenario, progress=progress, **arguments)


def _decision(scenario: Scenario, arguments: Arguments, _threads: int | None, progress: Progress | None) -> StudyResult:
    from simulator.studies.decide.study import decide

    return decide(scenario, progress=progress, **arguments)


AGAIN = {"run": _run, "trial": _trial, "sweep": _sweep, "sensitivity": _sensitivity, "decision": _decision}
"""By kind: the study of a scenario, called with stored arguments."""


def _parts(study: StudyResult) -> tuple[dict[str, Any], Groups]:
    """Attributes and arrays of a study; a table is a group of its columns."""
    if isinstance(study, GroupedResult):
        return study.attrs, study.groups
    frame = study.summary()
    columns = {str(key): Named(("row",), column.to_numpy(), {}) for key, column in frame.items()}
    return study.provenance(), {"table": columns}


def deviations(a: StudyResult, b: StudyResult, *, exact: bool = True) -> list[Deviation]:
    """Everything in which two results are not the same, NaN equal to NaN.

    Parameters
    ----------
    a, b : StudyResult
    exact : bool
        Bit by bit; otherwise numbers count as the same within `RELATIVE` of their size or `ABSOLUTE`.
    """
    (attrs, groups), (now, fresh) = _parts(a), _parts(b)
    found = [
        Deviation("", key, 1, float("nan"), f"{_short(attrs.get(key))} is now {_short(now.get(key))}")
        for key in sorted((attrs.keys() | now.keys()) - NOT_COMPARED)
        if attrs.get(key) != now.get(key)
    ]
    for name in sorted(groups.keys() | fresh.keys()):
        found += _group_deviations(name, groups.get(name, {}), fresh.get(name, {}), exact)
    return found


def _group_deviations(name: str, a: Group, b: Group, exact: bool) -> list[Deviation]:
    missing = [(key, "only in the stored result") for key in a.keys() - b.keys()]
    missing += [(key, "only in the new result") for key in b.keys() - a.keys()]
    found = [Deviation(name, key, 0, float("nan"), fact) for key, fact in sorted(missing)]
    pairs = [(key, a[key].values, b[key].values) for key in a if key in b]
    return found + [one for key, x, y in pairs if (one := _deviation((name, key), x, y, exact))]


def _deviation(place: tuple[str, str], a: Any, b: Any, exact: bool) -> Deviation | None:
    group, name = place
    if a.shape != b.shape:
        return Deviation(group, name, max(a.size, b.size), float("nan"), f"shape {a.shape} is now {b.shape}")
    differs = a != b
    numbers = a.dtype.kind == "f" and b.dtype.kind == "f"
    if numbers:
        differs &= ~(np.isnan(a) & np.isnan(b))
        if not exact:
            differs &= ~np.isclose(a, b, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    cells = int(np.count_nonzero(differs))
    if not cells:
        return None
    largest = float("nan")
    if a.dtype.kind in "iuf":
        distance = np.abs(a[differs].astype(np.float64) - b[differs].astype(np.float64))
        largest = float(np.nanmax(distance)) if np.isfinite(distance).any() else float("nan")
    return Deviation(group, name, cells, largest, f"{cells:,} of {a.size:,} cells differ, by at most {largest:.6g}")


def _notes(others: list[str]) -> list[str]:
    """What has another version, and how numbers are then compared."""
    how = f"numbers count as the same within {RELATIVE:g} of their size, or {ABSOLUTE:g}"
    return [f"Made with other versions: {', '.join(others)}; {how}."] if others else []


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
