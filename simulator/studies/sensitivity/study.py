"""A sensitivity analysis from a scenario to its folder, or from a folder that is there."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import absent
from simulator.execution.executors import check_ready
from simulator.execution.version_check import begin, keeping
from simulator.language.blocks.sweep import MOST_POINTS
from simulator.measures import economics
from simulator.measures.outcome import OUTCOMES, OutcomeRequest, outcome, request_of
from simulator.results import Result
from simulator.results.folder import check_folder, default_folder, write_folder
from simulator.results.kinds import SENSITIVITY
from simulator.studies.sensitivity import methods, over_draws
from simulator.studies.sensitivity.document import Sensitivity, document
from simulator.studies.sensitivity.methods import Findings
from simulator.studies.sensitivity.parameters import SensitivityError, parameters_of
from simulator.studies.sensitivity.points import (
    Evaluate,
    Plan,
    Progress,
    Read,
    Settings,
    needed,
    of_patients,
    of_sweep,
    sweep_of,
)
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.studies.sweep.forecast import Forecast

Floats = NDArray[np.float64]
SEED = 1


class Usual(NamedTuple):
    """How much a method simulates unless told otherwise; `patients` 0: as many as the scenario says."""

    points: int
    patients: int
    replicates: int
    independent: bool


METHODS = {
    "oneway": Usual(0, 0, 4, False),
    "sobol": Usual(128, 500, 2, True),
    "morris": Usual(20, 500, 2, False),
    "ensemble": Usual(200, 500, 2, True),
    "evpi": Usual(600, 300, 2, True),
}


@dataclass(frozen=True)
class Request:
    """What is asked; None means: as the scenario's block says, and then the method's usual."""

    scenario: Scenario
    method: str = "oneway"
    folder: Path | None = None
    points: int | None = None
    patients: int | None = None
    replicates: int | None = None
    seed: int | None = None
    executor: str | Executor = "threads"
    force: bool = False


def sensitivity(
    scenario: Scenario,
    method: str = "oneway",
    *,
    points: int | None = None,
    patients: int | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    folder: str | Path | None = None,
    executor: str | Executor = "threads",
    progress: Progress | None = None,
) -> Sensitivity:
    """How an outcome depends on the values that have a prior.

    Parameters
    ----------
    scenario : Scenario
        Its block `sensitivity` names the outcome; `evpi` reads the block `decision`.
    method : {"oneway", "sobol", "morris", "ensemble", "evpi"}
        Each value between its 5th and 95th percentile; Sobol' indices; elementary effects; variance shares over the
        calibrated ensemble; expected value of information over it.
    points : int, optional
        Base points of Sobol' indices, trajectories of Morris, draws of the ensemble.
    patients, replicates, seed : int, optional
        Patients of each replicate, replicates of each point.
    folder : path, optional
        Where points and the answer are kept; a second call goes on there.
    executor : str or concurrent.futures.Executor
        As `sweep` takes it.
    progress : callable, optional
        Called with (points done, points in all).

    Returns
    -------
    Sensitivity
        A row for each value: what the outcome is at its ends, or its indices.

    Raises
    ------
    SimulatorError
        There is no such method, outcome or parameter; a point failed.

    Examples
    --------
    >>> import simulator as sim
    >>> found = sim.sensitivity(sim.load("start_delay"), "oneway", patients=200)  # doctest: +SKIP
    >>> found.rows[0].name  # doctest: +SKIP
    'progression.d50_months.p.Ala5Val'
    """
    place = None if folder is None else Path(folder)
    return run(Request(scenario, method, place, points, patients, replicates, seed, executor), progress)


def run(asked: Request, progress: Progress | None = None) -> Sensitivity:
    """Run what is asked (see `sensitivity`); the answer is written where there is a folder."""
    if asked.method not in METHODS:
        raise SensitivityError(absent("method", asked.method, METHODS))
    if asked.scenario.person is not None:
        raise SensitivityError("the scenario has a person, for whom twins are looked for, not points. Remove person")
    if asked.folder is not None:
        check_folder(asked.folder, SENSITIVITY, asked.force)
    plan, points = plan_of(asked)
    question = question_of(asked)
    evaluate = (_of_options if asked.method == "evpi" else _of_outcome)(asked, question, plan, progress)
    check_ready(asked.executor)
    with keeping(asked.folder, SENSITIVITY):
        found = _analysis(asked, points, plan.independent, evaluate)
        arguments = {"method": asked.method, "points": points, "patients": plan.patients, "replicates": plan.replicates}
        made = document(asked.scenario, question, plan, found, {**arguments, "seed": plan.seed})
        if asked.folder is not None:
            write_folder(made, asked.folder, asked.force)
    return made


class _Designed(Exception):
    """The points of an analysis, where nothing more is wanted."""

    def __init__(self, points: Sequence[Settings]) -> None:
        super().__init__()
        self.points = points


def forecast_of(asked: Request) -> Forecast:
    """What an analysis would take; a few of its points are simulated, nothing is kept.

    Raises
    ------
    SensitivityError
        Doses are counted patient by patient, which a sweep does not do.
    """
    from simulator.studies.sweep.forecast import forecast

    (plan, size), part = plan_of(asked), needed(asked.scenario, question_of(asked))

    def design(points: Sequence[Settings]) -> Floats:
        raise _Designed(points)

    if _needs_patients(question_of(asked), part):
        raise SensitivityError("doses are counted patient by patient; how long that takes is not foretold")
    try:
        _analysis(asked, size, plan.independent, design)
    except _Designed as designed:
        return forecast(sweep_of(part, designed.points, plan, parts_of(asked.folder or folder_of(asked)))[0])
    raise AssertionError


def question_of(asked: Request) -> OutcomeRequest:
    """The outcome that is explained; a value of information needs none but net benefit."""
    if asked.method != "evpi":
        return request_of(asked.scenario)
    options = economics.decision_of(asked.scenario).options
    return OutcomeRequest("net_benefit", options[0], "", economics.horizon_of(asked.scenario))


def plan_of(asked: Request) -> tuple[Plan, int]:
    """How each point is simulated, and how many points the method takes."""
    usual, block = METHODS[asked.method], asked.scenario.sensitivity
    patients = asked.patients or (block and block.patients) or usual.patients or asked.scenario.patients
    replicates = asked.replicates or (block and block.replicates) or usual.replicates
    points = asked.points or (block and block.points) or usual.points
    numbers = (block and block.random_numbers) or ("independent" if usual.independent else "common")
    seed = SEED if asked.seed is None else asked.seed
    return Plan(patients, replicates, numbers == "independent", seed, asked.executor), points


def _analysis(asked: Request, points: int, is_apart: bool, evaluate: Evaluate) -> Findings:
    """The analysis itself, if its design is not too large to be made."""
    if asked.method == "evpi":
        return over_draws.of_information(asked.scenario, evaluate, points, not is_apart)
    if asked.method == "ensemble":
        return over_draws.over_ensemble(asked.scenario, evaluate, points, not is_apart)
    block = asked.scenario.sensitivity
    parameters = parameters_of(asked.scenario, None if block is None else block.parameters)
    each = {"sobol": len(parameters) + 2, "morris": len(parameters) + 1}.get(asked.method, 0)
    if points * each > MOST_POINTS:
        product = f"{points:,} × {each} = {points * each:,} points"
        raise SensitivityError(f"{product} are more than {MOST_POINTS:,}. Ask for at most {MOST_POINTS // each:,}")
    if asked.method == "sobol":
        return methods.sobol(parameters, evaluate, points, "independent" if is_apart else "common")
    if asked.method == "morris":
        return methods.morris(parameters, evaluate, points, not is_apart)
    return methods.one_way(parameters, evaluate)


def _of_outcome(asked: Request, question: OutcomeRequest, plan: Plan, progress: Progress | None) -> Evaluate:
    """The outcome as a function of settings."""
    return _model(asked, question, partial(_outcome, question), (plan, progress))


def _outcome(question: OutcomeRequest, result: Result, scenario: Scenario) -> list[float]:
    return [outcome(result, question, scenario).value]


def _of_options(asked: Request, question: OutcomeRequest, plan: Plan, progress: Progress | None) -> Evaluate:
    """Life years, QALYs, costs and net benefit of every option as a function of settings."""
    options = tuple(economics.decision_of(asked.scenario).options)
    return _model(asked, question, partial(_economics, options), (plan, progress))


def _economics(options: Sequence[str], result: Result, scenario: Scenario) -> list[float]:
    return [one.value for arm in options for one in economics.economic_all(result, arm, scenario)]


def _model(asked: Request, question: OutcomeRequest, read: Read, how: tuple[Plan, Progress | None]) -> Evaluate:
    """What is read as a function of settings: by a sweep, or from patients where doses must be counted one by one."""
    part, (plan, progress) = needed(asked.scenario, question), how
    if _needs_patients(question, part):
        model = of_patients(part, read, plan, progress, asked.folder and asked.folder / SENSITIVITY.work[1])
    else:
        model = of_sweep(part, read, plan, asked.folder and parts_of(asked.folder), progress)

    def begun(points: Sequence[Settings]) -> Floats:
        if asked.folder is not None:
            from simulator.studies.sweep.study import planned

            planned(sweep_of(part, points, plan, None)[0])  # refuses what is out of range
            begin(asked.folder, SENSITIVITY, asked.scenario)
        return model(points)

    return begun


def _needs_patients(question: OutcomeRequest, part: Scenario) -> bool:
    """Whether sums do not say what the question asks."""
    return OUTCOMES[question.outcome].read is None and not economics.is_summary_enough(part)


def parts_of(folder: Path) -> Path:
    """Where the folder of an analysis keeps the sweep under it."""
    return folder / SENSITIVITY.work[0]


def folder_of(asked: Request) -> Path:
    """The folder when none is named: the same for every call that gives the same numbers."""
    plan, points = plan_of(asked)
    key = plan._replace(executor="")._asdict() | {
        "method": asked.method,
        "points": points,
        "scenario_sha256": asked.scenario.sha256,
        "engine_version": __version__,
    }
    return default_folder(f"{asked.scenario.name}-{asked.method}", key)
