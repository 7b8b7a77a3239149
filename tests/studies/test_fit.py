"""Fit of population parameters: the likelihood against counting, recovery, the linear model against lme, commands.

People are simulated, by the engine and by NumPy code that is not the engine (`benchmarks/fit_recovery.py`). A figure
beside the truth is allowed four of its errors (1 in 16,000; seeds are fixed).
"""

from __future__ import annotations

import json
import os
import re
import shlex

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from typer.testing import CliRunner

import simulator as sim
from benchmarks import fit_recovery
from benchmarks.fit_recovery import HELD, TRUE, population, scenario
from simulator.analysis.lines import LinesError, fit_lines
from simulator.cli.app import app
from simulator.datasets import Dataset, Endpoint, Measurements, Participants
from simulator.datasets.reading import write_data
from simulator.errors import SimulatorError, UsageError
from simulator.models.density import log_density
from simulator.quantities import Distribution
from simulator.results.arrays import Named
from simulator.results.folder import write_folder
from simulator.run import recorded
from simulator.studies.fit import limits, newton
from simulator.studies.fit.hazard import Hazard, Leaving
from simulator.studies.fit.parameters import choose, started
from simulator.studies.fit.people import people
from simulator.studies.fit.pool import crowd, crowd_scenario
from simulator.studies.fit.surface import Setting, Surface, kind_of
from simulator.studies.replay import replay
from tests.support.real_trial import REAL_MAPPING

PATH = ("progression.volatility.*",)
"""Values that need other courses: held where time is short."""


def dataset(days, scores, end=None, event=None, **known) -> Dataset:
    """People with these scores, (person, day), NaN where nothing was measured."""
    scores = np.asarray(scores, float)
    n = len(scores)
    blank, nothing = np.full(n, ""), np.full(n, np.nan)
    texts = {key: known.get(key, blank) for key in ("arm", "stratum", "variant", "sex", "onset_site")}
    who = Participants(
        np.array([f"P{k}" for k in range(n)]), *texts.values(), nothing, known.get("since", nothing),
        known.get("start", nothing), nothing, {},
    )  # fmt: skip
    person, visit = np.nonzero(np.isfinite(scores))
    day = np.asarray(days, float)[visit]
    ends = (
        {} if end is None else {known.get("endpoint", "death"): Endpoint(np.array(end, float), np.array(event, bool))}
    )
    return Dataset("made", who, {"alsfrs_r": Measurements(person, day, day, scores[person, visit])}, ends,
                   np.asarray(days, float), ())  # fmt: skip


def surface(data, under=None, *, size=16_384, free=(), fix=(), seed=1, **more):
    """The likelihood of a data set under a scenario, and the start."""
    under = under or scenario()
    found = people(data, under)
    base, _ = crowd_scenario(under, found)
    chosen = choose(base, found.there, fix, free, "none")
    setting = Setting(base, chosen, found, size, seed, 2, **more)
    setting = setting._replace(hard=frozenset(range(found.n)))
    return Surface(setting, started(chosen)), started(chosen)


# ---- the likelihood ----


@pytest.mark.slow
def test_the_likelihood_is_how_often_it_happens():
    """Scores, survival, ventilation, background death and eligibility, against counting simulated people."""
    given = sim.load("generic_als").replace({"entry.eligible": {"alsfrs_r": {"min": 20, "max": 40}}})
    none = np.nan
    scores = [[38, 34, none], [32, 28, 24], [25, none, none], [22, none, none], [24, 20, none], [30, none, none]]
    ends, events = [200, 200, 300, 150, 180, 200], [0, 0, 0, 1, 1, 1]
    data = dataset([0, 84, 168], scores, end=ends, event=events)
    found, t = surface(data, given, size=65_536)
    each = found.each(t)
    error = np.sqrt(15 / 16 * ((each.without - each.without.mean(axis=0)) ** 2).sum(axis=0))
    seen = given.replace({"visits.every_days": None, "visits.days": [0, 84, 168], "visits.jitter_days": 0,
                          "visits.missing": 0, "follow_up_days": 336})  # fmt: skip
    run = recorded(seen, patients=100_000, seed=77)
    score, death = run.observed["alsfrs_r"][0], np.nan_to_num(run.events["death_time"][0], nan=1e9)
    for k, (own, end, died) in enumerate(zip(scores, ends, events, strict=True)):
        same = np.all([score[:, j] == y for j, y in enumerate(own) if np.isfinite(y)], axis=0)
        width = 30.0  # events are counted within so many days
        happened = same & ((np.abs(death - end) <= width) if died else (death > end))
        assert happened.sum() > 10
        share = happened.mean() / (2 * width if died else 1)
        share_error = np.sqrt(happened.mean() / len(death)) / (2 * width if died else 1)
        both = np.hypot(share_error / max(share, 1e-9), error[k] + (0.1 if died else 0))
        assert np.exp(found.values(t)[k]) == pytest.approx(share, abs=4 * both * share + 1e-9), k


