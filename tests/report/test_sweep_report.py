"""The report of a sweep, what a notebook shows of one, and `als-sim show` and `report` of its folder."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.report.page import report_html
from simulator.results.notices import NOTICE
from simulator.studies.sweep.errors import SweepError
from simulator.studies.sweep.outcomes import OutcomeChoice, outcomes
from simulator.tables.numbers import with_error
from tests.support.html import checked
from tests.support.sweeps import DAY, EFFECT, ELIGIBLE, SCENARIO

LATE = "arms.late.0.from_day"
BLOCK = {
    "method": "grid",
    "set": {"arms.late": [{"treatments": ["tofersen"], "from_day": 28}]},
    "parameters": {
        "arms.late.0.from_day": {"low": 0, "high": 330, "count": 12, "whole": True, "label": "First <b>dose"}
    },
    "replicates": 2,
    "outcomes": [{"metric": "event_free_time_mean", "arm": "treated", "against": "late", "label": "Lost"}],
}


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    place = tmp_path_factory.mktemp("report") / "small.yaml"
    place.write_text(SCENARIO.replace("A small sweep", "A <script>small</script> sweep"))
    return sim.load(place).replace({"context_of_use": {"question": "How soon?", "context": "A & B"}})


@pytest.fixture(scope="module")
def grid(scenario):
    return sim.sweep(scenario.replace({"sweep": BLOCK}), patients=60)


@pytest.fixture(scope="module")
def sampled(scenario):
    axes = {
        EFFECT: {"low": 0.2, "high": 0.8},
        DAY: {"low": 0, "high": 200, "whole": True},
        ELIGIBLE: {"low": 20, "high": 300},  # nobody breathes like that
    }
    block = {"method": "latin_hypercube", "points": 16, "parameters": axes}
    return sim.sweep(scenario.replace({"sweep": block}), patients=60)


def test_page_one_comes_first_and_the_file_needs_nothing_else(grid):
    html = report_html(grid)
    found = checked(html)
    assert not found.tags & {"script", "iframe", "object", "embed", "link", "img", "form", "base", "b"}
    assert "default-src 'none'" in html
    assert all(value.startswith(("#", "https://doi.org/10.")) for _, value in found.addresses)
    assert len(found.ids) == len(set(found.ids))
    wanted = (
        "A <script>small</script> sweep", NOTICE, "9 of 12 points", "Monte Carlo standard error",
        "values behind these figures are assumed", "Contents", "How soon?", "A & B", "Varied: First <b>dose",
        "12 values, 0 to 330 d", "late tofersen from day 28; varied", "Figure 1.", "SHA-256",
    )  # fmt: skip
    places = [found.text.index(text) for text in wanted]
    assert places == sorted(places)
    assert found.text.count(NOTICE) == 2


def test_every_point_is_there_with_its_error(grid):
    html = report_html(grid)
    (outcome,) = grid.outcomes()
    rows = re.findall(r"<tr>(.*?)</tr>", html[html.index('id="tables"') : html.index('id="values"')])[1:]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    assert [int(row[1]) for row in cells] == grid.values(LATE).tolist()
    shown = [with_error(*pair, outcome.digits) for pair in zip(outcome.estimate, outcome.mcse, strict=True)]
    assert [row[-1] for row in cells] == shown
    assert len(set(shown)) > 6


@pytest.mark.slow
def test_the_same_sweep_gives_the_same_bytes(scenario, grid, tmp_path):
    stored = sim.sweep(scenario.replace({"sweep": BLOCK}), patients=60, folder=tmp_path)
    assert report_html(grid) == report_html(stored) == report_html(sim.open(tmp_path))


def test_the_error_over_two_replicates_reaches_as_far_as_t(grid):
    """12.7 standard errors to either side, and 1.96 where sums of many people say the error."""
    wanted = OutcomeChoice("event_free_time_mean", "treated", "late")
    paired = outcomes(grid, [wanted])[0]
    assert paired.paired
    assert paired.reach == pytest.approx(12.706, abs=1e-3)
    assert outcomes(grid, [wanted._replace(against="")])[0].reach == pytest.approx(1.96, abs=1e-3)
    axes = grid.plot.sweep().figure.axes[0]
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx((paired.estimate + 12.706 * paired.mcse).max(), rel=1e-3)


@pytest.mark.slow
def test_many_numbers_become_ranges_and_failed_points_are_named(sampled):
    failed = [one.point for one in sampled.failures]
    assert 0 < len(failed) < 16
    found = checked(report_html(sampled))
    assert f"{len(failed)} of 16 points failed" in found.text
    assert "Over 16 points" in found.text
    assert "Errors of differences are not paired: upper bounds" in found.text
    assert all(one.message in found.text for one in sampled.failures)
    (outcome, *_) = sampled.outcomes()
    for x in np.nanquantile(outcome.estimate, [0, 0.5, 1]):
        assert f"{x:.{outcome.digits}f}" in found.text
    assert "not reached" not in found.text


@pytest.mark.slow
def test_points_of_ones_own_and_draws_are_told_as_what_they_are(scenario):
    found = checked(report_html(sim.sweep(scenario, [{}, {EFFECT: 0.5}], patients=60)))
    assert "simulator.sweep(scenario, points, folder=DIR" in found.text
    assert "All points" in found.text
    block = {"method": "priors", "points": 3, "parameters": {EFFECT: {"normal": {"mean": 0.5, "sd": 0.1}}}}
    found = checked(report_html(sim.sweep(scenario.replace({"sweep": block}), patients=60)))
    assert "their range shows that uncertainty" in found.text
    assert "als-sim sweep DIR/scenario.resolved.yaml -o DIR -n 60 --seed 1" in found.text
    words = sim.sweep(scenario, {"visits.assessments": [["alsfrs_r"], ["alsfrs_r", "svc"]]}, patients=60)
    assert "Pictures" not in checked(report_html(words)).text


@pytest.mark.slow
def test_a_report_when_every_point_failed(scenario):
    wanted = [BLOCK["outcomes"][0] | {"against": "untreated"}]
    block = {"method": "grid", "parameters": {ELIGIBLE: [300, 301]}, "outcomes": wanted}
    sweep = sim.sweep(scenario.replace({"sweep": block}), patients=60)
    with pytest.raises(SweepError, match="every point of the sweep failed"):
        sweep.outcome("event_free", "treated")
    found = checked(report_html(sweep))
    assert "2 of 2 points failed" in found.text
    assert "none is eligible" in found.text


def test_what_a_notebook_shows(grid, sampled):
    shown = checked(grid._repr_html_())
    assert "A <script>small</script> sweep" in shown.text
    assert not shown.tags & {"script", "b"}
    assert "12 points, 60 patients in each arm, 2 replicates" in shown.text
    assert NOTICE in shown.text
    shown = checked(sampled._repr_html_())
    assert f"point {sampled.failures[0].point} failed" in shown.text
    assert "<svg" in grid.plot.sweep()._repr_svg_()


@pytest.mark.slow
def test_the_commands_show_and_report(scenario, tmp_path):
    def cli(*words):
        return CliRunner().invoke(app, [*map(str, words)])

    folder = tmp_path / "s"
    sim.sweep(scenario, {EFFECT: [0.3, 0.6]}, patients=60, folder=folder)
    shown = cli("show", folder)
    assert shown.exit_code == 0, shown.output
    assert "2 points, 60 patients in each arm" in shown.stdout
    assert [one[EFFECT] for one in json.loads(cli("show", folder, "--json").stdout)["points"]] == [0.3, 0.6]
    assert cli("report", folder).exit_code == 0
    assert (folder / "report.html").read_text() == report_html(sim.open(folder), sim.open(folder).file_sha256)
    run = cli("run", "valor", "-n", 60, "-o", tmp_path / "r", "--full")
    again = cli("show", tmp_path / "r")
    assert (again.exit_code, again.stdout) == (0, run.stdout)
    for place, used in ((folder, scenario), (tmp_path / "r", sim.load("valor"))):
        assert cli("show", place, "--citations").stdout.splitlines() == list(used.citations())
    (folder / "sweep.nc").unlink()
    broken = cli("show", folder)
    assert broken.exit_code != 0
    assert "als-sim sweep SCENARIO -o DIR" in broken.stderr
    assert cli("show", tmp_path).exit_code != 0


def test_each_month_of_delay_costs_something():
    found = sim.sweep(sim.load("start_delay"), patients=300)
    function, lost = found.outcomes()
    days = found.values("arms.delayed.0.from_day")
    assert days[0] == 0
    assert len(days) == 25
    assert np.diff(days).min() >= 30
    assert (np.diff(function.estimate) < 0).all()
    assert (np.diff(lost.estimate) > 0).all()
    assert lost.estimate[0] == lost.mcse[0] == 0  # the same arm twice
    assert lost.paired
    assert (lost.mcse[1:] > 0).all()
    assert lost.estimate[-1] < 36


def test_intervals_of_differences_reach_by_t_and_shares_of_0_and_1_have_errors(grid):
    """Two replicates: 12.7 errors. Nobody of 60 without an event yet, or everybody, is not known without error."""
    gain = grid.outcome("event_free", "treated", "late")
    assert gain.paired
    assert gain.reach == pytest.approx(12.706, abs=0.001)
    assert grid.outcome("event_free", "treated").reach == pytest.approx(1.96, abs=0.001)
    start = grid.outcome("event_free", "treated", day=0)
    assert (start.estimate == 100).all()
    assert start.mcse == pytest.approx(np.full(12, 100 * 1.96 / 2 / (60 + 1.96**2) / 2**0.5), rel=0.05)
    both = grid.outcome("event_free", "treated", "late", day=0)
    assert (both.estimate == 0).all()
    assert (both.mcse > start.mcse).all()
    bands = grid.plot.sweep().figure.axes[0].collections
    lost = grid.outcomes()[0]
    heights = np.ptp(np.array([path.vertices[:, 1] for path in bands[0].get_paths()]), axis=1)
    assert heights.max() >= 2 * 12.7 * lost.mcse.max() * 0.99
    assert "95 % interval reaches 12.7 of them" in checked(report_html(grid)).text
