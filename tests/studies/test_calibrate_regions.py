"""The calibration of the model regions: what it fits, what the catalog holds of it, how runs are shared."""

import numpy as np
import pytest

from simulator.catalog import entry, starting
from simulator.catalog.calibration import FILES, calibration, calibration_of
from simulator.catalog.facts import Fact
from simulator.catalog.targets import published
from simulator.language import load
from simulator.language.calibrated import places, value_at
from simulator.studies.calibrate.apply import drawn_scenarios, ensemble
from simulator.studies.calibrate.evaluate import Evaluator, runs_at, starting_vector
from simulator.studies.calibrate.rows import chosen, data
from simulator.studies.calibrate.study import _published
from simulator.studies.evidence.score import scenario_of, simulated

SPEC = calibration("regions")
START = starting_vector(SPEC)
FEW = 0.05


def test_each_model_has_one_calibration():
    assert [calibration(name).name for name in FILES] == list(FILES)
    assert calibration_of("clock") == calibration()
    assert calibration_of("regions") == SPEC
    assert calibration_of("linear") is None
    names = [parameter.name for name in FILES for parameter in calibration(name).parameters]
    assert len(set(names)) == len(names)


@pytest.mark.slow
def test_only_calibration_rows_are_fitted_and_individuals_are_among_them():
    rows = data(chosen(SPEC), SPEC, runs_at(SPEC, START, FEW))
    found = [published(key) for row in rows for key in _published(row.id)]
    assert {row.role for row in found} == {"calibration"}
    assert {"P2-004", "P2-006", "P2-012", "P2-001", "P2-075"} <= {row.id for row in found if isinstance(row, Fact)}
    assert {row.target.run for row in rows} <= set(SPEC.runs)
    assert set(SPEC.discrepancy.rows) <= {row.id for row in rows}
    assert all(row.slack == SPEC.discrepancy.rows[row.id] for row in rows if row.id in SPEC.discrepancy.rows)


def test_every_parameter_moves_what_it_names_in_every_run_of_its():
    for name, run in SPEC.runs.items():
        content = scenario_of(run).content()
        drugs = [key for key, one in content["treatments"].items() if one["kind"] == "antisense"]
        for parameter in SPEC.parameters:
            if name in parameter.runs:
                for drug in drugs if "*" in parameter.address else [""]:
                    assert value_at(content, parameter.address.replace("*", drug)) is not None, (name, parameter.name)


def test_the_catalog_starts_where_the_priors_are_centred():
    written = starting()
    for parameter in SPEC.parameters:
        if parameter.name in written:
            assert written[parameter.name]["value"] == parameter.started, parameter.name
    trial = {"wait", "wait_any", "valor_ala5val", "entry_effect"}
    trial |= {f"shift_{run}" for run in ("valor", "rapid", "registry", "diagnosed")}
    assert {p.name for p in SPEC.parameters} - set(written) == {f"regions_{name}" for name in trial}


def test_the_scenario_of_the_trial_holds_the_calibrated_values():
    content = load("valor_regions").content()
    held = {SPEC.parameters[place.number].name for place in places(content)}
    assert held == {p.name for p in SPEC.parameters if "valor" in p.runs}
    moved = next(drawn_scenarios(load("valor_regions"), 1)).content()
    for place in places(content):
        assert value_at(moved, place.address) != value_at(content, place.address)


def test_stored_values_are_those_of_the_ensemble():
    stored = entry("calibration", "calibrated_regions")["values"]
    vectors = ensemble("regions")
    assert vectors.shape == (600, len(SPEC.parameters))
    for parameter, column in zip(SPEC.parameters, vectors.T, strict=True):
        own = [parameter.value(x) for x in column]
        low, high = stored[parameter.name]["interval"]
        assert low < stored[parameter.name]["value"] < high
        assert np.quantile(own, [0.05, 0.95]) == pytest.approx([low, high], rel=2e-3, abs=2e-4)


@pytest.mark.slow
def test_runs_that_vectors_share_change_no_summary():
    """Summaries of an evaluator that remembers runs are those of runs made anew."""
    rows = data(["NH-01", "P2-001", "VAL-33"], SPEC, runs_at(SPEC, START, FEW))
    evaluate = Evaluator(SPEC, rows, patients=FEW)
    number = [p.name for p in SPEC.parameters].index("regions_effect")
    for step in (0.0, 1.0):
        vector = START.copy()
        vector[number] += step
        runs = runs_at(SPEC, np.round(vector, 6), FEW)
        assert evaluate(vector) == pytest.approx([simulated(row.target, runs).value for row in rows], rel=1e-12)
    assert sum(map(bool, evaluate._of_run.values())) == 4  # the trial's run twice, the others once
