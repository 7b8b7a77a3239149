"""Earlier controls from the files of a data set: by hand, in a scenario and in `analyse`; what is refused."""

from pathlib import Path

import pytest

import simulator as sim
from simulator.analysis.trial.errors import AnalysisError
from simulator.datasets.controls import told
from simulator.errors import SimulatorError, UsageError
from simulator.language.earlier import earlier_controls
from simulator.language.faults import ScenarioError
from simulator.studies.analyse import again

PEOPLE = (
    "id,arm,followup_day,death_day\n"
    "a,placebo,200,\nb,placebo,100,90\nc,placebo,168,\nd,drug,168,\ne,placebo,50,\nf,drug,168,\ng,drug,168,\n"
)
VISITS = "id,day,planned_day,alsfrs_r\n" + "".join(
    f"{who},{day},{planned},{score}\n"
    for who, course in {
        "a": [(0, 0, 40), (170, 168, 34)],
        "b": [(0, 0, 38), (84, 84, 30)],
        "c": [(0, 0, 30), (170, 168, 28), (172, 176, 10)],
        "d": [(0, 0, 41), (168, 168, 40)],
        "e": [(0, 0, 35)],
        "f": [(0, 0, 36), (168, 168, 30)],
        "g": [(0, 0, 39), (168, 168, 36)],
    }.items()
    for day, planned, score in course
)


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(PEOPLE)
    Path("visits.csv").write_text(VISITS)
    return ["people.csv", "visits.csv"]


def test_a_group_is_told_as_by_hand(files):
    found = told(sim.read_data(*files), "placebo", 168.0, "alsfrs_r", "death")
    assert found["change"] == {"people": 2, "mean": -4.0, "sd": pytest.approx(8**0.5)}
    assert found["events"] == {"number": 1, "years": pytest.approx((168 + 90 + 168 + 50) / 365.25)}
    with pytest.raises(UsageError, match="there is no arm 'nobody'"):
        told(sim.read_data(*files), "nobody", 168.0, "alsfrs_r", "death")
    with pytest.raises(UsageError, match="no change of svc by day 168"):
        told(sim.read_data(*files), "placebo", 168.0, "svc", "event_free")


def test_a_scenario_reads_files_once_and_is_whole_without_them(files):
    group = {"name": "own", "source": "invented", "day": 168, "endpoint": "death", "files": files, "arm": "placebo"}
    scenario = sim.load("centaur").replace({"trial.earlier_controls": [group]})
    (one,) = scenario.trial.earlier_controls
    assert (one.change.people, one.events.number) == (2, 1)
    for file in files:
        Path(file).unlink()
    again = scenario.replace({"trial.size": 60}).trial.earlier_controls
    assert again == [one]
    with pytest.raises(ScenarioError, match=r"trial.earlier_controls.0: there is no file gone.csv"):
        scenario.replace({"trial.earlier_controls": [{**group, "files": ["gone.csv"]}]})


def test_analyse_borrows_from_a_file_and_is_replayed(files):
    Path("earlier.yaml").write_text(
        "earlier_controls:\n"
        "  - {name: one, source: invented, day: 168, endpoint: death, change: {mean: -5, sd: 4, people: 30}}\n"
        "  - {name: own, source: invented, day: 168, endpoint: death, files: [people.csv, visits.csv], arm: drug}\n"
    )
    asked = {"arms": ["drug", "placebo"], "day": 168}
    found = sim.analyse(files, ["ancova_map"], **asked, earlier="earlier.yaml")
    written = [one.model_dump(exclude_none=True) for one in earlier_controls("earlier.yaml")]
    same = sim.analyse(files, ["ancova_map"], **asked, earlier=written)
    assert found.rows[0].estimate == same.rows[0].estimate
    assert again(found).rows[0].estimate == found.rows[0].estimate
    with pytest.raises(AnalysisError, match="ancova_map borrows earlier controls, and there are none"):
        sim.analyse(files, ["ancova", "ancova_map"], **asked)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("earlier_controls:\n  - {name: a, source: b, day: 168}\n", "earlier.yaml:2:5: .*neither change nor events"),
        ("earlier_controls:\n  - {name: a, source: b, dya: 168}\n", "unknown key dya. Did you mean day"),
        ("earlier: []\n", "unknown key earlier"),
        (None, "No such file"),
    ],
)
def test_a_file_that_says_nothing_is_refused_with_its_line(files, text, fault):
    if text is not None:
        Path("earlier.yaml").write_text(text)
    with pytest.raises(SimulatorError, match=fault):
        earlier_controls("earlier.yaml")
