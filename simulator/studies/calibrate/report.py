"""A calibration for people and for the catalog: text, fit.json, ensemble.csv, calibrated.yaml."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.results.files import text_writer, write_all
from simulator.studies.calibrate.study import Calibrated
from simulator.version import __version__

Floats = NDArray[np.float64]
INFORMED = 0.9  # SD left of the prior's, above which a fitted value still rests on the prior


def values(found: Calibrated, vectors: Floats) -> Floats:
    """Parameters in their own units, from vectors in prior SDs : (n, n_parameters)."""
    columns = [[p.value(x) for x in column] for p, column in zip(found.spec.parameters, vectors.T, strict=True)]
    return np.array(columns).T


def table(found: Calibrated) -> list[list[str]]:
    """Each parameter: prior, start, fit, 90 % of the ensemble (of the linear posterior without one), SD left."""
    rows = [["parameter", "informed by", "prior centre", "start", "fit", "90 % interval", "SD/prior SD"]]
    fitted, start = (values(found, x[None])[0] for x in (found.fit.vector, found.start))
    low, high, spread = _spread(found)
    for k, p in enumerate(found.spec.parameters):
        interval = f"{low[k]:.3g} to {high[k]:.3g}"
        numbers = (p.prior[0], start[k], fitted[k])
        rows.append([p.name, p.informed_by, *(f"{v:.3g}" for v in numbers), interval, f"{spread[k]:.2f}"])
    return rows


def _spread(found: Calibrated) -> tuple[Floats, Floats, Floats]:
    if found.ensemble is not None:
        own = values(found, found.ensemble.vectors)
        return np.quantile(own, 0.05, axis=0), np.quantile(own, 0.95, axis=0), found.ensemble.vectors.std(axis=0)
    sd = np.sqrt(np.diag(found.fit.covariance))
    low, high = (values(found, (found.fit.vector + k * 1.645 * sd)[None])[0] for k in (-1, 1))
    return low, high, sd


def misfits(found: Calibrated) -> list[list[str]]:
    """Each row: published, fitted, SD, residual."""
    rows = [["row", "published", "SD", "fitted", "residual"]]
    for datum, value, residual in zip(found.data, found.fit.summaries, found.fit.residuals, strict=True):
        rows.append([datum.id, f"{datum.observed:.3g}", f"{datum.sd:.2g}", f"{value:.3g}", f"{residual:+.1f}"])
    return rows


def words(found: Calibrated) -> Iterator[str]:
    """What the calibration found, in sentences."""
    within = np.mean(np.abs(found.fit.residuals) <= 2)
    yield f"{len(found.data)} summaries, {len(found.spec.parameters)} parameters; {within:.0%} within 2 SD"
    yield f"misfit with the priors' penalty {found.fit.misfit:.1f}, at the starting values {found.fit.start_misfit:.1f}"
    informed = [one for one in found.directions if one.informed]
    yield f"{len(informed)} of {len(found.directions)} directions are informed more by the rows than by the priors:"
    for one in informed:
        main = ", ".join(f"{weight:+.2f} {name}" for name, weight in one.parameters)
        yield f"  information {one.information:.3g}: {main}"
    if found.ensemble is not None and found.emulator is not None:
        worst = float(np.max(found.emulator.error / [datum.sd for datum in found.data]))
        yield (
            f"ensemble of {len(found.ensemble.vectors)} vectors; acceptance {found.ensemble.acceptance:.2f}, "
            f"split R-hat {found.ensemble.r_hat:.3f}; emulator off by at most {worst:.2f} SD (leave-one-out), "
            f"{found.emulator_check:.2f} SD at vectors of the ensemble"
        )
    yield from (f"MARKED: {mark}" for mark in found.marks)


def document(found: Calibrated) -> dict[str, Any]:
    """Everything as plain data."""
    parameters = [dict(zip(table(found)[0], row, strict=True)) for row in table(found)[1:]]
    return {
        "version": __version__,
        "scenario": found.spec.scenario,
        "marks": found.marks,
        "misfit": found.fit.misfit,
        "start_misfit": found.fit.start_misfit,
        "vector": dict(zip((p.name for p in found.spec.parameters), found.fit.vector.tolist(), strict=True)),
        "parameters": parameters,
        "rows": [dict(zip(misfits(found)[0], row, strict=True)) for row in misfits(found)[1:]],
        "directions": [one._asdict() | {"informed": one.informed} for one in found.directions],
        "words": list(words(found)),
    }


def ensemble_csv(found: Calibrated) -> str:
    """The ensemble in the parameters' own units, four digits."""
    assert found.ensemble is not None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([p.name for p in found.spec.parameters])
    writer.writerows([[f"{x:.4g}" for x in row] for row in values(found, found.ensemble.vectors)])
    return text.getvalue()


def entry(found: Calibrated) -> str:
    """The calibrated vector as an entry of the catalog."""
    low, high, spread = _spread(found)
    fitted, start = (values(found, x[None])[0] for x in (found.fit.vector, found.start))
    source = "calibration" if found.spec.name == "valor" else f"calibration_{found.spec.name}"
    lines = [
        "# Calibrated values, made by `als-sim calibrate`; do not edit. Entries have them where `calibrated: NAME`",
        "# stands; those of a trial's entry are written in its scenario. `interval` holds 90 % of the ensemble. A",
        "# value of which the rows have left more than .9 of the prior's SD is graded assumed: docs/calibration.md.",
        "kind: calibration",
        f"title: Parameters fitted to calibration rows of the evidence, scenario {found.spec.scenario}",
        "sources:",
        f"  {source}: als-sim calibrate {found.spec.name}, version {__version__}",
        *([f"marks: {json.dumps(found.marks, ensure_ascii=False)}"] if found.marks else []),
        "values:",
    ]
    for k, p in enumerate(found.spec.parameters):
        note = f"SD {spread[k]:.2f} of the prior's; starting value {start[k]:.4g}"
        grade = "calibrated" if spread[k] <= INFORMED else "assumed"
        lines.append(
            f"  {p.name}: {{value: {fitted[k]:.4g}, interval: [{low[k]:.4g}, {high[k]:.4g}], evidence: {grade}, "
            f'source: "{source}; {p.address}", note: {note}}}'
        )
    return "\n".join(lines) + "\n"


def write(found: Calibrated, folder: Path) -> list[Path]:
    """Write fit.json and, with an ensemble, ensemble.csv and calibrated.yaml."""
    files = {"fit.json": json.dumps(document(found), indent=1, ensure_ascii=False) + "\n"}
    if found.ensemble is not None:
        files |= {"ensemble.csv": ensemble_csv(found), "calibrated.yaml": entry(found)}
    write_all(folder, [(name, text_writer(text)) for name, text in files.items()])
    return [folder / name for name in files]
