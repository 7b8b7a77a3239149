"""One person: twins are those who match, by law; the answer is calibrated; what cannot be is refused by name.

Error rates: each comparison of two estimates allows five of its standard errors (about 1 in 2 million by chance, seeds
are fixed), coverage of 300 people three (1 in 370).
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import simulator as sim
from simulator.analysis import contrast, moments
from simulator.cli.app import app
from simulator.cli.person_tables import portrait_text
from simulator.errors import SimulatorError
from simulator.language import parse
from simulator.language.blocks.person import Person
from simulator.measures.headline import headline
from simulator.report.page import report_html
from simulator.run import recorded
from simulator.studies.person import items, selection
from simulator.studies.person.likelihood import terms
from simulator.studies.person.portrait import portrait, quantiles
from simulator.studies.person.selection import PersonError
from simulator.studies.person.timeline import future, timeline
from simulator.studies.replay import deviations, replay
from simulator.studies.single_run import Request, run_to_folder
from simulator.units import DAYS_PER_MONTH
from tests.support.figures import check_texts
from tests.support.models import study

FEW = {"visits.every_days": 182, "follow_up_days": 1096, "output": {"every_days": 91, "stages": True}}
SEED = 5


@cache
def case(**person):
    """Case A at 9 months since onset, seldom seen; person as JSON texts so that it can be cached."""
    block = {key: json.loads(text) for key, text in person.items()} or {"now": {"alsfrs_r": 38}}
    settings = {"entry": {"time_since_onset_months": 9}, "person": {"age_years": 48, "sex": "man", **block}}
    return sim.load("case_a").replace(FEW | settings)


def one(**person):
    return case(**{key: json.dumps(value) for key, value in person.items()})


def near(a, b, allowed=5.0):
    """Two independent estimates agree."""
    return abs(a.value - b.value) < allowed * np.hypot(a.mcse, b.mcse)


@pytest.mark.slow
def test_the_next_measured_score_stands_beside_the_truth():
    """Measurements are whole points, spread more than the truth, and about it; nobody dead is measured."""
    found = sim.simulate(one(), patients=2000, seed=SEED)
    rows = {(row.outcome, row.arm, row.against, row.months): row for row in portrait(found).spreads}
    pairs = [
        (rows["alsfrs_r_survivors", arm, "", months], row)
        for (outcome, arm, _, months), row in rows.items()
        if outcome == "alsfrs_r_measured"
    ]
    assert len(pairs) >= 2 * len(found.arms)
    for truth, measured in pairs:
        assert all(x == round(x) for x in measured.quantiles)
        assert measured.quantiles[4] - measured.quantiles[0] >= truth.quantiles[4] - truth.quantiles[0] - 0.5
        assert abs(measured.quantiles[2] - truth.quantiles[2]) < 2
    assert "ALSFRS-R as a visit measures it" in portrait_text(portrait(found))


# --- chosen patients


def test_patients_chosen_by_number_are_those_of_the_whole_run():
    scenario = future(one(), timeline(one().person)).replace({"adherence": {"missed": 0.2, "delay_days_max": 30}})
    whole = recorded(scenario, patients=5000, seed=SEED)
    for numbers in (np.array([3, 4999]), np.arange(4000, 4600), np.arange(0, 5000, 17)):
        for threads in (1, 2):
            part = recorded(scenario, seed=SEED, threads=threads, numbers=numbers)
            for group in ("truth", "observed", "events"):
                for key, values in getattr(part, group).items():
                    assert np.array_equal(values, getattr(whole, group)[key][:, numbers], equal_nan=True), key
            for key, values in part.patients.items():
                assert np.array_equal(values, whole.patients[key][numbers]), key


def test_holds_and_ends_count_from_now():
    """With a measurement 5 months before now the arm begins later in the twins' lives, and its holds with it."""
    scenario = one(now={"alsfrs_r": 38}, earlier=[{"months_before": 5, "alsfrs_r": 43}]).replace(
        {
            "arms.tofersen": [
                {"treatments": ["tofersen"], "from_day": 0, "to_day": 200, "holds": [{"from_day": 56, "to_day": 112}]}
            ]
        }
    )
    found = sim.person(scenario, patients=20, seed=SEED)
    doses = found.groups["doses"]
    alive = int(np.argmax(found.groups["events"]["event_free_time"].values[1]))
    days = doses["day"].values[(doses["patient"].values == alive) & (doses["arm"].values == 1)]
    assert days.tolist() == [0, 14, 28, 112, 140, 168, 196]


