"""The answer of a run: one screen, two uncertainties apart, and figures that are those of the headline."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from simulator import load, simulate
from simulator.cli.answering import answer_text, document
from simulator.cli.app import app
from simulator.measures.headline import headline
from simulator.results import Result, name, open_run
from simulator.results.notices import NOTICE
from simulator.studies import ranges
from simulator.studies.answer import Comparison, Figure, answer
from simulator.studies.draws import simulate_draws
from simulator.studies.ranges import Ranges, stored_ranges, with_ranges
from tests.support.synthetic import make_provenance, make_record

VECTORS = 3
GOLDEN = Path(__file__).parents[1] / "golden" / "answer.txt"


def figure(estimate, mcse=0.5, lower=np.nan, upper=np.nan):
    return Figure("event_free", "Event-free", "%", estimate, mcse, lower, upper, 1)


@pytest.fixture(scope="module")
def scenario():
    return load("valor")


@pytest.fixture(scope="module")
def run(scenario):
    """A small run with the ranges of a few vectors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranges, "DRAWS", VECTORS)
        patch.setattr(ranges, "PATIENTS", 60)
        return with_ranges(simulate(scenario, patients=60), scenario)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (figure(12.34), "12.3 more of 100 alive without permanent ventilation (Monte Carlo ± 0.5)"),
        (figure(-2.0, lower=-5, upper=-1), "2.0 fewer of 100 alive"),
        (figure(-2.0, lower=-5, upper=-1), "(Monte Carlo ± 0.5; parameters 1.0 to 5.0)"),
        (figure(2.0, lower=-5, upper=3), "(Monte Carlo ± 0.5; parameters 5.0 fewer to 3.0 more)"),
        (figure(2.0, lower=3, upper=5), "(Monte Carlo ± 0.5; parameters 3.0 to 5.0)"),
        (figure(-2.0, lower=3, upper=5), "(Monte Carlo ± 0.5; parameters 3.0 more to 5.0 more)"),
        (figure(-0.04, 0.0), "as many of 100 alive without permanent ventilation (Monte Carlo ± 0.0)"),
        (figure(1.0, np.nan), "(Monte Carlo ± ?)"),
    ],
)
def test_a_sentence_says_the_direction_and_both_uncertainties(one, text):
    assert text in Comparison("b", "a", 364.0, (one,)).text


def test_an_arm_alone_is_told_as_it_is():
    said = Comparison("a", "", 364.0, (figure(12.34, lower=10, upper=20),)).text
    rest = "12.3 of 100 alive without permanent ventilation (Monte Carlo ± 0.5; parameters 10.0 to 20.0)."
    assert said == f"a, after 12 months (day 364): {rest}"


@pytest.mark.slow
def test_ranges_are_those_of_runs_over_draws(scenario, run):
    """The right value: the same people at the same vectors, simulated in full."""
    found, day = stored_ranges(run), 1036.0
    assert (found.day, found.draws, found.patients) == (day, VECTORS, 60)
    spread = simulate_draws(scenario, VECTORS, patients=60).rows
    for metric, tolerance in (("alsfrs_r_change_death0", 2e-3), ("event_free", 1e-3)):
        rows = [row for row in spread if row.metric == metric and row.day == day and not row.group]
        assert len(rows) == 6
        for row in rows:
            ends = found.of(metric, row.arm, row.against)
            np.testing.assert_allclose(ends, (row.lower, row.upper), atol=tolerance)


def test_why_there_are_no_ranges_is_said(scenario):
    result = simulate(scenario, patients=4, output="summary")
    assert "only `als-sim run` computes it" in stored_ranges(result).source
    assert "their errors are upper bounds" in " ".join(answer_text(result, Path("x")).split())
    assert "a run of 200 patients or more" in stored_ranges(with_ranges(result, scenario)).source
    other = load("fus")
    many = Result(lambda: result.attrs | {"n_patients": 500}, result.groups)
    assert "the ensemble is of SOD1-ALS, not FUS-ALS" in stored_ranges(with_ranges(many, other)).source


def test_ranges_of_another_day_are_not_shown(run):
    from simulator.studies.selection import asking

    assert "it was computed for day 1036; run again with --days 364" in stored_ranges(asking(run, days=[364])).source
    swapped = stored_ranges(asking(run, "early_start"))
    low, high = swapped.of("event_free", "early_start", "untreated")
    assert swapped.of("event_free", "untreated", "early_start") == pytest.approx((-high, -low))


@pytest.mark.slow
def test_ranges_do_not_reach_the_numbers_and_are_stored(run, scenario, tmp_path):
    run.save(tmp_path / "a.nc")
    stored = open_run(tmp_path / "a.nc")
    assert stored_ranges(stored) == stored_ranges(run)
    assert str(headline(simulate(scenario, patients=60))) == str(headline(run))


def test_the_answer_fits_one_screen(run):
    lines = answer_text(run, Path("results/valor-01234567")).splitlines()
    assert 24 <= len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert lines[-1] == NOTICE
    text = " ".join(" ".join(lines).split())
    for row in headline(run).rows:
        if row.day == 1036 and row.metric == "event_free" and row.against and not row.group:
            assert f"{row.estimate:.1f} more of 100 alive" in text
    assert "als-sim show results/valor-01234567" in text


def test_the_answer_is_as_before():
    """A golden of what `als-sim run` prints, from a synthetic run: no number depends on the engine."""
    record = make_record(60)
    made = name(record, lambda: make_provenance(record, analysis_days=(364.0,)))
    found = Ranges(364.0, 40, 200, {"event_free": {"untreated": [50.0, 60.0], "early_start": [70.0, 72.0]}})
    known = Result(lambda: made.attrs | {"parameters": json.dumps(found._asdict())}, made.groups)
    assert answer_text(known, Path("results/x")) + "\n" == GOLDEN.read_text("utf-8")


def test_json_has_the_answer_beside_all_figures(run):
    found, whole = document(run), headline(run)
    assert found["rows"] == whole.rows
    sentences = [one.text for one in answer(whole, stored_ranges(run)).comparisons]
    assert found["answer"]["sentences"] == sentences
    assert len(sentences) == 3


@pytest.mark.slow
def test_the_command_prints_the_answer_and_show_the_rest(tmp_path):
    folder = tmp_path / "out"
    done = CliRunner().invoke(app, ["run", "valor", "-n", "9", "-o", str(folder)])
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) <= 40
    assert "early_start against untreated, after 34 months (day 1036):" in done.stdout
    rest = CliRunner().invoke(app, ["show", str(folder)]).stdout
    assert "faster: Event-free, %" in rest
    assert "more of 100" not in rest
