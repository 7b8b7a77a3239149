"""Of the base case: subgroups, scenarios, the price that a threshold allows, severity, budget by year."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import moments
from simulator.analysis.cost_effectiveness import Draws, Figure, Row, spread
from simulator.analysis.health_economics import expected_quality
from simulator.language.alternatives import alternatives
from simulator.measures.costs import present, treatments_of
from simulator.measures.economics import MAN, EconomicsError, decision_of
from simulator.results import Result
from simulator.studies.decide.base import ERRORS, Base, base_case, increments
from simulator.studies.decide.reading import DOSES, groups_of, yearly, years_of
from simulator.studies.decide.research import Sample
from simulator.studies.decide.tables import Cell, Column, Table, number, spreads, three

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.decision import Decision

Floats = NDArray[np.float64]


def _short_columns(money: str, first: str) -> list[Column]:
    columns = [Column(first), Column("option"), Column("versus"), Column("status")]
    return columns + spreads(
        [("extra costs", 0, money), ("extra QALYs", 3, ""), ("ICER", 0, f"{money}/QALY"), ("net benefit", 0, money)]
    )


def _short(name: str, rows: list[Row]) -> list[list[Cell]]:
    """An incremental table in few columns."""
    return [
        [name, row.option, row.versus, row.status,
         *(cell for one in (row.extra_cost, row.extra_effect, row.ratio, row.net_benefit) for cell in three(one))]
        for row in rows
    ]  # fmt: skip


def subgroups(base: Base, result: Result, scenario: Scenario, sample: Sample) -> Iterator[Table]:
    """The incremental table in patients who share a variant, a sex or a stratum."""
    block, body = decision_of(scenario), []
    assert sample.more is not None
    for group in groups_of(scenario):
        inside = group.among(result)
        if inside.sum() > 1:
            threshold, draws = block.willingness_to_pay.amount, _complete(*sample.more.groups[group.name])
            rows = increments(base.people, base.options, threshold, draws, inside)
            body += _short(f"{group.name} ({inside.sum():,})", rows)
    if body:
        yield Table("subgroups", "For whom", _short_columns(block.currency, "patients"), body, ERRORS)


def _complete(cost: Floats, effect: Floats) -> Draws | None:
    """The draws in which every run has somebody of a subgroup; None where they are too few to spread."""
    kept = np.isfinite(cost).all(axis=(1, 2))
    return Draws(cost[kept], effect[kept]) if kept.sum() > 1 else None


def scenarios(result: Result, scenario: Scenario, simulate: Callable[[Scenario], Result]) -> Iterator[Table]:
    """The incremental table under other values; lives are simulated again only where they depend on them."""
    block, body = decision_of(scenario), []
    for name, changed in alternatives(scenario).items():
        same = all(place.startswith("decision.") for place in (block.scenarios or {})[name])
        body += _short(name, base_case(result if same else simulate(changed), changed).rows)
    if body:
        note = "The same patients in every scenario. ± Monte Carlo error; the base case alone is drawn."
        yield Table("scenarios", "Under other assumptions", _short_columns(block.currency, "scenario"), body, note)


def prices(base: Base, scenario: Scenario, sample: Sample) -> Iterator[Table]:
    """The price of a dose at which an option is worth it, against the least effective one that has no such dose."""
    block = decision_of(scenario)
    body: list[list[Cell]] = []
    first = base.rows[0].option
    used = [name for name in treatments_of(scenario, first) if name in block.costs.per_dose]
    for arm in base.options:
        drugs = [name for name in treatments_of(scenario, arm) if name in block.costs.per_dose]
        if arm == first or used or len(drugs) != 1 or not base.worth[arm].parts[DOSES].any():
            continue
        own, price = block.willingness_to_pay.amount, block.costs.per_dose[drugs[0]].amount
        for threshold in (0.5 * own, own, 2 * own):
            allowed = _allowed(base, sample, _Priced(scenario, arm, first, drugs[0]), threshold)
            body.append([arm, first, drugs[0], threshold, price, *three(allowed)])
    if body:
        money = block.currency
        columns = [Column("option"), Column("versus"), Column("drug"), Column("threshold", 0, f"{money}/QALY")]
        columns += [Column("price of a dose", 0, money), *spreads([("price that the threshold allows", 0, money)])]
        note = f"Below 0: not worth it free of charge. Price steps keep their factors; other costs stay. {ERRORS}"
        yield Table("prices", "At what price", columns, body, note)


class _Priced(NamedTuple):
    """An option, the one it is set against, and the drug whose price is sought."""

    scenario: Scenario
    arm: str
    against: str
    drug: str

    @property
    def price(self) -> float:
        """Of a dose."""
        return decision_of(self.scenario).costs.per_dose[self.drug].amount

    def of_draws(self, sample: Sample) -> Floats:
        """The price at each draw, which may be drawn itself, by that of the base case : (draws, 1)."""
        amount = decision_of(self.scenario).costs.per_dose[self.drug]
        place = f"decision.costs.per_dose.{self.drug}"
        return np.array([[one.get(place, amount.value) / amount.value] for one in sample.drawn.settings])


def _allowed(base: Base, sample: Sample, of: _Priced, threshold: float) -> Figure:
    """The price at which the extra net benefit is 0: what is gained beside doses, over the doses at their worth.

    A ratio of means, whose errors are those of its linear part, as of an ICER.
    """
    k, j = (base.options.index(name) for name in (of.arm, of.against))
    worth = base.worth[of.arm]
    gained = threshold * (base.people.effect[:, k] - base.people.effect[:, j])
    gained = gained - (base.people.cost[:, k] - worth.parts[DOSES] - base.people.cost[:, j])
    doses = worth.parts[DOSES] / of.price
    mean = moments.mean(doses, base.people.weight).value
    value = moments.mean(gained, base.people.weight).value / mean
    error = moments.mean((gained - value * doses) / mean, base.people.weight).mcse
    assert sample.more is not None
    paid, change = sample.more.doses[:, k], of.of_draws(sample)
    drawn = threshold * (sample.effect[:, k] - sample.effect[:, j]) - (sample.cost[:, k] - paid - sample.cost[:, j])
    return Figure(value, error, spread((drawn - value * paid / (of.price * change)) / mean))


def severity(base: Base, result: Result, scenario: Scenario, draws: Draws) -> Iterator[Table]:
    """Absolute and proportional shortfall under current care, the weight of a QALY, and ratios under it."""
    block = decision_of(scenario)
    if block.severity is None:
        return
    given, current = block.severity.expected_qalys, base.options.index(block.severity.option)
    each = base.people.effect[:, current]
    without = np.full(len(each), given.value) if given is not None else _without_the_disease(result, scenario)
    expected, now = (moments.mean(one, result.weight) for one in (without, each))
    absolute = moments.mean(without - each, result.weight)
    proportional = absolute.value / expected.value
    error = moments.mean((each - (1 - proportional) * without) / expected.value, result.weight).mcse
    reached = [
        band.weight.value
        for band in block.severity.bands
        if absolute.value >= band.absolute.value or proportional >= band.proportional.value
    ]
    weight = max([1.0, *reached])
    sd = spread(draws.effect[:, current])
    shared: list[Cell] = [number(expected.value), *three(Figure(now.value, now.mcse, sd))]
    shared += [
        *three(Figure(absolute.value, absolute.mcse, sd)),
        *three(Figure(proportional, error, sd / expected.value)),
    ]
    rows = increments(base.people, base.options, weight * block.willingness_to_pay.amount, draws)
    columns = [Column("option"), Column("expected QALYs", 2)]
    columns += spreads(
        [("QALYs under current care", 2, ""), ("absolute shortfall", 2, ""), ("proportional shortfall", 3, "")]
    )
    ratio = f"{block.currency}/QALY"
    columns += [Column("weight", 2), *spreads([("ICER", 0, ratio), ("weighted ICER", 0, ratio)])]
    columns += spreads([("weighted extra net benefit", 0, block.currency)])
    body: list[list[Cell]] = []
    for row in rows:
        ratios = [*three(row.ratio), *three(row.ratio, 1 / weight), *three(row.extra_net_benefit)]
        body.append([row.option, *shared, weight, *ratios])
    table = block.severity.life_table
    note = f"{ERRORS} The weight is that of the base case."
    note += "" if table is None else f" QALYs without the disease by the life table of {table.source}."
    yield Table("severity", f"Severity, current care being {block.severity.option}", columns, body, note)


def _without_the_disease(result: Result, scenario: Scenario) -> Floats:
    """QALYs of people of each patient's age and sex by the life table and the norm of utilities."""
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
    return found


