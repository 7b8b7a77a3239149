"""Calibration: validation rows cannot enter, work goes on where it stopped, known parameters are found again."""

import json
import math
import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from typer.testing import CliRunner

from simulator.catalog import entry, starting
from simulator.catalog.calibration import calibration
from simulator.catalog.facts import facts, points
from simulator.catalog.targets import published, targets
from simulator.cli.app import app
from simulator.language import ScenarioError, load
from simulator.language.calibrated import places, value_at
from simulator.language.listing import values
from simulator.language.loading import bundled
from simulator.report.evidence import evidence as basis
from simulator.studies.calibrate import report, study
from simulator.studies.calibrate.apply import ensemble
from simulator.studies.calibrate.cohorts import drawn
from simulator.studies.calibrate.emulator import emulate
from simulator.studies.calibrate.ensemble import design, emulator_of, sample, split_r_hat
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.calibrate.evaluate import Evaluator, runs_at, settings, starting_vector
from simulator.studies.calibrate.fit import directions, fit
from simulator.studies.calibrate.likelihood import Likelihood, likelihood
from simulator.studies.calibrate.rows import chosen, data
from simulator.studies.calibrate.study import Request
from simulator.studies.evidence.score import simulated

SPEC = calibration()
START = starting_vector(SPEC)
SMALL = SPEC.model_copy(
    update={"parameters": tuple(p for p in SPEC.parameters if p.name in ("d50_other", "max_inhibition", "nfl_effect"))}
)
ROWS = ("NH-02", "nfl_plasma_ratio/faster/contrast", "sod1_csf_ratio/faster/contrast", "PK-09")


@cache
def runs():
    return runs_at(SPEC, START, patients=0.1)


@cache
def rows():
    return data(chosen(SPEC), SPEC, runs())


def test_the_start_is_what_the_entries_have_written():
    assert len(starting().keys() & {parameter.name for parameter in SPEC.parameters}) == 21
    for parameter in SPEC.parameters:
        written = starting().get(parameter.name, {"value": parameter.started})
        assert written["value"] == parameter.started, parameter.name
    by_name = {p.name: p.value(x) for p, x in zip(SPEC.parameters, START, strict=True)}
    assert by_name["d50_other"] == pytest.approx(77)
    assert by_name["effect_delay"] == pytest.approx(91)
    assert by_name["valor_ala5val"] == pytest.approx(0.12)


TRIALS = [
    name
    for name, path in bundled().items()
    if "p.Ala5Val: 0.1191" in path.read_text() and "{catalog: tofersen}" in path.read_text()
]


def test_scenarios_hold_the_calibrated_values():
    stored = entry("calibration", "calibrated")["values"]
    assert len(TRIALS) > 10
    for name in TRIALS:
        held = {SPEC.parameters[place.number].name for place in places(load(name).content())}
        assert {parameter.name for parameter in SPEC.parameters} - held <= {"entry_effect"}, name
    assert len(places(load("natural_history").content())) == 12
    valor = {value.address: value for value in values(load("valor"))}
    for place in places(load("valor").content()):
        parameter = SPEC.parameters[place.number]
        fitted = stored[parameter.name]
        shown = valor[place.address]
        assert shown.value == pytest.approx(1 - fitted["value"] if place.is_rest else fitted["value"], rel=1e-12)
        assert (shown.evidence == "calibrated") == (fitted["evidence"] == "calibrated"), place.address


def test_what_is_calibrated_says_so_and_where_it_started():
    shown = {value.address: value for value in values(load("valor"))}
    effect = shown["treatments.tofersen.effect.mean"]
    assert effect.evidence == "calibrated"
    assert effect.source.startswith("als-sim calibrate valor")
    assert "in 90 % of the ensemble; SD" in effect.note
    assert "starting value 0.78, assumed" in effect.note
    lead = shown["progression.neurofilament.lead"]  # of which the rows say nothing: the grade of its prior
    assert lead.evidence == "derived"
    assert "starting value 0.8" in lead.note


