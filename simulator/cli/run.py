"""Commands about runs: run, compare, replay, export, doctor."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from math import isfinite
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any, NamedTuple

import typer

from simulator.cli.errors import friendly
from simulator.errors import absent

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Output(StrEnum):
    """What a run keeps."""

    full = "full"
    summary = "summary"


class Format(StrEnum):
    """Kinds of tables."""

    adam = "adam"
    csv = "csv"
    parquet = "parquet"


def size(text: str) -> int:
    """Bytes of a text such as 4G, 500M or 1.5G."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if not found:
        raise typer.BadParameter(f"{text!r} is not a size; write 4G or 500M")
    return int(float(found[1]) * UNITS[found[2].upper()])


def formats(text: str) -> tuple[Format, ...]:
    """Kinds of tables from a text such as csv or adam,csv."""
    names = [name.strip() for name in text.split(",")]
    if wrong := [name for name in names if name not in Format.__members__]:
        raise typer.BadParameter(absent("kind of table", wrong[0], Format, "kinds of tables"))
    return tuple(Format[name] for name in dict.fromkeys(names))


def bundled_names() -> list[str]:
    """The names that a shell completes where a scenario is asked for; it completes files too."""
    from simulator.language.loading import bundled

    return list(bundled())


Scenario = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO", help="A scenario file, or the name of a bundled one.", autocompletion=bundled_names
    ),
]
Folder = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder for the result.")]
Patients = Annotated[int | None, typer.Option("-n", "--patients", min=1, help="Number of patients.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=2**64 - 1, help="Seed of the random numbers.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Threads; the numbers do not depend on it.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="ADDRESS=VALUE", help="Change one value of the scenario.")
]
Kept = Annotated[Output, typer.Option("--output", help="Keep every patient, or only sums (memory stays small).")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and stop.")]
Memory = Annotated[
    int | None, typer.Option("--max-memory", parser=size, metavar="SIZE", help="Refuse to take more, such as 4G.")
]
Force = Annotated[bool, typer.Option("--force", help="Write into a folder that holds something else.")]
Export = Annotated[
    Any,
    typer.Option(
        "--export", parser=formats, metavar="KIND,…", help="Write tables too: adam, csv, parquet, into DIR/KIND."
    ),
]
Draws = Annotated[
    int | None, typer.Option("--draws", min=1, help="Spread over so many parameter vectors of the ensemble.")
]


def days(text: str) -> tuple[float, ...]:
    """Days from a text such as 182,364."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(map(isfinite, found)):
        raise typer.BadParameter(f"{text!r} is not a list of days; write 182,364")
    return tuple(found)


Against = Annotated[
    str | None, typer.Option("--against", metavar="ARM", help="Set every arm against this one; default: the design's.")
]
Days = Annotated[
    Any,
    typer.Option("--days", parser=days, metavar="DAY,…", help="Days to show, with the last; default: the design's."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Whole = Annotated[bool, typer.Option("--full", help="Print every metric, day and stratum, not only the answer.")]


@friendly
def run(
    scenario: Scenario,
    *,
    out: Folder = None,
    patients: Patients = None,
    seed: Seed = None,
    threads: Threads = None,
    settings: Settings = None,
    output: Kept = Output.full,
    dry_run: DryRun = False,
    max_memory: Memory = None,
    force: Force = False,
    export: Export = None,
    draws: Draws = None,
    against: Against = None,
    days: Days = None,
    whole: Whole = False,
    as_json: Json = False,
) -> None:
    """Simulate a scenario. Files go to a folder, the answer to the terminal."""
    from simulator.studies import single_run

    kinds = tuple(map(str, export or ()))
    request = single_run.Request(
        scenario,
        out,
        patients,
        seed,
        threads,
        tuple(settings or ()),
        output.value,
        max_memory,
        force,
        kinds,
        against,
        days,
    )
    if dry_run:
        show(single_run.plan(request), as_json, tables_of("plan_text"))
        return
    from simulator.cli.progress import Progress

    with repeatable(), Progress() as progress:
        result, places = (drawn if draws else once)(request, progress, draws or 0)
    show_run(result, as_json, against, days, None if whole else places[0])
    note_basis(result)
    for place in places:
        note(f"Written to {place}")


def once(request: Any, progress: Any, draws: int) -> tuple[Any, list[Path]]:
    """One run: its result, and what was written."""
    from simulator.studies.single_run import run_to_folder

    done = run_to_folder(request, progress)
    return done.result, [done.folder, *done.tables]


def drawn(request: Any, progress: Any, draws: int) -> tuple[Any, list[Path]]:
    """A run over draws with the headline's figures, and what was written."""
    from simulator.studies.draws import run_draws

    if request.exports:
        raise typer.BadParameter("a run over draws is not exported: run once without --draws", param_hint="--export")
    found, folder = run_draws(request, draws, progress)
    return found.result, [folder]


def show_run(
    result: Any, as_json: bool, against: str | None = None, days: Any = None, answered: Path | None = None
) -> None:
    """Print a result, fresh or stored: its answer, with the folder it is in, or all of its headline.

    Of one person's twins the courses are printed; JSON has both.
    """
    from simulator.cli import answering, tables
    from simulator.measures.headline import headline
    from simulator.studies.draws import drawn
    from simulator.studies.person.portrait import is_portrait, portrait
    from simulator.studies.selection import asking

    found = asking(result, against, days)
    if not found.draws and is_portrait(found):
        from simulator.cli.person_answer import portrait_answer
        from simulator.cli.person_tables import portrait_text

        if answered and not as_json:
            return tables.tell(portrait_answer(portrait(found), answered))
        return show(portrait(found), as_json, portrait_text)
    economics = economics_of(found)
    if as_json:
        more = {} if economics is None else {"decision": economics.document}
        return show({**answering.document(found), **more}, as_json, str)
    if answered:
        tables.tell(answering.answer_text(found, answered))
    elif found.draws:
        tables.tell(tables.draws_text(drawn(found)))
    else:
        tables.tell(tables.headline_text(headline(found)))
    if economics is not None:
        tables.tell(economics.text)
    return None


class Economics(NamedTuple):
    """The base case of a decision, as text and as plain data."""

    text: str
    document: dict[str, Any]


def economics_of(result: Any) -> Economics | None:
    """The economics of a run, where its scenario has a decision; draws have theirs in `decide`."""
    from simulator.language import parse

    if result.draws or "\ndecision:" not in result.scenario:
        return None
    scenario = parse(result.scenario.encode("utf-8"), result.scenario_name)
    if scenario.decision is None:
        return None
    from simulator.cli.decision_tables import base_text
    from simulator.measures.economics import EconomicsError
    from simulator.studies.decide.base import base_case

    try:
        base = base_case(result, scenario)
    except EconomicsError as error:
        return Economics(f"\nDecision: {error}", {"refused": str(error)})
    told = {"tables": [table.content() for table in base.tables], "warnings": base.warnings}
    return Economics(base_text(base, scenario), told)


@friendly
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A result: its folder or its result.nc.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The other one.")],
    days: Days = None,
    as_json: Json = False,
) -> None:
    """Set two results side by side. B minus A, with Monte Carlo intervals."""
    from simulator.studies.compare import compare as compare_results

    show(compare_results(a, b, days), as_json, tables_of("comparison_text"))


