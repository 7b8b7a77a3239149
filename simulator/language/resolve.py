"""From what people write to the complete form: catalog names, shorthands and defaults written out.

It works on plain data and takes any shape: what does not fit is left for the schema to report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulator.catalog import CatalogError, entry
from simulator.language.faults import Path, Problem, printable, suggest
from simulator.language.graded import shared
from simulator.models import MODELS

LEAVES = ("value", "normal", "lognormal")
Report = Callable[[Problem], None]


def merge(base: Any, over: Any) -> Any:
    """What the user wrote over what the catalog says; a leaf is replaced whole, never mixed.

    What is written has its own grade, also where the catalog grades a section as a whole.
    """
    if not _is_section(base) or not isinstance(over, Mapping):
        return over
    merged = {key: merge(base[key], value) if key in base else value for key, value in over.items()}
    return merged | {key: value for key, value in base.items() if key not in over} | shared(base, over)


def _is_section(node: Any) -> bool:
    """A mapping that is not a value; a treatment may have one as its part."""
    return isinstance(node, Mapping) and ("kind" in node or not any(leaf in node for leaf in LEAVES))


def resolve(data: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """The data with catalog content under it.

    Parameters
    ----------
    data : mapping
        The human form, or a form that is complete already: resolving twice changes nothing.
    report : callable
        Receives each problem; resolution goes on without what is missing.
    """
    full = dict(data)
    found = _look_up(full.get("disease"), "disease", ("disease",), report)
    full["disease"] = _disease(full.get("disease"), found, report)
    full["progression"] = _progression(full.get("progression"), found, full["disease"], report)
    full["output"] = _output(full.get("output"), full["progression"])
    if isinstance(full.get("treatments"), Mapping):
        full["treatments"] = {
            name: _from_catalog(part, "treatment", ("treatments", name), report)
            for name, part in full["treatments"].items()
        }
    if isinstance(full.get("visits"), Mapping):
        full["visits"] = merge(entry("measurement", "measurement")["visits"], full["visits"])
    if isinstance(full.get("safety"), Mapping):
        full["safety"] = _from_catalog(full["safety"], "safety", ("safety",), report)
    if isinstance(full.get("decision"), Mapping):
        full["decision"] = _decision(full["decision"], data.get("treatments"), report)
    return {key: value for key, value in full.items() if value is not None or key in data}


def _look_up(section: Any, kind: str, path: Path, report: Report) -> Mapping[str, Any]:
    """The catalog entry that a section names, {} if it names none."""
    if not isinstance(section, Mapping) or "catalog" not in section:
        return {}
    name = section["catalog"]
    try:
        return entry(kind, str(name))
    except CatalogError as error:
        fact = f"the catalog has no {kind} {printable(name)}"
        report(Problem((*path, "catalog"), fact, suggest(str(name), error.names, "The catalog has")))
        return {"unknown": True}


def _disease(section: Any, found: Mapping[str, Any], report: Report) -> Any:
    """The disease with its catalog entry under it, restricted to the variants that the user named."""
    if not isinstance(section, Mapping):
        return section
    base = dict(found.get("disease", {}))
    known = base.pop("variants", {})
    over = {key: value for key, value in section.items() if key != "catalog"}
    if isinstance(over.get("variants"), Mapping):
        over["variants"] = _variants(over["variants"], known, found.get("aliases", {}), report)
    return merge(base, over)


def _variants(written: Mapping[str, Any], known: Mapping[str, Any], aliases: Mapping[str, str], report: Report) -> Any:
    """Variants under their proper names; a number is a share."""
    proper: dict[str, Any] = {}
    for name, part in written.items():
        target = aliases.get(name, name)
        if target in proper:
            fact = f"{printable(name)} and {target} are the same variant"
            report(Problem(("disease", "variants", name), fact, "Keep one of them", on_key=True))
        share = {"share": part} if not isinstance(part, Mapping) or "value" in part else part
        proper[target] = merge(known.get(target, {}), share)
    return proper


def renamed(path: Path, data: Any) -> Path:
    """Where the part of a resolved path stands in the user's file: legacy names are written there."""
    if path[:2] != ("disease", "variants") or len(path) < 3:
        return path
    section = data.get("disease") if isinstance(data, Mapping) else None
    written = section.get("variants") if isinstance(section, Mapping) else None
    if not isinstance(written, Mapping) or path[2] in written or not isinstance(section, Mapping):
        return path
    try:
        aliases = entry("disease", str(section.get("catalog"))).get("aliases", {})
    except CatalogError:
        return path
    legacy = next((name for name in written if aliases.get(name) == path[2]), path[2])
    return (*path[:2], legacy, *path[3:])


