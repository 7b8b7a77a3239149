"""The bundled scenarios for people: what there is, what each says, and a copy to begin with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from simulator.errors import SimulatorError
from simulator.language.document import read
from simulator.language.faults import Path, address, near
from simulator.language.graded import KEYS as GRADE
from simulator.language.graded import Graded
from simulator.language.loading import bundled
from simulator.language.scenario import Scenario
from simulator.language.schema import schema
from simulator.quantities import Part, Quantity
from simulator.writing import text_writer, write_all

SCHEMA_FILE = "scenario.schema.json"
MODELINE = f"# yaml-language-server: $schema=./{SCHEMA_FILE}\n"
SHAPE_KEYS = ("value", "mean", "sd", "median", "low", "high", "min", "max", "normal", "lognormal", "uniform")
UNITS = {
    "days": "d", "day": "d", "months": "months", "years": "years", "mg": "mg",
    "points": "points", "percent": "% predicted", "per_year": "1/year",
}  # fmt: skip
SUFFIX = re.compile(r"(?:^|_)(per_year|days?|months|years|mg|points|percent)(?:_(?:min|max))?$")


class Title(NamedTuple):
    """A bundled scenario in a list."""

    name: str
    title: str
    question: str


class Value(NamedTuple):
    """One value of a complete scenario; evidence is None for choices, which need none."""

    address: str
    value: Any
    unit: str | None
    evidence: str | None
    source: str | None
    note: str | None
    read_in_source: bool | None = None

    @property
    def number(self) -> str:
        """The value as text."""
        if self.value is None:
            return "no number"
        return f"{self.value:g}" if isinstance(self.value, float) else str(self.value)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        about = "; ".join(
            part
            for part in (
                self.evidence,
                self.source,
                "recalled, not read in the source" if self.read_in_source is False else None,
                self.note,
            )
            if part
        )
        return f"{self.address} = {self.number}{unit}" + (f"  [{about}]" if about else "")


class ExistsError(SimulatorError):
    """A file stands where one should be written."""

    exit_code = 2


def titles() -> list[Title]:
    """Name, title and question of every bundled scenario."""
    found = []
    for name, file in bundled().items():
        data = read(file.read_bytes(), name).data
        found.append(Title(name, data["title"], data.get("context_of_use", {}).get("question", "")))
    return found


def values(scenario: Scenario) -> list[Value]:
    """Every value of a scenario with its unit, evidence and source, in the order of the file."""
    return list(_values(scenario, (), None))


def _values(node: Any, path: Path, unit: str | None) -> Iterator[Value]:
    """The values below a node; the unit of a key holds for the numbers of its distribution."""
    if isinstance(node, Quantity):
        last = path[-1] if path else ""
        own = node.unit or (None if last == "log_sd" else unit)
        yield Value(address(path), node.value, own, node.evidence, node.source, node.note, node.read_in_source)
    elif isinstance(node, (Part, dict)):
        if isinstance(node, Graded):
            yield from _graded(node, path)
        items = node.items() if isinstance(node, dict) else ((k, getattr(node, k)) for k in type(node).model_fields)
        left = (*GRADE, *node.PLAIN) if isinstance(node, Graded) else ()
        for key, part in ((key, part) for key, part in items if key not in left):
            inside = path if key == "number" else (*path, key)
            yield from _values(part, inside, unit if key in SHAPE_KEYS or key == "number" else unit_of(key) or None)
    elif isinstance(node, list) and any(isinstance(part, (Part, dict)) for part in node):
        for number, part in enumerate(node):
            yield from _values(part, (*path, number), None)
    elif node is not None:
        yield Value(address(path), node, unit, None, None, None)


def _graded(node: Graded, path: Path) -> Iterator[Value]:
    """The plain values of a section, with their grades."""
    for key in node.PLAIN:
        grade = node.grade(key)
        yield Value(address((*path, key)), getattr(node, key), unit_of(key) or None, grade.evidence, grade.source, None)


def unit_of(key: str) -> str:
    """The unit that a key ends with, or ""."""
    found = SUFFIX.search(key)
    return UNITS[found[1]] if found else ""


def file_of(name: str) -> FilePath:
    """The file of a new scenario."""
    return FilePath(name if name.endswith((".yaml", ".yml")) else name + ".yaml")


def start(name: str, source: str, force: bool = False) -> list[FilePath]:
    """Copy a bundled scenario, with the schema beside it for the editor.

    Parameters
    ----------
    name : str
        The new file, with or without `.yaml`.
    source : str
        The bundled scenario to begin with.
    force : bool
        Replace files that exist.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ExistsError
        A file exists and says something else.
    """
    if source not in bundled():
        meant = near(source, bundled())
        hint = f"Did you mean {meant}?" if meant else f"There are {', '.join(bundled())}"
        raise ExistsError(f"there is no bundled scenario {source!r}. {hint}")
    target = file_of(name)
    text = bundled()[source].read_text(encoding="utf-8")
    rest = (line for line in text.splitlines(keepends=True) if "yaml-language-server" not in line)
    files = {
        target: MODELINE + "".join(rest),
        target.parent / SCHEMA_FILE: json.dumps(schema(), indent=1) + "\n",
    }
    for file, content in files.items():
        if file.exists() and not force and (file == target or file.read_text(encoding="utf-8") != content):
            raise ExistsError(f"{file} exists. Choose another name, or add --force")
    write_all(target.parent, [(file.name, text_writer(content)) for file, content in files.items()])
    return list(files)
