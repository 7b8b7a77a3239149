"""Cross-validation: what is left out informs nothing, predictions err as much as they state, cohorts differ as much."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from simulator.catalog.calibration import calibration
from simulator.catalog.facts import facts
from simulator.catalog.targets import targets
from simulator.cli.app import app
from simulator.cli.evidence_tables import validated_text
from simulator.studies.calibrate import cross_validation as cv
from simulator.studies.calibrate import hierarchy
from simulator.studies.calibrate.evaluate import runs_at, starting_vector
from simulator.studies.calibrate.likelihood import Likelihood
from simulator.studies.calibrate.picture import draw

PER_COHORT, PARAMETERS = 6, 3


def known(cohorts, rng, between=0.35, level=0.35):
    """Rows of cohorts drawn from the model: parameters from their prior, shifts and levels of cohorts, errors of 1."""
    size = cohorts * PER_COHORT
    names = np.repeat([f"c{k}" for k in range(cohorts)], PER_COHORT)
    centre = rng.normal(size=PARAMETERS)
    spread = rng.uniform(2, 6, size)
    shift = 4 * rng.normal(size=size)
    model = hierarchy.Linear(centre, rng.normal(size=size), rng.normal(size=(size, PARAMETERS)), shift, spread)
    truth, shifts = rng.normal(size=PARAMETERS), np.repeat(between * rng.normal(size=cohorts), PER_COHORT)
    levels = np.repeat(level * rng.normal(size=size // 2), 2)  # two rows of a quantity
    own = model.shift * shifts + model.spread * levels
    observed = model.value + model.jacobian @ (truth - centre) + own + rng.normal(size=size)
    quantities = np.tile(np.repeat(list("abc"), PER_COHORT // 3), cohorts)
    return hierarchy.Known(model, Likelihood(observed, np.eye(size)), names, quantities, np.ones(size, bool))


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(-100, 100))
def test_what_is_left_out_informs_nothing(seed, other):
    one = known(3, np.random.default_rng(seed))
    mine = one.cohorts == "c1"
    changed = one._replace(target=one.target._replace(observed=np.where(mine, other, one.target.observed)))
    for a, b in zip(hierarchy.predict(one, one.model, "c1"), hierarchy.predict(changed, one.model, "c1"), strict=True):
        assert (a == b).all()


def test_the_posterior_is_that_of_a_linear_model():
    one = known(2, np.random.default_rng(3))
    mean, covariance = hierarchy.posterior(one, np.ones(12, bool), (0.0, 0.0))
    slopes = one.model.jacobian
    away = one.target.observed - one.model.value + slopes @ one.model.centre
    assert covariance == pytest.approx(np.linalg.inv(slopes.T @ slopes + np.eye(3)))
    assert mean == pytest.approx(covariance @ slopes.T @ away)


@pytest.mark.slow
def test_predictions_have_the_errors_that_they_state():
    """200 sets of six cohorts, one row of each read: SD of z 1 ± .05, 95 % intervals 95 ± 1.5 % (SD of the count)."""
    rng, z = np.random.default_rng(8), []
    for _ in range(200):
        one = known(6, rng)
        mean, *sds = hierarchy.predict(one, one.model, "c0")
        z.append((one.target.observed[0] - mean[0]) / np.sqrt(sum(sd[0] ** 2 for sd in sds) + 1))
    assert np.std(z) == pytest.approx(1, abs=4 * 0.05)
    assert (np.abs(z) < 1.96).mean() == pytest.approx(0.95, abs=4 * 0.015)


@pytest.mark.slow
@pytest.mark.parametrize(("between", "low", "high"), [(0.0, 0.0, 0.15), (0.35, 0.22, 0.5)])
@pytest.mark.parametrize("which", ["speed", "level"])
def test_how_much_cohorts_differ_is_found(which, between, low, high):
    own = {"between": between, "level": 0.35} if which == "speed" else {"between": 0.35, "level": between}
    one = known(40, np.random.default_rng(5), **own)
    weights = hierarchy.between_cohorts(one, np.ones(len(one.fitted), bool))
    speed, level = weights.sum(axis=1) @ hierarchy.SPEEDS, weights.sum(axis=0) @ hierarchy.LEVELS
    assert low <= (speed if which == "speed" else level) < high


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(0.1, 10))
def test_the_unit_of_a_quantity_does_not_matter(seed, unit):
    """Rows of cohort c2 in another unit: its predictions change unit, those of others nothing."""
    one = known(3, np.random.default_rng(seed))
    mine = one.cohorts == "c2"
    factor = np.where(mine, unit, 1.0)
    model = one.model._replace(
        value=factor * one.model.value,
        jacobian=factor[:, None] * one.model.jacobian,
        shift=factor * one.model.shift,
        spread=factor * one.model.spread,
    )
    target = Likelihood(factor * one.target.observed, one.target.covariance * np.outer(factor, factor))
    other = one._replace(model=model, target=target)
    for cohort in ("c1", "c2"):
        before, after = hierarchy.predict(one, one.model, cohort), hierarchy.predict(other, model, cohort)
        for a, b in zip(before, after, strict=True):
            assert b == pytest.approx(factor * a, rel=1e-4, abs=1e-6)


def test_a_contrast_has_no_level_of_its_own():
    spec = calibration()
    runs = runs_at(spec, starting_vector(spec), 0.05)
    every = targets().targets
    assert cv.spread_between_people(every["VAL-16"], runs) == 0
    assert cv.spread_between_people(every["VAL-15"], runs) == pytest.approx(6, abs=2)  # points of ALSFRS-R in 28 weeks
    assert cv.spread_between_people(every["NH-01"], runs) == pytest.approx(0.85, abs=0.4)  # years


def test_differences_are_those_of_a_function():
    slopes = np.array([[1.0, 2.0], [0.0, -1.0]])
    found = cv.linearise(lambda x, shift: slopes @ x + np.array([3.0, 0.5]) * shift, np.array([0.2, 0.1]), np.ones(2))
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
    return cv.Prediction(name, cohort, "validation", 1 + z, 1.0, 0.6, 0.0, 0.0, 0.8, 1.0, z, 2 * z)


def test_the_table_counts():
    rows = [prediction("VAL-14", "a", z) for z in (0.0, 0.7, 1.5, 4.0)] + [prediction("NH-01", "b", -1.0)]
    found = cv.Validated(rows, (0.3, 0.1, 0.6), (0.2, 0.0, 0.5), {"a": 2, "b": 0})
    a, b, whole, others, alike = cv.summaries(found)
    assert (a.rows, a.fitted, a.within_50, a.within_80, a.within_95, a.in_sample_95) == (4, 2, 0.25, 0.5, 0.75, 0.5)
    assert (b.within_50, b.within_80, b.mean_z, b.sd_z) == (0, 1, -1, 0)
    assert (whole.rows, whole.within_95) == (5, 0.8)
    assert (others.rows, others.fitted, others.within_80) == (1, 0, 1)
    assert (alike.rows, alike.within_95) == (2, 0.875)
    assert alike.mean_z == pytest.approx((1.55 - 1) / 2)
    assert "VAL-14" in validated_text(found).split("Beyond 3.5 SD:")[1]
    assert {"between_cohort_sd", "between_cohort_sd_of_level", "sources", "rows"} == set(
        json.loads(json.dumps(found.content()))
    )
    assert draw(found).startswith("<?xml")


@pytest.mark.slow
def test_the_command_predicts_every_source(monkeypatch):
    def flat(evaluate, centre, spread):
        value = evaluate(centre, 0.0)
        return hierarchy.Linear(centre, value, np.zeros((len(value), len(centre))), np.zeros(len(value)), spread)

    monkeypatch.setattr(cv, "linearise", flat)
    found = cv.cross_validate(patients=0.01)
    assert len(found.predictions) > 150
    assert found.fitted["bali2017"] == 5
    assert found.fitted[cv.VALOR] > 60
    assert {one.role for one in found.predictions} == {"calibration", "validation"}
    none = [one for one in found.predictions if not np.isfinite(one.z)]
    assert len(none) < 5
    monkeypatch.setattr(cv, "cross_validate", lambda tell, name: found)
    done = CliRunner().invoke(app, ["evidence", "--cross-validate", "--json"])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["rows"]) == len(found.predictions)


@pytest.mark.parametrize("option", [["--starting"], ["--claims"]])
def test_other_options_are_refused(option):
    assert "Name no other option" in CliRunner().invoke(app, ["evidence", "--cross-validate", *option]).stderr
