"""Numbers that know where they come from: the leaves of a scenario.

A leaf is a number, a sourced number (`Quantity`) or a distribution over people (`Distribution`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

Evidence = Literal["published", "derived", "calibrated", "assumed"]
NEEDS_SOURCE = ("published", "derived", "calibrated")


def fault(fact: str, remedy: str, at: str = "") -> PydanticCustomError:
    """An error of a value in the words of the scenario's reader.

    Parameters
    ----------
    fact, remedy : str
        What is wrong, and what to do.
    at : str
        The key below the value that the fault belongs to; "" for the value itself.
    """
    words: dict[str, Any] = {"fact": fact, "remedy": remedy, "at": at}
    return PydanticCustomError("fault", "{fact}. {remedy}", words)


class Part(BaseModel):
    """A mapping of the scenario: exact types, no unknown keys, finite numbers, never changed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


def not_a_number(data: object) -> PydanticCustomError | None:
    """The fault of something that stands where a number should, None for a number."""
    if isinstance(data, bool):
        return fault(f"{str(data).lower()} is not a number", "Write a number")
    if isinstance(data, str):
        return _text_fault(data)
    if isinstance(data, (int, float)):
        return _size_fault(data)
    if data is None:
        return fault("the value is missing", "Write a number")
    return fault("a number is needed here, not a list", "Write a number") if isinstance(data, list) else None


def _text_fault(data: str) -> PydanticCustomError:
    """Text in place of a number: quoted numbers get their own remedy."""
    try:
        number = float(data)
    except ValueError:
        return fault(f"a number is needed here, not the text {shorten(data)}", "Write a number; the unit is in the key")
    if not math.isfinite(number):
        return fault(f"{data} is not a finite number", "Write a finite number")
    return fault(f"{shorten(data)} is text, not a number", "Remove the quotes")


def _size_fault(data: float) -> PydanticCustomError | None:
    """NaN, infinities and whole numbers too large for a float."""
    try:
        finite = math.isfinite(data)
    except OverflowError:
        return fault("the number is too large", "Write a number below 1e308")
    if finite:
        return None
    name = "NaN" if math.isnan(data) else "infinity"
    return fault(f"{name} is not a finite number", "Write a finite number")


