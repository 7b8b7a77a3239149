"""Studies in folders: who began them, what is said where other versions go on, what is left of one that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.errors import FULL, DiskFullError
from simulator.results.files import PART, read_json
from simulator.results.folder import MANIFEST, begin_folder, kind_of
from simulator.results.kinds import Kind
from simulator.version import __version__, versions
from simulator.writing import missing, remove_empty, write_error

if TYPE_CHECKING:
    from simulator.language import Scenario


def other_versions(stored: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What of the program and the libraries that compute the numbers has another version than it had."""
    pairs = [("engine", stored.get("engine_version"), now.get("engine_version"))]
    before, after = stored.get("versions", {}), now.get("versions", {})
    pairs += [(name, before[name], after[name]) for name in before if name in after]
    return [f"{name} was {old} and is now {new}" for name, old, new in pairs if old != new]


def begin(folder: Path, kind: Kind, scenario: Scenario) -> None:
    """Mark an empty folder as that of a study whose parts are kept, so that a later start knows who began it."""
    if not (folder / MANIFEST).exists():
        about = {"engine_version": __version__, "versions": versions()}
        begin_folder(folder, kind, {"scenario_sha256": scenario.sha256, "title": scenario.title, **about})


def resumed_versions(folder: Path) -> list[str]:
    """What must be said before a study goes on in a folder that other versions began; nothing otherwise."""
    manifest = read_json(folder / MANIFEST)
    others = other_versions(manifest, {"engine_version": __version__, "versions": versions()})
    if not manifest or not others:
        return []
    what = "parts of another engine are simulated again, parts of other libraries are taken as they are"
    return [f"{folder} was begun with other versions ({', '.join(others)}): {what}."]


@contextmanager
def keeping(folder: Path | None, kind: Kind | None, work: Sequence[str] = ()) -> Iterator[None]:
    """A study at work in a folder: when it fails what is finished stays, and nothing that was only begun.

    Parameters
    ----------
    folder : Path, optional
        Nothing happens without one.
    kind : Kind, optional
        What the folder is checked to be for.
    work : sequence of str
        Files that hold finished parts, where it is for none of the kinds.

    Raises
    ------
    DiskFullError
        In place of that of one file: what is left of the study, and what to do.
    """
    new = missing(folder) if folder else []
    try:
        yield
    except BaseException as error:
        if folder is None:
            raise
        left = _left(folder, kind, kind.work if kind else work)
        remove_empty(new)
        if isinstance(error, OSError) and error.errno in FULL:
            error = write_error(folder, error)
        if isinstance(error, DiskFullError):
            raise DiskFullError(error.fact, left) from error
        raise


def _left(folder: Path, kind: Kind | None, work: Sequence[str]) -> str:
    """What a study that failed leaves in its folder, in words; what it had only begun is removed."""
    if read_json(folder / MANIFEST).get("files"):
        return "The study there is whole; make room, and give the same command again"
    inside = [path for name in work for path in (folder / name, *(folder / name).rglob("*"))]
    if any(path.is_file() and path.name != MANIFEST and not path.name.endswith(PART) for path in inside):
        return "What is finished is kept there; make room, and the same command goes on"
    if kind and kind_of(folder) is kind:
        (folder / MANIFEST).unlink()
    remove_empty(sorted((path for path in inside if path.is_dir()), reverse=True))
    return "Nothing was left there; make room, or name another folder with -o"
