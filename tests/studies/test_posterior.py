"""Trials that decide by posterior probabilities, and that borrow: laws, and contradictions that are refused."""

import numpy as np
import pytest
from scipy.stats import norm

import simulator as sim
from simulator.analysis.trial.combination import predictive_power
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.sequential import by_posterior, crossing
from simulator.language.faults import ScenarioError
from simulator.studies.trial import sequential
from simulator.studies.trial.blocks import run
from simulator.studies.trial.borrowed import groups_of, told
from simulator.studies.trial.plan import TrialOptions, plan
from simulator.studies.trial.rows import ARM
from simulator.studies.trial.sequential import BENEFIT, FUTILITY, HARM
from simulator.studies.trial.study import Extent, prepare

EARLIER = {
    "name": "an earlier trial",
    "source": "invented",
    "day": 168,
    "change": {"mean": -6.0, "sd": 5.0, "people": 60},
    "events": {"number": 4, "years": 26.0},
}
WHY, LOOK = ARM.index("why"), ARM.index("look")


@pytest.fixture(scope="module")
def centaur():
    return sim.load("centaur").replace({"trial.size": 60})


def found(scenario, analyses=("ancova",), replicates=20):
    work = prepare(scenario, TrialOptions(analyses), Extent(replicates, 3, truth=0))
    return work, run(work, 1)


def claims(scenario, **more):
    work, block = found(scenario, **more)
    return sequential.claims(work.plan, "ancova", block, 0, 0)


def test_with_a_flat_prior_a_probability_is_a_test_of_one_side(centaur):
    one = claims(centaur.replace({"trial.posterior": {"benefit": 0.8}}))
    other = claims(centaur.replace({"trial.alpha": 0.2, "trial.sides": 1}))
    np.testing.assert_array_equal(one, other)
    assert one.benefit.any()
    assert not one.harm.any()


def test_looks_that_cannot_stop_change_nothing(centaur):
    fixed = claims(centaur.replace({"trial.posterior": {"benefit": 0.8}}))
    looks = claims(centaur.replace({"trial.posterior": {"benefit": 0.8}, "trial.interim": {"shares": [0.5]}}))
    np.testing.assert_array_equal(looks, fixed)


def test_a_look_stops_where_its_probability_says_so(centaur):
    rule = {"benefit": 0.9, "at_looks": 0.95, "futility": {"probability": 0.4}}
    work, block = found(centaur.replace({"trial.posterior": rule, "trial.interim": {"shares": [0.5]}}))
    at = sequential.stopped(
        sequential.rules(work.plan.scenario.trial.interim, work.plan.scenario.trial.posterior), "ancova", block, 0
    )
    value, p = block.looks[:, 0, 0, 0], block.looks[:, 0, 0, 5]
    benefit = np.where(value > 0, 1 - p / 2, p / 2)  # the probability, from the estimate of the look
    np.testing.assert_array_equal((at.look == 0) & (at.why == BENEFIT), benefit >= 0.95)
    np.testing.assert_array_equal((at.look == 0) & (at.why == FUTILITY), benefit <= 0.4)
    assert {*at.why} >= {BENEFIT, FUTILITY}
    assert not (at.why == HARM).any()


def test_of_harm_there_is_no_claim(centaur):
    harmful = centaur.replace({"treatments.drug.value": 2.5, "trial.posterior": {"benefit": 0.8}})
    for looks in ({}, {"trial.interim": {"shares": [0.5]}}):
        made = claims(harmful.replace(looks), replicates=6)
        assert not made.harm.any()
        assert not made.benefit.any()


def test_bounds_are_probabilities_and_the_predictive_one_is_at_its_limit():
    t = np.array([0.3, 0.6, 1.0])
    found = by_posterior(t, 0.975, 0.99, predictive=0.2)
    np.testing.assert_allclose(found.efficacy, norm.ppf([0.99, 0.99, 0.975]))
    for share, z in zip(t[:2], found.futility[:2], strict=True):
        assert predictive_power(z, share, norm.ppf(0.975)) == pytest.approx(0.2)
    np.testing.assert_allclose(by_posterior(t, 0.975, 0.99, least=0.1).futility[:2], norm.ppf(0.1))
    one = crossing(by_posterior(t, 0.975, None))
    assert one.power == pytest.approx(0.025, abs=1e-6)  # no look stops
    assert one.harm.sum() == pytest.approx(0, abs=1e-9)