def shorten(text: str, limit: int = 40) -> str:
    """The text in quotes, printable and short enough for one line of an error."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return f"'{shown if len(shown) <= limit else shown[: limit - 3] + '...'}'"


class Prior(Part):
    """What is believed about one number of the whole population, before calibration: exactly one shape."""

    normal: Normal | None = None
    lognormal: LogNormal | None = None
    uniform: Uniform | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_shape(cls, data: Any) -> Any:
        return one_of(data, ("normal", "lognormal", "uniform"), "a prior")


class Quantity(Part):
    """A number with its unit, source and evidence grade; `float(quantity)` is its value.

    A bare number is a quantity whose evidence is `assumed`.
    """

    value: float
    unit: str | None = None
    interval: Annotated[tuple[float, float], Field(strict=False)] | None = None
    prior: Prior | None = None
    source: str | None = None
    evidence: Evidence
    read_in_source: bool | None = None
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, data: Any) -> Any:
        wrong = not_a_number(data)
        if wrong is not None:
            raise wrong
        if isinstance(data, (int, float)):
            return {"value": data, "evidence": "assumed"}
        if isinstance(data, Mapping) and "value" in data:
            wrong = not_a_number(data["value"])
            if wrong is not None:
                raise fault(wrong.context["fact"], wrong.context["remedy"], "value")  # type: ignore[index]
        return data

    @model_validator(mode="after")
    def _sourced(self) -> Quantity:
        if self.evidence in NEEDS_SOURCE and not self.source:
            raise fault(f"evidence is {self.evidence} but there is no source", "Add source, or write evidence: assumed")
        if self.interval and self.interval[0] > self.interval[1]:
            raise fault("the interval's low end is above its high end", "Write [low, high]", "interval")
        return self

    def __float__(self) -> float:
        return self.value

    @property
    def is_bare(self) -> bool:
        """True where nothing but the value is known: written back as a bare number."""
        rest = (self.unit, self.interval, self.prior, self.source, self.read_in_source, self.note)
        return self.evidence == "assumed" and all(part is None for part in rest)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "number"}, handler(core)]}


def one_of(data: Any, shapes: tuple[str, ...], what: str) -> Any:
    """The mapping, if it names exactly one of the shapes; otherwise the fault is raised."""
    if not isinstance(data, Mapping):
        return data
    named = [shape for shape in shapes if data.get(shape) is not None]
    if len(named) > 1:
        raise fault(f"{what} has one shape, not both {named[0]} and {named[1]}", "Keep one of them")
    if not named and not set(data) - set(shapes):
        raise fault(f"{what} needs a shape", f"Write one of {', '.join(shapes)}")
    return data


def _check(test: Callable[[float], bool], fact: str) -> AfterValidator:
    """A limit on a quantity: the same test for every number of its kind."""

    def limit(quantity: Quantity) -> Quantity:
        if not test(quantity.value):
            raise fault(f"{quantity.value:g} is {fact}", "Correct the number")
        return quantity

    return AfterValidator(limit)


def _bounds(**limits: float) -> Any:
    """The same limit in the JSON Schema of a quantity, for editors."""

    def add(schema: dict[str, Any]) -> None:
        schema["allOf"] = [{"if": {"type": "number"}, "then": limits}]

    return Field(json_schema_extra=add)


Positive = Annotated[Quantity, _check(lambda x: x > 0, "not above 0"), _bounds(exclusiveMinimum=0)]
NotNegative = Annotated[Quantity, _check(lambda x: x >= 0, "below 0"), _bounds(minimum=0)]
Share = Annotated[Quantity, _check(lambda x: 0 <= x <= 1, "not between 0 and 1"), _bounds(minimum=0, maximum=1)]
Correlation = Annotated[Quantity, _check(lambda x: -1 <= x <= 1, "not between -1 and 1"), _bounds(minimum=-1, maximum=1)]
InsideOne = Annotated[
    Quantity,
    _check(lambda x: -1 < x < 1, "not strictly between -1 and 1"),
    _bounds(exclusiveMinimum=-1, exclusiveMaximum=1),
]


def _ordered(low: Quantity | None, high: Quantity | None) -> None:
    """Raise unless low is below high."""
    if low is not None and high is not None and low.value >= high.value:
        raise fault(f"low ({low.value:g}) is not below high ({high.value:g})", "Correct low or high", "low")


class Normal(Part):
    """Normal with the given mean and standard deviation, clipped to [low, high]."""

    mean: Quantity
    sd: NotNegative
    low: Quantity | None = None
    high: Quantity | None = None

    @model_validator(mode="after")
    def _range(self) -> Normal:
        _ordered(self.low, self.high)
        return self


class LogNormal(Part):
    """Log-normal with the given median and standard deviation of the logarithm, clipped to [low, high]."""

    median: Positive
    log_sd: NotNegative
    low: Quantity | None = None
    high: Quantity | None = None

    @model_validator(mode="after")
    def _range(self) -> LogNormal:
        _ordered(self.low, self.high)
        return self


class Uniform(Part):
    """Uniform between low and high."""

    low: Quantity
    high: Quantity

    @model_validator(mode="after")
    def _range(self) -> Uniform:
        _ordered(self.low, self.high)
        return self


class Distribution(Part):
    """How a number varies between people: one number for all, a normal or a log-normal."""

    SHAPES: ClassVar[tuple[str, ...]] = ("number", "normal", "lognormal")

    number: Quantity | None = None
    normal: Normal | None = None
    lognormal: LogNormal | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_shape(cls, data: Any) -> Any:
        wrong = not_a_number(data)
        if wrong is not None:
            raise wrong
        if isinstance(data, (int, float)) or (isinstance(data, Mapping) and "value" in data):
            return {"number": data}
        return one_of(data, cls.SHAPES[1:], "a distribution")

    def terms(self) -> tuple[bool, float, float, float, float]:
        """What a draw needs: (log, centre, spread, low, high).

        With Z standard normal the draw is `clip(centre + spread Z, low, high)`, or, where `log` is true,
        `clip(exp(ln centre + spread Z), low, high)`. One number for all has spread 0.

        Returns
        -------
        tuple
            Whether the draw is log-normal; mean or median; SD or log-SD; bounds, infinite where there are none.
        """
        if self.number is not None:
            return False, self.number.value, 0.0, -math.inf, math.inf
        if self.normal is not None:
            shape: Normal | LogNormal = self.normal
            centre, spread = self.normal.mean, self.normal.sd
        else:
            assert self.lognormal is not None
            shape, centre, spread = self.lognormal, self.lognormal.median, self.lognormal.log_sd
        low = -math.inf if shape.low is None else shape.low.value
        high = math.inf if shape.high is None else shape.high.value
        return self.lognormal is not None, centre.value, spread.value, low, high

    @property
    def lowest(self) -> float:
        """The smallest value a draw can have; for checks of positivity."""
        log, centre, spread, low, _ = self.terms()
        if spread == 0:
            return max(centre, low)
        return max(low, 0.0) if log else low

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shapes = handler(core)
        target = handler.resolve_ref_schema(shapes)
        number = target["properties"].pop("number")["anyOf"][0]
        return {"anyOf": [number, shapes]}


def _above_zero(distribution: Distribution) -> Distribution:
    """Every draw must be above 0: a log-normal, a positive number, or a normal with a positive `low`."""
    log, centre, spread, low, high = distribution.terms()
    if high <= 0 or (low <= 0 and not log and (spread > 0 or centre <= 0)):
        raise fault("values at or below 0 are possible", "Use a lognormal, or give the normal a low above 0")
    return distribution


PositiveDistribution = Annotated[Distribution, AfterValidator(_above_zero)]

Prior.model_rebuild()
Quantity.model_rebuild()
