"""A platform: who enters which regimen and when, which controls count, and what drift does to those of another time."""

import numpy as np
import pytest

import simulator as sim
from simulator.cli.trial_tables import arms_text
from simulator.language.faults import ScenarioError
from simulator.replicate import Replicator
from simulator.report.trial import trial_content
from simulator.studies.trial.blocks import run
from simulator.studies.trial.comparisons.arms import By, compare
from simulator.studies.trial.comparisons.figures import until_found
from simulator.studies.trial.comparisons.platform import compared_in, entered
from simulator.studies.trial.plan import TrialError, TrialOptions
from simulator.studies.trial.rows import ARM
from simulator.studies.trial.sequential import BENEFIT, FUTILITY
from simulator.studies.trial.study import Extent, prepare

VALUE, SE, WHY, PARTICIPANTS = (ARM.index(name) for name in ("value", "se", "why", "participants"))
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


def test_while_no_regimen_is_open_nobody_comes(seen):
    plan, _, came = seen
    late = plan._replace(scenario=platform().replace({"trial.comparisons.platform.opens": OPENS | {"high": 2000}}))
    people = entered(late, came, 3, 0).patients
    assert came.patients["enrolment_day"].max() < 2000
    waited = np.sort(people["enrolment_day"][people["regimen"] == 2])
    assert waited[0] == 2000
    as_accrued = np.diff(np.sort(came.patients["enrolment_day"])[-79:])
    np.testing.assert_allclose(np.diff(waited)[-78:], as_accrued)


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


def test_a_regimen_apart_has_and_lends_none_but_its_own_controls(seen):
    plan, replicate, _ = seen
    people, names = replicate.patients, list(plan.scenario.arms)
    control, regimen = people["allocated_arm"] == names.index("placebo"), people["regimen"]
    other = plan._replace(scenario=platform(controls="shared", apart=["middle"]))
    of = [set(regimen[compared_in(other, replicate, k) & control]) for k in range(3)]
    assert of == [{0, 2}, {1}, {0, 2}]


def watched(**rule):
    looks = {"looks": {"every_days": 84, "drop": rule}} if rule else {}
    work = prepare(platform(controls="own", **looks), TrialOptions(("ancova",)), Extent(2, 3))
    return work, run(work, 1)


def test_looks_that_end_nothing_change_nothing_and_looks_that_end_all_leave_places_empty():
    work, plain = watched()
    _, watchful = watched(harm=1e-12)
    _, hopeless = watched(predictive_power=0.999)
    looks = ARM.index("look")
    assert (watchful.arms[..., looks] > 1).all()
    kept = np.arange(len(ARM)) != looks
    np.testing.assert_array_equal(watchful.arms[..., kept], plain.arms[..., kept])
    assert (hopeless.arms[..., WHY] == FUTILITY).all()
    ended, looked = hopeless.arms[..., ARM.index("ended")], plain.arms[..., ARM.index("ended")]
    assert (ended % 84 == 0).all()
    assert (ended < looked).all()
    assert (hopeless.course[..., 0] < 240).all()
    assert (hopeless.arms[..., PARTICIPANTS] <= 60).all()
    np.testing.assert_array_equal(hopeless.estimates, plain.estimates)  # the other tables: as if none ended
    seen = Replicator(work.choices).replicate(3, 0)
    at, day = entered(work.plan, seen, 3, 0), ended[0, 0, 0]
    since = day - np.floor(at.patients["enrolment_day"])
    by = By(work.plan, "ancova", 0)
    one = compare(by, at, compared_in(work.plan, at, 0) & (since >= 0), np.arange(3) == 0, since)
    np.testing.assert_array_equal(one.rows[0], hopeless.arms[0, 0, 0, : one.rows.shape[1]])
    assert one.rows[0, -1] == (compared_in(work.plan, at, 0) & (since >= 196) & measured(work, at)).sum()


def test_a_posterior_ends_regimens_as_predictive_power_does():
    """With a flat prior and the same bound at the end both are one probability."""
    _, power = watched(predictive_power=0.3)
    looked = {"opens": OPENS, "controls": "own", "looks": {"every_days": 84}}
    rule = {"benefit": 0.975, "futility": {"predictive": 0.3}}
    by_posterior = platform().replace(
        {"trial.comparisons": {"test": "posterior", "platform": looked}, "trial.posterior": rule}
    )
    found = run(prepare(by_posterior, TrialOptions(("ancova",)), Extent(2, 3)), 1)
    assert (power.arms[..., WHY] == FUTILITY).any()
    np.testing.assert_array_equal(found.arms, power.arms)


