"""A whole calibration: point fit, identifiability, design, emulator, ensemble, and a check of the emulator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import FILES, Calibration, calibration
from simulator.studies.calibrate import ensemble as sampling
from simulator.studies.calibrate.emulator import Emulator
from simulator.studies.calibrate.ensemble import Ensemble
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.calibrate.evaluate import Evaluator, runs_at, starting_vector
from simulator.studies.calibrate.fit import Direction, Fit, directions, fit
from simulator.studies.calibrate.likelihood import likelihood
from simulator.studies.calibrate.rows import ARMS, Datum, chosen, data

Floats = NDArray[np.float64]
CHECKED = 16
LEAST_DESIGN, MOST_DESIGN, MOST_DRAWS = 100, 65_536, 10_000


class Request(NamedTuple):
    """What a person asks of `calibrate`."""

    scenario: str = "valor"
    folder: Path | None = None
    recalled: bool = False
    extra: tuple[str, ...] = ()
    allow_validation: bool = False
    design: int = 1024
    draws: int = 600
    point_only: bool = False
    patients: float = 1.0


class Calibrated(NamedTuple):
    """What a calibration found. `marks` say what must be told wherever it is used."""

    spec: Calibration
    data: list[Datum]
    start: Floats
    fit: Fit
    directions: list[Direction]
    marks: list[str]
    emulator: Emulator | None = None
    ensemble: Ensemble | None = None
    emulator_check: float = float("nan")


def calibrate(request: Request, tell: Callable[[int, int], None] | None = None) -> Calibrated:
    """Fit the free parameters to calibration rows, then draw an ensemble.

    Parameters
    ----------
    request : Request
        With a folder, evaluations are kept there: the same request goes on where an earlier one stopped.
    tell : callable, optional
        Called with the evaluations made so far and, about, those expected.

    Raises
    ------
    CalibrationError
        No such calibration; a row that may not be fitted; a folder of another calibration.
    """
    if request.scenario not in FILES:
        raise CalibrationError(f"there is no calibration of {request.scenario!r}. There are {', '.join(FILES)}")
    spec = calibration(request.scenario)
    for name, number, least, most in (
        ("simulations for the emulator", request.design, LEAST_DESIGN, MOST_DESIGN),
        ("vectors", request.draws, 1, MOST_DRAWS),
    ):
        if not least <= number <= most:
            raise CalibrationError(f"{number:,} {name} are out of range. Ask for {least} to {most:,}")
    start = starting_vector(spec)
    runs = runs_at(spec, start, request.patients)
    forced = request.extra if request.allow_validation else ()
    rows = data(chosen(spec, request.recalled, request.extra), spec, runs, forced)
    expected = 50 * 5 + (0 if request.point_only else request.design + CHECKED)
    evaluate = Evaluator(
        spec, rows, request.folder, request.patients, (lambda made: tell(made, expected)) if tell else None
    )
    target = likelihood(rows, spec, runs)
    found = fit(evaluate, target, start)
    done = Calibrated(spec, rows, start, found, directions(found.jacobian, spec.parameters), _marks(request, rows))
    if request.point_only:
        return done
    x, y = sampling.design(evaluate, found, request.design)
    emulator = sampling.emulator_of(found, x, y)
    drawn = sampling.sample(emulator, found, target, request.draws)
    members = drawn.vectors[:CHECKED]
    away = (np.array([evaluate(member) for member in members]) - emulator(members)) / target.sd
    return done._replace(emulator=emulator, ensemble=drawn, emulator_check=float(np.sqrt(np.nanmean(away**2))))


def _marks(request: Request, rows: list[Datum]) -> list[str]:
    """What rows outside the rule make of the result."""
    from simulator.catalog.targets import published

    marks = []
    validation = [row.id for row in rows if any(published(key).role == "validation" for key in _published(row.id))]
    if validation:
        marks.append(f"fitted to validation rows, which validate nothing any more: {', '.join(validation)}")
    if request.recalled:
        marks.append("fitted to recalled rows, with a wider error")
    return marks


def _published(key: str) -> list[str]:
    """The published rows behind a fitted one: both arms of a contrast."""
    return [key.replace("/contrast/", f"/{arm}/") for arm in ARMS] if "/contrast/" in key else [key]
