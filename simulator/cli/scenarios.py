"""Commands about scenarios: init, list, show, schema, validate."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import Against, Days, bundled_names, note, show_files

FIRST_BYTES = 200
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def _print(text: str) -> None:
    """Results go to stdout."""
    sys.stdout.write(text + "\n")


def _print_json(data: Any) -> None:
    _print(json.dumps(data, indent=2, ensure_ascii=False))


@friendly
def init(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The new file; default: that of --from.")] = None,
    source: Annotated[
        str, typer.Option("--from", metavar="BUNDLED", help="A name from als-sim list.", autocompletion=bundled_names)
    ] = "valor",
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    as_json: Json = False,
) -> None:
    """Begin a scenario with a copy of a bundled one. Its schema lies beside it."""
    from simulator.language.listing import file_of, start
    from simulator.results.folder import check_file

    name = name or source.rsplit("/", 1)[-1]
    check_file(file_of(name))
    show_files(start(name, source, force), as_json)


@friendly
def list_(as_json: Json = False) -> None:
    """The bundled scenarios: name, title and question."""
    from simulator.language.listing import titles

    found = titles()
    if as_json:
        return _print_json([item._asdict() for item in found])
    width = max(len(item.name) for item in found)
    for item in found:
        gap = " " * (width + 2)
        _print(fill(item.title, 80, initial_indent=f"{item.name:{width}}  ", subsequent_indent=gap))
        _print(fill(item.question, 80, initial_indent=gap, subsequent_indent=gap, break_on_hyphens=False))
    return None


@friendly
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A bundled scenario or a file; or of the catalog: an entry (sod1, tofersen), "
            "facts, curves, claims, or the id of a row (VAL-14); or the folder of a run, a trial, a sweep or an "
            "analysis.",
            autocompletion=bundled_names,
        ),
    ],
    *,
    cited: Annotated[bool, typer.Option("--citations", help="Only the sources of its values, to be cited.")] = False,
    against: Against = None,
    days: Days = None,
    as_json: Json = False,
) -> None:
    """Every value of a scenario or of the catalog; or a result. With unit, evidence and source."""
    from simulator.language.catalogued import look_up
    from simulator.language.loading import bundled

    stored = name not in bundled() and _is_result(Path(name))
    if cited:
        return _show_citations(name, stored, as_json)
    if stored:
        return _show_result(Path(name), as_json, against, days)
    found = look_up(name)
    if as_json:
        return _print_json(found.content())
    for value in found.values:
        _print_long(str(value))
    if found.scenario:
        from simulator.report.evidence import evidence

        note(fill(evidence(found.scenario).sentence(), 80, subsequent_indent="  "))
    return None


def _is_result(path: Path) -> bool:
    """Whether a name is that of a folder, or of a file of a study: netCDF, or a document that says so first."""
    if path.suffix != ".json" or not path.is_file():
        return path.is_dir() or (path.suffix == ".nc" and path.is_file())
    return b'"format": "als-simulator ' in path.read_bytes()[:FIRST_BYTES]


def _print_long(text: str) -> None:
    """A line, to be searched where it is piped; on a terminal within 80 columns."""
    if sys.stdout.isatty():
        text = fill(text, 80, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    _print(text)


def _show_citations(name: str, stored: bool, as_json: bool) -> None:
    found = _citations_of(Path(name)) if stored else _citations(name)
    if as_json:
        return _print_json({"citations": found})
    for one in found:
        _print_long(one)
    return None


def _show_result(folder: Path, as_json: bool, against: str | None, days: Any) -> None:
    """What the command that made the folder printed; of a run with the pairs and days asked for."""
    from simulator.cli.data import show_analysed
    from simulator.cli.decide import show_decision
    from simulator.cli.fit import show_fit
    from simulator.cli.report import asked
    from simulator.cli.run import show_run
    from simulator.cli.sensitivity import show_sensitivity
    from simulator.cli.sweep import show_sweep
    from simulator.cli.trial import show_trial
    from simulator.cli.twins import show_twins
    from simulator.results import open_study

    found = asked(open_study(folder), against, days)
    shown: dict[str, Any] = {
        "run": show_run,
        "trial": show_trial,
        "sweep": show_sweep,
        "sensitivity": show_sensitivity,
        "twins": show_twins,
        "decision": show_decision,
        "analyses": show_analysed,
        "fit": show_fit,
    }
    shown[found.kind.name](found, as_json)


@friendly
def schema() -> None:
    """The JSON Schema of a scenario. Editors complete and check with it."""
    from simulator.language.schema import schema as make

    _print_json(make())


@friendly
def validate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="Scenario files, or names of bundled ones.", autocompletion=bundled_names
        ),
    ],
    as_json: Json = False,
) -> None:
    """Check scenario files. All faults at once, as file:line:col: address: fact. remedy.

    Numbers that are probably slips of a unit are warnings: the file is valid.
    """
    from simulator.language import ScenarioError, load
    from simulator.language.plausible import doubts

    faults, doubted = [], []
    for file in files:
        try:
            found = doubts(load(file))
        except ScenarioError as error:
            faults += error.errors
        else:
            doubted += found
            if not as_json:
                _print(f"{file}: valid")
    if as_json:
        told = {name: [one._asdict() for one in some] for name, some in (("faults", faults), ("warnings", doubted))}
        _print_json({"valid": not faults, **told})
        raise typer.Exit(ScenarioError.exit_code if faults else 0)
    sys.stderr.writelines(f"Warning: {one}\n" for one in doubted)
    if faults:
        raise ScenarioError(faults)


def _citations(name: str) -> list[str]:
    """The sources of a scenario or of what the catalog has under a name, without the places in them, each once."""
    from simulator.language.catalogued import look_up

    found = look_up(name)
    if found.scenario is not None:
        return list(found.scenario.citations())
    return list(dict.fromkeys(value.source.partition("; ")[0] for value in found.values if value.source))


def _citations_of(folder: Path) -> list[str]:
    """The sources of the values that a run, a trial, a sweep or a sensitivity analysis used."""
    from simulator.language import parse
    from simulator.results import GroupedResult, open_study

    study = open_study(folder)
    if isinstance(study, GroupedResult) and "citations" in study.attrs:
        cited: list[str] = json.loads(study.attrs["citations"])
        return cited
    return list(parse(study.scenario.encode("utf-8"), study.scenario_name).citations())


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("init")(init)
    app.command("list")(list_)
    app.command("show")(show)
    app.command("schema")(schema)
    app.command("validate")(validate)
