"""Files that survive: written beside their place, flushed, then moved into it; read back with clear errors."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from simulator.errors import FULL, ResourceError, SimulatorError
from simulator.results import netcdf
from simulator.results.arrays import Groups
from simulator.results.errors import ResultError
from simulator.results.kinds import KINDS, Kind

PART = ".part"
STALE_SECONDS = 3600.0
MACHINE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
MANIFEST = "manifest.json"
SEAL = b"sha256:"
SEAL_BYTES = len(SEAL) + 64
SIGNATURE = b"\x89HDF\r\n\x1a\n"
PIECE_BYTES = 1 << 20

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
            part = folder / part_name(name)
            parts.append((part, folder / name))
            writer(part)
            flush(part)
        for part, place in parts:
            part.replace(place)
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        for part, _ in parts:
            part.unlink(missing_ok=True)
    flush(folder)


def check_room(folder: Path, needed: float, what: str) -> None:
    """Refuse, before they are written, files that would not fit on the disk.

    Raises
    ------
    ResourceError
        With how much they take and how much is free.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    free = shutil.disk_usage(there).free
    if needed > free:
        sizes = f"{what} about {needed / 2**30:,.2f} GiB, the disk has free {free / 2**30:.2f} GiB"
        raise ResourceError(f"{folder}: {sizes}. Make room, name another folder with -o, or ask for fewer patients")


def write_error(folder: Path, error: OSError) -> SimulatorError:
    """The error to raise where the system could not write: a full disk is a missing resource."""
    fact = f"{folder}: cannot write: {error.strerror or error}"
    if error.errno in FULL:
        return ResourceError(f"{fact}. Nothing was left there; make room, or name another folder with -o")
    return ResultError(fact)


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


def sealing(writer: Writer) -> Writer:
    """The writer of a netCDF file, with a checksum of it appended: HDF5 ignores what follows its end.

    Who changes the file with another program drops the checksum or no longer meets it.
    """

    def write(path: Path) -> None:
        writer(path)
        digest = sha256(path)
        with path.open("ab") as file:
            file.write(SEAL + digest.encode("ascii"))

    return write


def sha256(path: Path) -> str:
    """Checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save(path: Path, writer: Writer, kind: Kind) -> None:
    """Write one file of a study, atomically."""
    if path.is_dir():
        raise ResultError(f"{path}: is a folder; name a file in it, such as {path / kind.file}")
    write_all(path.parent, [(path.name, writer)])


def read_netcdf(path: Path, kinds: Sequence[Kind], lazily: bool = False) -> tuple[dict[str, Any], Groups]:
    """Attributes and groups of a netCDF file of one of these kinds, when its checksum holds.

    `lazily` : each group is read when it is first asked for.

    Raises
    ------
    ResultError
        There is no such file, it is damaged or was changed, or it is something else.
    """
    check_there(path, kinds[0])
    body, seal = _seal(path)
    try:
        attrs, groups = (netcdf.read_lazily if lazily else netcdf.read)(path)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise ResultError(f"{path}: cut short or damaged: {error}. {_again(kinds[0])}") from error
    is_whole = seal == SEAL + body.encode("ascii")
    if is_whole and attrs.get("format") in {kind.format for kind in kinds}:
        return attrs, groups
    if not is_whole and any(attrs.get("format") == kind.format for kind in KINDS):
        fact = "damaged: its content does not match the checksum in it"
        if not seal.startswith(SEAL):
            fact = "damaged, changed by another program, or written before files had a checksum"
        raise ResultError(f"{path}: {fact}. {_again(kinds[0])}")
    raise ResultError(f"{path}: a netCDF file, but not {' or '.join(kind.title for kind in kinds)} of this program")


def _seal(path: Path) -> tuple[str, bytes]:
    """Checksum of a netCDF file without its last bytes, and these bytes; a piece at a time, for files are large."""
    digest, left = hashlib.sha256(), path.stat().st_size - SEAL_BYTES
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise ResultError(f"{path}: not a netCDF-4 file")
        file.seek(0)
        while left > 0:
            piece = file.read(min(left, PIECE_BYTES))
            digest.update(piece)
            left = left - len(piece) if piece else 0
        return digest.hexdigest(), file.read()


def check_there(path: Path, kind: Kind) -> None:
    """Refuse a file that is missing, or that is not what the manifest beside it names."""
    if not path.is_file():
        raise ResultError(f"{path}: there is no such file; `{kind.command}` makes one")
    named = check_sealed(path.parent / MANIFEST).get("files", {})
    entry = named.get(path.name) if isinstance(named, dict) else None
    if isinstance(entry, dict) and entry.get("sha256") != sha256(path):
        raise ResultError(f"{path}: damaged, changed or from elsewhere: its sha256 is not the one in {MANIFEST}")


def read_json(path: Path) -> dict[str, Any]:
    """An object of a JSON file; empty where there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def digest(content: dict[str, Any]) -> str:
    """Checksum of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def sealed_text(content: dict[str, Any]) -> str:
    """Plain data as JSON, with a checksum of itself at the end."""
    plain = {key: value for key, value in content.items() if key != "sha256"}
    return json.dumps({**plain, "sha256": digest(plain)}, indent=1, ensure_ascii=False) + "\n"


def check_sealed(path: Path) -> dict[str, Any]:
    """Plain data that `sealed_text` wrote, without the checksum; empty where there is none.

    Raises
    ------
    ResultError
        It is there and does not match its checksum.
    """
    content = read_json(path)
    if content.pop("sha256", None) != digest(content) and path.exists():
        raise ResultError(f"{path}: damaged or changed: its content does not match the checksum in it")
    return content


def _again(kind: Kind) -> str:
    return f"Make it again with `{kind.command}`"
