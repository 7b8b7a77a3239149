"""What a study of a trial leaves: a folder that opens, shows, replays; pictures and a report with its numbers."""

import json
import re
from typing import get_args

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.collections import PolyCollection
from typer.testing import CliRunner

import simulator as sim
from simulator.analysis.trial.registry import ANALYSES as REGISTERED
from simulator.cli.app import app
from simulator.cli.trial_tables import trial_text
from simulator.language.care import Assessment
from simulator.report.kinds import Kind, TrialKind
from simulator.report.page import report_html
from simulator.report.picture import PictureError
from simulator.report.plots import forest
from simulator.report.plots.trial import TrialPlots
from simulator.results.files import sealed_text
from simulator.results.folder import MANIFEST, SCENARIO, write_folder
from simulator.results.kinds import TRIAL
from simulator.results.notices import NOTICE
from simulator.studies.trial.html import pair
from simulator.studies.trial.result import Trial
from tests.support.figures import check_texts
from tests.support.html import Checker

ANALYSES = ("ancova", "joint_rank", "logrank", "mmrm")


@pytest.fixture(scope="module")
def trial() -> Trial:
    scenario = sim.load("valor_trial")
    asked = {"analyses": ANALYSES, "power": [0.8], "sizes": [30, 60, 240], "options": {"ancova": {"robust": True}}}
    return sim.trial(scenario, replicates=12, truth=2000, seed=2, **asked)


@pytest.fixture(scope="module")
def folder(trial, tmp_path_factory):
    place = tmp_path_factory.mktemp("study") / "trial"
    write_folder(trial, place)
    return place


def called(*words) -> str:
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.slow
def test_it_opens_as_any_result_does(trial, folder):
    for place in (folder, folder / TRIAL.file):
        again = sim.open(place)
        assert isinstance(again, Trial)
        assert again.summary_rows()[:9] == trial.summary_rows()[:9]
        assert again.estimands == trial.estimands


def test_show_prints_what_the_study_printed(trial, folder):
    text = called("show", folder)
    assert max(map(len, text.splitlines())) <= 80
    assert trial.title in text
    assert NOTICE in text
    assert "what is estimated (ICH E9 R1)" in text
    assert json.loads(called("show", folder, "--citations", "--json"))["citations"] == json.loads(
        trial.attrs["citations"]
    )
    found = json.loads(called("show", folder, "--json"))
    assert [one["analysis"] for one in found["analyses"]] == list(ANALYSES)
    assert all(one["estimand"]["intercurrent_events"] for one in found["analyses"])
    every = {row["metric"] for row in found["other"]}
    assert every >= {"events_control", "missing_share", "duration_days", "population_change_always_survivors"}
    assert all(
        row["mcse"] is not None for row in found["other"] if row["metric"] in ("missing_share", "events_control")
    )


@pytest.fixture(scope="module")
def looks() -> str:
    names = ("ancova", "stratified_logrank", "rmst", "cox")
    return trial_text(sim.trial(sim.load("group_sequential"), replicates=6, analyses=names, truth=2000, power=[0.8]))


@pytest.mark.slow
def test_tables_fit_the_terminal(looks):
    assert max(map(len, looks.splitlines())) <= 80


@pytest.mark.parametrize(
    "head", ["Day 196 (week 28)", " SD ", "power, %", "in a trial, mean", "with looks ", "at the end"]
)
def test_every_figure_has_its_error(looks, head):
    block = looks[looks.rindex(head) :].split("\n\n")[0].splitlines()[1:]
    assert block
    for line in block:
        cells = re.split(r"\s{2,}", line.strip())[1:]
        assert cells
        assert all(" ± " in cell or cell == "–" for cell in cells), line


