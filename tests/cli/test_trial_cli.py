"""`als-sim trial` on the terminal: JSON, one replicate alone, resumption, what is refused."""

import json
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.cli.trial import left_out
from simulator.results import Result
from simulator.studies.trial import request
from simulator.studies.trial.measures import MEASURES

ASKED = ("--truth", "2000", "--threads", "1", "--seed", "3")


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str):
    return CliRunner().invoke(app, ["trial", "valor_trial", *words])


@pytest.mark.slow
def test_one_json_document_with_every_figure_and_its_error(place):
    done = call("--replicates", "5", *ASKED, "-o", "study", "--power", "0.8", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["replicates"] == 5
    assert [one["analysis"] for one in found["analyses"]] == ["ancova", "joint_rank"]
    for one in found["analyses"]:
        assert all(set(one[key]) == {"value", "mcse", "lower", "upper"} for key in ("truth", "mean", *MEASURES))
        assert one["needed"][0]["power"] == 0.8
        assert 0 <= one["power"]["lower"] < one["power"]["upper"] <= 1
    assert done.stderr.splitlines()[-1] == "Written to study"
    opened = sim.open("study")
    assert opened.groups["estimates"]["value"].dims == ("replicate", "analysis", "analysis_day")
    assert opened.measure("ancova", "bias").value == found["analyses"][0]["bias"]["value"]


@pytest.mark.slow
def test_a_replicate_alone_is_that_of_the_study(place):
    study = json.loads(call("--replicates", "4", *ASKED, "-o", "study", "--json").stdout)
    alone = json.loads(call("--replicate", "3", *ASKED, "-o", "alone", "--json").stdout)
    assert study["replicates"] == 4
    assert alone["replicate"] == 3
    opened = sim.open("study")
    for row in alone["estimates"]:
        assert row["value"] == opened.estimates(row["analysis"], row["day"])["value"][3]
    run = sim.open("alone")
    assert isinstance(run, Result)
    assert run.groups["patients"]["allocated_arm"].values.size == 60


@pytest.mark.slow
def test_a_second_call_does_nothing_again(place, monkeypatch):
    first = call("--replicates", "60", *ASKED, "-o", "study", "--analysis", "ancova")
    times = {file.name: file.stat().st_mtime_ns for file in (place / "study" / "replicates").iterdir()}
    assert len(times) == 4
    again = call("--replicates", "60", *ASKED, "-o", "study", "--analysis", "ancova")
    assert {file.name: file.stat().st_mtime_ns for file in (place / "study" / "replicates").iterdir()} == times
    assert again.stdout == first.stdout


def test_an_interruption_says_how_to_go_on(monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(request, "trial_to_folder", stop)
    monkeypatch.setattr(sys, "argv", ["als-sim", "trial", "valor_trial", "-o", "a study"])
    done = call("-o", "a study")
    assert done.exit_code == 130
    assert done.stderr.strip().endswith("Continue: als-sim trial valor_trial -o 'a study'")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "trial.counts={faster: {tofersen: 60}}"], "valor_trial.yaml:37:11: trial.counts: allocation cannot"),
        (["--set", "trial.counts=null", "--set", "trial.allocation={tofersen: 2, placebo: 1}", "--set", "trial.size=3"],
         "trial.size: allocation cannot be met: with a size of 3 placebo may stay empty"),
        (["--set", "entry.eligible.alsfrs_r={min: 49}"], "valor_trial.yaml:19:24: entry.eligible.alsfrs_r: nobody is"),
        (["--set", "entry.eligible.nfl_plasma={min: 1000000}"], "entry.eligible: 10,000 candidates were tried"),
        (["--analysis", "ancva"], "there is no analysis 'ancva'. Did you mean ancova?"),
        (["--option", "foo"], "--option foo: an option has the form"),
        (["--option", "ancova.robust=maybe"], "ancova.robust is true or false"),
        (["--day", "10"], "no visit after baseline is planned by day 10"),
        (["--arms", "tofersen,nothing"], "the trial has no arm 'nothing'"),
    ],
)  # fmt: skip
def test_a_bad_design_gets_one_line_and_no_folder(place, words, message):
    done = call("--replicates", "4", *ASKED, "-o", "study", *words)
    assert done.exit_code in (1, 2)
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not done.stdout
    assert not list(place.iterdir())


def test_by_default_what_finishes_in_seconds_is_run_and_what_is_left_out_is_said():
    asked = request.TrialRequest("healey")
    assert request.in_seconds(asked) == 200
    assert request.in_seconds(request.TrialRequest("valor_trial")) == request.MANY
    some = replace(asked, extent=asked.extent._replace(replicates=200))
    assert left_out(some).startswith("Left out, to finish in seconds: 800 of 1,000 replicates (--replicates), ")
    assert "(--power)" not in left_out(replace(some, extent=some.extent._replace(power=(0.8,))))
