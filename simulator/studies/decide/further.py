"""Of the base case: subgroups, scenarios, the price that a threshold allows, severity, budget by year."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import moments
from simulator.analysis.health_economics import expected_quality
from simulator.language.alternatives import alternatives
from simulator.results import Result
from simulator.studies.costs import OF_DOSES, present, treatments_of
from simulator.studies.decide.base import Base, base_case, increments
from simulator.studies.decide.tables import Cell, Column, Table, number
from simulator.studies.economics import MAN, EconomicsError, decision_of, horizon_of, of_patients
from simulator.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
SEX = ("men", "women")


def _short_columns(money: str, first: str) -> list[Column]:
    columns = [Column(first), Column("option"), Column("versus"), Column("status"), Column("extra costs", 0, money)]
    columns += [Column("extra QALYs", 3), Column("ICER", 0, f"{money}/QALY"), Column("net benefit", 0, money)]
    return [*columns, Column("±", 0)]


def _short(name: str, rows: list) -> list[list[Cell]]:
    """An incremental table in few columns."""
    return [
        [name, row.option, row.versus, row.status, number(row.extra_cost.value), number(row.extra_effect.value),
         number(row.icer), number(row.net_benefit.value), number(row.net_benefit.mcse)]
        for row in rows
    ]  # fmt: skip


def subgroups(base: Base, result: Result, scenario: Scenario) -> Iterator[Table]:
    """The incremental table in patients who share a variant, a sex or a stratum."""
    block, body = decision_of(scenario), []
    for key in block.subgroups or ():
        values = result.groups["patients"][key].values
        for one in np.unique(values):
            inside = values == one
            name = SEX[int(one)] if key == "sex" else str(one)
            if inside.sum() > 1:
                threshold = block.willingness_to_pay.amount
                rows = increments(base.options, base.worth, threshold, result.weight, inside)
                body += _short(f"{name} ({inside.sum():,})", rows)
    if body:
        yield Table("subgroups", "For whom", _short_columns(block.currency, "patients"), body, "± Monte Carlo error.")


def scenarios(result: Result, scenario: Scenario, simulate: Callable[[Scenario], Result]) -> Iterator[Table]:
    """The incremental table under other values; lives are simulated again only where they depend on them."""
    block, body = decision_of(scenario), []
    for name, changed in alternatives(scenario).items():
        same = all(place.startswith("decision.") for place in (block.scenarios or {})[name])
        body += _short(name, base_case(result if same else simulate(changed), changed).rows)
    if body:
        columns = _short_columns(block.currency, "scenario")
        yield Table("scenarios", "Under other assumptions", columns, body, "The same patients in every scenario.")


def prices(base: Base, result: Result, scenario: Scenario) -> Iterator[Table]:
    """The price of a dose at which an option is worth it, against the least effective one that has no such dose."""
    block = decision_of(scenario)
    body: list[list[Cell]] = []
    first = base.rows[0].option
    mean = {arm: _means(base, arm, result.weight) for arm in base.options}
    for arm in base.options:
        drugs = [name for name in treatments_of(scenario, arm) if name in block.costs.per_dose]
        paid = mean[arm]["doses"]
        used = [name for name in treatments_of(scenario, first) if name in block.costs.per_dose]
        if arm == first or used or len(drugs) != 1 or paid <= 0:
            continue
        price = block.costs.per_dose[drugs[0]].amount
        gain, rest = mean[arm]["QALYs"] - mean[first]["QALYs"], mean[arm]["costs"] - paid - mean[first]["costs"]
        own = block.willingness_to_pay.amount
        for threshold in (0.5 * own, own, 2 * own):
            allowed = price * (threshold * gain - rest) / paid
            body.append([arm, first, drugs[0], threshold, price, number(allowed)])
    if body:
        money = block.currency
        columns = [Column("option"), Column("versus"), Column("drug"), Column("threshold", 0, f"{money}/QALY")]
        columns += [Column("price of a dose", 0, money), Column("price that the threshold allows", 0, money)]
        note = "Below 0: not worth it free of charge. Price steps keep their factors; other costs stay."
        yield Table("prices", "At what price", columns, body, note)


def _means(base: Base, arm: str, weight: Floats | None) -> dict[str, float]:
    worth = base.worth[arm]
    found = {"QALYs": worth.qalys, "costs": worth.costs, "doses": worth.parts[next(iter(OF_DOSES))]}
    return {name: moments.mean(values, weight).value for name, values in found.items()}


def severity(base: Base, result: Result, scenario: Scenario) -> Iterator[Table]:
    """Absolute and proportional shortfall under current care, the weight of a QALY, and ratios under it."""
    block = decision_of(scenario)
    if block.severity is None:
        return
    given = block.severity.expected_qalys
    expected = given.value if given is not None else _without_the_disease(result, scenario)
    now = moments.mean(base.worth[block.severity.option].qalys, result.weight).value
    absolute, proportional = expected - now, (expected - now) / expected
    reached = [
        band.weight.value
        for band in block.severity.bands
        if absolute >= band.absolute.value or proportional >= band.proportional.value
    ]
    weight = max([1.0, *reached])
    threshold = block.willingness_to_pay.amount
    columns = [Column("option"), Column("expected QALYs", 2), Column("QALYs under current care", 2)]
    columns += [Column("absolute shortfall", 2), Column("proportional shortfall", 3), Column("weight", 2)]
    ratio = f"{block.currency}/QALY"
    columns += [Column("ICER", 0, ratio), Column("weighted ICER", 0, ratio)]
    columns.append(Column("weighted extra net benefit", 0, block.currency))
    body: list[list[Cell]] = []
    for row in base.rows:
        net = weight * threshold * row.extra_effect.value - row.extra_cost.value
        weighted = [number(row.icer), number(row.icer / weight), number(net)]
        body.append([row.option, expected, number(now), number(absolute), number(proportional), weight, *weighted])
    table = block.severity.life_table
    note = "" if table is None else f"QALYs without the disease by the life table of {table.source}."
    yield Table("severity", f"Severity, current care being {block.severity.option}", columns, body, note)


def _without_the_disease(result: Result, scenario: Scenario) -> float:
    """Mean QALYs of people of the patients' age and sex by the life table and the norm of utilities."""
    block, people = decision_of(scenario), result.groups["patients"]
    assert block.severity is not None
    table, norm = block.severity.life_table, block.utilities.norm
    assert table is not None  # what the language makes sure of
    assert norm is not None
    men, first = people["sex"].values == MAN, table.from_age.value
    if (youngest := people["age"].values.min()) < first:
        fact = f"severity.life_table begins at age {first:g}, and somebody is {youngest:.1f}"
        raise EconomicsError(f"{fact}. Begin it at an earlier age")
    found = np.zeros(result.n_patients)
    for who, is_man, column in ((men, 1.0, table.men), (~men, 0.0, table.women)):
        terms = (norm.constant.value + is_man * norm.male.value, norm.age.value, norm.age_squared.value)
        dying = np.array([one.value for one in column])
        age = people["age"].values[who].astype(np.float64)
        found[who] = expected_quality(age, first, dying, terms, present(block, "effects"))
    return float(moments.mean(found, result.weight).value)


