"""Commands for those who look: plot, report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import Against, Days, Json, show_files
from simulator.errors import absent
from simulator.report.kinds import DecisionKind, FitKind, Kind, SensitivityKind, SweepKind, TrialKind, TwinsKind

KINDS = [str(kind) for kind in (*Kind, *TrialKind, *SweepKind, *SensitivityKind, *TwinsKind, *DecisionKind, *FitKind)]
HELP = (
    f"One of {', '.join(Kind)}; of a trial {', '.join(TrialKind)}; of a sweep {', '.join(SweepKind)}; of a "
    f"sensitivity analysis {', '.join(SensitivityKind)}; of twins {', '.join(TwinsKind)}; "
    f"of a decision {', '.join(DecisionKind)}; of a fit {', '.join(FitKind)}."
)
Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A run, a trial, a sweep or an analysis: its folder or its file.")
]


def picture_name(text: str) -> str:
    """The name of a picture."""
    from simulator.report.plots import REGISTERED

    if text not in (known := [*KINDS, *REGISTERED]):
        raise typer.BadParameter(absent("picture", text, known))
    return text


@friendly
def plot(
    folder: Folder,
    kind: Annotated[Any, typer.Argument(parser=picture_name, autocompletion=lambda: KINDS, metavar="KIND", help=HELP)],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="An svg or png file; default: DIR/KIND.svg.")
    ] = None,
    *,
    outcome: Annotated[
        str | None, typer.Option("--outcome", help="Of trajectories, observed, sweep; of strata: alsfrs_r.")
    ] = None,
    death: Annotated[
        str | None,
        typer.Option("--death", metavar="HOW", help="Of trajectories: zero counts the dead as 0; survivors."),
    ] = None,
    number: Annotated[int | None, typer.Option("--patient", metavar="NUMBER", help="Of patient, from 0.")] = None,
    day: Annotated[float | None, typer.Option("--day", metavar="DAY", help="Of forest: a day of analysis.")] = None,
    corrected: Annotated[
        bool, typer.Option("--corrected", help="Of vpc: less what is expected of each participant.")
    ] = False,
    by: Annotated[
        str | None, typer.Option("--by", metavar="GROUP", help="Of strata: stratum, variant, sex, onset_site.")
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option("--arm", metavar="NAME", help="Of a run: this arm; again for another.")
    ] = None,
    until: Annotated[float | None, typer.Option("--until", metavar="DAY", help="Of a run: the last day.")] = None,
    width: Annotated[
        float | None, typer.Option("--width", metavar="INCHES", help="7.2 by default; 4.4 for a phone.")
    ] = None,
    theme: Annotated[str | None, typer.Option("--theme", metavar="THEME", help="light or dark, of an svg.")] = None,
    against: Against = None,
    as_json: Json = False,
) -> None:
    """Draw one picture of a result."""
    from simulator.report.opening import open_for
    from simulator.results.folder import check_file

    if out is not None:
        check_file(out)
    given: dict[str, Any] = {
        "outcome": outcome,
        "death": death,
        "number": number,
        "day": day,
        "corrected": corrected or None,
    }
    given |= {"by": by, "arms": arm or None, "days": until, "width": width, "theme": theme}
    options = {key: value for key, value in given.items() if value is not None}
    picture = asked(open_for(folder, kind), against).plot.draw(kind, **options)
    _make(folder, out or home(folder) / f"{kind}.svg", picture.save, as_json)


@friendly
def report(
    folder: Folder,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Default: DIR/report.html.")] = None,
    against: Against = None,
    days: Days = None,
    as_json: Json = False,
) -> None:
    """Write the report of a result. It is one HTML file that works offline."""
    from simulator.report.opening import open_to_show
    from simulator.report.page import write_report
    from simulator.results.folder import check_file

    if out is not None:
        check_file(out)
    found = asked(open_to_show(folder), against, days)
    _make(folder, out or home(folder) / "report.html", partial(write_report, found), as_json)


def asked(found: Any, against: str | None, days: Any = None) -> Any:
    """A run with other pairs and days; what else is there has its own."""
    from simulator.results import Result
    from simulator.studies.selection import asking

    if isinstance(found, Result):
        return asking(found, against, days)
    if against is not None or days:
        raise typer.BadParameter("only the result of a run is shown against another arm or on other days")
    return found


def _make(folder: Path, place: Path, write: Callable[[Path], Any], as_json: bool) -> None:
    """Note in the folder of the study what is made from it, write it, and print where it is."""
    from simulator.results.folder import add_made

    add_made(home(folder), [place])
    write(place)
    show_files([place], as_json)


def home(folder: Path) -> Path:
    """The folder of a result that was named by its folder or by its file."""
    return folder if folder.is_dir() else folder.parent


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (report, plot):
        app.command(command.__name__)(command)