def test_an_event_has_a_density_that_adds_up_to_its_probability():
    data = dataset([0, 84], [[30, 28], [35, 33], [38, 38], [25, 20], [29, 28]], end=[400] * 5, event=[0] * 5)
    for endpoint, pav in (("event_free", 0.3), ("death", 0.3), ("death", 0.0)):
        given = sim.load("generic_als").replace({"progression.survival.pav_probability": pav, "entry.eligible": None})
        found = people(data, given)._replace(endpoint=endpoint)
        made = crowd(crowd_scenario(given, found)[0], found, 512, seed=3, threads=1)
        hazard = Hazard(made, given, endpoint)
        days = np.arange(0.5, 400)
        density = np.sum([np.exp(hazard.log_probability(day, True)) for day in days], axis=0)
        assert density == pytest.approx(1 - np.exp(hazard.log_probability(400.0, False)), abs=0.02)


def test_dropout_by_the_truth_has_a_density_and_moves_the_likelihood():
    by = {"missing": "MNAR", "points_lost_since": "health", "hazard_ratio_per_point": 1.1, "neutral_points": 10}
    given = scenario().replace({"attrition": {"dropout_per_year": [{"until_day": 100, "rate": 0.5}, {"rate": 0.2}],
                                              "by_function": by}})  # fmt: skip
    data = dataset([0, 84], [[30, 28], [35, 33], [38, 38], [25, 20], [29, 28]], end=[200] * 5, event=[0] * 5)
    left = Endpoint(np.full(5, 200.0), np.array([1, 1, 0, 0, 0], bool))
    data = data._replace(endpoints={**data.endpoints, "dropout": left})
    found = people(data, given)
    base, _ = crowd_scenario(given, found)
    made = crowd(base, found, 512, seed=3, threads=1, dropout=True)
    law = Leaving(made, base)
    density = np.sum([np.exp(law.log_probability(day, True)) for day in np.arange(0.5, 200)], axis=0)
    assert density == pytest.approx(1 - np.exp(law.log_probability(200.0, False)), abs=0.02)
    moved, t = surface(data, given, size=4_096, fix=PATH)
    plain, _ = surface(data, size=4_096, fix=PATH)
    away = moved.values(t) - plain.values(t)
    assert (away[:2] < away[2:].max() - 1).all()  # to leave on a day is a density, to stay a probability
    assert (away < 0).all()


@pytest.mark.slow
def test_people_are_reweighted_as_if_they_had_been_simulated():
    """D50, entry, noise, hazard: the surface far from its proposal agrees with one that begins there."""
    data = population(30, 4)
    found, t = surface(data, size=32_768, fix=PATH)
    assert {kind_of(found.setting.scenario, one.address) for one in found.setting.free} == {"weighed", "recomputed"}
    away = t + 0.15 * np.array([1, -1, 1, -1, 1, -1, 1][: len(t)])
    there = Surface(found.setting, away)
    other = Surface(found.setting._replace(seed=9), away)
    noise = np.hypot(
        newton.error(found.each(away).without.sum(axis=1)), newton.error(other.each(away).without.sum(axis=1))
    )
    assert found.values(away).sum() == pytest.approx(other.values(away).sum(), abs=4 * noise)
    assert there.values(away).sum() == pytest.approx(other.values(away).sum(), abs=4 * noise)


