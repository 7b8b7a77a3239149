"""Prognostic scores: the analyses against R and dense algebra, the emulator against twins, trials, bad input.

Error rates: sizes in 600 trials lie in the band of 99.9 %; seeds are fixed.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom

import simulator as sim
from simulator.analysis.trial.ancova import ancova
from simulator.analysis.trial.data import SCORE, since, until, where
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.mmrm import fit
from simulator.analysis.trial.prognostic import ancova_prognostic, mmrm_prognostic
from simulator.datasets import Dataset, Measurements, Participants
from simulator.errors import SimulatorError
from simulator.language.faults import ScenarioError
from simulator.replicate import Replicator, compiled
from simulator.results.folder import write_folder
from simulator.studies.replay import replay
from simulator.studies.trial.plan import TrialError, TrialOptions, plan
from simulator.studies.trial.prognostic import learnt
from simulator.studies.trial.rows import observed
from simulator.studies.trial.study import Extent, null_of, prepare
from tests.support.trials import COMPLETE, GOLDEN, golden_trial, invented, scores

R = json.loads((GOLDEN / "prognostic.json").read_text())
BOTH = ("ancova_prognostic", "mmrm_prognostic")
NO_EFFECT = {"treatments.tofersen.effect.mean": 0, "treatments.tofersen.effect.sd": 0}


def golden():
    data = golden_trial()
    return data._replace(expected=scores(data.covariates["log_nfl"], 8))


def test_r_gives_the_same():
    """nlme stops a little before the maximum."""
    found, wanted = ancova_prognostic(golden()), R["ancova_prognostic"]
    assert (found.value, found.se, found.df) == pytest.approx(tuple(wanted.values()), rel=1e-9)
    repeated, wanted = mmrm_prognostic(golden()), R["mmrm_prognostic"]
    assert repeated.value == pytest.approx(wanted["value"], abs=5e-5 * wanted["se"])
    assert repeated.se == pytest.approx(wanted["se"], rel=5e-5)
    from simulator.analysis.trial import mmrm

    state = mmrm.fit(golden(), matched=True)[1].state
    assert state.beta[-1, -1] == pytest.approx(wanted["slope"], rel=1e-4)
    held = state.beta[-7:][~np.eye(7, dtype=bool)]
    assert (held == 0).all()  # the score of another visit has no coefficient


def test_a_score_of_each_visit_is_not_one_score_at_all_visits():
    data = golden()
    other = data.expected.copy()
    other[:, 1:4] = np.roll(other[:, 1:4], 7, axis=0)  # the scores of other people at early visits
    one = mmrm_prognostic(data._replace(expected=other))
    assert one.value != pytest.approx(mmrm_prognostic(data).value, rel=1e-3)


@pytest.mark.slow
def test_degrees_of_freedom_of_the_matched_model_are_those_of_differences():
    """Satterthwaite's gradient and information, by differences of a dense restricted likelihood."""
    data = where(golden(), np.arange(108) < 60)
    data = until(data, 28 * 3)
    cells, found, _ = fit(data, matched=True)
    rows, columns = np.triu_indices(3)
    z = np.column_stack([np.ones(data.n), data.arm, data.baseline, data.stratum == data.stratum.max()])
    y = data.change[:, 1:]
    blocks = [
        np.hstack([np.kron(np.eye(3), z[k]), np.diag(data.expected[k, 1:])])[np.isfinite(y[k])] for k in range(data.n)
    ]

    def dense(theta):
        sigma = np.zeros((3, 3))
        sigma[rows, columns] = sigma[columns, rows] = theta
        normal, right, value = 0, 0, 0.0
        for k, x in enumerate(blocks):
            seen = np.isfinite(y[k])
            if seen.any():
                w = np.linalg.inv(sigma[np.ix_(seen, seen)])
                normal, right = normal + x.T @ w @ x, right + x.T @ w @ y[k, seen]
                value += np.linalg.slogdet(w)[1] / 2
        beta = np.linalg.solve(normal, right)
        for k, x in enumerate(blocks):
            seen = np.isfinite(y[k])
            gap = y[k, seen] - x @ beta
            value -= gap @ np.linalg.inv(sigma[np.ix_(seen, seen)]) @ gap / 2 if seen.any() else 0
        covariance = np.linalg.inv(normal)
        return value - np.linalg.slogdet(normal)[1] / 2, covariance[9, 9], beta[9]

    theta = found.state.sigma[rows, columns]
    steps = np.eye(6) * 1e-3 * np.abs(theta)
    _, variance, beta = dense(theta)
    gradient = [(dense(theta + s)[0] - dense(theta - s)[0]) / (2 * s.sum()) for s in steps]
    assert np.abs(gradient).max() < 1e-3  # the maximum

    def bent(a, b):
        around = [dense(theta + s * a + t * b)[0] * s * t for s in (1, -1) for t in (1, -1)]
        return sum(around) / (4 * a.sum() * b.sum())

    bend = np.array([[bent(a, b) for b in steps] for a in steps])
    slope = np.array([(dense(theta + s)[1] - dense(theta - s)[1]) / (2 * s.sum()) for s in steps])
    wanted = 2 * variance**2 / (slope @ np.linalg.solve(-bend, slope))
    estimate = mmrm_prognostic(data)
    assert estimate.value == pytest.approx(beta, rel=1e-6)
    assert estimate.se == pytest.approx(np.sqrt(variance), rel=1e-6)
    assert estimate.df == pytest.approx(wanted, rel=1e-3)
    assert len(cells.free) == 15


