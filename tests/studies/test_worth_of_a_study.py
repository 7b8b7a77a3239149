"""Worth of information in the tables of a decision, and of a study whose number is simulated with noise.

Closed forms, laws, and what noise may not take away.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import simulator as sim
from simulator.analysis import value_of_information as value
from simulator.analysis.intervals import reach
from simulator.studies.decide import probabilistic
from simulator.studies.decide.drawing import Drawn, Uncertain
from simulator.studies.decide.research import Sample

SCALE, MEAN, DRAWS, SAMPLES = 100.0, 40.0, 300, 24


TRIAL = {"outcome": "alsfrs_r_change_death0", "arm": "now", "against": "untreated", "day": 196, "per_arm": 72}


@pytest.fixture(scope="module")
def scenario():
    """A decision, for its block."""
    return sim.load("worth_treating").replace({"decision.thresholds": [0, 100_000, 300_000]})


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


def sample_of(scale, mean, draws=500, replicates=2, noise=0.0):
    """Two options; the second gains a normal net benefit at a value of 1 for an effect."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((draws, 2))
    gain = mean + scale * x[:, 0]
    effect = np.zeros((draws, 2, replicates))
    effect[:, 1] = gain[:, None] + noise * rng.standard_normal((draws, replicates))
    known = [Uncertain(name, name, "drug", "", 1.0) for name in ("tells", "says nothing")]
    return Sample(("a", "b"), np.zeros_like(effect), effect, Drawn(known, [{}] * draws, x))


def expected(scale, mean):
    """What knowing a normal gain is worth: s φ(m/s) − |m| Φ(−|m|/s)."""
    return scale * norm.pdf(mean / scale) - abs(mean) * norm.cdf(-abs(mean) / scale)


@pytest.mark.parametrize("error", [0.5, 2.0])
def test_the_worth_of_information_has_its_closed_form(scenario, error):
    """EVPI and EVPPI of a normal gain; EVSI of a study with a known error: the gain that it makes known has less SD."""
    scale, mean = 100.0, 40.0
    research = {"cost": 5, "patients": 10, "about": ["tells"], "standard_errors": {"tells": error}}
    block = {**scenario.content()["decision"], "willingness_to_pay": 1, "research": research}
    asked = scenario.replace({"decision": block})
    one, study = probabilistic.information(sample_of(scale, mean), asked, shared=False, seed=1)
    rows = {row[0]: row for row in one.rows}
    known = expected(scale, mean)
    assert rows["everything (EVPI)"][2] == pytest.approx(known, abs=4 * rows["everything (EVPI)"][3])
    assert rows["tells"][2] == pytest.approx(known, abs=4 * rows["tells"][3])
    assert rows["says nothing"][2] <= rows["says nothing"][4] * 1.5
    assert rows["tells"][2] <= rows["all drug"][2] <= rows["everything (EVPI)"][2]
    perfect, stated = study.rows
    less = expected(scale / np.sqrt(1 + error**2), mean)
    assert stated[1] == pytest.approx(less, abs=4 * stated[3] / 10 + 0.02 * scale)
    assert stated[1] <= perfect[1]
    assert stated[5] == pytest.approx(10 * stated[1] - 5)


@pytest.mark.parametrize("per_arm", [4, 100])
def test_a_trial_is_worth_more_the_larger_it_is(scenario, per_arm):
    """EVSI of a trial whose outcome is the value itself, SD 2 in each arm: its error is 2 √(2 / n)."""
    trial = {"outcome": "life_months", "arm": "now", "against": "untreated", "day": 364, "per_arm": per_arm}
    block = {**scenario.content()["decision"], "willingness_to_pay": 1,
             "research": {"cost": 5, "patients": 10, "about": ["tells"], "trial": trial}}  # fmt: skip
    scale, mean = 100.0, 40.0
    sample = sample_of(scale, mean)
    noise = np.random.default_rng(4).standard_normal((500, 2))  # of few people: SD 1, that of the value itself
    outcome = np.stack([sample.drawn.x[:, [0]] + noise, np.full((500, 2), 8.0)], axis=2)
    asked = scenario.replace({"decision": block})
    _, study = probabilistic.information(sample._replace(trial=outcome), asked, shared=False, seed=1)
    closed = expected(scale / np.sqrt(1 + 8 / per_arm), mean)
    assert study.rows[-1][1] == pytest.approx(closed, abs=4 * study.rows[-1][3] / 10 + 0.02 * scale)
    assert study.rows[-1][1] <= study.rows[0][1] + 0.02 * scale


