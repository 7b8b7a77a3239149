"""Whole numbers, names, and sections whose plain values share one source and grade: beside quantities, what sections
of a scenario are made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, GetCoreSchemaHandler, model_validator
from pydantic_core import core_schema

from simulator.quantities import NEEDS_SOURCE, Evidence, Part, fault, not_a_number, printable, shorten

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


class _Grade(Part):
    """Evidence, and its source where the evidence needs one."""

    source: str | None = None
    evidence: Evidence = "assumed"

    @model_validator(mode="after")
    def _sourced(self) -> Any:
        if self.evidence in NEEDS_SOURCE and not self.source:
            raise fault(f"evidence is {self.evidence} but there is no source", "Add source, or write evidence: assumed")
        return self


class Grade(_Grade):
    """Evidence and source of one value."""


class Graded(_Grade):
    """A section whose plain values have the section's source and evidence, but for those with `grades` of their own."""

    PLAIN: ClassVar[tuple[str, ...]] = ()

    grades: dict[Name, Grade] | None = None

    @model_validator(mode="after")
    def _plain(self) -> Any:
        if wrong := [name for name in self.grades or {} if name not in self.PLAIN]:
            raise fault(f"{wrong[0]} has no grade of its own here", f"Choose from {', '.join(self.PLAIN)}", "grades")
        return self

    def grade(self, key: str) -> Grade:
        """Evidence and source of a plain value."""
        return (self.grades or {}).get(key) or Grade(source=self.source, evidence=self.evidence)
