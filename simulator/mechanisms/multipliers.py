"""Treatments that multiply the rate of the clock or the hazard while they are given, and do nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from simulator.mechanisms.mechanism import ByDay, Course, Multipliers
from simulator.quantities import NotNegative

if TYPE_CHECKING:
    import numpy as np


class RateMultiplier(ByDay):
    """Multiplies the rate of the clock while it is given."""

    kind: Literal["rate_multiplier"]
    value: NotNegative

    def without_effect(self) -> dict[str, float]:
        """See `Mechanism.without_effect`.

        Returns
        -------
        dict of str to float
            Values by their address in the section.
        """
        return {"value": 1.0}

    def multipliers(self, course: Course) -> Multipliers:
        """The value on the days of the course, 1 on all others.

        Parameters
        ----------
        course : Course
            When an arm gives it.

        Returns
        -------
        Multipliers
            Of the rate and the hazard, for each day of follow-up.
        """
        return Multipliers(rate=_while_given(self.value.value, course))


class HazardMultiplier(ByDay):
    """Multiplies the hazard of death or permanent ventilation while it is given; the clock runs on."""

    kind: Literal["hazard_multiplier"]
    value: NotNegative

    def without_effect(self) -> dict[str, float]:
        """See `Mechanism.without_effect`.

        Returns
        -------
        dict of str to float
            Values by their address in the section.
        """
        return {"value": 1.0}

    def multipliers(self, course: Course) -> Multipliers:
        """The value on the days of the course, 1 on all others.

        Parameters
        ----------
        course : Course
            When an arm gives it.

        Returns
        -------
        Multipliers
            Of the rate and the hazard, for each day of follow-up.
        """
        return Multipliers(hazard=_while_given(self.value.value, course))


def _while_given(value: float, course: Course) -> np.ndarray:
    import numpy as np

    factor = np.ones(course.days)
    for start, end in course.spans:
        factor[max(start, 0) : max(end, 0)] = value
    return factor
