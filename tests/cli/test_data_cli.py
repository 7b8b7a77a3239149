"""The commands about real people, what `simulator.analyse` finds and refuses, and the page that explains them."""

import hashlib
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.analysis.trial.data import until
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.reading import Contrast, from_result
from simulator.analysis.trial.registry import ANALYSES
from simulator.cli.app import app
from simulator.results.export import export
from simulator.studies.twins.study import stored_data


def call(*arguments: object):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def page(root, tmp_path, monkeypatch) -> str:
    """The page, its files written into a folder of their own, in which the commands run."""
    text = (root / "docs" / "data.md").read_text("utf-8")
    written = re.findall(r"^<!-- file (\S+) -->\n```\w*\n(.*?)^```$", text, re.M | re.S)
    assert len(written) > 5
    for name, content in written:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    return text


@pytest.mark.slow
def test_what_the_page_says_works(page, tmp_path):
    lines = [line for block in re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S) for line in block.splitlines()]
    assert len(lines) == 8
    for line in lines:
        done = call(*shlex.split(line)[1:])
        assert done.exit_code == 0, (line, done.output)
        assert done.stdout
        assert "–" not in done.stdout, line  # what the page offers has an estimate
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    exec(code, {})
    there = {place.name for place in tmp_path.iterdir()}
    assert {"courses.svg", "tidy", "forest.svg", "survival.svg", "report.html"} <= there
    report = (tmp_path / "report.html").read_text()
    assert "10 participants: drug 5, placebo 5." in report
    assert report.count("<figure") == 3
    assert "http://" not in report.replace("http://www.w3.org", "")
    assert "<script" not in report


def test_another_kind_of_file_is_one_line(page, root):
    Path("list.yaml").write_text("a: 1\nb: 2\nc: 3\n")
    for path, words in ((root / "scenarios" / "valor.yaml", "this is a scenario"), ("list.yaml", "this is no mapping")):
        done = call("data", "check", path)
        assert done.exit_code == 2
        (line,) = done.stderr.splitlines()
        assert words in line


def test_one_of_a_kind_is_in_the_singular(page):
    told = call("data", "check", "proact").stdout
    assert "1 event\n" in told
    assert "1 participant: " in told
    assert not re.search(r"\b1 \w+s\b", told)


def test_the_report_of_analyses_answers_first(page):
    call("analyse", "participants.csv", "measurements.csv", "--analysis", "ancova,cox", "--arms", "drug,placebo",
         "--day", "84", "-o", "out")  # fmt: skip
    assert call("report", "out").exit_code == 0
    html = Path("out/report.html").read_text()
    answer = html.index("ancova: difference of change 2.72 points (95 % 0.33 to 5.12), p = ")
    assert html.index("<h1>") < answer < html.index(">Estimates<") < html.index("<figure") < html.index('id="notes"')
    assert html.count("<figcaption><strong>Figure") == html.count("<figure") == 2


def test_check_says_how_much_there_is(page):
    done = call("data", "check", "mine.yaml")
    assert "mine: 4 participants (drug 2, placebo 2)" in done.stdout
    assert re.search(r"alsfrs_r +7 values\ndeath +1 event\n", done.stdout)
    assert "7 rows: only planned days are known: taken as the days of measuring" in done.stdout
    found = json.loads(call("data", "check", "mine.yaml", "--json").stdout)
    assert found["participants"] == 4
    assert found["notes"][0]["number"] == 7


def test_show_has_visits_missingness_and_survival(page):
    done = call("data", "show", "participants.csv", "measurements.csv")
    assert re.search(r"day 28 +9 +10 +10 +[0-9.]+", done.stdout), done.stdout
    assert re.search(r"free of death, % +day 0", done.stdout)
    assert "at risk" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.slow
