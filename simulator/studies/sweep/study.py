"""A sweep from beginning to end: points, what of them is finished, the rest on an executor, one Dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.errors import SimulatorError
from simulator.execution.executors import check_ready, check_work, workers
from simulator.execution.store import InFolder, InMemory, Store
from simulator.language.blocks.sweep import MOST_REPLICATES
from simulator.language.template import Template
from simulator.results.folder import write_folder
from simulator.studies.sweep import scheduling, work
from simulator.studies.sweep.assembling import ASIDE, Planned, assembled
from simulator.studies.sweep.digest import Digester, of_settings
from simulator.studies.sweep.errors import SweepError
from simulator.studies.sweep.memory import arm_days, check_size
from simulator.studies.sweep.points import as_given, design
from simulator.studies.sweep.result import Sweep
from simulator.version import __version__, versions

if TYPE_CHECKING:
    from simulator.language import Scenario

CHEAP = 1e7
"""Patients × arms × days that are simulated in about the time that it takes to flush two dozen files."""
Given = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Request:
    """What is asked of a sweep; None means: as the scenario's block says."""

    scenario: Scenario
    given: Given | None = None
    executor: str | Executor = "threads"
    folder: Path | None = None
    patients: int | None = None
    seed: int | None = None
    replicates: int | None = None
    random_numbers: str | None = None
    rerun_failed: bool = False
    force: bool = False