def test_who_leaves_by_the_truth_leaves_as_in_the_engine():
    """Shares who have left by a day, of the engine's people, beside the probability of the fit for the same courses."""
    by = {"missing": "MNAR", "points_lost_since": "entry", "hazard_ratio_per_point": 2.0, "neutral_points": 3}
    given = scenario().replace({"attrition": {"dropout_per_year": [{"until_day": 100, "rate": 0.3}, {"rate": 0.6}],
                                              "by_function": by},
                                "progression.survival.critical_svc_percent": 1})  # fmt: skip
    found = people(dataset([0, 84], [[30, 28]] * 5, end=[300] * 5, event=[0] * 5), given)
    base, _ = crowd_scenario(given, found)
    made = crowd(base, found, 8_192, seed=3, threads=2, dropout=True)
    left = recorded(base, seed=3, threads=2, numbers=np.arange(8_192)).events["dropout_time"][0]
    law = Leaving(made, base)
    for day in (10.0, 90.0, 150.0, 290.0):
        gone = 1 - np.exp(law.log_probability(day, False))
        share = np.mean(left <= day)
        assert share == pytest.approx(gone.mean(), abs=4 * np.sqrt((gone * (1 - gone)).sum()) / len(left)), day


def test_leaving_has_a_day_of_its_own():
    """Deaths are known of people who have left; after a treatment's start or a death nobody leaves."""
    data = dataset([0, 84], [[38, 36]] * 6, end=[300] * 6, event=[1, 1, 0, 0, 1, 0],
                   start=np.array([np.nan, np.nan, np.nan, 60.0, 200.0, np.nan]))  # fmt: skip
    left = Endpoint(np.array([100.0, 300, 120, 130, 90, 300]), np.array([1, 0, 1, 1, 1, 0], bool))
    found = people(data._replace(endpoints={**data.endpoints, "dropout": left}), scenario())
    assert found.stayed.tolist() == [100, 300, 120, 60, 90, 300]
    assert found.dropped.tolist() == [True, False, True, False, True, False]
    assert found.end.tolist() == [300, 300, 300, 60, 200, 300]


def test_densities_are_those_of_clipped_draws():
    one = Distribution.model_validate({"normal": {"mean": 98, "sd": 16, "low": 60, "high": 120}})
    x = np.linspace(60.001, 119.999, 60_001)
    inside = np.exp(log_density(one, x[1:-1]) - 0.5 * np.log(2 * np.pi)).sum() * (x[1] - x[0])
    ends = np.exp(log_density(one, np.array([60.0, 120.0])) - 0.5 * np.log(2 * np.pi)).sum()
    assert inside + ends == pytest.approx(1, abs=1e-3)
    assert log_density(Distribution.model_validate(3.0), x[:2]).tolist() == [0, 0]


def test_given_baseline_the_baseline_says_nothing():
    """With nothing but a baseline, the likelihood given the baseline is 1 whatever the values."""
    data = dataset([0], [[30], [35], [38], [25], [41]])
    found, t = surface(data, given=0, size=4096, fix=("progression.volatility.*",))
    assert found.values(t) == pytest.approx(0, abs=1e-5)
    assert found.values(t + 0.1) - found.values(t) == pytest.approx(0, abs=0.02)


def test_what_is_given_is_divided_out():
    """All that was measured = what was measured by a day, alive then, and the rest given that."""
    scores = [[38, 36, 30], [40, 41, 37], [35, 30, np.nan], [44, 43, 43], [31, 30, 27], [39, 38, 36]]
    whole = dataset([0, 84, 168], scores, end=[300, 250, 120, 300, 168, 200], event=[0, 1, 1, 0, 0, 0])
    early = dataset([0, 84], np.array(scores)[:, :2], end=[84] * 6, event=[0] * 6)
    held = ("progression.volatility.*",)
    (every, t), (first, _) = (surface(one, size=4096, fix=held) for one in (whole, early))
    rest, _ = surface(whole, given=84, size=4096, fix=held)
    parts = [one.each(t).above.sum(axis=1) / one.each(t).below.sum(axis=1) for one in (every, first, rest)]
    logs = [np.log(part) + one.each(t).log for part, one in zip(parts, (every, first, rest), strict=True)]
    assert logs[0] - logs[1] == pytest.approx(logs[2], abs=1e-3)
    assert people(whole, scenario(), given=120).n == 5  # who had died by then is set aside