def test_what_is_made_of_data_says_of_which(page, tmp_path):
    """The sha256 of every file, a mapping among them, and of their list as sha256sum prints it, in all that is made."""
    sums = {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in ("mine.yaml", "people.csv", "visits.csv")
    }
    listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    source = hashlib.sha256(listed.encode()).hexdigest()
    data = sim.read_data("mine.yaml")
    assert (dict(data.files), data.made_from) == (sums, source)
    for words in (
        ["data", "show", "mine.yaml", "-o", "o/a.html"], ["data", "show", "mine.yaml", "-o", "o/a.svg"],
        ["data", "show", "mine.yaml", "-o", "o/a.png"], ["data", "convert", "mine.yaml", "-o", "o"],
        ["analyse", "mine.yaml", "--arms", "drug,placebo", "-o", "found"],
    ):  # fmt: skip
        done = call(*words)
        assert done.exit_code == 0, done.output
    report = (tmp_path / "o/a.html").read_text()
    assert f'<meta name="made-from" content="sha256:{source}">' in report
    assert all(digest in report for digest in sums.values())
    assert f"<metadata>made_from sha256:{source}</metadata>" in (tmp_path / "o/a.svg").read_text()
    study = hashlib.sha256((tmp_path / "found/analyses.json").read_bytes()).hexdigest()
    for name in ("forest.svg", "survival.svg"):
        assert f"<metadata>made_from sha256:{study}</metadata>" in (tmp_path / "found" / name).read_text()
    assert f"tEXtmade_from\0sha256:{source}" in (tmp_path / "o/a.png").read_bytes().decode("latin-1")
    told = json.loads((tmp_path / "found/analyses.json").read_text())["files"]
    assert {one["name"]: one["sha256"] for one in told} == sums
    told = json.loads((tmp_path / "o/tables.sha256.json").read_text())["made_from"]
    assert set(told.values()) == {source}
    assert len(told) == 3
    assert data._replace(files=data.files[:1]).made_from == sums["mine.yaml"]


@pytest.mark.parametrize(
    "name", ["a\x85b", "a\u2028b", "a\x0bb", "a\x1cb", 'a"b', "a\nb", "a\rb", "a,b", "a;b", "\u202eb"]
)
def test_names_with_odd_characters_are_read_and_written(name, tmp_path):
    """Only a line feed and a carriage return end a line of a table, and neither does within quotation marks."""
    read = name.replace("\r", "\n")
    cell = '"' + name.replace('"', '""') + '"'
    (tmp_path / "participants.csv").write_bytes(f"id,arm\n{cell},x\n2,y\n".encode())
    (tmp_path / "measurements.csv").write_bytes(f"id,day,alsfrs_r\n{cell},0,40\n{cell},90,38\n2,0,44\n".encode())
    data = sim.read_data(tmp_path)
    assert data.participants.id.tolist() == [read, "2"]
    assert call("data", "convert", tmp_path, "-o", tmp_path / "o").exit_code == 0
    assert sim.read_data(tmp_path / "o").participants.id.tolist() == [read, "2"]
    twins = sim.twins(data, sim.load("generic_als"), twins=10, pool=4_096)
    assert stored_data(twins).participants.id.tolist() == [read, "2"]


def test_faults_leave_with_code_2_a_line_each(page):
    Path("people.csv").write_text("Nr,Group,months,status,LNFL\n1,A,six,1,4\n2,P,4,3,x\n")
    done = call("data", "check", "mine.yaml")
    assert done.exit_code == 2
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [
        "people.csv:2:months", "people.csv:3:LNFL", "people.csv:3:status",
    ]  # fmt: skip


def test_tables_that_are_there_are_kept(page):
    assert call("data", "convert", "mine.yaml", "-o", "x").exit_code == 0
    done = call("data", "convert", "mine.yaml", "-o", "x")
    assert done.exit_code == 2
    assert "the file is there already" in done.stderr
    assert call("data", "convert", "mine.yaml", "-o", "x", "--force").exit_code == 0
    assert call("data", "convert", "mine.yaml", "-o", "x", "--to", "sas").exit_code == 2