def test_a_crowd_is_not_simulated_from_one_person():
    with pytest.raises(SimulatorError, match="this scenario has a person"):
        sim.run.simulate(one(), patients=5)
    with pytest.raises(SimulatorError, match="the scenario has no person"):
        sim.person(sim.load("natural_history"), patients=5)


# --- who is kept


def test_nothing_measured_is_the_unconditional_run():
    blank = one(now={})
    found = sim.simulate(blank, patients=800, seed=SEED)
    crowd = sim.simulate(future(blank, timeline(blank.person)), patients=800, seed=SEED)
    assert (found.groups["patients"]["weight"].values == 1).all()
    for group, names in (("truth", ["alsfrs_r", "nfl_plasma"]), ("events", ["event_free_time", "event", "death_time"])):
        for key in names:
            a, b = found.groups[group][key].values, crowd.groups[group][key].values
            assert np.array_equal(a, b, equal_nan=True), key
    for key, named in crowd.groups["summary"].items():
        if named.values.dtype.kind == "f" and not key.endswith("_quantile_mcse"):
            assert np.allclose(
                found.groups["summary"][key].values, named.values, rtol=2e-3, atol=2e-3, equal_nan=True
            ), key


@pytest.mark.slow
def test_accepting_and_weighing_agree(monkeypatch):
    monkeypatch.setattr(selection, "WEIGHED", 12 * selection.BLOCK)
    scenario = one(
        now={"alsfrs_r": 36, "svc_percent": 84, "nfl_plasma": 150}, earlier=[{"months_before": 4, "alsfrs_r": 43}]
    )
    accepted, weighed = (
        sim.person(scenario, patients=n, seed=seed, method=method)
        for n, seed, method in ((1200, 1, "accept"), (6000, 2, "weigh"))
    )
    assert accepted.screening["effective_sample_size"] == 1200
    assert 100 < weighed.screening["effective_sample_size"] < weighed.n_patients
    assert np.ptp(weighed.groups["patients"]["weight"].values) > 0
    rows = [{(r.metric, r.arm, r.against, r.day): r for r in headline(x).rows} for x in (accepted, weighed)]
    assert len(rows[0]) > 50
    for key, a in rows[0].items():
        if (b := rows[1].get(key)) and np.isfinite(a.mcse) and a.mcse > 0:
            assert abs(a.estimate - b.estimate) < 5 * np.hypot(a.mcse, b.mcse) + 1e-9, key
    for a, b in zip(portrait(accepted).spreads, portrait(weighed).spreads, strict=True):
        middle = [(x.quantiles[2], x.mcse[2]) for x in (a, b)]
        if all(np.isfinite(v) and e > 0 for v, e in middle):
            assert abs(middle[0][0] - middle[1][0]) < 6 * np.hypot(middle[0][1], middle[1][1]), a
    assert near(*(x.survival("untreated").rmst(24) for x in (accepted, weighed)))


def test_the_first_twins_are_the_same_for_any_number():
    few, many = (sim.simulate(one(), patients=n, seed=SEED) for n in (40, 90))
    for key in ("twin", "d50", "age"):
        assert np.array_equal(few.groups["patients"][key].values, many.groups["patients"][key].values[:40])


@given(st.integers(0, 10_000), st.integers(1, 80))
def test_rejection_control_keeps_as_many_as_asked_for(seed, wanted):
    fit = np.random.default_rng(seed).lognormal(-4, 3, 80)
    fit = np.minimum(fit, 1)
    c = selection._threshold(fit, wanted)
    kept = np.minimum(1, fit / c).sum() if c > 0 else len(fit)
    assert kept == pytest.approx(wanted, rel=1e-9)


# --- the law of measuring


