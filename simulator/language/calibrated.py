"""The calibrated values that a scenario holds, and those from which calibration starts in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from simulator.catalog import entry, starting
from simulator.catalog.calibration import Calibration, Parameter, calibration_of

KEY, NAMES = "values", ("starting",)
"""`values: starting`, set in a scenario, puts the starting values back."""


class Place(NamedTuple):
    """An address that holds a calibrated value, the number of the parameter, and whether one minus it stands there."""

    address: str
    number: int
    is_rest: bool


def default_value(spec: Calibration, parameter: Parameter) -> float:
    """The catalog's calibrated value."""
    return float(entry("calibration", spec.entry)["values"][parameter.name]["value"])


def calibration_in(content: Mapping[str, Any]) -> Calibration | None:
    """The calibration of a complete scenario's progression model."""
    return calibration_of(content["progression"]["model"])


def places(content: Mapping[str, Any]) -> list[Place]:
    """Where a complete scenario holds calibrated values; what its author changed is not among them."""
    found: list[Place] = []
    if (spec := calibration_in(content)) is None:
        return found
    treatments = content.get("treatments") or {}
    drugs = [key for key, one in treatments.items() if isinstance(one, Mapping) and one.get("kind") == "antisense"]
    for number, parameter in enumerate(spec.parameters):
        value = default_value(spec, parameter)
        for drug in drugs if "*" in parameter.address else ("",):
            wanted = {parameter.address.replace("*", drug): value}
            if parameter.complement:
                wanted[parameter.complement] = 1 - value
            if all(_holds(content, address, one) for address, one in wanted.items()):
                found += [Place(address, number, address == parameter.complement) for address in wanted]
    return found


def starting_settings(content: Mapping[str, Any]) -> dict[str, Any]:
    """Addresses and values that put the starting values back, each with the grade it had."""
    found: dict[str, Any] = {}
    if (spec := calibration_in(content)) is None:
        return found
    for place in places(content):
        parameter = spec.parameters[place.number]
        value = 1 - parameter.started if place.is_rest else parameter.started
        held = _at(content, place.address)
        kept = {key: held[key] for key in ("unit", "prior") if key in held} if isinstance(held, Mapping) else {}
        found[place.address] = starting().get(parameter.name) or {"value": value, **kept, "evidence": "assumed"}
    return found


def value_at(content: Any, address: str) -> float | None:
    """The number at an address of a complete scenario's plain data; None where there is none."""
    held = _at(content, address)
    value = held.get("value") if isinstance(held, Mapping) else held
    return float(value) if isinstance(value, (int, float)) else None


def _at(content: Any, address: str) -> Any:
    for step in address.replace(".p.", ".p:").split("."):  # the name of a variant has a dot in it
        key = step.replace(":", ".")
        if not isinstance(content, Mapping) or key not in content:
            return None
        content = content[key]
    return content


def _holds(content: Any, address: str, value: float) -> bool:
    held = value_at(content, address)
    return held is not None and abs(held - value) <= 1e-9 * abs(value)
