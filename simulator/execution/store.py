"""Where finished parts of a study are kept: in a folder that survives whatever happens to the process, or in memory.

A folder holds one file for each part, named by the hash of all that decides its content. A file is written beside its
place, flushed and moved into it; it counts as finished when it is there and its checksum is right. Only one process
writes the points of a sweep into a folder at a time, so a start may remove every temporary that it finds.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from simulator.execution.encoding import Packed, pack, unpack
from simulator.execution.version_check import keeping
from simulator.results.errors import FolderError
from simulator.results.files import PART, flush, remove_stale, write_error
from simulator.results.folder import begin_folder, check_folder
from simulator.results.kinds import SWEEP
from simulator.writing import missing, remove_empty

REMEMBERED_BYTES = 64 << 20
(POINTS,), POINT, FAILED, KEPT = SWEEP.work, ".point", ".failed", ".kept"


class Done(NamedTuple):
    """A point that was tried: its file's name and content, and why it failed, if it did."""

    number: int
    key: str
    content: bytes
    message: str


class Store(Protocol):
    """Keeps points by their names."""

    def get(self, key: str) -> Packed | None:
        """The point, or None where it is not finished."""
        ...

    def put(self, found: Sequence[Done]) -> None:
        """Keep points that were tried."""
        ...


class InMemory:
    """Keeps points as long as the sweep runs."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get(self, key: str) -> Packed | None:
        """The point, or None."""
        return unpack(self._kept[key]) if key in self._kept else None

    def put(self, found: Sequence[Done]) -> None:
        """Keep points."""
        self._kept.update((one.key, one.content) for one in found)


class Parts:
    """Keeps the parts of a study as files of a folder, which is made with the first of them.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Mapping[str, NDArray[Any]] | None:
        """The arrays of a part; None where there is no file with the right checksum."""
        found = _read(f"{self.folder}{os.sep}{key}{KEPT}", key)
        return None if found is None else found.arrays

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep a part.

        Raises
        ------
        DiskFullError, FolderError
            It cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(f"{self.folder}{os.sep}", f"{key}{KEPT}", pack({"key": key}, arrays), True)
        except OSError as error:
            raise write_error(self.folder, error) from error


class LookInto:
    """Says what a folder keeps, and changes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.points = folder, folder / POINTS
        self._there = set(os.listdir(self.points)) if self.points.is_dir() else set()

    def get(self, key: str) -> Packed | None:
        """The point, or None where there is no file with the right checksum."""
        for name in (f"{key}{POINT}", f"{key}{FAILED}"):
            if name in self._there and (found := _read(f"{self.points}{os.sep}{name}", key)) is not None:
                return found
        return None

    def put(self, found: Sequence[Done]) -> None:
        """Nothing."""


class InFolder(LookInto):
    """Keeps points in a folder; a context manager that holds the folder for itself.

    Parameters
    ----------
    folder : Path
    about : dict
        What the folder is about, for its manifest.
    force : bool
        Use a folder that holds something else.
    flushed : bool
        Have every point's file put on the disk before the next. Without it a loss of power may cut files short that
        are minutes old; their checksums tell, and the points are simulated again, which takes less than flushing them.
    """

    def __init__(self, folder: Path, about: dict[str, Any], *, force: bool = False, flushed: bool = True) -> None:
        self.folder, self._flushed = folder, flushed
        self._about, self._force = about, force
        self._new: dict[str, bytes] = {}
        self._left = REMEMBERED_BYTES

    def __enter__(self) -> InFolder:
        check_folder(self.folder, SWEEP, self._force)
        with ExitStack() as stack:
            stack.callback(remove_empty, missing(self.folder))
            (self.folder / POINTS).mkdir(parents=True, exist_ok=True)
            lock = _lock(self.folder)
            if lock >= 0:
                stack.callback(os.close, lock)
            stack.enter_context(keeping(self.folder, SWEEP))
            for place in (self.folder, self.folder / POINTS):
                _remove_parts(place, alone=lock >= 0)
            super().__init__(self.folder)
            begin_folder(self.folder, SWEEP, self._about)
            self._held = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.points.is_dir():
            flush(self.points)
        self._held.__exit__(kind, error, trace)

    def get(self, key: str) -> Packed | None:
        """The point, or None where there is no file with the right checksum."""
        return unpack(self._new[key]) if key in self._new else super().get(key)

    def put(self, found: Sequence[Done]) -> None:
        """Write points; one that failed before and has not now is no longer listed as failed."""
        for one in found:
            name = f"{one.key}{FAILED if one.message else POINT}"
            try:
                _write(f"{self.points}{os.sep}", name, one.content, self._flushed)
            except OSError as error:
                raise write_error(self.points, error) from error
            self._there.add(name)
            self._remember(one)
            if not one.message and f"{one.key}{FAILED}" in self._there:
                (self.points / f"{one.key}{FAILED}").unlink(missing_ok=True)
        if found and self._flushed:
            flush(self.points)

    def _remember(self, one: Done) -> None:
        """Keep what was just written in memory too, while there is little of it: it will be asked for soon."""
        self._left -= len(one.content)
        if self._left >= 0:
            self._new[one.key] = one.content


def _read(path: str, key: str) -> Packed | None:
    """The part in a file; None where it is not there, not whole, or that of something else."""
    try:
        with open(path, "rb", buffering=0) as file:
            found = unpack(file.read())
    except OSError:  # gone, or a folder of that name: not finished
        return None
    return found if found is not None and found.header["key"] == key else None


def _write(folder: str, name: str, content: bytes, flushed: bool) -> None:
    """Write one file beside its place, flush it and move it there; bare calls, because there are thousands."""
    part = f"{folder}.{name}.{os.getpid()}{PART}"
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o644)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
            if flushed:
                os.fsync(handle)
        finally:
            os.close(handle)
        if os.path.isdir(folder + name):
            shutil.rmtree(folder + name)  # nobody but a study names anything so
        os.replace(part, folder + name)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


def _lock(folder: Path) -> int:
    """Hold the folder until the process ends, however it ends; -1 where the system cannot.

    Raises
    ------
    FolderError
        Another process holds it.
    """
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return -1
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise FolderError(f"{folder}: another sweep is writing here; wait for it, or name another with -o") from None
    except OSError:  # a file system without locks
        os.close(handle)
        return -1
    return handle


def _remove_parts(folder: Path, alone: bool) -> None:
    """Remove temporaries of a process that was killed: all of them where nobody else can be writing."""
    if not alone:
        remove_stale(folder)
        return
    for part in folder.glob(f".*{PART}"):
        with suppress(OSError):  # Windows removes no file that somebody reads
            part.unlink()
