"""The folder of a study: trial.nc, summary.csv, scenario.resolved.yaml, manifest.json, and the blocks of replicates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulator.results import netcdf
from simulator.results.errors import FolderError, ResultError
from simulator.results.files import Writer, text_writer, write_all
from simulator.results.folder import MANIFEST, SCENARIO, SUMMARY, is_run_folder, sealed
from simulator.results.tidy import csv_text
from simulator.studies.opening import TRIAL_FILE
from simulator.studies.trial.blocks import FOLDER
from simulator.studies.trial.groups import FORMAT
from simulator.studies.trial.result import Row, Trial

MANIFEST_FORMAT = "als-simulator trial 1"


def check_folder(folder: Path, force: bool = False) -> None:
    """Refuse a file, and a folder that holds something else than a study of a trial, finished or not."""
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder}: is a file, not a folder; name another with -o")
    if force or not folder.exists() or is_trial_folder(folder):
        return
    if any(not (entry.name.endswith(".part") or entry.name == FOLDER) for entry in folder.iterdir()):
        raise FolderError(f"{folder}: not empty and not a trial of this program; name another with -o, or use --force")


def is_trial_folder(folder: Path) -> bool:
    """Whether the folder has the manifest of a study of a trial."""
    return is_run_folder(folder, MANIFEST_FORMAT)


def write_folder(trial: Trial, folder: Path, force: bool = False) -> None:
    """Write the four files, the manifest last; what was there before stays whole until all four are ready."""
    check_folder(folder, force)
    sums: dict[str, str] = {}
    contents: list[tuple[str, Writer]] = [
        (TRIAL_FILE, _writer(trial)),
        (SUMMARY, text_writer(csv_text(Row._fields, trial.summary_rows()))),
        (SCENARIO, text_writer(str(trial.attrs["scenario"]))),
    ]

    def manifest(path: Path) -> None:
        text_writer(_manifest(trial, sums))(path)  # only now are the checksums known

    write_all(folder, [*((name, sealed(name, writer, sums)) for name, writer in contents), (MANIFEST, manifest)])


def _manifest(trial: Trial, sums: dict[str, str]) -> str:
    attrs = trial.attrs
    content: dict[str, Any] = {
        "format": MANIFEST_FORMAT,
        "title": trial.title,
        "scenario_name": attrs["scenario_name"],
        "scenario_sha256": attrs["scenario_sha256"],
        "seed": trial.seed,
        "arguments": trial.arguments,
        "engine_version": attrs["engine_version"],
        "versions": json.loads(attrs["versions"]),
        "files": {name: {"sha256": digest} for name, digest in sorted(sums.items())},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _writer(trial: Trial) -> Writer:
    return lambda path: netcdf.write(path, trial.attrs, trial.groups)


def save(trial: Trial, path: Path) -> None:
    """Write a study to one file, atomically."""
    if path.is_dir():
        raise ResultError(f"{path}: is a folder; name a file in it, such as {path / TRIAL_FILE}")
    write_all(path.parent, [(path.name, _writer(trial))])


def open_trial(path: str | Path) -> Trial:
    """Read a study from its file, or from its folder."""
    place = Path(path)
    if place.is_dir():
        place = place / TRIAL_FILE
    if not place.exists():
        raise ResultError(f"{place}: there is no such file; `als-sim trial SCENARIO -o DIR` makes one")
    netcdf.check_is_netcdf(place)
    try:
        attrs, groups = netcdf.read(place)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise ResultError(f"{place}: cut short or damaged: {error}") from error
    if attrs.get("format") != FORMAT or "performance" not in groups:
        raise ResultError(f"{place}: a netCDF file, but not a trial of this program ({FORMAT!r})")
    return Trial(attrs, groups)
