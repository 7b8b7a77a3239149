"""Published values as YAML, each with source and evidence grade.

A file is an entry: its name is the file's stem, `kind` says what it describes (one of KINDS),
`sources` lists citations under short keys that the values refer to as `key; place in the paper`.
A value with `calibrated: NAME` is where calibration starts: the entry has the calibrated value of that name instead.
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
    if _files().get(name, ("", ""))[0] != kind:
        raise CatalogError(kind, name)
    data = written(name)
    if kind == "calibration":
        return data
    marked: dict[str, Mapping[str, Any]] = {}
    _collect(data, marked)
    every = (entry("calibration", one) for one in names("calibration"))
    calibrated = [one for one in every if marked.keys() & one["values"].keys()]
    found: Mapping[str, Any] = _fitted(data, {key: one for part in calibrated for key, one in part["values"].items()})
    sources = {key: text for part in calibrated for key, text in part["sources"].items()}
    return found if found == data else {**found, "sources": {**found["sources"], **sources}}


@cache
def starting() -> Mapping[str, Mapping[str, Any]]:
    """The values from which calibration starts, as the entries have them written, by the calibrated value's name."""
    found: dict[str, Mapping[str, Any]] = {}
    for name in _files():
        _collect(written(name), found)
    return found


@cache
def written(name: str) -> Any:
    """An entry as its file has it, with the values from which calibration starts, its citations written out."""
    from ruamel.yaml import YAML

    data = YAML(typ="safe", pure=True).load(_files()[name][1])
    return _cite(data, data["sources"])


def _collect(node: Any, found: dict[str, Mapping[str, Any]]) -> None:
    if not isinstance(node, dict):
        return
    if "calibrated" in node and "value" in node:
        found[node["calibrated"]] = {key: part for key, part in node.items() if key != "calibrated"}
    for part in node.values():
        _collect(part, found)


def _fitted(node: Any, values: Mapping[str, Mapping[str, Any]]) -> Any:
    """The data with calibrated values in place of those from which calibration starts.

    A value of which the published rows say next to nothing keeps the grade of the starting value.
    """
    if isinstance(node, list):
        return [_fitted(item, values) for item in node]
    if not isinstance(node, dict):
        return node
    if "calibrated" not in node or "value" not in node:
        return {key: _fitted(value, values) for key, value in node.items()}
    fitted = values[node["calibrated"]]
    basis = "; ".join(str(node[key]) for key in ("evidence", "source", "note") if key in node)
    low, high = fitted["interval"]
    note = f"{low:g} to {high:g} in 90 % of the ensemble; {fitted['note']}, {basis}"
    kept = ("unit", "prior") if fitted["evidence"] == "calibrated" else ("unit", "prior", "evidence", "read_in_source")
    return {**fitted, **{key: part for key, part in node.items() if key in kept}, "note": note}


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
