"""The folder of a run: result.nc, summary.csv, scenario.resolved.yaml and manifest.json, which names and seals them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.results.errors import FolderError, ResultError
from simulator.results.files import RESULT_FILE, Writer, result_writer, text_writer, write_all
from simulator.results.tidy import Row, csv_text
from simulator.results.tree import Result

MANIFEST, SCENARIO, SUMMARY = "manifest.json", "scenario.resolved.yaml", "summary.csv"
MANIFEST_FORMAT = "als-simulator run 1"
FILES = (RESULT_FILE, SUMMARY, SCENARIO, MANIFEST)


def default_folder(name: str, key: dict[str, Any]) -> Path:
    """`results/NAME-<8 hex>`: the digits are a hash over what decides the numbers, `key`."""
    digits = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:8]
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._") or "scenario"
    return Path("results") / f"{safe}-{digits}"


def check_folder(folder: Path, force: bool = False) -> None:
    """Refuse a file, and a folder that holds something else than a run of ours."""
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder}: is a file, not a folder; name another with -o")
    if force or not folder.exists() or is_run_folder(folder):
        return
    if any(not entry.name.endswith(".part") for entry in folder.iterdir()):
        raise FolderError(f"{folder}: not empty and not a run of this program; name another with -o, or use --force")


def is_run_folder(folder: Path) -> bool:
    """Whether the folder has a manifest of ours."""
    try:
        return bool(json.loads((folder / MANIFEST).read_text("utf-8")).get("format") == MANIFEST_FORMAT)
    except (OSError, ValueError, AttributeError):
        return False


def write_folder(result: Result, folder: Path, force: bool = False) -> None:
    """Write the four files, the manifest last; what was there before stays whole until all four are ready."""
    check_folder(folder, force)
    sums: dict[str, str] = {}
    contents: list[tuple[str, Writer]] = [
        (RESULT_FILE, result_writer(result)),
        (SUMMARY, text_writer(csv_text(Row._fields, result.summary_rows()))),
        (SCENARIO, text_writer(str(result.attrs["scenario"]))),
    ]
    writers = [(name, sealed(name, writer, sums)) for name, writer in contents]

    def manifest(path: Path) -> None:
        text_writer(manifest_text(result, sums))(path)  # only now are the checksums known

    write_all(folder, [*writers, (MANIFEST, manifest)])


def sealed(name: str, writer: Writer, sums: dict[str, str]) -> Callable[[Path], None]:
    """The writer, which also notes the checksum of what it wrote."""

    def write(path: Path) -> None:
        writer(path)
        sums[name] = sha256(path)

    return write


def sha256(path: Path) -> str:
    """Checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_text(result: Result, sums: dict[str, str]) -> str:
    """The manifest: the same run gives the same bytes, so it has no time, user or machine."""
    attrs = result.attrs
    content = {
        "format": MANIFEST_FORMAT,
        "title": result.title,
        "scenario_name": attrs["scenario_name"],
        "scenario_sha256": attrs["scenario_sha256"],
        "seed": result.seed,
        "arguments": result.arguments,
        "engine_version": attrs["engine_version"],
        "versions": json.loads(attrs["versions"]),
        "files": {name: {"sha256": digest} for name, digest in sorted(sums.items())},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run, after checking that every file it names is there and unchanged."""
    if not is_run_folder(folder):
        raise ResultError(f"{folder}: not the folder of a run: no {MANIFEST} of this program in it")
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    for name, entry in manifest["files"].items():
        if not (folder / name).is_file():
            raise ResultError(f"{folder / name}: missing, although {MANIFEST} names it; run the scenario again")
        if sha256(folder / name) != entry["sha256"]:
            raise ResultError(f"{folder / name}: changed since the run: its sha256 is not the one in {MANIFEST}")
    return manifest
