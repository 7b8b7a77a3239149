"""Files of studies with their checksums, read back with clear errors; how any file is written is in `writing`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.results import netcdf
from simulator.results.arrays import Groups
from simulator.results.errors import NoStudyError, ResultError
from simulator.results.kinds import KINDS, Kind
from simulator.writing import (
    PART,
    SUMS,
    Writer,
    bytes_writer,
    check_space,
    flush,
    part_name,
    remove_stale,
    sha256,
    text_writer,
    write_all,
    write_error,
    write_tables,
)

__all__ = [
    "PART",
    "SUMS",
    "Writer",
    "bytes_writer",
    "check_space",
    "flush",
    "part_name",
    "remove_stale",
    "sha256",
    "text_writer",
    "write_all",
    "write_error",
    "write_tables",
]

MANIFEST = "manifest.json"
SEAL = b"sha256:"
SEAL_BYTES = len(SEAL) + 64
SIGNATURE = b"\x89HDF\r\n\x1a\n"
PIECE_BYTES = 1 << 20


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
    raise NoStudyError(f"{path}: a netCDF file, but not {' or '.join(kind.title for kind in kinds)} of this program")


def _seal(path: Path) -> tuple[str, bytes]:
    """Checksum of a netCDF file without its last bytes, and these bytes; a piece at a time, for files are large."""
    digest, left = hashlib.sha256(), path.stat().st_size - SEAL_BYTES
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise NoStudyError(f"{path}: not a netCDF-4 file")
        file.seek(0)
        while left > 0:
            piece = file.read(min(left, PIECE_BYTES))
            digest.update(piece)
            left = left - len(piece) if piece else 0
        return digest.hexdigest(), file.read()


def check_there(path: Path, kind: Kind) -> None:
    """Refuse a file that is missing, or that is not what the manifest beside it names."""
    entry = check_manifest(path.parent).get("files", {}).get(path.name)
    if not path.is_file():
        error = NoStudyError if entry is None else ResultError
        raise error(f"{path}: there is no such file; `{kind.command}` makes one")
    if entry is not None and entry.get("sha256") != sha256(path):
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


def check_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder, without its checksum; empty where there is none of this program.

    Raises
    ------
    ResultError
        It does not match its checksum, or what must be a mapping is none.
    """
    found = read_json(folder / MANIFEST)
    if found and "sha256" not in found and "als-simulator" not in str(found):
        return {}
    content = check_sealed(folder / MANIFEST)
    for key in ("files", "made", "arguments"):
        part = content.get(key, {})
        if not isinstance(part, dict) or (key == "files" and not all(isinstance(one, dict) for one in part.values())):
            raise ResultError(f"{folder / MANIFEST}: damaged or changed: {key} is not what this program writes there")
    return content


def _again(kind: Kind) -> str:
    return f"Make it again with `{kind.command}`"
