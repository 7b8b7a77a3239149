"""Errors and intervals of few, of none and of all: of one survivor, of shares of 0 and 1, of a median of one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulator.analysis import contrast, moments, survival
from simulator.analysis.intervals import share_error, share_interval
from simulator.language import load
from simulator.measures.headline import headline, quantile
from simulator.measures.metrics import estimate, known
from simulator.results import name
from simulator.results.survival import curve_from_times
from simulator.results.tidy import interval
from simulator.run import simulate
from simulator.studies.compare import compare
from simulator.tables.numbers import with_error
from tests.support.synthetic import make_provenance, make_record, sums_of

NORMALS = st.integers(0, 2**32 - 1)
BOOLS = arrays(bool, st.integers(1, 12))


@given(NORMALS, BOOLS)
def test_the_error_of_a_mean_over_a_group_divides_by_one_less_than_it_holds(seed, group):
    x = np.random.default_rng(seed).normal(size=len(group))
    found, n = moments.mean_over(x, group), int(group.sum())
    assert found.n == n
    if n == 0:
        assert np.isnan(found.value)
    if n < 2:
        assert np.isnan(found.mcse)
    else:
        assert found.mcse == pytest.approx(x[group].std(ddof=1) / np.sqrt(n))
    twins = moments.mean_over(x, group, np.full(len(x), 2.0))
    assert twins[:3] == pytest.approx(found[:3], nan_ok=True)


@given(BOOLS, st.one_of(st.none(), st.just(3.0)))
def test_every_share_has_the_error_of_wilson(happened, weight):
    n = len(happened)
    found = moments.proportion(happened, None if weight is None else np.full(n, weight))
    assert found.mcse == pytest.approx(float(share_error(happened.sum(), n)))
    assert found.mcse > 0
    low, high = share_interval(happened.sum(), n)
    assert 0 <= low <= found.value <= high <= 1
    assert low < high


@given(BOOLS, NORMALS)
def test_a_difference_of_shares_without_error_is_one_of_equal_lives(happened, seed):
    n, day = len(happened), np.random.default_rng(seed).uniform(0, 9, len(happened))
    a, b = (moments.proportion(happened, facts=facts) for facts in (day, day + 1))
    assert contrast.paired(a, a).mcse == 0
    assert contrast.paired(a, b).mcse == pytest.approx(1 / (n + 2) if n > 1 else np.nan, nan_ok=True)
    months = [moments.restricted_mean(day + 20 + k, 9.0) for k in (0, 1)]
    assert months[0].mcse > 0
    assert contrast.paired(*months).mcse == 0  # all are free to the horizon in both: equal lives so far


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_the_interval_of_a_mean_of_few_survivors_holds_it_as_often_as_it_says(n):
    times = 4_000
    x = np.random.default_rng([31, n]).normal(size=(times, n))
    error = np.array([moments.mean_over(row, np.ones(n, bool)).mcse for row in x])
    for metric in ("alsfrs_r_change_mean", "svc_mean"):
        low, high = interval(metric, x.mean(1), error, np.full(times, n))
        held = np.mean((low <= 0) & (high >= 0))
        assert abs(held - 0.95) < 4 * np.sqrt(0.95 * 0.05 / times)  # 1 in 16,000 of a right interval


def with_dead(record, left):
    """The record, of whom only so many survive to day 1 in each arm."""
    death = np.full_like(record.events["death_time"], np.nan)
    death[:, left:] = 0.5
    time = np.where(np.isnan(death), record.follow_up_days, death)
    events = record.events | {"death_time": death, "event_free_time": time, "event": (~np.isnan(death)).astype(np.int8)}
    return replace(record, events=events, sums=sums_of(record.truth, events, record.time))


@pytest.mark.parametrize("left", [0, 1, 2, 9])
def test_nothing_printed_of_none_of_one_and_of_all_pretends_to_be_certain(left):
    record = with_dead(make_record(9), left)
    result = name(record, lambda: make_provenance(record))
    for row in result.summary_rows():
        if row.time == 0:
            continue
        if row.metric in ("survival", "event_free") or row.metric.endswith("_share"):
            assert row.mcse > 0
            assert row.lower < row.upper
        elif row.metric.endswith("_mean") and row.metric != "alsfrs_r_death0_mean" and left < 2:
            assert np.isnan(row.mcse)
        elif row.metric.endswith("_sd") and left < 3:
            assert np.isnan(row.mcse)
            assert np.isnan(row.estimate) == (left < 2)
    for row in headline(result).rows:
        if row.metric in ("event_free", "kings_4_or_dead") and row.kind == "arm":
            assert row.mcse > 0
        if row.metric.endswith(("survivors", "ratio")) and left == 1:
            assert np.isnan(row.mcse)
    text = result._repr_html_()
    assert "nan" not in text.replace("nanp", "") or left == 0


def test_a_median_of_one_has_no_error():
    one = survival.median(survival.kaplan_meier([5.0], [True]))
    assert one.value == 5
    assert np.isnan(one.mcse)
    found = curve_from_times(np.array([5.0]), np.array([True]), 9.0).median()
    assert np.isnan(found.mcse)
    assert np.isnan(quantile(np.array([5.0]), 0.5).mcse)
    last = survival.kaplan_meier([1.0, 2.0, 5.0], [False, False, True])  # one is left at risk
    assert np.isnan(survival.median(last).mcse)


@given(NORMALS, st.integers(1, 20))
def test_survival_says_nothing_beyond_the_follow_up(seed, n):
    rng = np.random.default_rng(seed)
    time, event = rng.exponential(size=n), rng.random(n) < 0.5
    curve, end = survival.kaplan_meier(time, event), time.max()
    over = bool(event[time == end].all()) and curve.survival[-1:].sum() == 0
    for found in (survival.survival_at(curve, end * 1.01), survival.restricted_mean(curve, end * 1.01)):
        assert np.isnan(found.value) == (not over)
    within = survival.survival_at(curve, end), survival.restricted_mean(curve, end)
    assert all(np.isfinite([one.value, one.mcse]).all() for one in within)
    assert within[0].mcse > 0


@pytest.fixture(scope="module")
def runs():
    settings = {"follow_up_days": 728, "trial.analysis_days": [196, 364], "safety.serious_neurologic.per_year": 0.5}
    scenario = load("valor").replace(settings)
    return [simulate(one, patients=60) for one in (scenario, scenario.replace({"arms.delayed_start.0.from_day": 84}))]


def test_serious_events_are_paired_as_compare_says(runs):
    found = compare(*runs)
    assert found.paired
    assert all(row.paired for row in found.rows)
    assert not any("Not paired" in note for note in found.notes)
    (serious,) = [
        row for row in found.rows if (row.metric, row.arm, row.day) == ("serious_neurologic", "early_start", 364)
    ]
    assert (serious.estimate, serious.mcse) == (0, 0)  # the same lives
    days = [r for r in found.rows if r.metric == "serious_neurologic" and r.arm == "delayed_start" and r.day == 364]
    assert days[0].mcse > 0


def test_serious_events_are_those_of_the_summary(runs):
    result = runs[0]
    (metric,) = [one for one in known(result) if one.name == "serious_neurologic"]
    for k, arm in enumerate(result.arms):
        for at, day in enumerate(result.time):
            share = result.groups["summary"]["serious_neurologic_share"].values[k, at]
            assert estimate(metric, result, arm, day).value == pytest.approx(100 * share)


def test_an_error_that_is_not_zero_is_not_written_as_zero():
    assert with_error(0, 0.049, 1) == "0.0 ± 0.05"
    assert with_error(0, 0.0004, 1) == "0.0 ± 0.0004"
    assert with_error(3, 0, 1) == "3.0 ± 0.0"
    assert with_error(3, float("nan"), 1) == "3.0 ± ?"
    assert with_error(3, 0.05001, 1) == "3.0 ± 0.1"