def test_a_scenario_says_in_a_line_what_it_rests_on():
    said = CliRunner().invoke(app, ["show", "valor"]).stderr
    total, known, calibrated, assumed, percent, fitted = map(int, re.findall(r"\d+", said))
    assert total == known + calibrated + assumed == len([one for one in values(load("valor")) if one.evidence])
    assert percent == round(100 * assumed / total)
    assert fitted == len(SPEC.parameters)
    before = basis(load("valor", {"values": "starting"}))
    assert before.assumed.size > assumed
    assert "--draws" not in before.sentence()


def test_the_starting_values_come_back_by_name():
    for name in ("valor", "natural_history"):
        back = load(name).replace({"values": "starting"})
        for place in places(load(name).content()):
            start = SPEC.parameters[place.number].started
            assert value_at(back.content(), place.address) == pytest.approx(1 - start if place.is_rest else start)
        assert not places(back.content())
    shown = {value.address: value for value in values(load("valor", {"values": "starting"}))}
    assert shown["treatments.tofersen.effect.mean"].evidence == "assumed"
    assert shown["progression.d50_months.p.Ala5Val.lognormal.median"].source.startswith("Bali")


def test_what_the_author_wrote_stays_when_the_starting_values_come_back():
    own = load("valor", {"treatments.tofersen.effect.mean": 0.5, "values": "starting"})
    assert value_at(own.content(), "treatments.tofersen.effect.mean") == 0.5
    assert value_at(own.content(), "treatments.tofersen.target.ec50.lognormal.median") == 0.6


@pytest.mark.parametrize(
    ("name", "setting", "words"),
    [("valor", "prior", "there are no values prior"), ("generic_als", "starting", "holds no calibrated value")],
)
def test_values_that_there_are_not(name, setting, words):
    with pytest.raises(ScenarioError, match=words):
        load(name, {"values": setting})


@given(st.sampled_from(SPEC.parameters), st.floats(-3, 3))
def test_scales_invert(parameter, x):
    assert parameter.standard(parameter.value(x)) == pytest.approx(x, abs=1e-9)
    assert parameter.value(0) == pytest.approx(parameter.prior[0])


def test_every_parameter_changes_a_scenario():
    for number, parameter in enumerate(SPEC.parameters):
        vector = START.copy()
        vector[number] += 1
        for run in parameter.runs:
            drugs = ["mg20"] if run == "phase_1_2" else ["tofersen"]
            changed = settings(SPEC.parameters, vector, run, drugs)
            assert changed != settings(SPEC.parameters, START, run, drugs)


# --- which rows


def test_no_validation_row_is_fitted():
    assert len(rows()) > 60
    named = [row.id for row in rows() if "contrast" not in row.id]
    assert {published(name).role for name in named} == {"calibration"}
    fitted = {row.curve for row in rows() if "contrast" in row.id}
    for point in points().values():
        if point.role == "validation":
            assert point.id not in named
            assert f"{point.endpoint}/{point.stratum}/contrast" not in fitted or point.week not in {
                row.target.week for row in rows() if row.curve == f"{point.endpoint}/{point.stratum}/contrast"
            }


VALIDATION = [key for key, fact in facts().items() if fact.role == "validation" and key in targets().targets]


@pytest.mark.parametrize("name", VALIDATION)
def test_every_validation_row_is_refused(name):
    with pytest.raises(CalibrationError, match="validation row and is never fitted"):
        data([name], SPEC, runs())


def test_a_validation_curve_is_refused():
    with pytest.raises(CalibrationError, match="validation"):
        data(["alsfrs_r_change/all/early_start"], SPEC, runs())


