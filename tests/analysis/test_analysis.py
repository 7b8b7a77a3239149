"""Analysis: laws, closed forms, and other people's programs as oracles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.analysis import contrast, moments, survival
from simulator.analysis.intervals import share_error
from simulator.results.survival import curve_from_grid, curve_from_times
from simulator.units import DAYS_PER_MONTH

times = st.lists(st.floats(0.01, 100).map(lambda x: round(x, 1) + 0.1), min_size=2, max_size=40)
flags = st.lists(st.booleans(), min_size=40, max_size=40)
seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int, n: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Random times with a third censored, many of them tied."""
    rng = np.random.default_rng(seed)
    return np.ceil(rng.exponential(10, n)), rng.random(n) < 0.67


@given(times)
def test_without_censoring_kaplan_meier_is_the_empirical_curve(time):
    curve = survival.kaplan_meier(time, np.ones(len(time), bool))
    empirical = [(np.array(time) > t).mean() for t in curve.time]
    np.testing.assert_allclose(curve.survival, empirical, atol=1e-12)


@given(times, flags)
def test_kaplan_meier_falls_and_stays_between_0_and_1(time, flag):
    curve = survival.kaplan_meier(time, flag[: len(time)])
    assert np.all(np.diff(np.append(1.0, curve.survival)) < 1e-15)
    assert np.all((curve.survival >= -1e-15) & (curve.survival <= 1))


@given(seeds)
def test_the_order_of_patients_does_not_matter(seed):
    time, event = drawn(seed)
    order = np.random.default_rng(seed + 1).permutation(len(time))
    for a, b in zip(survival.kaplan_meier(time, event), survival.kaplan_meier(time[order], event[order]), strict=True):
        np.testing.assert_array_equal(a, b)


@given(seeds)
def test_censored_at_the_end_adds_nothing_to_kaplan_meier(seed):
    time, event = drawn(seed)
    longer = survival.kaplan_meier(np.append(time, 1e6), np.append(event, False))
    assert longer.n == len(time) + 1
    assert np.all(longer.survival >= survival.kaplan_meier(time, event).survival - 1e-15)


@given(seeds)
def test_kaplan_meier_against_statsmodels(seed):
    duration = pytest.importorskip("statsmodels.duration.survfunc")
    time, event = drawn(seed)
    theirs = duration.SurvfuncRight(time, event.astype(int))
    curve = survival.kaplan_meier(time, event)
    ours = [survival.survival_at(curve, t) for t in curve.time]
    np.testing.assert_array_equal(theirs.surv_times, curve.time)
    np.testing.assert_allclose(theirs.surv_prob, [one.value for one in ours], atol=1e-12)
    alive = theirs.surv_prob > 1e-12
    np.testing.assert_allclose(theirs.surv_prob_se[alive], np.array([one.mcse for one in ours])[alive], rtol=1e-9)
    assert theirs.quantile(0.5) == survival.median(curve).value or not np.any(curve.survival <= 0.5)


@given(seeds)
def test_median_interval_against_scipy(seed):
    """scipy's confidence band with log-log transform, read at one half."""
    stats = pytest.importorskip("scipy.stats")
    time, event = drawn(seed, 80)
    data = stats.CensoredData.right_censored(time, ~event)
    with np.errstate(all="ignore"):
        band = stats.ecdf(data).sf.confidence_interval(0.95, method="log-log")
    found = survival.median(survival.kaplan_meier(time, event))
    for ours, side in ((found.lower, band.low), (found.upper, band.high)):
        below = side.quantiles[np.nan_to_num(side.probabilities, nan=1.0) <= 0.5]
        assert ours == (below[0] if len(below) else pytest.approx(np.nan, nan_ok=True))


@given(seeds, st.floats(1, 30))
def test_restricted_mean_without_censoring_is_the_mean_of_the_shorter_time(seed, horizon):
    time, _ = drawn(seed)
    found = survival.restricted_mean(survival.kaplan_meier(time, np.ones(len(time), bool)), horizon)
    shorter = np.minimum(time, horizon)
    assert found.value == pytest.approx(shorter.mean(), rel=1e-12)
    assert found.mcse == pytest.approx(shorter.std() / np.sqrt(len(time)), rel=1e-9, abs=1e-12)


