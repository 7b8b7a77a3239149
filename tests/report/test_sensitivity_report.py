"""The report of a sensitivity analysis and of the value of information: the answer first, every value in a table."""

import re

import pytest
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.language import load
from simulator.report import style
from simulator.report.page import report_html
from simulator.report.sensitivity import ANSWERS, NOTES, TABLES
from simulator.results.folder import write_folder
from simulator.studies.sensitivity.document import ROWS, Sensitivity
from simulator.studies.sensitivity.methods import Effect, Influence, Range
from simulator.studies.sensitivity.over_draws import Option, Share, Worth
from tests.support.figures import check_texts

NAN = float("nan")
ROWS_OF = {
    "oneway": [
        Range("effect", "a.b", "normal", "Effect <E>", "1", 0.6, 0.4, 0.9, 3.14, 7.25, 4.11, 0.2),
        Range("delay", "a.c", "normal", "", "d", 80, 40, 160, 5.5, 5.5, 0.0, NAN),
    ],
    "sobol": [Influence("effect", "a.b", "normal", "", 0.61, 0.5, 0.7, 0.66, 0.55, 0.75)],
    "morris": [Effect("effect", "a.b", "normal", 4.2, 4.25, 0.3, 0.5, NAN)],
    "ensemble": [Share("effect", "a.b", 0.72, 0.05, 0.61), Share("delay", "a.c", 0.02, NAN, 0.01)],
    "evpi": [Worth("effect", "a.b", 1200, 90, 300), Worth("delay", "a.c", 20, NAN, 300)],
}
FIGURES = {
    "oneway": {"base": 5.5, "base_mcse": 0.25},
    "sobol": {"mean": 5.4, "sd": 1.1, "noise_share": 0.1},
    "morris": {},
    "ensemble": {"p5": 3.1, "p50": 5.2, "p95": 7.7, "sd": 1.2, "explained": 0.9, "noise_share": 0.1},
    "evpi": {"evpi": 1500.0, "evpi_se": 120.0, "evpi_lower": NAN, "best": 1.0},
}
SAID = {
    "oneway": "As the scenario has it: 5.5 ± 0.2. What moves it most: Effect &lt;E&gt;, from 3.1 to 7.2.",
    "sobol": "Mean 5.4, SD over the priors 1.1. The largest shares of the variance, with interactions: effect (0.66).",
    "morris": "The largest changes per range of a prior: effect (4.2).",
    "ensemble": "Median 5.2, 5th to 95th percentile 3.1 to 7.7.",
    "evpi": "Best on average: now. Perfect information is worth 1,500 ± 120 months a patient. Most worth",
}


@pytest.fixture(scope="module")
def scenario():
    return load("start_delay")


def made(method, scenario):
    options = [Option(name, 3.1, 2.2, 1e5, 2e4, 800.0, 0.5) for name in ("never", "now")] if method == "evpi" else []
    return Sensitivity(
        method=method,
        title="A <question>",
        scenario_name="start_delay.yaml",
        scenario_sha256=scenario.sha256,
        engine_version="0.1.0",
        outcome="event_free_months",
        arm="at_onset",
        against="month_12",
        day=1096.0,
        label="Event-free months",
        unit="months",
        digits=1,
        patients=300,
        replicates=2,
        random_numbers="common",
        seed=1,
        points=32,
        figures=FIGURES[method],
        rows=ROWS_OF[method],
        options=options,
        scenario=scenario.resolved_yaml(),
        arguments={"method": method},
    )


def test_every_method_has_one():
    assert set(ROWS) == set(ANSWERS) == set(TABLES) == set(NOTES)


@pytest.mark.parametrize("method", ROWS)
def test_the_answer_is_first_and_every_value_has_a_row(method, scenario):
    found = made(method, scenario)
    html = report_html(found)
    assert html == report_html(found)
    assert SAID[method] in html
    assert html.index(SAID[method]) < html.index("<table")
    heads = re.findall(r'<th scope="row">([^<]*)', html)
    assert {getattr(row, "label", "").replace("<E>", "&lt;E&gt;") or row.name for row in found.rows} <= {
        head.partition(",")[0] for head in heads
    }
    assert ("Figure 1" in html) == (method in ("oneway", "sobol"))
    assert "<question>" not in html
    assert not re.search(r"\bnan\b", html)


@pytest.mark.parametrize("width", [style.WIDE, style.NARROW])
@pytest.mark.parametrize(("method", "kind"), [("oneway", "tornado"), ("sobol", "sobol")])
def test_texts_of_its_pictures_do_not_overlap(method, kind, width, scenario):
    check_texts(made(method, scenario).plot.draw(kind, width=width).figure)


def test_the_command_writes_it(tmp_path, scenario):
    found = made("oneway", scenario)
    write_folder(found, tmp_path / "tornado")
    done = CliRunner().invoke(app, ["report", str(tmp_path / "tornado")])
    assert done.exit_code == 0, done.stderr
    html = (tmp_path / "tornado" / "report.html").read_text("utf-8")
    assert SAID["oneway"] in html
    assert "made-from" in html
