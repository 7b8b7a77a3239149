"""Participants of a data set enter a run, a trial and a sweep themselves; whatever contradicts them is one clear error.

Error rates: a figure beside another is allowed four of its errors; seeds are fixed.
"""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.errors import SimulatorError, UsageError
from simulator.language.faults import ScenarioError
from simulator.results.folder import write_folder
from simulator.studies.replay import replay

PEOPLE = """id,variant,sex,age,onset_site,months_since_onset
a,p.Ala5Val,F,55,limb,6
b,other,M,48,bulbar,14
c,other,F,61,,30
d,,M,,lower_limb,20
"""
VISITS = """id,day,alsfrs_r,svc,nfl_plasma
a,0,40,80,90
b,0,36,78,80
c,0,33,76,60
d,0,42,95,50
"""
CALLS = CliRunner()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "visits.csv").write_text(VISITS)
    return tmp_path


def own(folder, base="natural_history", **data):
    files = [str(folder / "people.csv"), str(folder / "visits.csv")]
    short = {"visits": {"days": [0, 84, 168], "assessments": ["alsfrs_r", "svc", "nfl_plasma"]}, "follow_up_days": 180}
    return sim.load(base).replace({**short, "output": {"every_days": 84}, "entry": {"data": {"files": files, **data}}})


def people(result):
    return {key: one.values for key, one in result.groups["patients"].items()}


@pytest.mark.slow
def test_participants_enter_as_they_are_in_turn(folder):
    result = sim.simulate(own(folder), patients=400)
    who, score = people(result), result.groups["observed"]["alsfrs_r"].values[0, :, 0]
    np.testing.assert_array_equal(who["participant"], np.arange(400) % 4)
    each = [who["participant"] == k for k in range(4)]
    for k, (months, total) in enumerate(((6, 40), (14, 36), (30, 33), (20, 42))):
        assert who["time_since_onset"][each[k]] == pytest.approx(months, abs=1e-4)
        assert set(score[each[k]]) == {total}
    assert set(who["variant"][each[0]]) == {"p.Ala5Val"}
    assert set(who["variant"][each[1]]) == {"other"}
    assert [set(who["sex"][one]) for one in each] == [{1}, {0}, {1}, {0}]
    assert set(who["onset_site"][each[0]]) == {1, 2}  # a limb is either
    assert set(who["onset_site"][each[1]]) == {0}
    assert set(who["onset_site"][each[2]]) == {0, 1, 2}  # drawn where it is not known
    assert who["age"][each[0]] == pytest.approx(55, abs=1e-4)
    assert len(set(who["age"][each[3]])) == 100  # drawn where it is not known
    assert who["candidates"].max() > 1


def test_what_is_matched_lies_within_its_tolerance(folder):
    found = own(folder, match=["alsfrs_r", "svc_percent", "nfl_plasma"],
                tolerance={"svc_percent": 6, "nfl_plasma_percent": 30, "alsfrs_r": 1})  # fmt: skip
    result = sim.simulate(found, patients=80)
    k = people(result)["participant"]
    seen = {key: result.groups["observed"][key].values[0, :, 0] for key in ("alsfrs_r", "svc", "nfl_plasma")}
    for name, values, half in (("alsfrs_r", (40, 36, 33, 42), 1), ("svc", (80, 78, 76, 95), 6)):
        assert np.abs(seen[name] - np.array(values)[k]).max() <= half + 1e-4
    assert np.abs(seen["nfl_plasma"] / np.array((90, 80, 60, 50))[k] - 1).max() <= 0.3 + 1e-6


def test_drawn_with_replacement_everybody_comes_as_often(folder):
    result = sim.simulate(own(folder, resample=True), patients=2000)
    counts = np.bincount(people(result)["participant"], minlength=4)
    assert np.abs(counts - 500).max() < 4 * np.sqrt(2000 * 0.25 * 0.75)
    fewer = sim.simulate(own(folder, resample=True), patients=300, threads=2)
    np.testing.assert_array_equal(people(fewer)["participant"], people(result)["participant"][:300])


