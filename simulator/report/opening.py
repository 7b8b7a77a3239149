"""What is to be drawn or reported: a folder may hold a sensitivity analysis and the sweep under it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.report.kinds import SensitivityKind, SweepKind
from simulator.results import Result
from simulator.results.errors import ResultError
from simulator.studies.opening import open_result
from simulator.studies.sweep.store import is_sweep_folder
from simulator.studies.sweep.swept import open_sweep


class NoReportError(ResultError):
    """What was found is a sensitivity analysis, where something simulated is needed."""

    exit_code = 2


def open_simulated(path: Path) -> Any:
    """The result of a run, a trial or a sweep.

    Raises
    ------
    NoReportError
        There is a sensitivity analysis.
    """
    found = open_result(path)
    if isinstance(found, Result):
        return found
    from simulator.studies.sensitivity.document import Sensitivity

    if isinstance(found, Sensitivity):
        kinds = "".join(f", `als-sim plot {path} {kind}` draws it" for kind in found.plot.kinds)
        fact = f"{path}: a sensitivity analysis ({found.method}), not a run or a sweep"
        raise NoReportError(f"{fact}. `als-sim show {path}` prints it{kinds}")
    return found


def open_for(path: Path, kind: str) -> Any:
    """What a kind of picture is drawn from: the folder of a sensitivity analysis may be that of its sweep too."""
    if kind in SensitivityKind.__members__:
        from simulator.studies.sensitivity.document import open_sensitivity

        return open_sensitivity(path)
    if kind in SweepKind.__members__ and is_sweep_folder(path):
        return open_sweep(path)
    return open_simulated(path)
