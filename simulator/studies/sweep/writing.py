"""The files of a finished sweep beside its points: the Dataset, a list of the points, the scenario, the manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.results import netcdf
from simulator.results.files import Writer, bytes_writer, text_writer, write_all
from simulator.results.folder import MANIFEST, SCENARIO, sealed
from simulator.results.tidy import csv_text
from simulator.studies.sweep.store import FOLDER_FORMAT
from simulator.studies.sweep.swept import SWEEP_FILE

if TYPE_CHECKING:
    from simulator.studies.sweep.swept import Sweep

LIST = "points.csv"


def write(sweep: Sweep, folder: Path) -> None:
    """Write the files, the manifest last; the same sweep gives the same bytes."""
    sums: dict[str, str] = {}
    contents: list[tuple[str, Writer]] = [
        (SWEEP_FILE, lambda path: netcdf.write(path, sweep.attrs, {netcdf.ROOT: sweep.group}, fast=True)),
        (LIST, text_writer(points_text(sweep))),
        (SCENARIO, text_writer(str(sweep.attrs["scenario"]))),
    ]
    writers = [(name, sealed(name, writer, sums)) for name, writer in contents]

    def manifest(path: Path) -> None:
        bytes_writer(manifest_text(sweep, sums).encode())(path)  # only now are the checksums known

    write_all(folder, [*writers, (MANIFEST, manifest)])


def points_text(sweep: Sweep) -> str:
    """A line for each point: its number, what it set, whether it is done, why not."""
    why = {failure.point: failure.message for failure in sweep.failures}
    columns = [sweep.values(address).tolist() for address in sweep.addresses]
    rows = [
        [number, *(column[number] for column in columns), "failed" if number in why else "done", why.get(number, "")]
        for number in range(sweep.n_points)
    ]
    return csv_text(("point", *sweep.addresses, "state", "message"), rows)


def manifest_text(sweep: Sweep, sums: dict[str, str]) -> str:
    """The manifest, which names and seals the files."""
    attrs = sweep.attrs
    content: dict[str, Any] = {
        "format": FOLDER_FORMAT,
        "title": sweep.title,
        "scenario_name": attrs["scenario_name"],
        "scenario_sha256": attrs["scenario_sha256"],
        "engine_version": attrs["engine_version"],
        "points": sweep.n_points,
        "failed": len(sweep.failures),
        "files": {name: {"sha256": digest} for name, digest in sorted(sums.items())},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
