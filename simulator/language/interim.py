"""The part `interim` of the block `trial`: looks before the end, and what stops the trial at one."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.language.parts import Interval
from simulator.quantities import Limit, Part, Quantity, fault

Shape = Literal["obrien_fleming", "pocock", "power", "hwang_shih_decani"]
Level = Annotated[
    Quantity,
    Limit("not a level of a test", "Write a number above 0 and at most 0.5", exclusiveMinimum=0, maximum=0.5),
]
Part01 = Annotated[
    Quantity,
    Limit("not a part of the whole", "Write a number between 0 and 1", exclusiveMinimum=0, exclusiveMaximum=1),
]


class Spending(Part):
    """How a level is spent over the looks; `power` and `hwang_shih_decani` take a parameter."""

    shape: Shape = "obrien_fleming"
    parameter: Quantity | None = None

    @model_validator(mode="after")
    def _parametrised(self) -> Spending:
        needs = self.shape in ("power", "hwang_shih_decani")
        if needs and self.parameter is None:
            raise fault(f"the shape {self.shape} has a parameter", "Add parameter")
        if not needs and self.parameter is not None:
            raise fault(f"the shape {self.shape} has no parameter", "Remove it", "parameter")
        if self.shape == "power" and self.parameter is not None and self.parameter.value <= 0:
            raise fault("a level is spent with a power above 0", "Write a positive number", "parameter")
        return self


class Futility(Part):
    """Stopping without hope, not binding: the bounds for benefit are those of a trial that would go on.

    `conditional_power`: under the current trend it is below this. `beta`: the risk to miss the effect at which the
    power is 1 - beta, spent over the looks.
    """

    conditional_power: Part01 | None = None
    beta: Level | None = None
    spending: Spending | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Futility:
        if (self.conditional_power is None) == (self.beta is None):
            both = "futility has two rules" if self.beta is not None else "futility has no rule"
            raise fault(both, "Write either conditional_power or beta")
        if self.spending is not None and self.beta is None:
            raise fault("conditional power spends nothing", "Remove spending, or write beta", "spending")
        return self


class Interim(Part):
    """Looks at the first analysis before its end, with a two-sided `alpha` that they spend.

    `shares`: a look when this part of the randomised has reached the day of the analysis. `days`: looks on days of the
    calendar, which begins with the first enrolment. The level is spent by the information of the analysis, 1/SE²
    as a part of its mean at the end, or by the part of `participants` who have reached the day of analysis.
    """

    shares: Annotated[list[Part01], Field(min_length=1, max_length=20)] | None = None
    days: Annotated[list[Interval], Field(min_length=1, max_length=20)] | None = None
    alpha: Level = Quantity(value=0.05, evidence="assumed")
    spending: Spending = Spending()
    futility: Futility | None = None
    information: Literal["analysis", "participants"] = "analysis"

    @model_validator(mode="after")
    def _ascending(self) -> Interim:
        if (self.shares is None) == (self.days is None):
            both = "looks have two calendars, shares and days" if self.days else "interim does not say when looks are"
            raise fault(both, "Write either shares or days")
        key = "days" if self.shares is None else "shares"
        if any(float(a) >= float(b) for a, b in pairwise(getattr(self, key))):
            raise fault("the looks do not ascend", "Write each once, in order", key)
        return self