@pytest.mark.slow
def test_analyse_prints_what_a_reader_needs(page):
    done = call("analyse", "participants.csv", "measurements.csv", "--analysis", "ancova,cox,rate_ratio", "--arms",
                "drug,placebo", "--day", "90", "--covariates", "age", "-o", "out")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "participants: drug against placebo" in done.stdout.replace(".csv", "")
    assert re.search(r"ancova +−?\d+\.\d{3} +−?\d+\.\d{3} to −?\d+\.\d{3} +\d\.\d{4} +8 +2", done.stdout), done.stdout
    assert "1 visit: day 90 is the visit planned for day 84, within 14 d" in done.stdout
    assert "death: composite" in done.stdout
    assert "For research" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    made = {"analyses.json", "analyses.csv", "manifest.json", "forest.svg", "survival.svg"}
    assert {place.name for place in Path("out").iterdir()} == made
    found = json.loads(Path("out/analyses.json").read_text())
    assert call("show", "out").stdout == done.stdout
    assert json.loads(call("show", "out", "--json").stdout)["data"] == "participants.csv"
    assert call("replay", "out").exit_code == 0
    assert call("report", "out").exit_code == 0
    assert "drug against placebo" in Path("out/report.html").read_text()
    assert call("plot", "out", "forest", "-o", "a.svg").exit_code == 0
    again = sim.open("out")
    assert again.rows[0].estimate.n == 8
    assert "rate_ratio" in again.summary()["analysis"].tolist()
    Path("out/mine.txt").write_text("x")
    words = ("analyse", "participants.csv", "measurements.csv", "--arms", "drug,placebo", "-o", "out")
    assert "does not belong to the study" in call(*words).stderr
    assert call(*words, "--force").exit_code == 0
    assert [row["analysis"] for row in found["analyses"]] == ["ancova", "cox", "rate_ratio"]
    assert found["arms"][1]["survival"][-1]["at_risk"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "which arms are compared? There are drug, placebo. Name two, the experimental one first"),
        ({"arms": ["drug", "drug"]}, "which arms are compared?"),
        ({"arms": ["drug", "plazebo"]}, "there is no arm 'plazebo'. Did you mean placebo? Arms: drug, placebo"),
        ({"arms": ["drug", "placebo"], "day": 60, "window": 3}, "no visit is planned within 3 d of day 60"),
        ({"arms": ["drug", "placebo"], "outcome": "hhd"}, "there is no outcome 'hhd'. Outcomes:"),
        ({"arms": ["drug", "placebo"], "endpoint": "pav"}, "there is no endpoint 'pav'. Endpoints: death"),
        ({"arms": ["drug", "placebo"], "covariates": ["bmi"]}, "the data have no covariate bmi"),
        ({"arms": ["drug", "placebo"], "analyses": ["anova"]}, "there is no analysis 'anova'"),
        ({"arms": ["drug", "placebo"], "options": {"mi": {"imputations": 5}}}, "options of mi: this analysis"),
        ({"arms": ["drug", "placebo"], "options": {"ancova": {"robots": 1}}}, "ancova has no option 'robots'"),
        ({"arms": ["drug", "placebo"], "options": {"ancova": {"robust": "yes"}}}, "ancova.robust is"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_said(page, arguments, message):
    with pytest.raises(sim.SimulatorError) as found:
        sim.analyse(["participants.csv", "measurements.csv"], **arguments)
    assert str(found.value).startswith(message), found.value
    assert found.value.exit_code == 2


def test_data_without_events_have_no_analysis_of_events(page):
    rows = [line.split(",") for line in Path("participants.csv").read_text().splitlines()]
    Path("participants.csv").write_text("\n".join(",".join([*row[:5], row[7]]) for row in rows))
    found = sim.analyse(["participants.csv", "measurements.csv"], ["ancova", "cox"], arms=["drug", "placebo"])
    assert found.endpoint == ""
    assert found.rows[0].estimate is not None
    assert found.rows[1].refused == "the data have no events"
    assert "10 participants: the data have no events: followed to the last measurement" in map(str, found.notes)
    assert "ancova" in found._repr_html_()
    found.plot.forest()
    found.plot.survival()


def test_a_simulated_trial_read_from_its_export_gives_what_the_result_gives(tmp_path):
    result = sim.simulate(sim.load("valor_trial"), patients=120, seed=2)
    export(result, "adam", tmp_path)
    direct = until(from_result(result.groups, Contrast("tofersen", "placebo")), 196)
    names = [one.name for one in ANALYSES.values() if one.borrows is None and not one.name.endswith("_prognostic")]
    names = [name for name in names if not name.startswith("rate_ratio")]
    found = sim.analyse(tmp_path, names, arms=["tofersen", "placebo"], day=196)
    for row in found.rows:
        if row.estimate is None:
            with pytest.raises(AnalysisError):
                ANALYSES[row.analysis].run(direct)
        else:
            np.testing.assert_array_equal(row.estimate[:7], ANALYSES[row.analysis].run(direct)[:7])