def measured(scoring="total", patients=20_000):
    scenario = one(now={}).replace({"visits.scoring": scoring, "visits.noise.nfl_llq": 60})
    return recorded(future(scenario, timeline(scenario.person)), patients=patients, seed=SEED), scenario


@pytest.mark.parametrize("scoring", ["total", "items"])
@pytest.mark.slow
def test_likelihoods_are_the_law_of_what_visits_measure(scoring):
    record, scenario = measured(scoring)
    seen = {key: record.observed[key][0, :, 0] for key in ("alsfrs_r", "svc", "nfl_plasma")}
    readings = [("alsfrs_r", y, seen["alsfrs_r"] == y) for y in (32, 38, 44, 47, 48)]
    if scoring == "total":
        readings += [("svc_percent", y, abs(seen["svc"] - y) <= 2.5) for y in (60, 85, 110)]
        readings += [("nfl_plasma", y, abs(seen["nfl_plasma"] - y) <= 10) for y in (90, 180)]
        readings += [("nfl_plasma", 30, seen["nfl_plasma"] < 60)]
    for name, y, happened in readings:
        block = {"age_years": 48, "now": {name: y}, "tolerance": {"svc_percent": 2.5, "nfl_plasma": 10}}
        found = list(terms(record, timeline(Person(**block)), Person(**block), scenario.visits))[1]
        scale = happened.mean() / found.fit.mean()  # fit is the probability over its largest value
        chance = found.fit * scale
        assert chance.max() <= 1.0 + 0.1, (name, y)
        error = found.truth[happened].std() / np.sqrt(happened.sum())
        centre = np.average(found.truth, weights=found.fit)  # E[truth | y] by Bayes and by counting
        assert abs(centre - found.truth[happened].mean()) < 5 * error, (name, y)


def test_probabilities_of_scores_add_up():
    record, scenario = measured("items", 50)
    people = (Person(age_years=48, now={"alsfrs_r": y}) for y in range(49))
    total = sum(list(terms(record, timeline(p), p, scenario.visits))[1].fit for p in people)
    assert np.allclose(total, 1, atol=1e-6)
    domain = np.array([12.0, 9.3, 4.0, 0.2])
    total = sum(items.domain_fit(domain, np.full(4, 3.7), "bulbar", y, 0.4) for y in range(13))
    assert np.allclose(total, 1)


def test_items_are_those_of_the_engine():
    """Without noise twelve items add up to what the engine observes, but for rounding at a half."""
    scenario = one(now={}).replace({"visits.scoring": "items", "visits.noise.alsfrs_r_points": 0})
    record = recorded(future(scenario, timeline(scenario.person)), patients=400, seed=SEED)
    seen = record.observed["alsfrs_r"][0, :, 0].astype(int)
    fits = np.zeros((49, 400))
    for y in range(49):
        p = Person(age_years=48, now={"alsfrs_r": y})
        fits[y] = list(terms(record, timeline(p), p, scenario.visits))[1].fit
    assert (fits[seen, np.arange(400)] > 0.5).mean() > 0.99


# --- a closed form


def test_event_free_until_now_gives_the_residual_weibull():
    """T is Weibull(12, 20 months): given T > 15, P(T > 15 + s) = S(15 + s)/S(15)."""
    block = {"age_years": 50, "earlier": [{"months_before": 8}]}
    scenario = sim.load("analytic/weibull_no_volatility").replace(
        {"entry": {"time_since_onset_months": 19}, "person": block, "follow_up_days": 364, "output.stages": False}
    )
    n = 6000
    found = sim.simulate(scenario, patients=n, seed=SEED)
    now = 19 - 8 + round(8 * DAYS_PER_MONTH) / DAYS_PER_MONTH
    assert found.screening["share_that_fits"] == pytest.approx(np.exp(-((19 / 20) ** 12) + (11 / 20) ** 12), abs=0.02)
    for months in (0.5, 1.0, 2.0, 3.0):
        p = np.exp(-(((now + months) / 20) ** 12) + (now / 20) ** 12)
        assert abs(found.survival("untreated").at(months * DAYS_PER_MONTH).value - p) < 5 * np.sqrt(p * (1 - p) / n)


