"""Numbers that know where they come from: the leaves of a scenario.

A leaf is a number, a sourced number (`Quantity`) or a distribution over people (`Distribution`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Evidence = Literal["published", "derived", "calibrated", "assumed"]
SMALLEST, LARGEST = 1e-18, 1e18
"""Sizes of numbers other than 0: the engine works in float32, and products of two must fit too."""
NEEDS_SOURCE = ("published", "derived", "calibrated")


def fault(fact: str, remedy: str, at: str = "") -> PydanticCustomError:
    """An error of a value in the words of the scenario's reader; `at` is the key below the value that it belongs to."""
    words: dict[str, Any] = {"fact": fact, "remedy": remedy, "at": at}
    return PydanticCustomError("fault", "{fact}. {remedy}", words)


class Part(BaseModel):
    """A mapping of the scenario: exact types, no unknown keys, finite numbers, never changed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


def not_a_number(data: object, whole: bool = False) -> PydanticCustomError | None:
    """The fault of something that stands where a number should, None for a number; `whole` ones may be of any size."""
    if isinstance(data, bool):
        return fault(f"{str(data).lower()} is not a number", "Write a number")
    if isinstance(data, str):
        return _text_fault(data)
    if isinstance(data, (int, float)):
        return _size_fault(data, whole)
    if isinstance(data, Mapping) or not isinstance(data, (list, type(None))):
        return None
    return fault("the value is missing" if data is None else "a number is needed here, not a list", "Write a number")


def _text_fault(data: str) -> PydanticCustomError:
    try:
        number = float(data)
    except ValueError:
        return fault(f"a number is needed here, not the text {shorten(data)}", "Write a number; the unit is in the key")
    if not math.isfinite(number):
        return fault(f"{data} is not a finite number", "Write a finite number")
    return fault(f"{shorten(data)} is text, not a number", "Remove the quotes")


def _size_fault(data: float, whole: bool) -> PydanticCustomError | None:
    size = abs(data)
    if isinstance(data, float) and not math.isfinite(data):
        return fault(f"{'NaN' if math.isnan(data) else 'infinity'} is not a finite number", "Write a finite number")
    if whole or size == 0 or SMALLEST <= size <= LARGEST:
        return None
    side = f"above {LARGEST:g}" if size > LARGEST else f"below {SMALLEST:g}"
    return fault(f"the size of the number is {side}, which the engine cannot hold", "Correct it, or write 0")


def shorten(text: str, limit: int = 40) -> str:
    """The text in quotes, printable and short enough for one line of an error."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return f"'{shown if len(shown) <= limit else shown[: limit - 3] + '...'}'"


def printable(part: object) -> str:
    """Text for one line of a terminal: no control characters, not longer than 60."""
    text = "".join(c if c.isprintable() else "?" for c in str(part))
    return text if len(text) <= 60 else text[:57] + "..."


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
        elif isinstance(data, Mapping) and not set(data) & set(cls.model_fields):
            found = "a distribution" if set(data) & set(Distribution.SHAPES) else "a section with keys"
            raise fault(f"one number is needed here, not {found}", "Write a number, or {value: ..., evidence: ...}")
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
        rest: set[object] = {self.unit, self.interval, self.prior, self.source, self.read_in_source, self.note}
        return self.evidence == "assumed" and rest == {None}

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


LIMITS: dict[str, Callable[[float, float], bool]] = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}


class Limit:
    """Bounds of a quantity, in the words of JSON Schema; what a number outside is called, and what to write."""

    def __init__(self, fact: str, remedy: str, **bounds: float) -> None:
        self.fact, self.remedy, self.bounds = fact, remedy, bounds

    def check(self, quantity: Quantity) -> Quantity:
        """The quantity, if it lies within the bounds."""
        if not all(LIMITS[name](quantity.value, bound) for name, bound in self.bounds.items()):
            raise fault(f"{quantity.value:g} is {self.fact}", self.remedy)
        return quantity

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "allOf": [{"if": {"type": "number"}, "then": self.bounds}]}


Positive = Annotated[Quantity, Limit("not a positive number", "Write a number above 0", exclusiveMinimum=0)]
NotNegative = Annotated[Quantity, Limit("negative", "Write 0 or a number above it", minimum=0)]
Share = Annotated[Quantity, Limit("not a share or probability", "Write a number from 0 to 1", minimum=0, maximum=1)]
Correlation = Annotated[Quantity, Limit("not a correlation", "Write a number from -1 to 1", minimum=-1, maximum=1)]
OpenShare = Annotated[
    Quantity,
    Limit("not a share between 0 and 1", "Write a number above 0 and below 1", exclusiveMinimum=0, exclusiveMaximum=1),
]
LogFactor = Annotated[
    Quantity,
    Limit("the logarithm of a factor that the engine cannot hold", "Write one from -40 to 40", minimum=-40, maximum=40),
]
InsideOne = Annotated[Quantity, Limit("not inside (-1, 1)", "Correct it", exclusiveMinimum=-1, exclusiveMaximum=1)]


def ordered(shape: Any) -> Any:
    """The distribution, if its low is below its high."""
    low, high = shape.low, shape.high
    if low is not None and high is not None and low.value >= high.value:
        raise fault(f"low ({low.value:g}) is not below high ({high.value:g})", "Correct low or high", "low")
    return shape


class Normal(Part):
    """Normal with the given mean and standard deviation, clipped to [low, high]."""

    mean: Quantity
    sd: NotNegative
    low: Quantity | None = None
    high: Quantity | None = None

    _range = model_validator(mode="after")(ordered)


class LogNormal(Part):
    """Log-normal with the given median and standard deviation of the logarithm, clipped to [low, high]."""

    median: Positive
    log_sd: NotNegative
    low: Quantity | None = None
    high: Quantity | None = None

    _range = model_validator(mode="after")(ordered)


class Uniform(Part):
    """Uniform between low and high."""

    low: Quantity
    high: Quantity

    _range = model_validator(mode="after")(ordered)


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
        if isinstance(data, Mapping) and "number" in data:
            raise fault("unknown key number", "Write the number itself, without a key", "number")
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
        shape = self.normal or self.lognormal
        assert shape is not None
        centre, spread = (shape.median, shape.log_sd) if isinstance(shape, LogNormal) else (shape.mean, shape.sd)
        low = -math.inf if shape.low is None else shape.low.value
        high = math.inf if shape.high is None else shape.high.value
        return isinstance(shape, LogNormal), centre.value, spread.value, low, high

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
    log, *_, high = distribution.terms()
    if high <= 0 or (not log and distribution.lowest <= 0):
        raise fault("values at or below 0 are possible", "Use a lognormal, or give the normal a low above 0")
    return distribution


PositiveDistribution = Annotated[Distribution, AfterValidator(_above_zero)]

Prior.model_rebuild()