def budget(result: Result, scenario: Scenario, sample: Sample) -> Iterator[Table]:
    """What a new choice costs a payer in each year, undiscounted, beside going on as now."""
    block = decision_of(scenario)
    if block.budget is None:
        return
    assert sample.more is not None
    assert sample.more.yearly is not None
    years, current = years_of(scenario), block.budget.current
    each = np.stack([yearly(result, scenario, arm, years) for arm in block.options])  # (options, years, n)
    drawn = np.moveaxis(sample.more.yearly, (1, 3), (0, 1))  # (options, years, draws, replicates)
    columns = [Column("year"), Column("new patients", 1)]
    columns += spreads([(name, 0, block.currency) for name in
                        (f"all on {current}", "with the new choice", "budget impact")])  # fmt: skip
    body: list[list[Cell]] = []
    for year in range(years):
        before, after = shares_of(block, year)
        figures = []
        for share in (before, after, after - before):
            paid, over = (np.einsum("oy,oy...->...", share, of) for of in (each, drawn))
            one = moments.mean(paid, result.weight)
            figures.append(Figure(one.value, one.mcse, spread(over)))
        new = block.budget.new_patients[year].value
        body.append([str(year + 1), new, *(cell for one in figures for cell in three(one))])
    note = "Undiscounted. Everybody enters on the first day of a year; who has no option stated stays on current care."
    yield Table("budget", "Budget impact by year", columns, body, f"{note} {ERRORS}")


def shares_of(block: Decision, year: int) -> tuple[Floats, Floats]:
    """People in each year since entry on each option in a year : (options, years), before and under the new choice."""
    assert block.budget is not None
    plan, options = block.budget, block.options
    before, after = np.zeros((2, len(options), len(plan.new_patients)))
    current = options.index(plan.current)
    for entered in range(year + 1):
        people, since = plan.new_patients[entered].value, year - entered
        before[current, since] = after[current, since] = people
        for arm, of in plan.uptake.items():
            moved = people * of[entered].value if arm != plan.current else 0.0
            after[options.index(arm), since] += moved
            after[current, since] -= moved
    return before, after
