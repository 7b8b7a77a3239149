"""Block `attrition`: leaving the study, and stopping the drug."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.language.parts import Interval
from simulator.quantities import NotNegative, Part, Positive, Quantity, fault


class Dropout(Part):
    """A hazard of dropout [1/year] until a day; the last piece has no `until_day`."""

    until_day: Interval | None = None
    rate: NotNegative


class ByFunction(Part):
    """Dropout depends on ALSFRS-R: its hazard is multiplied by `hazard_ratio_per_point` to the (points lost - neutral).

    Points are lost since `entry` (decline) or since `health` (48 less the score). `MAR`: those of the last measurement;
    what is missing is then random given what was seen. `MNAR`: those of the truth, which nobody has seen.
    """

    missing: Literal["MAR", "MNAR"]
    points_lost_since: Literal["entry", "health"]
    hazard_ratio_per_point: Positive
    neutral_points: Quantity


class Attrition(Part):
    """Dropout ends observation; `drug_after_dropout` says whether it ends the drug; stopping is on its own."""

    dropout_per_year: Annotated[list[Dropout], Field(min_length=1)]
    drug_after_dropout: Literal["stop", "continue"] = "stop"
    by_function: ByFunction | None = None
    stop_treatment_per_year: NotNegative = Quantity(value=0, evidence="assumed")

    @model_validator(mode="after")
    def _pieces(self) -> Attrition:
        ends = [piece.until_day for piece in self.dropout_per_year]
        if ends[-1] is not None:
            raise fault("the last piece of dropout has an end", "Remove its until_day", "dropout_per_year")
        if None in ends[:-1]:
            raise fault("a piece of dropout before the last has no until_day", "Add until_day", "dropout_per_year")
        if sorted(set(ends[:-1])) != ends[:-1]:  # type: ignore[type-var]
            raise fault("the pieces of dropout do not ascend", "Order them by until_day", "dropout_per_year")
        return self
