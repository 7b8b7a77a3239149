"""How every kernel is compiled: one decorator for kernels, one for the small functions inside them.

The cache folder is named by a hash of all kernel sources, because numba's own cache does not see an edit in an imported
file. With ``NUMBA_DISABLE_JIT=1`` both decorators give back the plain Python function.
"""

import hashlib
import io
import os
import pickle
import shutil
import tempfile
import time
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path

import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.core.registry import CPUDispatcher

from simulator.engine.listeners import note

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
STALE_SECONDS = 3600.0
ROOM_BYTES = 32 << 20
"""Free bytes that a place must have: kernels of all bundled scenarios take ten million."""
SEAL_BYTES = hashlib.sha256().digest_size
INSIDE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""What is called from kernels only needs no entry for Python or C."""
KEPT: set[str] = set()
"""Names of the functions that are kept on disk."""


@cache
def _digest() -> str:
    """Hash of all that compiled kernels depend on, but the processor, by which numba tells them apart."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__} {LANES}".encode())
    for source in sorted([*root.glob("engine/*.py"), *root.glob("models/*/kernels/*.py"), root / "units.py"]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def places() -> list[Path]:
    """Where compiled kernels may lie: ``ALS_SIM_CACHE``, the user's cache folder, the user's among temporary files."""
    named, base = os.environ.get("ALS_SIM_CACHE"), os.environ.get("XDG_CACHE_HOME")
    cache_home = Path(base) if base and os.path.isabs(base) else Path(os.path.expanduser("~"), ".cache")
    places = [*([Path(named)] if named else []), cache_home / "als-simulator", _temporary()]
    return [place / _digest() for place in places if place.is_absolute() or (named and place == Path(named))]


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / f"als-simulator-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


@cache
def cache_folder() -> Path:
    """Folder that kernels are written to: the first place that can be written and has room.

    Raises
    ------
    OSError
        There is none: kernels are compiled in every process that finds them in no place.
    """
    for folder in filter(_writable, places()):
        for left in folder.glob("*.tmp.*"):  # of processes that were killed
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink(missing_ok=True)
        return folder
    raise OSError("no folder for compiled kernels can be written and has room: set ALS_SIM_CACHE to one that is")


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK) and _is_safe(folder) and shutil.disk_usage(folder).free >= ROOM_BYTES
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


class _Sealed(IndexDataCacheFile):  # type: ignore[misc]
    """numba's two kinds of files, each with a checksum after its end: a flipped bit in a kernel may end the process."""

    def save(self, key, data):
        """Keep a kernel in a file of its own name: processes that write the same index at once never mix kernels."""
        name = f"{Path(self._index_path).stem}.{hashlib.sha256(repr(key).encode()).hexdigest()[:12]}.nbc"
        self._save_data(name, data)
        self._save_index({**self._load_index(), key: name})

    def has(self, key):
        """Whether a whole kernel is there."""
        name = self._load_index().get(key)
        return name is not None and bool(unsealed(self._data_path(name)))

    def _load_index(self):
        if os.path.exists(self._index_path):
            unsealed(self._index_path)
        return super()._load_index()

    def _load_data(self, name):
        return pickle.loads(unsealed(self._data_path(name)))

    @contextmanager
    def _open_for_write(self, filepath):
        with super()._open_for_write(filepath) as file, io.BytesIO() as content:
            yield content
            file.write(content.getvalue() + hashlib.sha256(content.getvalue()).digest())


class DamagedKernelError(ValueError):
    """The checksum of a file in the cache does not hold."""


def unsealed(path) -> bytes:
    """What a file of the cache holds, when its checksum holds."""
    content = Path(path).read_bytes()
    body, seal = content[:-SEAL_BYTES], content[-SEAL_BYTES:]
    if hashlib.sha256(body).digest() != seal:
        raise DamagedKernelError(f"{path} is damaged and not used: the kernel is compiled again")
    return body


def damaged() -> list[Path]:
    """Files of the cache that are not whole, in all places."""
    files = [path for place in places() for path in sorted(place.glob("*.nb[ic]"))]
    return [path for path in files if _tried(lambda path=path: unsealed(path), None) is None]


class _Storage(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class Kept(FunctionCache):  # type: ignore[misc]
    """What is compiled of a kernel, on disk: in the first place that can be written, or in one before it."""

    _impl_class = _Storage

    def _files(self):
        """The files of this kernel in each of these places."""
        for folder in places():
            if folder.is_dir() and _is_safe(folder):
                yield _Sealed(str(folder), self._impl.filename_base, _digest())
            if str(folder) == self.cache_path:
                return

    def place(self, types, context):
        """The folder that holds a whole kernel for these types, without loading it; None where it is nowhere."""
        context.refresh()
        key = self._index_key(types, context.codegen())
        return next((file._cache_path for file in self._files() if _tried(lambda f=file: f.has(key), False)), None)

    def _load_overload(self, sig, target_context):
        key = self._index_key(sig, target_context.codegen())
        for file in self._files():
            data = _tried(lambda file=file: file.load(key), None)
            if data is not None:
                return self._impl.rebuild(target_context, data)
        return None

    def _save_overload(self, sig, data):
        if not self._impl.check_cachable(data):
            return
        key, content = self._index_key(sig, data.codegen), self._impl.reduce(data)
        file = _Sealed(self.cache_path, self._impl.filename_base, _digest())
        if self.cache_path and not _tried(lambda: [file.save(key, content)], None):
            _tried(lambda: [file.flush(), file.save(key, content)], None)  # the index was damaged


def _tried(read, otherwise):
    """What `read` gives; `otherwise` where a file is damaged, gone or forbidden, for then a kernel is compiled."""
    try:
        return read()
    except DamagedKernelError as error:
        note(str(error))
    except (OSError, EOFError, ValueError, KeyError, AttributeError, ImportError, pickle.UnpicklingError):
        pass
    return otherwise


def kernel(function):
    """Compile `function` on first call and keep it on disk for the next process."""
    return kept(numba.njit(**OPTIONS)(function)) if JIT else function


def kept(function):
    """Keep what is compiled of `function` on disk: parts that several kernels or processes have in common."""
    if JIT:
        function._cache = Kept(function.py_func)
        KEPT.add(function.py_func.__qualname__)
    return function


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