def budget(result: Result, scenario: Scenario) -> Iterator[Table]:
    """What a new choice costs a payer in each year, undiscounted, beside going on as now."""
    block = decision_of(scenario)
    if block.budget is None:
        return
    years, current = len(block.budget.new_patients), block.budget.current
    names = list(dict.fromkeys([current, *block.budget.uptake]))
    yearly = {arm: yearly_costs(result, scenario, arm, years) for arm in names}
    columns = [Column("year"), Column("new patients", 1), Column(f"all on {current}", 0, block.currency)]
    columns += [Column("with the new choice", 0, block.currency), Column("budget impact", 0, block.currency)]
    body: list[list[Cell]] = []
    for year in range(years):
        before = after = 0.0
        for entered in range(year + 1):
            people = block.budget.new_patients[entered].value
            shares = {arm: of[entered].value for arm, of in block.budget.uptake.items()}
            rest = 1 - sum(share for arm, share in shares.items() if arm != current)
            shares[current] = rest
            before += people * yearly[current][year - entered]
            after += people * sum(share * yearly[arm][year - entered] for arm, share in shares.items())
        body.append([str(year + 1), block.budget.new_patients[year].value, before, after, after - before])
    note = "Undiscounted. Everybody enters on the first day of a year; who has no option stated stays on current care."
    yield Table("budget", "Budget impact by year", columns, body, note)


def yearly_costs(result: Result, scenario: Scenario, arm: str, years: int) -> list[float]:
    """Mean undiscounted costs of a patient in each year after entry, until the horizon."""
    ends = [min(DAYS_PER_YEAR * (k + 1), horizon_of(scenario)) for k in range(years)]
    so_far = [moments.mean(of_patients(result, arm, scenario, False, end).costs, result.weight).value for end in ends]
    return np.diff([0.0, *so_far]).tolist()
