"""The calibrated vector and the ensemble, put into scenarios."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import Parameter, calibration, calibration_of
from simulator.catalog.facts import read_text
from simulator.language.calibrated import Place, calibration_in, default_value, places
from simulator.studies.calibrate.errors import CalibrationError

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.ensemble import Ensemble

Floats = NDArray[np.float64]


@cache
def calibrated_vector(name: str = "valor") -> tuple[float, ...]:
    """The catalog's calibrated values of a calibration, in prior SDs."""
    spec = calibration(name)
    return tuple(p.standard(default_value(spec, p)) for p in spec.parameters)


def ensemble(model: str = "clock") -> Floats:
    """The catalog's ensemble of a progression model in prior SDs, (n_vectors, n_parameters)."""
    spec = calibration_of(model)
    return np.empty((0, 0)) if spec is None else _vectors(spec.vectors, spec.parameters)


@cache
def _vectors(file: str, parameters: tuple[Parameter, ...]) -> Floats:
    rows = list(csv.DictReader(read_text(file).splitlines()))
    return np.array([[p.standard(float(row[p.name])) for p in parameters] for row in rows])


def vector_settings(scenario: Scenario, vector: Floats) -> dict[str, float]:
    """Addresses and values of a vector in prior SDs, where the scenario holds calibrated values."""
    spec = calibration_in(scenario.content())
    return {} if spec is None else _settings(spec.parameters, places(scenario.content()), vector)


def _settings(parameters: Sequence[Parameter], where: Sequence[Place], vector: Floats) -> dict[str, float]:
    values = [parameter.value(float(x)) for parameter, x in zip(parameters, vector, strict=True)]
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
    spec = calibration_of(scenario.progression.model)
    if scenario.disease.name != (own := calibration().disease):
        raise CalibrationError(f"the ensemble is of {own}, not {scenario.disease.name}. Run without --draws")
    vectors = ensemble(scenario.progression.model)
    if spec is not None and not 1 <= draws <= len(vectors):
        raise CalibrationError(f"the ensemble has {len(vectors)} vectors, not {draws}. Ask for 1 to {len(vectors)}")
    where = places(scenario.content())
    if spec is None or not where:
        raise CalibrationError("the scenario holds none of the values that were calibrated. Run without --draws")
    for vector in vectors[:draws]:
        yield _settings(spec.parameters, where, vector)


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
