"""Published examples of other programs: the HIV model of heemod and hesim, BCEA's two; dampack's is in test_decide.

heemod's figures were printed by heemod 1.1.0 in R 4.2.2; its vignette `i_reproduction` reproduces so Briggs, Claxton &
Sculpher (2006), Decision Modelling for Health Economic Evaluation, from Chancellor et al. (1997), PharmacoEconomics
12:54-66; hesim's vignette `markov-cohort` has the same model. BCEA's are those that its vignette `Set_bcea_parameters`
and its own tests print; `benchmarks/bcea_tables.py` counts its tables again from its draws, which are not here.
"""

import numpy as np
import pytest

import simulator as sim
from simulator.analysis.cost_effectiveness import People, incremental
from simulator.analysis.health_economics import Present, quality, year_weights
from simulator.studies.decide import probabilistic
from simulator.studies.decide.drawing import Drawn
from simulator.studies.decide.research import Sample
from simulator.units import DAYS_PER_YEAR

COUNTED = np.array([[1251, 350, 116, 17], [0, 731, 512, 15], [0, 0, 1312, 437], [0, 0, 0, 1]])
ROUNDED = np.array([[0, 0.202, 0.067, 0.010], [0, 0, 0.407, 0.012], [0, 0, 0, 0.25], [0, 0, 0, 0]])


@pytest.fixture(scope="module")
def scenario():
    return sim.load("worth_treating")


def shares(moves, ratio, years):
    """Shares in four states at the ends of the years; moves to worse states are `ratio` of a year as likely."""
    found = [np.array([1.0, 0, 0, 0])]
    for year in range(1, years + 1):
        off = np.triu(moves / np.maximum(moves.sum(axis=1, keepdims=True), 1), 1) * ratio(year)
        found.append(found[-1] @ (off + np.diag(1 - off.sum(axis=1))))
    return np.array(found)


def test_the_hiv_model_of_heemod_and_hesim():
    """Counted at the ends of 20 years, costs at 6 %, the second drug paid for two years: a price step to nothing."""
    day, found = np.arange(1, 21) * DAYS_PER_YEAR, []
    two_years = Present(0.06).with_steps([(2.5 * DAYS_PER_YEAR, 0.0)])
    for ratio, second in ((lambda _: 1.0, 0.0), (lambda year: 0.509 if year <= 2 else 1.0, 2086.5)):
        lived = shares(COUNTED, ratio, 20)[1:]
        alive = quality(lived, [1, 1, 1, 0])
        care = quality(lived, [2756 + 2278, 3052 + 2278, 9007 + 2278, 0]) @ Present(0.06).worth(day)
        found.append((care + second * alive @ two_years.worth(day), alive.sum()))
    assert found[0] == pytest.approx((44663.4535637, 7.99120664584), rel=1e-10)
    assert found[1] == pytest.approx((50601.6513312, 8.93738889164), rel=1e-10)
    cost, effect = (np.tile(one, (2, 1)) for one in zip(*found, strict=True))
    row = incremental(("mono", "combination"), People(cost, effect), 10_000)[1]
    assert row.icer == pytest.approx(6275.956, abs=5e-4)


@pytest.mark.parametrize(
    ("ratio", "costs", "expected"),
    [(1.0, [5034, 5330, 11285, 0], (67321.7366218, 8.58584314564)),
     (0.509, [7120, 7416, 13371, 0], (169679.8254029, 17.25693716702))],
)  # fmt: skip
def test_the_half_cycle_of_heemod(ratio, costs, expected):
    """heemod's counting method `life-table`, 50 years, is the area under straight lines between the ends of cycles."""
    lived = shares(ROUNDED, lambda _: ratio, 50)
    weights = year_weights(np.arange(51) * DAYS_PER_YEAR, 0.0)
    assert weights @ quality(lived, costs) == pytest.approx(expected[0], rel=1e-10)
    assert weights @ quality(lived, [1, 1, 1, 0]) == pytest.approx(expected[1], rel=1e-10)


def tables_of(effect, cost, thresholds, scenario):
    """Acceptability and loss of draws at some thresholds, by threshold."""
    options = effect.shape[1]
    sample = Sample(tuple("abcd"[:options]), cost[..., None], effect[..., None], Drawn([], [], effect))
    asked = scenario.replace({"decision.thresholds": thresholds, "decision.willingness_to_pay": thresholds[-1]})
    accepted, lost = probabilistic.curves(sample, asked)
    return {row[0]: row for row in accepted.rows}, {row[0]: row for row in lost.rows}


def test_the_printed_curve_of_bcea(scenario):
    """Of Vaccine the vignette prints the ratio and the expected increment at five thresholds: of means alone."""
    extra = 5.04
    cost, effect = np.array([[0, extra]] * 2), np.array([[0, extra / 20098]] * 2)
    row = incremental(("status quo", "vaccination"), People(cost, effect), 25_000)[1]
    assert row.icer == pytest.approx(20098)
    grid = [100 * k for k in range(251)]
    accepted, lost = tables_of(effect, cost, grid, scenario)
    assert [lost[k][2] - lost[k][1] for k in grid[:5]] == pytest.approx([5.04, 5.01, 4.99, 4.96, 4.94], abs=0.01)
    assert next(k for k in grid if accepted[k][-2] == "b") == 20100  # k*, where the best option changes


def test_the_draws_of_bceas_own_test(scenario):
    """Two draws of two options at 5 a unit: the increments that BCEA's test `ib` has, 95 and 20, over the second."""
    effect, cost = np.array([[0.0, 1], [0, -2]]), np.array([[0.0, 100], [0, 10]])
    _, lost = tables_of(effect, cost, [5, 10], scenario)
    assert lost[5][2] == np.mean([95, 20])
    assert lost[10][2] == np.mean([90, 30])
    assert (lost[5][1], lost[5][3]) == (0, 0)  # the first is the best in both, so that there is nothing to learn
