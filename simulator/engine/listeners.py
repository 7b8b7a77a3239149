"""Who is told how far compiling is, and what went wrong with the cache; light, for commands ask before they import."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[int, int], None]
_LISTENERS: list[Listener] = []
_NOTED: list[Callable[[str], None]] = []


@contextmanager
def while_compiling(listener: Listener) -> Iterator[None]:
    """Call `listener` with (parts compiled, parts in all) whenever something is compiled meanwhile."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


def tell(done: int, total: int) -> None:
    """So many parts are compiled."""
    for listener in _LISTENERS:
        listener(done, total)


@contextmanager
def while_noting(listener: Callable[[str], None]) -> Iterator[None]:
    """Call `listener` with a sentence whenever compiled kernels are damaged or cannot be kept where they should be."""
    _NOTED.append(listener)
    try:
        yield
    finally:
        _NOTED.remove(listener)


def note(text: str) -> None:
    """Something that the person should know, and need not do anything about at once."""
    for listener in _NOTED:
        listener(text)
