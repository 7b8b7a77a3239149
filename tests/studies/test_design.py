"""Designs: who is let in by neurofilament, allocation that leans, accrual, lead-in, looks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator as sim
from simulator.analysis.trial.data import since, until
from simulator.analysis.trial.reading import Contrast, from_result
from simulator.engine.accrual import enrol
from simulator.engine.allocation import NOBODY, allocate
from simulator.engine.random import make_key
from simulator.errors import SimulatorError
from simulator.program.scenario import accrual, compile_program
from simulator.replicate import Replicator, compiled
from simulator.run import SUMMED
from simulator.studies.trial import sequential
from simulator.studies.trial.blocks import run
from simulator.studies.trial.entering import most, patients
from simulator.studies.trial.looks import calendar
from simulator.studies.trial.plan import TrialOptions, plan
from simulator.studies.trial.rows import observed
from simulator.studies.trial.study import Extent, prepare

ARMS = Contrast("early_start", "delayed_start")
LEAN = {"measure": "nfl_plasma", "arm": "early_start", "shift": 0.25}
DAY = 196


@pytest.fixture(scope="module")
def valor():
    return sim.load("valor").replace({"follow_up_days": 364, "trial.analysis_days": [DAY]})


@pytest.fixture(scope="module")
def lead(valor):
    """The same trial after a lead-in of twelve weeks, with people who declined."""
    return valor.replace(
        {
            "arms": {"early_start": [{"treatments": ["tofersen"], "from_day": 84}], "delayed_start": []},
            "trial.lead_in": {"days": 84, "eligible": {"alsfrs_r_lost": {"min": 1}}},
            "trial.analysis_days": [280],
        }
    )


def patients_of(scenario, n=600, **settings):
    return {key: one.values for key, one in sim.simulate(scenario, patients=n, **settings).groups["patients"].items()}


# --- eligibility on neurofilament


def test_who_is_let_in_by_neurofilament_is_measured_so_at_baseline(valor):
    for entry in ({}, {"entry": {"time_since_onset_months": {"normal": {"mean": 12, "sd": 6, "low": 0}}}}):
        found = sim.simulate(
            valor.replace({**entry, "entry.eligible": {"nfl_plasma": {"min": 60, "max": 200}}}), patients=400
        )
        nfl = found.groups["observed"]["nfl_plasma"].values[:, :, 0]
        assert (nfl >= 60).all()
        assert (nfl <= 200).all()
        assert len(np.unique(nfl[0])) > 390


# --- allocation that leans

SETTINGS = settings(max_examples=40, deadline=None)
BLOCKS = st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=1, max_size=3)
PULLS = st.lists(st.floats(-30, 30), min_size=3, max_size=3)


def allocated(block, pull, seed, n=300):
    block, rng = np.array(block, np.int64), np.random.default_rng(seed)
    strata = rng.integers(0, len(block), n).astype(np.int8)
    x = rng.normal(size=n)
    return (
        strata,
        x,
        allocate(make_key(seed), strata, block, np.array(pull), x, np.zeros_like(block), np.empty_like(strata)),
    )


@SETTINGS
@given(BLOCKS, PULLS, st.integers(0, 1000))
def test_however_arms_pull_each_block_keeps_its_numbers(block, pull, seed):
    strata, _, arms = allocated(block, pull, seed)
    for k, wanted in enumerate(block):
        mine, size = arms[strata == k], sum(wanted)
        if not size:
            assert (mine == NOBODY).all()
            continue
        whole = mine[: len(mine) // size * size].reshape(-1, size)
        for arm, count in enumerate(wanted):
            assert (np.count_nonzero(whole == arm, axis=1) == count).all()


@pytest.mark.slow
@SETTINGS
@given(BLOCKS, st.integers(0, 1000))
def test_without_a_pull_allocation_is_the_plain_one_bit_by_bit(block, seed):
    """Places are taken by counting: the same rule in integers."""
    strata, _, arms = allocated(block, [0.0, 0.0, 0.0], seed)
    _, _, tiny = allocated(block, [1e-300, 0.0, 0.0], seed)  # weights are computed, and are 1
    assert (arms == tiny).all()
    left = np.zeros((len(block), 3), int)
    from simulator.engine.allocation import ALLOCATION, I0, U32, uniforms

    with np.errstate(over="ignore"):
        for i, k in enumerate(strata.tolist()):
            if not left[k].sum():
                left[k] = block[k]
            places = left[k].sum()
            place = int(np.float64(uniforms(make_key(seed), U32(i), I0, ALLOCATION, I0)[0]) * places)
            wanted = int(np.searchsorted(np.cumsum(left[k]), place, side="right")) if places else NOBODY
            assert arms[i] == wanted
            if places:
                left[k, wanted] -= 1


def test_who_leans_and_who_does_not_are_the_same_people(valor):
    plain, leaning = (
        sim.simulate(one, patients=108, seed=5) for one in (valor, valor.replace({"trial.imbalance": LEAN}))
    )
    for group in ("patients", "truth", "observed", "events"):
        for name, one in plain.groups[group].items():
            if name != "allocated_arm":
                np.testing.assert_array_equal(one.values, leaning.groups[group][name].values, err_msg=name)
    arms = [one.groups["patients"]["allocated_arm"].values for one in (plain, leaning)]
    assert (arms[0] != arms[1]).any()
    assert all(np.count_nonzero(arm == "early_start") == 72 for arm in arms)


@pytest.mark.parametrize("block_size", [3, 12])
@pytest.mark.parametrize("shift", [-0.3, 0.25])
@pytest.mark.slow
def test_the_shift_is_the_one_asked_for(valor, block_size, shift):
    scenario = valor.replace({"trial.imbalance": LEAN | {"shift": shift}, "trial.block_size": block_size})
    space, found = Replicator(compiled([plan(scenario, TrialOptions()).scenario], 108)), []
    for number in range(300):
        seen = space.replicate(9, number)
        arm, x = seen.patients["allocated_arm"], np.log(seen.observed["nfl_plasma"][0, :, 0])
        found.append(x[arm == 0].mean() - x[arm == 1].mean())
    assert abs(np.mean(found) - shift) < 4 * np.std(found) / np.sqrt(300) + 0.005


def test_a_shift_that_blocks_do_not_allow_is_refused(valor):
    with pytest.raises(SimulatorError, match=r"^valor\.yaml:\d+:\d+: trial\.imbalance\.shift: .*these blocks allow"):
        compile_program(valor.replace({"trial.imbalance": LEAN | {"shift": 2.0}}), SUMMED, 108, True)


# --- accrual


def days_of(pieces, n=4000, seed=3):
    return enrol(make_key(seed), np.array(pieces, np.float64), np.empty(n))


def test_people_enter_one_by_one_at_the_rate():
    days = days_of([(0.0, 0.2, 0.0)], 20_000)
    assert days[0] == 0
    gaps = np.diff(days)
    assert (gaps > 0).all()
    assert gaps.mean() == pytest.approx(5.0, rel=0.03)
    assert gaps.std() == pytest.approx(5.0, rel=0.03)  # exponential


def test_the_rate_changes_with_the_calendar():
    trial = (
        sim.load("valor")
        .replace({"trial.accrual_per_month": [{"until_day": 1000, "rate": 3}, {"rate": 30.4375}]})
        .trial
    )
    days = days_of(accrual(trial))
    early, late = days[days < 1000], days[days >= 1000]
    assert len(early) == pytest.approx(1000 * 3 / 30.4375, abs=4 * 10)
    assert np.diff(late).mean() == pytest.approx(1.0, rel=0.06)


def test_the_first_enter_alike_for_any_number():
    pieces = [(0.0, 0.1, 0.0), (90.0, 0.3, 9.0)]
    assert (days_of(pieces, 50) == days_of(pieces, 500)[:50]).all()


def test_the_day_of_enrolment_is_a_result(valor):
    found = patients_of(valor.replace({"trial.accrual_per_month": [{"rate": 5}]}), 50)
    assert found["enrolment_day"][0] == 0
    assert (np.diff(found["enrolment_day"]) > 0).all()
    assert "enrolment_day" not in patients_of(valor, 5)


# --- lead-in


def test_after_a_lead_in_those_are_randomised_who_lived_stayed_and_fitted(lead):
    found = sim.simulate(lead, patients=500, seed=2).groups
    randomised = found["patients"]["allocated_arm"].values != ""
    score, day = (found["observed"][key].values[0] for key in ("alsfrs_r", "day"))
    lost, events = score[:, 0] - score[:, 3], found["events"]
    assert (day[randomised, 3] == 84).all()  # on its day, never missed
    assert (lost[randomised] >= 1).all()
    there = (events["event_free_time"].values[0] > 84) & ~(events["dropout_time"].values[0] <= 84)
    assert (randomised == (there & (lost >= 1))).all()
    assert 0.2 < randomised.mean() < 0.9


def test_a_replicate_after_a_lead_in_is_its_result_from_then_on(lead):
    asked = plan(lead, TrialOptions(("ancova",)))
    assert asked.days == (DAY,)
    n = patients([asked.scenario], asked.size, 3)
    assert n > 108
    fast = observed(asked, Replicator(compiled([asked.scenario], n)).replicate(3, 4, most(asked.scenario, asked.size)))
    result = sim.simulate(lead, patients=n, seed=3, replicate=4)
    slow = until(since(from_result(result.groups, ARMS), 84), DAY)
    fast = until(fast, DAY)
    assert fast.n == 108
    visits = len(fast.nominal_day)
    for name in ("arm", "stratum", "event"):
        np.testing.assert_array_equal(getattr(fast, name)[:50], getattr(slow, name)[:50], err_msg=name)
    np.testing.assert_array_equal(fast.nominal_day, slow.nominal_day[:visits])
    np.testing.assert_array_equal(fast.outcome, slow.outcome[: fast.n, :visits])
    np.testing.assert_array_equal(fast.time < DAY, slow.time[: fast.n] < DAY)
    assert (fast.covariate("lead_in_change") <= -1).all()


def test_nobody_is_randomised_of_those_whom_nothing_fits(lead):
    with pytest.raises(SimulatorError, match=r"^valor\.yaml:\d+:\d+: trial\.lead_in\.eligible: .*nobody passes"):
        prepare(
            lead.replace({"trial.lead_in.eligible": {"alsfrs_r_lost": {"min": 47}}}),
            TrialOptions(("ancova",)),
            Extent(5, 1),
        )


def test_counts_are_exact_also_in_one_stratum(valor, lead):
    counts = {"size": None, "allocation": None, "counts": {"faster": {"early_start": 39, "delayed_start": 21}}}
    for scenario in (valor, lead):
        wanted = scenario.replace({f"trial.{key}": value for key, value in counts.items()})
        found = run(prepare(wanted, TrialOptions(("ancova",)), Extent(20, 3)), 1)
        assert (found.counts[:, 0, 0, 0] == 39).all()
        assert (found.counts[:, 0, 1, 0] == 21).all()


# --- looks


def with_looks(scenario, **interim):
    return scenario.replace({"trial.accrual_per_month": [{"rate": 5}], "trial.interim": interim})


def test_a_look_is_held_when_so_many_have_arrived(valor):
    asked = plan(with_looks(valor, shares=[0.25, 0.5]), TrialOptions(("ancova",)))
    held = calendar(asked, np.arange(100.0) * 7)
    assert held.tolist() == [[24 * 7 + DAY, 53, 25], [49 * 7 + DAY, 78, 50], [99 * 7 + DAY, 100, 100]]


def test_a_look_that_tells_nothing_new_is_not_held(valor):
    asked = plan(with_looks(valor, days=[196, 300, 301, 700]), TrialOptions(("ancova",)))
    held = calendar(asked, np.arange(60.0) * 14)
    assert np.isnan(held[:, 0]).tolist() == [False, False, True, False, False]


def test_what_is_known_at_a_look_is_what_a_smaller_trial_with_that_end_knows(valor):
    """At the last look nothing is hidden but what lies after it; with everybody in and arrived, it is the end."""
    scenario = with_looks(valor, shares=[0.999])
    found = run(prepare(scenario, TrialOptions(("ancova", "logrank")), Extent(10, 3)), 1)
    plain = run(prepare(valor, TrialOptions(("ancova", "logrank")), Extent(10, 3)), 1)
    np.testing.assert_array_equal(found.estimates, plain.estimates)
    assert found.looks.shape == (10, 2, 1, 7)
    assert np.isnan(found.looks).all()  # 0.999 of 108 is everybody: not a look


def test_ranks_and_responders_at_a_look_count_who_reached_the_analysis(valor):
    scenario, names = with_looks(valor, shares=[0.5]), ("ancova", "joint_rank", "responder")
    found = run(prepare(scenario, TrialOptions(names), Extent(4, 3)), 1)
    rules = sequential.rules(scenario.trial.interim)
    ancova, *others = (sequential.stopped(rules, name, found, a).share[:, 0] for a, name in enumerate(names))
    people = found.calendar[:, 0, 2] / found.calendar[:, 1, 2]
    np.testing.assert_allclose(others, [people, people], atol=0.005)
    assert abs(ancova - people).max() > 0.01


@pytest.mark.slow
def test_under_a_null_drug_looks_keep_the_level(valor):
    drug = {f"treatments.tofersen.effect.{key}": 0 for key in ("mean", "sd")}
    scenario = with_looks(valor.replace(drug), shares=[0.3, 0.6], spending={"shape": "pocock"})
    work = prepare(scenario, TrialOptions(("ancova",)), Extent(800, 8))
    found = run(work, 2)
    at = sequential.stopped(sequential.rules(scenario.trial.interim), "ancova", found, 0)
    of = sequential.operating(at, 2)
    wrong = of.benefit.value + of.harm.value
    assert abs(wrong - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 800)
    assert min(one.value for one in of.stopped_at) > 0.005
    assert sum(one.value for one in of.stopped_at) == pytest.approx(1)
    assert of.participants.value < 108


def test_stopping_by_hand(valor):
    """Three replicates: benefit at the first look, futility at the second, nothing."""
    rules = sequential.Rules(0.05, sequential.OBRIEN_FLEMING, conditional_power=0.1)
    held = np.array([0.3, 0.6, 1.0])
    z = np.array([[5.0, 0, 0], [1.0, 0.0, 3.0], [1.0, 1.5, 1.0]])
    assert [sequential._one(rules, one, held) for one in z] == [(0, 1), (1, -2), (2, 0)]
    assert sequential._one(rules, np.array([np.nan, -4.0, 0.0]), held) == (1, -1)
