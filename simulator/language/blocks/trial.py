"""Block `trial`: who is allocated to which arm, and when the trial is analysed."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from simulator.language.parts import Count, Interval, Name, Whole
from simulator.quantities import Part, Positive, fault

LARGEST_RATIO = 1000


class Trial(Part):
    """`size` people in the ratio `allocation`, or exact `counts` by stratum (`all` without strata) and arm."""

    size: Count | None = None
    allocation: Annotated[dict[Name, Positive], Field(min_length=1)] | None = None
    counts: Annotated[dict[Name, dict[Name, Annotated[int, Whole(0, 5_000_000)]]], Field(min_length=1)] | None = None
    analysis_days: list[Interval] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> Trial:
        if self.counts is None and (self.size is None or self.allocation is None):
            raise fault("the trial does not say how many people go where", "Write size and allocation, or counts")
        total = sum(sum(arms.values()) for arms in (self.counts or {}).values())
        if self.counts is not None and self.size not in (None, total):
            raise fault(f"the counts add up to {total:,}, size is {self.size:,}", "Remove size", "size")
        if self.counts is not None and total == 0:
            raise fault("nobody is enrolled", "Write counts above 0", "counts")
        parts = [part.value for part in (self.allocation or {}).values()]
        if parts and max(parts) > LARGEST_RATIO * min(parts):
            fact = f"the allocation is more lopsided than {LARGEST_RATIO:,} : 1"
            raise fault(fact, "Leave out the arm that gets nobody", "allocation")
        if any(a >= b for a, b in pairwise(self.analysis_days)):
            raise fault("the analysis days do not ascend", "Write each day once, in order", "analysis_days")
        return self