def test_arms_are_claimed_and_dropped_by_their_probabilities():
    rule = {"benefit": 0.9, "at_looks": 0.95, "futility": {"probability": 0.3}}
    scenario = sim.load("dose_finding").replace(
        {
            "trial.size": 100,
            "trial.accrual_per_month": [{"rate": 3}],
            "trial.posterior": rule,
            "trial.comparisons": {"test": "posterior", "stages": {"shares": [0.5], "goes_on": True}},
        }
    )
    _, block = found(scenario, replicates=16)
    arms = block.arms[:, 0]
    z = np.sign(arms[..., 0]) * norm.isf(arms[..., 5] / 2)
    early = arms[..., LOOK] == 0
    assert {*arms[..., WHY].ravel()} == {BENEFIT, FUTILITY, 0}
    np.testing.assert_array_equal(arms[early][:, WHY] == BENEFIT, norm.cdf(z[early]) >= 0.95)
    np.testing.assert_array_equal(arms[early][:, WHY] == FUTILITY, norm.cdf(z[early]) <= 0.3)
    np.testing.assert_array_equal(arms[~early][:, WHY] == BENEFIT, norm.cdf(z[~early]) >= 0.9)
    at_once = scenario.replace({"trial.comparisons.stages": None, "trial.posterior": {"benefit": 0.9}})
    _, once = found(at_once, replicates=16)
    z = np.sign(once.arms[..., 0]) * norm.isf(once.arms[..., 5] / 2)
    np.testing.assert_array_equal(once.arms[..., WHY] == BENEFIT, norm.cdf(z) >= 0.9)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"trial.posterior": {"benefit": 0.9}, "trial.alpha": 0.05}, "posterior and alpha both decide"),
        ({"trial.posterior": {"benefit": 0.9}, "trial.sides": 1}, "posterior and sides both decide"),
        ({"trial.posterior": {"benefit": 0.9, "at_looks": 0.99}}, "there are no looks at which posterior"),
        ({"trial.posterior": {"benefit": 0.3}}, "claimed of what is rather harm"),
        ({"trial.posterior": {"benefit": 0.9, "futility": {"probability": 0.9}}}, "below 0.9 is none"),
        ({"trial.posterior": {"benefit": 0.9, "futility": {}}}, "futility has no rule"),
        ({"trial.posterior": {"benefit": 0.9}, "trial.interim": {"shares": [0.5], "alpha": 0.1}}, "nothing to alpha"),
        ({"trial.posterior": {"benefit": 0.9}, "trial.interim": {"shares": [0.5], "spending": {"shape": "pocock"}}},
         "nothing to spending"),
        ({"trial.posterior": {"benefit": 0.9},
          "trial.interim": {"shares": [0.5], "futility": {"conditional_power": 0.1}}}, "nothing to futility"),
        ({"trial.earlier_controls": [{"name": "a", "source": "b", "day": 168}]}, "neither change nor events"),
        ({"trial.earlier_controls": [{**EARLIER, "arm": "placebo"}]}, "arm is one of files"),
        ({"trial.earlier_controls": [{**EARLIER, "files": ["none.csv"]}]}, "there is no file none.csv"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_before_anything_runs(centaur, change, fault):
    with pytest.raises(ScenarioError, match=fault):
        centaur.replace(change)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"trial.comparisons": {"test": "posterior"}}, "no posterior probability is written"),
        ({"trial.posterior": {"benefit": 0.9}, "trial.comparisons": {"test": "holm"}}, "Write test: posterior"),
        ({"trial.posterior": {"benefit": 0.9}, "trial.comparisons": {
            "test": "posterior", "stages": {"shares": [0.5], "spending": {"shape": "pocock"}}}}, "spend no level"),
    ],
)  # fmt: skip
def test_comparisons_that_contradict_a_posterior_are_refused(change, fault):
    with pytest.raises(ScenarioError, match=fault):
        sim.load("dose_finding").replace(change)


def test_a_family_shares_a_level_and_a_posterior_has_none(centaur):
    family = {"procedure": "holm", "claims": [{"analysis": "ancova"}, {"analysis": "joint_rank"}]}
    with pytest.raises(ScenarioError, match="posterior and family both decide"):
        centaur.replace({"trial.family": family, "trial.posterior": {"benefit": 0.9}})


def test_borrowing_without_data_is_refused_before_anything_runs(centaur):
    for name, scenario in (
        ("ancova_map", centaur),
        ("event_rate_map", centaur.replace({"trial.earlier_controls": [{**EARLIER, "endpoint": "death"}]})),
        ("ancova_commensurate", centaur.replace({"trial.earlier_controls": [{**EARLIER, "day": 90}]})),
    ):
        with pytest.raises(AnalysisError, match=f"centaur.yaml:.*{name} borrows earlier controls, and there are none"):
            plan(scenario, TrialOptions((name,)))
    with pytest.raises(AnalysisError, match="borrowed is a probability"):
        plan(
            centaur.replace({"trial.earlier_controls": [EARLIER]}),
            TrialOptions(("ancova_map",), options={"ancova_map": {"borrowed": 2.0}}),
        )


def test_what_is_borrowed_is_told_and_is_that_of_the_outcome(centaur):
    scenario = centaur.replace({"trial.earlier_controls": [EARLIER, {**EARLIER, "outcome": "svc"}]})
    planned = plan(scenario, TrialOptions(("ancova", "ancova_map", "event_rate_map", "ancova_twins")))
    words = list(told(planned))
    assert [one.split(":")[0] for one in words] == ["ancova_map", "event_rate_map", "ancova_twins"]
    assert "ancova_map: earlier controls count as 9.2 participants" in words[0]
    assert [one.mean for one in groups_of(scenario, "svc", "death")] == [pytest.approx(np.nan, nan_ok=True), -6.0]
    assert "invented" in scenario.citations()
