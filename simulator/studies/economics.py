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
from simulator.analysis.cost_effectiveness import Draws, People, Row, incremental
from simulator.analysis.moments import Estimate
from simulator.errors import SimulatorError
from simulator.language.blocks.decision import ALIVE, STATES, Decision
from simulator.results import Result
from simulator.results.variables import STAGES
from simulator.studies import costs
from simulator.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
KINDS = ("life_years", "qalys", "costs", "net_benefit")
CARE = "months in stages"


class EconomicsError(SimulatorError):
    """The result or the scenario does not hold what the economics need."""

    exit_code = 2


class Worth(NamedTuple):
    """Discounted life years, QALYs and parts of costs: of each patient (n,), or means (1,) with the sums' errors."""

    life_years: Floats
    qalys: Floats
    parts: dict[str, Floats]
    errors: tuple[float, float, float] | None = None

    @property
    def costs(self) -> Floats:
        """All parts together."""
        return np.sum(list(self.parts.values()), axis=0, dtype=np.float64)


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


def cost_parts(result: Result, arm: str, scenario: Scenario) -> dict[str, Estimate]:
    """What an arm costs, part by part, from a result with patients."""
    worth = of_patients(result, arm, scenario)
    return {name: moments.mean(values, result.weight) for name, values in worth.parts.items()}


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
    """Years behind each day of output until the horizon, which is one of them."""
    horizon = horizon_of(scenario)
    if horizon > time[-1]:
        raise EconomicsError(f"the result ends on day {time[-1]:g}, the decision on day {horizon:g}; run again")
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
    parts = costs.of_patients(costs.Arm(result, scenario, arm, horizon_of(scenario)))
    parts[CARE] = cost[stage] @ weights * MONTHS_PER_YEAR
    return Worth(living[stage] @ weights, utility[stage] @ weights, parts)


def of_summary(result: Result, arm: str, scenario: Scenario) -> Worth:
    """Means over patients, from the shares in each stage."""
    name, index = f"{_stage_name(scenario)}_share", result.arm_index(arm)
    group = result.groups["summary"]
    if name not in group:
        raise EconomicsError(f"the result has no {name}; run again with output.stages: true")
    if costs.needs_patients(scenario, [arm]):
        raise EconomicsError("events, starts and stops are priced, and a summary does not count them; keep patients")
    shares, n = group[name].values[index], result.worth
    weights = _weights(result.time, scenario)
    utility, cost = by_state(decision_of(scenario))
    living = np.append(np.ones(len(utility) - 1), 0.0)
    means = [float(weights @ economics.quality(shares, value)) for value in (living, utility, cost * MONTHS_PER_YEAR)]
    errors = [economics.most_error(shares, v, weights, n) for v in (living, utility, cost * MONTHS_PER_YEAR)]
    day, worth = _dose_days(scenario, arm)
    alive, prices = np.interp(day, result.time, group["survival"].values[index]), costs.dose_price(scenario, arm)
    on = costs.months_of_summary(scenario, arm, result.time, group["survival"].values[index], horizon_of(scenario))
    errors[2] += sum(prices.values()) * float(worth @ np.sqrt(alive * (1 - alive) / n))
    errors[2] += float(on @ _relative(group["survival"].values[index], n))
    life, quality, monthly = (np.array([value]) for value in means)
    parts = {name: np.array([price * float(worth @ alive)]) for name, price in prices.items()}
    parts |= {CARE: monthly, "months on treatments": np.array([float(on.sum())])}
    parts["once"] = np.array([costs.once(scenario, arm)])
    return Worth(life, quality, parts, (errors[0], errors[1], errors[2]))


def _relative(alive: Floats, n: float) -> Floats:
    """The error of the share alive over that share, at each time; 0 where nobody is."""
    found: Floats = np.sqrt(np.divide(1 - alive, alive * n, out=np.zeros(len(alive)), where=alive > 0))
    return found


def _dose_days(scenario: Scenario, arm: str) -> tuple[Floats, Floats]:
    """Dose days until the horizon, and what 1 on each is worth; refused where some who live have no dose."""
    from simulator.program.arms import shared_dose_days

    if not sum(costs.dose_price(scenario, arm).values()):
        return np.zeros(0), np.zeros(0)
    if not all_have_doses(scenario, arm):
        raise EconomicsError("doses are missed or stopped, and a summary does not count them; run with --output full")
    day = np.array([d for d in shared_dose_days(scenario, arm) if d < horizon_of(scenario)], np.float64)
    return day, economics.discounted(day, decision_of(scenario).discount_per_year.value)


def is_summary_enough(scenario: Scenario) -> bool:
    """Whether a summary knows what the decision counts: no doses cost, or all who live have them, and no events do."""
    arms = list(scenario.arms)
    free = (not sum(costs.dose_price(scenario, arm).values()) for arm in arms)
    doses = all(nothing or all_have_doses(scenario, arm) for arm, nothing in zip(arms, free, strict=True))
    return doses and not costs.needs_patients(scenario, arms)


def all_have_doses(scenario: Scenario, arm: str) -> bool:
    """Whether everybody who lives has every dose of the arm's calendar."""
    from simulator.program.arms import has_own_calendars

    attrition = scenario.attrition
    stops = attrition is not None and (
        attrition.stop_treatment_per_year.value > 0 or attrition.drug_after_dropout == "stop"
    )
    return not stops and not has_own_calendars(scenario, arm)


def incremental_table(result: Result, scenario: Scenario, draws: Draws | None = None) -> list[Row]:
    """Costs and QALYs of the options, what is dominated, and what the others gain at what price.

    Parameters
    ----------
    result : Result
        Of the scenario, with patients: the base case. They are the same in every option.
    scenario : Scenario
    draws : Draws, optional
        Mean costs and QALYs at draws of the parameters, for the spread over them.

    Raises
    ------
    EconomicsError
        There is no decision, or the result has no patients or no stages.
    """
    block = decision_of(scenario)
    if not result.is_full:
        raise EconomicsError("an incremental table pairs patients, and a summary has none; run with --output full")
    each = [of_patients(result, arm, scenario) for arm in block.options]
    cost, effect = (np.stack(of, axis=1) for of in ([one.costs for one in each], [one.qalys for one in each]))
    return incremental(block.options, People(cost, effect, result.weight), block.willingness_to_pay.value, draws)
