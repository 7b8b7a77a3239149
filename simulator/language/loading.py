"""A file or the name of a bundled scenario to a complete, checked `Scenario`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path as FilePath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from simulator import plugins
from simulator.errors import SimulatorError
from simulator.language import (  # noqa: F401 - they register their checks
    check_comparisons,
    check_data,
    check_decision,
    check_eligible,
    check_estimand,
    check_life,
    check_model,
    check_trial,
    contrasts,
    person_checks,
    sweeping,
)
from simulator.language.alternatives import alternatives
from simulator.language.blocks import earlier_controls
from simulator.language.blocks.entering import filled
from simulator.language.check import problems
from simulator.language.document import MAX_BYTES, Document, read
from simulator.language.explain import explain
from simulator.language.faults import Fault, Origin, Path, Problem, ScenarioError, near, printable
from simulator.language.resolve import renamed, resolve
from simulator.language.scenario import SCHEMA_VERSION, Scenario, know_registered

Migration = Callable[[dict[str, Any]], dict[str, Any]]
MIGRATIONS: dict[int, Migration] = {}  # from a version to the next


def load(source: str | os.PathLike[str], overrides: Mapping[str, object] | None = None) -> Scenario:
    """A scenario from a file, or a bundled one by its name.

    Parameters
    ----------
    source : str or path
        A file, or a name such as `valor` or `analytic/constant_m`.
    overrides : mapping, optional
        Address to value, as `Scenario.replace` takes it.

    Returns
    -------
    Scenario
        Complete and checked.

    Raises
    ------
    ScenarioError
        With all faults, each with its place.

    Examples
    --------
    >>> import simulator as sim
    >>> scenario = sim.load("valor", {"patients": 500})
    >>> scenario.patients, list(scenario.arms)
    (500, ['untreated', 'early_start', 'delayed_start'])
    """
    file = find(source)
    name = os.fspath(source) if file == FilePath(source) else f"{os.fspath(source)}.yaml"
    scenario = parse(_bytes(file), name)
    scenario = scenario.replace(overrides) if overrides else scenario
    alternatives(scenario)
    return scenario


def parse(content: bytes, name: str) -> Scenario:
    """A scenario from the content of a file; `name` is what faults call it.

    Raises
    ------
    ScenarioError
        With all faults, each with its place.
    """
    document = read(content, name)
    if not isinstance(document.data, Mapping):
        problem = Problem((), "a scenario is a section with keys", "Begin with schema_version: 1")
        raise ScenarioError([document.origin.fault(problem)])
    return build(document.data, document)


def build(data: Mapping[str, Any], document: Document) -> Scenario:
    """Plain data, in the human or the complete form, to a scenario; all faults at once.

    Parameters
    ----------
    data : mapping
        What the scenario says.
    document : Document
        Where it was read from, and what was wrong already.
    """
    plugins.load()
    know_registered()
    found: list[Problem] = []
    current = _migrate(data, found)
    full = _with_data(resolve(current, found.append), document.origin, found)
    muted = [problem.path[:-1] for problem in found if problem.path[-1:] in (("catalog",), ("model",))]
    reported = [problem.path for problem in found] + document.paths
    scenario, more = _validate(full, muted, reported)
    found += more
    if found or document.faults or scenario is None:
        raise ScenarioError([*document.faults, *(_placed(problem, document.origin, data) for problem in found)])
    scenario._origin = document.origin
    return scenario


Scenario._build = build


def _placed(problem: Problem, origin: Origin, data: Any) -> Fault:
    """The problem with its place; the address is that of the complete form."""
    written = renamed(problem.path, data)
    return origin.fault(problem._replace(path=written))._replace(address=origin.fault(problem).address)


def _migrate(data: Mapping[str, Any], found: list[Problem]) -> dict[str, Any]:
    """The data in the words of the present schema version."""
    current = dict(data)
    version = current.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int):
        return current
    if version > SCHEMA_VERSION:
        fact = f"schema version {version} is newer than this program, which reads version {SCHEMA_VERSION}"
        found.append(Problem(("schema_version",), fact, "Update the program"))
        return current | {"schema_version": SCHEMA_VERSION}
    while version in MIGRATIONS and version < SCHEMA_VERSION:
        current = MIGRATIONS[version](current)
        version += 1
    return current


def _validate(full: dict[str, Any], muted: list[Path], reported: list[Path]) -> tuple[Scenario | None, list[Problem]]:
    """The scenario, or the problems of the schema and of every check that can still be made.

    What is wrong because of a problem that was reported already is left out.
    """
    faulty = {str(path[0]) for path in (*muted, *reported) if path}
    try:
        scenario = Scenario.model_validate(full)
    except ValidationError as error:
        silent = [*muted, *(path[:-1] for path in reported if path[-1:] == ("<<",))]
        found = explain(error.errors(include_url=False), full, Scenario, silent)
        found = [problem for problem in found if not any(problem.path[: len(path)] == path for path in reported)]
        faulty |= {str(problem.path[0]) for problem in found if problem.path}
        return None, found + _partial_checks(full, faulty)
    return scenario, problems(scenario, faulty)


def _with_data(full: dict[str, Any], origin: Origin, found: list[Problem]) -> dict[str, Any]:
    """What `entry.data` and `trial.earlier_controls` take from files beside the scenario's, the bundled or here."""
    inside = bundled().get(origin.file.removesuffix(".yaml"))
    folders = [FilePath(origin.file).parent, *([inside.parent] if inside else []), FilePath()]

    def read(section: Any, path: Path, fill: Callable[[Any, Sequence[FilePath]], Any]) -> Any:
        try:
            return fill(section, folders)
        except FileNotFoundError as error:
            fact, remedy = f"there is no file {printable(error.args[0])}", "Files lie beside the scenario"
            found.append(Problem(path, fact, remedy))
        except SimulatorError as error:
            found.append(Problem(path, f"the data cannot be used: {error}", "als-sim data check shows them"))
        return section

    entry, trial = full.get("entry"), full.get("trial")
    if isinstance(entry, Mapping) and entry.get("data") is not None:
        full = full | {"entry": {**entry, "data": read(entry["data"], ("entry", "data"), filled)}}
    if isinstance(trial, Mapping) and isinstance(trial.get("earlier_controls"), list):
        each = enumerate(trial["earlier_controls"])
        groups = [read(one, ("trial", "earlier_controls", k), earlier_controls.filled) for k, one in each]
        full = full | {"trial": {**trial, "earlier_controls": groups}}
    return full


