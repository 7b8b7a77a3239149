"""A run over draws: the same patients at vectors of the ensemble, with `draw` in front."""

import numpy as np
import pandas
import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.catalog.calibration import calibration
from simulator.cli.app import app
from simulator.errors import ResourceError, SimulatorError
from simulator.results.export import export
from simulator.results.occupancy import occupancy
from simulator.studies.assumption import assumed_share
from simulator.studies.calibrate.apply import calibrated_vector, drawn_scenarios, ensemble
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.calibrate.evaluate import value_at
from simulator.studies.compare import compare
from simulator.studies.draws import simulate_draws
from simulator.studies.replay import replay

NAMES = [parameter.name for parameter in calibration().parameters]


def test_the_ensemble_surrounds_the_calibrated_vector():
    assert len(ensemble()) >= 500
    assert ensemble().shape[1] == len(NAMES)
    away = (ensemble().mean(axis=0) - calibrated_vector()) / ensemble().std(axis=0)
    assert (np.abs(away) < 0.5).all()
    assert (ensemble().std(axis=0) < 1.15).all()


def test_every_parameter_is_drawn_in_valor():
    own = sim.load("valor")
    first = next(drawn_scenarios(own, 1))
    for parameter, x in zip(calibration().parameters, ensemble()[0], strict=True):
        address = parameter.address.replace("*", "tofersen")
        assert value_at(first.content(), address) == pytest.approx(parameter.value(x))
        assert value_at(first.content(), address) != value_at(own.content(), address)
    shares = [float(part.share) for part in first.disease.variants.values()]
    assert sum(shares) == pytest.approx(1)


def test_what_the_author_changed_stays():
    changed = sim.load("valor").replace({"treatments.tofersen.effect.mean": 0.1, "disease.variants": {"other": 1.0}})
    first = next(drawn_scenarios(changed, 1))
    assert value_at(first.content(), "treatments.tofersen.effect.mean") == 0.1
    assert list(first.disease.variants) == ["other"]
    assert float(first.disease.variants["other"].share) == 1
    assert value_at(first.content(), "progression.d50_months.other.lognormal.median") != 77


def test_the_same_patients_in_every_draw():
    found = simulate_draws(sim.load("natural_history"), 3, patients=50).result
    people, events = found.groups["patients"], found.groups["events"]
    assert people["age_at_onset"].dims == ("draw", "patient")
    assert (people["age_at_onset"].values == people["age_at_onset"].values[0]).all()
    assert (people["variant"].values == people["variant"].values[0]).all()
    assert events["event_free_time"].dims == ("draw", "arm", "patient")
    assert np.ptp(events["event_free_time"].values, axis=0).max() > 0


def test_a_draw_is_a_run_of_its_scenario():
    scenario = sim.load("valor").replace({"follow_up_days": 364, "trial": None})
    found = simulate_draws(scenario, 2, patients=40).result
    second = list(drawn_scenarios(scenario, 2))[1]
    alone = sim.simulate(second, patients=40)
    for name in ("truth", "events", "observed"):
        for key, array in alone.groups[name].items():
            if array.dims[0] == "arm" and key != "arm":
                assert np.array_equal(found.groups[name][key].values[1], array.values, equal_nan=True)
    doses = found.groups["doses"]
    assert (doses["day"].values[doses["draw"].values == 1] == alone.groups["doses"]["day"].values).all()


def test_the_tidy_summary_has_the_quantiles_of_the_draws():
    scenario = sim.load("natural_history").replace({"output.every_days": 3640, "visits.every_days": 3640})
    rows = simulate_draws(scenario, 4, patients=60).result.summary_rows()
    alone = [sim.simulate(each, patients=60).summary_rows() for each in drawn_scenarios(scenario, 4)]
    assert [row[:4] for row in rows] == [row[:4] for row in alone[0]]
    for row, *each in zip(rows, *alone, strict=True):
        expected = np.quantile([one.estimate for one in each], [0.05, 0.5, 0.95])
        if np.isfinite(expected).all():
            assert (row.lower, row.estimate, row.upper) == pytest.approx(tuple(expected), rel=1e-5, abs=1e-6)


def test_folder_replay_export_and_the_table(tmp_path):
    arguments = ["run", "valor", "--draws", "3", "-n", "30", "--set", "follow_up_days=1036", "-o", str(tmp_path / "a")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr
    assert "90 % of 3 parameter vectors" in done.stdout
    assert replay(tmp_path / "a").equal
    stored = sim.open_result(tmp_path / "a")
    assert stored.data["truth"]["alsfrs_r"].dims == ("draw", "arm", "patient", "time")
    header = [place.read_text().partition("\n")[0] for place in export(stored, "csv", tmp_path / "csv")[1:]]
    assert all("draw" in line.split(",") for line in header)
    cells = pandas.DataFrame(occupancy(stored))
    shares = cells.groupby(["draw", "arm", "system", "cycle"])["share_at_end"].sum()
    assert shares.to_numpy() == pytest.approx(1)
    assert shares.index.unique("draw").tolist() == [0, 1, 2]
    with pytest.raises(SimulatorError, match="draws"):
        compare(tmp_path / "a", tmp_path / "a")


def test_the_share_that_rests_on_assumption():
    variance, axes = np.linalg.eigh(np.cov(ensemble().T))
    vectors, informed, assumed = ensemble()[:200], axes[:, 0], axes[:, -1]
    assert variance[0] < 0.5 < variance[-1]
    assert assumed_share(vectors @ informed, vectors, ensemble()) == pytest.approx(0, abs=1e-9)
    assert assumed_share(vectors @ assumed, vectors, ensemble()) == pytest.approx(1, abs=1e-9)
    both = vectors @ (informed / np.sqrt(variance[0]) + assumed / np.sqrt(variance[-1]))
    assert assumed_share(both, vectors, ensemble()) == pytest.approx(0.5, abs=1e-9)
    assert np.isnan(assumed_share(both[:50], vectors[:50], ensemble()))
    assert np.isnan(assumed_share(np.zeros(200), vectors, ensemble()))


@pytest.mark.parametrize(
    ("name", "draws", "words"),
    [
        ("generic_als", 1, "SOD1-ALS, not ALS"),
        ("valor", 601, "600 vectors"),
    ],
)
def test_what_cannot_be_drawn(name, draws, words):
    with pytest.raises(CalibrationError, match=words):
        simulate_draws(sim.load(name), draws, patients=5)


def test_too_much_memory_is_refused():
    with pytest.raises(ResourceError, match="fewer draws"):
        simulate_draws(sim.load("valor"), 500, patients=2000, max_memory=1 << 30)


def test_figures_from_onset_are_spread_over_all_draws_and_tables_fit_eighty_columns(tmp_path):
    done = CliRunner().invoke(app, ["run", "natural_history", "-n", "60", "--draws", "2", "-o", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    after = done.stdout.partition("From onset")[2].splitlines()
    labels = [line for line in after if line.startswith(("p.Ala5Val:", "other:"))]
    assert labels
    assert len(labels) == len(set(labels))