def test_restricted_mean_of_an_exponential():
    rate, horizon, n = 0.1, 15.0, 200_000
    time = np.random.default_rng(1).exponential(1 / rate, n)
    censored = np.random.default_rng(2).exponential(20, n)
    curve = survival.kaplan_meier(np.minimum(time, censored), time <= censored)
    found = survival.restricted_mean(curve, horizon)
    assert abs(found.value - (1 - np.exp(-rate * horizon)) / rate) < 4 * found.mcse
    assert found.mcse < 0.02
    middle = survival.median(curve)
    assert abs(middle.value - np.log(2) / rate) < 4 * middle.mcse
    assert middle.lower < middle.value < middle.upper
    assert middle.upper - middle.lower == pytest.approx(2 * 1.96 * middle.mcse, rel=0.15)


def test_nobody_has_an_event():
    curve = survival.kaplan_meier([5.0, 6.0], [False, False])
    error = share_error(0, 2)
    assert survival.survival_at(curve, 4.0)[:3] == (1.0, pytest.approx(error), 2)
    assert survival.restricted_mean(curve, 4.0)[:2] == (4.0, pytest.approx(2 * error))
    assert np.isnan(survival.median(curve).value)


@given(seeds, st.floats(0.5, 24))
def test_the_curve_of_a_result_is_kaplan_meier(seed, months):
    """The result has its own small curve, for a curve without censoring needs little."""
    time = np.random.default_rng(seed).exponential(400, 60)
    event, follow_up = time < 731, 731.0
    ours = curve_from_times(np.minimum(time, follow_up), event, follow_up)
    theirs = survival.kaplan_meier(np.minimum(time, follow_up), event)
    days = months * DAYS_PER_MONTH
    area = survival.restricted_mean(theirs, days)
    assert ours.rmst(months).value * DAYS_PER_MONTH == pytest.approx(area.value)
    assert ours.rmst(months).mcse * DAYS_PER_MONTH == pytest.approx(area.mcse)
    assert ours.at(days).value == pytest.approx(survival.survival_at(theirs, days).value)
    assert ours.median().value * DAYS_PER_MONTH == pytest.approx(survival.median(theirs).value, nan_ok=True)


def test_the_curve_of_a_summary_is_close_to_the_exact_one():
    time = np.random.default_rng(3).exponential(400, 5000)
    exact = curve_from_times(np.minimum(time, 728), time < 728, 728)
    grid = np.arange(0, 729, 28.0)
    rough = curve_from_grid(grid, (time[:, None] > grid).mean(0), 5000)
    for a, b in ((rough.rmst(20), exact.rmst(20)), (rough.median(), exact.median()), (rough.at(100), exact.at(100))):
        assert a.value == pytest.approx(b.value, rel=0.01)
        assert a.mcse == pytest.approx(b.mcse, rel=0.25)


def test_a_curve_is_not_read_beyond_follow_up():
    curve = curve_from_times(np.array([10.0, 20.0]), np.array([True, False]), 20.0)
    with pytest.raises(ValueError, match="outside the follow-up"):
        curve.rmst(months=12)


@given(st.integers(1, 4000))
def test_months_of_the_whole_follow_up_are_within_it(days):
    curve = curve_from_times(np.array([0.5, float(days)]), np.array([True, False]), days)
    assert curve.rmst(days / DAYS_PER_MONTH) == pytest.approx(curve.rmst())


