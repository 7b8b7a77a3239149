"""The incremental table: known answers, an exhaustive count of what is dominated, errors of both kinds, laws."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.analysis.cost_effectiveness import (
    DOMINATED,
    EXTENDED,
    LEFT,
    Draws,
    People,
    incremental,
    spread,
    statuses,
)
from simulator.studies.decide.tables import BELOW
from simulator.studies.decide.tables import spread as cell_of

NAMES = ("a", "b", "c", "d", "e")


def flat(cost, effect, patients=2):
    """Everybody alike."""
    return People(*(np.tile(np.array(values, float), (patients, 1)) for values in (cost, effect)))


def test_a_table_counted_by_hand():
    """b is dominated by c, d lies above the line from c to e; then (30 − 10)/(4 − 1) and (90 − 30)/(8 − 4)."""
    rows = incremental(NAMES, flat([10, 40, 30, 70, 90], [1, 3, 4, 6, 8]), 10)
    found = {row.option: row for row in rows}
    assert [row.option for row in rows] == ["a", "b", "c", "d", "e"]
    assert {name: row.status for name, row in found.items()} == {
        "a": LEFT, "b": DOMINATED, "c": LEFT, "d": EXTENDED, "e": LEFT
    }  # fmt: skip
    assert [found[name].versus for name in NAMES] == ["", "", "a", "", "c"]
    assert found["c"].icer == pytest.approx(20 / 3)
    assert found["e"].icer == pytest.approx(15)
    assert np.isnan(found["a"].icer)
    assert found["e"].extra_cost.value == 60
    assert found["e"].extra_effect.value == 4
    assert found["e"].net_benefit.value == -10
    assert found["e"].extra_net_benefit.value == pytest.approx(-20)  # over c


@given(
    points=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8),
)
def test_who_is_left_is_best_at_some_willingness_to_pay(points):
    """An option is left if and only if some value of effect makes it best, ties to the first (an exhaustive count)."""
    cost, effect = np.array(points, float).T
    found = statuses(cost, effect)
    slopes = [(cost[i] - cost[j]) / (effect[i] - effect[j]) for i in range(len(cost)) for j in range(len(cost))
              if effect[i] > effect[j]]  # fmt: skip
    edges = np.unique([0.0, *(slope for slope in slopes if slope >= 0), 1e6])
    best = set()
    for value in (edges[:-1] + edges[1:]) / 2:
        best.add(int((value * effect - cost).argmax()))
    assert {k for k, one in enumerate(found) if one == LEFT} == best
    for k, one in enumerate(found):
        if one == DOMINATED:
            assert ((cost <= cost[k]) & (effect >= effect[k])).sum() > 1


@given(points=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=5, unique=True))
def test_ratios_rise_and_prices_scale_them(points):
    cost, effect = np.array(points, float).T
    names = NAMES[: len(points)]
    rows = [row for row in incremental(names, flat(cost, effect), 5) if row.status == LEFT]
    ratios = [row.icer for row in rows[1:]]
    assert all(a < b for a, b in pairwise(ratios))
    twice = [row for row in incremental(names, flat(2 * cost, effect), 5) if row.status == LEFT]
    assert [row.option for row in twice] == [row.option for row in rows]
    assert [row.icer for row in twice[1:]] == pytest.approx([2 * ratio for ratio in ratios])
    best = max(incremental(names, flat(cost, effect), 5), key=lambda row: row.net_benefit.value)
    last = [row for row in rows if not row.icer > 5][-1]  # the last whose ratio is within the willingness to pay
    assert best.net_benefit.value == pytest.approx(last.net_benefit.value)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_an_option_against_itself_is_exactly_nothing(seed):
    rng = np.random.default_rng(seed)
    cost, effect = rng.normal(10, 2, (50, 1)), rng.normal(3, 1, (50, 1))
    pair = People(np.hstack([cost, cost]), np.hstack([effect, effect]))
    first, second = incremental(("a", "again"), pair, 7)
    assert {first.status, second.status} == {LEFT, DOMINATED}
    assert first.net_benefit[:2] == second.net_benefit[:2]
    dearer = People(np.hstack([cost, cost + 4]), np.hstack([effect, effect + 1]))
    row = incremental(("a", "b"), dearer, 7)[1]
    assert row.extra_cost.value == pytest.approx(4)
    assert row.extra_cost.mcse == pytest.approx(0, abs=1e-9)  # the same people in both
    assert row.extra_net_benefit.value == pytest.approx(3)


def test_monte_carlo_and_parameters_are_apart():
    """People of SD 20 in both options alike, SD 3 apart; draws of SD 5 under noise of SD 4 in each of 2 replicates."""
    rng = np.random.default_rng(1)
    common, own = rng.normal(0, 20, 4000), rng.normal(0, 3, 4000)
    people = People(np.stack([common, 50 + common + own], 1), np.stack([common * 0, 2 + common * 0], 1))
    theta = rng.normal(0, 5, 3000)
    noise = rng.normal(0, 4, (3000, 2, 2))
    cost = np.stack([np.zeros(3000), 50 + theta], 1)[..., None] + noise
    effect = np.stack([np.zeros(3000), np.full(3000, 2.0)], 1)[..., None] + 0 * noise
    row = incremental(("a", "b"), people, 40, Draws(cost, effect))[1]
    assert row.extra_cost.mcse == pytest.approx(3 / np.sqrt(4000), rel=0.05)
    assert row.cost.mcse == pytest.approx(np.hypot(20, 3) / np.sqrt(4000), rel=0.05)
    assert row.extra_cost.sd == pytest.approx(5, rel=0.06)
    assert row.extra_net_benefit.sd == pytest.approx(5, rel=0.06)
    assert row.extra_effect.sd == 0
    alike = np.array([[1.0, -1.0], [-1.0, 1.0], [2.0, -2.0]])  # replicates differ, their means do not
    assert spread(alike) == pytest.approx(-np.sqrt(7 / 3))
    assert spread(0 * alike) == 0
    assert cell_of(-1e-9) == BELOW
    assert np.isnan(incremental(("a", "b"), people, 40)[1].cost.sd)


def test_a_ratio_has_errors_of_both_kinds():
    """The delta method against 400 samples of people, and against a linear gain over draws."""
    rng = np.random.default_rng(5)

    def people(n):
        common, own, gain = rng.normal(0, 20, n), rng.normal(0, 10, n), rng.normal(2, 1, n)
        return People(np.stack([common, 50 + common + own], 1), np.stack([common * 0, gain], 1))

    rows = [incremental(("a", "b"), people(400), 40)[1] for _ in range(400)]
    assert np.std([row.icer for row in rows]) == pytest.approx(np.mean([row.icer_mcse for row in rows]), rel=0.15)
    theta = rng.normal(0, 5, (500, 1, 1)) + np.zeros((500, 1, 2))
    draws = Draws(np.concatenate([0 * theta, 50 + theta], 1), np.concatenate([0 * theta, 2 + 0 * theta], 1))
    row = incremental(("a", "b"), people(400), 40, draws)[1]
    assert row.icer_sd == pytest.approx(theta.std(ddof=1) / row.extra_effect.value * np.sqrt(500 / 499), rel=0.02)
    assert np.isnan(incremental(("a", "b"), people(400), 40)[0].icer_mcse)


def test_weights_count_people():
    rng = np.random.default_rng(2)
    cost, effect = rng.normal(10, 2, (30, 2)), rng.normal(3, 1, (30, 2))
    times = rng.integers(1, 4, 30)
    weighted = incremental(("a", "b"), People(cost, effect, times / times.mean()), 7)
    again = incremental(("a", "b"), People(np.repeat(cost, times, 0), np.repeat(effect, times, 0)), 7)
    assert [row.net_benefit.value for row in weighted] == pytest.approx([row.net_benefit.value for row in again])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a column for each of 2 options"):
        incremental(("a", "b"), flat([1, 2, 3], [1, 2, 3]), 1)
    with pytest.raises(ValueError, match="finite"):
        incremental(("a",), flat([np.nan], [1]), 1)
