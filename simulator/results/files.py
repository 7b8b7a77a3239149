"""Files that survive: written beside their place, flushed, then moved into it; read back with clear errors."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from simulator.results import netcdf
from simulator.results.errors import ResultError
from simulator.results.tree import FORMAT, Result

PART = ".part"
STALE_SECONDS = 3600.0
RESULT_FILE = "result.nc"

Writer = Callable[[Path], None]


def write_all(folder: Path, writers: Iterable[tuple[str, Writer]]) -> None:
    """Write several files: all to temporaries first, then each into its place, in order.

    When a writer fails, the files that were there stay as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_stale(folder)
    parts: list[tuple[Path, Path]] = []
    try:
        for name, writer in writers:
            part = folder / f".{name}.{secrets.token_hex(4)}{PART}"
            parts.append((part, folder / name))
            writer(part)
            flush(part)
        for part, place in parts:
            part.replace(place)
    except OSError as error:
        raise ResultError(f"{folder}: cannot write: {error.strerror or error}") from error
    finally:
        for part, _ in parts:
            part.unlink(missing_ok=True)
    flush(folder)


def remove_stale(folder: Path) -> None:
    """Remove temporaries that a killed run left more than an hour ago."""
    for part in folder.glob(f".*{PART}"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > STALE_SECONDS:
                part.unlink()


def flush(path: Path) -> None:
    """Have the system put the file, or the names in a folder, on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def text_writer(text: str) -> Writer:
    """A writer of UTF-8 text."""
    return bytes_writer(text.encode("utf-8"))


def bytes_writer(content: bytes) -> Writer:
    """A writer of what is ready."""

    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


def result_writer(result: Result) -> Writer:
    """A writer of a result's netCDF file."""
    return lambda path: netcdf.write(path, result.attrs, result.groups)


def save(result: Result, path: Path) -> None:
    """Write a result to one file, atomically."""
    if path.is_dir():
        raise ResultError(f"{path}: is a folder; name a file in it, such as {path / RESULT_FILE}")
    write_all(path.parent, [(path.name, result_writer(result))])


def open_result(path: str | Path, lazily: bool = False) -> Result:
    """Read a result from its file, or from the folder of its run; `lazily`: each group when it is first asked for."""
    place = Path(path)
    if place.is_dir():
        place = place / RESULT_FILE
    netcdf.check_is_netcdf(place)
    with netcdf.undamaged(place):
        attrs, groups = (netcdf.read_lazily if lazily else netcdf.read)(place)
    if attrs.get("format") != FORMAT:
        raise ResultError(f"{place}: a netCDF file, but not a result of this program ({FORMAT!r})")
    if "summary" not in groups:
        raise ResultError(f"{place}: cut short or damaged: no group 'summary'")
    return Result(lambda: attrs, groups)
