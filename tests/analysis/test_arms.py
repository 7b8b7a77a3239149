"""Several arms against a control: golden values of R, published tables, and what their procedures promise."""

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from simulator.analysis.trial import combination, dose_response, dunnett, mams
from simulator.analysis.trial.after_looks import drifts
from simulator.analysis.trial.sequential import conditional_power, efficacy, without_futility
from tests.support.trials import GOLDEN as FOLDER

GOLDEN = json.loads((FOLDER / "arms.json").read_text("utf-8"))
HALF = np.sqrt(0.5)
N, CONTROL = np.array([20.0, 35.0, 50.0]), 40.0
statistics = st.lists(st.floats(-4, 5), min_size=2, max_size=4)


@pytest.mark.parametrize("kind", ["one", "one_t10", "two", "two_t10"])
def test_critical_values_are_those_of_dunnetts_tables(kind):
    df = 10 if kind.endswith("t10") else np.inf
    find = dunnett.critical if kind.startswith("one") else dunnett.two_sided_critical
    for k, published, p in zip(range(2, 6), GOLDEN["tables"][kind], GOLDEN["dunnett"][kind], strict=True):
        assert find(0.05, [HALF] * k, df) == pytest.approx(published, abs=0.006)
        assert find(p, [HALF] * k, df) == pytest.approx(published, abs=1e-3)  # mvtnorm's p of the published value


def test_adjusted_p_values_are_those_of_mvtnorm():
    z, loading = np.array([2.1, 2.4, 0.3]), dunnett.loadings(N, CONTROL)
    np.testing.assert_allclose(dunnett.step_down(z, loading), GOLDEN["step_down"], atol=2e-5)
    np.testing.assert_allclose(dunnett.single_step(z, loading), GOLDEN["single_step"], atol=2e-5)


def test_one_arm_is_the_normal_and_correlation_helps():
    assert float(dunnett.tail(1.96, [HALF])) == pytest.approx(norm.sf(1.96), abs=1e-12)
    assert dunnett.critical(0.025, [HALF] * 3) < norm.isf(0.025 / 3)


@given(statistics)
def test_step_down_is_the_closed_test(z):
    """An arm's adjusted p is the largest of all hypotheses that hold it."""
    z, loading = np.array(z), dunnett.loadings(np.arange(len(z)) * 10 + 20.0, 30.0)
    found, of = dunnett.step_down(z, loading), combination.members(len(z))
    each = np.array([dunnett.intersection(z, loading, one) for one in of])
    closed = [each[of[:, k]].max() for k in range(len(z))]
    np.testing.assert_allclose(found, closed, atol=1e-9)
    alike = np.full(len(z), HALF)
    each = np.array([dunnett.intersection(z, alike, one) for one in of])
    np.testing.assert_allclose(dunnett.step_down(z, alike), [each[of[:, k]].max() for k in range(len(z))], atol=1e-9)


def test_an_arm_without_an_estimate_is_not_claimed():
    z, loading = np.array([np.nan, 3.0]), np.array([HALF, HALF])
    assert dunnett.step_down(z, loading)[0] == dunnett.single_step(z, loading)[0] == 1.0
    assert dunnett.step_down(z, loading)[1] < 0.01


def test_the_trend_is_that_of_dosefinding():
    doses, se = np.array([10.0, 30, 60]), np.array([1.1, 0.9, 1.0])
    shapes = [dose_response.Shape("linear"), dose_response.Shape("emax", 15), dose_response.Shape("exponential", 40)]
    values = np.array([dose_response.effects(one, doses) for one in shapes])
    loading = dunnett.loadings(N, CONTROL)
    found = dose_response.trend(np.array([1, 1.6, 2.4]), se, loading, values)
    np.testing.assert_allclose(found.z, GOLDEN["trend"]["z"], atol=1e-8)
    assert found.p == pytest.approx(GOLDEN["trend"]["p"], abs=1e-4)


@given(st.integers(0, 10**6))
def test_the_largest_of_equal_correlations_is_dunnetts(seed):
    z, k = np.random.default_rng(seed).uniform(0.5, 3), 4
    r = np.full((k, k), 0.5) + 0.5 * np.eye(k)
    assert dose_response.any_above(z, r) == pytest.approx(float(dunnett.tail(z, [HALF] * k)), abs=3e-4)


def test_effects_rise_as_their_shapes_say():
    doses = np.array([10.0, 20.0])
    value = {form: dose_response.effects(dose_response.Shape(form, 20.0), doses) for form in ("emax", "quadratic")}
    assert value["emax"][1] == 0.5
    assert value["quadratic"][1] == 10.0
    assert dose_response.effects(dose_response.Shape("log_linear", 10.0), doses)[0] == pytest.approx(np.log(2))