@pytest.mark.slow
def test_replay_compares_every_number(folder, tmp_path):
    assert "bit by bit" in called("replay", folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(sealed_text(manifest | {"files": {SCENARIO: manifest["files"][SCENARIO]}}))
    other = dict(sim.open(folder).groups)
    other["estimates"] = {**other["estimates"]}
    changed = other["estimates"]["value"]
    values = changed.values.copy()
    values[3, 0, 0] += 1e-9
    other["estimates"]["value"] = changed._replace(values=values)
    Trial(sim.open(folder).attrs, other).save(tmp_path / TRIAL.file)
    (tmp_path / "scenario.resolved.yaml").write_bytes((folder / "scenario.resolved.yaml").read_bytes())
    found = sim.replay(tmp_path)
    assert [(one.group, one.variable, one.cells) for one in found.deviations] == [("estimates", "value", 1)]


def test_there_is_a_method_for_each_picture():
    assert all(callable(getattr(TrialPlots, kind)) for kind in TrialKind)
    assert not set(TrialKind) & set(Kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TrialKind)
def test_pictures(trial, folder, kind, tmp_path):
    picture = trial.plot.draw(kind)
    check_texts(picture.figure)
    with rc_context({"axes.facecolor": "red", "font.size": 30, "svg.hashsalt": None}):
        assert picture.svg() == sim.open(folder).plot.draw(kind).svg()
    called("plot", folder, kind, "-o", tmp_path / "picture.svg")
    assert re.sub(r" <metadata>.*</metadata>\n", "", (tmp_path / "picture.svg").read_text()) == picture.svg()


def test_a_forest_shows_the_estimates(trial):
    axes = trial.plot.forest(trials=5).figure.axes[1]  # joint_rank
    dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "."]
    np.testing.assert_array_equal(dots, trial.estimates("joint_rank")["value"][:5])
    assert any(np.all(np.equal(line.get_xdata(), trial.truth("joint_rank").value)) for line in axes.lines)


def test_bands_of_power_are_the_intervals_of_the_table(trial):
    """Wilson's: of 12 trials ±1.96 errors would reach below 0 and above 1."""
    drawn = trial.plot.power().figure.axes[0].collections
    bands = [one for one in drawn if isinstance(one, PolyCollection)]
    for name, band in zip(trial.analyses, bands, strict=True):
        found = trial.power(name)
        edges = {(x, y) for x, y in band.get_paths()[0].vertices.tolist()}
        assert {(size, limit) for size, one in found.items() for limit in (one.lower, one.upper)} <= edges
    rows = {(row.analysis, row.metric): row for row in trial.summary_rows()}
    assert rows["ancova", "power_60"][5:7] == trial.power("ancova")[60][2:]
    assert all(0 <= one.lower < one.upper <= 1 for one in trial.power("ancova").values())


def test_a_forest_says_what_each_panel_measures(trial):
    labels = dict(zip(trial.analyses, (axes.get_xlabel() for axes in trial.plot.forest().figure.axes), strict=False))
    assert labels["ancova"] == "difference of change, points"
    assert labels["joint_rank"] == "net benefit"


def test_every_outcome_has_a_unit_to_print(trial):
    units = {}
    for outcome in get_args(Assessment):
        arguments = json.dumps({**trial.arguments, "outcome": outcome})
        units[outcome] = forest.unit(Trial({**trial.attrs, "arguments": arguments}, trial.groups))
    assert units["alsfrs_r"] == "points"
    assert units["svc"] == "% predicted"
    assert "1" not in units.values()


def test_a_measure_is_a_ratio_where_estimates_are_logarithms():
    assert len(REGISTERED) > 10
    for one in REGISTERED.values():
        assert ("ratio" in one.measure) == (one.scale == "log")
        assert one.measure.startswith("difference") == one.estimand.summary.startswith("difference")


def test_pictures_that_cannot_be_drawn(trial):
    bare = Trial(trial.attrs, {key: group for key, group in trial.groups.items() if key not in ("power", "needed")})
    assert bare.plot.kinds == (TrialKind.forest,)
    for call, message in (
        (bare.plot.power, "run the trial with --power"),
        (lambda: trial.plot.draw("survival"), "Pictures: forest, power"),
        (lambda: trial.plot.draw("forest", day=3), "no day 3. Days: 196"),
        (lambda: trial.plot.draw("power", day=196), "no option 'day'"),
    ):
        with pytest.raises(PictureError, match=message):
            call()


@pytest.mark.slow
def test_the_report(trial, folder, tmp_path):
    called("report", folder, "-o", tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()
    assert html == report_html(trial, sim.open(folder).file_sha256)
    checker = Checker()
    checker.feed(html)
    assert not checker.open
    assert len(set(checker.ids)) == len(checker.ids)
    assert not [address for tag, address in checker.addresses if tag != "a" and not address.startswith("#")]
    first, _, rest = html.partition('id="pictures"')
    for text in ("Question of interest", "Context of use", NOTICE, "are\nassumed", "power, %", "Participants needed"):
        assert text in first
    assert pair(trial.truth("joint_rank"), 3) in first
    order = [
        rest.index(f'id="{name}"') for name in ("forest-196", "power", "tables", "values", "scenario", "provenance")
    ]
    assert order == sorted(order)
    assert not re.search(rf"{re.escape(str(tmp_path))}|\d\d:\d\d:\d\d", html)
