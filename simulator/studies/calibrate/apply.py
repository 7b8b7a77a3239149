"""The calibrated vector and the ensemble, put into scenarios."""

from __future__ import annotations

import csv
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.catalog import entry
from simulator.catalog.calibration import calibration
from simulator.catalog.facts import read_text
from simulator.studies.calibrate.evaluate import settings

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
    drugs = [key for key, one in scenario.treatments.items() if one.kind == "antisense"]
    return scenario.replace(settings(calibration().parameters, vector, run, drugs))
