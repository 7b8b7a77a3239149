"""Performance over replicates: Morris's formulas by their closed forms, and by repeating the study."""

import numpy as np
import pytest

from simulator.analysis.intervals import mean_interval, share_error, share_interval
from simulator.analysis.replicates import NODES, Known, mean, performance, share, spread


def study(seed: int, r: int = 400) -> tuple[np.ndarray, ...]:
    """A study of means of 10 normal values with SD 2 about 1: estimates, errors, intervals, p."""
    from scipy.special import stdtr, stdtrit

    x = np.random.default_rng(seed).normal(1.0, 2.0, (r, 10))
    value, se = x.mean(axis=1), x.std(axis=1, ddof=1) / np.sqrt(10)
    reach = stdtrit(9, 0.975) * se
    return value, se, np.column_stack([value - reach, value + reach]), 2 * stdtr(9, -np.abs(value / se))


def test_by_hand():
    found = performance(
        [1.0, 3.0, np.nan], [1.0, 2.0, np.nan], [[0, 2], [2.5, 4], [np.nan] * 2], [0.07, 0.05, np.nan], truth=2.0
    )
    root = np.sqrt(2.5)
    assert found.estimable == pytest.approx((2 / 3, share_error(2, 3), *share_interval(2, 3)))
    assert found.bias == pytest.approx((0.0, 1.0, *mean_interval(0.0, 1.0, 2)))
    assert found.empirical_se[:2] == pytest.approx((np.sqrt(2), 1.0))
    assert found.model_se[:2] == pytest.approx((root, np.sqrt(4.5 / 8) / root))
    assert found.mse[:2] == pytest.approx((1.0, 0.0))
    assert found.coverage == pytest.approx((0.5, share_error(1, 2), *share_interval(1, 2)))
    assert found.rejection == found.coverage
    assert found.right_sign == pytest.approx((1.0, share_error(2, 2), *share_interval(2, 2)))
    assert found.relative_error.value == pytest.approx(root / np.sqrt(2) - 1)
    # Morris's formula of the relative error, written out
    ratio = root / np.sqrt(2)
    assert found.relative_error.mcse == pytest.approx(ratio * np.sqrt(4.5 / (4 * 2 * 2.5**2) + 1 / 2))


def test_an_exact_analysis_performs_as_it_says():
    found = performance(*study(1, 20_000), truth=1.0)
    assert abs(found.bias.value) < 4 * found.bias.mcse
    assert abs(found.coverage.value - 0.95) < 4 * found.coverage.mcse
    assert abs(found.relative_error.value) < 4 * found.relative_error.mcse
    assert found.empirical_se.value == pytest.approx(2 / np.sqrt(10), abs=4 * found.empirical_se.mcse)
    assert found.mse.value == pytest.approx(0.4, abs=4 * found.mse.mcse)


@pytest.mark.slow
def test_monte_carlo_errors_are_the_spread_over_studies():
    found = [performance(*study(seed), truth=1.0) for seed in range(600)]
    for name in found[0]._fields:
        values = np.array([getattr(one, name) for one in found])
        if name != "estimable":
            assert values[:, 1].mean() == pytest.approx(values[:, 0].std(), rel=0.12), name


def test_each_replicate_may_have_its_own_truth():
    value, se, interval, p = study(2)
    shift = np.random.default_rng(3).normal(size=len(value))
    moved = performance(value + shift, se, interval + shift[:, None], p, truth=1.0 + shift)
    plain = performance(value, se, interval, p, truth=1.0)
    for name in ("bias", "model_se", "mse", "coverage"):
        assert getattr(moved, name) == pytest.approx(getattr(plain, name))
    assert moved.empirical_se[:2] == spread(value + shift)[:2]  # of the estimates, whatever is known of the truth


def test_nothing_gives_nothing():
    none = np.full(3, np.nan)
    found = performance(none, none, np.full((3, 2), np.nan), none, truth=0.0)
    assert found.estimable.value == 0
    assert all(np.isnan(one.value) for one in found[1:])
    assert np.isnan(share([]).value)
    assert np.isnan(mean([1.0]).mcse)
    assert np.isnan(performance(*study(1), truth=0.0).right_sign.value)


