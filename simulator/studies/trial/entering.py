"""How many people must enter so that enough are randomised, and the most of each stratum that a trial takes."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from simulator.engine.allocation import NOBODY
from simulator.errors import SimulatorError
from simulator.language.faults import Problem
from simulator.replicate import Replicator, compiled

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

PILOT, PILOTS, SAFE, SPARE = 1000, 10, 6.0, 10
"""People of a pilot and how many draws get one; standard deviations and people that are added to be safe."""


def most(scenario: Scenario, size: int) -> tuple[int, ...]:
    """The most that are randomised: of each stratum where the trial has counts, in their proportion; else in all."""
    trial = scenario.trial
    if trial is None or trial.counts is None:
        return (size,)
    people = [sum(trial.counts.get(name, {}).values()) for name in scenario.strata or ["all"]]
    return tuple(-(-n * size // sum(people)) for n in people)


def patients(scenarios: Sequence[Scenario], size: int, seed: int) -> int:
    """How many enter a replicate; more than are randomised where there is a lead-in.

    A replicate in which fewer pass the lead-in than the trial wants is smaller than `size`. The part that passes is
    measured in people who are in no replicate, and so many enter that this hardly ever happens.

    Raises
    ------
    SimulatorError
        Nobody passes the lead-in.
    """
    if scenarios[0].trial is None or scenarios[0].trial.lead_in is None:
        return size
    return max(_enough(scenario, size, seed) for scenario in scenarios[:PILOTS])


def _enough(scenario: Scenario, size: int, seed: int) -> int:
    seen = Replicator(compiled([shortened(scenario)], PILOT)).entering(seed)
    strata, passed = seen["stratum"], seen["allocated_arm"] != NOBODY
    limits = most(scenario, size)
    needed = 0
    for k, limit in enumerate(limits):
        mine = strata == k if len(limits) > 1 else strata >= 0
        if not limit:
            continue
        share = passed[mine].mean() if mine.any() else 0.0
        if not share:
            name = list(scenario.strata or ["all"])[k] if len(limits) > 1 else "all"
            fact = f"of {PILOT:,} people who enter ({name}) nobody passes"
            raise SimulatorError(str(scenario.fault(Problem(("trial", "lead_in", "eligible"), fact, "Loosen it"))))
        people = limit / share + SAFE * sqrt(limit * (1 - share)) / share
        needed = max(needed, ceil(people / mine.mean()) + SPARE)
    return needed


def shortened(scenario: Scenario) -> Scenario:
    """The scenario up to the day of randomisation."""
    day = scenario.trial.randomised_on if scenario.trial else 1
    update: dict[str, Any] = {"follow_up_days": day + 1}
    if scenario.trial is not None:
        update["trial"] = scenario.trial.model_copy(update={"analysis_days": [day + 1]})
    return scenario.model_copy(update=update)
