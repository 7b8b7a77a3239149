"""Block `decision`: a choice between arms on net monetary benefit, QALYs × willingness to pay − costs.

One currency, price year, perspective and discount rate hold for all of it. An amount may say its own, as its source
gives it, and is refused where it differs: converting is for people who know how. What `als-sim decide` adds to the
base case (thresholds, scenarios, subgroups, severity, budget, research) stands here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from simulator.language.parts import Interval, Name, Whole
from simulator.quantities import Limit, NotNegative, Part, Positive, Quantity, Share, fault

STATES = {
    "ft9": ("stage_0", "stage_1", "stage_2", "stage_3", "stage_4"),
    "mitos": ("stage_0", "stage_1", "stage_2", "stage_3", "stage_4"),
    "kings": ("stage_none", "stage_1", "stage_2", "stage_3", "stage_4"),
}
"""Living states of each staging system; King's 4A and 4B are one."""
ALIVE, PAV = "alive", "pav"
EVENTS = ("diagnosis", "death", "pav", "niv", "gastrostomy")
"""Events that may cost, beside kinds of adverse events."""
PRICES = (
    "per_dose", "per_administration", "per_month", "per_month_on", "at_start", "at_stop", "monitoring", "per_event",
)  # fmt: skip
"""Kinds of prices that may change over time; what is paid once is paid on the first day."""
COMMON = {"currency": "currency", "price_year": "price year", "perspective": "perspective"}
CONVERTED = ("currency", "price_year")
"""Of these those that an index converts."""

Utility = Annotated[Quantity, Limit("above 1, the utility of full health", "Write a number up to 1", maximum=1)]
Year = Annotated[int, Whole(1980, 2100)]


class PriceStep(Part):
    """From a day on, a price is its own value times `factor`, until the next step."""

    from_day: Interval
    factor: NotNegative


class Price(NamedTuple):
    """What is paid, and the days from which on it is itself times a factor."""

    value: float
    steps: tuple[tuple[float, float], ...] = ()


class Money(Quantity):
    """An amount with its source; currency, price year, perspective and discount rate are the block's.

    One of another currency or price year needs an `index`: what one unit of it is in money of the block.
    """

    currency: Name | None = None
    price_year: Year | None = None
    index: Positive | None = None
    perspective: Name | None = None
    discount_per_year: NotNegative | None = None

    @property
    def is_bare(self) -> bool:
        """True where nothing but the value is known."""
        return super().is_bare and all(getattr(self, key) is None for key in (*COMMON, "discount_per_year", "index"))

    @property
    def amount(self) -> float:
        """In money of the block."""
        return self.value * (1.0 if self.index is None else self.index.value)


Amount = Annotated[Money, Limit("negative", "Write 0 or a number above it", minimum=0)]


class EventLoss(Part):
    """What an event costs in utility: a loss for some days from the event on."""

    loss: NotNegative
    days: Positive


ADULT_AGES, LEAST_NORM = range(18, 91), 0.01
"""Where the norm is looked at, and the least it may be there: bounds of the language, not findings."""


class Norm(Part):
    """Utility of people at large: constant + male (1 for men) + age × years + age_squared × years², a cap of all."""

    constant: Quantity
    male: Quantity
    age: Quantity
    age_squared: Quantity

    @model_validator(mode="after")
    def _above_0(self) -> Norm:
        for age in ADULT_AGES:
            women = self.constant.value + self.age.value * age + self.age_squared.value * age**2
            if (least := min(women, women + self.male.value)) < LEAST_NORM:
                fact = f"the utility of people at large is {least:.3g} at age {age}, about that of being dead"
                raise fault(fact, f"Give them at least {LEAST_NORM:g} at every age from 18 to 90")
        return self


class Utilities(Part):
    """Utility of each living state of a staging system; death is 0. `catalog: utilities` gives published ones.

    `pav` is the utility after PAV, whatever the stage; `niv` what is lost on non-invasive ventilation; `events` what
    adverse events take; `norm` a cap by age and sex; `carers` what carers lose for each year of a patient in a state.
    """

    system: Literal["ft9", "mitos", "kings"]
    states: dict[str, Utility]
    pav: Utility | None = None
    niv: NotNegative | None = None
    events: dict[Name, EventLoss] = Field(default_factory=dict)
    norm: Norm | None = None
    carers: dict[str, NotNegative] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Utilities:
        wanted = STATES[self.system]
        if unknown := [name for name in self.states if name not in wanted]:
            raise fault(f"{self.system} has no {unknown[0]}", f"States: {', '.join(wanted)}", "states")
        if lacking := [name for name in wanted if name not in self.states]:
            fact = f"there is no utility of {self.system} {', '.join(lacking)}"
            raise fault(fact, "Write it under utilities.states, or take those of catalog: utilities")
        if unknown := [name for name in self.carers if name not in wanted]:
            raise fault(f"{self.system} has no {unknown[0]}", f"States: {', '.join(wanted)}", "carers")
        return self

    @property
    def needs_patients(self) -> bool:
        """Whether shares in states do not tell the QALYs."""
        return self.pav is not None or self.niv is not None or bool(self.events) or self.norm is not None


