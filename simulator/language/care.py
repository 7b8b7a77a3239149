"""What is done and what is seen: the sections `treatments`, `arms` and `visits`."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from simulator.language.blocks.adherence import Adherence
from simulator.language.graded import Graded
from simulator.language.parts import Day, Interval, Name, Whole
from simulator.quantities import (
    Correlation,
    NotNegative,
    OpenShare,
    Part,
    Positive,
    PositiveDistribution,
    Quantity,
    Share,
    fault,
    ordered,
)

Assessment = Literal["alsfrs_r", "svc", "hhd", "nfl_plasma", "sod1_csf"]


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


class Tissue(Part):
    """Drug in tissue: half-life, and the regimen whose steady state is concentration 1."""

    half_life_days: Positive
    reference_dose_mg: Positive
    reference_every_days: Positive


class Target(Part):
    """Inhibition `I_max C / (C + EC50)` of the target's synthesis, and the share of its fall that CSF shows."""

    max_inhibition: Share
    ec50: PositiveDistribution
    half_life_days: Positive
    csf_share: Share


class Clipped(Part):
    """A normal between people, clipped to [low, high]."""

    mean: Quantity
    sd: NotNegative
    low: Quantity
    high: Quantity

    _range = model_validator(mode="after")(ordered)


class Logistic(Part):
    """E_F = most / (1 + exp(-(logit median + log_odds_sd Z + speed_exponent ln(D50/25 months)))): between 0 and most.

    With a positive `speed_exponent` the drug does less in those whose disease is fast.
    """

    median: OpenShare
    log_odds_sd: NotNegative
    speed_exponent: Quantity
    most: Positive


class Effect(Clipped):
    """Effect E_F on the rate of the clock, its delay, and the cap on improvement.

    Where `logistic` is written it says how E_F differs between people, and the clipped normal is not read.
    """

    mean_transit_days: Positive
    recovery_cap: NotNegative
    logistic: Logistic | None = None


class NeurofilamentEffect(Clipped):
    """Effect E_N on neurofilament, and how it follows target engagement."""

    correlation_with_effect: Correlation
    slow_share: Share
    fast_days: Positive
    slow_half_life_days: Positive
    half_life_days: Positive


class Antisense(Part):
    """An antisense oligonucleotide: dose, tissue, target, rate of the clock, neurofilament."""

    kind: Literal["antisense"]
    regimen: Regimen
    tissue: Tissue
    target: Target
    effect: Effect
    neurofilament: NeurofilamentEffect


class RateMultiplier(Part):
    """Multiplies the rate of the clock while it is given."""

    kind: Literal["rate_multiplier"]
    value: NotNegative


class HazardMultiplier(Part):
    """Multiplies the hazard of death or permanent ventilation while it is given; the clock runs on."""

    kind: Literal["hazard_multiplier"]
    value: NotNegative


class Ventilation(Part):
    """Non-invasive ventilation: offered once, at the first visit of its epoch that measures poor breathing.

    It begins at the next week of the study and then multiplies the hazard of death or permanent ventilation. Bulbar
    function is that of the day of the offer.
    """

    kind: Literal["non_invasive_ventilation"]
    offered_below_svc_percent: NotNegative
    offered_at_respiratory_item: NotNegative
    good_bulbar_points: NotNegative
    accepted_good_bulbar: Share
    accepted_poor_bulbar: Share
    hazard_multiplier_good_bulbar: NotNegative
    hazard_multiplier_poor_bulbar: NotNegative


class Gastrostomy(Part):
    """A feeding tube: offered once, at the first visit of its epoch that measures so low an item of swallowing."""

    kind: Literal["gastrostomy"]
    at_swallowing_item: NotNegative
    uptake: Share
    hazard_multiplier: NotNegative


Treatment = Annotated[
    Antisense | RateMultiplier | HazardMultiplier | Ventilation | Gastrostomy, Field(discriminator="kind")
]
KINDS = ("antisense", "rate_multiplier", "hazard_multiplier", "non_invasive_ventilation", "gastrostomy")


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
    those (0 where not given). An epoch that adjoins the one before goes on with its calendar, unless told to `reload`.
    """

    treatments: list[Name] = Field(min_length=1)
    after: list[Start] | None = Field(default=None, min_length=1)
    from_day: Day
    until: list[Exit] | None = Field(default=None, min_length=1)
    to_day: Day | None = None
    holds: list[Hold] | None = Field(default=None, min_length=1)
    reload: Literal[True] | None = None

    @field_validator("after", "until", mode="before")
    @classmethod
    def _one_is_a_list(cls, data: object) -> object:
        return [data] if isinstance(data, str) else data

    @model_validator(mode="after")
    def _ends(self) -> Epoch:
        if self.until is None and self.to_day == 0:
            raise fault("0 is below 1", "Write a number from 1 to 36,525", "to_day")
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
