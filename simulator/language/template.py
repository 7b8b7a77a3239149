"""A scenario of which thousands of copies are made, each with other numbers at a few addresses.

`Scenario.replace` writes the whole scenario out as plain data, resolves and checks all of it: a millisecond or two.
Here only the parts above a changed number are made and checked again; the others are the very same objects, which also
tells those who compile a copy what they need not look at. What is not a plain number goes the long way.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError

from simulator.language.address import path_to, plain
from simulator.language.check import is_in_order
from simulator.language.faults import Path
from simulator.language.graded import Graded
from simulator.language.registered import registered
from simulator.language.scenario import Scenario
from simulator.language.shape import expected
from simulator.quantities import Distribution, Part

LONG_WAY = ("schema_version", "sweep")
KEYS = ("model", "catalog", "value")
"""Last steps of addresses that change more than a number."""


class Template:
    """A scenario to copy from; `replace` gives what `Scenario.replace` gives."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._paths: dict[str, Path | None] = {}

    @cached_property
    def _content(self) -> dict[str, Any]:
        return self.scenario.content()

    def replace(self, settings: Mapping[str, object], checked: bool = False) -> Scenario:
        """A copy with other values at some addresses.

        Parameters
        ----------
        settings : mapping
            Address to value.
        checked : bool
            A template of the same scenario took these settings before: what sections ask of each other is in order.

        Raises
        ------
        ScenarioError
            As `Scenario.replace`.
        """
        if not settings:
            return self.scenario
        return self._short_way(settings, checked) or self.scenario.replace(settings)

    def _short_way(self, settings: Mapping[str, object], checked: bool) -> Scenario | None:
        """The copy, or None where the long way must find out what is wrong, or has more to do."""
        tree: dict[Any, Any] = {}
        for address, value in settings.items():
            number, path = plain(value), self.path(address)
            if path is None or isinstance(number, bool) or not isinstance(number, (int, float)):
                return None
            if not _plant(tree, path, number):
                return None
        try:
            sections = {
                key: _validator(key, registered()).validate_python(_changed(getattr(self.scenario, key), tree[key]))
                for key in tree
            }
        except ValidationError:
            return None
        made = self.scenario.model_copy(update=sections)  # a scenario has no rule of its own beside its checks
        return made if checked or is_in_order(made, frozenset(tree)) else None

    def path(self, address: str) -> Path | None:
        """Where an address leads to what a number may simply replace; None where it may not."""
        if address not in self._paths:
            path = path_to(self._content, address)
            if path is not None and (
                path[0] in LONG_WAY or path[-1] in KEYS or _is_share(path) or self._is_graded(path)
            ):
                path = None
            self._paths[address] = path
        return self._paths[address]

    def _is_graded(self, path: Path) -> bool:
        """Whether the grade of a section would no longer be that of the number."""
        kind = expected(Scenario, path[:-1], self._content)
        return isinstance(kind, type) and issubclass(kind, Graded) and path[-1] in kind.PLAIN


@cache
def _validator(section: str, known: tuple[int, ...]) -> TypeAdapter[Any]:
    """What checks a section of the scenario, for so many registered models and mechanisms."""
    return TypeAdapter(Scenario.model_fields[section].rebuild_annotation())


def _is_share(path: Path) -> bool:
    """A bare share stands for a whole variant."""
    return path[:2] == ("disease", "variants") and len(path) <= 3


def _plant(tree: dict[str | int, Any], path: Path, number: float) -> bool:
    """Put the number into the tree of changes; False where one address lies below another."""
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            return False
    if path[-1] in tree:
        return False
    tree[path[-1]] = number
    return True


def _changed(node: Any, tree: Any) -> Any:
    """The node as data one level deep at a time along the changes; what is beside them stays as it is."""
    if not isinstance(tree, dict):
        return tree
    if isinstance(node, Distribution) and node.number is not None:
        node = node.number
    data: Any
    if isinstance(node, Part):
        data = {key: value for key in type(node).model_fields if (value := getattr(node, key)) is not None}
    else:
        data = dict(node) if isinstance(node, dict) else list(node)
    for key, part in tree.items():
        data[key] = _changed(data[key], part)
    return data
