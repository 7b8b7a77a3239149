"""The lead-in of a trial: who of those who entered is randomised at its end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.engine import observe
from simulator.engine.space import Full

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

SEEN = {"alsfrs_r": observe.SEEN_ALSFRS_R, "svc_percent": observe.SEEN_SVC, "nfl_plasma": observe.SEEN_NFL}


class LeadIn(NamedTuple):
    """When people are randomised, and what must have been measured then."""

    day: float
    visit: int
    arm: int  # the arm that is looked at; until then all arms of the trial are alike
    rules: tuple[tuple[str, float, float], ...]  # what is measured, low, high

    def passed(self, full: Full) -> np.ndarray:
        """(patient,) who is alive without the event, in the study, and within all limits on the day."""
        seen = full.observed[:, self.arm]
        last = np.minimum(full.event[self.arm], full.death[self.arm])
        found = (last > self.day) & np.isfinite(seen[observe.DAY, :, self.visit])
        for name, low, high in self.rules:
            value = self._measured(seen, name)
            found &= (low <= value) & (value <= high)
        return found

    def _measured(self, seen: np.ndarray, name: str) -> np.ndarray:
        """A measured value at randomisation; NaN, which is within no limits, where there is none."""
        if name == "alsfrs_r_lost":
            score = seen[observe.SEEN_ALSFRS_R]
            return np.asarray(score[:, 0] - score[:, self.visit])
        return np.asarray(seen[SEEN[name], :, self.visit])


def lead_in(scenario: Scenario, visits: list[int]) -> LeadIn | None:
    """The lead-in, `visits` being the planned days; None where people are randomised as they enter."""
    trial = scenario.trial
    if trial is None or trial.lead_in is None or trial.lead_in.days not in visits:
        return None
    wanted = trial.lead_in.eligible
    limits = [] if wanted is None else [(name, getattr(wanted, name)) for name in type(wanted).model_fields]
    return LeadIn(
        day=float(trial.lead_in.days),
        visit=visits.index(trial.lead_in.days),
        arm=next(a for a, arm in enumerate(scenario.arms) if arm in trial.arms),
        rules=tuple(
            (name, -math.inf if b.min is None else b.min.value, math.inf if b.max is None else b.max.value)
            for name, b in limits
            if b is not None
        ),
    )
