"""How a room above hangs something on an object of a room below, without the lower room knowing it.

`result.plot` is drawn by the room `report`, and `results` may not import it. The class says only that it has an
accessor of that name; the package's `__init__`, which stands above all rooms, says where it is found.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Accessor:
    """An attribute made when first asked for, by `maker(instance)`; then kept in the instance.

    Parameters
    ----------
    places : mapping of "class.accessor" to "module:maker", filled in by the package before any room is imported
    """

    places: dict[str, str] = {}  # noqa: RUF012 - one table for all, written once

    def __set_name__(self, owner: type, name: str) -> None:
        self._name, self._key = name, f"{owner.__name__}.{name}"

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self
        module, _, maker = self.places[self._key].partition(":")
        made = getattr(import_module(module), maker)(instance)
        instance.__dict__[self._name] = made
        return made