def sweep(
    scenario: Scenario,
    parameters: Given | None = None,
    *,
    executor: str | Executor = "threads",
    folder: str | Path | None = None,
    patients: int | None = None,
    seed: int | None = None,
    replicates: int | None = None,
    random_numbers: str | None = None,
    rerun_failed: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Simulate a scenario with other values at some addresses: every point with the same people.

    Parameters
    ----------
    scenario : Scenario
    parameters : mapping or sequence, optional
        {address: [values]} for every combination, or the points themselves, each an {address: value}; the scenario's
        block `sweep` by default.
    executor : str or concurrent.futures.Executor
        `threads`, `processes`, `dask://host:port`, or any executor. The numbers do not depend on it.
    folder : path, optional
        Where to keep the points and the Dataset; what is finished there is not simulated again. In memory by default.
    patients, seed, replicates, random_numbers : optional
        In place of what the block says; one replicate with `common` random numbers where there is no block.
    rerun_failed : bool
        Try points again that failed before.
    progress : callable, optional
        Called with (points done, points in all) of those that had to be simulated.

    Returns
    -------
    Sweep
        Its `failures` lists the points that could not be simulated.

    Raises
    ------
    SimulatorError
        There are no such points, folder or executor.

    Examples
    --------
    >>> import simulator as sim
    >>> scenario = sim.load("analytic/constant_hazard")
    >>> swept = sim.sweep(scenario, {"arms.treated.0.from_day": [0, 28]}, patients=20)  # doctest: +SKIP
    >>> len(swept.points)  # doctest: +SKIP
    2
    """
    place = None if folder is None else Path(folder)
    asked = Request(
        scenario, parameters, executor, place, patients, seed, replicates, random_numbers, rerun_failed
    )  # fmt: skip
    return run(asked, progress)


def run(asked: Request, progress: Callable[[int, int], None] | None = None) -> Sweep:
    """Run what is asked (see `sweep`)."""
    plan = planned(asked)
    check_ready(asked.executor)
    store: AbstractContextManager[Store] = nullcontext(InMemory())
    if asked.folder is not None:
        about = {
            "title": plan.base.title,
            "scenario_name": asked.scenario.name,
            "engine_version": __version__,
            "versions": versions(),
        }
        store = InFolder(asked.folder, about, force=asked.force, flushed=arm_days(plan) > CHEAP)
    with store as kept:
        points = sorted_out(plan, kept, asked.rerun_failed)
        kept.put(points.invalid)
        if points.rest:
            _simulate(plan, points.rest, (asked.executor, kept), progress)
        found = assembled(plan, points.tasks, kept)
        if asked.folder is not None:
            write_folder(found, asked.folder, asked.force)
    return found


def planned(asked: Request) -> Planned:
    """The points and what they share.

    Raises
    ------
    SweepError
        The scenario has no block `sweep` and nothing else says what to vary.
    """
    from simulator.run import SEED, _checked

    block = asked.scenario.sweep if asked.given is None else None
    if block is None and asked.given is None:
        raise SweepError("the scenario has no block sweep. Add one, or say what to vary")
    base = asked.scenario.model_copy(update={key: None for key in ASIDE if hasattr(asked.scenario, key)})
    if base.person is not None:
        raise SweepError("the scenario has a person, for whom twins are looked for; a sweep cannot. Remove person")
    if block is not None and block.set is not None:
        base = base.replace(block.set)
    points = as_given(asked.given) if asked.given is not None else design(base, block)  # type: ignore[arg-type]
    if not points.points:
        raise SweepError("the sweep has no points. Give at least one")
    patients = asked.patients or (block.patients if block else None) or base.patients
    _checked(base, patients, asked.seed, 1, "summary")
    seed = SEED if asked.seed is None else asked.seed
    replicates = asked.replicates or (block.replicates if block else 1)
    numbers = asked.random_numbers or (block.random_numbers if block else "common")
    if numbers not in ("common", "independent"):
        raise SweepError(f"random numbers are common or independent, not {numbers}. Choose one of them")
    if not 1 <= replicates <= MOST_REPLICATES:
        raise SweepError(f"{replicates:,} replicates cannot be simulated. Ask for 1 to {MOST_REPLICATES:,}")
    check_work(len(points.points) * replicates, patients)
    content = json.dumps(base.content(), allow_nan=False)
    job = work.Job(content, base.name, patients, seed, replicates, numbers != "common")
    return Planned(asked.scenario, asked.scenario.resolved_yaml(), base, points, job, block)


class SortedOut(NamedTuple):
    """Every point with its name; those still to be simulated; those that are no scenario, with why."""

    tasks: list[work.Task]
    rest: list[work.Task]
    invalid: list[work.Done]


def sorted_out(plan: Planned, kept: Store, rerun_failed: bool) -> SortedOut:
    """What of a sweep is finished and what is not; points that are no scenario have failed at once."""
    template, digester, found = Template(plan.base), Digester(), SortedOut([], [], [])
    for number, settings in enumerate(plan.design.points):
        try:
            _check(settings)
            key = digester.key(template.replace(settings), plan.job, plan.job.words(number))
        except SimulatorError as error:
            task = work.Task(number, of_settings(plan.base.sha256, settings, plan.job), dict(settings))
            found.invalid.append(work.failed(task, str(error)))
        else:
            task = work.Task(number, key, dict(settings))
            there = kept.get(key)
            if there is None or (there.message and rerun_failed):
                found.rest.append(task)
        found.tasks.append(task)
    return found


def _check(settings: Mapping[str, Any]) -> None:
    """Refuse what a point cannot set."""
    for address in settings:
        if address.partition(".")[0] in ("patients", "schema_version", "title", "person", *ASIDE):
            raise SweepError(f"{address} is not varied by a sweep")


def _simulate(
    plan: Planned,
    rest: list[work.Task],
    place: tuple[str | Executor, Store],
    progress: Callable[[int, int], None] | None,
) -> None:
    """Simulate points that are not finished, in batches of neighbours: those share most."""
    unique = list({task.key: task for task in rest}.values())
    with workers(place[0]) as found:
        check_size(plan, found.number)
        size = scheduling.batch_size(len(unique), found.number, arm_days(plan))
        batches = [unique[k : k + size] for k in range(0, len(unique), size)]
        scheduling.run(plan.job, batches, found, place[1], progress)
