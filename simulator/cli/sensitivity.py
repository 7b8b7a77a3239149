"""The command that explains an outcome: sensitivity."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import (
    DryRun,
    Force,
    Json,
    Patients,
    Seed,
    Settings,
    bundled_names,
    note,
    note_doubts,
    note_versions,
    show,
)
from simulator.errors import SimulatorError

if TYPE_CHECKING:
    from simulator.studies.sensitivity.document import Sensitivity
    from simulator.studies.sensitivity.study import Request


class Method(StrEnum):
    """The analyses."""

    oneway = "oneway"
    sobol = "sobol"
    morris = "morris"
    ensemble = "ensemble"
    evpi = "evpi"


Source = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO|DIR",
        help="A scenario; or the folder of an analysis, or of a sweep.",
        autocompletion=bundled_names,
    ),
]
Points = Annotated[
    int | None,
    typer.Option("--points", min=2, help="Base points (sobol), trajectories (morris), draws (ensemble, evpi)."),
]
Replicates = Annotated[int | None, typer.Option("--replicates", min=1, help="Replicates of each point.")]
Where = Annotated[str, typer.Option("--executor", help="threads, processes or dask://host:port.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder; a second start goes on there.")]


class Interrupted(SimulatorError):
    """Stopped by the person; the message says how to go on."""

    exit_code = 130


@friendly
def sensitivity(
    source: Source,
    method: Annotated[Method, typer.Option("--method", help="Which analysis.")] = Method.oneway,
    *,
    out: Out = None,
    patients: Patients = None,
    points: Points = None,
    replicates: Replicates = None,
    seed: Seed = None,
    settings: Settings = None,
    executor: Where = "threads",
    force: Force = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Which values move an outcome, and what is their worth. The outcome is named in the block `sensitivity`."""
    from simulator.cli.sweep import forecast_text
    from simulator.studies.sensitivity.document import look_up
    from simulator.studies.sensitivity.study import forecast_of

    amounts = {"patients": patients, "points": points, "replicates": replicates, "seed": seed}
    found = look_up(source, settings or ())
    if found is None:
        asked = _request(source, settings or [], method, out, {**amounts, "executor": executor, "force": force})
        note_doubts(asked.scenario)
        if dry_run:
            show(forecast_of(asked), as_json, forecast_text)
            return
        found = _run(asked)
    show_sensitivity(found, as_json)


def show_sensitivity(found: Sensitivity, as_json: bool) -> None:
    """Print an analysis on stdout."""
    from simulator.cli.sensitivity_tables import text

    show(found.content() if as_json else found, as_json, text)


def _request(source: str, settings: list[str], method: Method, out: Path | None, amounts: dict[str, Any]) -> Request:
    """The request, with the folder it goes to."""
    from simulator.language import load, parse_setting
    from simulator.studies.sensitivity.study import Request, folder_of

    scenario = load(source, dict(map(parse_setting, settings)))
    asked = Request(scenario, method.value, out, **amounts)
    return replace(asked, folder=out or folder_of(asked))


def _run(asked: Request) -> Sensitivity:
    """Simulate, write the folder with its picture."""
    from simulator.cli.progress import Progress
    from simulator.execution.version_check import keeping
    from simulator.results.folder import add_made
    from simulator.results.kinds import SENSITIVITY
    from simulator.studies.sensitivity.study import run

    note_versions(asked.folder)
    try:
        with Progress("points") as progress:
            found = run(asked, progress)
    except KeyboardInterrupt:
        again = shlex.join(["als-sim", *sys.argv[1:]])
        raise Interrupted(f"Interrupted. What was simulated is kept; go on with: {again}") from None
    assert asked.folder is not None
    pictures = {kind: asked.folder / f"{kind}.svg" for kind in found.plot.kinds}
    with keeping(asked.folder, SENSITIVITY):
        add_made(asked.folder, pictures.values())
        for kind, place in pictures.items():
            found.plot.draw(kind).save(place)
    note(f"Written to {asked.folder}")
    return found


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("sensitivity")(sensitivity)
