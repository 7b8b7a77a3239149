"""Earlier controls in a file of their own, or as plain data: the words are those of the scenario's section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from simulator.errors import SimulatorError
from simulator.language.blocks.earlier_controls import EarlierControls, filled
from simulator.language.document import Document, read
from simulator.language.explain import explain
from simulator.language.faults import Origin, Problem, ScenarioError, printable
from simulator.quantities import Part


class Told(Part):
    """A file of earlier controls."""

    earlier_controls: list[EarlierControls] = Field(min_length=1, max_length=50)


def earlier_controls(source: str | Path | Sequence[Mapping[str, Any]]) -> list[EarlierControls]:
    """The earlier controls of a YAML file with the key `earlier_controls`, or of its plain data.

    Raises
    ------
    ScenarioError
        What is wrong, with file, line and column.
    """
    folders = [Path()]
    if isinstance(source, str | Path):
        place = Path(source)
        folders.insert(0, place.parent)
        try:
            document = read(place.read_bytes(), str(source))
        except OSError as error:
            raise SimulatorError(f"{printable(source)}: {error.strerror}. Name a YAML file") from None
    else:
        document = Document({"earlier_controls": [*source]}, Origin("earlier_controls", {}, {}), [], [])
    data, found = document.data, []
    groups = data.get("earlier_controls")
    for k, one in enumerate(groups if isinstance(groups, list) else []):
        try:
            groups[k] = filled(one, folders)
        except FileNotFoundError as error:
            fact = f"there is no file {printable(error.args[0])}"
            found.append(Problem(("earlier_controls", k), fact, "Files lie beside this one"))
        except SimulatorError as error:
            fact = f"the data cannot be used: {error}"
            found.append(Problem(("earlier_controls", k), fact, "als-sim data check shows them"))
    try:
        told = Told.model_validate(data)
    except ValidationError as error:
        wrong = explain(error.errors(include_url=False), data, Told, [])
        known = {problem.path for problem in found}
        found += [one for one in wrong if not any(one.path[: len(path)] == path for path in known)]
    if found or document.faults:
        raise ScenarioError([*document.faults, *map(document.origin.fault, found)])
    return told.earlier_controls
