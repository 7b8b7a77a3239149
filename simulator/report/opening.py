"""What is to be drawn: a sensitivity analysis keeps a sweep in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.report.kinds import SweepKind
from simulator.results import open_study
from simulator.results.folder import kind_of
from simulator.results.kinds import RUN, SENSITIVITY


def open_for(path: Path, kind: str) -> Any:
    """What a kind of picture is drawn from: of a sensitivity analysis its own, or that of the sweep under it."""
    if kind in SweepKind.__members__ and path.is_dir() and kind_of(path) is SENSITIVITY:
        return open_study(path / SENSITIVITY.work[0])
    return open_to_show(path)


def open_to_show(path: Path) -> Any:
    """A study; of a run only what is shown is read."""
    return open_study(path, lazily=path.is_dir() and kind_of(path) is RUN)
