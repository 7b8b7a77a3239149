"""Block `decision`: a choice between arms on net monetary benefit, QALYs × willingness to pay − costs.

One currency, price year, perspective and discount rate hold for all of it. An amount may say its own, as its source
gives it, and is refused where it differs: converting is for people who know how.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.language.parts import Interval, Name, Whole
from simulator.quantities import Limit, NotNegative, Part, Positive, Quantity, fault

STATES = {
    "ft9": ("stage_0", "stage_1", "stage_2", "stage_3", "stage_4"),
    "mitos": ("stage_0", "stage_1", "stage_2", "stage_3", "stage_4"),
    "kings": ("stage_none", "stage_1", "stage_2", "stage_3", "stage_4"),
}
"""Living states of each staging system; King's 4A and 4B are one."""
IN_FULL = ("ft9", "kings")
"""Systems of which the catalog has a utility of every state."""
ALIVE = "alive"
EVENTS = ("death", "pav", "niv", "gastrostomy")
"""Events that may cost, beside kinds of adverse events."""
COMMON = {"currency": "currency", "price_year": "price year", "perspective": "perspective"}

Utility = Annotated[Quantity, Limit("above 1, the utility of full health", "Write a number up to 1", maximum=1)]
Year = Annotated[int, Whole(1980, 2100)]


class Money(Quantity):
    """An amount with its source; currency, price year, perspective and discount rate are the block's."""

    currency: Name | None = None
    price_year: Year | None = None
    perspective: Name | None = None
    discount_per_year: NotNegative | None = None

    @property
    def is_bare(self) -> bool:
        """True where nothing but the value is known."""
        return super().is_bare and all(getattr(self, key) is None for key in (*COMMON, "discount_per_year"))


Amount = Annotated[Money, Limit("negative", "Write 0 or a number above it", minimum=0)]


class Utilities(Part):
    """Utility of each living state of a staging system; death is 0. `catalog: utilities` gives published ones."""

    system: Literal["ft9", "mitos", "kings"]
    states: dict[str, Utility]

    @model_validator(mode="after")
    def _complete(self) -> Utilities:
        wanted = STATES[self.system]
        if unknown := [name for name in self.states if name not in wanted]:
            raise fault(f"{self.system} has no {unknown[0]}", f"States: {', '.join(wanted)}", "states")
        if lacking := [name for name in wanted if name not in self.states]:
            whole = "" if self.system in IN_FULL else f", or use {' or '.join(IN_FULL)}, which the catalog has in full"
            fact = f"there is no utility of {self.system} {', '.join(lacking)}"
            raise fault(fact, f"Write it under utilities.states{whole}")
        return self


class Costs(Part):
    """What is paid: of each treatment a dose, giving it, a month on it, its start and its stop; of each option once.

    `per_month` is of a month in a state: `alive`, or states of the utilities' system. `per_event` is of death, `pav`,
    `niv`, `gastrostomy` and kinds of adverse events. `catalog: costs_usa` gives those of the catalog; keys beside it
    change single values.
    """

    per_dose: dict[Name, Amount] = Field(default_factory=dict)
    per_administration: dict[Name, Amount] = Field(default_factory=dict)
    per_month: dict[str, Amount] = Field(default_factory=dict)
    per_month_on: dict[Name, Amount] = Field(default_factory=dict)
    at_start: dict[Name, Amount] = Field(default_factory=dict)
    at_stop: dict[Name, Amount] = Field(default_factory=dict)
    per_event: dict[Name, Amount] = Field(default_factory=dict)
    once: dict[Name, Amount] = Field(default_factory=dict)


class Research(Part):
    """A study to run or not: its cost, how many patients the choice concerns, and what it would reveal.

    `about` names parameters of the calibration, by default all of the drug. `patients` counts later ones discounted.
    """

    cost: Amount
    patients: Positive
    about: Annotated[list[Name], Field(min_length=1)] | None = None


class Decision(Part):
    """Options are arms. `day` is the horizon (by default the last day); utilities, costs and time count until then."""

    options: list[Name]
    currency: Name
    price_year: Year
    perspective: Name
    discount_per_year: NotNegative
    willingness_to_pay: Amount
    utilities: Utilities
    costs: Costs = Costs()
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
                if own is not None and own != whole:
                    raise _mixed(f"the {words} is {own}, that of the decision is {whole}", at)
            rate = amount.discount_per_year
            if rate is not None and rate.value != self.discount_per_year.value:
                fact = f"the discount rate is {rate.value:g}, that of the decision is {self.discount_per_year.value:g}"
                raise _mixed(fact, at)
        known = (ALIVE, *STATES[self.utilities.system])
        if unknown := [name for name in self.costs.per_month if name not in known]:
            raise fault(f"there is no state {unknown[0]}", f"States: {', '.join(known)}", "costs.per_month")
        return self

    def amounts(self) -> Iterator[tuple[str, Money]]:
        """Every amount of the block with its place."""
        yield "willingness_to_pay", self.willingness_to_pay
        for key in Costs.model_fields:
            for name, amount in getattr(self.costs, key).items():
                yield f"costs.{key}.{name}", amount
        if self.research is not None:
            yield "research.cost", self.research.cost


def _mixed(fact: str, at: str) -> Exception:
    return fault(fact, "Convert the amount, or change the decision: a block has one of each", at)
