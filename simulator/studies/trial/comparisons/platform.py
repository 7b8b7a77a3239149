"""A platform: regimens that enter and leave over the calendar, and the controls that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.replicate import ReplicateData
from simulator.studies.trial.plan import ENROLMENT, Plan, against_control, platform_of

if TYPE_CHECKING:
    from simulator.language.comparisons import Platform

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
REGIMEN, OUTCOME, YEAR = "regimen", "alsfrs_r", 365.25


def entered(plan: Plan, seen: ReplicateData, seed: int, number: int) -> ReplicateData:
    """The replicate with everybody in a regimen, in an arm of it, and on the day that he enters; see `Platform`."""
    platform, trial = platform_of(plan), plan.scenario.trial
    assert platform is not None
    assert trial is not None
    arms, control = against_control(plan.scenario)
    names = list(plan.scenario.arms)
    places = plan.size // len(arms)
    rng = np.random.default_rng([seed % 2**63, number])
    opens = np.array([platform.opens[arm].value for arm in arms])
    came = seen.patients[ENROLMENT].astype(np.float64)
    order = np.argsort(came, kind="stable")
    day = came.copy()
    regimen, arm = np.zeros(len(came), np.int64), seen.patients["allocated_arm"].copy()
    left = np.full(len(arms), places)
    for person in order:
        day[person] = max(came[person], opens[left > 0].min())
        regimen[person] = rng.choice(np.flatnonzero((opens <= day[person]) & (left > 0)))
        left[regimen[person]] -= 1
    for k, own in enumerate(arms):
        block = np.repeat([names.index(own), names.index(control)], [trial.block[own], trial.block[control]])
        mine = order[regimen[order] == k]
        blocks = [rng.permutation(block) for _ in range(-(-len(mine) // len(block)))]
        arm[mine] = np.concatenate(blocks)[: len(mine)]
    patients = {**seen.patients, "allocated_arm": arm, ENROLMENT: day, REGIMEN: regimen}
    return _drifted(plan, platform, seen._replace(patients=patients))


def _drifted(plan: Plan, platform: Platform, seen: ReplicateData) -> ReplicateData:
    """The same with what better care keeps, in proportion to the time since entry."""
    if platform.drift_per_year is None or OUTCOME not in seen.observed:
        return seen
    kept = platform.drift_per_year.value * seen.patients[ENROLMENT][:, None] / YEAR
    total = seen.observed[OUTCOME] + kept * seen.nominal_day / plan.days[0]
    return seen._replace(observed={**seen.observed, OUTCOME: np.clip(total, 0, 48).astype(np.float32)})


def compared_in(plan: Plan, seen: ReplicateData, k: int) -> Bools:
    """(n,) who is compared for regimen number `k`: its arm, and the controls that count for it."""
    platform, names = platform_of(plan), list(plan.scenario.arms)
    assert platform is not None
    arms, control = against_control(plan.scenario)
    allocated, day = seen.patients["allocated_arm"], seen.patients[ENROLMENT]
    mine, controls = seen.patients[REGIMEN] == k, allocated == names.index(control)
    if platform.controls == "own":
        controls = controls & mine
    else:  # known when the last of the regimen has entered
        first = day[mine].min() if platform.controls == "concurrent" else -np.inf
        controls = controls & (day >= first) & (day <= day[mine].max())
    return np.asarray(controls | (allocated == names.index(arms[k])))
