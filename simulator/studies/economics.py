"""Life years, QALYs, costs and net benefit of an arm under the block `decision`.

With patients kept each is a mean over patients and knows its error. From a summary errors are upper bounds, and doses
are counted only where all who live have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import health_economics as economics
from simulator.analysis import moments
from simulator.analysis.moments import Estimate
from simulator.errors import SimulatorError
from simulator.language.blocks.decision import ALIVE, STATES, Decision
from simulator.results import Result
from simulator.results.variables import STAGES
from simulator.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
KINDS = ("life_years", "qalys", "costs", "net_benefit")


class EconomicsError(SimulatorError):
    """The result or the scenario does not hold what the economics need."""

    exit_code = 2


class Worth(NamedTuple):
    """Discounted life years, QALYs and costs: of each patient (n,), or means (1,) with their errors in `errors`."""

    life_years: Floats
    qalys: Floats
    costs: Floats
    errors: tuple[float, float, float] | None = None


def economic(kind: str, result: Result, arm: str, scenario: Scenario) -> Estimate:
    """One of `KINDS` for an arm.

    Raises
    ------
    EconomicsError
        There is no decision, no stages, or doses cannot be counted from a summary.
    """
    return economic_all(result, arm, scenario)[KINDS.index(kind)]


def economic_all(result: Result, arm: str, scenario: Scenario) -> list[Estimate]:
    """All of `KINDS` for an arm."""
    wtp = decision_of(scenario).willingness_to_pay.value
    worth = (of_patients if result.is_full else of_summary)(result, arm, scenario)
    values = (worth.life_years, worth.qalys, worth.costs, economics.net_benefit(worth.qalys, worth.costs, wtp))
    if worth.errors is None:
        return [moments.mean(one, result.weight) for one in values]
    errors = (*worth.errors, wtp * worth.errors[1] + worth.errors[2])
    return [Estimate(float(one[0]), error, result.n_patients) for one, error in zip(values, errors, strict=True)]


def decision_of(scenario: Scenario) -> Decision:
    """The scenario's decision."""
    if scenario.decision is None:
        raise EconomicsError(f"{scenario.source_file} has no block decision. Add it: see docs/sensitivity.md")
    return scenario.decision


def horizon_of(scenario: Scenario) -> float:
    """The decision's horizon, in days."""
    return float(decision_of(scenario).day or scenario.follow_up_days)


def by_state(decision: Decision) -> tuple[Floats, Floats]:
    """Utility, and costs a month, of each stage in the order of its codes; of death 0."""
    system, monthly = decision.utilities.system, decision.costs.per_month
    labels = STAGES[f"{system}_stage"][:-1]
    states = [_state(label) for label in labels]
    assert set(states) == set(STATES[system])
    alive = monthly[ALIVE].value if ALIVE in monthly else 0.0
    cost = [alive + (monthly[state].value if state in monthly else 0.0) for state in states]
    utility = [decision.utilities.states[state].value for state in states]
    return np.array([*utility, 0.0]), np.array([*cost, 0.0])


def _state(label: str) -> str:
    """The key of a stage; King's 4A and 4B are one state."""
    return f"stage_{label.removesuffix('A').removesuffix('B') if label[0].isdigit() else label}"


def _weights(time: Floats, scenario: Scenario) -> Floats:
    """Years behind each day of output; follow-up may end between two of them."""
    horizon = min(horizon_of(scenario), float(time[-1]))
    return economics.year_weights(time, decision_of(scenario).discount_per_year.value, horizon)


def _stage_name(scenario: Scenario) -> str:
    return f"{decision_of(scenario).utilities.system}_stage"


