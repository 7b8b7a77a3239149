"""Compiling before the first run of a kind: two other processes share the work and leave it in the cache of kernels.

What is compiled depends on the types of a kernel's arguments, and types can be sent to another process. One compiles
the loop, the other how people are recruited; this one then loads both, as every later run does.
"""

import gc
import importlib
import os
import pickle
import subprocess
import sys
from threading import Lock, Thread
from typing import Any

import numba

from simulator.engine import collecting, effect, loop, plans, recruit
from simulator.engine.jit import JIT, KEPT, cache_folder, places
from simulator.engine.listeners import note, tell
from simulator.engine.mathematics import ZERO

Part = tuple[Any, tuple]
"""A kernel and the types of its arguments."""
SECOND = "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); from simulator.engine import compiling"
SECOND = f"{SECOND}; compiling._serve()"
NAME_ANOTHER = "ALS_SIM_CACHE names another folder"
_done: set[tuple] = set()
_lock = Lock()


def ready(p: Any, key: Any, full: Any, worker: Any) -> None:
    """Have the kernels that a program needs compiled, in this process or on disk, before they are called."""
    kind = _kind((p.model, p.rules, p.arms))
    if not JIT or kind in _done:
        return
    with _lock:
        if kind not in _done:
            _compile(*_missing(*_calls(p, key, full, worker)))
            _done.add(kind)


def _kind(value: Any) -> Any:
    """The type of a value; of a tuple those of its fields too."""
    return (type(value), *map(_kind, value)) if isinstance(value, tuple) else type(value)


def _calls(p: Any, key: Any, full: Any, worker: Any) -> tuple[list[Part], list[Part]]:
    """Two shares of the kernels of a run that take about as long to compile; arguments as where they are called.

    The second begins with parts of the loop that are there before the first comes to them.
    """
    space, search, totals, place = worker.space, worker.search, worker.totals, 0
    life = (p.model, p.rules, key, p.visits, p.arms, p.calendar, p.table, place, place, space, totals, full)
    search_for = (p.people, p.visits, p.model, p.gates, key, search, place, place, space.cohort, space.who)
    kept = (full, space.cohort, space.who, search.tried, place, place)
    drug, s, w, o, addon = effect.Drug(*p.arms.constant[0]), space.s[0], space.w[0], space.o, ZERO
    shown = (p.model, drug, s, o, place, addon, p.calendar.staged)
    seen = (
        p.rules, p.visits, key, p.calendar, full, place, place, s, w, o, space.day, space.lives, place, place,
    )  # fmt: skip
    first: list[Part] = [(loop.live, life)]
    if isinstance(p.arms.own, plans.Own):
        planned = (p.arms.own, place, key, w, s, space.lives, space.windows, space.calendars, place)
        first.insert(0, (plans.plan_block, planned))
    parts = [(collecting.show, shown), (collecting.look_at_everybody, seen)]
    return first, [*parts, (recruit.recruit, search_for), (collecting.keep_people, kept)]


def _missing(*shares: list[Part]) -> list[list[Part]]:
    """Of calls, those that are not in the cache, by the types of their arguments; its parts go with the loop."""
    typed = [[(function, tuple(map(numba.typeof, arguments))) for function, arguments in share] for share in shares]
    missing = [[part for part in share if _place(part) is None] for share in typed]
    if any(function is loop.live for share in missing for function, _ in share):
        return missing
    return [[part for part in share if part[0] in (recruit.recruit, collecting.keep_people)] for share in missing]


def _place(part: Part) -> str | None:
    """The folder that holds a kernel."""
    function, types = part
    found: str | None = function._cache.place(types, function.targetctx)
    return found


def _compile(*shares: list[Part]) -> None:
    """Compile shares of kernels, each in a process of its own where there are cores for it.

    This process never runs what it compiled itself if it can be helped: functions inside kernels, compiled here one by
    one, would take the place of those in the kernel, and the first run would differ from later ones in the last bit.
    """
    parts = [part for share in shares for part in share]
    if not parts:
        return
    left, lock = list(parts), Lock()
    tell(0, len(parts))

    def wait(process: "subprocess.Popen[bytes]", share: list[Part]) -> None:
        for _, part in zip(process.stdout or (), share, strict=False):
            with lock:
                left.remove(part)
                tell(len(parts) - len(left), len(parts))
        process.wait()

    alone = cores() == 1
    started = [(process, share) for share in ([parts] if alone else shares) if share and (process := _start(share))]
    waiting = [Thread(target=wait, args=one, daemon=True) for one in started]
    try:
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
    finally:
        for process, _ in started:
            process.kill()
    for k, (function, types) in enumerate(left):
        function.compile(types)
        tell(len(parts) - len(left) + k + 1, len(parts))
    _say_where(parts)


def _say_where(parts: list[Part]) -> None:
    """Note where compiled kernels went, if not to the first place, or that they are nowhere."""
    wanted, found = str(places()[0]), {_place(part) for part in parts}
    if None in found:
        note(f"compiled kernels cannot be kept, so every start compiles: make room, or {NAME_ANOTHER}")
    elif found != {wanted}:
        elsewhere = ", ".join(sorted(place for place in found if place and place != wanted))
        note(f"{wanted} cannot be written or is full: compiled kernels are in {elsewhere}; {NAME_ANOTHER}")


def _start(parts: list[Part]) -> "subprocess.Popen[bytes] | None":
    """A process that compiles `parts` and writes a line after each; None where none can be started, or keep them."""
    try:
        cache_folder()
    except OSError:
        return None
    named = [(function.py_func.__module__, function.py_func.__name__, types) for function, types in parts]
    try:
        other = subprocess.Popen(
            [sys.executable, "-c", SECOND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": "0"},  # names that numba gives follow the order of sets
        )
        if other.stdin:
            other.stdin.write(pickle.dumps(sys.path) + pickle.dumps(named))
            other.stdin.close()
    except (OSError, ValueError):
        return None
    return other


def _serve() -> None:
    """The other process: it ends soon, so looking for cycles, a fifth of the time, gains nothing."""
    gc.disable()
    _emit_what_is_kept()
    for module, name, types in pickle.load(sys.stdin.buffer):
        getattr(importlib.import_module(module), name).compile(types)
        sys.stdout.write("\n")
        sys.stdout.flush()


def _emit_what_is_kept() -> None:
    """In a process that only compiles, functions inside kernels get no machine code, for nobody calls them.

    numba would make it for each, a tenth of the time. A version of numba that is built otherwise ends this process, and
    the one that waits for it compiles.
    """
    from numba._dynfunc import make_function
    from numba.core.codegen import JITCodeLibrary
    from numba.core.cpu import CPUContext

    finalize, executable = JITCodeLibrary._finalize_final_module, CPUContext.get_executable

    def finalize_kept(library: Any) -> None:
        if library.name in KEPT:
            finalize(library)
        else:
            library._finalize_dynamic_globals()
            library._finalized = True

    def executable_of_kept(context: Any, library: Any, described: Any, env: Any) -> Any:
        if library.name in KEPT:
            return executable(context, library, described, env)
        library._ensure_finalized()
        return make_function(described.lookup_module(), described.qualname, "", 0, env, (library,))

    JITCodeLibrary._finalize_final_module, CPUContext.get_executable = finalize_kept, executable_of_kept


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
