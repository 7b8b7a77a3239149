"""One arm of a run as a target looks at it, and what a statistic finds there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.moments import Estimate
from simulator.catalog.targets import Target
from simulator.errors import SimulatorError

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.results import Result

Floats = NDArray[np.float64]
ENTRY_DAYS = 28.0  # the effect of entering a trial grows as 1 - exp(-t/28 d)
NOISE = {
    "alsfrs_r": "alsfrs_r_points",
    "svc": "svc_percent",
    "hhd": "hhd",
    "nfl_plasma": "nfl_log_sd",
    "sod1_csf": "sod1_log_sd",
}


class Figure(NamedTuple):
    """An estimate, and the variance of one participant: at n participants its sampling SD is √(person/n)."""

    estimate: Estimate
    person: float


def figure(estimate: Estimate, patients: int, noise: float = 0.0) -> Figure:
    """The figure of an estimate from so many patients; `noise` is the variance that measuring adds."""
    return Figure(estimate, estimate.mcse**2 * patients + noise)


class Sample(NamedTuple):
    """The patients of a target's group in one arm of a run."""

    result: Result
    scenario: Scenario
    target: Target
    arm: str
    who: Any

    @property
    def size(self) -> int:
        """Number of patients."""
        return int(np.count_nonzero(self.who))

    def people(self, name: str) -> NDArray[Any]:
        """A variable of the patients."""
        return self.result.groups["patients"][name].values[self.who]

    def events(self, name: str) -> NDArray[Any]:
        """A variable of the events in this arm."""
        return self.result.groups["events"][name].values[self.result.arm_index(self.arm), self.who]

    def truth(self, name: str, day: float) -> Floats:
        """A variable of the truth on a day of the grid."""
        at = _index(self.result.time, day, "output.every_days")
        return self.result.groups["truth"][name].values[self.result.arm_index(self.arm), :, at][self.who].astype(float)

    def observed(self, name: str, day: float) -> Floats:
        """What was measured at the visit planned for a day; NaN where it was not."""
        group = self.result.groups["observed"]
        at = _index(group["nominal_day"].values, day, "visits.every_days")
        return group[name].values[self.result.arm_index(self.arm), :, at][self.who].astype(float)

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Who has not died by the target's day."""
        return ~(self.events("death_time") <= self.target.day)

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Who has died or has PAV by the target's day."""
        return (self.events("event") > 0) & (self.events("event_free_time") <= self.target.day)

    def noise(self, name: str) -> float:
        """SD of one measurement (of its logarithm for neurofilament and SOD1)."""
        return float(getattr(self.scenario.visits.noise, NOISE[name]))

    @property
    def entry_effect(self) -> float:
        """How much entering the trial has raised a measured ALSFRS-R by the target's day."""
        points = float(self.scenario.visits.entry_effect_points)
        return points * float(1 - np.exp(-self.target.day / ENTRY_DAYS)) if self.target.endpoint == "alsfrs_r" else 0.0


def _index(days: Floats, day: float, key: str) -> int:
    found = int(np.abs(days - day).argmin())
    if abs(days[found] - day) > 1:
        raise SimulatorError(f"nothing is known about day {day:g}. Let {key} of the target's run divide it")
    return found
