"""Block `sensitivity`: the one number whose dependence on the parameters is asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.language.parts import Count, Interval, Name, Text, Whole
from simulator.quantities import Part, fault

Outcome = Literal[
    "alsfrs_r_change_survivors",
    "alsfrs_r_change_death0",
    "svc_change",
    "nfl_plasma_ratio",
    "sod1_csf",
    "event_free",
    "serious_neurologic",
    "event_free_months",
    "survival",
    "life_months",
    "life_years",
    "qalys",
    "costs",
    "net_benefit",
]
ECONOMIC = ("life_years", "qalys", "costs", "net_benefit")
"""Outcomes that the block `decision` defines."""


class Sensitivity(Part):
    """An outcome of an arm, or its difference from another, on a day or until then (by default the last).

    `parameters` restricts the analysis to some of the values that have a prior. How much is simulated: `points` (base
    points of Sobol' indices, trajectories of Morris, draws of the ensemble), replicates at each, patients in each.
    """

    outcome: Outcome
    arm: Name
    against: Name | None = None
    day: Interval | None = None
    parameters: Annotated[list[Text], Field(min_length=1)] | None = None
    points: Annotated[int, Whole(2, 65_536)] | None = None
    replicates: Annotated[int, Whole(1, 4_096)] | None = None
    patients: Count | None = None
    random_numbers: Literal["independent", "common"] | None = None

    @model_validator(mode="after")
    def _two_arms(self) -> Sensitivity:
        if self.arm == self.against:
            raise fault("the arm is set against itself", "Name another arm, or none", "against")
        if len(set(self.parameters or ())) < len(self.parameters or ()):
            raise fault("a parameter stands here twice", "Write each once", "parameters")
        return self
