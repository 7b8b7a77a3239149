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
from simulator.analysis.health_economics import Present
from simulator.analysis.moments import Estimate
from simulator.errors import SimulatorError
from simulator.language.blocks.decision import ALIVE, STATES, Decision
from simulator.measures import costs
from simulator.results import Result
from simulator.results.variables import STAGES
from simulator.units import DAYS_PER_YEAR, MONTHS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.decision import Price

Floats = NDArray[np.float64]
KINDS = ("life_years", "qalys", "costs", "net_benefit")
CARE = "months in stages"
MAN = 0
"""Code of a man in `patients.sex`."""


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
    wtp = decision_of(scenario).willingness_to_pay.amount
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
        raise EconomicsError(f"{scenario.source_file} has no block decision. Add it: see docs/decisions.md")
    return scenario.decision


def horizon_of(scenario: Scenario) -> float:
    """The decision's horizon, in days."""
    return float(decision_of(scenario).day or scenario.follow_up_days)


def by_state(decision: Decision) -> Floats:
    """Utility of each stage in the order of its codes; of death 0."""
    return np.array([*(decision.utilities.states[state].value for state in _states(decision)), 0.0])


def _carers(decision: Decision) -> list[float]:
    """What carers lose, by stage."""
    lost = decision.utilities.carers
    return [lost[state].value if state in lost else 0.0 for state in _states(decision)]


def _states(decision: Decision) -> list[str]:
    """The key of each stage in the order of its codes, without death."""
    found = [_state(label) for label in STAGES[f"{decision.utilities.system}_stage"][:-1]]
    assert set(found) == set(STATES[decision.utilities.system])
    return found


def _priced_states(decision: Decision) -> list[tuple[Floats, Price]]:
    """Each price of a month with the codes it holds for, as 0 and 1; death is the last."""
    states = _states(decision)
    costs_of = decision.costs
    monthly = {key: costs_of.price("per_month", key) for key in costs_of.per_month if key != costs.PAV}
    return [(np.array([*(key in (ALIVE, one) for one in states), False], float), m) for key, m in monthly.items() if m]


def _state(label: str) -> str:
    """The key of a stage; King's 4A and 4B are one state."""
    return f"stage_{label.removesuffix('A').removesuffix('B') if label[0].isdigit() else label}"


def _stage_name(scenario: Scenario) -> str:
    return f"{decision_of(scenario).utilities.system}_stage"


def of_patients(
    result: Result, arm: str, scenario: Scenario, discounted: bool = True, horizon: float | None = None
) -> Worth:
    """Of each patient; `discounted` False: as if all was now. `horizon` [d] in place of the decision's."""
    name, truth = _stage_name(scenario), result.groups["truth"]  # not the summary, which costs more than the run
    if name not in truth:
        raise EconomicsError(f"the result has no {name}; run again with output.stages: true")
    block, end = decision_of(scenario), horizon_of(scenario) if horizon is None else horizon
    of = costs.Arm(result, scenario, arm, end, discounted)
    effects = costs.present(block, "effects", discounted)
    course = _course(of, truth["time"].values, truth[name].values[of.place].astype(np.intp))
    carers = np.array([*_carers(block), 0.0])
    quality = _quality(of, course, effects) - course.area(carers[course.stage], effects)
    parts = costs.of_patients(of)
    parts[CARE] = np.zeros(result.n_patients)
    for state, price in _priced_states(block):
        parts[CARE] += price.value * MONTHS_PER_YEAR * course.area(state[course.stage], of.of(price))
    alive = effects.years(np.zeros(result.n_patients), of.last)
    return Worth(alive, quality - _lost(of, effects), parts)


class Course(NamedTuple):
    """Stages at the days of output, (n, times), of which none is death: the last in life is kept on.

    `last` is death or the horizon, of each patient.
    """

    time: Floats
    stage: NDArray[np.intp]
    last: Floats
    horizon: float

    def area(self, values: Floats, present: Present, end: Floats | None = None) -> Floats:
        """Years under values : (n, times), straight between the days, to the day of death or an earlier one : (n,)."""
        last = self.last if end is None else end
        rows, alive = np.arange(len(last)), last >= self.horizon
        node = np.maximum((self.time[None, :] < last[:, None]).sum(axis=1) - 1, 0)
        after = np.minimum(node + 1, len(self.time) - 1)
        until = np.where(alive, len(self.time) - 1, node)  # the value of the last day in life is kept on
        kept = np.take_along_axis(values, np.minimum(np.arange(len(self.time))[None, :], until[:, None]), axis=1)
        found: Floats = kept @ present.weights(self.time, self.horizon)
        found -= values[rows, node] * present.years(last, np.full(len(last), self.horizon))
        goes_on = (last < self.last) & ((self.time[after] < self.last) | (self.last >= self.horizon))
        slope = np.where(goes_on, values[rows, after] - values[rows, node], 0.0) * DAYS_PER_YEAR
        slope /= np.maximum(self.time[after] - self.time[node], 1)
        return found + slope * present.moments(self.time[node], last)


def _course(of: costs.Arm, time: Floats, stage: NDArray[np.intp]) -> Course:
    """The course of an arm; what is beyond the horizon does not count."""
    if of.horizon > time[-1]:
        raise EconomicsError(f"the result ends on day {time[-1]:g}, the decision on day {of.horizon:g}; run again")
    death = of.events("death_time")
    node = np.maximum((time[None, :] < death[:, None]).sum(axis=1) - 1, 0)
    kept = np.minimum(np.arange(len(time))[None, :], node[:, None])
    return Course(time, np.take_along_axis(stage, kept, axis=1), of.last, of.horizon)


