"""A run over draws: the same patients at vectors of the ensemble, with `draw` in front."""

import json

import numpy as np
import pandas
import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.reading import Contrast, from_result
from simulator.catalog.calibration import calibration
from simulator.cli.answering import answer_text
from simulator.cli.app import app
from simulator.errors import ResourceError
from simulator.language.calibrated import value_at
from simulator.measures.headline import headline
from simulator.report.captions import APART
from simulator.report.kinds import Kind
from simulator.report.plots.needs import BY_VECTOR, OVER_DRAWS
from simulator.results.errors import DrawnError
from simulator.results.export import export, occupancy
from simulator.results.notices import NOTICE
from simulator.studies.calibrate.apply import calibrated_vector, drawn_scenarios, ensemble
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.compare import compare
from simulator.studies.draws import assumed_share, drawn, simulate_draws
from simulator.studies.replay import deviations, replay
from simulator.tables.numbers import fixed
from simulator.units import minus

KEYS = ("metric", "arm", "against", "group", "day")
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


@pytest.mark.slow
def test_the_default_lies_in_the_middle_of_its_ensemble():
    """Early start against untreated, week 148, as if alive: between the quartiles of 50 draws, the same 60 people.

    With 500 people the default has 7.7 points, the ensemble a median of 7.6 (4.1 to 11.6), the starting values 10.
    """
    short = {"trial": None, "follow_up_days": 1036, "visits.every_days": 1036, "output.every_days": 1036}
    scenario = sim.load("valor").replace(short)
    alone, many = sim.simulate(scenario, patients=60), simulate_draws(scenario, 50, patients=60).result

    def saved(result):
        score = result.groups["truth"]["alsfrs_r"].values.astype(float)
        gain = score[..., -1] - score[..., 0]
        early, untreated = (gain[..., result.arm_index(arm), :] for arm in ("early_start", "untreated"))
        return (early - untreated).mean(axis=-1)

    low, high = np.quantile(saved(many), [0.25, 0.75])
    assert low < float(saved(alone)) < high
    started = sim.simulate(scenario.replace({"values": "starting"}), patients=60)
    assert float(saved(started)) > high


def test_what_the_author_changed_stays():
    changed = sim.load("valor").replace({"treatments.tofersen.effect.mean": 0.1, "disease.variants": {"other": 1.0}})
    first = next(drawn_scenarios(changed, 1))
    assert value_at(first.content(), "treatments.tofersen.effect.mean") == 0.1
    assert list(first.disease.variants) == ["other"]
    assert float(first.disease.variants["other"].share) == 1
    assert value_at(first.content(), "progression.d50_months.other.lognormal.median") != 77


@pytest.mark.slow
def test_the_same_patients_in_every_draw():
    found = simulate_draws(sim.load("natural_history"), 3, patients=50).result
    people, events = found.groups["patients"], found.groups["events"]
    assert people["age_at_onset"].dims == ("draw", "patient")
    assert (people["age_at_onset"].values == people["age_at_onset"].values[0]).all()
    assert (people["variant"].values == people["variant"].values[0]).all()
    assert events["event_free_time"].dims == ("draw", "arm", "patient")
    assert np.ptp(events["event_free_time"].values, axis=0).max() > 0


@pytest.mark.parametrize("output", ["full", "summary"])
@pytest.mark.slow
def test_a_draw_is_a_run_of_its_scenario(output, tmp_path):
    scenario = sim.load("valor").replace({"follow_up_days": 1036})
    found = simulate_draws(scenario, 2, patients=40, output=output).result
    found.save(tmp_path / "whole.nc")
    for number, own in enumerate(drawn_scenarios(scenario, 2)):
        alone = sim.simulate(own, patients=40, output=output)
        for whole in (found, sim.open(tmp_path / "whole.nc")):
            taken = sim.one_draw(whole, number)
            assert taken.draws == 0
            assert set(taken.groups) == set(alone.groups)
            assert deviations(taken, alone) == []
    assert found.screening["candidates"] == sum(sim.one_draw(found, k).screening["candidates"] for k in range(2))


