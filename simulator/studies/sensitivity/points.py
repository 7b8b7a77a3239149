"""Evaluate a model at points: a scenario with its settings and replicates, or any Python function."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError
from simulator.execution.store import Parts
from simulator.measures.outcome import OUTCOMES, OutcomeRequest
from simulator.results import Result
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.studies.sweep.study import Request

Floats = NDArray[np.float64]
Settings = Mapping[str, float]
Read = Callable[[Result, "Scenario"], Sequence[float]]
Progress = Callable[[int, int], None]
DECISION = "decision."


class Evaluate(Protocol):
    """A model: settings of n points to (n, replicates, outputs)."""

    def __call__(self, points: Sequence[Settings]) -> Floats:
        """The outputs at the points."""


class Plan(NamedTuple):
    """How each point is simulated. `independent`: each point has people and random numbers of its own."""

    patients: int
    replicates: int
    independent: bool
    seed: int = 1
    executor: str | Executor = "threads"

    def seeds(self, point: int) -> range:
        """The seeds of a point's replicates; other people in each."""
        first = self.seed + (point * self.replicates if self.independent else 0)
        return range(first, first + self.replicates)


class FailedPointsError(SimulatorError):
    """Some points could not be simulated; the message names the first."""

    exit_code = 4


def needed(scenario: Scenario, asked: OutcomeRequest) -> Scenario:
    """The part of a scenario that an outcome needs: its arms, until its day. The same people live the same lives.

    What is measured at visits after baseline is left out too, unless something depends on it.
    """
    from simulator.program.rules import has_rules

    every = scenario.output.every_days
    arms = {asked.arm, asked.against}
    economic = OUTCOMES[asked.outcome].read is None
    content = scenario.content()["arms"]
    aside: dict[str, object] = {"trial": None, "sensitivity": None}
    if not has_rules(scenario):
        aside |= {"visits.every_days": None, "visits.days": [0]}
    if economic:
        assert scenario.decision is not None
        arms |= set(scenario.decision.options)
        aside |= {"decision.day": int(asked.day)}
    else:
        aside |= {"decision": None, "output.stages": False}
    kept = {name: epochs for name, epochs in content.items() if name in arms}
    last = min(every * ceil(asked.day / every), scenario.follow_up_days)
    return scenario.replace({"arms": kept, "follow_up_days": last, "output.days": [int(asked.day)], **aside})


def of_sweep(scenario: Scenario, read: Read, plan: Plan, folder: Path | None, progress: Progress | None) -> Evaluate:
    """The model that simulates a scenario as a sweep: resumable in a folder, on any executor, a summary of each run.

    Parameters
    ----------
    scenario : Scenario
    read : callable
        What is read of each summary, with the point's scenario.
    plan : Plan
    folder : Path, optional
        Where the sweep keeps its points; a second start goes on there.
    progress : callable, optional
        Called with (points done, points in all).

    Raises
    ------
    FailedPointsError
        When called: some points are no valid scenario, or nobody is eligible in them.
    """

    def evaluate(points: Sequence[Settings]) -> Floats:
        from simulator.language.template import Template
        from simulator.studies.sweep.study import run

        request, places = sweep_of(scenario, points, plan, folder)
        found = run(request, progress)
        if found.failures:
            first = found.failures[0]
            raise _failed(first.point, first.settings, first.message, len(found.failures))
        changed = map(Template(scenario).replace, points)
        return np.array(
            [
                [list(read(found.result(k, r), one)) for r in range(plan.replicates)]
                for k, one in zip(places, changed, strict=True)
            ]
        )

    return evaluate


def sweep_of(
    scenario: Scenario, points: Sequence[Settings], plan: Plan, folder: Path | None
) -> tuple[Request, list[int]]:
    """The sweep that simulates points, and which of its points each of them reads."""
    from simulator.studies.sweep.study import Request

    runs, places = _runs(points, plan.independent)
    numbers = "independent" if plan.independent else "common"
    how = plan.patients, plan.seed, plan.replicates, numbers
    return Request(scenario, runs, plan.executor, folder, *how), places


