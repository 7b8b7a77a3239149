"""How every kernel is compiled: one decorator for kernels, one for the small functions inside them.

The cache folder is named by a hash of all kernel sources, because numba's own cache does not see an edit in an imported
file. With ``NUMBA_DISABLE_JIT=1`` both decorators give back the plain Python function.
"""

import hashlib
import os
import pickle
import tempfile
from functools import cache, cached_property
from pathlib import Path

import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.core.registry import CPUDispatcher

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
INSIDE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""What is called from kernels only needs no entry for Python or C."""


@cache
def _digest() -> str:
    """Hash of all that compiled kernels depend on, but the processor, by which numba tells them apart."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__} {LANES}".encode())
    for source in sorted([*root.glob("engine/*.py"), *root.glob("models/*/kernels/*.py"), root / "units.py"]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _places() -> list[Path]:
    """Where compiled kernels may lie: ``ALS_SIM_CACHE``, the user's cache folder, the user's among temporary files."""
    named, base = os.environ.get("ALS_SIM_CACHE"), os.environ.get("XDG_CACHE_HOME")
    cache_home = Path(base) if base else Path(os.path.expanduser("~"), ".cache")
    places = [*([Path(named)] if named else []), cache_home / "als-simulator", _temporary()]
    return [place / _digest() for place in places]


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / f"als-simulator-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


@cache
def cache_folder() -> Path:
    """Folder that kernels are written to: the first place that can be written.

    Raises
    ------
    OSError
        There is none: kernels are compiled in every process that finds them in no place.
    """
    for folder in _places():
        if _writable(folder):
            return folder
    raise OSError("no folder for compiled kernels can be written: set ALS_SIM_CACHE to one that can")


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK) and _is_safe(folder)
    except OSError:
        return False


def _is_safe(folder: Path) -> bool:
    """Not made by somebody else among temporary files: what is read from it is run."""
    if folder.parent != _temporary() or not hasattr(os, "getuid"):
        return True
    return folder.stat().st_uid == folder.parent.stat().st_uid == os.getuid()


class _Locator(_CacheLocator):  # type: ignore[misc]
    """Tells numba that a kernel lies in our folder; its name stands for the state of the sources."""

    def __init__(self, function, file):
        self._py_file, self._line = file, function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, py_func, py_file):
        return cls(py_func, py_file)

    def get_cache_path(self):
        try:
            return str(cache_folder())
        except OSError:
            return ""

    def get_source_stamp(self):
        return _digest()

    def get_disambiguator(self):
        return str(self._line)


class _Storage(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class Kept(FunctionCache):  # type: ignore[misc]
    """What is compiled of a kernel, on disk: in the first place that can be written, or in one before it."""

    _impl_class = _Storage

    def _files(self):
        for folder in _places():
            if folder.is_dir() and _is_safe(folder):
                yield IndexDataCacheFile(str(folder), self._impl.filename_base, _digest())
            if str(folder) == self.cache_path:
                return

    def has(self, types, context):
        """Whether a kernel for these types is there, without loading it."""
        context.refresh()
        key = self._index_key(types, context.codegen())
        return any(key in _tried(file._load_index, {}) for file in self._files())

    def _load_overload(self, sig, target_context):
        key = self._index_key(sig, target_context.codegen())
        for file in self._files():
            data = _tried(lambda file=file: file.load(key), None)
            if data is not None:
                return self._impl.rebuild(target_context, data)
        return None

    def _save_overload(self, sig, data):
        save = super()._save_overload
        if self.cache_path and not _tried(lambda: [save(sig, data)], None):
            _tried(lambda: [self.flush(), save(sig, data)], None)  # the index was damaged


def _tried(read, otherwise):
    """What `read` gives; `otherwise` where a file is damaged, gone or forbidden, for then a kernel is compiled."""
    try:
        return read()
    except (OSError, EOFError, ValueError, KeyError, AttributeError, ImportError, pickle.UnpicklingError):
        return otherwise


def kernel(function):
    """Compile `function` on first call and keep it on disk for the next process."""
    if not JIT:
        return function
    dispatcher = numba.njit(**OPTIONS)(function)
    dispatcher._cache = Kept(function)
    return dispatcher


class _Inner(CPUDispatcher):  # type: ignore[misc]
    """A function inside kernels, which compile it without an entry for Python: that would take a fifth longer.

    To call such a version from Python would end the process, so a call from there compiles another, with an entry.
    """

    def __call__(self, *args):
        return self._from_python(*args)

    @cached_property
    def _from_python(self):
        return numba.njit(**OPTIONS)(self.py_func)


def _inner(function, **options):
    return _Inner(function, targetoptions={"nopython": True, **OPTIONS, **INSIDE, **options}) if JIT else function


def block(function):
    """Compile a function that loops over a block of patients; it stays a call, which keeps compiling short."""
    return _inner(function)


def inline(function):
    """Compile a function of one patient into the loop that calls it, so that the loop still vectorises."""
    return _inner(function, forceinline=True)


def merge(function):
    """Write a function into its only caller before compiling: no level of its own, which would be compiled twice."""
    return _inner(function, inline="always")
