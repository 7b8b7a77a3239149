"""Cross-validation: what is left out informs nothing, predictions err as much as they state, cohorts differ as much."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from simulator.catalog.calibration import calibration
from simulator.catalog.facts import facts
from simulator.catalog.targets import targets
from simulator.cli.app import app
from simulator.cli.evidence_tables import validated_text
from simulator.studies.calibrate import cross_validation as cv
from simulator.studies.calibrate.likelihood import Likelihood
from simulator.studies.calibrate.picture import draw

PER_COHORT, PARAMETERS = 6, 3


def known(cohorts, rng, between=0.35):
    """Rows of cohorts drawn from the model: parameters from their prior, a shift for each cohort, errors of 1."""
    size = cohorts * PER_COHORT
    names = np.repeat([f"c{k}" for k in range(cohorts)], PER_COHORT)
    centre = rng.normal(size=PARAMETERS)
    model = cv.Linear(centre, rng.normal(size=size), rng.normal(size=(size, PARAMETERS)), 4 * rng.normal(size=size))
    truth, shifts = rng.normal(size=PARAMETERS), np.repeat(between * rng.normal(size=cohorts), PER_COHORT)
    observed = model.value + model.jacobian @ (truth - centre) + model.shift * shifts + rng.normal(size=size)
    return cv.Known(model, Likelihood(observed, np.eye(size)), names, np.ones(size, bool))


@given(st.integers(0, 10**6), st.floats(-100, 100))
def test_what_is_left_out_informs_nothing(seed, other):
    one = known(3, np.random.default_rng(seed))
    mine = one.cohorts == "c1"
    changed = one._replace(target=one.target._replace(observed=np.where(mine, other, one.target.observed)))
    for a, b in zip(cv.predict(one, one.model, "c1"), cv.predict(changed, one.model, "c1"), strict=True):
        assert (a == b).all()


def test_the_posterior_is_that_of_a_linear_model():
    one = known(2, np.random.default_rng(3))
    mean, covariance = cv.posterior(one, np.ones(12, bool), 0.0)
    slopes = one.model.jacobian
    away = one.target.observed - one.model.value + slopes @ one.model.centre
    assert covariance == pytest.approx(np.linalg.inv(slopes.T @ slopes + np.eye(3)))
    assert mean == pytest.approx(covariance @ slopes.T @ away)


@pytest.mark.slow
def test_predictions_have_the_errors_that_they_state():
    """400 sets of six cohorts, one row of each read: SD of z 1 ± .035, 95 % intervals 95 ± 1.1 % (SD of the count)."""
    rng, z = np.random.default_rng(8), []
    for _ in range(400):
        one = known(6, rng)
        mean, by_parameters, by_cohort = cv.predict(one, one.model, "c0")
        z.append((one.target.observed[0] - mean[0]) / np.sqrt(by_parameters[0] ** 2 + by_cohort[0] ** 2 + 1))
    assert np.std(z) == pytest.approx(1, abs=4 * 0.035)
    assert (np.abs(z) < 1.96).mean() == pytest.approx(0.95, abs=4 * 0.011)


@pytest.mark.parametrize(("between", "low", "high"), [(0.0, 0.0, 0.12), (0.35, 0.22, 0.5)])
def test_how_much_cohorts_differ_is_found(between, low, high):
    one = known(40, np.random.default_rng(5), between)
    found = cv.between_cohorts(one, np.ones(len(one.fitted), bool)) @ cv.GRID
    assert low <= found < high


def test_differences_are_those_of_a_function():
    slopes = np.array([[1.0, 2.0], [0.0, -1.0]])
    found = cv.linearise(lambda x, shift: slopes @ x + np.array([3.0, 0.5]) * shift, np.array([0.2, 0.1]))
    assert found.jacobian == pytest.approx(slopes)
    assert found.shift == pytest.approx([3.0, 0.5])
    assert found.value == pytest.approx(slopes @ [0.2, 0.1])


def test_rows_are_of_the_disease_and_no_inputs():
    mine = cv.predicted_targets(calibration())
    runs = {target.run for target in mine}
    assert {"valor", "onset", "registry", "rapid", "diagnosed"} <= runs
    assert not runs & {"generic", "proact", "healey", "generic_course"}
    assert not {target.id for target in mine} & set(calibration().inputs)
    assert set(calibration().inputs) <= set(targets().targets)
    cohorts = {cv.cohort_of(target) for target in mine}
    assert cv.VALOR in cohorts
    assert cohorts - {cv.VALOR} <= {fact.source for fact in facts().values()}


def prediction(name, cohort, z):
    return cv.Prediction(name, cohort, "validation", 1 + z, 1.0, 0.6, 0.0, 0.8, 1.0, z, 2 * z)


def test_the_table_counts():
    rows = [prediction("VAL-14", "a", z) for z in (0.0, 0.7, 1.5, 4.0)] + [prediction("NH-01", "b", -1.0)]
    found = cv.Validated(rows, (0.3, 0.1, 0.6), {"a": 2, "b": 0})
    a, b, whole, others, alike = cv.summaries(found)
    assert (a.rows, a.fitted, a.within_50, a.within_80, a.within_95, a.in_sample_95) == (4, 2, 0.25, 0.5, 0.75, 0.5)
    assert (b.within_50, b.within_80, b.mean_z, b.sd_z) == (0, 1, -1, 0)
    assert (whole.rows, whole.within_95) == (5, 0.8)
    assert (others.rows, others.fitted, others.within_80) == (1, 0, 1)
    assert (alike.rows, alike.within_95) == (2, 0.875)
    assert alike.mean_z == pytest.approx((1.55 - 1) / 2)
    assert "VAL-14" in validated_text(found).split("Beyond 3.5 SD:")[1]
    assert {"between_cohort_sd", "sources", "rows"} == set(json.loads(json.dumps(found.content())))
    assert draw(found).startswith("<?xml")


@pytest.mark.slow
def test_the_command_predicts_every_source(monkeypatch):
    def flat(evaluate, centre):
        value = evaluate(centre, 0.0)
        return cv.Linear(centre, value, np.zeros((len(value), len(centre))), np.zeros(len(value)))

    monkeypatch.setattr(cv, "linearise", flat)
    found = cv.cross_validate(patients=0.01)
    assert len(found.predictions) > 150
    assert found.fitted["bali2017"] == 5
    assert found.fitted[cv.VALOR] > 60
    assert {one.role for one in found.predictions} == {"calibration", "validation"}
    none = [one for one in found.predictions if not np.isfinite(one.z)]
    assert len(none) < 5
    monkeypatch.setattr(cv, "cross_validate", lambda tell: found)
    done = CliRunner().invoke(app, ["evidence", "--cross-validate", "--json"])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["rows"]) == len(found.predictions)


@pytest.mark.parametrize("option", [["--starting"], ["--claims"], ["--model", "regions"]])
def test_other_options_are_refused(option):
    assert "Name no other option" in CliRunner().invoke(app, ["evidence", "--cross-validate", *option]).stderr
