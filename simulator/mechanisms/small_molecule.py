"""A small molecule taken by mouth every day: one compartment, an effect that saturates, washout. docs/mechanisms.md."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from simulator.mechanisms.mechanism import AtMostOne, ByDay, Course, Multipliers
from simulator.quantities import NotNegative, Part, Positive, fault

if TYPE_CHECKING:
    import numpy as np


class Response(Part):
    """Multiplier `1 - max_reduction C/(C + half_effect_at)`, with C in means at steady state on the reference dose."""

    max_reduction: AtMostOne
    half_effect_at: Positive


class SmallMolecule(ByDay):
    """An oral drug: a dose at the start of every day, absorbed at once, one compartment; the same for everybody.

    `rate` and `hazard` say what it multiplies; at least one is written.
    """

    kind: Literal["small_molecule"]
    daily_dose_mg: NotNegative
    reference_dose_mg: Positive
    half_life_days: Positive
    rate: Response | None = None
    hazard: Response | None = None

    @model_validator(mode="after")
    def _acts(self) -> SmallMolecule:
        if self.rate is None and self.hazard is None:
            raise fault("the drug acts on nothing", "Add rate, hazard or both")
        return self

    def without_effect(self) -> dict[str, float]:
        """See `Mechanism.without_effect`: what it does to its concentration stays.

        Returns
        -------
        dict of str to float
            Values by their address in the section.
        """
        return {f"{name}.max_reduction": 0.0 for name in ("rate", "hazard") if getattr(self, name) is not None}

    def concentration(self, course: Course) -> np.ndarray:
        """Concentration at the start of each day, after its dose : (days,), in means at steady state on the reference.

        With `k = ln 2/half-life` a dose adds `k dose/reference`, and n doses leave a geometric series.

        Parameters
        ----------
        course : Course
            When an arm gives it.

        Returns
        -------
        ndarray, shape (days,)
            1: the mean at steady state on the reference dose.
        """
        import numpy as np

        k, day = self._per_day, np.arange(course.days, dtype=float)
        found = np.zeros(course.days)
        for start, end in course.spans:
            doses = np.clip(day + 1 - start, 0, end - start)
            since = np.maximum(day + 1 - end, 0.0)  # days since the last dose
            found += np.expm1(-k * doses) / math.expm1(-k) * np.exp(-k * since)
        return np.asarray(found * k * self.daily_dose_mg.value / self.reference_dose_mg.value)

    def multipliers(self, course: Course) -> Multipliers:
        """The mean of each day, exactly; after the last dose the effect leaves with the drug.

        Parameters
        ----------
        course : Course
            When an arm gives it.

        Returns
        -------
        Multipliers
            Of the rate and the hazard, for each day of follow-up.
        """
        c = self.concentration(course)
        return Multipliers(*(1.0 if how is None else self._mean(how, c) for how in (self.rate, self.hazard)))

    @property
    def _per_day(self) -> float:
        return math.log(2.0) / self.half_life_days.value

    def _mean(self, how: Response, c: np.ndarray) -> np.ndarray:
        """Integral over a day in which the concentration falls from `c` at k: `ln((c + h)/(c e^-k + h))/k`."""
        import numpy as np

        k, half = self._per_day, how.half_effect_at.value
        share = np.log1p(-c * math.expm1(-k) / (c * math.exp(-k) + half)) / k
        return np.asarray(1 - how.max_reduction.value * share)