@pytest.mark.parametrize("draws", [2, 3, 4, 5, 9])
def test_what_few_draws_cannot_tell_is_named_and_nothing_breaks(scenario, draws):
    """Of few people the outcome of a trial is often the same at every draw but one."""
    research = {"cost": 5, "patients": 10, "about": ["tells"], "standard_errors": {"tells": 1}, "trial": TRIAL}
    asked = scenario.replace({"decision.research": research, "decision.willingness_to_pay": 1})
    outcome = np.ones((draws, 2, 2))
    outcome[0, :, 0] = 0
    sample = sample_of(100.0, 40.0, draws=draws)._replace(trial=outcome)
    table, study = probabilistic.information(sample, asked, shared=False, seed=1)
    assert [row[0].split()[0] for row in study.rows] == ["perfect", "as", "trial,"][
        (0 if draws > 7 else 2 if draws > 3 else 3) :
    ]
    assert ("ask for 8 or more" in table.note) == ("ask for 8 or more" in study.note) == (draws < 8)
    assert ("the trial: ask for 4 or more" in study.note) == (draws < 4)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), noise=st.floats(0, 200), shift=st.floats(-150, 150), error=st.floats(0.1, 5))
def test_knowing_less_is_never_worth_more(scenario, seed, noise, shift, error):
    """In the tables of any sample: EVPPI ≤ EVPI, a group at least its members, EVSI ≤ EVPPI, and of a trial ≤ EVPI."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((60, 4))
    gain = shift + x @ rng.normal(size=4) * 60 + 30 * x[:, 0] * x[:, 2] + 20 * np.abs(x[:, 1])
    effect = np.zeros((60, 3, 2))
    effect[:, 1], effect[:, 2] = gain[:, None], 0.5 * gain[:, None]
    effect += noise * rng.standard_normal(effect.shape)
    known = [Uncertain(f"v{k}", f"v{k}", "drug" if k < 2 else "costs", "", 1.0) for k in range(4)]
    trial = np.stack([gain[:, None] + rng.normal(size=(60, 2)), np.full((60, 2), 100.0)], axis=2)
    sample = Sample(("a", "b", "c"), np.zeros_like(effect), effect, Drawn(known, [{}] * 60, x), trial)
    research = {"cost": 1, "patients": 1, "about": ["v0"], "standard_errors": {"v1": error}, "trial": TRIAL}
    asked = scenario.replace({"decision.research": research, "decision.willingness_to_pay": 1})
    table, study = probabilistic.information(sample, asked, shared=False, seed=seed)
    rows = {row[0]: row for row in table.rows}
    whole, worth = rows.pop("everything (EVPI)")[2], {name: row[2] for name, row in rows.items()}
    assert worth.pop("everything, at least") <= whole
    assert all(0 <= value <= whole for value in worth.values())
    assert all(worth[name] <= worth[f"all {row[1]}"] for name, row in rows.items() if row[1])
    perfect, stated, compared = (row[1] for row in study.rows)
    assert 0 <= stated <= perfect <= whole
    assert 0 <= compared <= whole


@settings(max_examples=10)
@given(mean=st.floats(-200, 200), noise=st.floats(0, 100))
def test_a_free_useless_option_never_wins_by_more_than_noise(scenario, mean, noise):
    """No gain, no cost: expected loss is nothing but noise, and there is nothing to know."""
    sample = sample_of(0.0, 0.0, draws=200, noise=noise)
    asked = scenario.replace({"decision.willingness_to_pay": 1})
    accepted, lost = probabilistic.curves(sample, asked)
    gains = sample.benefit(1).mean(axis=2)[:, 1]
    most = reach(200, 0.999) * gains.std(ddof=1) / np.sqrt(200)
    assert abs(gains.mean()) <= most
    assert all(abs(row[1] - row[2]) <= 300_000 * most for row in lost.rows)
    assert len(accepted.rows) == len(lost.rows)
