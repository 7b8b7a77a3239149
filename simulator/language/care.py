"""What is done and what is seen: the sections `treatments`, `arms` and `visits`."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from simulator.language.parts import MAX_DAYS, Day, Interval, Name, Whole
from simulator.language.registered import ByTag
from simulator.mechanisms import Mechanism
from simulator.quantities import NotNegative, Part, Quantity, Share, fault

Assessment = Literal["alsfrs_r", "svc", "hhd", "nfl_plasma", "sod1_csf"]


Treatment = Annotated[Mechanism, ByTag("kind")]
Moment = Annotated[int, Whole(-MAX_DAYS, MAX_DAYS)]


Start = Literal["baseline", "onset", "diagnosis", "trigger", "phenoconversion"]
Exit = Literal["baseline", "trigger", "phenoconversion", "pav", "limit"]
EVENTS = ("baseline", "onset", "diagnosis", "trigger", "phenoconversion", "pav", "limit")


class Hold(Part):
    """An interval without doses, days since the start of the epoch; doses go on by the policy for missed doses."""

    from_day: Day
    to_day: Interval

    @model_validator(mode="after")
    def _ordered(self) -> Hold:
        if self.to_day <= self.from_day:
            fact = f"the hold ends on day {self.to_day}, not after its start on day {self.from_day}"
            raise fault(fact, "Correct from_day or to_day", "to_day")
        return self


class Epoch(Part):
    """Treatments from one day to another; day `to_day` itself is not treated, null = no end.

    `from_day` counts from baseline or the first event of `after`; `to_day` likewise or, with `until`, from the first of
    those (0 where not given). A `from_day` below 0 says that people enter on the treatment, or have stopped it before.
    An epoch that adjoins the one before goes on with its calendar, unless told to `reload`.
    """

    treatments: list[Name] = Field(min_length=1)
    after: list[Start] | None = Field(default=None, min_length=1)
    from_day: Moment
    until: list[Exit] | None = Field(default=None, min_length=1)
    to_day: Moment | None = None
    holds: list[Hold] | None = Field(default=None, min_length=1)
    reload: Literal[True] | None = None

    @field_validator("after", "until", mode="before")
    @classmethod
    def _one_is_a_list(cls, data: object) -> object:
        return [data] if isinstance(data, str) else data

    @model_validator(mode="after")
    def _ends(self) -> Epoch:
        least = 0 if self.until is not None else 1 if self.from_day >= 0 else -MAX_DAYS
        if self.to_day is not None and self.to_day < least:
            raise fault(f"{self.to_day} is below {least}", f"Write a number from {least} to 36,525", "to_day")
        for name in ("after", "until"):
            events = getattr(self, name) or []
            if len(set(events)) < len(events):
                raise fault("an event stands here twice", "Write each once", name)
        return self

    @property
    def starts(self) -> list[str]:
        """The events from the first of which `from_day` counts."""
        return list(self.after or ["baseline"])

    @property
    def ends(self) -> list[str]:
        """The events from the first of which `to_day` counts; none where it has no end."""
        return list(self.until or ([] if self.to_day is None else self.starts))

    @property
    def is_fixed(self) -> bool:
        """Whether it begins and ends on days that are known beforehand."""
        return {*(self.after or []), *(self.until or [])} <= {"baseline"}

    @property
    def refers_to(self) -> set[str]:
        """The events that it waits for."""
        return {str(name) for name in (*(self.after or []), *(self.until or []))} - {"baseline"}


def spans(epochs: list[Epoch], treatment: str) -> list[tuple[int, float]]:
    """Stretches of an arm with a treatment that begins and ends on days: first day, day after the last or infinity.

    Epochs that adjoin or overlap are one.
    """
    found: list[tuple[int, float]] = []
    for epoch in sorted((one for one in epochs if treatment in one.treatments), key=lambda one: one.from_day):
        end = math.inf if epoch.to_day is None else float(epoch.to_day)
        if found and epoch.from_day <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((epoch.from_day, end))
    return found


class Noise(Part):
    """Standard deviations of the measurements, and the lower limit of quantification of NfL [pg/mL]."""

    alsfrs_r_points: NotNegative
    svc_percent: NotNegative
    hhd: NotNegative
    nfl_log_sd: NotNegative
    sod1_log_sd: NotNegative
    nfl_llq: NotNegative


class Visits(Part):
    """When people are seen and what is measured: every `every_days`, or on the listed `days`."""

    every_days: Interval | None = None
    days: list[Day] | None = Field(default=None, min_length=1)
    assessments: list[Assessment] = Field(min_length=1)
    scoring: Literal["total", "items"]
    entry_effect_points: Quantity
    jitter_days: Annotated[int, Whole(0, 365)]
    missing: Share
    noise: Noise

    @model_validator(mode="after")
    def _one_calendar(self) -> Visits:
        if (self.every_days is None) == (self.days is None):
            both = "visits have two calendars, every_days and days"
            raise fault(both if self.days is not None else "visits have no calendar", "Write either every_days or days")
        if len(set(self.assessments)) < len(self.assessments):
            raise fault("an assessment stands here twice", "Write each once", "assessments")
        if self.days is not None:
            self._ascending(self.days)
        if 2 * self.jitter_days >= self.smallest_gap:
            fact = f"a jitter of {self.jitter_days} days lets visits {self.smallest_gap} days apart change places"
            raise fault(fact, "Write less than half the distance", "jitter_days")
        return self

    @staticmethod
    def _ascending(days: list[int]) -> None:
        """Raise unless the days begin at baseline and ascend."""
        if days[0] != 0:
            raise fault("the first visit is not on day 0", "Begin with 0, the baseline visit", "days")
        if any(a >= b for a, b in pairwise(days)):
            raise fault("the visit days do not ascend", "Write each day once, in order", "days")

    @property
    def smallest_gap(self) -> int:
        """Days between the two nearest visits."""
        if self.every_days is not None:
            return int(self.every_days)
        days = self.days or [0]
        return min((b - a for a, b in pairwise(days)), default=365 * 100)
