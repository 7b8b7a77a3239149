"""What a sweep would take, before it runs: points, memory, time; and the folder it goes to."""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simulator.execution.executors import workers
from simulator.execution.store import LookInto
from simulator.results.folder import default_folder
from simulator.studies.sweep.digest import digest
from simulator.studies.sweep.memory import memory_of
from simulator.studies.sweep.study import planned, sorted_out
from simulator.studies.sweep.work import do_points
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.studies.sweep.assembling import Planned
    from simulator.studies.sweep.study import Request
    from simulator.studies.sweep.work import Task

MEASURED = 4  # points that are simulated to learn how long one takes


class Forecast(NamedTuple):
    """What a sweep would do. `seconds` is NaN where nothing is left to do; it was measured on a few of its points."""

    scenario: str
    title: str
    method: str
    varied: tuple[str, ...]
    points: int
    finished: int
    invalid: int
    patients: int
    replicates: int
    arms: tuple[str, ...]
    executor: str
    workers: int
    memory_mb: int
    seconds: float
    folder: str


def forecast(asked: Request) -> Forecast:
    """What the sweep would take. A few points are simulated, the first to have compiled code ready; nothing is kept."""
    plan = planned(asked)
    folder = asked.folder or folder_of(plan, asked)
    points = sorted_out(plan, LookInto(folder), asked.rerun_failed)
    with workers(asked.executor) as found:
        number = found.number
    name = type(asked.executor).__name__ if isinstance(asked.executor, Executor) else asked.executor
    return Forecast(
        asked.scenario.source_file,
        plan.base.title,
        plan.block.method if plan.block else "given",
        plan.design.addresses,
        len(points.tasks),
        len(points.tasks) - len(points.rest) - len(points.invalid),
        len(points.invalid),
        plan.job.patients,
        plan.job.replicates,
        tuple(plan.base.arms),
        name,
        number,
        memory_of(plan, number) >> 20,
        _seconds(plan, points.rest) / number if points.rest else float("nan"),
        str(folder),
    )


def located(asked: Request) -> Request:
    """The same with a folder, where none was named."""
    return asked if asked.folder else replace(asked, folder=folder_of(planned(asked), asked))


def _seconds(plan: Planned, rest: list[Task]) -> float:
    """Seconds of one worker for all points, from some that lie apart."""
    do_points(plan.job, rest[:1])
    chosen = rest[:: max(1, len(rest) // MEASURED)][:MEASURED]
    start = time.perf_counter()
    do_points(plan.job, chosen)
    return (time.perf_counter() - start) / len(chosen) * len(rest)


def folder_of(plan: Planned, asked: Request) -> Path:
    """The folder of a sweep when none is named: the same when only the number of points, or what is shown, changes."""
    block = plan.block.model_copy(update={"points": None, "outcomes": None}) if plan.block else None
    varied = block.model_dump(mode="json") if block else plan.design.addresses
    job = plan.job
    key = {"scenario": plan.base.sha256, "sweep": digest(varied), "patients": job.patients, "seed": job.seed}
    return default_folder(asked.scenario.name, {**key, "engine_version": __version__})