def _required(key: str) -> bool:
    """True for the core keys."""
    return Scenario.model_fields[key].is_required()


def _partial_checks(full: dict[str, Any], faulty: set[str]) -> list[Problem]:
    """The checks of the sections that are in order although others are not."""
    parts: dict[str, Any] = {}
    for key, field in Scenario.model_fields.items():
        if key in faulty or key not in full:
            continue
        try:
            parts[key] = TypeAdapter(field.rebuild_annotation()).validate_python(full[key])
        except ValidationError:
            faulty.add(key)
    missing = {key for key in Scenario.model_fields if _required(key) and key not in parts}
    return problems(Scenario.model_construct(**parts), faulty | missing)


def find(source: str | os.PathLike[str]) -> FilePath:
    """The file that a path or a bundled name stands for."""
    path, name = FilePath(source), os.fspath(source)
    try:
        if path.exists() and not (path.is_dir() and name in bundled()):  # a run's folder may be named like its scenario
            return path
    except (OSError, ValueError) as error:
        fact = f"the file cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ScenarioError([Fault(printable(name), 1, 1, "scenario", fact, "Name a scenario file")]) from None
    if name in bundled():
        return bundled()[name]
    meant = _with_ending(path) or near(name, bundled())
    remedy = f"Did you mean {meant}?" if meant else "als-sim list shows the bundled scenarios"
    fact = "there is no such file" if path.suffix or os.sep in name else "there is no such file or bundled scenario"
    raise ScenarioError([Fault(printable(name), 1, 1, "scenario", fact, remedy)])


def _with_ending(path: FilePath) -> str:
    """The scenario file that a path names but for its ending, or ""."""
    files = (path.parent / f"{path.name}{ending}" for ending in (".yaml", ".yml"))
    return next((printable(file) for file in files if os.path.isfile(file)), "")


def bundled() -> dict[str, FilePath]:
    """The scenarios that come with the program, by name; those with closed-form answers as `analytic/NAME`."""
    inside = FilePath(str(resources.files("simulator"))) / "scenarios"
    folder = inside if inside.is_dir() else inside.parents[1] / "scenarios"
    found = {str(file.relative_to(folder).with_suffix("").as_posix()): file for file in folder.rglob("*.yaml")}
    return dict(sorted(found.items(), key=lambda item: ("/" in item[0], item[0])))


def _bytes(file: FilePath) -> bytes:
    """The file's content, or why it cannot be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        fact = "this is a folder, not a file" if file.is_dir() else f"the file cannot be read: {error.strerror}"
        meant = _with_ending(file)
        remedy = f"Did you mean {meant}?" if meant else "Name a scenario file"
        raise ScenarioError([Fault(printable(file), 1, 1, "scenario", fact, remedy)]) from None
