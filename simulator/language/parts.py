"""What several sections of the scenario share: whole numbers, names and rules on measured values."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from simulator.fields import MAX_DAYS, MAX_NAME, Count, Day, Interval, Name, Text, Whole
from simulator.quantities import Part, Quantity, fault

__all__ = ["MAX_DAYS", "MAX_NAME", "Bounds", "Count", "Day", "Interval", "Name", "Rule", "Text", "Whole"]


class Bounds(Part):
    """Inclusive limits of a measured value; at least one."""

    min: Quantity | None = None
    max: Quantity | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.min is None and self.max is None:
            raise fault("the limits are empty", "Write min, max or both")
        if self.min is not None and self.max is not None and self.min.value > self.max.value:
            raise fault(f"min ({self.min.value:g}) is above max ({self.max.value:g})", "Correct min or max", "min")
        return self


class Rule(Part):
    """Limits on what screening measures; all of them must hold.

    `progression_rate` is (48 - ALSFRS-R) / months since onset, positive = worse; `nfl_plasma` is in pg/mL.
    """

    variant: Literal["fast"] | None = None
    alsfrs_r: Bounds | None = None
    svc_percent: Bounds | None = None
    progression_rate: Bounds | None = None
    time_since_onset_months: Bounds | None = None
    age_years: Bounds | None = None
    nfl_plasma: Bounds | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise fault("the rule is empty", f"Write one of {', '.join(type(self).model_fields)}")
        return self
