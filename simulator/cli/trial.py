"""The command `trial`: a trial run many times."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import Force, Json, Scenario, Seed, Settings, Threads, note, note_versions, show

LISTED = "NAME,…"


def names(text: str) -> tuple[str, ...]:
    """Names from a text such as ancova,joint_rank."""
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if not found:
        raise typer.BadParameter("names are needed, separated by commas")
    return found


def numbers(text: str) -> tuple[float, ...]:
    """Numbers from a text such as 0.8,0.9."""
    found = _finite(text)
    if not found:
        raise typer.BadParameter(f"{text!r} is not a list of numbers such as 0.8,0.9")
    return found


def sizes_of(text: str) -> tuple[int, ...]:
    """Whole numbers from a text such as 60,120."""
    found = _finite(text)
    if not found or any(one != int(one) for one in found):
        raise typer.BadParameter(f"{text!r} is not a list of whole numbers such as 60,120")
    return tuple(map(int, found))


def _finite(text: str) -> tuple[float, ...]:
    """Finite numbers, or none where anything else is in the list."""
    try:
        found = tuple(float(one) for one in text.split(","))
    except ValueError:
        return ()
    return found if all(map(isfinite, found)) else ()


Folder = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder for the result.")]
Replicates = Annotated[
    int | None,
    typer.Option("--replicates", min=1, help="How many trials; default: 1000, or fewer that finish in seconds."),
]
Analyses = Annotated[Any, typer.Option("--analysis", parser=names, metavar=LISTED, help="Which analyses.")]
Arms = Annotated[Any, typer.Option("--arms", parser=names, metavar="A,B", help="Experimental arm and control.")]
Days = Annotated[list[int] | None, typer.Option("--day", min=1, help="A day of analysis; can be repeated.")]
Size = Annotated[int | None, typer.Option("--size", min=2, help="Participants; default: as the scenario says.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", metavar="ANALYSIS.OPTION=VALUE", help="An option of an analysis.")
]
People = Annotated[
    int | None,
    typer.Option("--truth", min=0, help="People in whom truth is looked up, in four parts of 2,500 or more; 0: none."),
]
Null = Annotated[bool, typer.Option("--null/--no-null", help="Run without an effect too, for the type I error.")]
Power = Annotated[Any, typer.Option("--power", parser=numbers, metavar="P,…", help="Find the size for each power.")]
Sizes = Annotated[Any, typer.Option("--sizes", parser=sizes_of, metavar="N,…", help="Show power at these sizes.")]
Draws = Annotated[int | None, typer.Option("--draws", min=1, help="Spread over so many vectors of the ensemble.")]
Replicate = Annotated[int | None, typer.Option("--replicate", min=0, help="Only this one, as an ordinary run.")]
Outcome = Annotated[str, typer.Option("--outcome", help="The measure of function.")]
Where = Annotated[
    str, typer.Option("--executor", metavar="WHERE", help="Replicates on threads, processes or dask://host:port.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and do nothing.")]
Endpoint = Annotated[str, typer.Option("--endpoint", help="event_free or death.")]


@friendly
def trial(
    scenario: Scenario,
    *,
    replicates: Replicates = None,
    analysis: Analyses = "ancova,joint_rank",
    out: Folder = None,
    seed: Seed = None,
    threads: Threads = None,
    settings: Settings = None,
    size: Size = None,
    arms: Arms = None,
    day: Days = None,
    option: Options = None,
    outcome: Outcome = "alsfrs_r",
    endpoint: Endpoint = "event_free",
    truth: People = None,
    null: Null = True,
    power: Power = None,
    sizes: Sizes = None,
    draws: Draws = None,
    replicate: Replicate = None,
    executor: Where = "threads",
    dry_run: DryRun = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Run a trial many times, beside the truth. Type I error, power, bias, coverage, required size."""
    from simulator.studies.trial.plan import TrialOptions
    from simulator.studies.trial.request import MANY, TrialRequest, in_seconds
    from simulator.studies.trial.study import PEOPLE, Extent

    people = PEOPLE if truth is None else truth
    extent = Extent(replicates or MANY, seed, people, null, tuple(power or ()), tuple(sizes or ()), draws)
    asked = TrialOptions(analysis, size, arms, day, outcome=outcome, endpoint=endpoint)
    request = TrialRequest(scenario, asked, extent, tuple(settings or ()), tuple(option or ()), out, threads, force)
    request = replace(request, executor=executor)
    is_short = replicates is None and replicate is None
    if is_short:
        request = replace(request, extent=extent._replace(replicates=in_seconds(request)))
    if dry_run:
        _forecast(request, as_json)
    elif replicate is not None:
        _alone(request, replicate, as_json)
    else:
        _all(request, as_json)
    if is_short:
        note(left_out(request))


def left_out(request: Any) -> str:
    """What is not run as it would not finish in seconds, and how to have it."""
    from simulator.analysis.trial.registry import ANALYSES
    from simulator.studies.trial.request import MANY

    extent, others = request.extent, sorted({*ANALYSES} - {*request.asked.analyses})
    left = [f"{MANY - extent.replicates} of {MANY:,} replicates (--replicates)"] * (extent.replicates < MANY)
    left += [f"{len(others)} other analyses (--analysis)"] * bool(others)
    left += ["the size for a power (--power)"] * (not extent.power)
    return f"Left out, to finish in seconds: {', '.join(left)}"


def _all(request: Any, as_json: bool) -> None:
    from simulator.cli.progress import Progress
    from simulator.studies.trial.request import located, trial_to_folder

    request = located(request)
    note_versions(request.folder)
    with resumable(), Progress("replicates") as progress:
        found = trial_to_folder(request, progress)
    show_trial(found.trial, as_json)
    note(f"Written to {found.folder}")


def _forecast(request: Any, as_json: bool) -> None:
    """Print what a study would take."""
    from simulator.studies.trial.request import forecast_of

    found = forecast_of(request)
    show(found._asdict(), as_json, _forecast_text)


def _forecast_text(found: Any) -> str:
    return (
        f"{found['replicates']:,} replicates of up to {found['participants']:,} participants in {found['arms']} arms, "
        f"in {found['blocks']:,} blocks; truth in {found['truth']:,} people.\n"
        f"About {found['bytes'] / 1e6:,.0f} MB of memory and {found['seconds']:,.1f} s on this machine as it is now, "
        "without the search for sizes. Nothing was run."
    )


def show_trial(found: Any, as_json: bool) -> None:
    """Print a trial on stdout."""
    from simulator.cli.trial_tables import trial_document, trial_text

    show(trial_document(found) if as_json else found, as_json, trial_text)


def _alone(request: Any, number: int, as_json: bool) -> None:
    from simulator.cli.run import repeatable
    from simulator.cli.trial_tables import replicate_text
    from simulator.studies.trial.request import replicate_to_folder

    with repeatable():
        folder, rows = replicate_to_folder(request, number)
    show({"replicate": number, "estimates": rows}, as_json, replicate_text)
    note(f"Written to {folder}")


@contextmanager
def resumable() -> Iterator[None]:
    """Answer Ctrl-C with exit code 130 and the command that continues."""
    try:
        yield
    except KeyboardInterrupt:
        note(f"Interrupted; finished replicates are kept. Continue: {shlex.join(['als-sim', *sys.argv[1:]])}")
        raise typer.Exit(130) from None


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("trial")(trial)
