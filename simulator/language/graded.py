"""Values written over those of a section that shares one source and grade: they are their writer's alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.fields import Graded

KEYS = tuple(Graded.model_fields)


def shared(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Keys `source`, `evidence` and `grades` of a section of the catalog, some of whose values were written anew.

    What was written has the grade that was written with it, or is assumed; the rest keeps that of the catalog.
    """
    if "evidence" not in base:
        return {}
    written = {key for key in over if not isinstance(base.get(key, {}), Mapping)} - set(KEYS)
    rest = {key for key, value in base.items() if not isinstance(value, Mapping)} - set(KEYS) - written
    grade: dict[str, Any] = {"evidence": "assumed"} | {key: over[key] for key in KEYS[:2] if key in over}
    if not written:
        return {}
    if not rest:
        return {"source": None} | grade | ({"grades": over["grades"]} if "grades" in over else {})
    given = over.get("grades", {})
    own: dict[str, Any] = {key: grade for key in over if key in written}
    own |= given if isinstance(given, Mapping) else {}
    return {key: base[key] for key in KEYS[:2] if key in base} | {"grades": own}


def rewrite(section: dict[str, Any], kind: Any, key: str) -> None:
    """Take the grade from a value of a complete section that becomes another; it is assumed until a grade is set."""
    if isinstance(kind, type) and issubclass(kind, Graded) and key in kind.PLAIN:
        section["grades"] = {**section.get("grades", {}), key: {"evidence": "assumed"}}
    elif key == "value" and "evidence" in section:
        unit = {"unit": section["unit"]} if "unit" in section else {}
        section.clear()
        section |= {**unit, "evidence": "assumed"}
