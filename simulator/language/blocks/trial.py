"""Block `trial`: who is randomised, when and how, and when the trial is analysed. A design is data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import gcd
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.language.blocks.earlier_controls import EarlierControls
from simulator.language.blocks.posterior import Posterior
from simulator.language.blocks.prognostic import Prognostic
from simulator.language.comparisons import Comparisons
from simulator.language.family import Family
from simulator.language.interim import Interim, Level
from simulator.language.parts import Bounds, Count, Interval, Name, Whole
from simulator.quantities import Part, Positive, Quantity, fault

LARGEST_RATIO = 1000
CLOSE = 2e-3
"""How closely each part of a ratio is met: 0.667 : 0.333 is 2 : 1. Exact numbers are what `counts` are for."""


def whole_ratio(parts: list[float]) -> list[int]:
    """The smallest whole numbers in this ratio; one within CLOSE exists, with the least part at most LARGEST_RATIO."""
    least = min(parts)
    for times in range(1, LARGEST_RATIO + 1):
        exact = [part / least * times for part in parts]
        if all(abs(x - round(x)) <= CLOSE * x for x in exact):
            found = [round(x) for x in exact]
            return [n // gcd(*found) for n in found]
    raise ValueError(f"no whole numbers are in the ratio {parts}")


def _reduced(counts: dict[str, int]) -> dict[str, int]:
    """The smallest whole numbers in the proportion of the counts."""
    common = max(gcd(*counts.values()), 1)
    return {arm: n // common for arm, n in counts.items()}


class Accrual(Part):
    """People who enter in a month of the calendar, until a day; the last piece has no `until_day`."""

    until_day: Interval | None = None
    rate: Positive


class Passed(Part):
    """Limits on what is measured at the end of the lead-in; `alsfrs_r_lost` are points lost since entry."""

    alsfrs_r: Bounds | None = None
    alsfrs_r_lost: Bounds | None = None
    svc_percent: Bounds | None = None
    nfl_plasma: Bounds | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Passed:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise fault("the rule is empty", f"Write one of {', '.join(type(self).model_fields)}")
        return self


class LeadIn(Part):
    """Days from entry to randomisation, and who is then eligible. A screening period is one without `eligible`.

    Randomised is who is alive without permanent ventilation, in the study, seen on that day, and eligible then.
    """

    days: Interval
    eligible: Passed | None = None


class Imbalance(Part):
    """Allocation that leans on a measured value: its mean in `arm` minus that in the others is `shift` on average.

    Odds of the arm are multiplied by exp(weight · value), with the weight that gives the shift; the numbers of each arm
    stay exact, and people stay who they are. NfL counts as its natural logarithm.
    """

    measure: Literal["nfl_plasma", "alsfrs_r", "svc_percent", "age_years"]
    arm: Name
    shift: Quantity


class Trial(Part):
    """`size` people in the ratio `allocation`, or exact `counts` by stratum (`all` without strata) and arm.

    `sizes` are those at which `als-sim trial` is repeated. All days count from entry, also where a lead-in comes before
    randomisation. Without looks the test has the level `alpha` and one or two `sides`, 5 % and two by default.
    """

    size: Count | None = None
    alpha: Level | None = None
    sides: Literal[1, 2] | None = None
    sizes: Annotated[list[Count], Field(min_length=1, max_length=50)] | None = None
    allocation: Annotated[dict[Name, Positive], Field(min_length=1)] | None = None
    counts: Annotated[dict[Name, dict[Name, Annotated[int, Whole(0, 5_000_000)]]], Field(min_length=1)] | None = None
    block_size: Count | None = None
    lead_in: LeadIn | None = None
    imbalance: Imbalance | None = None
    accrual_per_month: Annotated[list[Accrual], Field(min_length=1)] | None = None
    analysis_days: list[Interval] = Field(min_length=1)
    interim: Interim | None = None
    family: Family | None = None
    comparisons: Comparisons | None = None
    prognostic: Prognostic | None = None
    posterior: Posterior | None = None
    earlier_controls: Annotated[list[EarlierControls], Field(min_length=1, max_length=50)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Trial:
        if self.counts is None and (self.size is None or self.allocation is None):
            raise fault("the trial does not say how many people go where", "Write size and allocation, or counts")
        if self.counts is not None:
            self._counted(sum(sum(arms.values()) for arms in self.counts.values()))
        parts = [part.value for part in (self.allocation or {}).values()]
        if parts and max(parts) > LARGEST_RATIO * min(parts):
            fact = f"the allocation is more lopsided than {LARGEST_RATIO:,} : 1"
            raise fault(fact, "Leave out the arm that gets nobody", "allocation")
        for key, what in (("analysis_days", "day"), ("sizes", "size")):
            if any(a >= b for a, b in pairwise(getattr(self, key) or [])):
                fact = f"the {key.replace('_', ' ')} do not ascend"
                raise fault(fact, f"Write each {what} once, in order", key)
        return self

    def _counted(self, total: int) -> None:
        """What exact counts leave no room for."""
        if self.size not in (None, total):
            raise fault(f"the counts add up to {total:,}, size is {self.size:,}", "Remove size", "size")
        if total == 0:
            raise fault("nobody is enrolled", "Write counts above 0", "counts")
        if self.sizes is not None:
            raise fault("counts are one size, sizes are several", "Write size and allocation instead", "sizes")
        if self.block_size is not None:
            fact = "exact counts have blocks of their own, the smallest that hold their ratio"
            raise fault(fact, "Remove block_size", "block_size")

    @model_validator(mode="after")
    def _level(self) -> Trial:
        if self.interim is not None and self.alpha is not None:
            raise fault("looks spend a level of their own", "Write it as interim.alpha", "alpha")
        if self.interim is not None and self.sides == 1:
            raise fault("looks have two sides, for benefit and for harm", "Remove sides", "sides")
        if self.interim is not None and self.family is not None:
            raise fault("looks spend the level of one claim", "Remove interim or family", "family")
        for claim in self.family.claims if self.family else ():
            if claim.day not in (None, *self.analysis_days):
                days = ", ".join(map(str, self.analysis_days))
                raise fault(f"day {claim.day} of a claim is no day of analysis; those are {days}", "Add it", "family")
        return self

    @model_validator(mode="after")
    def _by_posterior(self) -> Trial:
        """A posterior probability decides alone, and looks that it decides at have no other rule."""
        written = {} if self.posterior is None else {"alpha": self.alpha, "sides": self.sides, "family": self.family}
        for key in (key for key, value in written.items() if value is not None):
            raise fault(f"posterior and {key} both decide what is claimed", f"Remove {key} or posterior", key)
        if self.posterior is not None and self.interim is not None:
            for key in ("alpha", "spending", "futility"):
                if getattr(self.interim, key) != Interim.model_fields[key].default:
                    fact = f"looks decide by posterior probabilities, which leave nothing to {key}"
                    raise fault(fact, f"Remove interim.{key} or posterior", "interim")
        platform = None if self.comparisons is None else self.comparisons.platform
        watch = None if platform is None else platform.looks
        if watch is not None and watch.drop is None and (self.posterior is None or self.posterior.futility is None):
            raise fault("no rule ends a regimen at a look", "Add looks.drop or posterior.futility", "comparisons")
        if platform is not None and self.posterior is not None and self.posterior.at_looks is not None:
            raise fault("regimens claim benefit at their end only", "Remove posterior.at_looks", "posterior")
        staged = self.comparisons is not None and self.comparisons.stages is not None
        looked = self.interim is not None or staged or watch is not None
        if self.posterior is not None and self.posterior.at_looks_only and not looked:
            raise fault("there are no looks at which posterior could stop the trial", "Add interim", "posterior")
        by = None if self.comparisons is None else self.comparisons.test
        if by is not None and (by == "posterior") != (self.posterior is not None):
            fact = "a posterior probability decides" if by != "posterior" else "no posterior probability is written"
            remedy = "Write test: posterior" if by != "posterior" else "Add trial.posterior"
            raise fault(f"{fact}, and the test of comparisons is {by}", remedy, "comparisons")
        return self

    @model_validator(mode="after")
    def _accrual(self) -> Trial:
        pieces = self.accrual_per_month or []
        ends = [piece.until_day for piece in pieces]
        if pieces and ends[-1] is not None:
            raise fault("the last piece of accrual has an end", "Remove its until_day", "accrual_per_month")
        if None in ends[:-1]:
            raise fault("a piece of accrual before the last has no until_day", "Add until_day", "accrual_per_month")
        if sorted(set(ends[:-1])) != ends[:-1]:  # type: ignore[type-var]
            raise fault("the pieces of accrual do not ascend", "Order them by until_day", "accrual_per_month")
        return self

    @property
    def enrolled(self) -> int:
        """People who are randomised."""
        return self.size or sum(sum(arms.values()) for arms in (self.counts or {}).values())

    @property
    def block(self) -> dict[str, int]:
        """People of one permuted block by arm, from `allocation`: the smallest that has the ratio, or `block_size`."""
        ratio = {arm: part.value for arm, part in (self.allocation or {}).items()}
        smallest = whole_ratio(list(ratio.values())) if ratio else []
        times = 1 if self.block_size is None else max(self.block_size // max(sum(smallest), 1), 1)
        return {arm: times * n for arm, n in zip(ratio, smallest, strict=True)}

    def blocks(self, strata: Sequence[str]) -> list[dict[str, int]]:
        """People of one permuted block of each stratum by arm, from exact `counts` or from the ratio.

        Nobody of a stratum without counts is enrolled.
        """
        if self.counts is None:
            return [self.block] * len(strata)
        return [_reduced(self.counts.get(name, {})) for name in strata]

    def least_size(self, strata: Sequence[str], arm: str) -> int:
        """Participants from whom on somebody is in the arm, however they spread over the blocks of the strata."""
        return 1 + sum(sum(block.values()) - block.get(arm, 0) for block in self.blocks(strata))

    @property
    def randomised_on(self) -> int:
        """Day since entry on which people are randomised: baseline of the trial."""
        return 0 if self.lead_in is None else self.lead_in.days

    @property
    def arms(self) -> list[str]:
        """Arms that somebody is allocated to."""
        if self.counts is None:
            return list(self.allocation or {})
        return list(dict.fromkeys(arm for arms in self.counts.values() for arm, n in arms.items() if n))
