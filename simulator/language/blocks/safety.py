"""Block `safety`: what a drug does besides its purpose, when doses are held, and how people are watched."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from simulator.language.graded import Graded
from simulator.language.parts import Interval, Name, Whole
from simulator.quantities import (
    NotNegative,
    Part,
    Positive,
    PositiveDistribution,
    Quantity,
    Share,
    fault,
)

LIVER = "raised_transaminases"


class _Held(Part):
    """For how many days doses are held: whole days, uniform."""

    held_days_min: NotNegative
    held_days_max: NotNegative

    @model_validator(mode="after")
    def _ascending(self) -> Any:
        if self.held_days_min.value > self.held_days_max.value:
            fact = f"doses are held {self.held_days_min.value:g} days at least and {self.held_days_max.value:g} at most"
            raise fault(fact, "Correct held_days_min or held_days_max", "held_days_min")
        return self


class SeriousNeurologic(_Held):
    """Serious neurologic inflammatory events: their hazard by time on the drug, kinds by weight, what they lead to."""

    per_year: NotNegative
    later_per_year: NotNegative
    later_from_days: NotNegative
    kinds: Annotated[dict[Name, NotNegative], Field(min_length=1)]
    stopped: Share

    @model_validator(mode="after")
    def _some_kind(self) -> SeriousNeurologic:
        if sum(weight.value for weight in self.kinds.values()) <= 0:
            raise fault("no kind has a weight above 0", "Write a weight above 0", "kinds")
        return self


class Common(Graded):
    """Common events: the share of people who have each at least once in `over_days` days of the regimen."""

    over_days: Interval
    shares: Annotated[dict[Name, Share], Field(max_length=64)]

    PLAIN: ClassVar = ("over_days",)


class Transaminases(_Held):
    """Raised liver enzymes, an option: onset at a hazard on the drug, found at the next liver test.

    The peak is a multiple of the upper limit of normal. Above `hold_above` doses are held until the value is below it
    again; above `stop_above` the drug is stopped.
    """

    per_year: NotNegative
    peak_multiple: PositiveDistribution
    hold_above: Positive = Quantity(value=3, evidence="assumed")
    stop_above: Positive = Quantity(value=8, evidence="assumed")
    held_days_min: NotNegative = Quantity(value=28, evidence="assumed")
    held_days_max: NotNegative = Quantity(value=56, evidence="assumed")

    @model_validator(mode="after")
    def _limits(self) -> Transaminases:
        if self.hold_above.value > self.stop_above.value:
            fact = f"hold_above ({self.hold_above.value:g}) is higher than stop_above ({self.stop_above.value:g})"
            raise fault(fact, "Correct hold_above or stop_above", "hold_above")
        return self


class Monitoring(Graded):
    """When people on the drug are watched, in days since their first dose: a choice of the design."""

    liver_test_every_days: Interval
    first_visit_day: Interval
    diary_every_days: Interval
    diary_doses: Annotated[int, Whole(0, 1000)]

    PLAIN: ClassVar = ("liver_test_every_days", "first_visit_day", "diary_every_days", "diary_doses")


class Safety(Part):
    """Adverse events of the antisense drug, in every arm that gives it."""

    serious_neurologic: SeriousNeurologic
    common: Common
    transaminases: Transaminases | None = None
    monitoring: Monitoring

    @property
    def event_names(self) -> tuple[str, ...]:
        """Kinds of adverse events as results name them, in the order of their codes there."""
        liver = () if self.transaminases is None else (LIVER,)
        names = (*self.serious_neurologic.kinds, *liver, *self.common.shares)
        return tuple("_".join(name.split()) for name in names)

    @model_validator(mode="after")
    def _names_once(self) -> Safety:
        twice = [name for name in self.common.shares if name in self.serious_neurologic.kinds]
        if twice:
            raise fault(f"'{twice[0]}' is both a common and a serious event", "Give one of them another name", "common")
        return self
