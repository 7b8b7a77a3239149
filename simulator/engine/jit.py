"""How every kernel is compiled: one decorator for kernels, one for the small functions inside them.

The cache folder is named by a hash of all kernel sources, because numba's own cache does not see an edit in an imported
file. With ``NUMBA_DISABLE_JIT=1`` both decorators give back the plain Python function.
"""

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

import numba
import numpy as np

LANES = int(os.environ.get("ALS_SIM_LANES", "128"))
"""Patients stepped at once, at most 128; a compile-time constant. Results do not depend on it (a test proves it)."""

U64 = np.uint64
"""Index type where a row is chosen at run time: the check for negative indices would turn loads into gathers."""

YES, NO = np.bool_(True), np.bool_(False)
"""No literals: what is asked either way is compiled once."""

JIT = not numba.config.DISABLE_JIT

# No "reassoc" and never True: sums are integers (see sums.py), and infinity means something here.
# Kernels allocate nothing, so arrays need no counting of references ("_nrt"): it cost a tenth of the time.
OPTIONS = {"_nrt": False, "error_model": "numpy", "fastmath": {"contract", "nsz", "arcp", "afn"}, "nogil": True}


@cache
def cache_folder() -> Path:
    """Folder of compiled kernels: ``ALS_SIM_CACHE``, else the user's cache folder, else a temporary one."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__} {LANES}".encode())
    for source in sorted([*root.glob("engine/*.py"), *root.glob("models/*/kernels/*.py"), root / "units.py"]):
        digest.update(source.read_bytes())
    name = digest.hexdigest()[:16]
    places = [os.environ.get("ALS_SIM_CACHE"), _user_cache(), Path(tempfile.gettempdir()) / "als-simulator"]
    for place in places:
        if place and _writable(folder := Path(place) / name):
            return folder
    raise OSError("no folder for compiled kernels can be written: set ALS_SIM_CACHE to one that can")


def _user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "als-simulator"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK)
    except OSError:
        return False


def kernel(function):
    """Compile `function` on first call and keep it on disk for the next process."""
    if not JIT:
        return function
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())  # read by numba while it decorates, so other users keep theirs
    try:
        return numba.njit(cache=True, **OPTIONS)(function)
    finally:
        numba.config.CACHE_DIR = before


def block(function):
    """Compile a function that loops over a block of patients; it stays a call, which keeps compiling short."""
    return numba.njit(**OPTIONS)(function) if JIT else function


def inline(function):
    """Compile a function of one patient into the loop that calls it, so that the loop still vectorises."""
    return numba.njit(forceinline=True, **OPTIONS)(function) if JIT else function


def merge(function):
    """Write a function into its only caller before compiling: no level of its own, which would be compiled twice."""
    return numba.njit(inline="always", **OPTIONS)(function) if JIT else function
