"""The base case of a decision: costs, life years and QALYs of each option, and what one gains over another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import moments
from simulator.analysis.cost_effectiveness import Draws, People, Row, incremental
from simulator.analysis.moments import Estimate
from simulator.measures import costs
from simulator.measures.economics import EconomicsError, Worth, decision_of, horizon_of, of_patients
from simulator.results import Result
from simulator.studies.decide.tables import Cell, Column, Table, errors, number, spreads, three
from simulator.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.decision import Decision

Floats = NDArray[np.float64]
Who = NDArray[np.bool_]
ERRORS = "± Monte Carlo error, SD over the parameters."
CUT = 0.05
"""Share alive at the horizon above which it is said that the horizon cuts something off."""


class Base(NamedTuple):
    """The base case. `worth` and `plain`, by option: of each patient, discounted and not; `alive`: at the horizon."""

    options: tuple[str, ...]
    worth: dict[str, Worth]
    plain: dict[str, Worth]
    alive: dict[str, Estimate]
    people: People
    rows: list[Row]
    tables: list[Table]
    warnings: list[str]

    def table(self, name: str) -> Table:
        """A table by its name."""
        return next(one for one in self.tables if one.name == name)


def base_case(result: Result, scenario: Scenario) -> Base:
    """Costs and effects of the options of a decision, from a result with patients.

    Parameters
    ----------
    result : Result
        Of the scenario; every option lives the same patients.
    scenario : Scenario
        With a block `decision`.

    Raises
    ------
    EconomicsError
        There is no decision, or the result has no patients, no stages or ends before the horizon.
    """
    block = decision_of(scenario)
    if not result.is_full:
        raise EconomicsError("costs and effects pair patients, and a summary has none; run with --output full")
    horizon, options = horizon_of(scenario), tuple(block.options)
    worth = {arm: of_patients(result, arm, scenario) for arm in options}
    plain = {arm: of_patients(result, arm, scenario, discounted=False) for arm in options}
    lived = [costs.Arm(result, scenario, arm, horizon) for arm in options]
    alive = {arm.name: moments.proportion(arm.events("death_time") > horizon, result.weight) for arm in lived}
    cost, effect = (np.stack([getattr(worth[arm], key) for arm in options], axis=1) for key in ("costs", "qalys"))
    people = People(cost, effect, result.weight)
    rows = incremental(options, people, block.willingness_to_pay.amount)
    found = Base(options, worth, plain, alive, people, rows, [], list(_warnings(scenario, alive)))
    found.tables.extend(_tables(found, scenario, lived, result.weight))
    return found


def increments(
    people: People, options: Sequence[str], threshold: float, draws: Draws | None = None, who: Who | None = None
) -> list[Row]:
    """The incremental table of options; `who` restricts the people of the base case to some of them."""
    inside = slice(None) if who is None else who
    weight = None if people.weight is None else people.weight[inside]
    return incremental(options, People(people.cost[inside], people.effect[inside], weight), threshold, draws)


def _warnings(scenario: Scenario, alive: dict[str, Estimate]) -> Iterator[str]:
    """What the reader must know first."""
    cut = {arm: one.value for arm, one in alive.items() if one.value > CUT}
    if cut:
        shares = ", ".join(f"{100 * share:.0f} % of {arm}" for arm, share in cut.items())
        yield (
            f"Alive at the horizon on day {horizon_of(scenario):g}: {shares}. What follows is cut off, of costs and of "
            "effects. Take a longer follow_up_days and decision.day."
        )
    if free := costs.unpriced(scenario):
        yield f"Without a price: {', '.join(free)}."


def basis(scenario: Scenario) -> str:
    """Currency, price year, perspective, rates and horizon, in words."""
    block = decision_of(scenario)
    return (
        f"{block.currency} of {block.price_year}, perspective: {block.perspective}; discount {rates_text(block)}; "
        f"{years_text(scenario)}; {block.willingness_to_pay.amount:,.0f} {block.currency} a QALY"
    )


def rates_text(block: Decision) -> str:
    """The rates of discount in words."""
    effects = block.discount_effects_per_year or block.discount_per_year
    rates = f"{100 * block.discount_per_year.value:g} % a year"
    if effects.value != block.discount_per_year.value:
        rates = f"costs {rates}, effects {100 * effects.value:g} %"
    if block.discount_later is not None:
        one = block.discount_later
        rates += f" (from day {one.from_day} {100 * one.costs.value:g} % and {100 * one.effects.value:g} %)"
    return rates


def years_text(scenario: Scenario) -> str:
    """The horizon in words."""
    return f"{horizon_of(scenario) / DAYS_PER_YEAR:.1f} years"


def _tables(base: Base, scenario: Scenario, arms: Sequence[costs.Arm], weight: Floats | None) -> Iterator[Table]:
    """Effects and costs of each option, what one gains over another, and what the costs are made of."""
    yield _outcomes(base, scenario, weight)
    yield incremental_table(base.rows, scenario, "incremental", "Options in order of QALYs")
    yield _parts(base, scenario, weight)
    yield from _stopping(arms, weight)


def _outcomes(base: Base, scenario: Scenario, weight: Floats | None) -> Table:
    money = decision_of(scenario).currency
    columns = [Column("option"), *errors(["life years", "undiscounted life years"], 3)]
    columns += [*errors(["QALYs", "undiscounted QALYs"], 3), *errors(["costs", "undiscounted costs"], 0, money)]
    rows: list[list[Cell]] = []
    for arm in base.options:
        both = base.worth[arm], base.plain[arm]
        found = [
            moments.mean(values, weight) for key in ("life_years", "qalys", "costs") for values in _each(both, key)
        ]
        found.append(moments.scaled(base.alive[arm], 100))
        rows.append([arm, *(x for one in found for x in (number(one.value), number(one.mcse)))])
    columns += errors(["alive at the horizon"], 1, "%")
    return Table("outcomes", f"Costs and effects a patient; {basis(scenario)}", columns, rows, "± Monte Carlo error.")


def _each(both: Iterable[Worth], key: str) -> list[Floats]:
    return [getattr(one, key) for one in both]


def incremental_table(rows: Sequence[Row], scenario: Scenario, name: str, caption: str) -> Table:
    """Rows of an incremental analysis as a table, net benefit in money and in health."""
    block = decision_of(scenario)
    money, threshold = block.currency, block.willingness_to_pay.amount
    columns = [Column("option"), Column("versus"), Column("status"), Column("costs", 0, money), Column("QALYs", 3)]
    columns += spreads(
        [("extra costs", 0, money), ("extra QALYs", 3, ""), ("ICER", 0, f"{money}/QALY"), ("net benefit", 0, money),
         ("extra net benefit", 0, money), ("net health benefit", 3, "QALYs")]
    )  # fmt: skip
    body: list[list[Cell]] = []
    for row in rows:
        figures = (row.extra_cost, row.extra_effect, row.ratio, row.net_benefit, row.extra_net_benefit)
        health = three(row.net_benefit, 1 / threshold) if threshold else [None] * 3
        first: list[Cell] = [row.option, row.versus, row.status, number(row.cost.value), number(row.effect.value)]
        body.append([*first, *(cell for one in figures for cell in three(one)), *health])
    note = f"At {threshold:,.0f} {money} a QALY. {ERRORS} ICER against `versus`."
    return Table(name, caption, columns, body, note)


def _parts(base: Base, scenario: Scenario, weight: Floats | None) -> Table:
    """What each option costs, part by part; parts that cost nothing anywhere are left out."""
    money = decision_of(scenario).currency
    names = list(base.worth[base.options[0]].parts)
    rows: list[list[Cell]] = []
    for name in names:
        found = [moments.mean(base.worth[arm].parts[name], weight) for arm in base.options]
        if any(one.value for one in found):
            rows.append([name, *(number(x) for one in found for x in (one.value, one.mcse))])
    return Table("costs", "Costs by part, discounted", [Column("part"), *errors(base.options, 0, money)], rows)


def _stopping(arms: Sequence[costs.Arm], weight: Floats | None) -> Iterator[Table]:
    """What stopping a treatment saves, where anybody stops one."""
    rows: list[list[Cell]] = []
    for arm in arms:
        for name in costs.treatments_of(arm.scenario, arm.name):
            saved, stopped = costs.saved_by_stopping(arm, name)
            share, mean = moments.scaled(moments.proportion(stopped > 0, weight), 100), moments.mean(saved, weight)
            if share.value:
                rows.append([arm.name, name, *(number(x) for one in (share, mean) for x in (one.value, one.mcse))])
    if rows:
        money = decision_of(arms[0].scenario).currency
        columns = [Column("option"), Column("treatment"), *errors(["stopped"], 1, "%"), *errors(["saved"], 0, money)]
        note = "What going on until death or the horizon would have cost those who stopped, their lives being the same."
        yield Table("stopping", "What stopping a treatment saves, a patient of the option", columns, rows, note)
