"""One number of a result by its name: an outcome of an arm, or its difference from another, with its error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis import contrast, moments
from simulator.analysis.moments import Estimate
from simulator.errors import SimulatorError, absent
from simulator.measures import economics
from simulator.measures.metrics import METRICS, View, estimate, time_index
from simulator.results import Result
from simulator.results.survival import curve_from_grid
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from simulator.language import Scenario

Reader = Callable[[Result, str, float], Estimate]


class OutcomeError(SimulatorError):
    """There is no such outcome, arm or day."""

    exit_code = 2


class OutcomeRequest(NamedTuple):
    """An outcome of an arm on a day, or until it; `against` another arm where that is not empty."""

    outcome: str
    arm: str
    against: str
    day: float

    @property
    def title(self) -> str:
        """In words."""
        row = OUTCOMES[self.outcome]
        arms = f"{self.arm} against {self.against}" if self.against else self.arm
        return f"{row.label} {'until' if row.until else 'on'} day {self.day:g}, {arms}"

    @property
    def unit(self) -> str:
        """Its unit; a ratio of ratios where two arms are set against each other."""
        row = OUTCOMES[self.outcome]
        return "ratio of arms" if row.logarithm and self.against else row.unit


class Row(NamedTuple):
    """An outcome: how it is called and read. `until`: it counts what happens until the day, not what is then."""

    label: str
    unit: str
    read: Reader | None  # None: an economic outcome, read with the scenario
    until: bool = False
    logarithm: bool = False
    digits: int = 2


def _metric(name: str) -> Row:
    metric = next(one for one in METRICS if one.name == name)
    label = metric.label.removesuffix(" so far")
    until = name == "serious_neurologic"
    return Row(label, metric.unit, lambda r, a, d: estimate(metric, r, a, d), until, metric.logarithm, metric.digits)


def _event_free_months(result: Result, arm: str, day: float) -> Estimate:
    """Mean event-free months until the day, wherever it lies between days of output."""
    if not result.is_full:
        return Estimate(*result.survival(arm).rmst(day / DAYS_PER_MONTH), result.n_patients)
    time = result.groups["events"]["event_free_time"].values[result.arm_index(arm)]
    return moments.scaled(moments.restricted_mean(time, day, result.weight), 1 / DAYS_PER_MONTH)


def _life_months(result: Result, arm: str, day: float) -> Estimate:
    """Mean months alive until the day, on permanent ventilation too."""
    index = result.arm_index(arm)
    if not result.is_full:
        alive = result.groups["summary"]["survival"].values[index]
        curve = curve_from_grid(result.time, alive, result.worth)
        return Estimate(*curve.rmst(day / DAYS_PER_MONTH), result.n_patients)
    death = result.groups["events"]["death_time"].values[index]
    lived = np.where(np.isnan(death), result.follow_up_days, death)
    return moments.scaled(moments.restricted_mean(lived, day, result.weight), 1 / DAYS_PER_MONTH)


def _survival(result: Result, arm: str, day: float) -> Estimate:
    """Per cent alive."""
    index, at = result.arm_index(arm), time_index(result, day)
    if result.is_full:
        return moments.scaled(moments.proportion(View(result, index, at).alive, result.weight), 100)
    group = result.groups["summary"]
    value, mcse = (float(group[key].values[index, at]) for key in ("survival", "survival_mcse"))
    return Estimate(100 * value, 100 * mcse, result.n_patients)


OUTCOMES: dict[str, Row] = {
    **{
        name: _metric(name)
        for name in (
            "alsfrs_r_change_survivors",
            "alsfrs_r_change_death0",
            "svc_change",
            "nfl_plasma_ratio",
            "sod1_csf",
            "event_free",
            "serious_neurologic",
        )
    },
    "event_free_months": Row("Event-free time", "months", _event_free_months, until=True),
    "survival": Row("Alive", "%", _survival, digits=1),
    "life_months": Row("Life time", "months", _life_months, until=True),
    "life_years": Row("Discounted life years", "years", None, until=True, digits=3),
    "qalys": Row("Discounted QALYs", "QALYs", None, until=True, digits=3),
    "costs": Row("Discounted costs", "", None, until=True, digits=0),
    "net_benefit": Row("Net monetary benefit", "", None, until=True, digits=0),
}


def request_of(scenario: Scenario) -> OutcomeRequest:
    """What the block `sensitivity` asks; its day is the last by default.

    Raises
    ------
    OutcomeError
        The scenario has no such block.
    """
    block = scenario.sensitivity
    if block is None:
        fact = f"{scenario.source_file} does not say which outcome to explain"
        raise OutcomeError(f"{fact}. Add sensitivity: {{outcome: event_free_months, arm: …, against: …, day: …}}")
    if OUTCOMES[block.outcome].read is None:
        day = economics.horizon_of(scenario)
        if block.day is not None and block.day != day:
            raise OutcomeError(f"{block.outcome} counts until the decision's day {day:g}. Remove sensitivity.day")
        return OutcomeRequest(block.outcome, block.arm, block.against or "", day)
    return OutcomeRequest(block.outcome, block.arm, block.against or "", float(block.day or scenario.follow_up_days))


def outcome(result: Result, asked: OutcomeRequest, scenario: Scenario | None = None) -> Estimate:
    """The number asked for.

    A difference of ratios is their ratio. It is paired where patients were kept; from a summary its error is that of
    two separate groups of patients, mostly an upper bound.

    Parameters
    ----------
    result : Result
    asked : OutcomeRequest
    scenario : Scenario, optional
        Of the result; economic outcomes need it.

    Raises
    ------
    OutcomeError
        There is no such outcome or arm, or follow-up ends before the day.
    """
    if asked.outcome not in OUTCOMES:
        raise OutcomeError(absent("outcome", asked.outcome, OUTCOMES))
    row = OUTCOMES[asked.outcome]
    arms = result.groups["events" if result.is_full else "summary"]["arm"].values.tolist()
    for arm in filter(None, (asked.arm, asked.against)):
        if arm not in arms:
            raise OutcomeError(absent("arm", arm, arms))
    if asked.outcome == "serious_neurologic" and not result.has(asked.outcome):
        raise OutcomeError(f"{asked.outcome}: the result has no adverse events. Simulate them with a block safety")
    if asked.day > result.follow_up_days + 1e-6:
        raise OutcomeError(f"day {asked.day:g} is after the end of follow-up, day {result.follow_up_days:g}")

    def read(arm: str) -> Estimate:
        if row.read is not None:
            return row.read(result, arm, asked.day)
        if scenario is None:
            raise OutcomeError(f"{asked.outcome} needs the scenario, whose decision defines it")
        return economics.economic(asked.outcome, result, arm, scenario)

    found = read(asked.arm)
    if asked.against:
        found = contrast.difference(found, read(asked.against), same_patients=True)
    return moments.exponential(found) if row.logarithm else found