def test_ends_of_intervals_lie_where_the_likelihood_has_fallen(monkeypatch):
    """Of a normal the usual ones; where it falls slower, near those of the profile; where faster, not nearer."""
    normal, covariance = np.array([[2.0, 0.9], [0.9, 0.5]]), np.linalg.inv([[2.0, 0.9], [0.9, 0.5]])
    usual = 1.959964 * np.sqrt(np.diag(covariance))
    monkeypatch.setattr(limits, "_height", lambda _, t: -t @ normal @ t / 2)
    assert limits.sides(None, np.zeros(2), covariance) == pytest.approx(np.stack([usual, usual], axis=1), rel=1e-6)
    monkeypatch.setattr(limits, "_height", lambda _, t: -4 * float(np.exp(t[0]) - 1 - t[0]))  # curvature 4
    (below, above), *_ = limits.sides(None, np.zeros(1), np.array([[0.25]]))
    assert -4 * (np.exp(-below) - 1 + below) == pytest.approx(-limits.FALL, rel=0.15)
    assert above == pytest.approx(1.959964 / 2, rel=1e-5)
    monkeypatch.setattr(limits, "_height", lambda _, t: -np.inf if t[0] < -2 else -0.01 * t[0] ** 2)
    ends = limits.sides(None, np.zeros(1), np.array([[25.0]]))  # beyond -2 nothing is a scenario
    assert np.isfinite(ends).all()
    assert ends.min() > 9.79
    monkeypatch.setattr(limits, "_height", lambda *_: 0.0)  # flat: no end, but one that can be drawn
    assert limits.sides(None, np.zeros(1), np.array([[1.0]])) == pytest.approx(4 * 1.959964, rel=1e-5)


def test_after_the_start_of_a_treatment_nobody_is_followed():
    data = dataset([0, 84, 168], [[38, 36, 35]] * 6, end=[168] * 6, event=[0] * 6, start=np.full(6, 100.0))
    found = people(data, scenario())
    assert (found.end == 100).all()
    assert [note.number for note in found.notes if "treatment" in note.why] == [6, 6]
    assert all(len(case.readings) == 2 for case in found.cases)


# ---- the fit ----


FAR = {"progression.d50_months.any.lognormal.median": 40.0, "visits.noise.alsfrs_r_points": 3.0}
"""A start from which a fit that does not move is seen to be wrong."""


@pytest.fixture(scope="module")
def fitted():
    """A fit of 60 people, courses and the spread of D50 held at the truth, from a start that is far away."""
    held = {key: TRUE[key] for key in TRUE if "volatility" in key or "log_sd" in key}
    given = scenario().replace(held | FAR)
    return sim.fit(population(60, 8), given, fix=(*HELD, *held), crowd=16_384, folds=3, draws=40, prior="none",
                   threads=2)  # fmt: skip


@pytest.mark.slow
def test_values_behind_simulated_people_are_found(fitted):
    """NumPy's people: each value within four of its errors, from a start that is not."""
    assert fitted.converged
    assert fitted.gain.value - 4 * fitted.gain.error > 20
    turn = np.log
    for one in fitted.parameters:
        assert abs(turn(one.estimate) - turn(TRUE[one.address])) < 4 * one.se, one
        assert turn(one.upper) - turn(one.lower) == pytest.approx(2 * 1.96 * one.se, rel=1e-3)
    rows = {one.address: one for one in fitted.parameters}
    for address, start in FAR.items():
        assert abs(turn(start) - turn(TRUE[address])) > 4 * rows[address].se
    assert 0 < fitted.shrinkage["log D50"] < 1
    assert fitted.cross_validated.value < fitted.log_likelihood.value


@pytest.mark.slow
def test_at_the_true_values_the_likelihood_is_flat():
    """NumPy's people: the derivatives of the log-likelihood are 0 within four of their errors."""
    found, _ = surface(population(120, 77), size=32_768, fix=HELD)
    truth = np.array([one.turned(TRUE[one.address]) for one in found.setting.free])
    there = Surface(found.setting._replace(hard=frozenset()), truth)
    for j, kind in enumerate(there.kinds):
        h = newton.STEPS[kind]
        ahead, behind = (there.each(newton.moved(truth, j, sign * h)) for sign in (1, -1))
        each = (ahead.value - behind.value) / (2 * h)
        noise = newton.error((ahead.without - behind.without).sum(axis=1) / (2 * h))
        assert abs(each.sum()) < 4 * np.hypot(np.sqrt((each**2).sum()), noise)