def measured(work, seen):
    """Who is seen at the analysis in his own arm."""
    arm = seen.patients["allocated_arm"]
    last = list(seen.nominal_day).index(work.plan.days[0])
    return np.isfinite(seen.observed["alsfrs_r"][arm, np.arange(len(arm)), last])


def test_regimens_in_turn_open_when_the_one_before_has_ended():
    scenario = platform().replace({"trial.comparisons.platform": {"in_turn": 30, "controls": "own"}})
    at = found(scenario, 2)
    opened, ended = (at[..., ARM.index(name)] for name in ("opened", "ended"))
    assert opened[:, 0].tolist() == [0, 0]
    assert (opened[:, 1:] == ended[:, :-1] + 30).all()
    again = at[..., ARM.index("enrolled_then")]
    assert again.tolist() == [[80, 160, 240]] * 2


def test_the_first_true_claim_is_the_earliest_of_an_arm_that_works():
    scenario = platform().replace({"treatments.middle.value": 0.5, "treatments.high.value": 0.5})
    arms, course = np.zeros((3, 3, len(ARM))), np.full((3, 5), 240.0)
    arms[..., ARM.index("ended")] = 500, 700, 600
    arms[..., ARM.index("enrolled_then")] = 100, 200, 150
    arms[0, 0, WHY] = BENEFIT  # a false one
    arms[1, :, WHY] = BENEFIT
    arms[2, 1, WHY] = BENEFIT
    until = until_found(scenario, arms, course)
    assert until.found.tolist() == [False, True, True]
    assert until.days.tolist() == [240, 600, 700]
    assert until.participants.tolist() == [240, 150, 200]


def test_a_model_of_drift_is_the_covariate_in_every_analysis():
    stated = found(platform(controls="shared", drift_model="linear"), 1)
    asked = found(platform(controls="shared"), 1, ("enrolment_day",))
    np.testing.assert_array_equal(stated, asked)
    with pytest.raises(TrialError, match="joint_rank has no covariates"):
        prepare(platform(drift_model="linear"), TrialOptions(("joint_rank",)), Extent(1, 3))


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
        ({"trial.comparisons.platform.in_turn": 0}, "both opens and in_turn say when regimens open"),
        ({"trial.comparisons.platform.opens": None}, "nothing says when regimens open"),
        ({"trial.comparisons.platform.apart": ["other"]}, "other is no arm against control"),
        ({"trial.comparisons.platform.looks": {"every_days": 84}}, "no rule ends a regimen at a look"),
        (
            {"trial.comparisons.test": "posterior", "trial.posterior": {"benefit": 0.975, "at_looks": 0.99}},
            "regimens claim benefit at their end only",
        ),
        ({"trial.comparisons.platform": {"in_turn": 0, "controls": "own", "apart": ["low"]}}, "of its own already"),
        (
            {"trial.comparisons.platform.looks": {"every_days": 84, "drop": {"keep_best": 1}}},
            "regimens do not compete for places",
        ),
    ],
)
def test_a_contradiction_is_refused_before_anything_runs(change, fault):
    with pytest.raises(ScenarioError, match=fault):
        platform().replace(change)


def test_sizes_of_a_platform_are_not_looked_up():
    with pytest.raises(TrialError, match="size of a platform"):
        sim.trial(platform(), replicates=2, analyses=["ancova"], truth=0, power=[0.8])


def test_what_regimens_come_to_is_shown():
    scenario = platform(looks={"every_days": 84, "drop": {"predictive_power": 0.05}}).replace(
        {"treatments.high.value": 0.3}
    )
    trial = sim.trial(scenario, replicates=3, analyses=["ancova"], truth=0, null=False)
    text = " ".join(" ".join(arms_text(trial)).split())
    assert "ancova, by arm from day to day controls" in text
    assert "are on control. A regimen that has an effect is claimed in" in text
    at = trial.groups["comparisons"]
    assert at["opened"].attrs["units"] == at["found_days"].attrs["units"] == "d"
    assert at["found"].values[0] > 0
    assert any("when regimens run" in table.caption for table in trial_content(trial).tables)
