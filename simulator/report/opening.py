"""What is to be drawn: a sensitivity analysis keeps a sweep in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.report.kinds import SweepKind
from simulator.results import open_study
from simulator.results.errors import ResultError
from simulator.results.folder import kind_of
from simulator.results.kinds import FIT, SENSITIVITY


class NoReportError(ResultError):
    """What was found is a fit, where something with a report is needed."""

    exit_code = 2


def open_reported(path: Path) -> Any:
    """What has a report.

    Raises
    ------
    NoReportError
        There is a fit.
    """
    found = open_study(path)
    if found.kind is FIT:
        kinds = "".join(f", `als-sim plot {path} {kind}` draws it" for kind in found.plot.kinds)
        raise NoReportError(f"{path}: {found.kind.title} has no report. `als-sim show {path}` prints it{kinds}")
    return found


def open_for(path: Path, kind: str) -> Any:
    """What a kind of picture is drawn from: of a sensitivity analysis its own, or that of the sweep under it."""
    if kind in SweepKind.__members__ and path.is_dir() and kind_of(path) is SENSITIVITY:
        return open_study(path / SENSITIVITY.work[0])
    return open_study(path)