@pytest.mark.slow
@pytest.mark.parametrize(("key", "arms", "upper"), [("two", 4, (2.4532829, 2.3129773)), ("three", 3, (2.9, 2.6, 2.2))])
def test_bounds_of_stages_are_crossed_as_often_as_mvtnorm_says(key, arms, upper):
    t = np.arange(1, len(upper) + 1) / len(upper)
    bounds = mams.Bounds(t, np.array(upper), np.array(upper))
    assert mams.crossing(bounds, arms) == pytest.approx(GOLDEN["mams"][key], abs=1e-4)


@pytest.mark.slow
def test_bounds_spend_the_level_and_one_stage_is_dunnett():
    t = np.array([0.5, 1.0])
    found = mams.boundaries(3, t, 0.025, "obrien_fleming")
    assert mams.crossing(found, 3) == pytest.approx(0.025, abs=1e-5)
    assert found.upper[0] == pytest.approx(found.upper[1] * np.sqrt(2))
    one = mams.boundaries(3, np.ones(1), 0.025, "pocock")
    assert one.upper[0] == pytest.approx(dunnett.critical(0.025, [HALF] * 3), abs=1e-4)
    two_arms = mams.boundaries(1, t, 0.025, "pocock").upper
    np.testing.assert_allclose(two_arms, 2.178, atol=2e-3)  # Pocock's two looks at 5 % two-sided
    assert mams.boundaries(3, t, 0.025, "pocock").lower[0] == -np.inf  # none is asked for
    binding = mams.boundaries(3, t, 0.025, "triangular", binding=True)
    assert binding.upper[1] < mams.boundaries(3, t, 0.025, "triangular").upper[1]
    assert binding.lower[1] == binding.upper[1]


def test_the_closed_combination_test_is_that_of_rpact():
    of, n = combination.members(2), np.array([[20, 30, 25], [20, 25, 30]])
    means = np.array([[2.1, 1.4, 0.3], [1.7, 1.0, 0.4]])
    z = []
    for size, mean in zip(n, means, strict=True):
        each = (mean[:2] - mean[2]) / (3 * np.sqrt(1 / size[:2] + 1 / size[2]))
        z.append(combination.stage_z(each, dunnett.loadings(size[:2], size[2]), of, "dunnett"))
    found = combination.combined(np.stack(z, axis=-1), [0.5, 1.0])
    for row, statistics in zip(GOLDEN["closed"]["hypotheses"], GOLDEN["closed"]["statistics"], strict=True):
        place = [list(one) for one in of.astype(int)].index(row)
        np.testing.assert_allclose(found[place], statistics, atol=2e-4)
    made = combination.closed(found[:, 1] >= GOLDEN["closed"]["bounds"][1], of)
    assert made.tolist() == [row[1] for row in GOLDEN["closed"]["rejected"]]


def test_a_dropped_arm_cannot_be_claimed_and_leaves_more_for_the_others():
    of = combination.members(2)
    z, loading = np.array([2.2, np.nan]), np.array([HALF, HALF])
    alone = combination.stage_z(z, loading, of, "dunnett")
    place = {tuple(one): value for one, value in zip(of.tolist(), alone, strict=True)}
    assert place[(True, True)] == pytest.approx(place[(True, False)]) == pytest.approx(2.2)
    assert place[(False, True)] == -dunnett.Z_MOST
    assert combination.closed(alone >= 1.96, of).tolist() == [True, False]


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=4))
def test_combined_stages_have_the_weights_of_the_plan(z):
    share = np.arange(1, len(z) + 1) / len(z)
    assert combination.combined(np.array(z), share)[-1] == pytest.approx(np.sum(z) / np.sqrt(len(z)))