def of_patients(result: Result, arm: str, scenario: Scenario) -> Worth:
    """Of each patient."""
    name, truth = _stage_name(scenario), result.groups["truth"]  # not the summary, which costs more than the run
    if name not in truth:
        raise EconomicsError(f"the result has no {name}; run again with output.stages: true")
    index = truth["arm"].values.tolist().index(arm)
    stage = truth[name].values[index].astype(np.intp)
    weights = _weights(truth["time"].values, scenario)
    utility, cost = by_state(decision_of(scenario))
    living = np.append(np.ones(len(utility) - 1), 0.0)
    monthly = cost[stage] @ weights * MONTHS_PER_YEAR
    doses = _doses(result, (arm, index), scenario, len(stage))
    return Worth(living[stage] @ weights, utility[stage] @ weights, monthly + doses)


def _doses(result: Result, arm: tuple[str, int], scenario: Scenario, n: int) -> Floats:
    """What the doses of each patient cost until the horizon."""
    price = price_of(scenario, arm[0])
    if price == 0:
        return np.zeros(n)
    doses = result.groups["doses"]
    day = doses["day"].values
    mine = (doses["arm"].values == arm[1]) & (day >= 0) & (day < horizon_of(scenario))
    rate = decision_of(scenario).discount_per_year.value
    worth = price * economics.discounted(day[mine], rate)
    return np.bincount(doses["patient"].values[mine], worth, n).astype(np.float64)


def price_of(scenario: Scenario, arm: str) -> float:
    """What a dose in an arm costs; an arm has one antisense drug at most."""
    prices = decision_of(scenario).costs.per_dose
    given = [name for epoch in scenario.arms[arm] for name in epoch.treatments if name in prices]
    return prices[given[0]].value if given else 0.0


def of_summary(result: Result, arm: str, scenario: Scenario) -> Worth:
    """Means over patients, from the shares in each stage."""
    name, index = f"{_stage_name(scenario)}_share", result.arm_index(arm)
    group = result.groups["summary"]
    if name not in group:
        raise EconomicsError(f"the result has no {name}; run again with output.stages: true")
    shares, n = group[name].values[index], result.worth
    weights = _weights(result.time, scenario)
    utility, cost = by_state(decision_of(scenario))
    living = np.append(np.ones(len(utility) - 1), 0.0)
    means = [float(weights @ economics.quality(shares, value)) for value in (living, utility, cost * MONTHS_PER_YEAR)]
    errors = [economics.most_error(shares, v, weights, n) for v in (living, utility, cost * MONTHS_PER_YEAR)]
    day, worth = _expected_doses(result, arm, scenario)
    alive = np.interp(day, result.time, group["survival"].values[index])
    errors[2] += float(worth @ np.sqrt(alive * (1 - alive) / n))
    life, quality, monthly = (np.array([value]) for value in means)
    return Worth(life, quality, monthly + float(worth @ alive), (errors[0], errors[1], errors[2]))


def _expected_doses(result: Result, arm: str, scenario: Scenario) -> tuple[Floats, Floats]:
    """Dose days until the horizon, and what a dose on each is worth; refused where some who live have no dose."""
    from simulator.program.arms import shared_dose_days

    price = price_of(scenario, arm)
    if price == 0:
        return np.zeros(0), np.zeros(0)
    if not all_have_doses(scenario, arm):
        raise EconomicsError("doses are missed or stopped, and a summary does not count them; run with --output full")
    day = np.array([d for d in shared_dose_days(scenario, arm) if d < horizon_of(scenario)], np.float64)
    return day, price * economics.discounted(day, decision_of(scenario).discount_per_year.value)


def is_summary_enough(scenario: Scenario) -> bool:
    """Whether a summary knows what the decision counts: doses cost nothing, or all who live have them."""
    return all(price_of(scenario, arm) == 0 or all_have_doses(scenario, arm) for arm in scenario.arms)


def all_have_doses(scenario: Scenario, arm: str) -> bool:
    """Whether everybody who lives has every dose of the arm's calendar."""
    from simulator.program.arms import has_own_calendars

    attrition = scenario.attrition
    stops = attrition is not None and (
        attrition.stop_treatment_per_year.value > 0 or attrition.drug_after_dropout == "stop"
    )
    return not stops and not has_own_calendars(scenario, arm)