@pytest.mark.slow
def test_entry_by_data_is_conditioning_on_what_was_measured(tmp_path):
    """Of people from a distribution those who measure 36 at 14 months go on as the participant does."""
    (tmp_path / "people.csv").write_text("id,sex,age,onset_site,months_since_onset\nx,,,,14\n")
    (tmp_path / "visits.csv").write_text("id,day,alsfrs_r\nx,0,36\n")
    given = sim.simulate(own(tmp_path), patients=4000, seed=3)
    drawn = own(tmp_path).replace(
        {"entry": {"time_since_onset_months": 14, "eligible": {"alsfrs_r": {"min": 36, "max": 36}}}}
    )
    chosen = sim.simulate(drawn, patients=4000, seed=5)
    for name, t in (("alsfrs_r", -1), ("svc", -1)):
        one, two = (r.groups["truth"][name].values[0, :, t].astype(float) for r in (given, chosen))
        assert abs(one.mean() - two.mean()) < 4 * np.hypot(one.std(), two.std()) / np.sqrt(4000)
    ages = [people(r)["age"].mean() for r in (given, chosen)]
    assert abs(ages[0] - ages[1]) < 1
    shares = [(people(r)["variant"] == "p.Ala5Val").mean() for r in (given, chosen)]
    assert abs(shares[0] - shares[1]) < 4 * np.sqrt(2 * 0.25 / 4000)
    events = [(r.groups["events"]["event"].values[0] > 0).mean() for r in (given, chosen)]
    assert abs(events[0] - events[1]) < 4 * np.sqrt(2 * 0.25 / 4000)


@pytest.mark.slow
def test_a_trial_and_a_sweep_work_on_them(folder):
    arms = {
        "treatments": {"brake": {"kind": "rate_multiplier", "value": 0.5}},
        "arms": {"drug": [{"treatments": ["brake"], "from_day": 0}], "placebo": []},
        "control": "placebo",
        "trial": {"size": 40, "allocation": {"drug": 1, "placebo": 1}, "analysis_days": [168]},
    }
    scenario = own(folder).replace(arms)
    found = sim.trial(scenario, replicates=20, analyses=["ancova", "ancova_prognostic"], truth=10_000)
    value = found.groups["estimates"]["value"].values[:, :, 0]
    assert np.isfinite(value).all()
    assert len(set(value[:, 0])) == 20  # other people of the same participants
    true = found.truth("ancova", 168)
    assert abs(value[:, 0].mean() - true.value) < 4 * value[:, 0].std() / np.sqrt(20)
    drawn = sim.trial(scenario.replace({"entry.data.resample": True}), replicates=3, analyses=["ancova"], truth=0)
    assert np.isfinite(drawn.groups["estimates"]["value"].values).all()
    swept = sim.sweep(
        scenario.replace({"sweep": {"method": "grid", "parameters": {"treatments.brake.value": [0.5, 1]}}}), patients=40
    )
    assert swept.summary().shape[0] > 0


@pytest.mark.slow
def test_the_folder_knows_the_files_and_replay_notices_changed_ones(folder):
    result = sim.simulate(own(folder), patients=8)
    write_folder(result, folder / "out")
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    assert set(manifest["data"]) == {str(folder / "people.csv"), str(folder / "visits.csv")}
    assert replay(folder / "out").equal
    (folder / "visits.csv").write_text(VISITS.replace("b,0,36", "b,0,35"))
    found = replay(folder / "out")
    assert [one.variable for one in found.deviations] == [str(folder / "visits.csv")]
    assert "the file has changed since" in found.deviations[0].fact
    (folder / "visits.csv").unlink()
    gone = replay(folder / "out")
    assert gone.equal
    assert "is not here" in gone.notes[0]


def test_the_resolved_scenario_is_whole_without_the_files(folder, tmp_path):
    text = own(folder).resolved_yaml()
    (folder / "people.csv").unlink()
    (tmp_path / "again.yaml").write_text(text)
    assert sim.load(tmp_path / "again.yaml").sha256 == own_sha(text)


def own_sha(text):
    from simulator.language.loading import parse

    return parse(text.encode(), "x.yaml").sha256


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry.disease_time": 0.4}, r"entry\.disease_time: entry names data and disease_time.*Remove disease_time"),
        ({"entry.at_onset": True}, "entry names data and at_onset"),
        ({"entry.referral_months": 6}, "who was referred is in the data"),
        ({"strata": {"all": {"share": 1}}}, "strata share people out, and the data say who they are"),
        ({"entry.eligible": {"alsfrs_r": {"min": 35}}}, "participant c is not eligible: alsfrs_r is outside 35 to inf"),
        ({"entry.data.match": ["svc_percent", "fvc"]}, r"entry\.data\.match"),
        ({"person": {"age_years": 50}}, "one person is simulated, and entry.data has others"),
    ],
)
def test_what_contradicts_the_data_is_one_error(folder, change, message):
    with pytest.raises(ScenarioError, match=message):
        own(folder).replace(change)