@pytest.mark.slow
def test_there_is_no_such_draw(stored):
    for number in (-1, 3):
        with pytest.raises(CalibrationError, match=f"no draw {number}: the result has 3, numbered from 0"):
            sim.one_draw(stored, number)
    with pytest.raises(CalibrationError, match="of one parameter vector"):
        sim.one_draw(sim.one_draw(stored, 0), 0)


def test_the_tidy_summary_has_the_quantiles_of_the_draws():
    scenario = sim.load("natural_history").replace({"output.every_days": 3640, "visits.every_days": 3640})
    rows = simulate_draws(scenario, 4, patients=60).result.summary_rows()
    alone = [sim.simulate(each, patients=60).summary_rows() for each in drawn_scenarios(scenario, 4)]
    assert [row[:4] for row in rows] == [row[:4] for row in alone[0]]
    for row, *each in zip(rows, *alone, strict=True):
        expected = np.quantile([one.estimate for one in each], [0.05, 0.5, 0.95])
        if np.isfinite(expected).all():
            assert (row.lower, row.estimate, row.upper) == pytest.approx(tuple(expected), rel=1e-5, abs=1e-6)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run over three draws, and what the command printed."""
    folder = tmp_path_factory.mktemp("drawn") / "a"
    arguments = ["run", "valor", "--draws", "3", "-n", "30", "--set", "follow_up_days=1036", "-o", str(folder)]
    arguments.append("--full")
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def stored(run):
    return sim.open(run[0])


@pytest.mark.slow
def test_folder_replay_export_and_the_table(run, stored, tmp_path):
    assert "90 % of 3 parameter vectors" in run[1]
    assert replay(run[0]).equal
    assert stored.data["truth"]["alsfrs_r"].dims == ("draw", "arm", "patient", "time")
    header = [place.read_text().partition("\n")[0] for place in export(stored, "csv", tmp_path / "csv")[1:]]
    assert all("draw" in line.split(",") for line in header)
    cells = pandas.DataFrame(occupancy(stored))
    shares = cells.groupby(["draw", "arm", "system", "cycle"])["share_at_end"].sum()
    assert shares.to_numpy() == pytest.approx(1)
    assert shares.index.unique("draw").tolist() == [0, 1, 2]


def test_show_prints_what_run_printed(run, stored):
    shown = CliRunner().invoke(app, ["show", str(run[0])])
    assert (shown.exit_code, shown.stdout) == (0, run[1])


@pytest.mark.slow
def test_the_answer_of_a_run_over_draws_has_its_own_percentiles(run, stored):
    text = " ".join(answer_text(stored, run[0]).split())
    rows = [row for row in drawn(stored).rows if (row.metric, row.day, row.group) == ("event_free", 1036, "")]
    row = next(row for row in rows if (row.arm, row.against) == ("early_start", "untreated"))
    assert f"{row.estimate:.1f} more of 100 alive without permanent ventilation" in text
    assert f"parameters {row.lower:.1f} to {row.upper:.1f})" in text
    assert "medians over 3 vectors" in text
    document = json.loads(CliRunner().invoke(app, ["show", str(run[0]), "--json"]).stdout)
    each = [headline(sim.one_draw(stored, k)).rows for k in range(3)]
    row = next(row for row in document["rows"] if row["metric"] == "event_free_months" and row["against"])
    same = [next(r for r in rows if all(row[k] == getattr(r, k) for k in KEYS)) for rows in each]
    expected = np.quantile([r.estimate for r in same], [0.05, 0.5, 0.95])
    assert (row["lower"], row["estimate"], row["upper"]) == pytest.approx(tuple(expected))
    assert row["mcse"] == pytest.approx(np.sqrt(np.mean([r.mcse**2 for r in same])))
    assert (document["draws"], document["patients"], document["notice"]) == (3, 30, NOTICE)


@pytest.mark.slow
def test_report_of_a_run_over_draws(run, stored, tmp_path):
    done = CliRunner().invoke(app, ["report", str(run[0]), "-o", str(tmp_path / "report.html")])
    assert done.exit_code == 0, done.stderr
    page = (tmp_path / "report.html").read_text()
    assert "at 3 parameter vectors" in page
    assert NOTICE in page
    assert page.count("<svg") == len([kind for kind in stored.plot.kinds if kind not in APART])
    last = [row for row in drawn(stored).rows if row.day == 1036 and not row.group]
    row = next(row for row in last if row.metric == "event_free" and row.against == "delayed_start")
    cell = f"{fixed(row.estimate, 1)} ({fixed(row.lower, 1)} to {fixed(row.upper, 1)})"
    first = page[: page.index('id="assumptions"')]
    line = next(line for line in first.splitlines() if "early_start vs delayed_start</th>" in line)
    assert f">{minus(cell)}<" in line


def test_a_notebook_shows_median_and_percentiles(stored):
    values = stored.groups["summary"]["event_free"].values[:, 0, list(stored.time).index(1036)]
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    shown = stored._repr_html_()
    assert f">{middle:.3f} ({low:.3f} to {high:.3f}) ± " in shown
    assert "median (5–95 %) of 3 parameter vectors" in shown
    assert repr(stored).endswith(", 3 draws>")


@pytest.mark.parametrize(
    "use",
    [
        headline,
        lambda result: compare(result, sim.one_draw(result, 0)),
        lambda result: compare(sim.one_draw(result, 0), result),
        lambda result: result.survival("untreated"),
        lambda result: result.to_adam(),
        *(lambda result, kind=kind: result.plot.draw(kind) for kind in Kind if kind not in (*OVER_DRAWS, *BY_VECTOR)),
    ],
)
def test_what_needs_one_parameter_vector_says_so(use, stored):
    with pytest.raises(
        DrawnError, match=r"^a.* needs a run without draws, and this one has 3: .*one_draw\(result, 0\)$"
    ):
        use(stored)


def test_an_analysis_of_a_trial_takes_one_draw(stored):
    arms = Contrast("early_start", "delayed_start")
    with pytest.raises(AnalysisError, match="one_draw"):
        from_result(stored.groups, arms)
    assert from_result(sim.one_draw(stored, 1).groups, arms).n == 30
    assert set(stored.plot.kinds) == {*OVER_DRAWS, *BY_VECTOR} - {"milestones"}  # nobody enters before onset
    free = stored.groups["summary"]["event_free"].values
    axes = stored.plot.survival().figure.axes[0]
    np.testing.assert_allclose(axes.lines[1].get_ydata(), np.median(free[:, 1], axis=0))
    low = axes.collections[1].get_paths()[0].vertices[:, 1].min()
    assert low == pytest.approx(np.quantile(free[:, 1], 0.05, axis=0).min())
    mean = stored.groups["summary"]["alsfrs_r_death0_mean"].values
    np.testing.assert_allclose(stored.plot.trajectories().figure.axes[0].lines[0].get_ydata(), np.median(mean[:, 0], 0))
    assert stored.plot.trajectories("svc").svg()
    assert sim.one_draw(stored, 1).plot.survival().svg()


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
        ("case_a", 1, "twins of one person"),
        ("valor", 601, "600 vectors"),
    ],
)
def test_what_cannot_be_drawn(name, draws, words):
    with pytest.raises(CalibrationError, match=words):
        simulate_draws(sim.load(name), draws, patients=5)


def test_too_much_memory_is_refused():
    with pytest.raises(ResourceError, match="fewer draws"):
        simulate_draws(sim.load("valor"), 500, patients=2000, max_memory=1 << 30)


@pytest.mark.slow
def test_figures_from_onset_are_spread_over_all_draws_and_tables_fit_eighty_columns(tmp_path):
    done = CliRunner().invoke(
        app, ["run", "natural_history", "-n", "60", "--draws", "2", "--full", "-o", str(tmp_path / "out")]
    )
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    after = done.stdout.partition("From onset")[2].splitlines()
    labels = [line for line in after if line.startswith(("p.Ala5Val:", "other:"))]
    assert labels
    assert len(labels) == len(set(labels))