def test_scores_are_cut_left_out_and_named_as_the_data_are():
    data = invented(4)
    assert until(data, 84).expected.shape == (data.n, 4)
    assert where(data, data.arm == 1).expected.shape[0] == data.arm.sum()
    assert since(data, 28).expected is None
    np.testing.assert_array_equal(data.covariate(SCORE), data.expected[:, -1])
    assert ancova_prognostic(data)[:7] == ancova(data, covariates=(SCORE,))[:7]
    for run in (ancova_prognostic, mmrm_prognostic):
        with pytest.raises(AnalysisError, match="the data have no prognostic scores"):
            run(data._replace(expected=None))
    some = data.expected.copy()
    some[:10] = np.nan
    kept = ancova_prognostic(data._replace(expected=some))
    assert kept[:7] == ancova_prognostic(where(data, np.arange(data.n) >= 10))[:7]


def test_with_one_visit_both_are_one():
    data = until(invented(4, COMPLETE), 28)
    assert mmrm_prognostic(data)[:3] == pytest.approx(ancova_prognostic(data)[:3], rel=1e-6)


# ---- in trials ----


@pytest.fixture(scope="module")
def scenario():
    return sim.load("valor_trial").replace(NO_EFFECT)


@pytest.fixture(scope="module")
def emulator(scenario):
    return learnt(scenario, plan(scenario, TrialOptions(BOTH)), 1)


def test_the_emulator_expects_what_happens(scenario, emulator):
    """In people it has not seen: the slope of what happens on what is expected is 1, a third and more is explained."""
    planned = plan(scenario, TrialOptions(BOTH))
    from simulator.studies.trial.population import looked_at, lossless
    from simulator.studies.trial.prognostic import changed

    seen = Replicator(compiled([looked_at(lossless(planned.scenario), planned)], 10_000)).population(2, 5)
    expected, happened = emulator.expected(seen), changed(seen, "alsfrs_r")
    for visit in range(1, expected.shape[1]):
        x, y = expected[:, visit] - expected[:, visit].mean(), happened[:, visit] - happened[:, visit].mean()
        slope = (x @ y) / (x @ x)
        error = np.sqrt(((y - slope * x) ** 2).mean() / (x @ x))
        assert abs(slope - 1) < 4 * error + 0.02
        assert abs((happened - expected)[:, visit].mean()) < 0.15
    assert 1 - ((happened - expected)[:, -1] ** 2).mean() / happened[:, -1].var() > 0.45


@pytest.mark.slow
def test_the_emulator_is_what_twins_expect():
    """Twins matched at baseline beside the emulator: two ways to the same conditional mean."""
    days = [0, 84, 168]
    own = sim.load("natural_history").replace(
        {
            "visits": {"days": days, "assessments": ["alsfrs_r", "svc", "nfl_plasma"], "missing": 0},
            "follow_up_days": 180,
            "arms": {"untreated": [], "same": []},
            "control": "untreated",
            "trial": {"size": 150, "allocation": {"untreated": 1, "same": 1}, "analysis_days": [168]},
        }
    )
    planned = plan(own, TrialOptions(BOTH, arms=("same", "untreated")))
    emulator = learnt(own, planned, 1)
    seen = Replicator(compiled([planned.scenario], 150)).replicate(3, 0)
    people, nothing, blank = seen.patients, np.full(150, np.nan), np.full(150, "", "U1")
    who = Participants(
        np.array([f"{k:03d}" for k in range(150)]), blank, blank,
        np.array(list(own.disease.variants))[people["variant"]], np.array(["man", "woman"])[people["sex"]],
        np.array(["bulbar", "upper_limb", "lower_limb"])[people["onset_site"]], people["age"].astype(float),
        people["time_since_onset"].astype(float), nothing, nothing, {},
    )  # fmt: skip
    zero = np.zeros(150)
    measured = {
        name: Measurements(np.arange(150), zero, zero, seen.observed[name][0, :, 0].astype(float))
        for name in ("alsfrs_r", "svc", "nfl_plasma")
    }
    data = Dataset("simulated", who, measured, {}, np.array(days, float), ())
    found = sim.twins(data, own.replace({"trial": None}), days=days[1:], twins=500, pool=65_536)
    known = np.isfinite(found.scores())
    assert known.sum() > 130
    for visit, day in ((1, 84), (2, 168)):
        by_twins, emulated = found.scores(day)[known], emulator.expected(seen)[known, visit]
        assert np.corrcoef(by_twins, emulated)[0, 1] > 0.9
        assert (by_twins - emulated).std() < 0.45 * by_twins.std()
        assert abs((by_twins - emulated).mean()) < 0.25


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", [None, {"set": {"progression.d50_months.other.lognormal.log_sd": 0.05}}, {"scenario": "generic_als"}]
)
def test_size_is_kept_whatever_the_model(scenario, block):
    own = scenario.replace({"trial.prognostic": block})
    found = sim.trial(own, replicates=600, analyses=["ancova", "ancova_prognostic"], truth=0, null=False)
    low, high = binom.ppf([0.0005, 0.9995], 600, 0.05) / 600
    assert low <= found.measure("ancova_prognostic", "power", 196).value * 2 <= high * 2
    rejected = (found.groups["estimates"]["p"].values[:, 1, 0] <= 0.05).mean()
    assert low <= rejected <= high


