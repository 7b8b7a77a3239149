"""Block `sweep`: which values of the scenario are varied, how, and what each point of the sweep is simulated with."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from simulator.language.parts import Count, Day, Name, Text, Whole
from simulator.quantities import Correlation, LogNormal, Normal, Part, Quantity, Uniform, fault

MOST_POINTS, MOST_REPLICATES = 500_000, 4_096
LISTED = ("grid", "one_at_a_time")
SAMPLED = ("latin_hypercube", "sobol", "priors")
SHAPES = ("uniform", "normal", "lognormal")
WAYS = ("values", "low", "prior", *SHAPES)


def finite(values: Any) -> Any:
    """The values, if every number in them is finite."""
    parts = values.values() if isinstance(values, dict) else values if isinstance(values, list) else ()
    if isinstance(values, float) and not math.isfinite(values):
        raise fault("a value is not a finite number", "Write finite numbers")
    for part in parts:
        finite(part)
    return values


class Axis(Part):
    """What one address takes: listed `values`, `count` numbers from `low` to `high`, or a distribution.

    A bare list means `values`; the word `prior` stands for the prior that the scenario has there. `whole` rounds to
    whole numbers, which days need; `complement` is an address that receives 1 minus the value; `label` names it in
    tables and pictures.
    """

    values: Annotated[list[Any], Field(min_length=1), AfterValidator(finite)] | None = None
    low: Quantity | None = None
    high: Quantity | None = None
    count: Annotated[int, Whole(2, MOST_POINTS)] | None = None
    uniform: Uniform | None = None
    normal: Normal | None = None
    lognormal: LogNormal | None = None
    prior: Literal[True] | None = None
    whole: bool = False
    complement: Text | None = None
    label: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        if isinstance(data, list):
            return {"values": data}
        return {"prior": True} if data == "prior" else data

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "array", "minItems": 1}, {"const": "prior"}, handler(core)]}

    @model_validator(mode="after")
    def _one_way(self) -> Axis:
        given = [way for way in WAYS if getattr(self, way) is not None]
        if len(given) != 1:
            fact = f"an axis has one way, not {' and '.join(given)}" if given else "the axis says no values"
            raise fault(fact, "Write a list, low and high, or one of prior, uniform, normal, lognormal")
        if (self.low is None) != (self.high is None) or (self.count is not None and self.low is None):
            raise fault("low, high and count belong together", "Write low and high, and count for a grid")
        if self.low is not None and self.high is not None and self.low.value >= self.high.value:
            raise fault("low is not below high", "Correct low or high", "low")
        return self

    @property
    def is_listed(self) -> bool:
        """Whether the axis names its values one by one."""
        return self.values is not None or self.count is not None


class Correlated(Part):
    """Correlation, between the normal scores, of what two addresses take."""

    between: Annotated[list[Text], Field(min_length=2, max_length=2)]
    value: Correlation


class Shown(Part):
    """An outcome to print: a metric of an arm, or its difference from another, on a day (the last by default)."""

    metric: Name
    arm: Name
    against: Name | None = None
    day: Day | None = None
    label: Name | None = None


class Sweep(Part):
    """Points: every combination (`grid`), one value at a time from the scenario's own, samples, or the ensemble.

    `set` changes the scenario before it is varied; `across` repeats every sampled point for each combination of listed
    values. Every point has the same people and the same random numbers, unless `random_numbers` is `independent`.
    """

    method: Literal["grid", "one_at_a_time", "latin_hypercube", "sobol", "ensemble", "priors"]
    parameters: Annotated[dict[Text, Axis], Field(min_length=1)] | None = None
    across: Annotated[dict[Text, Axis], Field(min_length=1)] | None = None
    points: Annotated[int, Whole(1, MOST_POINTS)] | None = None
    seed: Annotated[int, Whole(0, 2**53)] = 1
    correlations: Annotated[list[Correlated], Field(min_length=1)] | None = None
    set: Annotated[dict[Text, Annotated[Any, AfterValidator(finite)]], Field(min_length=1)] | None = None
    patients: Count | None = None
    replicates: Annotated[int, Whole(1, MOST_REPLICATES)] = 1
    random_numbers: Literal["common", "independent"] = "common"
    outcomes: Annotated[list[Shown], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Sweep:
        listed = self.method in LISTED
        if listed and self.points is not None:
            raise fault(f"{self.method} counts its points itself", "Remove points", "points")
        if not listed and self.points is None:
            raise fault(f"{self.method} does not say how many points", "Add points")
        if self.parameters is None and self.method not in ("ensemble", "priors"):
            raise fault("the sweep does not say what it varies", "Add parameters")
        if self.parameters is not None and self.method == "ensemble":
            raise fault("the ensemble says itself what it varies", "Remove parameters", "parameters")
        if self.across is not None and listed:
            raise fault(f"{self.method} has no samples to repeat", "Move across into parameters", "across")
        if self.correlations is not None and self.method != "priors":
            raise fault(f"{self.method} draws each value on its own", "Use method priors", "correlations")
        self._axes(listed)
        return self

    def _axes(self, listed: bool) -> None:
        """Raise unless each axis says what the method needs."""
        groups = (("parameters", self.parameters, listed), ("across", self.across, True))
        for name, axes, wants_list in groups:
            for address, axis in (axes or {}).items():
                if axis.is_listed != wants_list:
                    remedy = "Write a list, or low, high and count" if wants_list else "Write low and high, or a shape"
                    fact = (
                        f"{address} {'has no list of values' if wants_list else 'lists values, which are drawn here'}"
                    )
                    raise fault(fact, remedy, name)
        known = self.parameters or {}
        for k, pair in enumerate(self.correlations or []):
            one, two = pair.between
            if one == two or (known and not {one, two} <= set(known)):
                raise fault("a correlation is between two of the parameters", "Name two of them", f"correlations.{k}")
