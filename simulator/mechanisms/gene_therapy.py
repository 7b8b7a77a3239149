"""A gene therapy given once: a dose, a rise of its expression, an effect that lasts or wanes. docs/mechanisms.md."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import model_validator

from simulator.mechanisms.mechanism import AtMostOne, ByDay, Course, Multipliers
from simulator.quantities import NotNegative, Positive, Share, fault

if TYPE_CHECKING:
    import numpy as np


class GeneTherapy(ByDay):
    """A vector given on the first day of its epoch, to everybody with the same effect; it cannot be taken back.

    Expression t days after it, as a share of its plateau: `(1 - 2^(-t/rise)) (lasting + (1 - lasting) 2^(-t/waning))`.
    The plateau is `dose/(dose + half_effect_dose)`. Multipliers are 1 - max_reduction x expression.
    """

    ONCE: ClassVar = True

    kind: Literal["gene_therapy"]
    dose_vg: NotNegative
    half_effect_dose_vg: Positive
    rise_half_life_days: Positive
    waning_half_life_days: Positive
    lasting_share: Share
    max_rate_reduction: AtMostOne | None = None
    max_hazard_reduction: AtMostOne | None = None

    @model_validator(mode="after")
    def _acts(self) -> GeneTherapy:
        if self.max_rate_reduction is None and self.max_hazard_reduction is None:
            raise fault("the therapy acts on nothing", "Add max_rate_reduction, max_hazard_reduction or both")
        return self

    def without_effect(self) -> dict[str, float]:
        """See `Mechanism.without_effect`.

        Returns
        -------
        dict of str to float
            Values by their address in the section.
        """
        names = ("max_rate_reduction", "max_hazard_reduction")
        return {name: 0.0 for name in names if getattr(self, name) is not None}

    def expression(self, course: Course) -> np.ndarray:
        """Mean expression of each day : (days,), 0 before the dose, at most the plateau.

        Parameters
        ----------
        course : Course
            When an arm gives it.

        Returns
        -------
        ndarray, shape (days,)
            Share of what a boundless dose would reach.
        """
        import numpy as np

        day, dose = np.arange(course.days, dtype=float), self.dose_vg.value
        rise, wane = (math.log(2.0) / one.value for one in (self.rise_half_life_days, self.waning_half_life_days))
        lasting, found = self.lasting_share.value, np.zeros(course.days)
        for start, _ in course.spans:
            kept, waned = 1 - _falling(day - start, rise), _falling(day - start, wane)
            share = lasting * kept + (1 - lasting) * (waned - _falling(day - start, rise + wane))
            found += np.where(day >= start, share, 0.0)
        return np.asarray(found * dose / (dose + self.half_effect_dose_vg.value))

    def multipliers(self, course: Course) -> Multipliers:
        """The mean of each day, exactly. The end of a course ends nothing.

        Parameters
        ----------
        course : Course
            When an arm gives it.

        Returns
        -------
        Multipliers
            Of the rate and the hazard, for each day of follow-up.
        """
        share = self.expression(course)
        acts = (self.max_rate_reduction, self.max_hazard_reduction)
        return Multipliers(*(1.0 if one is None else 1 - one.value * share for one in acts))


def _falling(day: np.ndarray, k: float) -> np.ndarray:
    """Mean of e^(-k t) over the day that begins at `day`; of days before 0 something finite."""
    import numpy as np

    return np.asarray(np.exp(-k * np.maximum(day, 0.0)) * -math.expm1(-k) / k)