@pytest.mark.slow
def test_the_fitted_scenario_runs_with_its_ensemble(fitted):
    made = fitted.fitted()
    assert made.progression.d50_months["any"].lognormal.median.evidence == "calibrated"
    assert len(made.ensemble.vectors) == 40
    from simulator.studies.draws import simulate_draws

    found = simulate_draws(made, 3, patients=50)
    assert found.draws == 3
    with pytest.raises(SimulatorError, match="ensemble has 40 vectors, not 41"):
        simulate_draws(made, 41, patients=50)
    two = sim.twins(population(10, 9), made, until_day=56, draws=2, pool=8192, twins=50)
    assert two.draws == 2
    from simulator.studies.sensitivity.over_draws import draws_of

    with pytest.raises(SimulatorError, match="Remove the block with --set ensemble=null"):
        draws_of(made, 40)
    wrong = {"addresses": ["visits.noise.hhd"], "vectors": [[1.0, 2.0]]}
    with pytest.raises(SimulatorError, match="a vector has 2 numbers, and there are 1 addresses"):
        made.replace({"ensemble": wrong})


@pytest.mark.slow
def test_a_fit_is_kept_opened_and_run_again(fitted, tmp_path):
    write_folder(fitted, tmp_path / "fit")
    assert sorted(one.name for one in (tmp_path / "fit").iterdir()) == [
        "ensemble.csv", "fit.nc", "fitted.yaml", "manifest.json", "scenario.resolved.yaml", "summary.csv",
    ]  # fmt: skip
    opened = sim.open(tmp_path / "fit")
    assert opened.lines() == fitted.lines()
    assert sim.load(tmp_path / "fit" / "fitted.yaml") == fitted.fitted()
    assert replay(tmp_path / "fit").equal
    assert list(opened.plot.kinds) == ["estimates"]
    assert opened.plot.estimates().svg().startswith("<?xml")
    same = opened.against(fitted)
    assert (same.log_likelihood, same.cross_validated) == (0, 0)


