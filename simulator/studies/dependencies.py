"""Which distributions this program needs, and their licences: read from what is installed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

NAME = "als-simulator"
USED = ("", "tables", "excel", "sensitivity", "cluster")
"""What is needed always, and the extras for users; those for developers are in `requirements.lock`."""
PREFIX = "License :: OSI Approved :: "
REQUIREMENT = re.compile(r"^([\w.-]+)\s*(?:\[[^\]]*\])?[^;]*(?:;(.*))?$")
EXTRA = re.compile(r"""extra\s*==\s*["']([\w.-]+)["']""")


class Dependency(NamedTuple):
    """A distribution that is installed: what needs it first, by which extra (empty: always), and its licence."""

    name: str
    version: str
    licence: str
    extra: str
    needed_by: str


def dependencies() -> list[Dependency]:
    """Everything that is needed, directly or not, and installed; by name."""
    found: dict[str, Dependency] = {}
    for extra in USED:
        waiting = [(name, NAME) for name in _required(NAME, extra)]
        while waiting:
            name, needed_by = waiting.pop(0)
            if name in found or (made := _read(name, extra, needed_by)) is None:
                continue  # for another system, or an extra that is not installed
            found[name] = made
            waiting += [(one, name) for one in _required(name, "")]
    return sorted(found.values())


def _required(name: str, extra: str) -> Iterator[str]:
    """The names that a distribution requires always, or for an extra."""
    for text in _own() if name == NAME else metadata.requires(name) or []:
        if parts := REQUIREMENT.match(text):
            wanted = EXTRA.search(parts[2] or "")
            if (wanted[1] if wanted else "") == extra:
                yield _normal(parts[1])


def _own() -> list[str]:
    """What this program requires, by its metadata, or by the project file where the tree is not installed."""
    try:
        return metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
        extras = project["optional-dependencies"].items()
        return project["dependencies"] + [f'{text}; extra == "{extra}"' for extra, texts in extras for text in texts]


def _normal(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(name: str, extra: str, needed_by: str) -> Dependency | None:
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    return Dependency(name, about["Version"], licence(about), extra, needed_by)


def licence(about: metadata.PackageMetadata) -> str:
    """The licence that the metadata state: an SPDX expression, a classifier, or the first line of a text."""
    named = [one.removeprefix(PREFIX) for one in about.get_all("Classifier") or [] if one.startswith(PREFIX)]
    stated = {key: about[key] for key in ("License-Expression", "License") if key in about}
    first = stated.get("License", "").strip().partition("\n")[0]
    return stated.get("License-Expression") or " and ".join(named) or first or "not stated"
