"""Results, metrics, pictures and files of every progression model: what a model has not is left out or refused."""

from __future__ import annotations

import numpy as np
import pytest

import simulator as sim
from simulator.engine import interface
from simulator.measures.headline import headline
from simulator.models import MODELS
from simulator.program.models import numbers_of
from simulator.report.kinds import Kind
from simulator.report.picture import PictureError
from simulator.results.summary import SUMMARISED
from simulator.results.variables import STAGES, VARIABLES
from simulator.studies.compare import compare
from simulator.studies.replay import deviations
from tests.support.models import known, study

every_model = pytest.mark.parametrize("model", MODELS)
TRUTH = {name for group, name in VARIABLES if group == "truth"}


def run(model: str, **keywords: str) -> sim.Result:
    scenario = study(model, {"follow_up_days": 364, "trial.analysis_days": [196]})
    return sim.simulate(scenario, patients=60, seed=4, threads=1, **keywords)


@every_model
def test_a_model_says_what_it_has_and_its_outputs_are_known(model):
    spec = MODELS[model]
    assert set(spec.OUTPUTS) <= TRUTH
    assert ("alsfrs_r" in spec.OUTPUTS) >= spec.SCORES_ITEMS
    assert set(study(model).progression.survival.model_fields_set) >= {"pav_probability", "months_after_pav"}
    numbers = numbers_of(model)
    assert {("patients", name) for name in numbers.PARAMETERS} <= set(VARIABLES)


def test_a_model_that_answers_too_little_is_refused():
    class Half:
        pass

    with pytest.raises(TypeError, match="a model answers exactly"):
        interface.register(Half, draw=print)


@every_model
def test_truth_and_visits_hold_what_the_model_has_and_it_is_finite(model):
    result = run(model)
    stages = set(STAGES) & set(known(model))
    truth = {name: array.values for name, array in result.groups["truth"].items() if array.dims[0] == "arm"}
    assert {name for name, values in truth.items() if values.ndim == 3} == set(known(model))
    assert all(np.isfinite(truth[name]).all() for name in known(model))
    observed = set(result.groups["observed"]) & TRUTH
    assert observed == {*study(model).visits.assessments} | (set() if MODELS[model].SCORES_ITEMS else stages)
    for name in observed - set(STAGES):
        first = result.groups["observed"][name].values[0, :, 0]
        assert np.isfinite(first).mean() > 0.8, name


@pytest.mark.slow
@every_model
def test_summaries_metrics_and_files_leave_out_what_the_model_has_not(model, tmp_path):
    full, streamed = run(model), run(model, output="summary")
    has = set(known(model))
    for result in (full, streamed):
        for row in SUMMARISED:
            assert (f"{row.name}_mean" in result.groups["summary"]) == (row.of in has)
        for stage in STAGES:
            assert (f"{stage}_share" in result.groups["summary"]) == (stage in has) == result.has(stage)
        rows = headline(result).rows
        assert {"event_free", "sod1_csf"} <= {row.metric for row in rows}
        assert any(row.metric.startswith("alsfrs_r") for row in rows) == ("alsfrs_r" in has)
        assert not any(np.isnan(row.estimate) for row in rows)
        assert np.isfinite(result.summary()["estimate"]).all() or model == "clock"
        assert "Event-free" in result._repr_html_()
    full.save(tmp_path / "one.nc")
    assert deviations(sim.open(tmp_path / "one.nc"), full) == []
    tables = full.to_adam()
    assert len(tables["ADSL"]) == 60
    assert ("ALSFRSR" in set(tables["ADQS"]["PARAMCD"])) == ("alsfrs_r" in has)


@every_model
@pytest.mark.slow
def test_pictures_are_drawn_or_refused_with_what_is_missing(model):
    result = run(model)
    kinds = result.plot.kinds
    assert Kind.survival in kinds
    assert (Kind.trajectories in kinds) == ("alsfrs_r" in known(model))
    for kind in kinds:
        assert result.plot.draw(kind).svg().startswith("<")
    for kind in (Kind.trajectories, Kind.biomarkers, Kind.benefit, Kind.patient):
        if kind not in kinds:
            with pytest.raises(PictureError, match="the progression model of this result has no"):
                result.plot.draw(kind)
    if "kings_stage" not in known(model):
        with pytest.raises(PictureError, match="has no stages"):
            result.plot.draw(Kind.stages)
    if "hhd" not in known(model):
        with pytest.raises(PictureError, match="has no hhd"):
            result.plot.trajectories("hhd")


def test_two_models_are_compared_in_what_both_have():
    rows = compare(run("clock"), run("multistate")).rows
    assert {row.metric for row in rows} == {"sod1_csf", "event_free", "event_free_months"}


def test_a_model_of_stages_shows_the_last_stage_and_death():
    full, streamed = run("multistate"), run("multistate", output="summary")
    late = full.groups["truth"]["kings_stage"].values >= 4
    for result in (full, streamed):
        rows = [row for row in headline(result).rows if row.metric == "kings_4_or_dead" and row.kind == "arm"]
        assert [row.day for row in rows] == [196.0] * 3 + [364.0] * 3  # the day of analysis, and the last
        shares = 100 * late[:, :, [7, 13]].mean(axis=1)
        assert [row.estimate for row in rows] == pytest.approx(shares.T.ravel())
    assert not [row for row in headline(run("clock")).rows if row.metric.startswith("kings")]


@pytest.mark.slow
def test_models_take_turns_in_the_space_of_a_thread():
    """A run leaves its working space to the next one of its thread; another model finds nothing in it."""
    first = {model: run(model) for model in MODELS}
    for model in reversed([*MODELS, *MODELS]):
        assert deviations(run(model), first[model]) == []
