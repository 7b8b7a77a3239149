"""Sensitivity and value of information on bare arrays: functions with known answers, with and without noise."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulator.analysis import health_economics as economics
from simulator.analysis import value_of_information as value
from simulator.analysis.sensitivity import morris
from simulator.analysis.sensitivity.designs import one_at_a_time, saltelli
from simulator.analysis.sensitivity.regression import variance_shares
from simulator.analysis.sensitivity.sobol import sobol_indices
from tests.support.functions import ISHIGAMI, ISHIGAMI_VARIANCE, g_function, g_indices, ishigami

# Ishigami & Homma (1990) with a = 7, b = .1: V = a²/8 + b π⁴/5 + b² π⁸/18 + 1/2.


@pytest.mark.slow
@pytest.mark.parametrize(("function", "known"), [(ishigami, ISHIGAMI), (g_function, g_indices())])
def test_known_indices(function, known):
    found = sobol_indices(function(saltelli(4096, len(known[0]))))
    assert np.abs(found.first.value - known[0]).max() < 0.02
    assert np.abs(found.total.value - known[1]).max() < 0.02
    assert (found.first.lower <= known[0]).all()
    assert (known[0] <= found.first.upper).all()
    assert np.isnan(found.noise)


@pytest.mark.slow
def test_ishigami_variance():
    assert sobol_indices(ishigami(saltelli(4096, 3))).variance == pytest.approx(ISHIGAMI_VARIANCE, rel=0.01)


def test_without_noise_the_estimators_are_those_of_scipy():
    design = saltelli(512, 3)
    y = ishigami(design)
    values = {"f_A": y[:, 0][None], "f_B": y[:, 1][None], "f_AB": y[:, 2:].T[:, None, :]}
    theirs = stats.sobol_indices(func=values, n=512)
    ours = sobol_indices(y)
    # scipy divides by the variance with n instead of n - 1, and centres by the same mean
    assert ours.total.value == pytest.approx(theirs.total_order * 1023 / 1024, rel=1e-9)
    assert ours.first.value == pytest.approx(theirs.first_order * 1023 / 1024, rel=1e-9, abs=1e-9)


def test_a_larger_design_begins_with_the_smaller_one():
    assert (saltelli(64, 5)[:32] == saltelli(32, 5)).all()
    assert (saltelli(100, 5)[:64] == saltelli(64, 5)).all()
    assert (saltelli(200, 5) == saltelli(256, 5)[:200]).all()


@pytest.mark.parametrize("noise", ["independent", "common"])
def test_replicates_without_noise_change_nothing(noise):
    y = ishigami(saltelli(256, 3))
    one, three = sobol_indices(y), sobol_indices(np.repeat(y[..., None], 3, axis=2), noise=noise)
    assert three.first.value == pytest.approx(one.first.value)
    assert three.total.value == pytest.approx(one.total.value)
    assert three.noise_share == pytest.approx(0, abs=1e-12)


@given(scale=st.floats(0.01, 100), shift=st.floats(-100, 100), seed=st.integers(0, 99))
def test_units_do_not_matter(scale, shift, seed):
    y = ishigami(saltelli(32, 3))[..., None] + np.random.default_rng(seed).normal(size=(32, 5, 2))
    a, b = sobol_indices(y, resamples=2), sobol_indices(scale * y + shift, resamples=2)
    assert b.first.value == pytest.approx(a.first.value, rel=1e-6, abs=1e-6)
    assert b.total.value == pytest.approx(a.total.value, rel=1e-6, abs=1e-6)
    assert b.noise_share == pytest.approx(a.noise_share, rel=1e-6)


REPEATS, BASE = 60, 512
NOISE = {"independent": 1.0, "common": 0.3}  # variance of one replicate, over that of the function


def noisy(seed, kind):
    """Ishigami with noise: independent and larger where the first parameter is large, or the same at all points."""
    rng = np.random.default_rng(seed)
    u = saltelli(BASE, 3, seed=seed)
    size = NOISE[kind] * ISHIGAMI_VARIANCE
    if kind == "independent":
        return ishigami(u)[..., None] + np.sqrt(size * 2 * u[..., [0]]) * rng.normal(size=(*u.shape[:2], 2))  # E 2u = 1
    waves = rng.normal(size=(4, 40)) * np.sqrt(size / 20)  # a smooth random function of the parameters
    phases = u @ rng.uniform(2, 6, size=(3, 40)) + rng.uniform(0, 2 * np.pi, 40)
    return ishigami(u)[..., None] + np.cos(phases) @ waves.T


@pytest.fixture(scope="module", params=["independent", "common"])
def repeats(request):
    """Indices of many noisy evaluations: corrected, and as if there were no noise."""
    values = [noisy(seed, request.param) for seed in range(REPEATS)]
    ours = [sobol_indices(y, noise=request.param, resamples=200) for y in values]
    return request.param, ours, [sobol_indices(y, noise="ignored", resamples=2) for y in values]


@pytest.mark.slow
def test_indices_of_a_stochastic_model_are_right_and_plain_ones_are_not(repeats):
    kind, ours, plain = repeats
    for order, known in zip(("first", "total"), ISHIGAMI, strict=True):
        each = np.array([getattr(one, order).value for one in ours])
        error = each.std(axis=0, ddof=1) / np.sqrt(REPEATS)
        assert np.abs(each.mean(axis=0) - known).max() < max(4 * error.max(), 0.02)
        bias = np.mean([getattr(one, order).value for one in plain], axis=0) - known
        if kind == "independent":  # noise share of the averages is 1/3
            expected = known * 2 / 3 if order == "first" else known * 2 / 3 + 1 / 3
            assert bias == pytest.approx(expected - known, abs=0.03)
            assert np.abs(bias).max() > 0.13


def test_the_noise_share_is_found(repeats):
    kind, ours, _ = repeats
    share = np.mean([one.noise_share for one in ours])
    assert share == pytest.approx(NOISE[kind] / (1 + NOISE[kind]), abs=0.03)


def test_intervals_hold_the_truth(repeats):
    kind, ours, _ = repeats
    held = [
        (one.first.lower <= ISHIGAMI[0]) & (ISHIGAMI[0] <= one.first.upper) for one in ours
    ] + [(one.total.lower <= ISHIGAMI[1]) & (ISHIGAMI[1] <= one.total.upper) for one in ours]  # fmt: skip
    if kind == "independent":  # 6 * 60 intervals of 95 %; with common noise rows do not know what the seeds share
        assert np.mean(held) > 0.92


def test_what_has_no_index_is_refused():
    with pytest.raises(ValueError, match="finite"):
        sobol_indices(np.full((4, 5), np.nan))
    with pytest.raises(ValueError, match="cannot be made"):
        saltelli(1, 3)
    constant = sobol_indices(np.ones((8, 5)))
    assert np.isnan(constant.first.value).all()


def test_one_at_a_time():
    points = one_at_a_time(3)
    assert points.shape == (3, 2, 3)
    assert np.isfinite(points).sum() == 6
    assert points[1, :, 1].tolist() == [0.05, 0.95]


def test_morris_on_a_plane_and_a_product():
    points = morris.trajectories(20, 4)
    values = 3 * points[:, 0] - 2 * points[:, 1] + 4 * points[:, 0] * points[:, 2]
    found = morris.elementary_effects(points, values)
    assert found.trajectories == 20
    assert found.mean[1] == pytest.approx(-2)
    assert found.mean_abs[1] == pytest.approx(2)
    assert found.sd[1] == pytest.approx(0, abs=1e-9)
    assert found.sd[0] > 0.5
    assert found.mean_abs[3] == pytest.approx(0, abs=1e-9)
    assert np.isnan(found.noise).all()


def test_morris_knows_the_noise_of_an_effect():
    points, rng = morris.trajectories(60, 3), np.random.default_rng(1)
    values = 5 * points[:, [0]] + rng.normal(size=(len(points), 4)) + rng.normal(size=4)  # the shift cancels
    found = morris.elementary_effects(points, values)
    assert found.noise == pytest.approx(np.full(3, np.sqrt(2 / 4) * 1.5), rel=0.15)
    assert found.sd.mean() == pytest.approx(found.noise.mean(), rel=0.2)


def test_morris_without_its_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "SALib.sample.morris", None)
    with pytest.raises(ModuleNotFoundError):
        morris.trajectories(2, 2)


@pytest.mark.slow
def test_shares_of_independent_draws_are_those_of_the_closed_form():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4000, 3))
    y = 2 * x[:, 0] + x[:, 1] + rng.normal(size=4000) * 0  # 4/5, 1/5, 0
    found = variance_shares(x, y)
    assert found.alone == pytest.approx([0.8, 0.2, 0], abs=0.02)
    assert found.added == pytest.approx([0.8, 0.2, 0], abs=0.02)
    assert found.explained == pytest.approx(1)


@pytest.mark.slow
def test_shares_of_correlated_draws_and_of_noisy_outcomes():
    rng = np.random.default_rng(2)
    x = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=5000)
    y = x[:, [0]] + rng.normal(size=(5000, 2))  # half the variance of one replicate is noise
    found = variance_shares(x, y)
    assert found.noise_share == pytest.approx(1 / 3, abs=0.02)
    assert found.alone == pytest.approx([1, 0.64], abs=0.04)
    assert found.added == pytest.approx([0.36, 0], abs=0.03)
    assert found.alone_se.max() < 0.03


@pytest.mark.slow
def test_evpi_and_evppi_of_normal_increments():
    """Increment 1 + 2 a + b over an option worth 0: unit normal loss of sd √5, and of sd 2 when a is known."""
    rng = np.random.default_rng(4)
    a, b, c = rng.normal(size=(3, 20000))
    benefit = (
        np.stack([np.zeros(20000), 1 + 2 * a + b], axis=1) + rng.normal(size=(20000, 1)) * 100
    )  # shared: no matter

    def loss(sd):
        z = 1 / sd
        return sd * (stats.norm.pdf(z) - z * stats.norm.cdf(-z))

    found = value.choice(benefit)
    assert found.best == 1
    assert found.evpi == pytest.approx(loss(np.sqrt(5)), abs=4 * found.se_evpi)
    assert found.probability[1] == pytest.approx(stats.norm.cdf(1 / np.sqrt(5)), abs=0.02)
    few = slice(0, 1200)
    one, both, neither = value.partials(benefit[few], np.stack([a, b, c], axis=1)[few], [[0], [0, 1], [2]])
    assert one.value == pytest.approx(loss(2), abs=4 * one.se)
    assert both.value == pytest.approx(loss(np.sqrt(5)), abs=4 * both.se)
    assert one.value > one.floor
    assert neither.value <= neither.floor


def test_evpi_of_noisy_benefits_is_enclosed():
    rng = np.random.default_rng(5)
    truth = np.stack([np.zeros(4000), 0.2 + rng.normal(size=4000)], axis=1)
    known = value.choice(truth).evpi
    found = value.choice(truth[..., None] + rng.normal(size=(4000, 2, 3)))
    assert found.lower < known < found.evpi
    assert np.isnan(value.choice(truth).lower)


@given(rate=st.floats(0, 0.2), hazard=st.floats(0.01, 1.5))
def test_life_years_under_a_constant_hazard(rate, hazard):
    """∫ e^−λt (1 + r)^−t dt to 10 years, at cycles of 28 days."""
    day = np.arange(0, 3653, 28.0)
    weights = economics.year_weights(day, rate, 3640.0)
    alive, end = np.exp(-hazard * day / 365.25), 3640 / 365.25
    both = hazard + np.log1p(rate)
    assert weights @ alive == pytest.approx((1 - np.exp(-both * end)) / both, rel=hazard**2 * 6e-4 + 1e-9)


def test_half_cycle_correction_and_a_horizon_inside_a_cycle():
    day = np.array([0, 365.25, 730.5])
    assert economics.year_weights(day, 0) == pytest.approx([0.5, 1, 0.5])
    alive = np.array([1, 0.5, 0.0])
    assert economics.year_weights(day, 0, 1.5 * 365.25) @ alive == pytest.approx(0.75 + 0.5 * 0.375)
    assert economics.discounted(365.25, 0.25) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="reach the horizon"):
        economics.year_weights(day, 0, 731)


@given(rate=st.floats(0, 0.3), horizon=st.floats(1, 1000))
def test_weights_add_up_to_an_annuity(rate, horizon):
    weights = economics.year_weights(np.array([0.0, 100, 130, 1000]), rate, horizon)
    years, delta = horizon / 365.25, np.log1p(rate)
    assert weights.sum() == pytest.approx(years if delta == 0 else -np.expm1(-delta * years) / delta, rel=1e-9)
    assert (weights >= 0).all()


def test_quality_and_its_largest_error():
    shares = np.array([[1.0, 0, 0], [0.5, 0.25, 0.25]])
    utilities = [0.8, 0.4, 0.0]
    assert economics.quality(shares, utilities) == pytest.approx([0.8, 0.5])
    error = economics.most_error(shares, utilities, np.array([1.0, 2.0]), 100)
    assert error == pytest.approx(2 * np.sqrt(0.5 * 0.64 + 0.25 * 0.16 - 0.25) / 10)
    assert economics.net_benefit(2, 1000, 3000) == 5000
