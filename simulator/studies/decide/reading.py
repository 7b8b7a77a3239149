"""What is read of each run of a decision: means of costs and QALYs, and of what its other tables are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.measures.costs import OF_DOSES
from simulator.measures.economics import EconomicsError, Worth, decision_of, horizon_of, of_patients, of_summary
from simulator.measures.outcome import OUTCOMES
from simulator.results import Result
from simulator.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.decision import Comparison

Floats = NDArray[np.float64]
SEX = ("men", "women")
DOSES = next(iter(OF_DOSES))


class Group(NamedTuple):
    """People who share a value of an array of patients."""

    key: str
    value: str | int
    name: str

    def among(self, result: Result) -> NDArray[np.bool_]:
        """Which patients are in it."""
        found: NDArray[np.bool_] = np.asarray(result.groups["patients"][self.key].values == self.value)
        return found


def groups_of(scenario: Scenario) -> list[Group]:
    """The subgroups that the decision asks for."""
    strata = scenario.strata or ("all",)
    every = {
        "variant": [Group("variant", name, name) for name in scenario.disease.variants],
        "sex": [Group("sex", code, name) for code, name in enumerate(SEX)],
        "stratum": [Group("stratum", name, name) for name in strata],
    }
    return [group for key in decision_of(scenario).subgroups or () for group in every[key]]


def years_of(scenario: Scenario) -> int:
    """Years of the budget."""
    block = decision_of(scenario).budget
    return 0 if block is None else len(block.new_patients)


def needs_patients(scenario: Scenario) -> bool:
    """Whether more is read than a summary tells."""
    return bool(decision_of(scenario).subgroups) or years_of(scenario) > 0


def worth_of(result: Result, arm: str, scenario: Scenario) -> Worth:
    """Costs and QALYs of an arm, of patients or as means."""
    return (of_patients if result.is_full else of_summary)(result, arm, scenario)


def read(scenario: Scenario, trial: Comparison | None, more: bool, result: Result, changed: Scenario) -> list[float]:
    """What is read of a run: costs and QALYs of every option; and where there is `more`, that of `Read`, in its order.

    `scenario` says what is asked, `changed` is that of the run.
    """
    each = [worth_of(result, arm, changed) for arm in decision_of(scenario).options]
    weight = result.weight if result.is_full else None
    found = [_mean(one, weight) for worth in each for one in (worth.costs, worth.qalys)]
    if more:
        found += [_mean(worth.parts[DOSES], weight) for worth in each]
        for group in groups_of(scenario):
            found += _of_group(each, group.among(result), weight)
        if years := years_of(scenario):
            for arm in decision_of(scenario).options:
                found += [_mean(one, weight) for one in yearly(result, changed, arm, years)]
    return found if trial is None else [*found, *compared(trial, result)]


def _mean(values: Floats, weight: Floats | None) -> float:
    return float(values.mean() if weight is None else np.average(values, weights=weight))


def _of_group(each: list[Worth], inside: NDArray[np.bool_], weight: Floats | None) -> Iterator[float]:
    """Costs and QALYs of every option in some patients; NaN where there are none."""
    own = None if weight is None else weight[inside]
    for worth in each:
        for values in (worth.costs, worth.qalys):
            yield _mean(values[inside], own) if inside.any() else float("nan")


def yearly(result: Result, scenario: Scenario, arm: str, years: int) -> Floats:
    """Undiscounted costs of each patient in each year after entry, until the horizon : (years, n)."""
    ends = [min(DAYS_PER_YEAR * (k + 1), horizon_of(scenario)) for k in range(years)]
    so_far = [of_patients(result, arm, scenario, False, end).costs for end in ends]
    found: Floats = np.diff(so_far, axis=0, prepend=0.0)
    return found


class More(NamedTuple):
    """Beside costs and QALYs, of each draw : (draws, options, replicates), means a patient.

    `doses` : what doses cost; `groups` : costs and QALYs of each subgroup, by its name, NaN in a run without any of it;
    `yearly` : undiscounted costs (draws, options, replicates, years).
    """

    doses: Floats
    groups: dict[str, tuple[Floats, Floats]]
    yearly: Floats | None


def unfolded(scenario: Scenario, values: Floats) -> tuple[Floats, Floats, More, Floats | None]:
    """Costs, QALYs, more, and what a trial compares, of what `read` gave : (draws, replicates, outputs)."""
    n = len(decision_of(scenario).options)
    place = [0]

    def take(count: int) -> Floats:
        place[0] += count
        return values[..., place[0] - count : place[0]]

    def pairs() -> tuple[Floats, Floats]:
        found = take(2 * n)
        return found[..., ::2].swapaxes(1, 2), found[..., 1::2].swapaxes(1, 2)

    cost, effect = pairs()
    doses = take(n).swapaxes(1, 2)
    groups = {group.name: pairs() for group in groups_of(scenario)}
    years = years_of(scenario)
    by_year = take(n * years).reshape(*values.shape[:2], n, years).swapaxes(1, 2) if years else None
    rest = values[..., place[0] :]
    return cost, effect, More(doses, groups, by_year), rest if rest.shape[-1] else None


def compared(block: Comparison, result: Result) -> list[float]:
    """The difference of a trial's two arms in its outcome, and its variance with one person in each, as simulated."""
    read_of = OUTCOMES[block.outcome].read
    assert read_of is not None  # economic outcomes cannot be asked for
    one, other = (read_of(result, arm, float(block.day)) for arm in (block.arm, block.against))
    found = [one.value - other.value, one.n * one.mcse**2 + other.n * other.mcse**2]
    if not np.isfinite(found).all():
        raise EconomicsError(
            f"nobody is left to have {block.outcome} on day {block.day}. Take an earlier research.trial.day"
        )
    return found
