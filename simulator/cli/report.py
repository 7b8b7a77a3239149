"""Commands for those who look: plot, report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import Json, show_files
from simulator.report.kinds import Kind, SensitivityKind

AnyKind = StrEnum("AnyKind", {kind: kind for kind in (*Kind, *SensitivityKind)})  # type: ignore[misc]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A result: its folder or its result.nc.")]


@friendly
def plot(
    folder: Folder,
    kind: Annotated[AnyKind, typer.Argument(metavar="KIND", help=f"One of {', '.join(AnyKind)}.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="An svg or png file; default: DIR/KIND.svg.")
    ] = None,
    *,
    outcome: Annotated[str | None, typer.Option("--outcome", help="Of trajectories: alsfrs_r, svc …")] = None,
    number: Annotated[int | None, typer.Option("--patient", metavar="NUMBER", help="Of patient, from 0.")] = None,
    as_json: Json = False,
) -> None:
    """Draw one picture of a result, or of a sensitivity analysis."""
    from simulator.results import open_result
    from simulator.studies.sensitivity.document import open_sensitivity

    given = {"outcome": outcome, "number": number}
    found = open_sensitivity(folder) if kind in SensitivityKind.__members__ else open_result(folder)
    picture = found.plot.draw(str(kind), **{key: value for key, value in given.items() if value is not None})
    show_files([picture.save(out or home(folder) / f"{kind}.svg")], as_json)


@friendly
def report(
    folder: Folder,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Default: DIR/report.html.")] = None,
    as_json: Json = False,
) -> None:
    """Write the report of a result: one HTML file that works offline."""
    from simulator.report.page import write_report
    from simulator.results import open_result

    show_files([write_report(open_result(folder), out or home(folder) / "report.html")], as_json)


def home(folder: Path) -> Path:
    """The folder of a result that was named by its folder or by its file."""
    return folder if folder.is_dir() else folder.parent


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (report, plot):
        app.command(command.__name__)(command)