@pytest.mark.slow
def test_the_true_model_narrows_the_estimate_and_power_rises():
    own = sim.load("valor_trial")
    found = sim.trial(own, replicates=300, analyses=["ancova", *BOTH], truth=5000, null=False)
    sd = {name: found.groups["estimates"]["value"].values[:, k, 0].std() for k, name in enumerate(found.analyses)}
    assert sd["ancova_prognostic"] < 0.93 * sd["ancova"]
    assert sd["mmrm_prognostic"] < 0.93 * sd["ancova"]
    assert found.truth("ancova_prognostic", 196).value == found.truth("ancova", 196).value
    assert found.truth("mmrm_prognostic", 196).value != found.truth("ancova", 196).value


@pytest.mark.slow
def test_replicates_threads_and_a_replicate_alone_agree(scenario, tmp_path):
    kept = {"replicates": 60, "analyses": BOTH, "truth": 0, "null": False}
    one, two = (sim.trial(scenario, threads=k, **kept) for k in (1, 2))
    values = one.groups["estimates"]["value"].values
    np.testing.assert_array_equal(values, two.groups["estimates"]["value"].values)
    from simulator.studies.trial.request import alone

    row = alone(prepare(scenario, TrialOptions(BOTH), Extent(60, None, 0, null=False)), 41)
    assert [one["value"] for one in row] == values[41, :, 0].tolist()
    write_folder(one, tmp_path / "a", force=False)
    assert replay(tmp_path / "a").equal


def test_after_a_lead_in_scores_are_of_randomisation():
    own = sim.load("natural_history").replace(
        {
            "visits": {"days": [0, 84, 168], "assessments": ["alsfrs_r", "svc"]},
            "follow_up_days": 180,
            "arms": {"a": [], "b": []},
            "control": "b",
            "trial": {
                "size": 60,
                "allocation": {"a": 1, "b": 1},
                "lead_in": {"days": 84},
                "analysis_days": [168],
            },
        }
    )
    work = prepare(own, TrialOptions(BOTH, arms=("a", "b")), Extent(1, None, 0, null=False))
    seen = Replicator(work.choices).replicate(1, 0, [60])
    data = observed(work.plan, seen)
    assert data.expected.shape == data.outcome.shape
    x, y = data.expected[:, 1], data.change[:, 1]
    kept = np.isfinite(y)
    assert np.corrcoef(x[kept], y[kept])[0, 1] > 0.3


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"scenario": "nowhere"}, "there is no bundled scenario nowhere"),
        ({"set": {"progression.d51": 1}}, r"trial\.prognostic\.set: it cannot be simulated"),
    ],
)
def test_a_model_that_cannot_be_is_named(block, message):
    own = sim.load("valor_trial").replace({"trial.prognostic": block})
    with pytest.raises(SimulatorError, match=message):
        sim.trial(own, replicates=1, analyses=["ancova_prognostic"], truth=0, null=False)


def test_the_block_is_of_the_model_alone():
    with pytest.raises(ScenarioError, match=r"visits\.days is of the trial, not of the model"):
        sim.load("valor_trial").replace({"trial.prognostic": {"set": {"visits.days": [0, 28]}}})
    with pytest.raises(TrialError, match="has no option 'scores'"):
        sim.trial(sim.load("valor_trial"), replicates=1, analyses=BOTH, options={"ancova_prognostic": {"scores": 1}})


def test_a_score_may_be_a_covariate_of_any_analysis(scenario):
    kept = {"replicates": 3, "truth": 0, "null": False}
    found = sim.trial(
        scenario, analyses=["ancova", "ancova_prognostic"], options={"ancova": {"covariates": (SCORE,)}}, **kept
    )
    values = found.groups["estimates"]["value"].values
    np.testing.assert_array_equal(values[:, 0], values[:, 1])
    assert null_of(scenario).sha256 == scenario.sha256
