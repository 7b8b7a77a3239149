"""What is done: each arm's epochs, dose days and other multipliers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.engine.dosing import Arms
from simulator.program import drug as drugs
from simulator.units import DAYS_PER_WEEK, DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language.care import Antisense
    from simulator.language.scenario import Scenario

F = np.float32


class Plan(NamedTuple):
    """One arm: its drug, its epochs with it, its dose days, and weekly means of the other multipliers."""

    drug: Antisense | None
    epochs: list[tuple[int, int]]
    days: list[int]
    addon: np.ndarray
    hazard: np.ndarray


def arms(scenario: Scenario, steps: int) -> Arms:
    """All arms, over `steps` weeks."""
    plans = [_plan(scenario, name, steps) for name in scenario.arms]
    adherence, attrition, n = scenario.adherence, scenario.attrition, len(plans)
    missed = 0.0 if adherence is None else adherence.missed.value
    stop = 0.0 if attrition is None else attrition.stop_treatment_per_year.value / DAYS_PER_YEAR
    given = {id(plan.drug): plan.drug for plan in plans}  # arms with the same drug share its numbers
    drug = {key: (drugs.table(one), drugs.constants(one)) for key, one in given.items()}
    loading = [plan.drug.regimen.loading_days if plan.drug else [0] for plan in plans]
    return Arms(
        table=np.array([drug[id(plan.drug)][0] for plan in plans], F),
        constant=np.array([drug[id(plan.drug)][1] for plan in plans], F),
        day=_joined(plan.days for plan in plans),
        day_start=_starts(plan.days for plan in plans),
        epoch=_joined(plan.epochs for plan in plans).reshape(-1, 2),
        epoch_start=_starts(plan.epochs for plan in plans),
        loading=_joined(loading),
        loading_start=_starts(loading),
        every=np.array([plan.drug.regimen.every_days if plan.drug else 28 for plan in plans], np.int32),
        own=np.array([missed > 0 and plan.drug is not None for plan in plans]),
        keep=np.array([plan.drug is not None and plan.drug.regimen.missed_dose == "article" for plan in plans]),
        missed=np.full(n, missed, F),
        delay_max=np.full(n, 0 if adherence is None else adherence.delay_days_max, F),
        stop_rate=np.full(n, stop, F),
        stop_at_dropout=np.full(n, attrition is not None and attrition.drug_after_dropout == "stop"),
        addon=np.array([plan.addon for plan in plans], F),
        hazard=np.array([plan.hazard for plan in plans], F),
    )


def _joined(parts: Iterable[Sequence[object]]) -> np.ndarray:
    return np.array([x for part in parts for x in part], np.int32)


def _starts(parts: Iterable[Sequence[object]]) -> np.ndarray:
    return np.cumsum([0, *(len(part) for part in parts)]).astype(np.int32)


def _plan(scenario: Scenario, name: str, steps: int) -> Plan:
    end = steps * DAYS_PER_WEEK
    plan = Plan(None, [], [], np.ones(steps), np.ones(steps))
    for epoch in scenario.arms[name]:
        until = end if epoch.to_day is None else min(epoch.to_day, end)
        for treatment in (scenario.treatments[t] for t in epoch.treatments):
            if treatment.kind == "antisense":
                plan = plan._replace(drug=treatment)
                plan.epochs.append((epoch.from_day, until))
                plan.days.extend(_dose_days(treatment, epoch.from_day, until))
            else:
                factor = plan.addon if treatment.kind == "rate_multiplier" else plan.hazard
                factor *= _weekly(treatment.value.value, epoch.from_day, until, steps)
    return plan


def _dose_days(drug: Antisense, start: int, end: int) -> list[int]:
    loading = [start + d for d in drug.regimen.loading_days]
    later = range(loading[-1] + drug.regimen.every_days, end, drug.regimen.every_days)
    return [d for d in [*loading, *later] if d < end]


def _weekly(value: float, start: int, end: int, steps: int) -> np.ndarray:
    """Mean of a multiplier over each week when it is `value` from day `start` to `end` and 1 otherwise."""
    edges = np.arange(steps + 1) * DAYS_PER_WEEK
    days = np.diff(np.clip(edges, start, end))
    return np.where(days == DAYS_PER_WEEK, value, 1 + (value - 1) * days / DAYS_PER_WEEK)


def dose_days(arms: Arms) -> list[np.ndarray]:
    """Shared calendar of each arm, days since baseline."""
    return [arms.day[a:b] for a, b in pairwise(arms.day_start)]


def shared_dose_days(scenario: Scenario, arm: str) -> list[int]:
    """Dose days of an arm until the end of follow-up, days since baseline."""
    return _plan(scenario, arm, scenario.follow_up_days // DAYS_PER_WEEK + 1).days