@pytest.mark.parametrize(
    ("people_", "visits", "message"),
    [
        (PEOPLE.replace("other,M", "p.Gly94Ala,M"), VISITS, "participant b has a variant that the scenario lacks"),
        (PEOPLE.replace(",14\n", ",\n"), VISITS, "participant b has no time since onset"),
        (PEOPLE, VISITS.replace("c,0,33", "c,0,"), "participant c has no alsfrs_r on day 0"),
        (PEOPLE, VISITS.replace("c,0,33", "c,28,33"), "participant c has no alsfrs_r on day 0"),
        (PEOPLE.replace("F,55", "X,55"), VISITS, "participant a has another sex than man and woman"),
        (PEOPLE.replace("limb,6", "arm,6"), VISITS, "participant a has another site of onset"),
        (PEOPLE.replace("61,,30", "2,,30"), VISITS, "participant c was older at onset than at entry, or not born"),
        (PEOPLE.replace("b,other", "a,other"), VISITS, "the participant a is there twice"),
        (PEOPLE, VISITS.replace("a,0,40", "a,0,400"), "400 is outside 0 to 48"),
    ],
)
def test_participants_whom_a_scenario_cannot_let_in_are_named(folder, people_, visits, message):
    (folder / "people.csv").write_text(people_)
    (folder / "visits.csv").write_text(visits)
    with pytest.raises(ScenarioError) as found:
        own(folder)
    where = r"natural_history\.yaml:15:8: entry\.data: (the data cannot be used: .*\.csv:\d+:\w+: )?"
    assert re.fullmatch(rf"{where}{re.escape(message)}[^.]*\. [A-Z].*", str(found.value))  # where, what, what to do


def test_a_participant_like_nobody_is_named(folder):
    (folder / "visits.csv").write_text(VISITS.replace("b,0,36", "b,0,3"))
    (folder / "people.csv").write_text(PEOPLE.replace("bulbar,14", "bulbar,1"))
    with pytest.raises(SimulatorError, match="tried for participant b and none measures the same"):
        sim.simulate(own(folder), patients=8)


def test_a_distribution_stands_in_where_the_time_is_not_known(folder):
    (folder / "people.csv").write_text(PEOPLE.replace(",14\n", ",\n"))
    files = [str(folder / "people.csv"), str(folder / "visits.csv")]
    times = {"time_since_onset_months": {"lognormal": {"median": 12, "log_sd": 0.4}}}
    found = sim.load("natural_history").replace({"entry": {"data": files, **times}, "follow_up_days": 180})
    who = people(sim.simulate(found, patients=80))
    times = who["time_since_onset"]
    assert len(set(times[who["participant"] == 1])) == 20
    assert len(set(np.round(times[who["participant"] == 0], 3))) == 1


def test_twins_are_not_looked_for_among_the_participants(folder):
    with pytest.raises(UsageError, match=r"not of entry\.data\. Remove entry\.data"):
        sim.twins([folder / "people.csv", folder / "visits.csv"], own(folder), days=[84])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"entry\.data: there is no file nowhere\.csv"):
        sim.load("natural_history").replace({"entry": {"data": "nowhere.csv"}})


@pytest.mark.slow
def test_the_example_runs_from_its_file(root, tmp_path, monkeypatch):
    shutil.copytree(root / "docs" / "own_cohort", tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    assert CALLS.invoke(app, ["validate", "own/cohort.yaml"]).exit_code == 0
    done = CALLS.invoke(app, ["run", "own/cohort.yaml", "-o", "out", "--full"])
    assert done.exit_code == 0, done.output
    assert CALLS.invoke(app, ["replay", "out"]).exit_code == 0
    done = CALLS.invoke(app, ["trial", "own/cohort.yaml", "--replicates", "5", "--truth", "0", "-o", "trial"])
    assert done.exit_code == 0, done.output
