"""The schema's errors in the words of the scenario's reader: one clear fault for each mistake."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sized
from typing import Any

from pydantic_core import ErrorDetails

from simulator.language.faults import Path, Problem, near, printable, suggest
from simulator.language.shape import expected, fields
from simulator.mechanisms import MECHANISMS
from simulator.quantities import Part, shorten

TAGS = ("union_tag_not_found", "union_tag_invalid")
UNIT = re.compile(r"_(days?|weeks?|months?|years?|hours?|mg|g|points?|percent|years_old)$")


def explain(errors: Iterable[ErrorDetails], data: Any, root: type[Part], muted: list[Path]) -> list[Problem]:
    """Problems of the resolved data.

    Parameters
    ----------
    errors : iterable
        What pydantic found.
    data : Any
        The data it looked at.
    root : type
        The schema.
    muted : list of paths
        Sections in which missing keys are the consequence of a problem reported already.
    """
    problems: list[Problem] = []
    missing: dict[Path, list[str]] = defaultdict(list)
    muted, excused = list(muted), set()
    for error in errors:
        path = _path(error, data)
        if error["type"] == "missing" and isinstance(path[-1], str):
            missing[path[:-1]].append(path[-1])
        elif error["type"] in TAGS and path in muted:
            continue
        elif error["type"] == "extra_forbidden":
            problem, meant = _unknown(path, data, root)
            problems.append(problem)
            excused.add((*path[:-1], meant))
            if meant == "catalog":
                muted.append(path[:-1])
        else:
            problems.append(_problem(error, path))
    if ("disease",) in {*missing, *muted, *(problem.path[:1] for problem in problems)} or not data.get("disease"):
        muted.append(("progression",))
    for parent, keys in missing.items():
        left = [key for key in keys if (*parent, key) not in excused]
        if left and not any(parent[: len(silent)] == silent for silent in muted):
            problems.append(_missing(parent, left))
    return problems


def _path(error: ErrorDetails, data: Any) -> Path:
    """The place in the data: pydantic's names for alternatives are left out."""
    path: list[str | int] = []
    steps = error["loc"]
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        if step in (data if isinstance(data, Mapping) else range(len(data)) if isinstance(data, list) else ()):
            data = data[step]
        elif not (last and error["type"] == "missing"):
            continue
        path.append(step)
    at = error.get("ctx", {}).get("at", "") if error["type"] == "fault" else ""
    return (*path, *(at.split(".") if at else ()))


def _unknown(path: Path, data: Any, root: type[Part]) -> tuple[Problem, str]:
    """An unknown key, and the key that was probably meant."""
    key = str(path[-1])
    allowed = fields(expected(root, path[:-1], data))
    if _example(path[:-1]):
        allowed = ["catalog", *allowed]
    stem = UNIT.sub("", key)
    for name in allowed:
        unit = UNIT.search(name)
        if unit and key != name and UNIT.sub("", name) == stem:
            remedy = f"Write {name}: the unit is {UNITS.get(unit[1], unit[1])}"
            return Problem(path, f"unknown key {printable(key)}", remedy, on_key=True), name
    remedy = suggest(key, allowed, "Allowed here")
    return Problem(path, f"unknown key {printable(key)}", remedy, on_key=True), near(key, allowed)


def _example(path: Path) -> str:
    """An entry of the catalog that the section may name, "" where it names none."""
    if path[:1] == ("treatments",) and len(path) == 2:
        return "tofersen"
    return {"disease": "sod1", "safety": "tofersen_safety"}.get(str(path[0]), "") if len(path) == 1 else ""


UNITS = {"mg": "milligrams", "percent": "per cent of the predicted value"}


