"""What was published: facts, points of curves, claims of the article, each with its source and evidence grade.

The tables lie in `evidence/`. `published` was read in the source; `derived` was computed from it or read off a plot;
`assumed` is recalled and still to be checked.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from simulator.quantities import NEEDS_SOURCE, Evidence

Role = Literal["calibration", "validation", "context"]
Kind = Literal["ci95", "range", "iqr", "p10_90", "p95_of_people"]
Number = Annotated[float | None, BeforeValidator(lambda text: text or None)]
Text = Annotated[str | None, BeforeValidator(lambda text: text or None)]


class Row(BaseModel):
    """A row of a table: frozen, no unknown columns, an empty cell is None."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Source(Row):
    """A publication; the label's DOI is that of the trial it reports."""

    key: str
    citation: str
    doi: Text = None

    def __str__(self) -> str:
        return f"{self.citation}, doi:{self.doi}" if self.doi else self.citation


class Sourced(Row):
    """A row that says where it comes from; a grade above `assumed` without a source is refused."""

    low: Number = None
    high: Number = None
    n: Number = None
    role: Role
    evidence: Evidence
    source: Text = None
    place: Text = None

    @model_validator(mode="after")
    def _sourced(self) -> Sourced:
        if self.evidence in NEEDS_SOURCE and self.source is None:
            raise ValueError(f"evidence is {self.evidence} but there is no source")
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends")
        return self

    @property
    def interval(self) -> tuple[float, float] | None:
        """The published interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def cited(self) -> str:
        """The citation with the place in it."""
        return "; ".join(str(part) for part in (sources()[self.source or ""], self.place) if part)


class Fact(Sourced):
    """One published number; only an interval of kind ci95 gives a standard error."""

    id: str
    quantity: str
    population: str
    arm: Text = None
    time: Text = None
    value: Number = None
    sd: Number = None
    interval_kind: Kind | None = None
    unit: str
    read_in_source: bool
    confidence: Literal["high", "medium", "low"]
    note: Text = None

    @model_validator(mode="before")
    @classmethod
    def _blank(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in data.items() if value != ""}


class Point(Sourced):
    """One point of a published curve, read off a plot unless `reading` is printed."""

    endpoint: Literal["alsfrs_r_change", "event_free_share", "nfl_plasma_ratio", "sod1_csf_ratio"]
    stratum: Literal["all", "faster", "slower"]
    arm: Literal["early_start", "delayed_start"]
    week: int
    value: float
    phase: Literal["randomised", "extension", "integrated"]
    reading: Literal["plot", "printed"]

    @property
    def curve(self) -> str:
        """The curve it belongs to."""
        return f"{self.endpoint}/{self.stratum}/{self.arm}"

    @property
    def id(self) -> str:
        """Curve and week."""
        return f"{self.curve}/{self.week}"


T = TypeVar("T", bound=Row)


def read_text(name: str) -> str:
    """One of the tables as text."""
    return resources.files("simulator.catalog").joinpath("evidence", name).read_text(encoding="utf-8")


def _rows(name: str, row: type[T]) -> Iterator[T]:
    for line in csv.DictReader(read_text(name).splitlines()):
        yield row.model_validate(line)


@cache
def sources() -> dict[str, Source]:
    """Publications by their short keys."""
    return {source.key: source for source in _rows("sources.csv", Source)}


@cache
def facts() -> dict[str, Fact]:
    """Every published fact by its id."""
    return {fact.id: fact for fact in _rows("facts.csv", Fact)}


@cache
def points() -> dict[str, Point]:
    """Every point of the published curves by its id, `endpoint/stratum/arm/week`."""
    return {point.id: point for point in _rows("curves.csv", Point)}