# --- calibration


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say():
    """300 simulated people, each conditioned on their own measurements: 90 % intervals hold 90 % of what came."""
    scenario = future(one(now={}), timeline(one(now={}).person)).replace(
        {"arms": {"untreated": []}, "output.stages": False}
    )
    people, twins = (recorded(scenario, patients=n, seed=seed) for n, seed in ((300, 21), (15_000, 22)))
    day = int(np.searchsorted(people.time, 365))
    outcomes = {
        "as if alive": [record.truth["alsfrs_r"][0, :, day] for record in (people, twins)],
        "event-free": [record.events["event_free_time"][0] for record in (people, twins)],
    }
    inside = {key: np.zeros(300) for key in outcomes}
    for i in range(300):
        now = {
            "alsfrs_r": int(people.observed["alsfrs_r"][0, i, 0]),
            "nfl_plasma": float(people.observed["nfl_plasma"][0, i, 0]),
        }
        block = Person(age_years=48, now=now)
        weight = np.prod([t.fit for t in terms(twins, timeline(block), block, scenario.visits)], axis=0)
        for key, (came, could) in outcomes.items():
            low, high = quantiles(could, [0.05, 0.95], weight).value
            inside[key][i] = low <= came[i] <= high
    for key, found in inside.items():
        assert abs(found.mean() - 0.90) < 3 * np.sqrt(0.9 * 0.1 / 300), (key, found.mean())


# --- from now on


def test_days_count_from_now():
    scenario = one(now={"alsfrs_r": 38, "nfl_plasma": 120}, earlier=[{"months_before": 5, "alsfrs_r": 44}])
    found = sim.simulate(scenario, patients=60, seed=SEED)
    patients, observed, events = (found.groups[name] for name in ("patients", "observed", "events"))
    assert found.time[0] == 0
    assert {183.0, 365.0, 548.0, 730.0, 1096.0} <= set(found.time)
    assert np.allclose(patients["time_since_onset"].values, 9, atol=0.02)
    assert np.allclose(patients["age"].values, 48, atol=0.01)
    assert set(patients["sex"].values) == {0}
    assert set(patients["variant"].values) == {"p.Ala5Val"}
    assert (observed["alsfrs_r"].values[:, :, 0] == 38).all()
    assert (observed["nfl_plasma"].values[:, :, 0] == 120).all()
    assert np.isnan(observed["svc"].values[:, :, 0]).all()
    assert (observed["day"].values[:, :, 0] == 0).all()
    assert np.nanmin(observed["day"].values[:, :, 1]) > 150
    assert found.groups["doses"]["day"].values.min() == 0
    assert (events["event_free_time"].values > 0).all()
    assert (events["event_free_time"].values <= 1096).all()
    untreated, treated = found.groups["truth"]["alsfrs_r"].values
    assert np.array_equal(untreated[:, 0], treated[:, 0])
    assert (found.groups["truth"]["sod1_csf"].values[:, :, 0] == 1).all()


@pytest.mark.slow
def test_a_summary_agrees_with_the_full_result_and_replays(tmp_path):
    scenario = one()
    full, short = (sim.simulate(scenario, patients=50, seed=SEED, output=kind) for kind in ("full", "summary"))
    assert set(short.groups) == {"summary"}
    for key, named in full.groups["summary"].items():
        assert np.array_equal(
            named.values, short.groups["summary"][key].values, equal_nan=named.values.dtype.kind == "f"
        )
    file = tmp_path / "mine.yaml"
    file.write_text(scenario.resolved_yaml(), encoding="utf-8")
    folder = run_to_folder(Request(str(file), tmp_path / "out", patients=50, seed=SEED)).folder
    again = replay(folder)
    assert again.equal, again.deviations
    assert deviations(sim.open(folder), full) == []
    assert CliRunner().invoke(app, ["show", str(folder)]).stdout.rstrip("\n") == portrait_text(portrait(full))
    assert parse(scenario.resolved_yaml().encode(), "again") == scenario