def test_a_validation_row_that_is_forced_marks_the_result():
    forced = data([*chosen(SPEC), "VAL-35"], SPEC, runs(), forced=["VAL-35"])
    assert len(forced) == len(rows()) + 1
    assert any("VAL-35" in mark for mark in study._marks(Request(), forced))
    contrast = "nfl_plasma_ratio/faster/contrast/40"
    datum = rows()[0]._replace(target=rows()[0].target.model_copy(update={"id": contrast}))
    assert contrast in study._marks(Request(), [datum])[0]
    assert study._marks(Request(), rows()) == []
    assert len(study._marks(Request(recalled=True), rows())) == 1


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("alsfrs_r_change/faster/early_start", "contrast of two arms"),
        ("event_free_share/faster/delayed_start", "no point"),
        ("NH-15", "needs the run variants"),
        ("OLE-06", "validation"),
        ("VAL-99", "there is no row"),
    ],
)
def test_other_rows_that_cannot_be_fitted(extra, words):
    with pytest.raises(CalibrationError, match=words):
        data(chosen(SPEC, extra=[extra]), SPEC, runs())


def test_recalled_rows_need_the_flag_and_get_a_wider_error():
    recalled = {row.id: row for row in data(chosen(SPEC, recalled=True), SPEC, runs())}
    assert all(facts()[row.id.partition("/")[0]].read_in_source for row in rows() if row.id.count("/") < 2)
    assert set(recalled) - {row.id for row in rows()} == set(SPEC.rows.recalled)
    assert 1 < simulated(recalled["VAL-41"].target, runs()).value < 10
    assert recalled["VAL-08"].se == pytest.approx(2 * 5.9 / math.sqrt(72))


def test_every_calibration_row_is_fitted_or_says_why_not():
    named = {row.id.partition("/")[0] for row in data(chosen(SPEC, recalled=True), SPEC, runs())}
    reasons = tuple(SPEC.left_out)
    for key, fact in facts().items():
        if fact.role == "calibration" and key not in targets().not_simulated:
            assert key in named or key.startswith(reasons), key


def test_people_of_one_cohort_move_its_rows_together_and_others_do_not():
    target = likelihood(rows(), SPEC, runs())
    correlation = target.covariance / np.outer(target.sd, target.sd)
    same = np.array([[a.curve == b.curve for b in rows()] for a in rows()])
    cohort = np.array([[a.target.run == b.target.run for b in rows()] for a in rows()])
    assert (correlation[~cohort] == 0).all()
    assert (correlation[same] > 0).all()
    assert np.allclose(target.root @ target.covariance @ target.root.T, np.eye(len(rows())))
    assert [row.sd for row in rows()] == pytest.approx(target.sd)


COHORTS = {
    "one cohort counted whole and in parts": ("NH-01", "NH-02", "NH-03", "NH-04", "NH-04/sd"),
    "doses beside one placebo": ("PK-06", "PK-07", "PK-08", "PK-09"),
    "a level, its contrast, the whole arm": (
        "alsfrs_r_change/faster/delayed_start",
        "alsfrs_r_change/faster/contrast",
        "alsfrs_r_change/slower/contrast",
        "VAL-33",
    ),
}


@pytest.mark.parametrize("names", COHORTS.values(), ids=COHORTS)
def test_correlations_are_those_of_cohorts_that_are_drawn(names):
    """Fisher's z of 300 drawn sets of cohorts, 4.5 standard errors; medians of 63 are not linear, hence .1 more."""
    mine = data(names, SPEC, runs())
    target, rng, times = likelihood(mine, SPEC, runs()), np.random.default_rng(6), 300
    found = np.corrcoef(np.array([drawn(mine, runs(), SPEC.cohorts, rng) for _ in range(times)]).T)
    slack = np.diag([row.slack**2 for row in mine])
    errors = np.array([row.se for row in mine])
    assumed = (target.covariance - slack) / np.outer(errors, errors)
    off = ~np.eye(len(mine), dtype=bool)
    assert np.abs(np.arctanh(found[off]) - np.arctanh(assumed[off])).max() < 4.5 / math.sqrt(times - 3) + 0.1