@pytest.mark.slow
def test_an_interrupted_fit_goes_on_where_it_stopped(tmp_path):
    data = population(20, 3)
    how = {"fix": (*HELD, *PATH), "crowd": 4_096, "draws": 5, "prior": "none", "threads": 1}
    whole = sim.fit(data, scenario(), **how)

    def stop(done: int, _most: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sim.fit(data, scenario(), **how, folder=tmp_path, progress=stop)
    kept = sorted((tmp_path / "steps").iterdir())
    assert len(kept) == 2
    made: list[int] = []
    again = sim.fit(data, scenario(), **how, folder=tmp_path, progress=lambda done, _most: made.append(done))
    assert made[0] == 2
    assert [one.estimate for one in again.parameters] == [one.estimate for one in whole.parameters]
    damaged = kept[1].read_text("utf-8").replace("promised", "promises")
    kept[1].write_text(damaged, "utf-8")
    made.clear()
    sim.fit(data, scenario(), **how, folder=tmp_path, progress=lambda done, _most: made.append(done))
    assert made[0] == 1  # a damaged step is made again


@pytest.fixture(scope="module")
def brief():
    """Fits of 12 people: none at all, and one step that is far from enough, of which no vector is valid."""
    from simulator.studies.fit import posterior

    data, how = population(12, 3), {"fix": (*HELD, *PATH), "crowd": 4_096, "draws": 5, "prior": "none", "threads": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "TRIES", 0)
        given = scenario().replace(FAR)
        return sim.fit(data, given, **how, steps=0), sim.fit(data, given, **how, steps=1)


def test_without_a_step_nothing_is_fitted_and_nothing_has_converged(brief):
    found = brief[0]
    assert not found.converged
    assert found.aic == -2 * found.log_likelihood.value
    assert sum("NOT FITTED" in line for line in found.lines()) == 1
    assert not any("CONVERGED" in line or "nan" in line for line in found.lines())


def test_a_fit_that_has_not_arrived_says_what_helps(brief):
    """More people where few are behind somebody, else more steps."""
    found = brief[1]
    assert not found.converged
    assert found.aic == 2 * len(found.parameters) - 2 * found.log_likelihood.value
    (line,) = [line for line in found.lines() if "NOT CONVERGED" in line]
    least = found.groups["people"]["effective"].values.min()
    assert ("--crowd" in line) == (least < 10 or found.log_likelihood.error > 1)
    many = {**found.groups["people"], "effective": Named(("person",), np.full(12, 500.0), {})}
    for noise, advice in ((0.5, "--steps"), (1.5, "--crowd")):
        other = type(found)({**found.attrs, "error_after": noise}, {**found.groups, "people": many})
        assert sum("NOT CONVERGED" in line and advice in line for line in other.lines()) == 1


def test_an_error_that_is_mostly_of_the_crowd_is_told(brief):
    found = brief[1]
    group = found.groups["parameters"]
    se = group["se"].values
    for share, number in ((0.6, 0), (0.8, 1)):
        own = {**group, "mc": Named(("parameter",), np.where(np.arange(len(se)) == 1, share * se, 0.0), {})}
        lines = type(found)(found.attrs, {**found.groups, "parameters": own}).lines()
        told = [line for line in lines if line.startswith("COARSE")]
        assert len(told) == number
        assert all(found.parameters[1].address in line and found.parameters[0].address not in line for line in told)


def test_vectors_that_could_not_be_drawn_are_told(brief):
    assert brief[1].ensemble.shape == (0, len(brief[1].parameters))
    assert any(line.startswith("0 vectors of the ensemble: of 5 asked for") for line in brief[1].lines())


# ---- the linear model ----

LME = {
    "reml": (38.033523617, -0.918666438, 5.1283235, 0.4640496, 1.6487515, -0.303855701, 0.5858223113, -1192.404227),
    "ml": (38.033523617, -0.918666438, 5.094754, 0.460946, 1.648752, -0.30353447, None, -1190.717594),
}
"""nlme::lme(y ~ t, random = ~ t | p) on `lines`: intercept, slope, their SDs, SD left, correlation, SE, height."""


def lines():
    """Complete data: 80 people, six visits."""
    rng = np.random.default_rng(3)
    own = rng.multivariate_normal([38, -0.9], [[20, -0.5], [-0.5, 0.2]], 80)
    day = np.array([0, 61, 122, 244, 365, 487])
    return day, np.round(own[:, :1] + own[:, 1:] * day / 30.4375 + rng.normal(0, 1.7, (80, 6)), 3)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_linear_model_is_lme(method):
    day, y = lines()
    intercept, slope, sd, sd_slope, left, correlation, se, height = LME[method]
    found = sim.fit(dataset(day, y), linear(), method=method)
    rows = {one.address: one for one in found.parameters}
    own = "progression.slope_points_per_month.any.normal"
    assert rows[f"{own}.mean"].estimate == pytest.approx(-slope, abs=1e-6)
    assert rows[f"{own}.sd"].estimate == pytest.approx(sd_slope, abs=5e-6)
    assert rows["visits.noise.alsfrs_r_points"].estimate == pytest.approx(left, abs=5e-6)
    assert rows["baseline mean"].estimate == pytest.approx(intercept, abs=1e-5)
    assert rows["baseline SD"].estimate == pytest.approx(sd, abs=5e-5)
    assert rows["correlation of baseline and fall"].estimate == pytest.approx(-correlation, abs=5e-5)
    assert found.log_likelihood.value == pytest.approx(height, abs=1e-5)
    if se is not None:
        assert rows["baseline mean"].se == pytest.approx(se, abs=1e-6)
    made = found.fitted()
    assert made.progression.slope_points_per_month["any"].normal.mean.value == pytest.approx(-slope, abs=1e-5)
    each = found.groups["people"]["after"].values
    z = np.column_stack([np.ones(len(day)), day / 30.4375])
    own = np.array([[sd**2, correlation * sd * sd_slope], [correlation * sd * sd_slope, sd_slope**2]])
    law = multivariate_normal(z @ [intercept, slope], z @ own @ z.T + left**2 * np.eye(len(day)))
    assert each == pytest.approx(law.logpdf(y), abs=1e-4)
    assert (each.sum() == pytest.approx(height, abs=1e-4)) == (method == "ml")
    spread = (left**2 * np.linalg.inv(z.T @ z) + own) / len(y)  # of complete data, in closed form
    got = found.groups["covariance"]["value"].values
    assert got[np.ix_([3, 0], [3, 0])] == pytest.approx(spread * [[1, -1], [-1, 1]], rel=1e-4)
    assert np.linalg.eigvalsh(got).min() > 0
    drawn = found.ensemble[:, [3, 0]]
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(-spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1]), abs=0.3)


def linear(**more):
    return sim.load("generic_als").replace(
        {"progression.model": "linear", "entry.eligible": None, "visits.assessments": ["alsfrs_r"], **more}
    )


