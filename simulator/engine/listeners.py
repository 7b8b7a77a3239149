"""Who is told how far compiling is; light, so that a command can ask before anything heavy is imported."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[int, int], None]
_LISTENERS: list[Listener] = []


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
