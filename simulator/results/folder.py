"""The folder of a study: its files, a manifest that names and seals them, and what was made from them later.

One rule for every kind of study: a folder holds one study. What the study did not write is refused, so nothing is
mixed and nothing of a person's is lost; when a study is replaced, all that belonged to it goes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from simulator.results.errors import FolderError, NoStudyError, ResultError
from simulator.results.files import (
    MANIFEST,
    PART,
    Writer,
    check_manifest,
    part_name,
    read_json,
    sealed_text,
    sha256,
    text_writer,
    write_all,
)
from simulator.results.kinds import KINDS, Kind
from simulator.results.study import SCENARIO, SUMMARY, StudyResult

__all__ = ["MANIFEST", "SCENARIO", "SUMMARY"]


def default_folder(name: str, key: dict[str, Any]) -> Path:
    """`results/NAME-<8 hex>`: the digits are a hash over what decides the numbers, `key`."""
    digits = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:8]
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._") or "scenario"
    return Path("results") / f"{safe}-{digits}"


def kind_of(folder: Path) -> Kind | None:
    """The kind of study that the manifest of a folder names; None where there is none of ours."""
    form = read_json(folder / MANIFEST).get("format")
    return next((kind for kind in KINDS if kind.manifest == form), None)


def check_folder(folder: Path, kind: Kind, force: bool = False, scenario_sha256: str | None = None) -> None:
    """Refuse a folder that cannot take a study of this kind.

    Parameters
    ----------
    folder : Path
    kind : Kind
    force : bool
        Use a folder that holds something else.
    scenario_sha256 : str, optional
        The scenario of the study, for kinds that do not go on from finished parts: the study of another scenario is
        not replaced unasked.

    Raises
    ------
    FolderError
        It is a file, holds another study, or files that no study of ours wrote.
    """
    check_place(folder)
    if force or not folder.exists():
        return
    there = kind_of(folder)
    if there is not None and there is not kind:
        raise FolderError(f"{folder}: holds {there.title}; name another with -o, or replace it with --force")
    stored = read_json(folder / MANIFEST)
    if there is not None and scenario_sha256 not in (None, stored.get("scenario_sha256")):
        what = f"{kind.title} of another scenario, {stored.get('title', 'without a title')!r}"
        raise FolderError(f"{folder}: holds {what}; name another with -o, or replace it with --force")
    if foreign := sorted(entry.name for entry in folder.iterdir() if entry.name not in _owned(folder, kind)):
        of = f"{kind.title} of this program" if there is None else "the study in it"
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        fact = f"{folder}: {foreign[0]}{more} does not belong to {of}"
        raise FolderError(f"{fact}; name another folder with -o, or use --force, which leaves such files alone")


def check_place(folder: Path) -> None:
    """Refuse a path at which no folder can be made or written: found before anything is simulated.

    Raises
    ------
    FolderError
        It is a file or a dangling link, its name is too long, or it cannot be written.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise FolderError(f"{folder}: is a file, not a folder; name another with -o")
        if folder.is_symlink() and not folder.exists():
            raise FolderError(f"{folder}: is a link to nothing; remove it, or name another folder with -o")
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    except (OSError, ValueError) as error:  # a name that is too long, or holds a zero byte
        raise FolderError(
            f"{folder}: no folder can have this name: {getattr(error, 'strerror', None) or error}"
        ) from None
    if not there.is_dir():
        raise FolderError(f"{folder}: {there} is a file, not a folder; name another with -o")
    if not os.access(there, os.W_OK | os.X_OK):
        raise FolderError(f"{folder}: {there} cannot be written; name another folder with -o")


def check_file(place: Path) -> None:
    """Refuse a path at which no file can be written: found before anything is read or drawn.

    Raises
    ------
    FolderError
        It is a folder, its name is too long, or its folder cannot be made or written.
    """
    try:
        if place.is_dir():
            raise FolderError(f"{place}: is a folder, not a file; name a file with -o")
        place.with_name(part_name(place.name)).exists()  # a name that is too long
    except (OSError, ValueError) as error:
        raise FolderError(f"{place}: no file can have this name: {getattr(error, 'strerror', None) or error}") from None
    check_place(place.parent)


def _owned(folder: Path, kind: Kind) -> set[str]:
    """Names in a folder that belong to the study in it: files, what was made of them, finished parts, temporaries."""
    manifest = read_json(folder / MANIFEST)
    names = {MANIFEST, *kind.work, *_names(manifest, "files")}
    names |= {Path(name).parts[0] for name in _names(manifest, "made")}
    return names | {entry.name for entry in folder.glob(f"*{PART}")} | {e.name for e in folder.glob(f".*{PART}")}


