"""One run, from the name of a scenario to its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simulator.errors import SimulatorError
from simulator.execution.version_check import keeping
from simulator.results.folder import (
    MANIFEST,
    SCENARIO,
    SUMMARY,
    check_folder,
    check_place,
    default_folder,
    write_folder,
)
from simulator.results.kinds import RUN
from simulator.units import DAYS_PER_WEEK

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.results import Result

Progress = Callable[[int, int], None]


ON_DISK = {"run": 0.1, "csv": 0.8, "parquet": 0.15, "adam": 0.6}
"""Sizes of files as parts of the arrays in memory: somewhat less than found in bundled scenarios (0.02-0.4, 0.5-1.2,
0.02-0.4, 0.6-0.9), so that nothing is refused that fits; when they are written the sizes are known."""


@dataclass(frozen=True)
class Request:
    """What a person asks of `run`. `settings` are texts `address=value`; None means: as the scenario says.

    `against` and `days` are what is to be shown: what cannot be shown is refused before anything is simulated.
    """

    scenario: str
    folder: Path | None = None
    patients: int | None = None
    seed: int | None = None
    threads: int | None = None
    settings: tuple[str, ...] = ()
    output: str = "full"
    max_memory: int | None = None
    force: bool = False
    exports: tuple[str, ...] = ()
    against: str | None = None
    days: tuple[float, ...] | None = None


class InterruptedExportError(SimulatorError):
    """The person stopped the writing of tables; the run itself is written."""

    exit_code = 130


class Written(NamedTuple):
    """What a run left: its result, its folder, and the tables written into it."""

    result: Result
    folder: Path
    tables: list[Path]


class Plan(NamedTuple):
    """What a run would do."""

    scenario: str
    title: str
    patients: int
    arms: tuple[str, ...]
    steps: int
    days: int
    memory_mb: int
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def scenario_of(request: Request) -> Scenario:
    """The scenario, loaded, with the settings in place, when what is to be shown can be."""
    from simulator.language import load, parse_setting
    from simulator.program.calendar import output_days
    from simulator.studies.selection import check

    scenario = load(request.scenario, dict(map(parse_setting, request.settings)))
    check(scenario.arms, output_days(scenario), request.against, None if scenario.person else request.days)
    return scenario


def plan(request: Request) -> Plan:
    """What the run would do, without doing it; faults of the scenario and of the folder show here too."""
    from simulator.language.plausible import warnings
    from simulator.run import memory

    scenario = _checked(request)
    patients = request.patients or scenario.patients
    days = int(scenario.follow_up_days)
    bytes_taken = memory(scenario, patients=patients, threads=request.threads, output=request.output)
    steps = -(-days // DAYS_PER_WEEK)
    folder = request.folder or Path("results") / f"{scenario.name}-*"
    files = tuple(str(folder / name) for name in (RUN.file, SUMMARY, SCENARIO, MANIFEST))
    about = (scenario.source_file, scenario.title, patients, tuple(scenario.arms))
    return Plan(*about, steps, days, bytes_taken >> 20, files, warnings(scenario))


def run_to_folder(request: Request, progress: Progress | None = None) -> Written:
    """Simulate and write the folder; what cannot be written is refused before anything is simulated."""
    from simulator.studies.ranges import with_ranges
    from simulator.studies.simulate import simulate

    scenario = _checked(request)
    result = simulate(
        scenario,
        patients=request.patients,
        seed=request.seed,
        threads=request.threads,
        output="summary" if request.output == "summary" else "full",
        progress=progress,
        max_memory=request.max_memory,
    )
    if scenario.person is None:
        result = with_ranges(result, scenario, request.days)
    folder = request.folder or folder_of(result)
    with keeping(folder, RUN):
        write_folder(result, folder, request.force)
        return Written(result, folder, _tables(result, folder, request.exports))


def _tables(result: Result, folder: Path, kinds: Iterable[str]) -> list[Path]:
    """Tables of some kinds in the folder of a run."""
    tables: list[Path] = []
    for kind in kinds:
        try:
            tables += _export(result, folder, kind)
        except KeyboardInterrupt:
            again = f"als-sim export {folder} --to {kind}"
            raise InterruptedExportError(
                f"Interrupted. {folder} is whole, without its tables; go on with: {again}"
            ) from None
    return tables


def _checked(request: Request) -> Scenario:
    """The scenario, when folder and tables can be written."""
    scenario = scenario_of(request)
    if request.folder:
        check_folder(request.folder, RUN, request.force, scenario.sha256)
    else:
        check_place(default_folder(scenario.name, {}))
    if request.exports:
        from simulator.results.export import check

        check(request.exports, request.output == "full", scenario.trial is not None)
    if request.output == "full" and scenario.person is None:
        _check_disk(scenario, request)
    return scenario


def _check_disk(scenario: Scenario, request: Request) -> None:
    """Refuse a run whose files would not fit on the disk, by the size of its arrays in memory."""
    from simulator.results.files import check_space
    from simulator.run import memory

    full, sums = (
        memory(scenario, patients=request.patients, threads=request.threads, output=output)
        for output in ("full", "summary")
    )
    parts = [ON_DISK[kind] for kind in (RUN.name, *request.exports)]
    check_space(request.folder or Path("results"), (full - sums) * sum(parts), "what is written takes")


def _export(result: Result, folder: Path, kind: str) -> list[Path]:
    """Tables of a kind in a folder of its name."""
    from simulator.results.export import export

    return export(result, kind, folder / kind, force=True, home=folder)


def folder_of(result: Result) -> Path:
    """The folder a result goes to when none is named: the same for every run that gives the same numbers."""
    keys = ("scenario_sha256", "engine_version", "output")
    key = {name: str(result.attrs[name]) for name in keys} | {"seed": result.seed, "patients": result.n_patients}
    key |= {name: value for name, value in result.arguments.items() if name in ("replicate", "most")}
    return default_folder(str(result.attrs["scenario_name"]), key)
