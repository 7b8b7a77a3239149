"""One run, from the name of a scenario to its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.results.folder import UsageError, check_folder, default_folder, write_folder

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.results import Result

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Request:
    """What a person asks of `run`. `settings` are texts `address=value`; None means: as the scenario says."""

    scenario: str
    folder: Path | None = None
    patients: int | None = None
    seed: int | None = None
    threads: int | None = None
    settings: tuple[str, ...] = ()
    output: str = "full"
    max_memory: int | None = None
    force: bool = False


def scenario_of(request: Request) -> Scenario:
    """The scenario, loaded, with the settings in place."""
    from simulator.language import load

    scenario = load(request.scenario)
    return scenario.replace(dict(map(setting, request.settings))) if request.settings else scenario


def setting(text: str) -> tuple[str, Any]:
    """Address and value of `address=value`, the value read as in a scenario file."""
    from simulator.language.document import read
    from simulator.language.faults import ScenarioError

    address, sign, value = text.partition("=")
    if not sign or not address.strip():
        raise UsageError(f"--set {text}: write address=value, such as treatments.tofersen.effect.mean=0.5")
    document = read(f"value: {value}".encode(), f"--set {address.strip()}")
    if document.faults:
        raise ScenarioError(document.faults)
    return address.strip(), document.data["value"]


def run_to_folder(request: Request, progress: Progress | None = None) -> tuple[Result, Path]:
    """Simulate and write the folder; a folder that cannot be used is refused before anything is simulated."""
    from simulator.run import simulate

    scenario = scenario_of(request)
    if request.folder:
        check_folder(request.folder, request.force)
    result = simulate(
        scenario,
        patients=request.patients,
        seed=request.seed,
        threads=request.threads,
        output=request.output,
        progress=progress,
        max_memory=request.max_memory,
    )
    folder = request.folder or folder_of(result)
    write_folder(result, folder, request.force)
    return result, folder


def folder_of(result: Result) -> Path:
    """The folder a result goes to when none is named: the same for every run that gives the same numbers."""
    keys = ("scenario_sha256", "engine_version", "output")
    key = {name: str(result.attrs[name]) for name in keys} | {"seed": result.seed, "patients": result.n_patients}
    return default_folder(str(result.attrs["scenario_name"]), key)