@pytest.mark.slow
def test_a_straight_line_through_the_score_is_the_persons():
    """Linear model, scores without noise: 38 points at 9 months is a slope of 9.5 to 10.5 points in 9 months."""
    now = {"alsfrs_r": 38, "svc_percent": 90, "nfl_plasma": 60}
    block = {"age_years": 48, "now": now, "tolerance": {"svc_percent": 20, "nfl_plasma": 40}}
    changes = {"entry": {"time_since_onset_months": 9}, "person": block, "visits.noise.alsfrs_r_points": 0}
    few = {"visits.every_days": 182, "follow_up_days": 1096, "output.every_days": 91}
    scenario = study("linear", few | changes, name="case_a")
    full, short = (sim.simulate(scenario, patients=60, seed=SEED, output=kind) for kind in ("full", "summary"))
    lost = full.groups["patients"]["slope"].values * 9
    assert 9.5 <= lost.min() < lost.max() <= 10.5
    score = full.groups["truth"]["alsfrs_r"].values[0]
    assert score[:, 1] == pytest.approx(48 - lost / 9 * (9 + 91 / DAYS_PER_MONTH), abs=1e-3)
    for key, named in full.groups["summary"].items():
        assert np.array_equal(
            named.values, short.groups["summary"][key].values, equal_nan=named.values.dtype.kind == "f"
        )
    assert {row.metric for row in headline(full).rows if row.kind == "arm"} >= {"alsfrs_r_change_as_if_alive"}
    assert report_html(full)


# --- who cannot be


def test_the_impossible_measurement_is_named(monkeypatch):
    monkeypatch.setattr(selection, "WEIGHED", 2 * selection.BLOCK)
    scenario = one(now={"alsfrs_r": 38, "svc_percent": 85}, earlier=[{"months_before": 6, "alsfrs_r": 12}])
    with pytest.raises(
        PersonError, match=r"person\.earlier\.0\.alsfrs_r: .*ALSFRS-R 12.*90 % of those who match the rest"
    ):
        sim.simulate(scenario, patients=10)
    with pytest.raises(PersonError, match=r"person\.now\.nfl_plasma: .*NfL 5 pg/mL"):
        sim.simulate(one(now={"alsfrs_r": 38, "nfl_plasma": 5}), patients=10)


def test_nobody_alive_is_an_error():
    with pytest.raises(PersonError, match=r"entry\.time_since_onset_months: .*(event before entry|live that long)"):
        sim.simulate(one().replace({"entry": {"time_since_onset_months": 400}, "person.age_years": 95}), patients=5)


# --- weights


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(1, 4), st.booleans()), min_size=3, max_size=30))
def test_whole_weights_are_repetitions(rows):
    x, w, alive = (np.array(column) for column in zip(*rows, strict=True))
    weight = w / w.mean()
    again, alive_again = np.repeat(x, w), np.repeat(alive, w)
    assert moments.mean(x, weight).value == pytest.approx(moments.mean(again).value, abs=1e-9)
    a, b = moments.mean_over(x, alive, weight), moments.mean_over(again, alive_again)
    assert a.value == pytest.approx(b.value, abs=1e-9, nan_ok=True)
    for p in (0.05, 0.5, 0.95):
        assert quantiles(x, [p], weight).value[0] == quantiles(again, [p]).value[0]
    equal = np.ones(len(x))
    assert moments.mean_over(x, alive, equal).mcse == pytest.approx(moments.mean_over(x, alive).mcse, nan_ok=True)
    both = contrast.survivors_of_both(x, x / 2, alive, alive, weight=equal)
    assert both.value == pytest.approx(contrast.survivors_of_both(x, x / 2, alive, alive).value, nan_ok=True)


# --- what is told


