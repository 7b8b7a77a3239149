"""Commands about the evidence: evidence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.errors import friendly
from simulator.cli.progress import Progress
from simulator.cli.tables import tell
from simulator.errors import SimulatorError

Claims = Annotated[bool, typer.Option("--claims", help="The article's claims instead of the published targets.")]
Starting = Annotated[bool, typer.Option("--starting", help="With the values from which calibration starts.")]
Model = Annotated[str, typer.Option("--model", metavar="NAME", help="With another progression model: regions.")]
Out = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="DIR", help="Write scoreboard, pictures and report.html here.")
]
Cross = Annotated[
    bool, typer.Option("--cross-validate", help="Leave out each source in turn, refit, and predict its rows.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@friendly
def evidence(
    *,
    claims: Claims = False,
    starting: Starting = False,
    model: Model = "",
    cross_validate: Cross = False,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Every published fact beside its simulated twin. How far apart, and whether it was fitted."""
    from simulator.cli.evidence_tables import claims_text, evidence_text
    from simulator.report.scoreboard import evidence_files
    from simulator.results.folder import check_place
    from simulator.studies.evidence.score import Runs
    from simulator.studies.evidence.scoreboard import files
    from simulator.studies.evidence.structures import at_starting, with_model
    from simulator.studies.evidence.study import evidence as study
    from simulator.tables.files import without_nan
    from simulator.writing import text_writer, write_all

    if out:
        check_place(out)
    if cross_validate:
        if starting or claims:
            raise SimulatorError("calibrated values are cross-validated. Name no other option but --model")
        return _cross_validate(out, as_json, model)
    runs = Runs(with_model(model, starting) if model else at_starting if starting else None)
    values = ("starting" if starting else "calibrated") + (f" (model {model})" if model else "")
    with Progress() as progress:
        found = study(runs, progress, values)
    if out:
        texts = {**files(found), **evidence_files(found)}
        write_all(out, [(name, text_writer(text)) for name, text in texts.items()])
        for name in texts:
            sys.stderr.write(f"wrote {out / name}\n")
    if as_json:
        typer.echo(json.dumps(without_nan(found.content()), indent=2, ensure_ascii=False))
    else:
        tell(claims_text(found) if claims else evidence_text(found))
    return None


def _cross_validate(out: Path | None, as_json: bool, model: str | None) -> None:
    from simulator.catalog.calibration import FILES, calibration
    from simulator.cli.evidence_tables import validated_text
    from simulator.results.folder import check_place
    from simulator.studies.calibrate.cross_validation import cross_validate
    from simulator.studies.calibrate.picture import draw
    from simulator.tables.files import without_nan
    from simulator.writing import text_writer, write_all

    if out:
        check_place(out)
    known = [name for name in FILES if calibration(name).model == (model or "clock")]
    if not known:
        raise SimulatorError(f"the model {model!r} was not calibrated. Leave out --cross-validate")
    with Progress() as progress:
        found = cross_validate(tell=progress, name=known[0])
    if out:
        name = "cross_validation.svg"
        write_all(out, [(name, text_writer(draw(found)))])
        sys.stderr.write(f"wrote {out / name}\n")
    if as_json:
        typer.echo(json.dumps(without_nan(found.content()), indent=2, ensure_ascii=False))
    else:
        tell(validated_text(found))


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("evidence")(evidence)
