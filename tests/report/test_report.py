"""The report: whole, safe, offline, the same bytes each time, and its numbers are those of the headline."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.language import load
from simulator.language.listing import values
from simulator.measures.headline import headline
from simulator.report.captions import APART, CAPTIONS, ORDER
from simulator.report.drivers import correlation, drivers
from simulator.report.evidence import GRADES, evidence
from simulator.report.kinds import Kind
from simulator.report.page import report_html
from simulator.report.people import people
from simulator.report.rendering import breakable, linked, themed
from simulator.report.style import COLOURS
from simulator.results import Result, name
from simulator.results.folder import write_folder
from simulator.results.notices import NOTICE
from simulator.studies.calibrate.apply import drawn_settings
from simulator.studies.ranges import Ranges
from simulator.tables.numbers import with_error
from simulator.units import minus
from tests.support.html import checked
from tests.support.synthetic import make_provenance, make_record


@pytest.fixture(scope="module")
def scenario():
    return load("valor")


def make_result(scenario=None, n=120, full=True, **changes):
    record = replace(make_record(n, full=full), **changes)
    stored = {} if scenario is None else {"scenario": scenario.resolved_yaml(), "scenario_sha256": scenario.sha256}
    return name(record, lambda: make_provenance(record, **stored))


@pytest.fixture(scope="module")
def html(scenario):
    return report_html(make_result(scenario))


@pytest.mark.slow
def test_whole_and_offline(html):
    found = checked(html)
    assert not found.tags & {"script", "iframe", "object", "embed", "link", "img", "form", "base"}
    assert "default-src 'none'" in html
    assert len(found.ids) == len(set(found.ids)) > 100
    outside = [(tag, address) for tag, address in found.addresses if not address.startswith("#")]
    assert outside
    assert all(tag == "a" and address.startswith("https://doi.org/10.") for tag, address in outside)
    inside = {address[1:] for _, address in found.addresses if address.startswith("#")}
    assert inside <= set(found.ids)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)


@pytest.mark.slow
def test_page_one_comes_first(html):
    wanted = ("more of 100 alive", "Contents", "Question of interest", "Figure 1.", "People at baseline", "Seed")
    places = [checked(html).text.index(text) for text in wanted]
    assert places == sorted(places)
    text = checked(html).text
    assert text.index(NOTICE) < text.index("Question of interest")
    for one in (
        "What would VALOR's participants",
        "Reading of the trial",
        "Monte Carlo standard error",
        "tofersen from day 196",
    ):
        assert one in text


@pytest.mark.slow
def test_what_the_scenario_does_not_state_is_said_to_be_missing(scenario):
    silent = scenario.replace({"context_of_use": {"question": "Why?"}})
    text = checked(report_html(make_result(silent, n=30))).text
    assert text.count("not stated in the scenario") == 3


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.slow
def test_every_number_of_the_headline_is_there(scenario, full):
    result = make_result(scenario, full=full)
    text, rows = checked(report_html(result)).text, headline(result).rows
    assert len(rows) > 50
    missing = [row for row in rows if minus(with_error(row.estimate, row.mcse, row.digits)) not in text]
    assert not missing
    assert ("upper bounds" in text) is not full


def test_the_main_table_is_of_the_last_day(html, scenario):
    main = html[html.index('id="results"') : html.index('id="question"')]
    assert "Day 364 (week 52)" in main
    assert "ALSFRS-R change, death = 0, points" in main
    rows = [row for row in headline(make_result(scenario)).rows if row.day == 364 and not row.group]
    (free,) = [row for row in rows if (row.metric, row.arm, row.against) == ("event_free", "early_start", "untreated")]
    line = next(line for line in main.splitlines() if '<th scope="row">early_start vs untreated' in line)
    assert with_error(free.estimate, free.mcse, free.digits) in line


@pytest.mark.slow
def test_pictures(html, scenario):
    for kind in [kind for kind in ORDER if kind not in ("person", "adverse", "milestones")]:
        assert f'<figure id="{kind}"' in html
    drawn = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert not re.findall(r"#[0-9a-f]{6}\b(?!\))", re.sub(r'(?:href="|url\()#[^")]*', "", drawn))
    assert "var(--ink)" in drawn
    short = report_html(make_result(scenario, full=False))
    assert '<figure id="survival"' in short
    assert '<figure id="benefit"' not in short


def test_figures_are_numbered_in_the_order_of_the_question_with_captions(html):
    names = re.findall(r'<figure id="([a-z]+)"', html)
    assert names == [str(kind) for kind in ORDER if kind in names]
    captions = re.findall(r"<figcaption><strong>Figure (\d+)\.</strong> (.+?)</figcaption>", html)
    assert [int(number) for number, _ in captions] == list(range(1, len(names) + 1))
    assert not set(ORDER) & set(APART)
    assert {*ORDER, *APART} == set(Kind)
    assert all(CAPTIONS[kind] for kind in Kind)
    links = re.findall(r'<a href="#([a-z]+)">\d+&nbsp;', html)
    assert links == names


def test_cells_carry_their_heads_for_narrow_screens(html):
    tables = re.findall(r'<table class="stack">.*?</table>', html, re.DOTALL)
    assert len(tables) > 4
    for table in tables:
        heads = re.findall(r'<th scope="col">(.*?)</th>', table)
        for row in re.findall(r"<tr.*?</tr>", table.partition("<tbody>")[2]):
            assert re.findall(r'<td data-head="(.*?)"', row) == heads[1:]


def test_the_baseline_table_and_the_flow_count_the_people(scenario):
    result = make_result(scenario)
    table, flow = people(result)
    age = result.groups["patients"]["age"].values.astype(float)
    cells = {row[0]: row[1:] for row in table.rows}
    assert cells["Age, years, mean (SD)"][0] == f"{age.mean():.1f} ({age.std(ddof=1):.1f})"
    assert sum(map(int, cells["People"][1:])) == int(cells["People"][0]) == 120
    counts = {row[0]: [int(cell.replace(",", "")) for cell in row[1:]] for row in flow.rows}
    assert counts["Candidates"] == [360] * 3
    ends = [counts[name] for name in ("Died without ventilation", "Permanent ventilation", "Free of both to the end")]
    assert [sum(column) for column in zip(*ends, strict=True)] == [120] * 3


@pytest.mark.slow
def test_the_values_that_an_answer_follows_are_found(scenario):
    """An answer that is one drawn value, and noise: the value comes first, and its sign is right."""
    address = "treatments.tofersen.effect.mean"
    values = np.array([one[address] for one in drawn_settings(scenario, 40)])
    noise = np.random.default_rng(3).normal(size=40)
    made = {"untreated": [0.0] * 40, "early_start": (-values).tolist(), "delayed_start": noise.tolist()}
    found = Ranges(364.0, 40, 200, {"event_free": made})
    plain = make_result(scenario, n=30)
    result = Result(lambda: plain.attrs | {"parameters": json.dumps(found._asdict())}, plain.groups)
    rows = drivers(result, scenario).rows
    assert rows[0].address == address
    assert rows[0].correlation == pytest.approx(-1)
    assert "What this answer follows" in report_html(result)
    assert drivers(plain, scenario) is None
    x = np.array([1.0, 2, 2, 5, 9])
    assert correlation(x, np.array([3.0, 1, 4, 1, 5])) == pytest.approx(spearmanr(x, [3, 1, 4, 1, 5]).statistic)


def test_every_colour_has_a_night_side(html):
    night = re.search(r"prefers-color-scheme: dark\) \{ :root \{ (.*?) \}", html)[1]
    assert night == "".join(f"--{name}:{colour.dark};" for name, colour in COLOURS.items())


def test_shares_by_grade(scenario, html):
    found, listed = evidence(scenario), [value for value in values(scenario) if value.evidence]
    assert [grade.name for grade in found.grades] == list(GRADES)
    for grade in found.grades:
        assert grade.size == sum(value.evidence == grade.name for value in listed) > 0
    assert sum(grade.percent for grade in found.grades) == pytest.approx(100)
    assert f"{found.assumed.size} of the {len(listed)} values" in html
    assert all(str(breakable(value.address)) in html for value in listed)


@pytest.mark.slow
def test_a_scenario_that_cannot_be_read_is_said_to_be_so():
    html = report_html(make_result())
    assert "cannot read the stored scenario" in html
    assert '<section id="values">' not in html
    assert '<figure id="survival"' in html


@pytest.mark.slow
def test_texts_are_escaped():
    bad = "<script>alert(1)</script>\"'&"
    html = report_html(make_result(title=bad, warnings=[bad], arms=("untreated", bad, "c"), strata=(bad, "slower")))
    assert "<script" not in html
    found = checked(html)
    assert "script" not in found.tags
    assert "alert(1)" in found.text


@pytest.mark.slow
def test_the_same_bytes_wherever_it_is_written(scenario, tmp_path):
    for folder in ("a", "b"):
        write_folder(make_result(scenario), tmp_path / folder)
    done = CliRunner().invoke(app, ["report", str(tmp_path / "a")])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "a" / "report.html")
    other = tmp_path / "elsewhere" / "name.html"
    assert CliRunner().invoke(app, ["report", str(tmp_path / "b" / "result.nc"), "-o", str(other)]).exit_code == 0
    assert other.read_bytes() == (tmp_path / "a" / "report.html").read_bytes()
    assert json.loads(CliRunner().invoke(app, ["report", str(tmp_path / "b"), "--json"]).stdout) == {
        "files": [str(tmp_path / "b" / "report.html")]
    }
    assert str(tmp_path) not in other.read_text("utf-8")


@pytest.mark.slow
def test_size_does_not_grow_with_patients(scenario):
    assert len(report_html(make_result(scenario, n=2000)).encode()) < 1.5e6


def test_dois_become_links():
    assert str(linked("Smith 2020, doi:10.1000/a-b.c; p. 3 <i>")) == (
        'Smith 2020, <a href="https://doi.org/10.1000/a-b.c">doi:10.1000/a-b.c</a>; p. 3 &lt;i&gt;'
    )


def test_a_picture_follows_the_page(scenario):
    svg = str(themed(make_result(scenario).plot.survival().svg()))
    assert svg.startswith("<svg ")
    assert not re.search(r'<svg [^>]*\b(?:width|height)="', svg)
    assert "<style" not in svg
