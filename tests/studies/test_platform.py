"""A platform: who enters which regimen and when, which controls count, and what drift does to those of another time."""

import numpy as np
import pytest

import simulator as sim
from simulator.language.faults import ScenarioError
from simulator.replicate import Replicator
from simulator.studies.trial.blocks import run
from simulator.studies.trial.comparisons.platform import compared_in, entered
from simulator.studies.trial.plan import TrialError, TrialOptions
from simulator.studies.trial.rows import ARM
from simulator.studies.trial.study import Extent, prepare

VALUE, SE, PARTICIPANTS = (ARM.index(name) for name in ("value", "se", "participants"))
OPENS = {"low": 0, "middle": 0, "high": 500}


def platform(effect=1.0, **written):
    return sim.load("dose_finding").replace(
        {
            "trial.size": 240,
            "trial.allocation": {"placebo": 1, "low": 3, "middle": 3, "high": 3},
            "trial.accrual_per_month": [{"rate": 8}],
            "trial.comparisons": {"test": "unadjusted", "platform": {"opens": OPENS, **written}},
            **{f"treatments.{name}.value": effect for name in OPENS},
        }
    )


def found(scenario, replicates, covariates=()):
    asked = TrialOptions(("ancova",), options={"ancova": {"covariates": list(covariates)}} if covariates else {})
    return run(prepare(scenario, asked, Extent(replicates, 3)), 1).arms[:, 0]


@pytest.fixture(scope="module")
def seen():
    work = prepare(platform(), TrialOptions(("ancova",)), Extent(1, 3))
    came = Replicator(work.choices).replicate(3, 0)
    return work.plan, entered(work.plan, came, 3, 0), came


def test_every_regimen_is_filled_in_its_ratio_and_in_its_time(seen):
    plan, replicate, _ = seen
    names, people = list(plan.scenario.arms), replicate.patients
    assert np.bincount(people["regimen"]).tolist() == [80] * 3
    for k, arm in enumerate(OPENS):
        mine = people["regimen"] == k
        assert (people["allocated_arm"][mine] == names.index(arm)).sum() == 60
        assert (people["allocated_arm"][mine] == names.index("placebo")).sum() == 20
        assert people["enrolment_day"][mine].min() >= OPENS[arm]
    early = people["enrolment_day"][people["regimen"] < 2]
    assert abs(np.bincount(people["regimen"][people["enrolment_day"] < np.median(early)])[:2] - 40).max() < 18


def test_while_no_regimen_is_open_people_wait(seen):
    plan, _, came = seen
    late = plan._replace(scenario=platform().replace({"trial.comparisons.platform.opens": OPENS | {"high": 2000}}))
    people = entered(late, came, 3, 0).patients
    assert came.patients["enrolment_day"].max() < 2000
    assert (people["enrolment_day"][people["regimen"] == 2] == 2000).all()


def test_controls_are_those_that_the_rule_names(seen):
    plan, replicate, _ = seen
    people, names = replicate.patients, list(plan.scenario.arms)
    control = people["allocated_arm"] == names.index("placebo")

    def controls(rule, k):
        other = plan._replace(scenario=platform(controls=rule))
        return set(np.flatnonzero(compared_in(other, replicate, k) & control))

    for k in range(3):
        own, concurrent, shared = (controls(rule, k) for rule in ("own", "concurrent", "shared"))
        assert len(own) == 20
        assert own <= concurrent <= shared
    assert len(controls("concurrent", 2)) < 30 < len(controls("shared", 2)) == 60
    assert len(controls("concurrent", 0)) > 30  # the second regimen begins on the same day


@pytest.mark.slow
def test_shared_controls_make_errors_as_small_as_they_should():
    """SE² goes with 1/60 + 1/controls: 20 of one's own, 60 of all. Mean of 60 replicates, 4 errors are about 4 %."""
    own, shared = (found(platform(controls=rule), 60)[:, 2, SE] for rule in ("own", "shared"))
    assert np.sqrt((shared**2).mean() / (own**2).mean()) == pytest.approx(
        np.sqrt((1 / 60 + 1 / 60) / (1 / 60 + 1 / 20)), rel=0.05
    )


@pytest.mark.slow
def test_drift_biases_earlier_controls_and_a_model_of_it_does_not():
    """3 points a year: the last regimen's controls entered, on average, well over half a year before its arm."""
    drift = {"drift_per_year": 3.0}
    apart = [
        found(platform(controls=rule, **drift), 150, covariates)[:, 2, VALUE]
        for rule, covariates in (("shared", ()), ("concurrent", ()), ("shared", ("enrolment_day",)))
    ]
    naive, concurrent, modelled = ((one.mean(), one.std() / np.sqrt(len(one))) for one in apart)
    assert naive[0] > 1.5 + 4 * naive[1]
    assert abs(concurrent[0]) < 4 * concurrent[1]
    assert abs(modelled[0]) < 4 * modelled[1]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"trial.comparisons.platform.opens": {"low": 0, "high": 3}}, "regimens that open are low, high"),
        ({"trial.size": 241}, "do not fill 3 regimens alike"),
        ({"trial.accrual_per_month": None}, "without accrual everybody is enrolled on one day"),
        ({"trial.comparisons.test": "dunnett"}, "takes the arms for one trial"),
        ({"trial.comparisons.stages": {"shares": [0.5]}}, "a platform has no stages"),
    ],
)
def test_a_contradiction_is_refused_before_anything_runs(change, fault):
    with pytest.raises(ScenarioError, match=fault):
        platform().replace(change)


def test_sizes_of_a_platform_are_not_looked_up():
    with pytest.raises(TrialError, match="size of a platform"):
        sim.trial(platform(), replicates=2, analyses=["ancova"], truth=0, power=[0.8])
