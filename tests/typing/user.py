"""What a person writes who uses the public names: mypy must accept all of it, and know the types."""

from typing import Literal, assert_type

import numpy as np

import simulator as sim
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis
from simulator.analysis.trial.estimate import Estimate
from simulator.mechanisms import ByDay, Course, Multipliers, register
from simulator.quantities import Share

scenario = sim.load("valor", {"patients": 200})
assert_type(scenario, sim.Scenario)
assert_type(scenario.replace({"follow_up_days": 364}), sim.Scenario)
result = sim.simulate(scenario, patients=20, seed=1, output="summary")
assert_type(result, sim.Result)
trial = sim.trial(scenario, replicates=2, analyses=["ancova"])
assert_type(trial, sim.Trial)
assert_type(sim.sweep(scenario, {"follow_up_days": [364]}), sim.Sweep)
assert_type(sim.sensitivity(scenario), sim.Sensitivity)
assert_type(sim.read_data("a.csv"), sim.Dataset)
assert_type(sim.analyse("a.csv"), sim.Analysed)
assert_type(sim.open("a.nc"), sim.StudyResult)
assert_type(result.arm_index("untreated"), int)


@register
class Half(ByDay):
    """A mechanism of one's own."""

    kind: Literal["half"]
    share: Share

    def without_effect(self) -> dict[str, float]:
        """Nothing."""
        return {"share": 0.0}

    def multipliers(self, course: Course) -> Multipliers:
        """The same on every day."""
        return Multipliers(rate=np.full(course.days, 1 - self.share.value))


def mine(data: TrialData) -> Estimate:
    """An analysis of one's own."""
    raise NotImplementedError(data.n)


def about(estimate: Estimate) -> Analysis:
    """Its row."""
    return Analysis("mine", mine, estimate.estimand, CHANGE)
