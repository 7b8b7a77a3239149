"""Files that survive: written beside their place, flushed, then moved into it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from simulator.errors import FULL, DiskFullError, SimulatorError

PART = ".part"
SUMS, MADE_FROM = "tables.sha256.json", "made_from"
STALE_SECONDS = 3600.0
MACHINE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]

Writer = Callable[[Path], None]


def write_all(folder: Path, writers: Iterable[tuple[str, Writer]]) -> None:
    """Write several files: all to temporaries first, then each into its place, in order.

    A name may be that of a file in a folder below. When a writer fails, the files that were there stay as they were,
    and folders that were not there are not.
    """
    parts: list[tuple[Path, Path]] = []
    new: list[Path] = []
    try:
        for name, writer in writers:
            place = folder / name
            new = [*missing(place.parent), *new]
            place.parent.mkdir(parents=True, exist_ok=True)
            remove_stale(place.parent)
            part = place.with_name(part_name(place.name))
            parts.append((part, place))
            writer(part)
            flush(part)
        for part, place in parts:
            part.replace(place)
        for one in {place.parent for _, place in parts}:
            flush(one)
    except BaseException as error:
        for part, _ in parts:
            part.unlink(missing_ok=True)
        remove_empty(new)
        if isinstance(error, OSError):
            raise write_error(folder, error) from error
        raise


def append(place: Path, text: str) -> None:
    """Add text to the end of a file: all of it, or none."""
    size = place.stat().st_size if place.exists() else 0
    try:
        with place.open("ab") as stream:
            stream.write(text.encode("utf-8"))
    except OSError as error:
        with suppress(OSError):
            os.truncate(place, size) if size else place.unlink()
        raise write_error(place, error) from error


def missing(folder: Path) -> list[Path]:
    """A folder and those above it, as far as they are not there, the lowest first."""
    return [place for place in (folder, *folder.parents) if not place.exists()]


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders that hold nothing."""
    for folder in folders:
        with suppress(OSError):  # not empty, or not there
            folder.rmdir()


def write_tables(folder: Path, tables: Iterable[tuple[str, Writer]], made_from: str = "") -> None:
    """Write tables and, beside them in one file, the checksum of each and of what it was made from.

    What the file says of tables that are not written now is kept.
    """
    try:
        found = json.loads((folder / SUMS).read_text("utf-8"))
        sums, sources = dict(found), dict(found.get(MADE_FROM, {}))
    except (OSError, ValueError, TypeError, AttributeError):
        sums, sources = {}, {}

    def noted(name: str, writer: Writer) -> Writer:
        def write(part: Path) -> None:
            writer(part)
            sums[name] = sha256(part)
            sources.pop(name, None)
            if made_from:
                sources[name] = made_from

        return write

    def seal(part: Path) -> None:
        told = {key: sums[key] for key in sorted(sums) if key != MADE_FROM}
        told |= {MADE_FROM: dict(sorted(sources.items()))} if sources else {}
        text_writer(json.dumps(told, indent=1) + "\n")(part)  # only now are the checksums known

    write_all(folder, [*((name, noted(name, writer)) for name, writer in tables), (SUMS, seal)])


def check_space(folder: Path, needed: float, what: str) -> None:
    """Refuse, before they are written, files that would not fit on the disk.

    Raises
    ------
    DiskFullError
        With how much they take and how much is free.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    free = shutil.disk_usage(there).free
    if needed > free:
        sizes = f"{what} about {needed / 2**20:,.2f} MiB, the disk has free {free / 2**20:,.2f} MiB"
        raise DiskFullError(f"{folder}: {sizes}", "Make room, name another folder with -o, or ask for fewer patients")


def write_error(folder: Path, error: OSError) -> SimulatorError:
    """The error to raise where the system could not write: a full disk is a missing resource."""
    fact = f"{folder}: cannot write: {error.strerror or error}"
    return DiskFullError(fact) if error.errno in FULL else SimulatorError(fact)


def part_name(name: str) -> str:
    """The name of a temporary beside a file: it says which process of which machine writes it."""
    return f".{name}.{MACHINE}-{os.getpid()}-{secrets.token_hex(4)}{PART}"


def remove_stale(folder: Path) -> None:
    """Remove temporaries whose process on this machine has ended, and those of any that are more than an hour old."""
    for part in folder.glob(f".*{PART}"):
        with suppress(OSError):
            if _has_ended(part.name) or time.time() - part.stat().st_mtime > STALE_SECONDS:
                part.unlink()


def _has_ended(name: str) -> bool:
    """Whether the process that wrote a temporary has ended; False where that cannot be known."""
    machine, _, rest = name.removesuffix(PART).rpartition(".")[2].partition("-")
    pid = rest.partition("-")[0]
    if os.name == "nt" or machine != MACHINE or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


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


def sha256(path: Path) -> str:
    """Checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