def test_the_coverage_study_draws_people():
    """The same patients, drawn again and again, spread as the sampling error of the number that was published."""
    mine, rng = data(["NH-01", "NH-04"], SPEC, runs()), np.random.default_rng(7)
    found = np.array([drawn(mine, runs(), SPEC.cohorts, rng) for _ in range(300)])
    assert found.std(axis=0) == pytest.approx([row.se for row in mine], rel=0.25)


# --- the machinery


def test_evaluations_are_kept_and_taken_up(tmp_path):
    small = data(["PK-09"], SPEC, runs())
    first = Evaluator(SPEC, small, tmp_path, patients=0.05)
    value = first(START)
    with (tmp_path / "evaluations.jsonl").open("a") as stream:
        stream.write('{"x": [1, 2')  # interrupted while writing
    made = []
    again = Evaluator(SPEC, small, tmp_path, patients=0.05, tell=made.append)
    assert again(START) == value
    assert not made
    again(START + 0.1)
    assert made == [1]
    with pytest.raises(CalibrationError, match="another calibration"):
        Evaluator(SPEC, small, tmp_path, patients=0.06)


def test_a_damaged_evaluation_is_made_again(tmp_path):
    small = data(["PK-09"], SPEC, runs())
    value = Evaluator(SPEC, small, tmp_path, patients=0.05)(START)
    file = tmp_path / "evaluations.jsonl"
    head, line = file.read_text("utf-8").splitlines()
    at = next(k for k in range(line.index('"y"'), len(line)) if line[k].isdigit())
    file.write_text(f"{head}\n{line[:at]}{9 - int(line[at])}{line[at + 1 :]}\n", "utf-8")
    made = []
    assert Evaluator(SPEC, small, tmp_path, patients=0.05, tell=made.append)(START) == value
    assert made == [1]
    file.write_text("")  # killed before anything was written
    Evaluator(SPEC, small, tmp_path, patients=0.05)


def test_the_emulator_is_exact_for_a_quadratic():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 3))
    y = np.stack([x[:, 0] ** 2 - x[:, 1] * x[:, 2], 1 - 2 * x[:, 2] + x[:, 2] ** 2 - 5], axis=1)
    emulator = emulate(x, y, np.zeros(3), np.eye(3))
    there = rng.normal(size=(20, 3))
    truth = np.stack([there[:, 0] ** 2 - there[:, 1] * there[:, 2], there[:, 2] ** 2 - 2 * there[:, 2] - 4], axis=1)
    assert emulator(there) == pytest.approx(truth, abs=1e-3)
    assert (emulator.error < 1e-3).all()


def test_the_fit_of_a_linear_model_is_its_closed_form():
    rng = np.random.default_rng(4)
    slopes, observed, root = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=(6, 6))
    target = Likelihood(observed, root @ root.T + np.eye(6))
    found = fit(lambda x: slopes @ np.asarray(x), target, np.zeros(3))
    weight = np.linalg.inv(target.covariance)
    covariance = np.linalg.inv(slopes.T @ weight @ slopes + np.eye(3))
    assert found.vector == pytest.approx(covariance @ slopes.T @ weight @ observed, abs=1e-3)  # where it stops
    assert found.covariance == pytest.approx(covariance)
    assert found.misfit < found.start_misfit


def test_directions_are_the_eigenvectors_of_the_information():
    found = directions(np.diag([3.0, 0.5, 2.0]), SMALL.parameters)
    assert [round(one.information, 6) for one in found] == [9, 4, 0.25]
    assert [one.parameters[0][0] for one in found] == ["d50_other", "nfl_effect", "max_inhibition"]
    assert [one.informed for one in found] == [True, True, False]


