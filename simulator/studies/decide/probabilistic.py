"""What draws of the uncertain values say of a decision: acceptability, expected loss, worth of information."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import value_of_information as value
from simulator.measures.economics import decision_of
from simulator.studies.decide.drawing import GROUPS, Drawn
from simulator.studies.decide.research import PER_VALUE, Sample, study
from simulator.studies.decide.tables import Cell, Column, Table, number

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
STEPS = 20
"""Thresholds from 0 to twice the willingness to pay, where the decision names none."""
ALL = "all "


def thresholds(scenario: Scenario) -> list[float]:
    """Values of a QALY over which curves run, that of the decision among them."""
    block = decision_of(scenario)
    own = block.willingness_to_pay.amount
    if block.thresholds is not None:
        return sorted({own, *(one.value for one in block.thresholds)})
    return [2 * own * k / STEPS for k in range(STEPS + 1)]


def curves(sample: Sample, scenario: Scenario) -> Iterator[Table]:
    """Acceptability, with the option on the frontier, and expected loss, over thresholds."""
    money, options = decision_of(scenario).currency, sample.options
    accepted: list[list[Cell]] = []
    lost: list[list[Cell]] = []
    for threshold in thresholds(scenario):
        mean = sample.benefit(threshold).mean(axis=2)
        best = mean.argmax(axis=1)
        share = np.bincount(best, minlength=len(options)) / len(mean)
        front = int(mean.mean(axis=0).argmax())
        accepted.append([threshold, *map(float, share), options[front], float(share[front])])
        loss = (mean.max(axis=1, keepdims=True) - mean).mean(axis=0)
        lost.append([threshold, *map(float, loss), float(loss.min())])
    head = Column("threshold", 0, f"{money}/QALY")
    columns = [head, *(Column(name, 3) for name in options), Column("frontier"), Column("accepted", 3)]
    yield Table(
        "acceptability", "Share of draws in which each option has the highest net benefit", columns, accepted,
        "Frontier: the option with the highest mean net benefit, and the share of draws in which it is the best.",
    )  # fmt: skip
    columns = [head, *(Column(name, 0, money) for name in options), Column("EVPI", 0, money)]
    note = "What choosing an option now loses on average, against the best at each draw; the least of them is the EVPI."
    yield Table("loss", "Expected loss a patient", columns, lost, note)


def plane(sample: Sample, scenario: Scenario) -> Table:
    """Extra costs and QALYs of each option over the first, at each draw."""
    money = decision_of(scenario).currency
    columns = [Column("draw")]
    for name in sample.options[1:]:
        columns += [Column(f"extra QALYs of {name}", 3), Column(f"extra costs of {name}", 0, money)]
    cost, effect = (one.mean(axis=2) for one in (sample.cost, sample.effect))
    rows: list[list[Cell]] = []
    for k in range(len(cost)):
        pairs = [(effect[k, j] - effect[k, 0], cost[k, j] - cost[k, 0]) for j in range(1, len(sample.options))]
        rows.append([float(k), *(float(x) for pair in pairs for x in pair)])
    return Table("plane", f"Extra costs and QALYs over {sample.options[0]} at each draw", columns, rows)


def information(sample: Sample, scenario: Scenario, shared: bool, seed: int) -> Iterator[Table]:
    """EVPI, EVPPI of single values and of groups, and what a stated study is worth."""
    block, drawn = decision_of(scenario), sample.drawn
    benefit, money = sample.benefit(block.willingness_to_pay.amount), block.currency
    whole = value.choice(benefit, shared)
    columns = [Column("worth of knowing"), Column("group"), Column("worth", 0, money), Column("±", 0)]
    columns.append(Column("noise floor", 0))
    names, groups = _groups(drawn)
    enough = len(drawn.x) >= PER_VALUE * len(drawn.uncertain)
    rows: list[list[Cell]] = [["everything (EVPI)", "", number(whole.evpi), number(whole.se_evpi), None]]
    rows.append(["everything, at least", "", number(min(max(whole.lower, 0.0), whole.evpi)), None, None])
    note = "Below the noise floor a worth cannot be told from nothing."
    if enough:
        found = value.partials(benefit, drawn.x, groups, shared)
        order = sorted(range(len(groups)), key=lambda k: (len(groups[k]) == 1, -found[k].value))
        for k in order:
            group = "" if len(groups[k]) > 1 else drawn.uncertain[groups[k][0]].group
            rows.append([names[k], group, number(found[k].value), number(found[k].se), number(found[k].floor)])
    else:
        needed = PER_VALUE * len(drawn.uncertain)
        few = f"{len(drawn.x)} draws are too few to tell {len(drawn.uncertain)} values apart"
        note = f"{few}: ask for {needed} or more with --draws."
    yield Table("information", "What knowing more would be worth, a patient", columns, rows, note)
    if block.research is not None:
        yield study(block.research, sample, benefit, (shared, seed), money, told_apart=enough)


def _groups(drawn: Drawn) -> tuple[list[str], list[list[int]]]:
    """Groups of two or more, then single values."""
    every = {one: [k for k, u in enumerate(drawn.uncertain) if u.group == one] for one in GROUPS}
    groups = {f"{ALL}{name}": inside for name, inside in every.items() if len(inside) > 1}
    single = {one.name: [k] for k, one in enumerate(drawn.uncertain)}
    return [*groups, *single], [*groups.values(), *single.values()]
