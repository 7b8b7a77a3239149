"""The command of a decision: decide."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import DryRun, Force, Json, Patients, Scenario, Seed, Settings, note, note_versions, show
from simulator.errors import SimulatorError
from simulator.tables.text import clean

if TYPE_CHECKING:
    from simulator.studies.decide.result import Decided
    from simulator.studies.decide.study import Request

Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder; a second start goes on there.")]
Draws = Annotated[int | None, typer.Option("--draws", min=2, help="Draws of everything uncertain; usual: 300.")]
DrawPatients = Annotated[int | None, typer.Option("--draw-patients", min=2, help="Patients in each run of a draw.")]
Replicates = Annotated[int | None, typer.Option("--replicates", min=1, help="Runs of each draw; usual: 2.")]
Where = Annotated[str, typer.Option("--executor", help="threads, processes or dask://host:port.")]
Excel = Annotated[bool, typer.Option("--excel", help="Write every table into decision.xlsx too; needs openpyxl.")]


class Interrupted(SimulatorError):
    """Stopped by the person; the message says how to go on."""

    exit_code = 130


@friendly
def decide(
    scenario: Scenario,
    *,
    out: Out = None,
    patients: Patients = None,
    draws: Draws = None,
    draw_patients: DrawPatients = None,
    replicates: Replicates = None,
    seed: Seed = None,
    settings: Settings = None,
    executor: Where = "threads",
    excel: Excel = False,
    force: Force = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """What treatments cost and give: the block `decision`.

    The base case, a probabilistic analysis and the value of information.
    """
    from simulator.language import load, parse_setting
    from simulator.studies.decide.study import Request, folder_of

    amounts = {"draws": draws, "replicates": replicates, "draw_patients": draw_patients, "seed": seed}
    given: dict[str, Any] = {name: value for name, value in amounts.items() if value is not None}
    asked = Request(load(scenario, dict(map(parse_setting, settings or []))), out, patients, **given)
    asked = replace(asked, folder=out or folder_of(asked), executor=executor, force=force)
    if dry_run:
        from simulator.studies.decide.forecast import plan_of

        show(plan_of(asked), as_json, plan_text)
        return
    note_versions(asked.folder)
    found = _run(asked, excel)
    show_decision(found, as_json)


def plan_text(plan: Any) -> str:
    """What would be run."""
    from simulator.cli.sweep import duration

    again = f", and {plan.scenarios} scenarios again" if plan.scenarios else ""
    rows = [
        ("scenario", f"{plan.scenario}: {clean(plan.title)}"),
        ("options", clean(", ".join(plan.options))),
        ("base case", f"{plan.patients:,} patients an option{again}"),
        ("draws", f"{plan.draws:,} of {plan.uncertain} uncertain values"),
        ("runs", f"{plan.runs:,} of {plan.draw_patients:,} patients an option, on {plan.executor}"),
        ("memory", f"{plan.memory_mb:,} MB"),
        ("time", f"about {duration(plan.seconds)} from the start"),
        ("folder", plan.folder),
    ]
    return "\n".join(f"{key:<12}{value}" for key, value in rows)


def show_decision(found: Decided, as_json: bool) -> None:
    """Print a decision on stdout."""
    from simulator.cli.decision_tables import decision_text

    show(found.content() if as_json else found, as_json, decision_text)


def _run(asked: Request, excel: bool) -> Decided:
    """Simulate, write the folder with pictures, report and Excel file."""
    from simulator.cli.progress import Progress
    from simulator.execution.version_check import keeping
    from simulator.results.kinds import DECISION
    from simulator.studies.decide.study import run

    try:
        with Progress("points") as progress:
            found = run(asked, progress)
    except KeyboardInterrupt:
        again = shlex.join(["als-sim", *sys.argv[1:]])
        raise Interrupted(f"Interrupted. What was simulated is kept; go on with: {again}") from None
    assert asked.folder is not None
    with keeping(asked.folder, DECISION):
        _draw(found, asked.folder, excel)
    note(f"Written to {asked.folder}")
    return found


def _draw(found: Decided, folder: Path, excel: bool) -> None:
    """Pictures, report and Excel file of a decision in its folder."""
    from simulator.report.page import write_report
    from simulator.results.files import bytes_writer, write_all
    from simulator.results.folder import add_made

    pictures = {kind: folder / f"{kind}.svg" for kind in found.plot.kinds}
    report, workbook = folder / "report.html", folder / "decision.xlsx"
    add_made(folder, [*pictures.values(), report, *[workbook] * excel])
    for kind, place in pictures.items():
        found.plot.draw(kind).save(place)
    write_report(found, report)
    if excel:
        write_all(folder, [(workbook.name, bytes_writer(found.excel()))])


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("decide")(decide)
