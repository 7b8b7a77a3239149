"""Checks of the block `sweep` that look at the rest of the scenario: do its addresses lead somewhere?"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.language.address import apply, plain
from simulator.language.check import reads, varies
from simulator.language.dump import content
from simulator.language.faults import Fault, Path, Problem, ScenarioError, printable, suggest

CORE = ("patients", "disease", "progression", "entry", "treatments", "arms", "visits", "follow_up_days")
ELSEWHERE = {
    "patients": "Write sweep.patients: every point has the same number",
    "schema_version": "Vary something else",
    "title": "Vary something else",
    "person": "Vary something else",
    "sweep": "Vary something else",
}


@reads("sweep", *CORE)
def _addresses(scenario: Any) -> Iterator[Problem]:
    """What `set`, the axes and the correlations name exists in the scenario, and can be varied."""
    sweep = scenario.sweep
    if sweep is None:
        return
    there = {key: getattr(scenario, key, None) for key in type(scenario).model_fields if key != "sweep"}
    data = {key: content(value) for key, value in there.items() if value is not None}
    for address, value in (sweep.set or {}).items():
        try:
            apply(data, {address: plain(value)}, scenario._origin, type(scenario))
        except ScenarioError as error:
            yield _moved(error.errors[0], ("sweep", "set", address))
    for name in ("parameters", "across"):
        for address, axis in (getattr(sweep, name) or {}).items():
            yield from _axis(scenario, data, (address, axis), ("sweep", name, address))
    for number, pair in enumerate(sweep.correlations or []):
        for place, address in enumerate(pair.between):
            yield from _address(scenario, data, address, ("sweep", "correlations", number, "between", place))


@reads("sweep", "arms")
def _arms(scenario: Any) -> Iterator[Problem]:
    """Outcomes to print are of arms that the scenario has, unless the sweep changes them."""
    if scenario.sweep is None or varies(scenario.sweep, "arms"):
        return
    for number, shown in enumerate(scenario.sweep.outcomes or []):
        for key in ("arm", "against"):
            name = getattr(shown, key)
            if name is not None and name not in scenario.arms:
                fact = f"there is no arm {printable(name)}"
                yield Problem(("sweep", "outcomes", number, key), fact, suggest(name, scenario.arms, "Arms"))


def _axis(scenario: Any, data: Mapping[str, Any], axis: tuple[str, Any], path: Path) -> Iterator[Problem]:
    """An axis' own address, and that of its complement."""
    yield from _address(scenario, data, axis[0], path)
    if axis[1].complement is not None:
        yield from _address(scenario, data, axis[1].complement, (*path, "complement"))


def _address(scenario: Any, data: Mapping[str, Any], address: str, path: Path) -> Iterator[Problem]:
    """One address."""
    first = address.partition(".")[0]
    if first in ELSEWHERE:
        yield Problem(path, f"{printable(first)} is not varied by a sweep", ELSEWHERE[first], on_key=True)
        return
    try:
        apply(copy.deepcopy(dict(data)), {address: 0}, scenario._origin, type(scenario))
    except ScenarioError as error:
        yield _moved(error.errors[0], path)
        return
    yield from _last_step(type(scenario), data, address, path)


def _last_step(schema: type, data: Mapping[str, Any], address: str, path: Path) -> Iterator[Problem]:
    """The last step may be new only where keys are free; a section has the keys it has."""
    from simulator.language.address import path_to
    from simulator.language.shape import expected, fields

    above, _, last = address.rpartition(".")
    if path_to(data, address) is not None:
        return
    parent = path_to(data, above) or ()
    known = fields(expected(schema, parent, data))
    if known and last not in known:
        yield Problem(path, f"there is no {printable(last)} here", suggest(last, known, "There is"), on_key=True)


def _moved(fault: Fault, path: Path) -> Problem:
    """The fault of an address as a problem of the place where the address is written."""
    where = f" ({fault.address})" if fault.address else ""
    return Problem(path, f"{fault.fact}{where}" if fault.address not in path else fault.fact, fault.remedy, on_key=True)
