"""What a calibration fits: parameters with priors, rows, discrepancy."""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

from pydantic import Field

from simulator.catalog.claims import read_yaml
from simulator.catalog.facts import Row
from simulator.catalog.targets import Run


class Parameter(Row):
    """A free parameter, its place in a resolved scenario, and its prior: normal on `scale`.

    `start` is the value from which the fit starts, where that is not the prior's centre.
    """

    name: str
    label: str
    address: str
    complement: str | None = None
    runs: tuple[str, ...] = ("valor", "onset")
    scale: Literal["log", "logit", "plain"]
    prior: tuple[float, float]
    start: float | None = None
    informed_by: Literal["natural_history", "drug"]

    @property
    def started(self) -> float:
        """The value from which the fit starts."""
        return self.prior[0] if self.start is None else self.start

    def value(self, standard: float) -> float:
        """The parameter in its own unit, from how many prior SDs it lies above the prior's centre."""
        centre, sd = self.prior
        if self.scale == "plain":
            return centre + sd * standard
        if self.scale == "log":
            return centre * math.exp(sd * standard)
        return 1 / (1 + (1 - centre) / centre * math.exp(-sd * standard))

    def standard(self, value: float) -> float:
        """How many prior SDs a value lies above the prior's centre."""
        centre, sd = self.prior
        if self.scale == "plain":
            return (value - centre) / sd
        if self.scale == "log":
            return math.log(value / centre) / sd
        return (math.log(value / (1 - value)) - math.log(centre / (1 - centre))) / sd


class Rows(Row):
    """Ids of facts, curves (`endpoint/stratum/arm`) and contrasts of curves (`endpoint/stratum/contrast`)."""

    natural_history: tuple[str, ...]
    drug: tuple[str, ...]
    recalled: tuple[str, ...]


class Discrepancy(Row):
    """SD of what the model cannot be right about: in points, of a ratio, of a survival time, in per cent; of a row."""

    points: float
    ratio: float
    survival: float
    percent: float
    rows: dict[str, float] = Field(default_factory=dict)


class Calibration(Row):
    """Everything that `calibrate` needs to know; `left_out` says why other calibration rows are not fitted.

    `cohorts` are the participants behind the rows of a run, by group and arm: rows of one run have them in common.
    `disease` is the name of the disease in `scenario`. `name` is what `als-sim calibrate` calls it; `entry`, of the
    catalog, and the file `vectors` hold what was fitted.
    `inputs` says of rows that are inputs of the model, or were solved for, why cross-validation has no prediction.
    """

    name: str = "valor"
    scenario: str
    disease: str
    model: str = "clock"
    entry: str = "calibrated"
    vectors: str = "ensemble.csv"
    runs: dict[str, Run]
    rows: Rows
    left_out: dict[str, str]
    inputs: dict[str, str]
    cohorts: dict[str, dict[str, dict[str, float]]]
    discrepancy: Discrepancy
    recalled_error_factor: float
    parameters: tuple[Parameter, ...]


FILES = {"valor": "calibration.yaml", "regions": "calibration_regions.yaml"}


@cache
def calibration(name: str = "valor") -> Calibration:
    """A calibration of the catalog, by what `als-sim calibrate` calls it."""
    return Calibration(**read_yaml(FILES[name]))


@cache
def calibration_of(model: str) -> Calibration | None:
    """The calibration of a progression model; None where it was not calibrated."""
    return next((known for known in map(calibration, FILES) if known.model == model), None)
