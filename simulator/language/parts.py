"""What several sections of the scenario share: whole numbers, names and rules on measured values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, GetCoreSchemaHandler, model_validator
from pydantic_core import core_schema

from simulator.language.faults import printable
from simulator.quantities import Part, Quantity, fault, not_a_number, shorten

MAX_DAYS = 36_525  # 1200 months
MAX_NAME = 80


def _whole(data: Any) -> Any:
    """Only whole numbers pass; 28.0 is not one, for the file should say what it means."""
    wrong = not_a_number(data, whole=True)
    if wrong is not None:
        raise wrong
    if isinstance(data, float):
        if data.is_integer():
            raise fault(f"{data!r} is not written as a whole number", f"Write {int(data)}")
        raise fault(f"{data!r} is not a whole number", "Write a whole number")
    if isinstance(data, (dict, list)):
        raise fault("a whole number is needed here", "Write a whole number")
    return data


@dataclass(frozen=True)
class Whole:
    """The annotation of whole numbers from low to high."""

    low: int
    high: int

    def check(self, data: Any) -> Any:
        """The number, if it is whole and within the limits."""
        number = _whole(data)
        if not self.low <= number <= self.high:
            side = f"below {self.low:,}" if number < self.low else f"above {self.high:,}"
            span = f"a number from {self.low:,} to {self.high:,}" if self.low < self.high else str(self.low)
            raise fault(f"{printable(number)} is {side}", f"Write {span}")
        return number

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        limits = core_schema.int_schema(strict=True, ge=self.low, le=self.high)
        return core_schema.no_info_before_validator_function(self.check, limits)


Day = Annotated[int, Whole(0, MAX_DAYS)]
Interval = Annotated[int, Whole(1, MAX_DAYS)]
Count = Annotated[int, Whole(1, 5_000_000)]


def _printable(text: str) -> str:
    """Text that a terminal, a table and a file name can show."""
    if not text.strip():
        raise fault("the text is empty", "Write some text")
    bad = next((c for c in text if not c.isprintable() and c != "\n"), None)
    if bad is not None:
        raise fault(f"the text holds the control character U+{ord(bad):04X}", "Remove it")
    return text


def _short(name: str) -> str:
    """A name on one line, without blanks around it."""
    if "\n" in name or name != name.strip():
        raise fault(f"the name {shorten(name)} has line breaks or blanks around it", "Remove them")
    if len(name) > MAX_NAME:
        raise fault(f"the name is longer than {MAX_NAME} characters", "Shorten it")
    return name


Text = Annotated[str, AfterValidator(_printable)]
Name = Annotated[str, AfterValidator(_printable), AfterValidator(_short)]


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
