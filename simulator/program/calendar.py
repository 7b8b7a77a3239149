"""When: output days and visits; and how the visits measure."""

from __future__ import annotations

from functools import cache
from math import erf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.observe import Visits
from simulator.engine.rows import OUTPUTS
from simulator.engine.space import INSIDE, LOOK, Calendar
from simulator.models import DRUG_OUTPUTS
from simulator.program.lead_in import lead_in
from simulator.units import DAYS_PER_WEEK

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

F = np.float32
ITEMS, MOST_POINTS, ITEM_GRID, MOST_ITEM_SD = 12, 4, 64, 20.0
BULBAR_LIMIT = 4.0
"""SVC cannot be measured below this bulbar score (docs/model.md, section 9; assumed)."""


def calendar(scenario: Scenario, steps: int, with_visits: bool) -> Calendar:
    """Output and visit days, and for each step whether something is wanted at its start or inside it."""
    days, seen = _output_days(scenario), visit_days(scenario)
    wanted = set(days.tolist())
    if with_visits:
        jitter = scenario.visits.jitter_days
        wanted |= {d for k, v in enumerate(seen) for d in range(v - jitter * (k > 0), v + jitter * (k > 0) + 1)}
    flags = np.zeros(steps, np.uint8)
    for day in wanted:
        if 0 <= day <= scenario.follow_up_days:
            flags[day // DAYS_PER_WEEK] |= LOOK if day % DAYS_PER_WEEK == 0 else INSIDE
    return Calendar(
        day=days,
        flags=flags,
        visit=np.array(seen, np.int32),
        end=F(scenario.follow_up_days),
        staged=scenario.output.stages,
        known=np.array([OUTPUTS.index(name) for name in outputs(scenario) if not name.endswith("_stage")], np.int64),
    )


def outputs(scenario: Scenario) -> tuple[str, ...]:
    """Names of what can be seen: of the disease what the model has, and of the drug."""
    return (*scenario.progression.OUTPUTS, *DRUG_OUTPUTS)


def _output_days(scenario: Scenario) -> np.ndarray:
    """Days at which truth and sums are kept: those asked for, and the last one of follow-up."""
    end, asked = scenario.follow_up_days, (scenario.sensitivity, scenario.decision)
    days = {*range(0, end, scenario.output.every_days), *(scenario.output.days or ()), end}
    days |= {*(scenario.trial.analysis_days if scenario.trial else ())}
    days |= {block.day for block in asked if block is not None and block.day is not None}
    return np.array(sorted(day for day in days if day <= end), np.int32)


def visit_days(scenario: Scenario) -> list[int]:
    """Nominal days of the visits within follow-up."""
    plan, end = scenario.visits, scenario.follow_up_days
    days = plan.days or range(0, end + 1, plan.every_days or end + 1)
    return [d for d in days if d <= end]


def visits(scenario: Scenario) -> Visits:
    """How the visits measure."""
    plan, noise, there = scenario.visits, scenario.visits.noise, lead_in(scenario, visit_days(scenario))
    return Visits(
        jitter=F(plan.jitter_days),
        missing=F(plan.missing),
        randomised=np.int64(0 if there is None else there.visit),
        entry_effect=F(plan.entry_effect_points),
        by_items=F(plan.scoring == "items"),
        staged=F(finds_stages(scenario)),
        alsfrs_r=F(noise.alsfrs_r_points),
        item=F(item_sd(noise.alsfrs_r_points.value) if plan.scoring == "items" else 0),
        svc=F(noise.svc_percent),
        hhd=F(noise.hhd),
        nfl=F(noise.nfl_log_sd),
        sod1=F(noise.sod1_log_sd),
        nfl_limit=F(noise.nfl_llq),
        bulbar_limit=F(BULBAR_LIMIT),
    )


def finds_stages(scenario: Scenario) -> bool:
    """Whether visits find a stage: from items, or as it is where the model has stages and no items."""
    if scenario.progression.SCORES_ITEMS:
        return scenario.visits.scoring == "items"
    return scenario.output.stages


@cache
def item_sd(total_sd: float) -> float:
    """Noise of a latent item that gives a total of twelve rounded items the SD `total_sd` [points].

    The variance is that of the measured minus the true item, averaged over items anywhere from 0 to 4. Rounding alone
    gives a total an SD of 1: below that, the answer is 0.
    """
    from scipy.optimize import brentq

    wanted = total_sd**2 / ITEMS
    if wanted <= _item_variance(0.0):
        return 0.0
    return float(brentq(lambda sd: _item_variance(sd) - wanted, 0.0, MOST_ITEM_SD))


def _item_variance(sd: float) -> float:
    """Variance of a rounded item around its truth, for a truth that is anywhere from 0 to 4."""
    truth = (np.arange(ITEM_GRID) + 0.5) * (MOST_POINTS / ITEM_GRID)
    edges = np.arange(MOST_POINTS) + 0.5
    if sd == 0:
        chance = (truth[:, None] < edges).astype(float)
    else:
        chance = np.array([[0.5 * (1 + erf((edge - x) / (sd * sqrt(2)))) for edge in edges] for x in truth])
    share = np.diff(chance, prepend=0.0, append=1.0, axis=1)
    points = np.arange(MOST_POINTS + 1)
    mean, square = share @ points, share @ points**2
    return float(np.mean(square - mean**2) + np.var(mean - truth))
