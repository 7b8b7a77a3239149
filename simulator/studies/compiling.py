"""Filling the cache of kernels before anything is simulated: for images, clusters and folders that users share."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from simulator.errors import SimulatorError

PATIENTS = 2
"""What a run compiles does not depend on their number."""


class Compiled(NamedTuple):
    """One scenario whose kernels are there. `parts` were compiled for it; none where another had the same kind."""

    scenario: str
    parts: int
    seconds: float


class Filled(NamedTuple):
    """What is in the cache now."""

    folder: str
    megabytes: float
    scenarios: tuple[Compiled, ...]


def fill_cache(scenarios: Iterable[str]) -> Filled:
    """Compile whatever runs of these scenarios need, and keep it.

    Raises
    ------
    SimulatorError
        No folder for compiled kernels can be written.
    """
    from simulator.engine.jit import cache_folder, damaged

    try:
        folder = cache_folder()
    except OSError as error:
        raise SimulatorError(str(error)) from None
    for broken in damaged():
        with suppress(OSError):  # not ours to remove: it is compiled again elsewhere
            broken.unlink()
    done = tuple(_compile(name) for name in scenarios)
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Filled(str(folder), round(size / 1e6, 1), done)


def _compile(name: str) -> Compiled:
    from simulator.engine.listeners import while_compiling
    from simulator.language import load
    from simulator.run import recorded

    counts = [0]
    start = time.perf_counter()
    with while_compiling(lambda done, total: counts.append(done)):
        recorded(load(name), patients=PATIENTS, threads=1)
    return Compiled(name, max(counts), round(time.perf_counter() - start, 1))