@friendly
def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")],
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Run again from what a folder stores. Equal (exit 0), or what differs (exit 1)."""
    from simulator.cli.progress import Progress
    from simulator.studies.replay import replay as replay_folder

    with repeatable(), Progress() as progress:
        found = replay_folder(folder, threads, progress)
    show(found, as_json, tables_of("replay_text"))
    raise typer.Exit(0 if found.equal else 1)


@friendly
def export_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A result: its folder or its result.nc.")],
    to: Annotated[Format, typer.Option("--to", help="Kind of table.")] = Format.csv,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT", help="Default: DIR/KIND.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace tables that are there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a result as tables for other programs."""
    from simulator.cli.progress import Progress
    from simulator.results.export import export
    from simulator.results.folder import check_place
    from simulator.results.opening import open_run

    home = folder if folder.is_dir() else folder.parent
    if out is not None:
        check_place(out)
    with Progress(doing="writing") as progress:
        places = export(open_run(folder, lazily=True), to.value, out or home / to.value, force, progress, home=home)
    show_files(places, as_json)


@friendly
def doctor(
    licences: Annotated[
        bool, typer.Option("--licences", help="List what is needed, with versions and licences.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check this installation. Versions, cores, threads, cache, random numbers."""
    from simulator.studies.doctor import checks

    if licences:
        from simulator.studies.dependencies import dependencies

        show(
            [one._asdict() for one in dependencies()] if as_json else dependencies(),
            as_json,
            tables_of("licences_text"),
        )
        return

    found = checks()
    show(found, as_json, tables_of("checks_text"))
    raise typer.Exit(1 if any(check.passed is False for check in found) else 0)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (run, compare, replay, export_, doctor):
        app.command(command.__name__.rstrip("_"))(command)


def tables_of(name: str) -> Any:
    """A function of `simulator.cli.tables`."""
    from simulator.cli import tables

    return getattr(tables, name)


def show(value: Any, as_json: bool, text: Any) -> None:
    """Print a value on stdout: as one JSON document, or as text."""
    from simulator.cli.tables import tell
    from simulator.tables.files import without_nan

    if as_json:
        typer.echo(json.dumps(without_nan(value), ensure_ascii=False, indent=1))
    else:
        tell(text(value))


def show_files(places: Sequence[Path], as_json: bool) -> None:
    """Print what was written on stdout, a file a line."""
    show({"files": [str(place) for place in places]}, as_json, lambda found: "\n".join(found["files"]))


def note(text: str) -> None:
    """Print a note on stderr."""
    typer.echo(text, err=True)


def note_basis(result: Any) -> None:
    """Say on stderr what a result's scenario rests on."""
    from simulator.report.content import stored_scenario
    from simulator.report.evidence import evidence

    scenario, _ = stored_scenario(result)
    if scenario:
        note(fill(evidence(scenario).sentence(), 80, subsequent_indent="  "))


def note_doubts(scenario: Any) -> None:
    """Say on stderr which numbers of a scenario are probably slips of a unit."""
    from simulator.language.plausible import doubts

    for fault in doubts(scenario):
        note(f"Warning: {fault}")


def note_versions(folder: Path | None) -> None:
    """Say on stderr that a study goes on which other versions began."""
    from simulator.execution.version_check import resumed_versions

    for line in resumed_versions(folder) if folder else ():
        note(line)


@contextmanager
def repeatable() -> Iterator[None]:
    """Answer Ctrl-C with exit code 130 and the command that runs it again; nothing half written is left."""
    try:
        yield
    except KeyboardInterrupt:
        note(f"Interrupted; nothing was written. Again: {shlex.join(['als-sim', *sys.argv[1:]])}")
        raise typer.Exit(130) from None
