"""What is done: each arm's epochs, dose days and other multipliers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.engine import propagators
from simulator.engine.columns import EVENTS
from simulator.engine.dosing import Arms
from simulator.engine.plans import Own, Shared
from simulator.language.care import spans
from simulator.mechanisms import ByDay, Course, Dosed
from simulator.program import safety
from simulator.units import DAYS_PER_WEEK, DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language.care import Epoch
    from simulator.language.scenario import Scenario
    from simulator.program.memory import Memory

F = np.float32


NEVER_GIVEN = [0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, *[0.0] * 20]
"""Constants of an arm without such a drug."""


class Plan(NamedTuple):
    """One arm: its drug, its epochs with it, the spans of a shared calendar, the other multipliers of each day.

    A span is a run of epochs that adjoin, without loading between them; `own` : calendars are the patients' own, and
    there are no spans.
    """

    drug: Dosed | None
    epochs: list[tuple[int, int, int, int, int]]
    spans: list[tuple[int, int]]
    holds: list[list[tuple[int, int]]]
    addon: np.ndarray
    hazard: np.ndarray
    own: bool

    @property
    def days(self) -> list[int]:
        """Dose days of a shared calendar."""
        return [day for span in self.spans if self.drug for day in _dose_days(self.drug, *span)]


def arms(scenario: Scenario, steps: int, memory: Memory) -> Arms:
    """All arms, over `steps` weeks; `memory` keeps what does not depend on how the drugs work."""
    read = [scenario.arms, _regimens(scenario), scenario.adherence, scenario.attrition, scenario.safety, steps]
    given = [_drug(scenario, name) for name in scenario.arms]
    numbers = {id(one): drug_numbers(one) for one in given}  # arms with the same drug share them
    return memory.made_of("courses", read, lambda: _courses(scenario, steps))._replace(
        table=np.array([numbers[id(one)][0] for one in given], F),
        constant=np.array([numbers[id(one)][1] for one in given], F),
    )


def _regimens(scenario: Scenario) -> dict[str, Any]:
    """Of a drug given in doses its regimen, of another treatment all of it."""
    return {name: one.regimen if isinstance(one, Dosed) else one for name, one in scenario.treatments.items()}


def _drug(scenario: Scenario, arm: str) -> Dosed | None:
    """The drug given in doses of an arm, which has one at most."""
    used = (scenario.treatments[name] for epoch in scenario.arms[arm] for name in epoch.treatments)
    return next((one for one in used if isinstance(one, Dosed)), None)


def _courses(scenario: Scenario, steps: int) -> Arms:
    """All arms without the numbers of their drugs."""
    plans = [_plan(scenario, name, steps) for name in scenario.arms]
    attrition, n = scenario.attrition, len(plans)
    stop = 0.0 if attrition is None else attrition.stop_treatment_per_year.value / DAYS_PER_YEAR
    windows = [_windows(plan) for plan in plans]
    reactions, stop_rate, horizon = safety.tables(scenario.safety, windows), np.full(n, stop, F), steps * DAYS_PER_WEEK
    return Arms(
        table=np.zeros(0, F),
        constant=np.zeros(0, F),
        day=_joined(plan.days for plan in plans),
        day_start=_starts(plan.days for plan in plans),
        own=_own(scenario, plans, np.int64(horizon), stop_rate, reactions),
        horizon=np.int64(horizon),
        stop_rate=stop_rate,
        stop_at_dropout=np.full(n, attrition is not None and attrition.drug_after_dropout == "stop"),
        addon=np.array([_weekly(plan.addon) for plan in plans], F),
        hazard=np.array([_weekly(plan.hazard) for plan in plans], F),
        reactions=reactions,
        windows=_table(windows),
    )


def _own(
    scenario: Scenario, plans: list[Plan], horizon: np.int64, stop_rate: np.ndarray, reactions: np.ndarray
) -> Shared | Own:
    """What patients' own calendars are planned from, if some arm has them."""
    own = [plan.own for plan in plans]
    if not any(own):
        return Shared()
    adherence = [adherence_to(scenario, plan.drug) for plan in plans]
    loading = [plan.drug.regimen.loading_days if plan.drug else [0] for plan in plans]
    return Own(
        own=np.array(own),
        epoch=_joined(plan.epochs for plan in plans).reshape(-1, 5),
        epoch_start=_starts(plan.epochs for plan in plans),
        hold=_joined(h for plan in plans for h in plan.holds).reshape(-1, 2),
        hold_start=_starts(h for plan in plans for h in plan.holds),
        horizon=horizon,
        loading=_joined(loading),
        loading_start=_starts(loading),
        every=np.array([plan.drug.regimen.every_days if plan.drug else 28 for plan in plans], np.int32),
        keep=np.array([plan.drug is not None and plan.drug.regimen.missed_dose == "article" for plan in plans]),
        missed=np.array([missed for missed, _ in adherence], F),
        delay_max=np.array([most for _, most in adherence], F),
        stop_rate=stop_rate,
        reactions=reactions,
    )


def _joined(parts: Iterable[Sequence[object]]) -> np.ndarray:
    return np.array([x for part in parts for x in part], np.int32)


