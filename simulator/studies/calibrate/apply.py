"""The calibrated vector and the ensemble, put into scenarios."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import calibration
from simulator.catalog.facts import read_text
from simulator.language.fitted import Place, default_value, places
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.evidence.score import scenario_of

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.ensemble import Ensemble

Floats = NDArray[np.float64]


@cache
def calibrated_vector() -> tuple[float, ...]:
    """The catalog's calibrated values, in prior SDs."""
    return tuple(p.standard(default_value(p)) for p in calibration().parameters)


@cache
def ensemble() -> Floats:
    """The catalog's ensemble in prior SDs, (n_vectors, n_parameters)."""
    rows = list(csv.DictReader(read_text("ensemble.csv").splitlines()))
    return np.array([[p.standard(float(row[p.name])) for p in calibration().parameters] for row in rows])


def vector_settings(scenario: Scenario, vector: Floats) -> dict[str, float]:
    """Addresses and values of a vector in prior SDs, where the scenario holds calibrated values."""
    return _settings(places(scenario.content()), vector)


def _settings(where: Sequence[Place], vector: Floats) -> dict[str, float]:
    values = [parameter.value(float(x)) for parameter, x in zip(calibration().parameters, vector, strict=True)]
    return {place.address: 1 - values[place.number] if place.is_rest else values[place.number] for place in where}


def drawn_scenarios(scenario: Scenario, draws: int) -> Iterator[Scenario]:
    """The scenario with the first so many vectors of the ensemble (see `drawn_settings`)."""
    yield from map(scenario.replace, drawn_settings(scenario, draws))


def drawn_settings(scenario: Scenario, draws: int) -> Iterator[dict[str, float]]:
    """Addresses and values of the first so many vectors of the ensemble.

    They are those of the scenario's own block `ensemble`, where it has one. Else they are the catalog's: a parameter is
    drawn where the scenario holds the catalog's calibrated value; what its author changed stays.

    Raises
    ------
    CalibrationError
        The scenario is of another disease, holds none of the calibrated values, or the ensemble has fewer vectors.
    """
    if scenario.ensemble is not None:
        yield from _own(scenario.ensemble, draws)
        return
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
    where = places(scenario.content())
    if not where:
        raise CalibrationError("the scenario holds none of the values that were calibrated. Run without --draws")
    for vector in ensemble()[:draws]:
        yield _settings(where, vector)


def _own(block: Ensemble, draws: int) -> Iterator[dict[str, float]]:
    """The first so many vectors of a scenario's own ensemble."""
    if not 1 <= draws <= len(block.vectors):
        known = len(block.vectors)
        raise CalibrationError(f"the scenario's ensemble has {known} vectors, not {draws}. Ask for 1 to {known}")
    for vector in block.vectors[:draws]:
        yield dict(zip(block.addresses, vector, strict=True))


def check_catalogs(scenario: Scenario) -> None:
    """Refuse a scenario with an ensemble of its own where only the catalog's is known.

    Raises
    ------
    CalibrationError
        It has the block `ensemble`.
    """
    if scenario.ensemble is not None:
        fact = "this study draws from the catalog's ensemble, and the scenario has its own block ensemble"
        raise CalibrationError(f"{fact}. Remove the block with --set ensemble=null")