def _quality(of: costs.Arm, course: Course, present: Present) -> Floats:
    """QALYs of each patient by stage: until NIV, on it until PAV, and after PAV, each from the day of the event on."""
    block, values = decision_of(of.scenario).utilities, by_state(decision_of(of.scenario))[course.stage]
    most = _most(of, course)
    on_pav = course.last if block.pav is None else np.clip(of.pav_time, 0.0, course.last)
    on_niv = on_pav if block.niv is None else np.clip(of.events("niv_time"), 0.0, on_pav)
    found = course.area(np.minimum(values, most), present, on_niv)
    if block.niv is not None:
        lower = np.minimum(values - block.niv.value, most)
        found += course.area(lower, present, on_pav) - course.area(lower, present, on_niv)
    if block.pav is not None:
        after = np.minimum(np.full(values.shape, block.pav.value), most)
        found += course.area(after, present) - course.area(after, present, on_pav)
    return found


def _most(of: costs.Arm, course: Course) -> Floats:
    """The utility that nobody is above at the days of output : (n, times), or infinite."""
    norm = decision_of(of.scenario).utilities.norm
    if norm is None:
        return np.full(course.stage.shape, np.inf)
    people = of.result.groups["patients"]
    age = people["age"].values[:, None] + course.time[None, :] / DAYS_PER_YEAR
    male = (people["sex"].values == MAN)[:, None]
    found: Floats = (
        norm.constant.value + norm.male.value * male + norm.age.value * age + norm.age_squared.value * age**2
    )
    return found


def _lost(of: costs.Arm, present: Present) -> Floats:
    """QALYs that adverse events take from each patient, who must live to lose them."""
    found = np.zeros(of.result.n_patients)
    for name, loss in decision_of(of.scenario).utilities.events.items():
        patient, day = costs.adverse_events(of, name)
        end = np.minimum(day + loss.days.value, of.last[patient])
        found += np.bincount(patient, loss.loss.value * present.years(day, end), of.result.n_patients)
    return found


def of_summary(result: Result, arm: str, scenario: Scenario) -> Worth:
    """Means over patients, from the shares in each stage."""
    name, index = f"{_stage_name(scenario)}_share", result.arm_index(arm)
    group = result.groups["summary"]
    if name not in group:
        raise EconomicsError(f"the result has no {name}; run again with output.stages: true")
    if costs.needs_patients(scenario, [arm]):
        raise EconomicsError("events, starts and stops are priced, and a summary does not count them; keep patients")
    block, horizon = decision_of(scenario), horizon_of(scenario)
    if horizon > result.time[-1]:
        raise EconomicsError(f"the result ends on day {result.time[-1]:g}, the decision on day {horizon:g}; run again")
    effects, money = (costs.present(block, what) for what in ("effects", "costs"))
    shares, n, alive = group[name].values[index], result.worth, group["survival"].values[index]
    utility = by_state(block)
    living = np.append(np.ones(len(utility) - 1), 0.0)
    per_year = [(living, effects), (utility - np.array([*_carers(block), 0.0]), effects)]
    per_year += [(MONTHS_PER_YEAR * price.value * state, money.with_steps(price.steps))
                 for state, price in _priced_states(block)]  # fmt: skip
    weights = [present.weights(result.time, horizon) for _, present in per_year]
    means = [float(w @ economics.quality(shares, value)) for (value, _), w in zip(per_year, weights, strict=True)]
    errors = [economics.most_error(shares, v, w, n) for (v, _), w in zip(per_year, weights, strict=True)]
    day = _dose_days(scenario, arm)
    paid = costs.of_doses(scenario, arm, day, money)
    there = np.interp(day, result.time, alive)
    on = costs.months_of_summary(scenario, arm, result.time, alive, (horizon, money))
    error = sum(errors[2:]) + float(sum(paid.values()) @ np.sqrt(there * (1 - there) / n))
    error += float(on @ _relative(alive, n))
    parts = {name: np.array([float(worth @ there)]) for name, worth in paid.items()}
    parts |= {CARE: np.array([sum(means[2:])]), "months on treatments": np.array([float(on.sum())])}
    parts["once"] = np.array([costs.once(scenario, arm)])
    return Worth(np.array(means[:1]), np.array(means[1:2]), parts, (errors[0], errors[1], error))


def _relative(alive: Floats, n: float) -> Floats:
    """The error of the share alive over that share, at each time; 0 where nobody is."""
    found: Floats = np.sqrt(np.divide(1 - alive, alive * n, out=np.zeros(len(alive)), where=alive > 0))
    return found


def _dose_days(scenario: Scenario, arm: str) -> Floats:
    """Dose days until the horizon, where they cost; refused where some who live have no dose."""
    from simulator.program.arms import shared_dose_days

    if costs.are_doses_free(scenario, arm):
        return np.zeros(0)
    if not all_have_doses(scenario, arm):
        raise EconomicsError("doses are missed or stopped, and a summary does not count them; run with --output full")
    return np.array([d for d in shared_dose_days(scenario, arm) if d < horizon_of(scenario)], np.float64)


def is_summary_enough(scenario: Scenario) -> bool:
    """Whether a summary knows what the decision counts: no doses cost, or all who live have them, and no events do."""
    arms = list(scenario.arms)
    free = (costs.are_doses_free(scenario, arm) for arm in arms)
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
    return incremental(block.options, People(cost, effect, result.weight), block.willingness_to_pay.amount, draws)
