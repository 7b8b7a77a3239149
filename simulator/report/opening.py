"""What a folder or a file holds: a run, a sweep, or a sensitivity analysis with the sweep under it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulator.report.kinds import SensitivityKind
from simulator.results import Result, open_result
from simulator.studies.sensitivity.document import Sensitivity, open_sensitivity
from simulator.studies.sweep.store import is_sweep_folder
from simulator.studies.sweep.swept import SWEEP_FILE, open_sweep

if TYPE_CHECKING:
    from simulator.studies.sweep.swept import Sweep


def open_for(path: Path, kind: str) -> Result | Sweep | Sensitivity:
    """What a kind of picture is drawn from: the folder of a sensitivity analysis is that of its sweep too."""
    return open_sensitivity(path) if kind in SensitivityKind.__members__ else open_any(path)


def open_any(path: Path) -> Result | Sweep:
    """The result of a run, or a sweep, from its folder or its file."""
    if is_sweep_folder(path) or path.name == SWEEP_FILE:
        return open_sweep(path)
    return open_result(path)