class Monitoring(Part):
    """A visit or test while on a treatment: on its first day and every so many days, in those who live."""

    price: Amount
    every_days: Interval


class Costs(Part):
    """What is paid: of each treatment a dose, giving it, a month on it, its start and its stop; of each option once.

    `per_month` is of a month in a state: `alive`, states of the utilities' system, or `pav` on top. `per_event` is of
    diagnosis, death, `pav`, `niv`, `gastrostomy` and kinds of adverse events. `catalog: costs_usa` gives those of the
    catalog; keys beside it change single values.
    """

    per_dose: dict[Name, Amount] = Field(default_factory=dict)
    per_administration: dict[Name, Amount] = Field(default_factory=dict)
    per_month: dict[str, Amount] = Field(default_factory=dict)
    per_month_on: dict[Name, Amount] = Field(default_factory=dict)
    at_start: dict[Name, Amount] = Field(default_factory=dict)
    at_stop: dict[Name, Amount] = Field(default_factory=dict)
    monitoring: dict[Name, Monitoring] = Field(default_factory=dict)
    per_event: dict[Name, Amount] = Field(default_factory=dict)
    once: dict[Name, Amount] = Field(default_factory=dict)
    steps: dict[str, dict[Name, list[PriceStep]]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _steps_of_prices(self) -> Costs:
        for key, of in self.steps.items():
            if key not in PRICES:
                raise fault(f"there are no prices {key}", f"Prices: {', '.join(PRICES)}", "steps")
            if unknown := [name for name in of if name not in getattr(self, key)]:
                raise fault(f"{key} has no price of {unknown[0]}", "Write the price, or remove its steps", "steps")
        return self

    def price(self, key: str, name: str) -> Price | None:
        """A price with its steps; None where there is none."""
        amount = getattr(self, key).get(name)
        if amount is None:
            return None
        found = amount.price if isinstance(amount, Monitoring) else amount
        steps = self.steps.get(key, {}).get(name, ())
        return Price(found.amount, tuple((float(one.from_day), one.factor.value) for one in steps))


class Comparison(Part):
    """A trial that compares two options in an outcome on a day, or until it, with so many people in each."""

    outcome: Literal[
        "alsfrs_r_change_death0", "svc_change", "nfl_plasma_ratio", "event_free", "event_free_months", "survival",
        "life_months",
    ]  # fmt: skip
    arm: Name
    against: Name
    day: Interval
    per_arm: Positive

    @model_validator(mode="after")
    def _two_arms(self) -> Comparison:
        if self.arm == self.against:
            raise fault("the arm is set against itself", "Name another option", "against")
        return self


class Research(Part):
    """A study to run or not: its cost, how many patients the choice concerns, and what it would reveal.

    `about` names parameters of the calibration, by default all of the drug. `patients` counts later ones discounted.
    `standard_errors`: with what error the study estimates parameters, on the scale on which their prior is normal
    (the logarithm of what is lognormal); the study is then worth its EVSI. So is the
    comparison that `trial` states.
    """

    cost: Amount
    patients: Positive
    about: Annotated[list[Name], Field(min_length=1)] | None = None
    standard_errors: dict[Name, Positive] = Field(default_factory=dict)
    trial: Comparison | None = None


class LaterDiscount(Part):
    """Discount rates from a day on."""

    from_day: Interval
    costs: NotNegative
    effects: NotNegative


class Correlation(Part):
    """Correlation of the normal scores of any two utilities, and of any two costs, in a probabilistic analysis."""

    utilities: Share | None = None
    costs: Share | None = None


class Band(Part):
    """A weight of QALYs gained, from an absolute or a proportional shortfall on."""

    absolute: NotNegative
    proportional: Share
    weight: Positive


class LifeTable(Part):
    """Probabilities of dying within a year, by sex, from an age on; the last holds for all who are older.

    `source` says which table it is; it stands under the result.
    """

    source: Annotated[str, Field(min_length=1)]
    from_age: NotNegative
    men: Annotated[list[Share], Field(min_length=1)]
    women: Annotated[list[Share], Field(min_length=1)]


class Severity(Part):
    """A weight of QALYs gained by what the disease takes under current care.

    `expected_qalys` are those that people of the same age and sex have without the disease, discounted as the
    decision's, or those of a `life_table` and the utilities' `norm`; `option` is current care.
    """

    expected_qalys: Positive | None = None
    life_table: LifeTable | None = None
    option: Name
    bands: Annotated[list[Band], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_source(self) -> Severity:
        if (self.expected_qalys is None) == (self.life_table is None):
            fact = "the QALYs without the disease need one source"
            raise fault(fact, "Write expected_qalys or life_table, not both")
        return self


class Budget(Part):
    """New patients in each year, and the share of them on each option in each year under the new choice and before."""

    new_patients: Annotated[list[NotNegative], Field(min_length=1)]
    current: Name
    uptake: dict[Name, list[Share]]

    @model_validator(mode="after")
    def _years(self) -> Budget:
        for name, shares in self.uptake.items():
            if len(shares) != len(self.new_patients):
                fact = f"there are {len(shares)} shares of {name} and {len(self.new_patients)} years"
                raise fault(fact, "Write one share for each year of new_patients", "uptake")
        for year, each in enumerate(zip(*self.uptake.values(), strict=True)):
            if sum(share.value for share in each) > 1 + 1e-9:
                raise fault(f"the shares of year {year + 1} add up to more than 1", "Correct them", "uptake")
        return self


class Decision(Part):
    """Options are arms. `day` is the horizon (by default the last day); utilities, costs and time count until then.

    `discount_per_year` is of costs, and of effects too unless `discount_effects_per_year` says otherwise.
    """

    options: list[Name]
    currency: Name
    price_year: Year
    perspective: Name
    discount_per_year: NotNegative
    discount_effects_per_year: NotNegative | None = None
    discount_later: LaterDiscount | None = None
    willingness_to_pay: Amount
    thresholds: Annotated[list[NotNegative], Field(min_length=2)] | None = None
    utilities: Utilities
    costs: Costs = Costs()
    correlation: Correlation | None = None
    subgroups: list[Literal["variant", "sex", "stratum"]] | None = None
    scenarios: dict[Name, dict[str, Quantity]] | None = None
    severity: Severity | None = None
    budget: Budget | None = None
    research: Research | None = None
    day: Interval | None = None

    @model_validator(mode="after")
    def _one_basis(self) -> Decision:
        if len(self.options) < 2:
            raise fault("there is nothing to choose between", "Name at least two arms", "options")
        if len(set(self.options)) < len(self.options):
            raise fault("an option stands here twice", "Write each once", "options")
        for at, amount in self.amounts():
            for key, words in COMMON.items():
                own, whole = getattr(amount, key), getattr(self, key)
                is_convertible = key in CONVERTED
                if own is not None and own != whole and not (is_convertible and amount.index is not None):
                    raise _mixed(f"the {words} is {own}, that of the decision is {whole}", at, is_convertible)
            if amount.index is not None and all(
                getattr(amount, key) in (None, getattr(self, key)) for key in CONVERTED
            ):
                fact = "there is an index, and neither the currency nor the price year is another than the decision's"
                raise fault(fact, "Remove the index, or state the currency and price year of the amount", f"{at}.index")
            rate = amount.discount_per_year
            if rate is not None and rate.value != self.discount_per_year.value:
                fact = f"the discount rate is {rate.value:g}, that of the decision is {self.discount_per_year.value:g}"
                raise _mixed(fact, at, is_convertible=False)
        known = (ALIVE, PAV, *STATES[self.utilities.system])
        if unknown := [name for name in self.costs.per_month if name not in known]:
            raise fault(f"there is no state {unknown[0]}", f"States: {', '.join(known)}", "costs.per_month")
        return self

    def amounts(self) -> Iterator[tuple[str, Money]]:
        """Every amount of the block with its place."""
        yield "willingness_to_pay", self.willingness_to_pay
        for key in (*PRICES, "once"):
            for name, amount in getattr(self.costs, key).items():
                if isinstance(amount, Monitoring):
                    yield f"costs.{key}.{name}.price", amount.price
                else:
                    yield f"costs.{key}.{name}", amount
        if self.research is not None:
            yield "research.cost", self.research.cost


def _mixed(fact: str, at: str, is_convertible: bool) -> Exception:
    remedy = "Write its index, what one unit is in money of the decision" if is_convertible else "Correct it"
    return fault(fact, f"{remedy}, or change the decision: a block has one of each", at)
