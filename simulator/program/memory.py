"""What the pieces of a program were made from, so that the next scenario makes only those that change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """Keeps each piece with the sections of the scenario that were read to make it.

    A piece is used again when those sections are the very same objects, as in the copies of a
    `simulator.language.template.Template`. Which sections a piece reads is watched, not declared. For one thread.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, Any]] = {}

    def piece(self, name: str, scenario: Any, make: Callable[[Any], T]) -> T:
        """The piece of that name: the one that was kept, or one made by `make(scenario)`."""
        kept = self._kept.get(name)
        if kept is not None and _unchanged(kept[0], scenario):
            return kept[1]
        watched = _Watched(scenario)
        made = make(watched)
        self._kept[name] = (watched.read, made)
        return made

    def made_of(self, name: str, parts: list[Any], make: Callable[[], T]) -> T:
        """The thing of that name: the one that was kept, or one made anew where one of its parts is another."""
        kept = self._kept.get(name)
        if kept is None or not _same(kept[0], parts):
            kept = self._kept[name] = (parts, make())
        made: T = kept[1]
        return made


class _Watched:
    """A scenario that notes which of its sections are read."""

    def __init__(self, scenario: Any) -> None:
        self._scenario = scenario
        self.read: dict[str, Any] = {}

    def __getattr__(self, key: str) -> Any:
        value = self.read[key] = self.__dict__[key] = getattr(self._scenario, key)  # asked once only
        return value


def _unchanged(read: dict[str, Any], scenario: Any) -> bool:
    """Whether a scenario has the sections that were read."""
    for key, value in read.items():
        now = getattr(scenario, key)
        if now is not value and not _same(now, value):
            return False
    return True


def _same(one: Any, other: Any) -> bool:
    """The same object or whole number, or a list or mapping of the same things in the same order."""
    if one is other:
        return True
    if type(one) is not type(other) or not isinstance(one, (int, dict, list)):
        return False
    if isinstance(one, int):
        return bool(one == other)
    if isinstance(one, dict):
        return list(one) == list(other) and _same(list(one.values()), list(other.values()))
    return len(one) == len(other) and all(map(_same, one, other))
