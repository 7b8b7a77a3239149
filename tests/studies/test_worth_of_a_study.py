"""EVSI of a study whose number is simulated with noise: closed forms, laws, and what noise may not take away."""

import numpy as np
import pytest
from scipy.stats import norm

from simulator.analysis import value_of_information as value

SCALE, MEAN, DRAWS, SAMPLES = 100.0, 40.0, 300, 24


def gain_of(sd):
    """What knowing a gain of mean 40 up to a normal of some SD is worth: s φ(m/s) − m Φ(−m/s)."""
    return sd * norm.pdf(MEAN / sd) - MEAN * norm.cdf(-MEAN / sd)


def sample(seed, noise, replicates=2, draws=DRAWS):
    """A gain of 40 + 100 x; a study finds x. People give both a noise, that of the gain in part the same."""
    rng = np.random.default_rng(seed)
    x, people = rng.standard_normal((draws, 1)), rng.standard_normal((draws, replicates))
    benefit = np.zeros((draws, 2, replicates))
    benefit[:, 1] = MEAN + SCALE * x + 150 * (0.7 * people + 0.7 * rng.standard_normal((draws, replicates)))
    return benefit, x + noise * people


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("error", [2.0, 1.0, 0.3])
def test_noise_of_few_people_does_not_lower_the_worth(noise, error):
    """The mean over 24 samples against the closed form, with 4 standard errors and 2 % of the gain's SD for smoothing.

    Without taking the noise into account an error of .3 under a noise of 1 finds 14 in place of 22.
    """
    found = np.array([value.measured(*sample(seed, noise), error).value for seed in range(SAMPLES)])
    expected = gain_of(SCALE / np.sqrt(1 + error**2))
    assert found.mean() == pytest.approx(expected, abs=4 * found.std() / np.sqrt(SAMPLES) + 0.02 * SCALE)


@pytest.mark.slow
def test_a_larger_study_is_worth_more_until_it_is_all_that_its_number_tells():
    errors = [4.0, 2.0, 1.0, 0.5, 1e-3]
    found = np.array([[value.measured(*sample(seed, 0.0), error).value for error in errors] for seed in range(8)])
    assert (np.diff(found.mean(axis=0)) > 0).all()
    for k in range(8):  # in the limit the rule that knows x
        benefit, x = sample(k, 0.0)
        rules = [value.partials(benefit[:, :, [r]], x[:, [1 - r]], [[0]])[0].value for r in range(2)]
        assert found[k, -1] == pytest.approx(np.mean(rules), abs=0.01 * SCALE)


@pytest.mark.slow
def test_three_replicates_find_the_rule_from_two():
    found = np.array([value.measured(*sample(seed, 1.0, replicates=3), 1.0).value for seed in range(SAMPLES)])
    expected = gain_of(SCALE / np.sqrt(2))
    assert found.mean() == pytest.approx(expected, abs=4 * found.std() / np.sqrt(SAMPLES) + 0.02 * SCALE)


@pytest.mark.slow
def test_a_study_of_what_does_not_matter_is_worth_nothing():
    """A number that says nothing of the gain seldom gains above its floor: 5 % of samples, at most 5 of 40 (p .014)."""
    above = 0
    for seed in range(40):
        benefit, _ = sample(seed, 0.5)
        _, other = sample(seed + 1000, 0.5)
        found = value.measured(benefit, other, 0.5)
        above += found.value > found.floor
    assert above <= 5


def test_one_replicate_cannot_tell_noise_from_what_is_known():
    with pytest.raises(ValueError, match="two replicates"):
        value.measured(np.zeros((5, 2, 1)), np.zeros((5, 1)), 1.0)


@pytest.mark.parametrize("draws", range(2, 8))
@pytest.mark.parametrize("number", [lambda x: x, np.sign, np.zeros_like], ids=["all differ", "two values", "one value"])
def test_a_few_draws_that_no_line_goes_through_are_worth_something_finite(draws, number):
    """Each fold is predicted from the others, which may be one draw, or draws at which the study finds the same."""
    benefit, x = sample(draws, 0.5, draws=draws)
    assert np.isfinite(value.measured(benefit, number(x), 0.5))[:2].all()
