"""What is to be drawn or reported: a sensitivity analysis keeps a sweep in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.report.kinds import DecisionKind, FitKind, SensitivityKind, SweepKind
from simulator.results import open_study
from simulator.results.errors import ResultError
from simulator.results.folder import kind_of
from simulator.results.kinds import FIT, SENSITIVITY


class NoReportError(ResultError):
    """What was found is a sensitivity analysis or a fit, where something simulated is needed."""

    exit_code = 2


def open_simulated(path: Path) -> Any:
    """The result of a run, a trial or a sweep.

    Raises
    ------
    NoReportError
        There is a sensitivity analysis or a fit.
    """
    found = open_study(path)
    if found.kind in (SENSITIVITY, FIT):
        kinds = "".join(f", `als-sim plot {path} {kind}` draws it" for kind in found.plot.kinds)
        fact = f"{path}: {found.kind.title}, not a run or a sweep"
        raise NoReportError(f"{fact}. `als-sim show {path}` prints it{kinds}")
    return found


def open_for(path: Path, kind: str) -> Any:
    """What a kind of picture is drawn from: of a sensitivity analysis its own, or that of the sweep under it."""
    if kind in SweepKind.__members__ and path.is_dir() and kind_of(path) is SENSITIVITY:
        return open_study(path / SENSITIVITY.work[0])
    own = {*SensitivityKind.__members__, *DecisionKind.__members__, *FitKind.__members__}
    return open_study(path) if kind in own else open_simulated(path)
