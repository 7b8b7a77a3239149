"""Open what a command left: the result of a run, of a trial run many times, of a sweep, or a sensitivity analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.errors import SimulatorError
from simulator.results import Result, files
from simulator.studies.sweep.store import is_sweep_folder
from simulator.studies.sweep.swept import SWEEP_FILE, open_sweep

TRIAL_FILE = "trial.nc"
SENSITIVITY_FILE = "sensitivity.json"
KINDS = {"Trial": "a trial", "Sweep": "a sweep", "Sensitivity": "a sensitivity analysis"}


class NotARunError(SimulatorError):
    """Something else was found where the result of a run is needed."""

    exit_code = 2


def open_result(path: str | Path, lazily: bool = False) -> Any:
    """Read a `Result`, a `Trial`, a `Sweep` or a `Sensitivity` from its file, or from its folder.

    `lazily` : each group of a `Result` is read when it is first asked for.

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
    return files.open_result(place, lazily)


def open_run(path: str | Path, lazily: bool = False) -> Result:
    """Read the `Result` of a run from its file or folder, for what takes nothing else.

    `lazily` : each group is read when it is first asked for.

    Raises
    ------
    NotARunError
        The result of something else is there.
    ResultError
        There is none, or it is damaged.
    """
    found = open_result(path, lazily)
    if isinstance(found, Result):
        return found
    kind, folder = type(found).__name__, Path(path) if Path(path).is_dir() else Path(path).parent
    remedy = f"Name the folder of an `als-sim run`; `als-sim show {folder} --json` prints the numbers of this one"
    if kind == "Trial":
        remedy += ", and `als-sim trial SCENARIO --replicate 0 -o DIR` makes a run of a replicate"
    raise NotARunError(f"{path} is the result of {KINDS[kind]}, not of a run. {remedy}")
