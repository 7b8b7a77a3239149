"""Replicates of a trial: each alone, together, on threads, interrupted and resumed; always the same numbers."""

from typing import Any

import numpy as np
import pytest

import simulator as sim
from simulator.analysis.trial.data import until
from simulator.analysis.trial.reading import Contrast, from_result
from simulator.analysis.trial.registry import ANALYSES
from simulator.language import ScenarioError
from simulator.replicate import Replicator, compiled
from simulator.results.kinds import TRIAL
from simulator.studies.trial.blocks import SIZE
from simulator.studies.trial.plan import TrialError, TrialOptions, plan
from simulator.studies.trial.rows import ESTIMATED, observed

ARMS = Contrast("early_start", "delayed_start")
DAY = 196
PEOPLE = 2000
LIGHT = ("ancova", "joint_rank", "logrank")


@pytest.fixture(scope="module")
def valor():
    return sim.load("valor")


@pytest.fixture(scope="module")
def trial(valor):
    return sim.trial(valor, replicates=60, analyses=LIGHT, days=[DAY], seed=3, threads=1, truth=PEOPLE)


def same(a: Any, b: Any) -> None:
    """Every array of two trials, bit by bit."""
    assert a.groups.keys() == b.groups.keys()
    for name, group in a.groups.items():
        for key, one in group.items():
            np.testing.assert_array_equal(one.values, b.groups[name][key].values, err_msg=f"{name}/{key}")


def test_a_replicate_is_what_reading_its_result_gives(valor):
    for settings in ({}, {"visits.scoring": "items"}, {"visits.jitter_days": 0}):
        scenario = valor.replace(settings)
        asked = plan(scenario, TrialOptions(LIGHT, days=[DAY, 364]))
        fast = observed(asked, Replicator(compiled([asked.scenario], asked.size)).replicate(3, 7))
        slow = from_result(sim.simulate(scenario, patients=asked.size, seed=3, replicate=7).groups, ARMS)
        for day in asked.days:
            one, other = until(fast, day), until(slow, day)
            for name in ("arm", "stratum", "nominal_day", "day", "outcome", "time", "event"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
            np.testing.assert_array_equal(one.covariate("log_nfl"), other.covariate("log_nfl"))


@pytest.mark.slow
@pytest.mark.parametrize("name", LIGHT)
def test_a_replicate_alone_is_analysed_as_within(valor, trial, name):
    result = sim.simulate(valor, patients=108, seed=3, replicate=41)
    alone = ANALYSES[name].run(until(from_result(result.groups, ARMS), DAY))
    within = trial.estimates(name, DAY)
    np.testing.assert_array_equal([within[key][41] for key in ESTIMATED], [getattr(alone, key) for key in ESTIMATED])


def test_replicates_are_other_people_and_the_first_is_the_run_itself(valor):
    zero, none = (sim.simulate(valor, patients=30, seed=3, **more) for more in ({"replicate": 0}, {}))
    other = sim.simulate(valor, patients=30, seed=3, replicate=1)
    ages = [run.groups["patients"]["age"].values for run in (zero, none, other)]
    np.testing.assert_array_equal(ages[0], ages[1])
    assert not np.isin(ages[2], ages[0]).any()
    assert other.arguments["replicate"] == 1
    assert "replicate" not in none.arguments


@pytest.mark.slow
def test_threads_do_not_matter(valor, trial):
    same(trial, sim.trial(valor, replicates=60, analyses=LIGHT, days=[DAY], seed=3, threads=3, truth=PEOPLE))


def test_more_replicates_keep_the_first(valor, trial):
    fewer = sim.trial(valor, replicates=7, analyses=LIGHT, days=[DAY], seed=3, truth=0, null=False)
    for name in LIGHT:
        np.testing.assert_array_equal(fewer.estimates(name)["value"], trial.estimates(name)["value"][:7])


@pytest.mark.slow
def test_an_interrupted_study_goes_on(valor, trial, tmp_path):
    asked = {"analyses": LIGHT, "days": [DAY], "seed": 3, "threads": 1, "truth": PEOPLE, "folder": tmp_path}

    def stop(done: int, total: int) -> None:
        if done >= SIZE:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sim.trial(valor, replicates=60, progress=stop, **asked)
    kept = list((tmp_path / TRIAL.work[0]).iterdir())
    assert len(kept) == 1
    times = kept[0].stat().st_mtime_ns
    steps = []
    same(trial, sim.trial(valor, replicates=60, progress=lambda done, total: steps.append(done), **asked))
    assert steps == [SIZE, 60, 60, 60 + SIZE, 120]  # the first block was not done again; then those without an effect
    assert kept[0].stat().st_mtime_ns == times
    content = bytearray(kept[0].read_bytes())
    content[2000] ^= 1
    kept[0].write_bytes(content)
    same(trial, sim.trial(valor, replicates=60, **asked))  # a damaged block is done again
    sim.trial(valor, replicates=1, null=False, **(asked | {"seed": 4}))
    assert len(list((tmp_path / TRIAL.work[0]).iterdir())) == 5  # another seed is another study


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (TrialOptions(()), "no analysis is named"),
        (TrialOptions(arms=("early_start", "late")), "the trial has no arm 'late'. Arms: early_start, delayed_start"),
        (TrialOptions(arms=("early_start", "early_start")), "name two arms"),
        (TrialOptions(size=4), "with a size of 4 delayed_start may stay empty.* Ask for a size of 5 or more"),
        (TrialOptions(days=[3000]), "day 3000 is not within follow-up"),
        (TrialOptions(outcome="fvc"), "fvc is not assessed"),
        (TrialOptions(endpoint="pav"), "there is no endpoint 'pav'"),
        (TrialOptions(days=[20]), "no visit after baseline is planned by day 20. Choose day 28 or later"),
        (
            TrialOptions(options={"ancova": {"robustly": True}}),
            "ancova has no option 'robustly'\\. Did you mean robust\\?",
        ),
        (TrialOptions(options={"ancova": {"robust": "yes"}}), "ancova.robust is true or false, and 'yes' is not"),
        (TrialOptions(options={"ancova": {"covariates": "log_nfl"}}), "ancova.covariates is a list of covariates"),
        (
            TrialOptions(options={"ancova": {"covariates": ["weight"]}}),
            "no covariate weight; they have age, months_since_onset, f",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_runs(valor, asked, message):
    with pytest.raises(TrialError, match=message):
        plan(valor, asked)


def test_a_trial_with_one_arm():
    counts = {"faster": {"tofersen": 39, "placebo": 0}}
    with pytest.raises(
        TrialError, match=r"^valor_trial\.yaml:\d+:\d+: trial\.counts: .*all are in tofersen\. Allocate"
    ):
        plan(sim.load("valor_trial").replace({"trial.counts": counts}), TrialOptions())


def test_a_trial_without_a_visit_before_its_analysis():
    place = r"^valor_trial\.yaml:39:19: trial\.analysis_days\.0"
    with pytest.raises(
        ScenarioError, match=place + r": no visit after baseline is planned by day 196\. Choose day 210"
    ):
        sim.load("valor_trial").replace({"visits.every_days": 210})


def test_a_scenario_without_a_trial():
    with pytest.raises(TrialError, match="there is no block trial"):
        plan(sim.load("natural_history"), TrialOptions())


def test_neurofilament_must_be_assessed(valor):
    with pytest.raises(TrialError, match="ancova_nfl needs neurofilament"):
        plan(valor.replace({"visits.assessments": ["alsfrs_r"]}), TrialOptions(("ancova_nfl",)))