def _names(manifest: dict[str, Any], key: str) -> list[str]:
    found = manifest.get(key, {})
    return [name for name in found if _is_inside(name)] if isinstance(found, dict) else []


def _is_inside(name: str) -> bool:
    """Whether a name of a manifest is that of a file in its folder: a manifest may have been edited."""
    path = Path(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def write_folder(study: StudyResult, folder: Path, force: bool = False) -> None:
    """Write the files of a study, the manifest last, and remove what belonged to the study that was there before.

    What was there stays whole until all files are ready.

    Raises
    ------
    FolderError
        The folder holds something else.
    ResultError
        It cannot be written.
    """
    kind = study.kind
    check_folder(folder, kind, force, None if kind.work else study.scenario_sha256)
    before, old = kind_of(folder), read_json(folder / MANIFEST)
    sums: dict[str, str] = {}
    contents = study.files()

    def manifest(path: Path) -> None:
        text_writer(manifest_text(study, sums))(path)  # only now are the checksums known

    write_all(folder, [*((name, _noted(name, writer, sums)) for name, writer in contents), (MANIFEST, manifest)])
    study.note_file(sums[kind.file])
    if before is not None:
        gone = [*_names(old, "made"), *(name for name in _names(old, "files") if name not in sums)]
        _remove(folder, gone, before.work if before is not kind else ())


def begin_folder(folder: Path, kind: Kind, about: dict[str, Any]) -> None:
    """Mark a folder as that of a study whose parts are still being done; the study of before goes, parts stay."""
    before, old = kind_of(folder), read_json(folder / MANIFEST)
    write_all(folder, [(MANIFEST, text_writer(sealed_text({"format": kind.manifest, **about, "files": {}})))])
    if before is not None:
        _remove(folder, [*_names(old, "made"), *_names(old, "files")], before.work if before is not kind else ())


def _noted(name: str, writer: Writer, sums: dict[str, str]) -> Callable[[Path], None]:
    """The writer, which also notes the checksum of what it wrote."""

    def write(path: Path) -> None:
        writer(path)
        sums[name] = sha256(path)

    return write


def _remove(folder: Path, names: Iterable[str], work: Iterable[str]) -> None:
    """Remove files of a study that is gone, folders that this leaves empty, and its finished parts."""
    for name in names:
        place = folder / name
        place.unlink(missing_ok=True)
        if place.parent != folder:
            with suppress(OSError):  # not empty
                place.parent.rmdir()
    for name in work:
        shutil.rmtree(folder / name, ignore_errors=True)


def manifest_text(study: StudyResult, sums: dict[str, str]) -> str:
    """The manifest: the same study gives the same bytes, so it has no time, user or machine."""
    content = {
        "format": study.kind.manifest,
        **study.provenance(),
        "files": {name: {"sha256": digest} for name, digest in sorted(sums.items())},
    }
    return sealed_text(content)


def add_made(folder: Path, places: Iterable[Path]) -> None:
    """Note in the manifest what is made from the study in its folder, so that it goes with the study.

    It is noted before it is written: what a killed process leaves then belongs to the study too. Each name gets the
    checksum of the file that it is made from. Outside the folder of a study nothing happens.
    """
    kind = kind_of(folder)
    manifest = check_manifest(folder) if kind else {}
    source = manifest.get("files", {}).get(kind.file, {}).get("sha256") if kind else None
    root, places = folder.resolve(), list(places)
    inside = [place.resolve().relative_to(root) for place in places if place.resolve().is_relative_to(root)]
    if source is None or not inside:
        return
    made = {**manifest.get("made", {}), **{path.as_posix(): {"made_from": source} for path in inside}}
    write_all(folder, [(MANIFEST, text_writer(sealed_text(manifest | {"made": dict(sorted(made.items()))})))])


def read_manifest(folder: Path) -> tuple[Kind, dict[str, Any]]:
    """The kind of study in a folder and its manifest, when every file that it names is there and unchanged.

    Raises
    ------
    ResultError
        There is no manifest of ours, or a file is missing or was changed.
    """
    kind = kind_of(folder)
    if kind is None:
        raise NoStudyError(f"{folder}: not the folder of a study: no {MANIFEST} of this program in it")
    manifest = check_manifest(folder)
    entries = manifest.get("files")
    if not entries:
        raise NoStudyError(f"{folder}: not finished: {MANIFEST} names no files; `{kind.command}` goes on there")
    for name in _names(manifest, "files"):
        entry = entries[name]
        if not (folder / name).is_file():
            raise ResultError(f"{folder / name}: missing, although {MANIFEST} names it; run the scenario again")
        if sha256(folder / name) != entry.get("sha256"):
            raise ResultError(f"{folder / name}: changed since the run: its sha256 is not the one in {MANIFEST}")
    return kind, manifest
