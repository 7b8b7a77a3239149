"""Commands about real people: data check, data show, data convert, analyse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import Force, Json, note, show, show_files
from simulator.cli.trial import LISTED, names, numbers
from simulator.errors import absent

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILES", help="A folder, a mapping (yaml), a workbook, or tables of people and visits."),
]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder for tables and pictures.")]
Analyses = Annotated[Any, typer.Option("--analysis", parser=names, metavar=LISTED, help="Which analyses.")]
Arms = Annotated[Any, typer.Option("--arms", parser=names, metavar="A,B", help="Experimental arm and control.")]
Day = Annotated[float | None, typer.Option("--day", metavar="DAY", help="The day of analysis; default: all there is.")]
Outcome = Annotated[str, typer.Option("--outcome", help="The measure of function.")]
Endpoint = Annotated[str, typer.Option("--endpoint", help="Default: event_free, else death.")]
Covariates = Annotated[
    Any, typer.Option("--covariates", parser=names, metavar=LISTED, help="For analyses that take any.")
]
Visits = Annotated[Any, typer.Option("--visits", parser=numbers, metavar="DAY,…", help="Planned days, from 0.")]
Window = Annotated[float, typer.Option("--window", min=0, help="Days within which a measurement belongs to a visit.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", metavar="ANALYSIS.OPTION=VALUE", help="An option of an analysis.")
]

data = typer.Typer(
    name="data",
    help="Real participants and measurements: check, show, convert.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@data.command("check")
@friendly
def check(files: Files, *, as_json: Json = False) -> None:
    """Read the files and say what is in them. All faults at once, as file:row:column."""
    from simulator.cli.data_tables import check_text
    from simulator.datasets.reading import read_data
    from simulator.studies.data_summary import summary

    show(summary(read_data(*files)), as_json, check_text)


@data.command("show")
@friendly
def show_data(
    files: Files,
    *,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="A report too, html; or everybody's course, svg or png."),
    ] = None,
    outcome: Outcome = "alsfrs_r",
    as_json: Json = False,
) -> None:
    """People, visits, what is missing, survival."""
    from simulator.cli.data_tables import show_text
    from simulator.datasets.reading import read_data
    from simulator.results.folder import check_file
    from simulator.studies.data_summary import summary

    if out is not None:
        check_file(out)
    found = read_data(*files)
    show(summary(found), as_json, show_text)
    if out is not None and out.suffix == ".html":
        from simulator.report.data import write_data_report

        note(f"Written to {write_data_report(found, out)}")
    elif out is not None:
        from simulator.report.plots.courses import draw

        note(f"Written to {draw(found, outcome).save(out)}")


@data.command("convert")
@friendly
def convert(
    files: Files,
    *,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the tables.")],
    to: Annotated[str, typer.Option("--to", help="csv or parquet.")] = "csv",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write the data as tidy tables. They are read again without loss."""
    from simulator.datasets.reading import read_data, write_data
    from simulator.results.folder import check_place

    if to not in {"csv", "parquet"}:
        raise typer.BadParameter(absent("kind of table", to, ["csv", "parquet"], "kinds of tables"), param_hint="--to")
    check_place(out)
    show_files(write_data(read_data(*files), out, to, force=force), as_json)


@friendly
def analyse(
    files: Files,
    *,
    analysis: Analyses = "ancova,joint_rank",
    arms: Arms = None,
    day: Day = None,
    outcome: Outcome = "alsfrs_r",
    endpoint: Endpoint = "",
    covariates: Covariates = None,
    visits: Visits = None,
    window: Window = 14.0,
    option: Options = None,
    scores: Annotated[
        Path | None,
        typer.Option("--scores", metavar="DIR", help="Twins at baseline: the covariate prognostic_score."),
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option("--earlier", metavar="FILE", help="YAML with earlier_controls, which analyses may borrow."),
    ] = None,
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Analyse real people as a trial. Estimates, intervals, survival, what was left out."""
    from simulator.results.folder import check_place
    from simulator.studies.analyse import analyse as run

    if out is not None:
        check_place(out)
    found = run(
        [*files],
        analysis,
        arms=arms,
        day=day,
        outcome=outcome,
        endpoint=endpoint,
        covariates=covariates or (),
        visits=visits or (),
        window=window,
        options=_options(option),
        scores=scores,
        earlier=earlier or (),
    )
    show_analysed(found, as_json)
    if out is not None:
        note(f"Written to {_written(found, out, force)}")


def _options(texts: list[str] | None) -> Any:
    if not texts:
        return {}
    from simulator.studies.trial.request import parse_options

    return parse_options(texts)


def show_analysed(found: Any, as_json: bool) -> None:
    """What analyses of real people found."""
    from simulator.cli.data_tables import analysed_text

    show(found.document(), as_json, analysed_text)


def _written(found: Any, folder: Path, force: bool) -> Path:
    """The study in its folder, and both pictures."""
    from simulator.execution.version_check import keeping
    from simulator.results.folder import add_made, write_folder

    with keeping(folder, found.kind):
        write_folder(found, folder, force=force)
        places = {kind: folder / f"{kind}.svg" for kind in found.plot.kinds}
        add_made(folder, places.values())
        for kind, place in places.items():
            found.plot.draw(kind).save(place)
    return folder


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(data)
    app.command("analyse")(analyse)