ESTIMATORS = {
    "mean": lambda x, alive: moments.mean(x),
    "mean_over": moments.mean_over,
    "death_as_zero": lambda x, alive: moments.mean(contrast.with_death_as_zero(x, alive)),
    "geometric": lambda x, alive: moments.exponential(moments.mean(x / 10)),
    "proportion": lambda x, alive: moments.proportion(alive),
    "restricted_mean": lambda x, alive: moments.restricted_mean(x, 1.0),
    "standard_deviation": lambda x, alive: moments.standard_deviation(x),
    "difference": lambda x, alive: contrast.paired(moments.mean(x), moments.mean_over(x + alive, alive)),
    "both": lambda x, alive: contrast.survivors_of_both(x, x**2, alive, x > 0),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_monte_carlo_errors_are_the_spread_over_repetitions(name):
    rng = np.random.default_rng(11)
    x = rng.normal(1.0, 2.0, (2000, 200))
    alive = rng.random(x.shape) < 1 / (1 + np.exp(-x - 1))
    found = [ESTIMATORS[name](a, b) for a, b in zip(x, alive, strict=True)]
    spread = np.std([one.value for one in found])
    assert spread > 0
    assert np.mean([one.mcse for one in found]) == pytest.approx(spread, rel=0.06)


@given(seeds)
def test_influences_add_up_to_zero_and_do_not_care_for_order(seed):
    rng = np.random.default_rng(seed)
    x, alive = rng.normal(size=30), rng.random(30) < 0.7
    order = rng.permutation(30)
    for function in ESTIMATORS.values():
        one, other = function(x, alive), function(x[order], alive[order])
        assert one.influence.sum() == pytest.approx(0, abs=1e-9)
        assert one[:2] == pytest.approx(other[:2], nan_ok=True)


def test_survivors_of_both_are_alive_in_both():
    found = contrast.survivors_of_both(
        [5, 6, 7, 8], [1, 1, 1, 1], [True, True, False, False], [True, False, True, False]
    )
    assert (found.value, found.n) == (4.0, 1)


def test_the_curve_steps_down_at_the_event():
    curve = curve_from_times(np.array([10.0, 20.0]), np.array([True, False]), 20.0)
    assert [curve.at(day).value for day in (0, 9.9, 10, 20)] == [1.0, 1.0, 0.5, 0.5]


def test_pairing_takes_out_what_is_common():
    rng = np.random.default_rng(5)
    x = rng.normal(size=1000)
    a, b = moments.mean(x + 1), moments.mean(x)
    assert contrast.paired(a, b)[:2] == pytest.approx((1.0, 0.0))
    assert contrast.independent(a, b).mcse == pytest.approx(np.sqrt(2) * b.mcse)


@pytest.mark.slow
def test_pairing_of_runs_of_different_size():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(4000, 300))
    y = 0.9 * x + 0.1 * rng.normal(size=x.shape)
    found = [contrast.paired(moments.mean(a), moments.mean(b[:200])) for a, b in zip(x, y, strict=True)]
    assert np.mean([one.mcse for one in found]) == pytest.approx(np.std([one.value for one in found]), rel=0.05)
    assert all(one.paired for one in found)


def test_nobody_alive_gives_nan_not_zero():
    found = moments.mean_over([1.0, 2.0], [False, False])
    assert np.isnan(found.value)
    assert np.isnan(found.mcse)
    assert found.n == 0


def test_one_patient_has_no_error():
    assert np.isnan(moments.mean([3.0]).mcse)
    assert moments.mean([3.0]).value == 3.0


# --- delayed entry


def prevalent(rng, n):
    """Exponential lives of mean 10 with entry that does not depend on them; only who lives until entry is seen."""
    time, entry = rng.exponential(10, 4 * n), rng.uniform(0.5, 30, 4 * n)
    seen = entry < time
    return time[seen][:n], entry[seen][:n]


def test_delayed_entry_is_unbiased_and_ignoring_it_is_not():
    time, entry = prevalent(np.random.default_rng(3), 4000)
    event = np.ones(len(time), bool)
    right = survival.kaplan_meier(time, event, entry, alive_at=2.0)
    wrong = survival.kaplan_meier(time, event)
    for t in (5.0, 10.0, 20.0):
        truth, found = np.exp(-(t - 2) / 10), survival.survival_at(right, t)
        assert abs(found.value - truth) < 4 * found.mcse
        assert survival.survival_at(wrong, t).value > truth + 10 * found.mcse


def test_entry_at_the_start_changes_nothing():
    rng = np.random.default_rng(4)
    time, event = rng.integers(1, 20, 200).astype(float), rng.random(200) < 0.7
    a, b = survival.kaplan_meier(time, event), survival.kaplan_meier(time, event, np.zeros(200))
    for x, y in zip(a[:4], b[:4], strict=True):
        assert np.array_equal(x, y)
    with pytest.raises(ValueError, match="at or after the end"):
        survival.kaplan_meier([3.0], [True], [3.0])


def test_numbers_at_risk_with_delayed_entry_by_hand():
    curve = survival.kaplan_meier([4.0, 6.0, 9.0, 9.0], [True, True, True, False], [0.0, 5.0, 4.0, 6.0])
    assert curve.time.tolist() == [4.0, 6.0, 9.0]
    assert curve.at_risk.tolist() == [1.0, 2.0, 2.0]  # who enters at 4 is not at risk of the event at 4
