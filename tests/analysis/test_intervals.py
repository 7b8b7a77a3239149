"""Intervals of shares and means: their closed forms, and how often they hold the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, t

from simulator.analysis.intervals import mean_interval, reach, share_error, share_interval


def test_values():
    assert share_interval(0, 10) == pytest.approx((0.0, 0.2775328), abs=1e-7)
    assert share_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, table I
    assert reach([2, 3, 5, 10]) == pytest.approx([12.7062, 4.3027, 2.7764, 2.2622], abs=1e-4)
    assert reach(np.inf) == pytest.approx(1.959963984540054)
    assert np.isnan(reach([0, 1])).all()
    assert np.isnan(share_interval(0, 0)).all()
    assert mean_interval(3.0, 2.0, 2) == pytest.approx((3 - 25.4124, 3 + 25.4124), abs=1e-3)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_has_an_error_wherever_it_lies(one: tuple[int, int]):
    k, n = one
    low, high = share_interval(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert low < high
    assert share_error(k, n) > 0
    assert share_interval(n - k, n) == pytest.approx((1 - high, 1 - low))


def test_large_samples_have_the_usual_error():
    assert share_error(30_000, 100_000) == pytest.approx(np.sqrt(0.3 * 0.7 / 100_000), rel=1e-4)


def test_wilson_covers():
    """Mean coverage over shares is 95 %, and never far below: exact sums over the binomial distribution."""
    for n in (5, 20, 100):
        k = np.arange(n + 1)
        low, high = share_interval(k, n)
        shares = np.linspace(0.01, 0.99, 99)
        covered = np.array([binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum() for p in shares])
        assert covered.mean() > 0.945, n
        assert covered.min() > 0.83, n


def test_t_covers():
    """20,000 means of n normal values: coverage 95 %, at 4 standard errors (error rate 6e-5 each)."""
    for n in (2, 3, 5, 10):
        x = np.random.default_rng(n).normal(size=(20_000, n))
        low, high = mean_interval(x.mean(axis=1), x.std(axis=1, ddof=1) / np.sqrt(n), n)
        assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 20_000))
    assert reach(7) == pytest.approx(t.ppf(0.975, 6))


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_the_quantiles_of_t_are_those_of_scipy(level):
    n = np.array([*range(2, 200), 1_000, 10**6])
    assert reach(n, level) == pytest.approx(t.ppf((1 + level) / 2, n - 1), rel=1e-5)