def test_r_hat_sees_chains_that_disagree():
    rng = np.random.default_rng(1)
    agree = rng.normal(size=(1000, 8, 2))
    assert split_r_hat(agree) < 1.02
    assert split_r_hat(agree + np.arange(8)[:, None]) > 1.5


@pytest.mark.slow
def test_known_parameters_are_found_again():
    """One repeat of the synthetic truth; benchmarks/coverage.py makes a hundred on the emulator of the whole fit."""
    names = data(ROWS, SMALL, runs())
    evaluate = Evaluator(SMALL, names, patients=0.06)
    truth = np.array([0.8, -0.7, 0.6])
    target = likelihood(names, SPEC, runs())
    rng = np.random.default_rng(11)
    noise = np.linalg.cholesky(target.covariance) @ rng.normal(size=len(names))
    target = target._replace(observed=evaluate(truth) + noise)
    found = fit(evaluate, target, np.zeros(3))
    x, y = design(evaluate, found, 32)
    emulator = emulator_of(found, x, y)
    drawn = sample(emulator, found, target, 2000, steps=1500)
    low, high = np.quantile(drawn.vectors, [0.005, 0.995], axis=0)
    assert ((low < truth) & (truth < high)).all()
    assert (drawn.vectors.std(axis=0) < 0.95).all()
    assert drawn.r_hat < 1.05


def test_stored_values_are_those_of_the_ensemble():
    stored = entry("calibration", "calibrated")["values"]
    own = np.array([[p.value(x) for p, x in zip(SPEC.parameters, row, strict=True)] for row in ensemble()])
    assert list(stored) == [p.name for p in SPEC.parameters]
    for column, value in zip(own.T, stored.values(), strict=True):
        assert value["interval"] == pytest.approx(np.quantile(column, [0.05, 0.95]), rel=2e-3)
        assert value["interval"][0] < value["value"] < value["interval"][1]


@pytest.mark.slow
def test_the_report_of_a_small_calibration(tmp_path):
    names = data(ROWS, SMALL, runs())
    evaluate, target = Evaluator(SMALL, names, patients=0.03), likelihood(names, SPEC, runs())
    found = fit(evaluate, target, np.zeros(3))
    emulator = emulator_of(found, *design(evaluate, found, 16))
    drawn = sample(emulator, found, target, 50, steps=300)
    ways = directions(found.jacobian, SMALL.parameters)
    whole = study.Calibrated(SMALL, names, np.zeros(3), found, ways, ["a mark"], emulator, drawn, 0.1)
    files = {file.name: file.read_text() for file in report.write(whole, tmp_path)}
    assert set(files) == {"fit.json", "ensemble.csv", "calibrated.yaml"}
    assert files["ensemble.csv"].count("\n") == 51
    assert files["ensemble.csv"].startswith("d50_other,max_inhibition,nfl_effect\n")
    made = YAML(typ="safe").load(files["calibrated.yaml"])
    assert made["kind"] == "calibration"
    assert made["marks"] == ["a mark"]
    assert set(made["values"]) == {p.name for p in SMALL.parameters}
    assert any("MARKED: a mark" in line for line in report.words(whole))
    assert json.loads(files["fit.json"])["marks"] == ["a mark"]


def test_interrupted_says_how_to_go_on(monkeypatch, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("simulator.studies.calibrate.study.calibrate", stop)
    done = CliRunner().invoke(app, ["calibrate", "valor", "-o", str(tmp_path)])
    assert done.exit_code == 130
    assert "go on with: als-sim" in done.stderr


def test_a_scenario_without_calibration_is_refused():
    done = CliRunner().invoke(app, ["calibrate", "natural_history"])
    assert done.exit_code == 2
    assert "There are valor, regions" in done.stderr


def test_the_command(tmp_path):
    arguments = ["calibrate", "valor", "-o", str(tmp_path), "--point-only", "--json"]
    assert "--allow-validation" in CliRunner().invoke(app, [*arguments, "--with", "VAL-35"]).stderr
