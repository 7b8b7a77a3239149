"""The part `comparisons` of the block `trial`: several arms against a control, and a trial that changes its course."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.language.interim import Level, Part01, Spending
from simulator.language.parts import Count, Interval, Name
from simulator.quantities import NotNegative, Part, Positive, Quantity, fault

Test = Literal[
    "dunnett", "step_down", "bonferroni", "holm", "hochberg", "hierarchical", "mams", "unadjusted", "posterior"
]
APART = ("unadjusted", "posterior", "bonferroni", "holm", "hochberg", "hierarchical")
"""Tests that need not know how statistics are correlated."""
MOST = 5.0


class Shape(Part):
    """How the effect may rise with dose. All but `linear` have a dose as parameter: see `dose_response.effects`."""

    form: Literal["linear", "log_linear", "emax", "exponential", "quadratic"]
    parameter: Positive | None = None

    @model_validator(mode="after")
    def _parametrised(self) -> Shape:
        if (self.form == "linear") != (self.parameter is None):
            fact = "linear has no parameter" if self.parameter is not None else f"the shape {self.form} has a parameter"
            raise fault(fact, "Remove it" if self.parameter is not None else "Add parameter, a dose", "parameter")
        return self


class Trend(Part):
    """A test of a trend over the doses of the arms, before any arm is claimed."""

    doses: Annotated[dict[Name, Positive], Field(min_length=2)]
    shapes: Annotated[list[Shape], Field(min_length=1, max_length=8)]


class Drop(Part):
    """What drops an arm at a look, not binding. `harm`: its one-sided p for harm is below this.

    `conditional_power`, `predictive_power`: below this. `keep_best`: so many arms go on at most, those with the largest
    statistics.
    """

    conditional_power: Part01 | None = None
    predictive_power: Part01 | None = None
    harm: Level | None = None
    keep_best: Count | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Drop:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise fault("the rule is empty", f"Write one of {', '.join(type(self).model_fields)}")
        if self.conditional_power is not None and self.predictive_power is not None:
            raise fault("futility has two rules", "Write conditional_power or predictive_power", "predictive_power")
        return self


class Allocate(Part):
    """Response-adaptive allocation after a look: arms weigh as the probability to be the best, to a `power`.

    `control_share`: the part of the people who go to control; without it that of the ratio.
    """

    power: Positive = Quantity(value=0.5, evidence="assumed")
    control_share: Part01 | None = None


class Blinded(Part):
    """What the plan took for known; the size goes with its square, or for events with its inverse."""

    sd: Positive | None = None
    event_share: Part01 | None = None

    @model_validator(mode="after")
    def _one(self) -> Blinded:
        if (self.sd is None) == (self.event_share is None):
            raise fault("a blinded look compares one figure with the plan", "Write either sd or event_share")
        return self


class Promising(Part):
    """The size grows to a conditional power of `power` where that of the best arm lies between `least` and `power`."""

    least: Part01
    power: Part01

    @model_validator(mode="after")
    def _ordered(self) -> Promising:
        if self.least.value >= self.power.value:
            fact = f"the promising zone begins at {self.least.value:g} and ends at {self.power.value:g}"
            raise fault(fact, "Write a smaller least", "least")
        return self


class Resize(Part):
    """Another size from the first look on, `most` times the planned one at most; never fewer than planned."""

    blinded: Blinded | None = None
    promising: Promising | None = None
    most: Positive

    @model_validator(mode="after")
    def _one_rule(self) -> Resize:
        if (self.blinded is None) == (self.promising is None):
            both = "two rules decide the size" if self.blinded is not None else "no rule decides the size"
            raise fault(both, "Write either blinded or promising")
        if not 1 < self.most.value <= MOST:
            raise fault(f"the size may grow {self.most.value:g}-fold", f"Write more than 1, {MOST:g} at most", "most")
        return self


class Stages(Part):
    """Looks, when a share of the planned size has reached the first day of analysis, and what is decided at them.

    Stages are combined with fixed weights (`combination`), in closed tests with the comparisons' `test`; or the bounds
    are those of `mams`, of a `shape`, where an arm is dropped whose statistic is no more than `lower`; the triangle has
    its own. A claim ends the trial, or only its arm (`goes_on`). Places of arms that are dropped stay `empty`, or go to
    the `others`.
    """

    shares: Annotated[list[Part01], Field(min_length=1, max_length=5)]
    spending: Spending = Spending()
    shape: Literal["pocock", "obrien_fleming", "triangular"] | None = None
    lower: Quantity | None = None
    goes_on: bool = False
    drop: Drop | None = None
    places: Literal["empty", "others"] = "empty"
    allocate: Allocate | None = None
    resize: Resize | None = None

    @model_validator(mode="after")
    def _ascending(self) -> Stages:
        if any(a.value >= b.value for a, b in pairwise(self.shares)):
            raise fault("the looks do not ascend", "Write each once, in order", "shares")
        if self.allocate is not None and self.places == "others":
            raise fault("allocate says who gets the places of dropped arms", "Remove places", "places")
        return self

    def bounded(self) -> None:
        """Refuse what the bounds of mams cannot do."""
        if self.shape is None:
            raise fault("the bounds of mams have a shape", "Add stages.shape", "stages")
        if self.shape == "triangular" and self.lower is not None:
            raise fault("the triangle has a lower bound of its own", "Remove lower", "stages")
        if len(self.shares) > 2:
            raise fault("mams has three stages at most", "Write two shares or one", "stages")
        if self.resize is not None or self.allocate is not None:
            fact = "the bounds of mams hold for the planned numbers, and stages change them"
            raise fault(fact, "Remove resize and allocate, or write test: dunnett", "stages")

    def combined(self) -> None:
        """Refuse bounds of mams where stages are combined."""
        if self.shape is not None:
            raise fault("a shape is one of the bounds of mams", "Write spending, or test: mams", "stages")
        if self.lower is not None:
            raise fault("a lower bound is one of mams", "Write drop, or test: mams", "stages")


class Watch(Part):
    """Looks at every regimen, each `every_days` of the calendar, and what `drop`s one there.

    The futility of `trial.posterior` ends one too.
    A regimen is looked at once the information on it is `least_share` of what was planned, and until its analysis.
    """

    every_days: Interval
    least_share: Part01 = Quantity(value=0.2, evidence="assumed")
    drop: Drop | None = None

    @model_validator(mode="after")
    def _each_alone(self) -> Watch:
        if self.drop is not None and self.drop.keep_best is not None:
            raise fault("regimens do not compete for places", "Remove keep_best", "drop")
        return self


class Platform(Part):
    """Arms that enter and leave: each is a regimen with a control of its own, and all have as many places.

    `opens`: the day of the calendar on which each begins; or they run `in_turn`, in the order of the allocation,
    each so many days after the one before has ended. Who comes is drawn into a regimen that is open and has places
    left, then by permuted blocks into its arm or the control, in their ratio; while none is open nobody comes.
    `controls` of a regimen are its `own`, those `concurrent` with its enrolment, or all that are `shared` by its
    end, earlier ones too; regimens that stand `apart`, as their route differs, have and lend none but their own.
    `looks` may end a regimen, whose places then stay empty. `drift_per_year`: points of ALSFRS-R that participants
    keep until the first analysis for each year of the calendar at which they enter, care that gets better;
    `drift_model`: how analyses adjust for it.
    """

    opens: Annotated[dict[Name, NotNegative], Field(min_length=2)] | None = None
    in_turn: NotNegative | None = None
    controls: Literal["own", "concurrent", "shared"] = "concurrent"
    apart: Annotated[list[Name], Field(min_length=1)] | None = None
    looks: Watch | None = None
    drift_per_year: Quantity | None = None
    drift_model: Literal["linear"] | None = None

    @model_validator(mode="after")
    def _once(self) -> Platform:
        if (self.opens is None) == (self.in_turn is None):
            both = "both opens and in_turn say" if self.opens is not None else "nothing says"
            raise fault(f"{both} when regimens open", "Write either opens or in_turn")
        if self.apart is not None and self.controls == "own":
            raise fault("every regimen has controls of its own already", "Remove apart", "apart")
        return self


class Comparisons(Part):
    """Each arm against the control, with one familywise level, by a `test`.

    `dunnett`: the largest statistic (single step). `step_down`: its closed test. `hierarchical`: in the order of the
    allocation. `mams`: bounds of several stages. With `stages` the test is that of hypotheses of several arms:
    `dunnett` or `bonferroni`. `trend`: arms are claimed only after a trend over the doses. `unadjusted`: each at the
    whole level, as regimens of a `platform` are that come from different sponsors. `posterior`: each by its posterior
    probability of benefit, as `trial.posterior` says, at looks too.
    """

    test: Test = "dunnett"
    trend: Trend | None = None
    stages: Stages | None = None
    platform: Platform | None = None

    @model_validator(mode="after")
    def _apart(self) -> Comparisons:
        if self.platform is not None:
            for key in ("stages", "trend"):
                if getattr(self, key) is not None:
                    raise fault(f"a platform has no {key}", f"Remove {key} or platform", key)
            if self.test not in APART:
                fact = f"{self.test} takes the arms for one trial that ends on one day"
                raise fault(fact, f"Write {', '.join(APART)}", "test")
        return self

    @model_validator(mode="after")
    def _fits(self) -> Comparisons:
        stages = self.stages
        if self.test == "mams":
            if stages is None:
                raise fault("mams has bounds for stages, and there are none", "Add stages", "test")
            stages.bounded()
        elif stages is not None:
            if self.test not in ("dunnett", "bonferroni", "posterior"):
                fact = f"{self.test} is no test of stages that are combined"
                raise fault(fact, "Write dunnett, bonferroni, mams or posterior", "test")
            if self.test == "posterior" and stages.spending != Spending():
                raise fault("posterior probabilities spend no level", "Remove spending", "stages")
            stages.combined()
        if stages is not None and self.trend is not None:
            raise fault("a trend is tested once, at the end", "Remove trend or stages", "trend")
        return self
