"""Addresses of the complete scenario: dotted paths, lists by index."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from simulator.catalog import entry, names
from simulator.language.blocks.sensitivity import ECONOMIC
from simulator.language.calibrated import KEY, NAMES, starting_settings
from simulator.language.dump import content
from simulator.language.faults import Fault, Origin, Path, Problem, ScenarioError, near, printable, suggest
from simulator.language.graded import rewrite
from simulator.language.resolve import resolve
from simulator.language.shape import expected
from simulator.models import MODELS

HGVS = re.compile(r"[a-z]\.[^.]+")  # a new variant's name has a dot in it


def apply(data: dict[str, Any], settings: Mapping[str, object], origin: Origin, schema: type) -> dict[str, Any]:
    """The complete data with other values at some addresses: set in order, each in what the last left.

    What is set may name the catalog or a model as a file does. A bare share leaves its variant's rest alone. A question
    (block `decision` or `sensitivity`) about arms or days that are gone goes with them, unless it is set too: no run
    reads it. So does a `control` that is gone. `values: starting` puts back the values from which
    calibration starts, where the scenario holds the calibrated ones.

    Parameters
    ----------
    data : dict
        The complete scenario as plain data.
    settings : mapping
        Address to value.
    origin : Origin
        Where the scenario was read from, for the faults.
    schema : type
        The class of the whole, `Scenario`.

    Raises
    ------
    ScenarioError
        An address leads nowhere, or a name is not in the catalog.
    """
    faults: list[Fault] = []
    touched: list[Path] = []
    for address, value in settings.items():
        found: list[Problem] = []
        try:
            for one, part in _named(data, str(address), plain(value)):
                data = _applied(data, (one, part, schema), touched, found)
        except LookupError as error:
            found.append(error.args[0])
        faults += [origin.fault(problem)._replace(address=printable(address)) for problem in found]
    if faults:
        raise ScenarioError(faults)
    _drop_questions(data, {path[0] for path in touched})
    return data


def _named(data: dict[str, Any], address: str, value: Any) -> list[tuple[str, Any]]:
    """The settings that a setting stands for: itself, or those of `values: starting`."""
    if address != KEY:
        return [(address, value)]
    if value not in NAMES:
        remedy = f"Write {KEY}={NAMES[0]}, or leave it out for the calibrated values"
        raise LookupError(Problem((KEY,), f"there are no values {printable(value)}", remedy))
    found = list(starting_settings(data).items())
    if not found:
        raise LookupError(Problem((KEY,), "the scenario holds no calibrated value", "Leave the setting out"))
    return found


def _applied(
    data: dict[str, Any], setting: tuple[str, Any, type], touched: list[Path], found: list[Problem]
) -> dict[str, Any]:
    """The data with one value set, complete again."""
    disease = data.get("disease")
    variants = dict(disease.get("variants") or {}) if isinstance(disease, dict) else {}
    touched.append(path := _set(data, *setting))
    if path[:2] == ("disease", "variants") or path in (("progression",), ("progression", "model")):
        _catalogued(data["disease"])
    if path == ("progression", "model"):
        data["progression"] = {"model": setting[1]}  # the other keys are of another model
    _keep_variants(variants, data, touched)
    if path[0] == "progression" and ("output", "stages") not in touched and ("output",) not in touched:
        data.get("output", {}).pop("stages", None)
    if isinstance(setting[1], Mapping) or "catalog" in data.get("disease", {}):
        return deepcopy(resolve(data, found.append))  # the catalog's own parts are in it
    return data


def plain(value: object) -> Any:
    """Numbers of any library as Python's, tuples as lists, parts of a scenario as data."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return content(value)


def _set(data: Any, address: str, value: Any, schema: type) -> Path:
    """Put the value where the address leads and say where that is; it loses the grade of the one before it."""
    if "" in address.split("."):
        raise LookupError(Problem((), "the address is empty or has a dot too many", "Write a dotted path"))
    path: Path = ()
    whole, rest = data, address
    while True:
        step, rest = _step(data, path, rest)
        path = (*path, step)
        if not rest:
            break
        data = data[step]
    if isinstance(data, dict) and data.get(str(step)) != value:
        rewrite(data, expected(schema, path[:-1], whole), str(step))
    data[step] = value
    return path


def path_to(data: Any, address: str) -> Path | None:
    """Where an address leads in complete data; None where nothing stands."""
    path: Path = ()
    if "" in address.split("."):
        return None
    while address:
        try:
            step, address = _step(data, path, address)
            data = data[step]
        except LookupError:
            return None
        path = (*path, step)
    return path or None


