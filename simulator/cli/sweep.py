"""The command for many points of a scenario: sweep."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import (
    DryRun,
    Folder,
    Force,
    Json,
    Patients,
    Scenario,
    Seed,
    Settings,
    note,
    note_doubts,
    note_versions,
    show,
)
from simulator.errors import SimulatorError
from simulator.tables.text import WIDTH, clean, side_by_side
from simulator.units import how_many

if TYPE_CHECKING:
    from simulator.studies.sweep.forecast import Forecast
    from simulator.studies.sweep.outcomes import Outcome
    from simulator.studies.sweep.result import Sweep

FAILED_POINTS = 4
LISTED = 20
Where = Annotated[str, typer.Option("--executor", metavar="WHERE", help="threads, processes or dask://host:port.")]
Rerun = Annotated[bool, typer.Option("--rerun-failed", help="Try points again that failed before.")]


class Interrupted(SimulatorError):
    """Stopped by the person; the message says how to go on."""

    exit_code = 130


@friendly
def sweep(
    scenario: Scenario,
    *,
    out: Folder = None,
    executor: Where = "threads",
    rerun_failed: Rerun = False,
    dry_run: DryRun = False,
    patients: Patients = None,
    seed: Seed = None,
    settings: Settings = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Simulate the points of a scenario's block sweep. Finished points are kept, a second start goes on there."""
    from simulator.cli.progress import Progress
    from simulator.language import load, parse_setting
    from simulator.studies.sweep.forecast import forecast, located
    from simulator.studies.sweep.study import Request, run

    loaded = load(scenario, dict(map(parse_setting, settings or ())))
    asked = located(
        Request(loaded, None, executor, out, patients, seed, rerun_failed=rerun_failed, force=force)
    )  # fmt: skip
    note_doubts(loaded)
    if dry_run:
        show(forecast(asked), as_json, forecast_text)
        return
    note_versions(asked.folder)
    try:
        with Progress("points") as progress:
            found = run(asked, progress)
    except KeyboardInterrupt:
        again = shlex.join(["als-sim", *sys.argv[1:]])
        raise Interrupted(f"Interrupted. Finished points are kept in {asked.folder}; go on with: {again}") from None
    show_sweep(found, as_json)
    note(f"Written to {asked.folder}")
    if found.failures:
        for line in failed_text(found):
            note(line)
        raise typer.Exit(FAILED_POINTS)


def show_sweep(found: Sweep, as_json: bool) -> None:
    """Print a sweep on stdout."""
    show(document(found) if as_json else found, as_json, sweep_text)


def document(found: Sweep) -> dict[str, Any]:
    """The sweep as plain data: what each point set, its outcomes, and why points failed."""
    shown = [
        {**one.wanted._asdict(), "label": one.label, "unit": one.unit, "estimate": one.estimate, "mcse": one.mcse}
        for one in found.outcomes()
    ]
    return {
        "title": found.title,
        "patients": found.n_patients,
        "replicates": found.replicates,
        "seed": found.seed,
        "scenario_sha256": found.scenario_sha256,
        "points": found.points,
        "outcomes": shown,
        "failures": found.failures,
    }


def sweep_text(found: Sweep) -> str:
    """The outcomes point by point, or their ranges where there are many."""
    from simulator.results.notices import NOTICE
    from simulator.studies.sweep.text import table

    outcomes = found.outcomes()
    many = f"{how_many(found.n_points, 'points')}, {how_many(found.n_patients, 'patients')} in each arm"
    many += f", {found.replicates} replicates" if found.replicates > 1 else ""
    numbers = f"seed {found.seed}, {found.attrs['random_numbers']} random numbers"
    lines = [clean(found.title), *wrap(f"{many}, {numbers}", WIDTH), ""]
    lines += [*_named(outcomes), "", *side_by_side(table(found, outcomes)), *_remarks(outcomes)]
    return "\n".join([*lines, NOTICE])


def _named(outcomes: list[Outcome]) -> Iterator[str]:
    """What the letters of the table stand for."""
    from simulator.studies.sweep.text import letter

    for k, one in enumerate(outcomes):
        yield from wrap(
            f"{letter(k)}  {clean(one.label)}, {one.unit}", WIDTH, subsequent_indent="   ", break_long_words=False
        )  # fmt: skip


def _remarks(outcomes: list[Outcome]) -> Iterator[str]:
    from simulator.studies.sweep.text import about_errors

    for sentence in ["± is the Monte Carlo standard error.", *about_errors(outcomes)]:
        yield from wrap(sentence, WIDTH)


def failed_text(found: Sweep) -> Iterator[str]:
    """Points that failed, and how to try them again."""
    failures = found.failures
    yield f"{len(failures):,} of {found.n_points:,} points failed; --rerun-failed tries them again:"
    for one in failures[:LISTED]:
        what = ", ".join(f"{address} = {value}" for address, value in one.settings.items())
        yield f"  point {one.point} ({clean(what)}): {clean(one.message.splitlines()[0])}"
    if len(failures) > LISTED:
        yield f"  and {len(failures) - LISTED:,} more, in points.csv"


def forecast_text(found: Forecast) -> str:
    """What the sweep would take."""
    rows = [
        ("scenario", f"{found.scenario}: {clean(found.title)}"),
        ("method", found.method),
        ("varied", "\n".join(found.varied) or "nothing"),
        ("points", f"{found.points:,}: {found.finished:,} finished, {found.invalid:,} invalid"),
        ("each", f"{found.patients:,} patients × {len(found.arms)} arms × {found.replicates} replicates"),
        ("executor", f"{found.executor}, {found.workers} at once"),
        ("memory", f"{found.memory_mb:,} MB"),
        ("time", "nothing left to do" if found.seconds != found.seconds else f"about {duration(found.seconds)}"),
        ("folder", found.folder),
    ]
    return "\n".join(f"{key:<12}{value.replace(chr(10), chr(10) + ' ' * 12)}" for key, value in rows)


def duration(seconds: float) -> str:
    """Seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.2g} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("sweep")(sweep)