def _runs(points: Sequence[Settings], is_apart: bool) -> tuple[list[Settings], list[int]]:
    """What must be simulated for points, and which run each point reads; no run depends on values of the decision.

    `is_apart` : each point has a run of its own.
    """
    runs = [{key: value for key, value in point.items() if not key.startswith(DECISION)} for point in points]
    if is_apart:
        return list(runs), list(range(len(runs)))
    keys = [tuple(run.items()) for run in runs]
    known = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    return [dict(key) for key in known], [known[key] for key in keys]


def of_patients(
    scenario: Scenario, read: Read, plan: Plan, progress: Progress | None = None, folder: Path | None = None
) -> Evaluate:
    """The model that keeps every patient while an outcome is read, for what a summary does not hold: doses missed.

    Parameters and errors as `of_sweep`; what was read of each run is kept in a folder, so that a second start goes on.
    """

    def evaluate(points: Sequence[Settings]) -> Floats:
        from simulator.execution.executors import workers
        from simulator.execution.futures import arriving, result_of

        seeds = np.array([plan.seeds(k) for k in range(len(points))]).T  # replicates in turn: people serve many points
        tasks = [(k, int(seed)) for row in seeds for k, seed in enumerate(row)]
        parts = None if folder is None else Parts(folder)
        keys = _keys(scenario, points, plan.patients, tasks) if parts else []
        found = {at: kept["values"] for at, key in enumerate(keys) if parts and (kept := parts.get(key))}
        run = partial(_run, scenario, read, plan.patients)
        with workers(plan.executor) as pool:
            waiting = {
                pool.executor.submit(run, (dict(points[k]), seed)): at
                for at, (k, seed) in enumerate(tasks)
                if at not in found
            }
            for future in arriving(waiting, pool):
                at, got = waiting[future], result_of(future)
                if isinstance(got, str):
                    k = tasks[at][0]
                    raise _failed(k, points[k], got, 1)
                found[at] = np.array(got, np.float64)
                if parts:
                    parts.put(keys[at], {"values": found[at]})
                if progress:
                    progress(len(found) // plan.replicates, len(points))
        every = np.array([found[at] for at in range(len(tasks))])
        return every.reshape(plan.replicates, len(points), -1).swapaxes(0, 1)

    return evaluate


def _run(scenario: Scenario, read: Read, patients: int, task: tuple[Settings, int]) -> list[float] | str:
    """What is read of a run, or why there is none. Works in another process too."""
    from simulator.run import simulate

    settings, seed = task
    try:
        changed = scenario.replace(settings) if settings else scenario
        return list(read(simulate(changed, patients=patients, seed=seed, threads=1), changed))
    except SimulatorError as error:
        return str(error)


def _keys(scenario: Scenario, points: Sequence[Settings], patients: int, tasks: Sequence[tuple[int, int]]) -> list[str]:
    """The name of each run: the hash of all that decides its values."""
    from simulator.language.template import Template

    template, sums = Template(scenario), list[str]()
    for k, point in enumerate(points):
        try:
            sums.append(template.replace(point).sha256)
        except SimulatorError as error:
            raise _failed(k, point, str(error), 1) from None
    keys = (json.dumps([sums[k], patients, seed, __version__]) for k, seed in tasks)
    return [hashlib.sha256(key.encode()).hexdigest()[:24] for key in keys]


def _failed(number: int, point: Settings, why: str, count: int) -> FailedPointsError:
    where = ", ".join(f"{key} = {value:.4g}" for key, value in point.items())
    return FailedPointsError(f"{count} point(s) failed; the first is {number} ({where}): {why}")


def of_function(function: Callable[[Settings, int], float], replicates: int = 1) -> Evaluate:
    """The model that calls a function with settings and the number of the replicate."""

    def evaluate(points: Sequence[Settings]) -> Floats:
        return np.array([[[function(point, r)] for r in range(replicates)] for point in points], np.float64)

    return evaluate