def _progression(section: Any, found: Mapping[str, Any], disease: Any, report: Report) -> Any:
    """The model's parameters for this disease, for the variants used and in their order."""
    if not isinstance(section, Mapping) or "model" not in section:
        return section
    model = section["model"]
    if not isinstance(model, str) or model not in MODELS:
        remedy = suggest(str(model), MODELS, "Models")
        report(Problem(("progression", "model"), f"there is no model {printable(model)}", remedy))
        return section
    variants = disease.get("variants") if isinstance(disease, Mapping) else None
    used = list(variants) if isinstance(variants, Mapping) else []
    base, over = dict(found.get("progression", {}).get(model, {})), dict(section)
    for key in MODELS[model].BY_VARIANT:
        base[key] = {name: value for name, value in base.get(key, {}).items() if name in used}
        if isinstance(over.get(key), Mapping):
            over[key] = {found.get("aliases", {}).get(name, name): value for name, value in over[key].items()}
        if not base[key]:
            del base[key]
    full = merge(base, over)
    for key in MODELS[model].BY_VARIANT:
        if isinstance(full.get(key), Mapping):
            ordered = sorted(full[key], key=lambda name: used.index(name) if name in used else len(used))
            full[key] = {name: full[key][name] for name in ordered}
    return full


def _decision(section: Mapping[str, Any], treatments: Any, report: Report) -> dict[str, Any]:
    """A decision with the catalog's utilities and costs under its own."""
    full, utilities = dict(section), section.get("utilities")
    system = str(utilities.get("system")) if isinstance(utilities, Mapping) else ""
    for key, kind in (("utilities", "utility"), ("costs", "cost")):
        part = section.get(key)
        found = _look_up(part, kind, ("decision", key), report)
        if isinstance(part, Mapping):
            base = _states(found, system) if key == "utilities" else _costs(found, system, treatments)
            full[key] = merge(base, {name: value for name, value in part.items() if name != "catalog"})
            if system not in found.get("per_month", {system: {}}) and "per_month" not in part:
                fact = f"{part['catalog']} does not say what a month costs by stage of {printable(system)}"
                remedy = f"Write per_month, or take utilities of {' or '.join(found['per_month'])}"
                report(Problem(("decision", key, "catalog"), fact, remedy))
    return full


def _states(found: Mapping[str, Any], system: str) -> dict[str, Any]:
    """What the catalog knows of the utilities of a system's states."""
    return {"states": found[system]} if system in found else {}


def _costs(found: Mapping[str, Any], system: str, treatments: Any) -> dict[str, Any]:
    """What the catalog knows of the doses of a scenario's treatments and of a month in the stages of a system."""
    prices, given = found.get("per_dose", {}), treatments if isinstance(treatments, Mapping) else {}
    named = {name: str(part.get("catalog")) for name, part in given.items() if isinstance(part, Mapping)}
    costs = {"per_dose": {name: prices[of] for name, of in named.items() if of in prices}}
    return costs | {"per_month": found.get("per_month", {}).get(system, {})} if found else {}


def _output(section: Any, progression: Any) -> Any:
    """The block `output`, without stages where the model has none and nobody asked for them."""
    model = progression.get("model") if isinstance(progression, Mapping) else None
    stages = not isinstance(model, str) or model not in MODELS or "kings_stage" in MODELS[model].OUTPUTS
    if stages or not (section is None or isinstance(section, Mapping)):
        return section
    return {"stages": False, **(section or {})}


def _from_catalog(section: Any, kind: str, path: Path, report: Report) -> Any:
    """A treatment or a block with its catalog entry under it."""
    found = _look_up(section, kind, path, report)
    if not isinstance(section, Mapping):
        return section
    return merge(found.get(kind, {}), {key: value for key, value in section.items() if key != "catalog"})
