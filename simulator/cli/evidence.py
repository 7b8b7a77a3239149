"""Commands about the evidence: evidence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.errors import friendly
from simulator.cli.progress import Progress
from simulator.errors import SimulatorError

Claims = Annotated[bool, typer.Option("--claims", help="The article's claims instead of the published targets.")]
Calibrated = Annotated[bool, typer.Option("--calibrated", help="With the calibrated values, not the starting ones.")]
Model = Annotated[str, typer.Option("--model", metavar="NAME", help="With another progression model: regions.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Write scoreboard and pictures here.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@friendly
def evidence(
    *, claims: Claims = False, calibrated: Calibrated = False, model: Model = "", out: Out = None, as_json: Json = False
) -> None:
    """Every published fact beside its simulated twin. How far apart, and whether it was fitted."""
    from simulator.cli.evidence_tables import claims_text, evidence_text
    from simulator.cli.tables import without_nan
    from simulator.results.folder import check_place
    from simulator.studies.calibrate.apply import at_calibrated
    from simulator.studies.evidence.score import Runs
    from simulator.studies.evidence.scoreboard import write
    from simulator.studies.evidence.structures import with_model
    from simulator.studies.evidence.study import evidence as study

    if model and calibrated:
        raise SimulatorError("calibrated values are those of the default model. Leave out --calibrated or --model")
    if out:
        check_place(out)
    runs = Runs(with_model(model) if model else at_calibrated if calibrated else None)
    values = f"starting (model {model})" if model else "calibrated" if calibrated else "starting"
    with Progress() as progress:
        found = study(runs, progress, values)
    if out:
        for file in write(found, out):
            sys.stderr.write(f"wrote {file}\n")
    if as_json:
        text = json.dumps(without_nan(found.content()), indent=2, ensure_ascii=False)
    else:
        text = claims_text(found) if claims else evidence_text(found)
    sys.stdout.write(text + "\n")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("evidence")(evidence)