def test_shares_of_nothing_and_all_have_an_error():
    for flags in ([True] * 5, [False] * 5):
        found = share(flags)
        assert found.mcse > 0.05
        assert 0 <= found.lower < found.upper <= 1


def test_few_replicates_reach_as_far_as_t():
    found = mean([1.0, 2.0])
    assert found.upper - found.value == pytest.approx(12.7062 * found.mcse, rel=1e-4)


# --- the error of the truth


@pytest.mark.parametrize(("true", "error"), [(1.0, 0.02), (1.0, 0.1), (1.2, 0.1), (1.4, 0.2)])
@pytest.mark.slow
def test_the_error_of_the_truth_is_in_what_depends_on_it(true, error):
    """Over 600 studies with a truth of their own error figures spread as told: 12 % is 4 errors of an SD of 600."""
    rng = np.random.default_rng(7)
    told = [performance(*study(s), truth=Known(true + error * rng.normal(), error, 20)) for s in range(600)]
    for name in ("bias", "mse", "coverage"):
        values = np.array([getattr(one, name)[:2] for one in told])
        assert np.sqrt((values[:, 1] ** 2).mean()) == pytest.approx(values[:, 0].std(), rel=0.15), name
    held = np.mean([one.bias.lower <= 1 - true <= one.bias.upper for one in told])
    assert abs(held - 0.95) < 4 * np.sqrt(0.05 * 0.95 / 600)


def test_bias_adds_the_error_of_the_truth_in_squares():
    value, se, interval, p = study(4)
    plain, with_error = (performance(value, se, interval, p, truth=one) for one in (1.5, Known(1.5, 0.1, 20)))
    assert with_error.bias.mcse == pytest.approx(np.hypot(plain.bias.mcse, 0.1))
    assert with_error.coverage.mcse > plain.coverage.mcse
    assert with_error.empirical_se == plain.empirical_se
    assert NODES > 16


# --- replicates that share a draw of the parameters


def drawn(seed: int, draws: int = 20, each: int = 20) -> tuple[np.ndarray, ...]:
    """A study whose mean differs from draw to draw, replicates taking draws in turn, and their clusters."""
    rng = np.random.default_rng(seed)
    cluster = np.arange(draws * each) % draws
    value, se, interval, p = study(seed, draws * each)
    shift = rng.normal(0, 0.7, draws)[cluster]
    return value + shift, se, interval + shift[:, None], p, cluster


@pytest.mark.slow
def test_what_shares_a_draw_is_not_independent():
    """Over 400 studies: the errors are those of the spread over studies, and intervals hold; 15 % is 4 errors."""
    told = []
    for seed in range(400):
        *found, cluster = drawn(seed)
        told.append(performance(*found, truth=1.0, cluster=cluster))
    for name in ("bias", "coverage", "empirical_se", "mse"):
        values = np.array([getattr(one, name)[:2] for one in told])
        assert np.sqrt((values[:, 1] ** 2).mean()) == pytest.approx(values[:, 0].std(), rel=0.15), name
    held = np.mean([one.bias.lower <= 0 <= one.bias.upper for one in told])
    assert abs(held - 0.95) < 4 * np.sqrt(0.05 * 0.95 / 400)
    *found, _ = drawn(3)
    assert performance(*found, truth=1.0).bias.mcse < 0.7 * told[3].bias.mcse


def test_the_model_error_is_held_against_the_spread_within_draws():
    *found, cluster = drawn(5, 50, 40)
    told = performance(*found, truth=1.0, cluster=cluster)
    assert abs(told.relative_error.value) < 4 * told.relative_error.mcse
    assert told.empirical_se.value > 1.2 * told.model_se.value


def test_a_cluster_each_is_no_cluster():
    *found, _ = drawn(6)
    rows = np.arange(len(found[0]))
    one, other = (performance(*found, truth=1.0, cluster=cluster) for cluster in (None, rows))
    for name in ("bias", "mse"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))
    for name in ("coverage", "rejection"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=0.02)


def test_shares_of_nothing_and_all_over_draws():
    found = share(np.ones(40, bool), np.arange(40) % 4)
    assert found.mcse > share(np.ones(40, bool)).mcse
    assert found.lower < 0.5
