"""The JSON Schema of what people write: catalog names and shorthands allowed, for editors to complete and check."""

from __future__ import annotations

import copy
from typing import Any

from simulator.catalog import entry, names
from simulator.language.people import WAYS_IN
from simulator.language.scenario import Scenario, know_registered
from simulator.mechanisms import MECHANISMS
from simulator.models import MODELS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LEAVES = {"Quantity", "Money", "Distribution", "Normal", "LogNormal", "Uniform", "Prior"}
PREFIX = "#/$defs/"
FROM_CATALOG = "FromCatalog"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the human form.

    What the catalog or a default fills in may be left out; checks across sections are those of `validate` only.
    """
    know_registered()
    treated = {mechanism.__name__: kind for kind, mechanism in MECHANISMS.items()}
    full: dict[str, Any] = {"$schema": DIALECT, **Scenario.model_json_schema()}
    definitions = full["$defs"]
    for name in ("Disease", *treated, "Visits", "Safety", *(model.__name__ for model in MODELS.values())):
        _add_partial(name, definitions)
    _disease(definitions)
    _decision(definitions)
    models = [PREFIX + model.__name__ + FROM_CATALOG for model in MODELS.values()]
    for name in models:
        definitions[name.removeprefix(PREFIX)]["required"] = ["model"]
    visits = definitions["Visits" + FROM_CATALOG]
    visits["required"] = ["assessments"]
    visits["oneOf"] = [{"required": ["every_days"]}, {"required": ["days"]}]
    for name in ("Rule", "Bounds"):
        definitions[name]["minProperties"] = 1
    definitions["Distribution"]["anyOf"][1] |= {"minProperties": 1, "maxProperties": 1}
    for name in ("after", "until"):  # one event needs no list
        events = definitions["Epoch"]["properties"][name]["anyOf"]
        events.append(next(one for one in events if "items" in one)["items"])
    definitions["Entry"]["oneOf"] = [{"required": [way]} for way in WAYS_IN]
    properties = full["properties"]
    properties["progression"] = {"anyOf": [{"$ref": name} for name in models]}
    properties["visits"] = {"$ref": PREFIX + "Visits" + FROM_CATALOG}
    properties["disease"] = {"anyOf": [{"$ref": PREFIX + "Disease" + FROM_CATALOG}, {"$ref": PREFIX + "Disease"}]}
    treatments = properties["treatments"]
    named = [_named(name, "treatment", definitions, kind) for name, kind in treated.items()]
    treatments["additionalProperties"] = {"anyOf": [*named, treatments["additionalProperties"]]}
    properties["safety"]["anyOf"].insert(0, _named("Safety", "safety", definitions))
    return full


def _add_partial(name: str, definitions: dict[str, Any]) -> str:
    """A copy of a section, and of the sections in it, in which no key is required; its name."""
    partial = name + FROM_CATALOG
    if partial not in definitions:
        definitions[partial] = copied = copy.deepcopy(definitions[name])
        copied.pop("required", None)
        _use_partials(copied, definitions)
    return partial


def _use_partials(node: Any, definitions: dict[str, Any]) -> None:
    """Let the references in a copied section lead to copies too; values stay whole."""
    if isinstance(node, list):
        for item in node:
            _use_partials(item, definitions)
    elif isinstance(node, dict):
        target = str(node.get("$ref", "")).removeprefix(PREFIX)
        if target and target not in LEAVES and target != "Variant":
            node["$ref"] = PREFIX + _add_partial(target, definitions)
        for item in node.values():
            _use_partials(item, definitions)


def _disease(definitions: dict[str, Any]) -> None:
    """A disease that names its catalog entry; in both forms a number is a variant's share."""
    partial = definitions["Disease" + FROM_CATALOG]
    partial["properties"]["catalog"] = {"enum": names("disease"), "description": "Entry of the catalog"}
    partial["required"] = ["catalog", "variants"]
    share = definitions["Variant"]["properties"]["share"]
    for name in ("Disease", "Disease" + FROM_CATALOG):
        variants = definitions[name]["properties"]["variants"]
        variants["additionalProperties"] = {"anyOf": [share, {"$ref": PREFIX + "Variant"}]}


def _named(section: str, kind: str, definitions: dict[str, Any], of_kind: str | None = None) -> dict[str, Any]:
    """A section that names its catalog entry; for a treatment an entry `of_kind`."""
    partial = definitions[section + FROM_CATALOG]
    known = [name for name in names(kind) if of_kind is None or entry(kind, name)[kind]["kind"] == of_kind]
    partial["properties"]["catalog"] = {"enum": known, "description": "Entry of the catalog"}
    partial["required"] = ["catalog"]
    return {"$ref": PREFIX + section + FROM_CATALOG}


def _decision(definitions: dict[str, Any]) -> None:
    """Utilities and costs that name their catalog entry."""
    for name, kind, required in (("Utilities", "utility", ["catalog", "system"]), ("Costs", "cost", ["catalog"])):
        partial = definitions[_add_partial(name, definitions)]
        partial["properties"]["catalog"] = {"enum": names(kind), "description": "Entry of the catalog"}
        partial["required"] = required
        either = [{"$ref": PREFIX + name + FROM_CATALOG}, {"$ref": PREFIX + name}]
        definitions["Decision"]["properties"][name.lower()] = {"anyOf": either}