def test_the_combination_keeps_its_level_whatever_the_first_stage_decides():
    """The second stage is 1 to 5 times as large, as the first tells: 2.5 % of 200,000, four errors of .035 %."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=200_000)
    size = np.where(first > 1, 5, 1)  # of normals in the second stage
    second = rng.normal(size=(200_000, 5))
    mean = np.where(size == 5, second.sum(axis=1) / np.sqrt(5), second[:, 0])
    z = combination.combined(np.stack([first, mean], axis=1), [0.5, 1.0])[:, 1]
    assert abs((z >= 1.96).mean() - 0.025) < 4 * 0.00035


def test_conditional_and_predictive_power():
    """Under the current trend the end is certain but for what is to come; without other knowledge the trend is not."""
    assert conditional_power(1.5, 0.5, 1.96) == pytest.approx(norm.cdf((1.5 / np.sqrt(0.5) - 1.96) / np.sqrt(0.5)))
    assert combination.predictive_power(1.5, 0.5, 1.96) == pytest.approx(norm.cdf(1.5 / np.sqrt(0.5) - 1.96))
    rng = np.random.default_rng(2)
    drift = rng.normal(1.5 / np.sqrt(0.5), np.sqrt(2), 400_000)
    end = 1.5 * np.sqrt(0.5) + drift * 0.5 + rng.normal(size=drift.size) * np.sqrt(0.5)
    assert (end >= 1.96).mean() == pytest.approx(combination.predictive_power(1.5, 0.5, 1.96), abs=0.003)


@given(st.floats(0.5, 2.5), st.floats(0.2, 0.8))
def test_the_rest_that_is_needed_gives_the_power(z, share):
    factor = combination.stage_needed(z, share, 1.96, 0.9)
    drift = z / np.sqrt(share) * np.sqrt(factor)  # the mean of the rest grows with the root of its size
    if factor > 0:
        mean = z * np.sqrt(share) + drift * (1 - share)
        assert norm.cdf((mean - 1.96) / np.sqrt(1 - share)) == pytest.approx(0.9)


def test_estimates_after_looks_are_those_of_rpact():
    t, one = np.array([0.3, 0.7, 1.0]), GOLDEN["after"]
    bounds = without_futility(t, efficacy(t))
    z, se = one["median"] * 0 + 0.4571428571 * np.sqrt(70), 1 / np.sqrt(70)
    found = drifts(bounds, 1, [z], [0.5, 0.025, 0.975])[0] * se * np.sqrt(0.7)
    np.testing.assert_allclose(found, [one["median"], one["low"], one["high"]], atol=3e-4)
    reach = bounds.efficacy[1] * se
    np.testing.assert_allclose([z * se - reach, z * se + reach], [one["repeated_low"], one["repeated_high"]], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("drift", [0.0, 2.0, 3.5])
def test_the_median_is_unbiased_and_intervals_hold_what_they_say(drift):
    """20,000 trials of three looks; four errors: 1.4 % of a half, .62 % of .95."""
    t = np.array([0.35, 0.7, 1.0])
    bounds = without_futility(t, efficacy(t))
    rng = np.random.default_rng(3)
    steps = np.diff(t, prepend=0.0)
    walk = np.cumsum(rng.normal(drift * steps, np.sqrt(steps), (20_000, 3)), axis=1)
    z = walk / np.sqrt(t)
    stops = np.abs(z) >= bounds.efficacy
    look = np.where(stops.any(axis=1), stops.argmax(axis=1), 2)
    found = np.full((20_000, 3), np.nan)
    for k in range(3):
        found[look == k] = drifts(bounds, k, z[look == k, k], [0.5, 0.025, 0.975])
    assert abs((found[:, 0] < drift).mean() - 0.5) < 0.0145
    assert abs(((found[:, 1] <= drift) & (drift <= found[:, 2])).mean() - 0.95) < 0.0065


def test_members_are_all_hypotheses():
    of = combination.members(3)
    assert {tuple(one) for one in of.tolist()} == {one for one in product((False, True), repeat=3) if any(one)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arms", "shape", "ratio", "upper", "lower"),
    [
        (3, "pocock", 1.0, (2.062,), (2.062,)),
        (4, "obrien_fleming", 1.0, (3.068, 2.169), (0.0, 2.169)),
        (3, "triangular", 0.5, (2.359, 2.225), (0.786, 2.225)),
        (3, "obrien_fleming", 1.0, (3.613, 2.555, 2.086), (0.0, 0.0, 2.086)),
    ],
)
def test_bounds_are_those_that_the_package_mams_publishes(arms, shape, ratio, upper, lower):
    """One-sided 5 %, binding lower bounds, of 0 but for the triangle; three digits.

    Jaki, Pallmann & Magirr (2019), doi:10.18637/jss.v088.i04 (first and third), the package's own pages (the others;
    the second is a design of table 1 of Magirr et al. 2012).
    """
    t = np.arange(1, len(upper) + 1) / len(upper)
    fixed = -np.inf if shape == "triangular" else 0.0
    found = mams.boundaries(arms, t, 0.05, shape, ratio=ratio, fixed=fixed, binding=True)
    np.testing.assert_allclose(found.upper, upper, atol=1e-3)
    np.testing.assert_allclose(found.lower, lower, atol=1e-3)
