"""The calibrated vector and the ensemble, put into scenarios."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.catalog import entry
from simulator.catalog.calibration import calibration
from simulator.catalog.facts import read_text
from simulator.mechanisms.antisense.spec import Antisense
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.calibrate.evaluate import settings, starting_vector, value_at
from simulator.studies.evidence.score import scenario_of

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
RUNS = {"valor": "valor", "valor_weeks": "valor", "phase_1_2": "phase_1_2", "onset": "onset"}
"""Which run of the calibration a run of the targets is like; the others keep the catalog's values."""


@cache
def calibrated_vector() -> tuple[float, ...]:
    """The catalog's calibrated values, in prior SDs."""
    found = entry("calibration", "calibrated")["values"]
    return tuple(p.standard(float(found[p.name]["value"])) for p in calibration().parameters)


@cache
def ensemble() -> Floats:
    """The catalog's ensemble in prior SDs, (n_vectors, n_parameters)."""
    rows = list(csv.DictReader(read_text("ensemble.csv").splitlines()))
    return np.array([[p.standard(float(row[p.name])) for p in calibration().parameters] for row in rows])


def at_calibrated(name: str, scenario: Scenario) -> Scenario:
    """A scenario of the targets with the calibrated values in place of the starting ones."""
    return put(scenario, calibrated_vector(), RUNS[name]) if name in RUNS else scenario


def put(scenario: Scenario, vector: tuple[float, ...] | Floats, run: str) -> Scenario:
    """The scenario with the values of a vector, as far as a run of the calibration has them."""
    drugs = [key for key, one in scenario.treatments.items() if isinstance(one, Antisense)]
    return scenario.replace(settings(calibration().parameters, vector, run, drugs))


def drawn_scenarios(scenario: Scenario, draws: int) -> Iterator[Scenario]:
    """The scenario with the first so many vectors of the ensemble (see `drawn_settings`)."""
    yield from map(scenario.replace, drawn_settings(scenario, draws))


def drawn_settings(scenario: Scenario, draws: int) -> Iterator[dict[str, float]]:
    """Addresses and values of the first so many vectors of the ensemble.

    A parameter is drawn where the scenario holds the catalog's starting value; what its author changed stays.

    Raises
    ------
    CalibrationError
        The scenario is of another disease, holds none of the starting values, or the ensemble has fewer vectors.
    """
    spec = calibration()
    own = scenario_of(spec.runs[spec.scenario])
    if scenario.disease.name != own.disease.name:
        raise CalibrationError(
            f"the ensemble is of {own.disease.name}, not {scenario.disease.name}. Run without --draws"
        )
    if not 1 <= draws <= len(ensemble()):
        raise CalibrationError(
            f"the ensemble has {len(ensemble())} vectors, not {draws}. Ask for 1 to {len(ensemble())}"
        )
    places = starting_places(scenario)
    if not places:
        raise CalibrationError("the scenario holds none of the values that were calibrated. Run without --draws")
    for vector in ensemble()[:draws]:
        values = [parameter.value(float(x)) for parameter, x in zip(spec.parameters, vector, strict=True)]
        yield {address: 1 - values[k] if is_rest else values[k] for address, k, is_rest in places}


def starting_places(scenario: Scenario) -> list[tuple[str, int, bool]]:
    """Addresses that hold a starting value, the parameter's number, and whether one minus it goes there."""
    content, found = scenario.content(), []
    drugs = [key for key, one in scenario.treatments.items() if isinstance(one, Antisense)]
    for k, (parameter, start) in enumerate(zip(calibration().parameters, starting_vector(calibration()), strict=True)):
        for drug in drugs if "*" in parameter.address else ("",):
            address = parameter.address.replace("*", drug)
            wanted = {address: parameter.value(float(start))}
            if parameter.complement:
                wanted[parameter.complement] = 1 - wanted[address]
            if all(_holds(content, place, value) for place, value in wanted.items()):
                found += [(place, k, place == parameter.complement) for place in wanted]
    return found


def _holds(content: Any, address: str, value: float) -> bool:
    held = value_at(content, address)
    return held is not None and abs(held - value) <= 1e-9 * abs(value)
