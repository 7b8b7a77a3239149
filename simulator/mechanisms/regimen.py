"""How a drug is given in doses: the regimen, the interval that follows measurements, adherence."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.fields import Day, Graded, Interval, Whole
from simulator.quantities import NotNegative, Part, Positive, Quantity, Share, fault


class Adherence(Part):
    """Each dose is missed with a probability; the delay is uniform on 1 … `delay_days_max` whole days."""

    missed: Share = Quantity(value=0.03, evidence="assumed")
    delay_days_max: Annotated[int, Whole(1, 365)] = 42


class Guide(Graded):
    """The interval of maintenance follows measured NfL (hypothetical).

    The geometric mean of `samples` measured samples, as a ratio to the patient's own baseline: at or below
    `longer_at_ratio` the next longer interval follows, at or above `shorter_at_ratio` the next shorter one. No sample
    counts in the first `wait_days` of the epoch and after a change.
    """

    intervals_days: list[Interval] = Field(min_length=2, max_length=6)
    samples: Annotated[int, Whole(2, 100)]
    longer_at_ratio: Positive
    shorter_at_ratio: Positive
    wait_days: Day = 84

    PLAIN: ClassVar = ("intervals_days", "samples", "wait_days")

    @model_validator(mode="after")
    def _ascending(self) -> Guide:
        if any(a >= b for a, b in pairwise(self.intervals_days)):
            raise fault("the intervals do not ascend", "Write each once, in order", "intervals_days")
        if self.longer_at_ratio.value >= self.shorter_at_ratio.value:
            raise fault("longer_at_ratio is not below shorter_at_ratio", "Correct one of them", "longer_at_ratio")
        return self


class Regimen(Graded):
    """Doses on the loading days, counted from the epoch's start, then every `every_days`.

    `adherence` stands in the place of the scenario's block of that name.
    """

    dose_mg: NotNegative
    loading_days: list[Day] = Field(min_length=1)
    every_days: Interval
    missed_dose: Literal["label", "article"]
    adherence: Adherence | None = None
    guided_by_nfl: Guide | None = None

    PLAIN: ClassVar = ("loading_days", "every_days", "missed_dose")

    @model_validator(mode="after")
    def _ascending(self) -> Regimen:
        if any(a >= b for a, b in pairwise(self.loading_days)):
            raise fault("the loading days do not ascend", "Write each day once, in order", "loading_days")
        if self.guided_by_nfl is not None and self.every_days not in self.guided_by_nfl.intervals_days:
            fact = f"{self.every_days} is not among the intervals of guided_by_nfl"
            raise fault(fact, "Begin with one of them", "every_days")
        return self
