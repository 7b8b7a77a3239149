"""Analyses of what lies in a folder: one that was made before, or the points of a sweep."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simulator.results.kinds import SENSITIVITY, SWEEP
from simulator.studies.outcome import OUTCOMES, outcome, request_of
from simulator.studies.sensitivity.document import Sensitivity, document
from simulator.studies.sensitivity.over_draws import DrawsError, shares
from simulator.studies.sensitivity.parameters import SensitivityError
from simulator.studies.sensitivity.points import Plan

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.studies.sweep.result import Sweep


def look_up(source: str, settings: Iterable[str] = ()) -> Sensitivity | None:
    """The analysis of a folder; None where the source is not a folder of ours.

    Parameters
    ----------
    source : str
        The folder of an analysis, or of a sweep, whose points become the draws.
    settings : iterable of str
        Texts `address=value`: another outcome for a sweep.

    Raises
    ------
    SimulatorError
        The sweep does not tell its parameters apart, or its scenario names no outcome.
    """
    from simulator.language import load, parse_setting
    from simulator.results.folder import SCENARIO, kind_of
    from simulator.studies.sweep.result import Sweep

    folder = Path(source)
    kind = kind_of(folder) if folder.is_dir() else None
    if kind is SENSITIVITY:
        return Sensitivity.read(folder / kind.file)
    if kind is not SWEEP:
        return None
    scenario = load(folder / SCENARIO, dict(map(parse_setting, settings)))
    return of_sweep(Sweep.read(folder / kind.file), scenario)


def of_sweep(sweep: Sweep, scenario: Scenario) -> Sensitivity:
    """Variance shares of what a sweep varied in the outcome that a scenario names, over the points that are done."""
    asked = request_of(scenario)
    if OUTCOMES[asked.outcome].read is None:
        raise SensitivityError(f"{asked.outcome} needs patients; choose another outcome, or analyse the scenario")
    failed = {failure.point for failure in sweep.failures}
    done = [k for k in range(sweep.n_points) if k not in failed]
    columns = {address: np.asarray(sweep.values(address)) for address in sweep.addresses}
    moving = {
        address: column[done].astype(np.float64)
        for address, column in columns.items()
        if column.dtype.kind in "if" and np.ptp(column[done]) > 0
    }
    if not moving:
        raise DrawsError("the sweep varies no numbers")
    values = np.array([[outcome(sweep.result(k, r), asked).value for r in range(sweep.replicates)] for k in done])
    plan = Plan(sweep.n_patients, sweep.replicates, sweep.attrs["random_numbers"] == "independent", sweep.seed)
    names = [(address, address) for address in moving]
    found = shares(np.stack(list(moving.values()), axis=1), values, names, not plan.independent)
    return document(scenario, asked, plan, found, {"method": "ensemble"})
