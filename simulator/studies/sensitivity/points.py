"""Evaluate a model at points: a scenario with its settings and replicates, or any Python function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError
from simulator.results import Result
from simulator.studies.outcome import OUTCOMES, Asked

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
Settings = Mapping[str, float]
Read = Callable[[Result, "Scenario"], Sequence[float]]
Progress = Callable[[int, int], None]


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
    workers: int = 2

    def seeds(self, point: int) -> range:
        """The seeds of a point's replicates; other people in each."""
        first = self.seed + (point * self.replicates if self.independent else 0)
        return range(first, first + self.replicates)


class FailedPointsError(SimulatorError):
    """Some points could not be simulated; the message names the first."""

    exit_code = 4


def needed(scenario: Scenario, asked: Asked, options: Sequence[str] = ()) -> Scenario:
    """The part of a scenario that an outcome needs: its arms, until its day. The same people live the same lives."""
    every = scenario.output.every_days
    arms = {asked.arm, asked.against, *options}
    economic = OUTCOMES[asked.outcome].read is None or bool(options)
    content = scenario.content()["arms"]
    aside: dict[str, object] = {"trial": None, "sensitivity": None}
    if economic:
        assert scenario.decision is not None
        arms |= set(scenario.decision.options)
        aside |= {"decision.day": int(asked.day)}
    else:
        aside |= {"decision": None, "output.stages": False}
    kept = {name: epochs for name, epochs in content.items() if name in arms}
    return scenario.replace({"arms": kept, "follow_up_days": every * ceil(asked.day / every), **aside})


def of_scenario(scenario: Scenario, read: Read, plan: Plan, output: str, progress: Progress | None = None) -> Evaluate:
    """The model that simulates a scenario.

    Parameters
    ----------
    scenario : Scenario
    read : callable
        What is read of each result.
    plan : Plan
    output : {"summary", "full"}
        What a run keeps for `read`.
    progress : callable, optional
        Called with (runs done, runs in all).

    Raises
    ------
    FailedPointsError
        When called: a point is no valid scenario, or nobody is eligible in it.
    """

    def evaluate(points: Sequence[Settings]) -> Floats:
        from simulator.run import simulate

        seeds = np.array([plan.seeds(k) for k in range(len(points))]).T  # replicates in turn: people serve many points
        done = 0

        def run(task: tuple[int, int]) -> list[float]:
            nonlocal done
            k, seed = task
            try:
                changed = scenario.replace(points[k]) if points[k] else scenario
                found = read(simulate(changed, patients=plan.patients, seed=seed, threads=1, output=output), changed)
            except SimulatorError as error:
                raise _failed(k, points[k], str(error)) from None
            done += 1
            if progress:
                progress(done, seeds.size)
            return list(found)

        with ThreadPoolExecutor(plan.workers) as pool:
            tasks = [(k, int(seed)) for row in seeds for k, seed in enumerate(row)]
            values = np.array(list(pool.map(run, tasks)))
        return values.reshape(plan.replicates, len(points), -1).swapaxes(0, 1)

    return evaluate


def _failed(number: int, point: Settings, why: str) -> FailedPointsError:
    where = ", ".join(f"{key} = {value:.4g}" for key, value in point.items())
    return FailedPointsError(f"point {number} ({where}): {why}")


def of_function(function: Callable[[Settings, int], float], replicates: int = 1) -> Evaluate:
    """The model that calls a function with settings and the number of the replicate."""

    def evaluate(points: Sequence[Settings]) -> Floats:
        return np.array([[[function(point, r)] for r in range(replicates)] for point in points], np.float64)

    return evaluate
