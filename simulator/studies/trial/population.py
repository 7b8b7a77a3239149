"""Potential outcomes, part after part of the population, and the truth of estimands in them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.replicates import Known
from simulator.analysis.trial import reading
from simulator.analysis.trial.data import until
from simulator.analysis.trial.truth import QUANTITIES, Potential, facts, pooled, true_value
from simulator.engine.jit import JIT
from simulator.replicate import ReplicateData, Replicator, compiled
from simulator.strategies import UNMEASURED
from simulator.studies.trial.plan import Plan, compared
from simulator.studies.trial.rows import NFL, ranked

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

Floats = NDArray[np.float64]
PART = 2500
"""People of a part. A figure that is a ratio has a bias of the order of 1/PART, far below its error."""
VENTILATED, BREATHING, LOST = 2, "alsfrs_r_respiratory", 2 / 3
"""Code of permanent ventilation as the event; what it takes from a score: two of three items (docs/model.md, 9)."""
LEAST = 4
"""Parts from which an error can be estimated."""


class Truth(NamedTuple):
    """True values and their Monte Carlo errors; w draws of the parameters, 1 without.

    Parameters
    ----------
    value, mcse : (w, analysis, day) of what the analyses estimate.
    facts, facts_mcse : (quantity, day) the QUANTITIES, over all draws, which are then what the error is about.
    arms, arms_mcse : (w, analysis, arm) the same of each arm of the comparisons, on the first day of analysis.
    people : how many were simulated in both arms, over all draws.
    parts : of each draw, over which errors are found.
    """

    value: Floats
    mcse: Floats
    facts: Floats
    facts_mcse: Floats
    arms: Floats
    arms_mcse: Floats
    people: int
    parts: int

    def known(self, a: int, d: int, replicates: int) -> Known | None:
        """The truth of an analysis on a day for each replicate, draws in turn; None where there is none."""
        value = self.value[:, a, d]
        if not np.isfinite(value).all():
            return None
        if len(value) > 1:
            return Known(np.resize(value, replicates))
        return Known(value[0], float(self.mcse[0, a, d]), self.parts)


def lossless(scenario: Scenario) -> Scenario:
    """The scenario in which nobody leaves and no visit is missed: what the estimands of a trial are about."""
    visits = scenario.visits.model_copy(update={"missing": scenario.visits.missing.model_copy(update={"value": 0.0})})
    update: dict[str, object] = {"visits": visits}
    if scenario.attrition is not None:
        pieces = scenario.attrition.dropout_per_year
        never = pieces[-1].model_copy(update={"rate": pieces[-1].rate.model_copy(update={"value": 0.0})})
        update["attrition"] = scenario.attrition.model_copy(update={"dropout_per_year": [never]})
    return scenario.model_copy(update=update)


def truth(plan: Plan, scenarios: Sequence[Scenario], seed: int, people: int, threads: int) -> Truth:
    """True values from so many people, simulated in both arms part by part; memory does not grow with their number.

    `scenarios` are the plan's own, or one for each draw of its parameters: each gets its share of the people.
    """
    draws = len(scenarios)
    parts = max(LEAST, -(-people // (PART * draws)))
    with_days = [looked_at(lossless(one), plan) for one in scenarios]
    choices = compiled(with_days, PART)
    numbers = range(draws * parts)  # part k is of draw k mod draws, as replicates are
    workers = min(threads if JIT else 1, len(numbers))
    spans = [numbers[k::workers] for k in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(lambda span: _parts(plan, Replicator(choices), seed, span), spans))
    found = {number: one for part in done for number, one in part}
    values = np.array([found[k][0] for k in numbers]).reshape(parts, draws, *found[0][0].shape)
    others = np.array([found[k][1] for k in numbers]).reshape(parts, draws, *found[0][1].shape)
    value, mcse = pooled(values)
    middle, error = pooled(others)
    over = error[0] if draws == 1 else middle.std(axis=0, ddof=1) / np.sqrt(draws)
    each = np.array([found[k][2] for k in numbers]).reshape(parts, draws, *found[0][2].shape)
    return Truth(value, mcse, middle.mean(axis=0), over, *pooled(each), len(numbers) * PART, parts)


def looked_at(scenario: Scenario, plan: Plan) -> Scenario:
    """The scenario with its truth on the days of all visits, the last of which is seen whenever it falls."""
    if scenario.trial is None:
        return scenario
    last = scenario.trial.analysis_days[-1] + scenario.visits.jitter_days
    days = scenario.visits.days or range(0, last + 1, scenario.visits.every_days or last + 1)
    kept = [day for day in days if 0 < day <= last]
    trial = scenario.trial.model_copy(update={"analysis_days": kept})
    return scenario.model_copy(update={"trial": trial, "follow_up_days": last})


def _parts(plan: Plan, space: Replicator, seed: int, numbers: Sequence[int]) -> list[tuple[int, tuple[Floats, ...]]]:
    return [(number, _part(plan, space.population(seed, number))) for number in numbers]


def _part(plan: Plan, seen: ReplicateData) -> tuple[Floats, ...]:
    """(analysis, day) true values, (quantity, day) facts and (analysis, arm) true values of all arms in one part."""
    values = np.full((len(plan.analyses), len(plan.days)), np.nan)
    others = np.full((len(QUANTITIES), len(plan.days)), np.nan)
    for d, day in enumerate(plan.days):
        people = potential(plan, seen, day)
        values[:, d] = [true_value(name, people, plan.options.get(name, {})) for name in plan.analyses]
        others[:, d] = facts(people)
    arms = compared(plan)
    each = np.full((len(plan.analyses), len(arms)), np.nan)
    for k, arm in enumerate(arms):
        people = potential(plan._replace(arms=reading.Contrast(arm, plan.arms.control)), seen, plan.days[0])
        each[:, k] = [true_value(name, people, plan.options.get(name, {})) for name in plan.analyses]
    return values, others, each


def potential(plan: Plan, seen: ReplicateData, day: float) -> Potential:
    """The people of a part in both arms of the plan, until a day."""
    arms = [list(plan.scenario.arms).index(arm) for arm in plan.arms]
    both = np.repeat((1, 0), len(seen.patients["stratum"]))
    told = reading.TrialSource(
        both,
        np.tile(ranked(plan, seen), 2),
        seen.nominal_day,
        {
            key: np.tile(seen.observed[key], (1, 2, 1))
            for key in {"day", plan.outcome, NFL, reading.TOTAL} & {*seen.observed}
        },
        {key: np.tile(seen.events[key], (1, 2)) for key in reading.EVENTS},
        {key: np.tile(seen.patients[key], 2) for key in reading.TRAITS.values() if key in seen.patients},
    )
    data = reading.from_arrays(told, (1, 0), tuple(arms), outcome=plan.outcome, endpoint=plan.endpoint, log=NFL)
    data = until(data, day)
    at = np.searchsorted(seen.time, data.nominal_day)
    course = _as_measured(plan, seen)[arms][..., at]
    clock = np.full_like(course, np.nan)  # a model without a disease time
    if "disease_time" in seen.truth:
        clock = seen.truth["disease_time"][arms][..., at].astype(np.float64)
    last_day = np.nan_to_num(seen.events["death_time"][arms], nan=np.inf)
    if plan.outcome in UNMEASURED:
        last_day = np.minimum(last_day, _ventilated(seen)[arms])
    return Potential(data, data.nominal_day, course, clock, float(day), last_day)


def _as_measured(plan: Plan, seen: ReplicateData) -> Floats:
    """(arm, n, day) true function, less the points of breathing that nobody on permanent ventilation scores."""
    course = seen.truth[plan.outcome].astype(np.float64)
    if plan.outcome != "alsfrs_r" or BREATHING not in seen.truth:
        return course
    assisted = _ventilated(seen)[..., None] <= seen.time
    return course - np.where(assisted, LOST * np.maximum(seen.truth[BREATHING], 0.0), 0.0)


def _ventilated(seen: ReplicateData) -> Floats:
    """(arm, n) day from which each is on permanent ventilation; infinite for who is not."""
    return np.where(seen.events["event"] == VENTILATED, seen.events["event_free_time"], np.inf)