def test_a_linear_fit_tells_no_number_that_it_has_not(tmp_path):
    """Nothing in what is printed is NaN; deaths, which it does not read, are counted."""
    from simulator.cli.fit import text

    day, y = lines()
    data = dataset(day, y, end=[487] * 80, event=[1, 1, *[0] * 78])
    found = sim.fit(data, linear(), draws=3)
    assert "nan" not in text(found).lower()
    assert "nan" not in found._repr_html_().lower()
    assert "nan" not in found.plot.estimates().svg().lower()
    assert "2 events (death): not read: the linear fit has scores only" in found.lines()
    assert any("% of slopes: lie below 0.001 points a month" in line for line in found.lines())
    write_folder(found, tmp_path / "fit")
    assert sim.open(tmp_path / "fit").lines() == found.lines()


@pytest.mark.parametrize(
    "how",
    [{"free": ["visits.noise.alsfrs_r_points"]}, {"fix": ["visits.*"]}, {"given": "baseline"}, {"folds": 3},
     {"steps": 0}, {"crowd": 8_192}],
)  # fmt: skip
def test_a_linear_fit_refuses_what_it_would_not_heed(how):
    with pytest.raises(UsageError, match=f"{next(iter(how))} means nothing to it. Leave it out"):
        sim.fit(dataset(*lines()), linear(), **how)


def test_fits_of_other_data_or_by_other_methods_are_not_compared(brief):
    day, y = lines()
    one, other = (sim.fit(dataset(day, values), linear(), draws=1, method="ml") for values in (y, y + 1))
    assert one.against(one).log_likelihood == 0
    with pytest.raises(UsageError, match="not of the same people and data"):
        one.against(other)
    with pytest.raises(UsageError, match="by other methods"):
        one.against(sim.fit(dataset(day, y), linear(), draws=1))
    restricted = sim.fit(dataset(day, y), linear(), draws=1)
    with pytest.raises(UsageError, match="restricted likelihoods are not compared"):
        restricted.against(restricted)
    assert brief[1].against(brief[0]).log_likelihood == pytest.approx(brief[1].gain.value)
    died = type(brief[0])({**brief[0].attrs, "events": 99}, brief[0].groups)
    with pytest.raises(UsageError, match="not of the same values and events"):
        brief[1].against(died)


def test_lines_need_people_measured_twice():
    with pytest.raises(LinesError, match="fewer than five people"):
        fit_lines(np.arange(6), np.zeros(6), np.ones(6))


# ---- commands and hostile input ----


@pytest.mark.slow
def test_the_command_prints_shows_and_compares(tmp_path):
    write_data(population(30, 2), tmp_path / "data")
    given = tmp_path / "mine.yaml"
    given.write_text(scenario().resolved_yaml(), "utf-8")
    tables = [str(tmp_path / "data" / f"{name}.csv") for name in ("participants", "measurements", "events")]
    held = ("progression.volatility.*", "progression.survival.steepness", "entry.*")
    base = ["fit", *tables, str(given), *(word for one in held for word in ("--fix", one)), "--crowd", "4096",
            "--vectors", "3", "--prior", "none", "--threads", "1"]  # fmt: skip
    first = CliRunner().invoke(app, [*base, "--steps", "0", "-o", str(tmp_path / "a")])
    assert first.exit_code == 0, first.output
    second = CliRunner().invoke(app, [*base, "-o", str(tmp_path / "b"), "--against", str(tmp_path / "a"), "--json"])
    assert second.exit_code == 0, second.output
    told = json.loads(second.stdout)
    assert told["against"]["people"] == 30
    assert told["against"]["log_likelihood"] == pytest.approx(told["gain"]["value"], abs=0.2)  # the other is the start
    assert {"address", "estimate", "lower", "upper"} <= set(told["parameters"][0])
    shown = CliRunner().invoke(app, ["show", str(tmp_path / "b")])
    assert "SD/prior" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    report = CliRunner().invoke(app, ["report", str(tmp_path / "b")])
    assert report.exit_code == 0, report.output
    assert "Fitted values" in (tmp_path / "b" / "report.html").read_text()


