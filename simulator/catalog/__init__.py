"""Published values as YAML, each with source and evidence grade.

A file is an entry: its name is the file's stem, `kind` says what it describes (one of KINDS),
`sources` lists citations under short keys that the values refer to as `key; place in the paper`.
What was published, and what the article claims, lies in `evidence/` (see `facts` and `claims`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from simulator.errors import SimulatorError

KINDS = ("disease", "treatment", "measurement", "care", "safety", "utility", "cost", "calibration")
KIND_LINE = re.compile(r"^kind: *(\w+)", re.MULTILINE)


class CatalogError(SimulatorError):
    """The catalog has no such entry; `names` are those it has, `close` the nearest one or ""."""

    exit_code = 2

    def __init__(self, kind: str, name: str) -> None:
        self.names = names(kind)
        self.close = next(iter(difflib.get_close_matches(name, self.names, n=1)), "")
        super().__init__(f"the catalog has no {kind} '{name}'")


@cache
def _files() -> dict[str, tuple[str, str]]:
    """Kind and text of every entry, by name."""
    found = {}
    for file in resources.files(__name__).iterdir():
        if file.name.endswith(".yaml"):
            text = file.read_text(encoding="utf-8")
            kind = KIND_LINE.search(text)
            assert kind is not None, file.name
            found[file.name.removesuffix(".yaml")] = kind[1], text
    return dict(sorted(found.items()))


def names(kind: str) -> list[str]:
    """The names of all entries of a kind."""
    return [name for name, (its_kind, _) in _files().items() if its_kind == kind]


@cache
def entry(kind: str, name: str) -> Mapping[str, Any]:
    """One entry as plain data, its citations written out; read once, never to be changed.

    Parameters
    ----------
    kind : str
        One of KINDS.
    name : str
        The file's stem: `sod1`, `tofersen`, `measurement`.

    Raises
    ------
    CatalogError
        The catalog has no such entry of this kind.
    """
    from ruamel.yaml import YAML

    its_kind, text = _files().get(name, ("", ""))
    if its_kind != kind:
        raise CatalogError(kind, name)
    data = YAML(typ="safe", pure=True).load(text)
    return _cite(data, data["sources"])


def _cite(node: Any, sources: Mapping[str, str]) -> Any:
    """The data with `source: key; place` replaced by the citation and the place."""
    if isinstance(node, list):
        return [_cite(item, sources) for item in node]
    if not isinstance(node, dict):
        return node
    cited = {key: _cite(value, sources) for key, value in node.items()}
    if isinstance(cited.get("source"), str):
        key, semicolon, place = cited["source"].partition(";")
        cited["source"] = sources[key] + semicolon + place
    return cited
