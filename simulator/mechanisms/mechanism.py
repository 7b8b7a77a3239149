"""What every mechanism is: its section of the scenario, and what it does to the course of the disease.

There are three ways in which a treatment reaches people; a mechanism is a subclass of one of them.

| class | the same for everybody | what it gives the engine |
|---|---|---|
| `ByDay` | yes | multipliers of the rate of the clock and of the hazard, for each day |
| `Dosed` | no: doses, missed doses, responses are each patient's | constants of the chain from dose to rate |
| `Offered` | no: a visit decides whether and when it begins | a multiplier of the hazard from then on |
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from simulator.mechanisms.regimen import Regimen
from simulator.quantities import Limit, Part, Quantity

if TYPE_CHECKING:
    import numpy as np


AtMostOne = Annotated[Quantity, Limit("above 1", "Write a number up to 1; below 0 is harm", maximum=1)]
"""A largest reduction of a rate or hazard, as a share of it."""


class Mechanism(Part):
    """A treatment's section; `kind` is the mechanism's name, a `Literal` in each."""

    kind: str

    ONCE: ClassVar[bool] = False
    """Whether it is given once, on the first day of its epoch, and can be given to nobody again."""

    @abstractmethod
    def without_effect(self) -> dict[str, float]:
        """Values, by their address in the section, with which it changes neither function nor survival.

        Returns
        -------
        dict of str to float
            Values by their address in the section.
        """

    @classmethod
    def name(cls) -> str:
        """What `kind` says.

        Returns
        -------
        str
            Such as `antisense`.
        """
        name: str = cls.model_fields["kind"].annotation.__args__[0]  # type: ignore[union-attr]
        return name


class Course(NamedTuple):
    """When an arm gives a treatment.

    Attributes
    ----------
    spans : tuple of (int, int)
        First day and the day after the last of each stretch without a break, in order, in days since baseline. A first
        day before 0 says that people enter on the treatment. One that has no end ends with `days`.
    days : int
        Days of follow-up that are simulated.
    """

    spans: tuple[tuple[int, int], ...]
    days: int


class Multipliers(NamedTuple):
    """What a treatment does on each day from baseline on.

    Attributes
    ----------
    rate, hazard : ndarray of float, shape (days,), or float
        Multiplier of the rate of the clock and of the hazard of death or permanent ventilation, the mean over the day;
        1: nothing.
    """

    rate: np.ndarray | float = 1.0
    hazard: np.ndarray | float = 1.0


class ByDay(Mechanism):
    """A treatment whose effect on a day is the same for everybody in the arm, and known beforehand."""

    @abstractmethod
    def multipliers(self, course: Course) -> Multipliers:
        """What a course of it does, day by day; what is left after its end (washout) included.

        Parameters
        ----------
        course : Course
            When an arm gives it.

        Returns
        -------
        Multipliers
            Of the rate and the hazard, for each day of follow-up.
        """


class Dosed(Mechanism):
    """A drug given in doses: by a calendar, which may be each patient's own. An arm has one at most.

    The module `compile` beside its own module has `table` and `constants`, which turn a specification into the numbers
    of `simulator.engine.effect`.
    """

    regimen: Regimen


class Offered(Mechanism):
    """Care that begins once, after a visit has measured that it is needed."""

    BEGINS: ClassVar[str] = ""
    """The event that it begins with."""
