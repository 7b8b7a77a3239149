"""Open what a command left: the result of a run, of a trial run many times, of a sweep, or a sensitivity analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.results import files
from simulator.studies.sweep.store import is_sweep_folder
from simulator.studies.sweep.swept import SWEEP_FILE, open_sweep

TRIAL_FILE = "trial.nc"
SENSITIVITY_FILE = "sensitivity.json"


def open_result(path: str | Path) -> Any:
    """Read a `Result`, a `Trial`, a `Sweep` or a `Sensitivity` from its file, or from its folder.

    Raises
    ------
    ResultError
        There is none, or it is damaged; the message says which.
    """
    place = Path(path)
    if (place / SENSITIVITY_FILE).is_file() or place.name == SENSITIVITY_FILE:
        from simulator.studies.sensitivity.document import open_sensitivity  # brings the methods with it

        return open_sensitivity(place)
    if is_sweep_folder(place) or place.name == SWEEP_FILE:
        return open_sweep(place)
    if (place / TRIAL_FILE).exists() or place.name == TRIAL_FILE:
        from simulator.studies.trial.folder import open_trial  # brings the engine with it

        return open_trial(place)
    return files.open_result(place)