def test_the_account_is_a_share_of_twins():
    scenario = one(
        account=[
            {"quote": "lost 4", "arm": "tofersen", "outcome": "alsfrs_r_change", "months": 18, "value": -4},
            {"quote": "NfL down", "arm": "tofersen", "outcome": "nfl_plasma_ratio", "months": 12, "value": 0.5},
            {"quote": "lived", "arm": "untreated", "outcome": "event_free_from_onset_months", "value": 21.4},
        ]
    )
    found = sim.simulate(scenario, patients=500, seed=SEED)
    told = portrait(found).told
    truth, events = found.groups["truth"], found.groups["events"]
    at = [int(np.argmin(abs(found.time - days))) for days in (548, 365)]
    alive = [~(events["death_time"].values[1] <= found.time[k]) for k in at]
    score, nfl = truth["alsfrs_r"].values[1], truth["nfl_plasma"].values[1]
    shares = [
        (alive[0] & (score[:, at[0]] - score[:, 0] >= -4)).mean(),
        (alive[1] & (nfl[:, at[1]] / nfl[:, 0] <= 0.5)).mean(),
        (9 + events["event_free_time"].values[0] / DAYS_PER_MONTH >= 21.4).mean(),
    ]
    assert [row.at_least_as_well for row in told] == pytest.approx([100 * share for share in shares], abs=0.21)
    together = {row.arm: row.estimate for row in portrait(found).together}
    assert together["tofersen"] <= min(told[0].at_least_as_well, told[1].at_least_as_well)


# --- how it is shown


@cache
def shown():
    """A person with much to show, weighed."""
    scenario = one(
        now={"alsfrs_r": 38, "svc_percent": 84},
        earlier=[{"months_before": 5, "alsfrs_r": 43}],
        account=[{"quote": "lost <4>", "arm": "tofersen", "outcome": "alsfrs_r_change", "months": 18, "value": -4}],
        published=["NH-01"],
    )
    given, selection.WEIGHED = selection.WEIGHED, 3 * selection.BLOCK
    found = sim.person(scenario, patients=500, seed=SEED, method="weigh")
    selection.WEIGHED = given
    return found


@pytest.mark.slow
def test_the_fan_shows_the_person():
    found = shown()
    assert found.weight is not None
    picture = found.plot.person()
    check_texts(picture.figure)
    assert picture.svg() == shown().plot.person().svg()
    treated = picture.figure.axes[1]
    median, measured, told = treated.lines
    assert measured.get_xydata().tolist() == [[0.0, 38.0], [-5.0, 43.0]]
    assert told.get_xydata().tolist() == [[18.0, 34.0]]
    days = found.time[: len(median.get_xdata())]
    assert np.allclose(median.get_xdata() * DAYS_PER_MONTH, days)
    score, death = found.groups["truth"]["alsfrs_r"].values[1], found.groups["events"]["death_time"].values[1]
    for k, day in enumerate(days):
        at = np.where(death <= day, 0, score[:, k])
        order = np.argsort(at, kind="stable")
        reached = np.cumsum(found.weight[order]) / found.weight.sum()
        assert median.get_ydata()[k] == pytest.approx(at[order][reached >= 0.5 - 1e-12][0])
    assert set(found.plot.kinds) == {
        *("trajectories", "survival", "occupancy", "stages", "biomarkers", "engagement", "posterior", "person")
    }


@pytest.mark.slow
def test_the_report_holds_the_person():
    html = report_html(shown())
    for words in (
        '<figure id="person"',
        "lost &lt;4&gt;",
        "NH-01",
        "ALSFRS-R, death = 0, points",
        "effective sample size",
    ):
        assert words in html, words
    assert "<4>" not in html


@pytest.mark.slow
def test_the_command_prints_the_person(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        one(
            account=[{"quote": "said", "arm": "tofersen", "outcome": "alsfrs_r", "months": 6, "value": 30}]
        ).resolved_yaml()
    )
    done = CliRunner().invoke(app, ["run", str(file), "-n", "80", "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert "half of the twins gain" in " ".join(done.stdout.split())
    done = CliRunner().invoke(app, ["show", str(tmp_path / "out")])
    for words in (
        "effective sample size 80",
        "ALSFRS-R, survivors, points",
        "36 mo  B vs A",
        "percentile",
        "not proven",
    ):
        assert words in done.stdout, words
    assert max(map(len, done.stdout.splitlines())) <= 80
    done = CliRunner().invoke(app, ["run", str(file), "-n", "80", "-o", str(tmp_path / "out"), "--json"])
    assert json.loads(done.stdout)["twins"] == 80
