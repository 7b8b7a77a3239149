"""Group-sequential boundaries: published constants, R's rpact, what they spend, and simulated walks."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from simulator.analysis.trial import sequential
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.sequential import Spending

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "sequential.json").read_text())
FIVE, UNEVEN = np.arange(1, 6) / 5, np.array([0.3, 0.7, 1.0])
SPENDINGS = [Spending(), Spending("pocock"), Spending("power", 3.0), Spending("hwang_shih_decani", -4.0)]


@st.composite
def looks(draw):
    """Shares of the information at one to six looks."""
    steps = draw(st.lists(st.integers(1, 20), min_size=1, max_size=6))
    return np.cumsum(steps) / sum(steps)


def alone(share, bounds):
    return sequential.without_futility(share, bounds)


# --- published constants and another program


PUBLISHED = {2: (1.977, 2.178), 3: (2.004, 2.289), 4: (2.024, 2.361), 5: (2.040, 2.413), 10: (2.087, 2.555)}
"""Looks to C_B and C_P at 5 %: Jennison & Turnbull (2000), tables 2.3 and 2.1."""


@pytest.mark.parametrize("count", PUBLISHED)
def test_classical_constants_are_those_of_the_tables(count):
    share = np.arange(1, count + 1) / count
    constants = [sequential.wang_tsiatis(share, shape=shape)[-1] for shape in (0.0, 0.5)]
    assert np.round(constants, 3).tolist() == list(PUBLISHED[count])


SPENT = [(s, share, key) for s in SPENDINGS for share, at in ((FIVE, "five"), (UNEVEN, "uneven"))
         if (key := f"{s.shape}_{at}") in GOLDEN]  # fmt: skip


@pytest.mark.parametrize(("spending", "share", "key"), SPENT, ids=[key for _, _, key in SPENT])
def test_boundaries_that_spend_are_those_of_rpact(spending, share, key):
    assert len(SPENT) == 6
    np.testing.assert_allclose(sequential.efficacy(share, spending=spending), GOLDEN[key], atol=2e-7)


def test_classical_boundaries_are_those_of_rpact():
    for shape, key in ((0.0, "classical_obrien_fleming_five"), (0.5, "classical_pocock_five")):
        np.testing.assert_allclose(sequential.wang_tsiatis(FIVE, shape=shape), GOLDEN[key], atol=2e-7)


@pytest.mark.parametrize(("key", "shape"), [("bsOF", "obrien_fleming"), ("bsP", "pocock")])
def test_futility_that_spends_beta_is_that_of_rpact(key, shape):
    bounds = sequential.efficacy(UNEVEN)
    found = sequential.with_beta(UNEVEN, bounds, beta=0.2, spending=Spending(shape))
    np.testing.assert_allclose(bounds, GOLDEN[key]["efficacy"], atol=2e-7)
    np.testing.assert_allclose(found.futility[:-1], GOLDEN[key]["futility"], atol=1e-6)
    assert sequential.drift_for(found, 0.8) ** 2 == pytest.approx(GOLDEN[key]["shift"], abs=1e-5)


# --- laws


@settings(max_examples=25)
@given(looks(), st.sampled_from(SPENDINGS), st.floats(0.001, 0.2))
def test_each_look_spends_exactly_what_it_may(share, spending, alpha):
    found = sequential.crossing(alone(share, sequential.efficacy(share, alpha=alpha, spending=spending)))
    allowed = sequential.spent(spending, alpha / 2, share)
    np.testing.assert_allclose(np.cumsum(found.benefit), allowed, atol=1e-7)
    np.testing.assert_allclose(found.benefit, found.harm, atol=1e-9)
    assert 2 * found.power == pytest.approx(alpha, abs=1e-7)


@given(st.sampled_from(SPENDINGS), st.floats(0.001, 0.5), st.lists(st.floats(0.0, 1.0), min_size=2, max_size=8))
def test_spending_rises_to_the_level(spending, level, shares):
    found = sequential.spent(spending, level, np.sort(shares))
    assert (np.diff(found) >= 0).all()
    assert (found >= 0).all()
    assert sequential.spent(spending, level, 1.0) == pytest.approx(level)


def test_one_look_is_the_ordinary_test():
    assert sequential.efficacy([1.0], alpha=0.05) == pytest.approx([norm.ppf(0.975)])
    one = alone([1.0], sequential.efficacy([1.0]))
    assert sequential.drift_for(one, 0.9) == pytest.approx(norm.ppf(0.975) + norm.ppf(0.9), abs=1e-7)


@settings(max_examples=10)
@given(looks(), st.floats(-1.0, 5.0))
def test_futility_takes_power_and_size_and_shortens(share, drift):
    bounds = sequential.efficacy(share)
    plain, stopping = alone(share, bounds), sequential.with_conditional_power(share, bounds, 0.2)
    free, bound = sequential.crossing(plain, drift), sequential.crossing(stopping, drift)
    assert bound.power <= free.power + 1e-9
    assert sequential.expected_share(bound, share) <= sequential.expected_share(free, share) + 1e-9
    assert sum(bound.benefit + bound.harm + bound.futility) == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("drift", [0.0, 2.5])
def test_crossings_are_those_of_simulated_walks(drift):
    bounds = sequential.with_conditional_power(UNEVEN, sequential.efficacy(UNEVEN, spending=Spending("pocock")), 0.15)
    steps = np.diff(UNEVEN, prepend=0.0)
    rng = np.random.default_rng(4)
    walk = np.cumsum(rng.normal(drift * steps, np.sqrt(steps), (400_000, 3)), axis=1) / np.sqrt(UNEVEN)
    on, found = np.ones(len(walk), bool), np.zeros((3, 3))
    for k in range(3):
        up, down, low = (
            walk[:, k] >= bounds.efficacy[k],
            walk[:, k] <= -bounds.efficacy[k],
            walk[:, k] <= bounds.futility[k],
        )
        found[:, k] = [(on & up).mean(), (on & down).mean(), (on & low & ~down).mean()]
        on &= ~(up | down | low)
    expected = np.array(sequential.crossing(bounds, drift))
    error = np.sqrt(expected * (1 - expected) / len(walk))
    assert (abs(found - expected) <= 4 * error + 1e-6).all()


def test_conditional_power_is_that_of_simulated_ends():
    z, share, critical = 1.2, 0.4, 2.0
    rng = np.random.default_rng(5)
    for drift in (None, 3.0):
        trend = z / np.sqrt(share) if drift is None else drift
        end = z * np.sqrt(share) + trend * (1 - share) + rng.normal(size=200_000) * np.sqrt(1 - share)
        assert sequential.conditional_power(z, share, critical, drift) == pytest.approx(
            (end >= critical).mean(), abs=5e-3
        )


def test_the_futility_boundary_is_where_conditional_power_is_the_least():
    bounds = sequential.with_conditional_power(UNEVEN, sequential.efficacy(UNEVEN), 0.2)
    for t, low in zip(UNEVEN[:-1], bounds.futility[:-1], strict=True):
        assert sequential.conditional_power(low, t, bounds.efficacy[-1]) == pytest.approx(0.2)


@pytest.mark.parametrize("share", [[], [0.5], [0.5, 0.5, 1.0], [0.0, 1.0], [0.7, 0.4, 1.0]])
def test_looks_must_rise_to_the_end(share):
    with pytest.raises(AnalysisError, match="must rise"):
        sequential.efficacy(share)
