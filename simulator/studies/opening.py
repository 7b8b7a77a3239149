"""Open what a command left: the result of a run, or of a trial that was run many times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.results import files
from simulator.studies.trial.folder import holds_trial, open_trial


def open_result(path: str | Path) -> Any:
    """Read a `Result` or a `Trial` from its file, or from its folder.

    Raises
    ------
    ResultError
        There is none, or it is damaged; the message says which.
    """
    place = Path(path)
    return open_trial(place) if holds_trial(place) else files.open_result(place)
