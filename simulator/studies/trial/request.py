"""A study of a trial, from the name of a scenario to its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.execution.executors import check_ready
from simulator.execution.version_check import keeping
from simulator.replicate import Replicator, compiled
from simulator.results.folder import check_folder, default_folder, write_folder
from simulator.results.kinds import RUN, TRIAL
from simulator.studies.trial.blocks import DERIVED, SIZE, THREADS
from simulator.studies.trial.entering import most
from simulator.studies.trial.plan import TrialError, TrialOptions, analyses_of, as_enrolled, people_of, plan
from simulator.studies.trial.population import LEAST, PART, looked_at, lossless
from simulator.studies.trial.replicates import block
from simulator.studies.trial.result import Trial
from simulator.studies.trial.study import Extent, Running, bytes_needed, cores, prepare, study
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language import Scenario


SOME, MANY, DAYS = 100, 1000, 200_000_000
"""Replicates by default, fewest and most; days lived in them and in every arm, which take some seconds."""


TRIED = 3
"""Replicates that are timed, after one that loads the kernels."""


@dataclass(frozen=True)
class TrialRequest:
    """What a person asks of `trial`. `settings` are texts `address=value`, `options` texts `analysis.option=value`."""

    scenario: str
    asked: TrialOptions = field(default_factory=TrialOptions)
    extent: Extent = field(default_factory=Extent)
    settings: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    folder: Path | None = None
    threads: int | None = None
    force: bool = False
    executor: str | Executor = THREADS


class Studied(NamedTuple):
    """What a study left."""

    trial: Trial
    folder: Path


def scenario_of(request: TrialRequest) -> Scenario:
    """The scenario, loaded, with the settings in place."""
    from simulator.language import load, parse_setting

    return load(request.scenario, dict(map(parse_setting, request.settings)))


def options_of(request: TrialRequest) -> TrialOptions:
    """What is asked, with the options of the analyses."""
    return request.asked._replace(options=parse_options(request.options))


def parse_options(texts: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
    """Options of analyses from texts such as `responder.least_change=-6` or `cox.covariates=[log_nfl]`."""
    from simulator.language import parse_setting

    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        if "." not in text.partition("=")[0] or "=" not in text:
            raise TrialError(f"--option {text}: an option has the form analysis.option=value, as mi.imputations=50")
        address, value = parse_setting(text)
        name, _, key = address.partition(".")
        found.setdefault(name, {})[key] = tuple(value) if isinstance(value, list) else value
    return found


def in_seconds(request: TrialRequest) -> int:
    """How many replicates finish in seconds, by the days that are lived in one, so on every machine as many.

    1,000 of most trials, 100 at least.
    """
    planned = plan(scenario_of(request), options_of(request))
    lived = people_of(planned) * len(planned.scenario.arms) * planned.scenario.follow_up_days
    return min(max(DAYS // lived // SIZE * SIZE, SOME), MANY)


def trial_to_folder(request: TrialRequest, progress: Callable[[int, int], None] | None = None) -> Studied:
    """Run the study and write its folder; finished replicates are kept there on the way."""
    scenario, asked = scenario_of(request), options_of(request)
    if unknown := [name for name in asked.options if name not in analyses_of(scenario, asked)]:
        raise TrialError(f"--option {unknown[0]}: this analysis is not run. Add it to --analysis")
    folder = request.folder or folder_of(scenario, asked, request.extent)
    check_folder(folder, TRIAL, request.force)
    check_ready(request.executor)
    running = Running(cores(request.threads), folder, progress, request.executor)
    with keeping(folder, TRIAL):
        found = study(scenario, asked, request.extent, running)
        write_folder(found, folder, request.force)
    return Studied(found, folder)


def forecast_of(request: TrialRequest) -> Forecast:
    """What the study would take; nothing is written."""
    return forecast(scenario_of(request), options_of(request), request.extent, cores(request.threads))


def located(request: TrialRequest) -> TrialRequest:
    """The same with a folder, where none was named."""
    folder = request.folder or folder_of(scenario_of(request), options_of(request), request.extent)
    return replace(request, folder=folder)


def folder_of(scenario: Scenario, asked: TrialOptions, extent: Extent) -> Path:
    """The folder a study goes to when none is named: more replicates of the same study continue it."""
    planned = plan(scenario, asked)
    seed, told = extent.seed, planned._asdict()
    key = {name: value for name, value in told.items() if name not in DERIVED} | {"scenario_sha256": scenario.sha256}
    more = {"engine_version": __version__, "seed": seed, "draws": extent.draws}
    return default_folder(f"{scenario.name}-trial", key | more)


def replicate_to_folder(
    request: TrialRequest, number: int, progress: Callable[[int, int], None] | None = None
) -> tuple[Path, list[dict[str, Any]]]:
    """Replicate `number` alone: a run in its folder with the same people, and what the analyses find in it."""
    from simulator.run import simulate
    from simulator.studies.single_run import folder_of as run_folder

    scenario, asked = scenario_of(request), options_of(request)
    if request.extent.draws is not None:
        raise TrialError("a replicate alone is not run over draws. Leave out --draws")
    work = prepare(scenario, asked, request.extent)
    patients = work.choices[0].program.sizes.patients
    if request.folder:
        check_folder(request.folder, RUN, request.force, as_enrolled(scenario).sha256)
    full = most(work.plan.scenario, work.plan.size) if scenario.trial and scenario.trial.lead_in else ()
    result = simulate(
        as_enrolled(scenario),
        patients=patients,
        seed=work.seed,
        replicate=number,
        most=full,
        threads=request.threads,
        progress=progress,
    )
    folder = request.folder or run_folder(result)
    write_folder(result, folder, request.force)
    return folder, alone(work, number)


def alone(work: Any, number: int) -> list[dict[str, Any]]:
    """What the analyses find in one replicate."""
    from simulator.replicate import Replicator
    from simulator.studies.trial.replicates import block
    from simulator.studies.trial.rows import ESTIMATED

    found = block(work.plan, Replicator(work.choices), work.seed, range(number, number + 1)).estimates[0]
    return [
        {"analysis": name, "day": day, **dict(zip(ESTIMATED, map(float, found[a, d]), strict=True))}
        for d, day in enumerate(work.plan.days)
        for a, name in enumerate(work.plan.analyses)
    ]


class Forecast(NamedTuple):
    """What is to be done, and what it takes.

    Parameters
    ----------
    replicates : all of them, those without an effect too.
    participants, arms : of a replicate.
    blocks : what an interrupted study keeps one by one.
    truth : people in whom truth is looked up.
    bytes : of memory.
    seconds : of this machine with so many threads, as it is now; without the search for sizes.
    """

    replicates: int
    participants: int
    arms: int
    blocks: int
    truth: int
    bytes: int
    seconds: float


def forecast(scenario: Scenario, asked: TrialOptions, extent: Extent, threads: int) -> Forecast:
    """The forecast of a study; a few replicates and one part of the people are timed."""
    work, runs = prepare(scenario, asked, extent), 2 if extent.null else 1
    space = Replicator(work.choices)
    block(work.plan, space, work.seed, range(1))
    start = perf_counter()
    block(work.plan, space, work.seed, range(1, 1 + TRIED))
    one = (perf_counter() - start) / TRIED
    seconds = one * work.replicates * runs / min(threads, -(-work.replicates // SIZE))
    people = 0
    if extent.truth:
        parts = max(LEAST, -(-extent.truth // (PART * len(work.choices)))) * len(work.choices)
        people = parts * PART
        whole = Replicator(compiled([looked_at(lossless(work.choices[0].scenario), work.plan)], PART))
        start = perf_counter()
        whole.population(work.seed, 0)
        seconds += (perf_counter() - start) * parts / min(threads, parts)
    blocks = runs * -(-work.replicates // SIZE)
    arms = len(work.plan.scenario.arms)
    total = work.replicates * runs
    return Forecast(total, people_of(work.plan), arms, blocks, people, bytes_needed(work, threads, runs), seconds)
