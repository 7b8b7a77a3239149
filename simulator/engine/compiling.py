"""Compiling before the first run of a kind: two processes share the work through the cache of kernels.

What is compiled depends on the types of a kernel's arguments, and types can be sent to another process. That one
compiles how people are recruited and seen, while this one compiles the loop.
"""

import importlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

import numba

from simulator.engine import looking, loop, recruit
from simulator.engine.jit import JIT, Kept
from simulator.engine.listeners import tell

Part = tuple[Any, tuple]
"""A kernel and the types of its arguments."""
SECOND = "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); from simulator.engine import compiling"
SECOND = f"{SECOND}; compiling._serve()"
_done: set[tuple] = set()
_lock = Lock()


def ready(p: Any, key: Any, full: Any, worker: Any) -> None:
    """Have the kernels that a program needs compiled, in this process or on disk, before they are called."""
    kind = _kind((p.model, p.rules, p.arms))
    if not JIT or kind in _done:
        return
    with _lock:
        if kind not in _done:
            _compile(*map(_missing, _calls(p, key, full, worker)))
            _done.add(kind)


def _kind(value: Any) -> Any:
    """The type of a value; of a tuple those of its fields too."""
    return (type(value), *map(_kind, value)) if isinstance(value, tuple) else type(value)


def _calls(p: Any, key: Any, full: Any, worker: Any) -> tuple[list[Part], list[Part]]:
    """What this process compiles, and what another can do meanwhile, in order; arguments as where they are called."""
    space, search, totals = worker.space, worker.search, worker.totals
    s, w, place = space.s[0], space.w[0], 0
    look = (p.rules, p.visits, key, p.calendar, full, place, place, s, w, space.o, space.day, space.lives, place, place)
    life = (p.model, p.rules, key, p.visits, p.arms, p.calendar, p.table, place, place, space, totals, full)
    search_for = (p.people, p.visits, p.model, p.gates, key, search, place, place, space.cohort, space.who)
    here = [
        (looking.keep_people, (full, space.cohort, space.who, search.tried, place, place)),
        (loop.live, life),
    ]
    there = [(looking.look_at_everybody, look), (recruit.recruit, search_for)]
    return here, there


def _missing(calls: list[Part]) -> list[Part]:
    """Of calls, those that are not in the cache, by the types of their arguments."""
    typed = [(function, tuple(map(numba.typeof, arguments))) for function, arguments in calls]
    return [(function, types) for function, types in typed if not function._cache.has(types, function.targetctx)]


def _compile(here: list[Part], there: list[Part]) -> None:
    """Compile both lists, the second in another process where there is a core for it."""
    if not any(_needed(function) for function, _ in here + there):
        return
    total, compiled = len(here) + len(there), 0

    def one_more(step: int = 1) -> None:
        nonlocal compiled
        compiled += step
        tell(compiled, total)

    one_more(0)
    with _elsewhere(there, one_more) as left:
        for function, types in here:
            function.compile(types)
            one_more()
    for function, types in left:
        function.compile(types)
        one_more()


def _needed(function: Any) -> bool:
    """Whether a run calls it; a part is in the loop already."""
    return function is not looking.look_at_everybody


@contextmanager
def _elsewhere(parts: list[Part], one_more: Callable[[], None]) -> Iterator[list[Part]]:
    """Another process compiles `parts` meanwhile; gives those that it left undone, complete only at the end."""
    left, other = list(parts), _start(parts) if parts and _cores() > 1 else None
    if other is None:
        yield left
        return
    kept: list[Kept] = [function._cache for function, _ in parts]

    def watch() -> None:
        for line, cache in zip(other.stdout or (), kept, strict=False):
            if line:
                left.pop(0)
                cache.coming.set()
                one_more()
        for cache in kept:
            cache.coming.set()

    for cache in kept:
        cache.coming.clear()
    watching = Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield left
        watching.join()
    finally:
        other.kill()
        watching.join()
        other.wait()


def _start(parts: list[Part]) -> "subprocess.Popen[bytes] | None":
    """A process that compiles `parts` and writes a line after each; None where none can be started."""
    named = [(function.py_func.__module__, function.py_func.__name__, types) for function, types in parts]
    try:
        other = subprocess.Popen(
            [sys.executable, "-c", SECOND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if other.stdin:
            other.stdin.write(pickle.dumps(sys.path) + pickle.dumps(named))
            other.stdin.close()
    except (OSError, ValueError):
        return None
    return other


def _serve() -> None:
    """The other process."""
    for module, name, types in pickle.load(sys.stdin.buffer):
        getattr(importlib.import_module(module), name).compile(types)
        sys.stdout.write("\n")
        sys.stdout.flush()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