def _starts(parts: Iterable[Sequence[object]]) -> np.ndarray:
    return np.array([0, *accumulate(map(len, parts))], np.int32)


def _plan(scenario: Scenario, name: str, steps: int) -> Plan:
    end, own = steps * DAYS_PER_WEEK, has_own_calendars(scenario, name)
    plan = Plan(None, [], [], [], np.ones(end), np.ones(end), own)
    for epoch in scenario.arms[name]:
        for treatment in (scenario.treatments[t] for t in epoch.treatments):
            if isinstance(treatment, Dosed):
                plan = plan._replace(drug=treatment)
                plan.epochs.append(_epoch(epoch))
                plan.holds.append([(hold.from_day, hold.to_day) for hold in epoch.holds or []])
                if not own:
                    _give(plan.spans, epoch, min(epoch.to_day or end, end))
    for used in dict.fromkeys(t for epoch in scenario.arms[name] for t in epoch.treatments):
        treatment = scenario.treatments[used]
        if isinstance(treatment, ByDay):
            given = tuple((start, int(min(stop, end))) for start, stop in spans(scenario.arms[name], used))
            rate, hazard = treatment.multipliers(Course(given, end))
            plan.addon[:] *= rate
            plan.hazard[:] *= hazard
    return plan


def _give(spans: list[tuple[int, int]], epoch: Epoch, until: int) -> None:
    """Give the drug from an epoch's start to day `until`: the last span goes on if the epoch adjoins it."""
    if spans and spans[-1][1] == epoch.from_day and not epoch.reload:
        spans[-1] = (spans[-1][0], until)
    else:
        spans.append((epoch.from_day, until))


def _epoch(epoch: Epoch) -> tuple[int, int, int, int, int]:
    """Events of the start as bits, days after them, events of the end, days after them, loading in any case."""
    return _bits(epoch.starts), epoch.from_day, _bits(epoch.ends), epoch.to_day or 0, bool(epoch.reload)


def _bits(events: Iterable[str]) -> int:
    return sum(1 << EVENTS.index(name) for name in events)


def adherence_to(scenario: Scenario, drug: Dosed | None) -> tuple[float, int]:
    """Probability that a dose is missed, and the longest delay [days]."""
    found = scenario.adherence if drug is None or drug.regimen.adherence is None else drug.regimen.adherence
    return (0.0, 0) if found is None else (found.missed.value, found.delay_days_max)


def has_own_calendars(scenario: Scenario, arm: str) -> bool:
    """Whether patients of an arm get their doses on days of their own."""
    for epoch in scenario.arms[arm]:
        for drug in (scenario.treatments[name] for name in epoch.treatments):
            if isinstance(drug, Dosed) and (
                adherence_to(scenario, drug)[0] > 0
                or not epoch.is_fixed
                or epoch.holds
                or drug.regimen.guided_by_nfl is not None
            ):
                return True
    return False


def _dose_days(drug: Dosed, start: int, end: int) -> list[int]:
    loading = [start + d for d in drug.regimen.loading_days]
    later = range(loading[-1] + drug.regimen.every_days, end, drug.regimen.every_days)
    return [d for d in [*loading, *later] if d < end]


def _windows(plan: Plan) -> list[tuple[int, int]]:
    """When an arm with a shared calendar is on its drug: first dose and length of each epoch, days."""
    lag = plan.drug.regimen.loading_days[0] if plan.drug else 0
    return [(start + lag, end - start - lag) for start, end in plan.spans if end > start + lag]


def _table(windows: list[list[tuple[int, int]]]) -> np.ndarray:
    """Windows of all arms, a row of zeros where an arm has fewer."""
    most = max(1, *map(len, windows)) if windows else 1
    return np.array([[*mine, *[(0, 0)] * (most - len(mine))] for mine in windows], F)


def _weekly(multiplier: np.ndarray) -> np.ndarray:
    """Mean over the days of each week (docs/model.md, section 5)."""
    return np.asarray(multiplier.reshape(-1, DAYS_PER_WEEK).mean(axis=1))


def calendars(arms: Arms) -> list[np.ndarray | None]:
    """Calendar of each arm, days since baseline; None where patients have calendars of their own."""
    shared = [arms.day[a:b] for a, b in pairwise(arms.day_start)]
    own = arms.own.own if isinstance(arms.own, Own) else np.zeros(len(shared), bool)
    return [None if mine else days for mine, days in zip(own, shared, strict=True)]


def shared_dose_days(scenario: Scenario, arm: str) -> list[int]:
    """Dose days of an arm until the end of follow-up, days since baseline."""
    return _plan(scenario, arm, scenario.follow_up_days // DAYS_PER_WEEK + 1).days


def drug_numbers(drug: Dosed | None) -> tuple[np.ndarray, list[float]]:
    """Propagators of one to seven days, and the fields of `effect.Drug` after the table."""
    if drug is None:
        return np.zeros((8, len(propagators.COLUMNS)), F), NEVER_GIVEN
    made = import_module(f"{type(drug).__module__.rpartition('.')[0]}.compile")
    return made.table(drug), made.constants(drug)
