"""The command that fits parameters: calibrate."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.errors import friendly
from simulator.cli.tables import tell
from simulator.errors import SimulatorError

Name = Annotated[str, typer.Argument(metavar="SCENARIO", help="What is calibrated: valor or regions.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder; a second start goes on there.")]
Recalled = Annotated[bool, typer.Option("--recalled", help="Fit recalled rows too, with a wider error; marked.")]
Extra = Annotated[list[str] | None, typer.Option("--with", metavar="ROW", help="Fit a further row of the catalog.")]
Allow = Annotated[
    bool, typer.Option("--allow-validation", help="Let --with name validation rows; the result is marked.")
]
Point = Annotated[bool, typer.Option("--point-only", help="Stop after the point fit.")]
Design = Annotated[int, typer.Option("--design", min=100, help="Simulations for the emulator.")]
Draws = Annotated[int, typer.Option("--draws", min=1, help="Vectors in the ensemble.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class Interrupted(SimulatorError):
    """Stopped by the person; the message says how to go on."""

    exit_code = 130


@friendly
def calibrate(
    scenario: Name = "valor",
    *,
    out: Out = None,
    recalled: Recalled = False,
    extra: Extra = None,
    allow_validation: Allow = False,
    point_only: Point = False,
    design: Design = 1024,
    draws: Draws = 600,
    as_json: Json = False,
) -> None:
    """Fit free parameters to calibration rows. Then draw an ensemble of parameter vectors."""
    from simulator.cli.evidence_tables import left
    from simulator.cli.progress import Progress
    from simulator.execution.version_check import keeping
    from simulator.results.folder import check_place
    from simulator.studies.calibrate import report
    from simulator.studies.calibrate.evaluate import EVALUATIONS, resumed_versions
    from simulator.studies.calibrate.study import Request
    from simulator.studies.calibrate.study import calibrate as study

    folder = out or Path("results") / f"calibration-{scenario}"
    check_place(folder)
    for line in resumed_versions(folder):
        sys.stderr.write(f"{line}\n")
    request = Request(scenario, folder, recalled, tuple(extra or ()), allow_validation, design, draws, point_only)
    try:
        with keeping(folder, None, (EVALUATIONS,)), Progress() as progress:
            found = study(request, progress)
            written = report.write(found, folder)
    except KeyboardInterrupt:
        again = shlex.join(["als-sim", *sys.argv[1:]])
        raise Interrupted(f"Interrupted. What was simulated is kept; go on with: {again}") from None
    for file in written:
        sys.stderr.write(f"wrote {file}\n")
    if as_json:
        typer.echo(json.dumps(report.document(found), indent=2, ensure_ascii=False))
    else:
        tell("\n".join([*left(report.table(found)), "", *left(report.misfits(found)), "", *report.words(found)]))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("calibrate")(calibrate)