def _step(node: Any, path: Path, rest: str) -> tuple[str | int, str]:
    """The first step of the rest of an address; keys may hold dots, so the longest key that fits is taken."""
    if isinstance(node, Mapping):
        fitting = [key for key in node if rest == key or rest.startswith(key + ".")]
        if fitting:
            key = max(fitting, key=len)
            return key, rest[len(key) + 1 :]
        if "." not in rest or (_is_by_variant(path) and HGVS.fullmatch(rest)):
            return rest, ""
        first = rest.partition(".")[0]
        raise LookupError(Problem(path, f"there is no {printable(first)} here", _where(node, path, first)))
    first, _, left = rest.partition(".")
    if isinstance(node, list):
        if first.isascii() and first.isdigit() and int(first) < len(node):
            return int(first), left
        remedy = f"Use an index from 0 to {len(node) - 1}" if node else "Replace the whole list"
        raise LookupError(Problem(path, f"there is no item {printable(first)} here", remedy))
    raise LookupError(Problem(path, "the address goes on below a plain value", "Shorten the address"))


def by_variant() -> set[str]:
    """The sections of all models that have one entry per variant."""
    return {key for model in MODELS.values() for key in model.BY_VARIANT}


def _is_by_variant(path: Path) -> bool:
    """True where the keys are names of variants."""
    return path == ("disease", "variants") or (path[:1] == ("progression",) and path[-1] in by_variant())


def _where(node: Mapping[str, Any], path: Path, word: str) -> str:
    """A near miss, or what stands here."""
    meant = near(word, node)
    if meant:
        return f"Did you mean {'.'.join(map(str, (*path, meant)))}?"
    return suggest(word, node, "There is") + "; a whole section may be set at once"


def _catalogued(disease: dict[str, Any]) -> None:
    """Name the catalog entry of a disease again: new variants find their values there, by legacy names too."""
    key = next((key for key in names("disease") if _name(key) == disease.get("name")), None)
    if key is None or not isinstance(disease["variants"], dict):
        return
    aliases = entry("disease", key).get("aliases", {})
    proper = {aliases.get(name, name): part for name, part in disease["variants"].items()}
    if len(proper) == len(disease["variants"]):
        disease["variants"] = proper
    disease["catalog"] = key


def _name(key: str) -> Any:
    """What a disease of the catalog is called in a scenario."""
    return entry("disease", key).get("disease", {}).get("name")


def _keep_variants(old: Mapping[str, Any], after: dict[str, Any], touched: list[Path]) -> None:
    """A bare share leaves the rest of its variant alone; parameters of dropped variants go with them."""
    new = after["disease"].get("variants") if isinstance(after.get("disease"), dict) else None
    if not isinstance(new, dict):
        return
    for name, part in new.items():
        if name in old and (not isinstance(part, dict) or "value" in part):
            new[name] = old[name] | {"share": part}
    dropped = [name for name in old if name not in new]
    written = {part for path in touched if path[0] == "progression" for part in path}
    for key in by_variant():
        parameters = after["progression"].get(key) if isinstance(after.get("progression"), dict) else None
        if isinstance(parameters, dict):
            after["progression"][key] = {
                name: part for name, part in parameters.items() if name not in dropped or name in written
            }


def _drop_questions(data: dict[str, Any], touched: set[str | int]) -> None:
    """Leave out the blocks that ask about arms or days which are no longer there."""
    arms, end = data.get("arms"), data.get("follow_up_days")
    if not isinstance(arms, dict) or not isinstance(end, int):
        return
    if "control" in data and "control" not in touched and data["control"] not in arms:
        del data["control"]
    for key in ("decision", "sensitivity"):
        block = data.get(key)
        if not isinstance(block, dict) or key in touched:
            continue
        named = [*block.get("options", ()), *(block[name] for name in ("arm", "against") if name in block)]
        orphan = key == "sensitivity" and block.get("outcome") in ECONOMIC and not data.get("decision")
        if orphan or any(name not in arms for name in named) or block.get("day", 0) > end:
            del data[key]


def parse_setting(text: str) -> tuple[str, Any]:
    """`a.b=0.5` as address and value; the value is YAML on one line: `[0, 14]`, `{normal: {mean: 1, sd: 2}}`.

    Raises
    ------
    ScenarioError
        There is no `=`, or the value is not YAML.
    """
    from simulator.language.document import read

    address, equals, value = text.partition("=")
    if not equals or not address.strip():
        fault = Fault("--set", 1, 1, printable(text), "a setting has the form address=value", "Write a.b=0.5")
        raise ScenarioError([fault])
    document = read(f"value: {value}".encode(), "--set")
    if document.faults:
        raise ScenarioError([fault._replace(address=printable(address)) for fault in document.faults])
    return address.strip(), document.data["value"]
