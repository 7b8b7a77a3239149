"""Whether this installation works: versions, cores, cache, and the random numbers against published vectors."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import NamedTuple

from simulator.version import __version__

LIBRARIES = (
    "numba",
    "numpy",
    "scipy",
    "xarray",
    "pydantic",
    "h5py",
    "h5netcdf",
    "matplotlib",
    "jinja2",
    "ruamel.yaml",
    "typer",
)

# Philox4x32-10, counter, key -> output: known answers of Random123 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
VECTORS = (
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)


class Check(NamedTuple):
    """One thing looked at. `passed` is None for what is only told."""

    name: str
    finding: str
    passed: bool | None = None


def checks() -> list[Check]:
    """Everything that is looked at."""
    from simulator.engine.compiling import cores

    found = [
        Check("als-simulator", __version__),
        Check("python", f"{platform.python_version()} ({platform.system()} {platform.machine()})"),
        *(_library(name) for name in LIBRARIES),
        Check("cores", str(cores())),
        Check("threads", os.environ.get("NUMBA_NUM_THREADS", str(cores()))),
        Check("compiler", "off (NUMBA_DISABLE_JIT)" if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" else "on"),
    ]
    return [*found, _cache(), _random_numbers()]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _library(name: str) -> Check:
    version = _version(name)
    return Check(name, version, version != "not installed")


def _cache() -> Check:
    """The compiled kernels: all whole, and one is compiled, kept and loaded."""
    from simulator.engine.jit import JIT, cache_folder, damaged, places

    name = "kernel cache"
    if not JIT:
        return Check(name, "not used")
    try:
        folder = cache_folder()
    except OSError as error:
        return Check(name, str(error), False)
    if broken := damaged():
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        return Check(name, f"{broken[0]}{more}: damaged; als-sim compile drops what is damaged", False)
    if (found := _loaded_from()) is None:
        return Check(name, f"{folder}: takes no kernel, so every start compiles: is it full?", False)
    finding = f"{found}: {len(list(folder.glob('*.nbc')))} kernels, one of them loaded"
    first = str(places()[0])
    return Check(name, finding if found == first else f"{finding}; {first} cannot be written or is full", True)


def _loaded_from() -> str | None:
    """The folder from which a small kernel is loaded, after it was compiled where it was not there."""
    import numpy as np

    from simulator.engine.jit import kernel
    from simulator.engine.people import strata_of

    for _ in range(2):
        function = kernel(strata_of.py_func)
        function(np.array([0.25, 0.75]), np.zeros(4, np.int64))
        if sum(function.stats.cache_hits.values()):
            return function._cache.place(function.signatures[0], function.targetctx)
    return None


def _random_numbers() -> Check:
    """The compiled generator against the published vectors."""
    from simulator.engine.random import philox

    wrong = [counter for counter, key, output in VECTORS if tuple(map(int, philox(*counter, *key))) != output]
    finding = f"{len(VECTORS) - len(wrong)} of {len(VECTORS)} published Philox4x32-10 vectors"
    return Check("random numbers", finding, not wrong)
