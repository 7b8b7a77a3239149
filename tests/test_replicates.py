"""Performance over replicates: Morris's formulas by their closed forms, and by repeating the study."""

import numpy as np
import pytest

from simulator.analysis.replicates import mean, performance, share


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
    assert found.estimable == pytest.approx((2 / 3, np.sqrt(2 / 27)))
    assert found.bias == pytest.approx((0.0, 1.0))
    assert found.empirical_se == pytest.approx((np.sqrt(2), 1.0))
    assert found.model_se == pytest.approx((root, np.sqrt(4.5 / 8) / root))
    assert found.mse == pytest.approx((1.0, 0.0))
    assert found.coverage == pytest.approx((0.5, np.sqrt(1 / 8)))
    assert found.rejection == pytest.approx((0.5, np.sqrt(1 / 8)))
    assert found.right_sign == (1.0, 0.0)
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
    for name in ("bias", "empirical_se", "model_se", "mse", "coverage"):
        assert getattr(moved, name) == pytest.approx(getattr(plain, name))


def test_nothing_gives_nothing():
    none = np.full(3, np.nan)
    found = performance(none, none, np.full((3, 2), np.nan), none, truth=0.0)
    assert found.estimable.value == 0
    assert all(np.isnan(one.value) for one in found[1:])
    assert np.isnan(share([]).value)
    assert np.isnan(mean([1.0]).mcse)
    assert np.isnan(performance(*study(1), truth=0.0).right_sign.value)