def _missing(parent: Path, keys: list[str]) -> Problem:
    """Keys that a section lacks; the place is that of the section."""
    if parent == ("progression",) and "model" in keys:
        keys = ["model"]
    words = f"the key {keys[0]} is" if len(keys) == 1 else f"the keys {', '.join(keys)} are"
    remedy = "Add it" if len(keys) == 1 else "Add them"
    if example := _example(parent):
        remedy += f", or name an entry of the catalog (catalog: {example})"
    elif parent == ("progression",) and len(keys) > 1:
        remedy += ", or name an entry of the catalog in disease"
    elif keys == ["schema_version"]:
        remedy = "Add schema_version: 1"
    elif keys == ["evidence"]:
        remedy = "Add evidence: published, derived, calibrated or assumed"
    return Problem(parent, f"{words} missing", remedy)


def _problem(error: ErrorDetails, path: Path) -> Problem:
    """Any other error."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    on_key = error["loc"][-1:] == ("[key]",)
    if kind == "fault":
        return Problem(path, str(context["fact"]), str(context["remedy"]), on_key)
    if kind == "missing":
        return Problem(path[:-1], "the list is too short", "Write two numbers")
    if kind in ("too_short", "too_long"):
        return _length(path, value, context)
    if kind == "literal_error":
        return _choice(path, value, [part.strip("' ") for part in re.split(",| or ", str(context["expected"]))])
    if kind in TAGS:
        return _missing(path, ["model"]) if path == ("progression",) else _kind(path, value)
    return Problem(path, *_wrong_type(kind, value), on_key)


def _length(path: Path, value: Any, context: Mapping[str, Any]) -> Problem:
    """Too few or too many parts."""
    if "min_length" in context:
        least, number = context["min_length"], len(value) if isinstance(value, Sized) else 0
        fact = f"only {number} stands here" if number else "nothing stands here"
        return Problem(path, fact, f"Write at least {'one' if least == 1 else least}")
    limit = context["max_length"]
    return Problem(path, f"there are {len(value)} here, more than {limit}", f"Keep at most {limit}")


def _choice(path: Path, value: object, options: list[str]) -> Problem:
    """A word that is not one of the allowed ones."""
    if options == ["True"]:
        return Problem(path, f"{printable(_shown(value))} is not true", f"Write {path[-1]}: true, or remove it")
    return Problem(path, f"{_shown(value)} is not allowed here", suggest(str(value), options))


def _kind(path: Path, value: Any) -> Problem:
    """A treatment without kind, or with an unknown one."""
    if isinstance(value, Mapping) and "kind" in value:
        return Problem((*path, "kind"), f"there is no treatment of kind {_shown(value['kind'])}", _kinds(value["kind"]))
    remedy = f"Add kind ({', '.join(MECHANISMS)}), or name an entry of the catalog (catalog: tofersen)"
    return Problem(path, "the key kind is missing", remedy)


def _kinds(kind: object) -> str:
    """The remedy for an unknown kind."""
    return suggest(str(kind), MECHANISMS, "Kinds")


SECTION, LIST = "a section with keys", "a list"
NEEDED = {
    "model_type": SECTION,
    "dict_type": SECTION,
    "model_attributes_type": SECTION,
    "list_type": LIST,
    "tuple_type": "a list of two numbers",
    "string_type": "text",
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "bool_type": "true or false",
}


def _wrong_type(kind: str, value: Any) -> tuple[str, str]:
    """Fact and remedy where the kind of value is wrong."""
    needed = NEEDED.get(kind, "another value")
    remedy = {SECTION: "Write key: value pairs", LIST: "Write [ ] around the items"}.get(needed, f"Write {needed}")
    if value is None:
        return "the value is missing", remedy
    if kind == "string_type" and isinstance(value, (int, float)):
        return f"text is needed here, not {_shown(value)}", "Put it in quotes"
    if needed.endswith("number") and isinstance(value, str):
        return f"{needed} is needed here, not the text {shorten(value)}", "Write a number, without quotes"
    return f"{needed} is needed here, not {_shown(value)}", remedy


def _shown(value: object) -> str:
    """A value in a sentence."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return printable(value)
    if isinstance(value, str):
        return shorten(value)
    return LIST if isinstance(value, list) else "nothing" if value is None else SECTION
