"""What a folder or a file holds: a run, a sweep, or a sensitivity analysis with the sweep under it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulator.report.kinds import SensitivityKind, SweepKind
from simulator.results import Result, open_result
from simulator.results.errors import ResultError
from simulator.studies.sensitivity.document import FILE, Sensitivity, is_sensitivity, open_sensitivity
from simulator.studies.sweep.store import is_sweep_folder
from simulator.studies.sweep.swept import SWEEP_FILE, open_sweep

if TYPE_CHECKING:
    from simulator.studies.sweep.swept import Sweep


class NoReportError(ResultError):
    """What was found is a sensitivity analysis, where a run or a sweep is needed."""

    exit_code = 2


def open_any(path: Path) -> Result | Sweep | Sensitivity:
    """A sensitivity analysis, a sweep or the result of a run, from its folder or its file."""
    if is_sensitivity(path) or path.name == FILE:
        return open_sensitivity(path)
    if is_sweep_folder(path) or path.name == SWEEP_FILE:
        return open_sweep(path)
    return open_result(path)


def open_simulated(path: Path) -> Result | Sweep:
    """The result of a run, or a sweep.

    Raises
    ------
    NoReportError
        There is a sensitivity analysis.
    """
    found = open_any(path)
    if isinstance(found, Sensitivity):
        kinds = "".join(f", `als-sim plot {path} {kind}` draws it" for kind in found.plot.kinds)
        fact = f"{path}: a sensitivity analysis ({found.method}), not a run or a sweep"
        raise NoReportError(f"{fact}. `als-sim show {path}` prints it{kinds}")
    return found


def open_for(path: Path, kind: str) -> Result | Sweep | Sensitivity:
    """What a kind of picture is drawn from: the folder of a sensitivity analysis may be that of its sweep too."""
    if kind in SensitivityKind.__members__:
        return open_sensitivity(path)
    if kind in SweepKind.__members__ and is_sweep_folder(path):
        return open_sweep(path)
    return open_simulated(path)
