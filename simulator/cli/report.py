"""Commands for those who look: plot, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import Json, show, show_files, tables_of
from simulator.report.kinds import Kind, SensitivityKind, SweepKind

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A run or a sweep: its folder or its file.")]
KINDS = tuple(map(str, (*Kind, *SweepKind, *SensitivityKind)))


def kind_of(text: str) -> str:
    """A kind of picture."""
    if text not in KINDS:
        raise typer.BadParameter(f"{text!r} is not a picture; choose from {', '.join(KINDS)}")
    return text


@friendly
def plot(
    folder: Folder,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", parser=kind_of, autocompletion=lambda: list(KINDS), help=f"One of {', '.join(KINDS)}."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="An svg or png file; default: DIR/KIND.svg.")
    ] = None,
    *,
    outcome: Annotated[str | None, typer.Option("--outcome", help="Of trajectories: alsfrs_r, svc …")] = None,
    number: Annotated[int | None, typer.Option("--patient", metavar="NUMBER", help="Of patient, from 0.")] = None,
    as_json: Json = False,
) -> None:
    """Draw one picture of a result, a sweep or a sensitivity analysis."""
    from simulator.report.opening import open_for

    given = {"outcome": outcome, "number": number}
    options = {key: value for key, value in given.items() if value is not None}
    picture = open_for(folder, kind).plot.draw(kind, **options)
    show_files([picture.save(out or home(folder) / f"{kind}.svg")], as_json)


@friendly
def report(
    folder: Folder,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Default: DIR/report.html.")] = None,
    as_json: Json = False,
) -> None:
    """Write the report of a result or a sweep: one HTML file that works offline."""
    from simulator.report.opening import open_simulated
    from simulator.report.page import write_report

    show_files([write_report(open_simulated(folder), out or home(folder) / "report.html")], as_json)


def show_folder(folder: Path, as_json: bool) -> None:
    """Print what a run, a sweep or a sensitivity analysis printed when it ended."""
    from simulator.cli.sensitivity import show_sensitivity
    from simulator.cli.sweep import show_sweep
    from simulator.report.opening import open_any
    from simulator.results import Result
    from simulator.studies.headline import headline
    from simulator.studies.sensitivity.document import Sensitivity

    found = open_any(folder)
    if isinstance(found, Result):
        show(headline(found), as_json, tables_of("headline_text"))
    elif isinstance(found, Sensitivity):
        show_sensitivity(found, as_json)
    else:
        show_sweep(found, as_json)


def home(folder: Path) -> Path:
    """The folder of a result that was named by its folder or by its file."""
    return folder if folder.is_dir() else folder.parent


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (report, plot):
        app.command(command.__name__)(command)