@pytest.mark.slow
def test_the_page_runs_as_it_is_written(root, tmp_path, monkeypatch):
    page = (root / "docs" / "fit.md").read_text("utf-8")
    write_data(population(30, 12), tmp_path)
    monkeypatch.chdir(tmp_path)
    lines = [line for block in re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S) for line in block.splitlines()]
    assert len(lines) == 6
    fewer = {"fit": ["--crowd", "4096", "--steps", "2", "--fix", PATH[0]], "twins": ["--pool", "8192", "--twins", "50"]}
    for line in lines:
        words = shlex.split(line)[1:]
        done = CliRunner().invoke(app, [*words, *fewer.get(words[0], [])])
        assert done.exit_code == 0, (line, done.output)
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    exec(code, {})


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"fix": ["progression.volatility.log_sdd"]}, "log_sdd is not fitted"),
        ({"free": ["visits.days"]}, "visits.days is not a number of the scenario"),
        ({"prior": "flat"}, "there is no prior 'flat'"),
        ({"given": "sex"}, "nothing can be given 'sex'"),
        ({"arms": ["drug"]}, "there is no arm 'drug'"),
        ({"folds": 1}, "1 folds are out of range"),
        ({"folds": 9}, "9 folds are more than the 6 people"),
        ({"crowd": 10}, "10 people of the crowd are out of range"),
        ({"steps": -1}, "-1 steps are out of range"),
        ({"method": "em"}, "there is no method 'em'"),
        ({"method": "ml"}, "the method ml is of the model linear"),
        ({"fix": ["progression.*", "visits.*", "entry.*"]}, "nothing is left to fit"),
        ({"free": ["progression.survival.pav_probability"]}, "is 0, the edge of what it can be"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(how, message):
    data = dataset([0, 84], [[38, 36]] * 6, end=[100] * 6, event=[0] * 6)
    with pytest.raises(UsageError, match=message) as caught:
        sim.fit(data, scenario(), **how)
    assert "\n" not in str(caught.value)


def test_data_and_scenarios_that_cannot_be_fitted_are_refused():
    good = dataset([0, 84], [[38, 36]] * 6)
    with pytest.raises(UsageError, match="3 of 3 participants can be fitted"):
        sim.fit(dataset([0], [[38]] * 3), scenario())
    with pytest.raises(UsageError, match="0 of 6 participants can be fitted: alsfrs_r 38 at baseline is not within 40"):
        sim.fit(good, scenario().replace({"entry.eligible": {"alsfrs_r": {"min": 40}}}))
    with pytest.raises(UsageError, match="Nothing can be fitted"):
        sim.fit(good, scenario().replace({"progression.model": "multistate", "visits.assessments": ["sod1_csf"]}))
    with pytest.raises(UsageError, match="no arm without treatment"):
        sim.fit(
            good,
            sim.load("natural_history").replace(
                {
                    "arms": {"a": [{"treatments": ["riluzole"], "from_day": 0}]},
                    "treatments": {"riluzole": {"catalog": "riluzole"}},
                }
            ),
        )


REAL = os.environ.get("ALS_TRIAL_DATA", "")


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="ALS_TRIAL_DATA names no folder")
def test_a_real_trial_is_explained_better_by_the_fit(tmp_path):
    """By at least 15 units of log-likelihood more than by `generic_als`."""
    (tmp_path / "map.yaml").write_text(REAL_MAPPING.format(folder=REAL))
    found = sim.fit(tmp_path / "map.yaml", sim.load("generic_als"), crowd=32_768)
    assert found.gain.value - 4 * found.gain.error > 15


def test_the_page_has_the_stored_figures_of_recovery(root):
    stored = fit_recovery.stored_figures()
    page = (root / "docs" / "fit.md").read_text("utf-8")
    assert fit_recovery.table(stored) in page
    assert fit_recovery.told(stored) in page


def test_an_interval_that_misses_on_either_side_does_not_hold():
    """Of three intervals one lies below the truth, one above, one holds it."""
    rows = [{address: [truth, low * truth, high * truth, 1.0, 0.5] for address, truth in TRUE.items()}
            for low, high in ((0.8, 0.9), (1.1, 1.2), (0.9, 1.1))]  # fmt: skip
    stored = {"derivatives": {"rows": dict.fromkeys(TRUE, 0.0)}, "repeats": [{"rows": one} for one in rows]}
    lines = fit_recovery.table(stored).splitlines()[2:]
    assert len(lines) == len(TRUE)
    assert all(re.search(r"\| 33 ± \d+ \| 1, 1 \| 25 \|", line) for line in lines)
