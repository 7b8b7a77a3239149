"""Data of real people: every reader, what it refuses and where, what it sets aside and counts, out and in again."""

import csv
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.analysis.trial.reading import Contrast, Selection, from_dataset, from_result
from simulator.analysis.trial.registry import ANALYSES
from simulator.datasets import DataError, Dataset
from simulator.datasets.adam import planned_day
from simulator.datasets.files import SUMS
from simulator.datasets.reading import read_data, write_data
from simulator.datasets.variables import ITEMS
from simulator.results.export import export

PEOPLE = """id,arm,sex,age,months_since_onset,followup_day,death_day,log_nfl
01,drug,F,61,14.5,196,,4.1
02,placebo,M,55,9,,120,3.9
03,drug,M,48.5,22,196,,4.4
"""
VISITS = """id,day,planned_day,alsfrs_r,svc
01,0,0,40,88
01,30,28,39,
02,0,0,41,92
02,27,28,37,80
03,0,0,36,70.5
"""


def files(folder: Path, people: str = PEOPLE, visits: str = VISITS, **more: str) -> list[Path]:
    texts = {"participants.csv": people, "measurements.csv": visits, **more}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def faults(*places: Path) -> list[str]:
    with pytest.raises(DataError) as found:
        read_data(*places)
    return str(found.value).splitlines()


def same(one: Dataset, other: Dataset) -> None:
    for name in one.participants._fields[:-1]:
        np.testing.assert_array_equal(getattr(one.participants, name), getattr(other.participants, name), err_msg=name)
    for left, right in (
        (one.participants.covariates, other.participants.covariates),
        *(
            (dict(a._asdict()), dict(b._asdict()))
            for a, b in zip(one.measurements.values(), other.measurements.values(), strict=True)
        ),
        *((one.endpoints[key]._asdict(), other.endpoints[key]._asdict()) for key in one.endpoints),
    ):
        assert set(left) == set(right)
        for name in left:
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)
    assert list(one.measurements) == list(other.measurements)
    assert set(one.endpoints) == set(other.endpoints)
    np.testing.assert_array_equal(one.visits, other.visits)


# ---- a pair of tidy tables ----


def test_two_tables_become_a_data_set(tmp_path):
    data = read_data(*files(tmp_path))
    assert data.participants.id.tolist() == ["01", "02", "03"]
    assert data.arms == ["drug", "placebo"]
    assert data.participants.covariates["log_nfl"].tolist() == [4.1, 3.9, 4.4]
    assert data.measurements["alsfrs_r"].value.tolist() == [40, 39, 41, 37, 36]
    assert data.measurements["svc"].person.tolist() == [0, 1, 1, 2]
    assert data.endpoints["death"].time.tolist() == [196, 120, 196]
    assert data.endpoints["death"].event.tolist() == [False, True, False]
    assert data.visits.tolist() == [0, 28]
    assert data.notes == ()
    same(data, read_data(*reversed(files(tmp_path))))
    same(data, read_data(tmp_path))


@pytest.mark.parametrize(
    ("column", "cells", "days"),
    [
        ("followup_weeks", ("28", "", "28"), 196),
        ("followup_months", ("6", "", "6"), 6 * 30.4375),
        ("followup_years", ("1", "", "1"), 365.25),
    ],
)
def test_a_time_says_its_unit_in_its_name(tmp_path, column, cells, days):
    rows = [line.split(",") for line in PEOPLE.splitlines()]
    rows[0][5] = column
    for row, cell in zip(rows[1:], cells, strict=True):
        row[5] = cell
    data = read_data(*files(tmp_path, "\n".join(map(",".join, rows))))
    assert data.endpoints["death"].time.tolist() == [days, 120, days]


def test_dates_count_from_each_baseline(tmp_path):
    people = "id,arm,baseline_date,onset_date,death_date,followup_date\n1,a,2025-01-10,2024-01-10,,2025-03-01\n"
    people += "2,b,2025-02-01,,2025-02-11,\n"
    visits = "id,date,alsfrs_r\n1,2025-01-10,40\n1,2025-02-09,38\n2,2025-02-01,41\n"
    data = read_data(*files(tmp_path, people, visits))
    assert data.measurements["alsfrs_r"].day.tolist() == [0, 30, 0]
    assert data.endpoints["death"].time.tolist() == [50, 10]
    assert data.participants.months_since_onset[0] == pytest.approx(366 / 30.4375)


def test_items_are_added_up_and_said(tmp_path):
    names = ",".join(ITEMS)
    visits = f"id,day,{names}\n01,0{',3' * 12}\n02,0{',3' * 11},\n"
    data = read_data(*files(tmp_path, visits=visits))
    assert data.measurements["alsfrs_r"].value.tolist() == [36]
    assert "1 value of alsfrs_r: computed as the sum of the twelve items" in map(str, data.notes)


def test_a_long_table_and_a_table_of_events(tmp_path):
    people = "id,arm\n1,a\n2,b\n"
    visits = "id,variable,value,week\n1,alsfrs_r,40,0\n1,grip,3.5,0\n2,alsfrs_r,41,0\n"
    events = "id,endpoint,time_months,event\n1,niv,2,yes\n2,niv,6,no\n"
    data = read_data(*files(tmp_path, people, visits, **{"events.csv": events}))
    assert set(data.measurements) == {"alsfrs_r", "grip"}
    assert data.endpoints["niv"].time.tolist() == [2 * 30.4375, 6 * 30.4375]
    assert data.endpoints["niv"].event.tolist() == [True, False]


# ---- hostile files: one clear error, or a counted, explained exclusion ----

P, V = "participants.csv", "measurements.csv"
DIED = (
    PEOPLE.replace("months_since_onset", "died").replace(",14.5,", ",2,").replace(",9,", ",1,").replace(",22,", ",2,")
)


@pytest.mark.parametrize(
    ("people", "visits", "message"),
    [
        (PEOPLE.replace(",", "|"), VISITS, f"{P}:1:id|arm|sex"),
        (PEOPLE.replace("48.5", "48,5"), VISITS, f"{P}:4:log_nfl: the row has 9 cells, the header 8"),
        (PEOPLE.replace(",", ";").replace("48.5", "48,5"), VISITS, f"{P}:4:age: 48,5 has a decimal comma"),
        (PEOPLE.replace("03,drug", "02,drug"), VISITS, f"{P}:4:id: the participant 02 is there twice"),
        (PEOPLE.replace(",61,", ",sixty,"), VISITS, f"{P}:2:age: sixty is no number"),
        (PEOPLE.replace(",61,", ",610,"), VISITS, f"{P}:2:age: 610 is outside 0 to 120"),
        (PEOPLE.replace(",120,", ",-120,"), VISITS, f"{P}:3:death_day: -120 is before"),
        (PEOPLE.replace(",,120,", ",100,120,"), VISITS, f"{P}:3:death_day: death (120) is after"),
        (PEOPLE.replace("196,,4.1", ",,4.1"), VISITS, f"{P}:2:followup_day: neither a day of death"),
        (PEOPLE.replace("death_day", "deathday"), VISITS, f"{P}:1:deathday: no column deathday is known"),
        (PEOPLE.replace("id,", "patient,", 1), VISITS, f"{P}:1:id: there is no column 'id'"),
        (PEOPLE.replace("age,", "sex,", 1), VISITS, f"{P}:1:sex: the column is there twice"),
        (DIED, VISITS,
         f"{P}:2:died: 2 is neither 1 nor 0, yes nor no (rows 4 too). Which of 1 and 2 is yes is not guessed"),
        (PEOPLE, VISITS.replace("01,30,28", "01,30,0"), f"{V}:3:id: the participant 01 has a second baseline"),
        (PEOPLE, VISITS.replace("01,30,28", "01,0,"), f"{V}:3:id: the participant 01 has a second baseline"),
        (PEOPLE, VISITS.replace(",41,", ",n.d.,"), f"{V}:4:alsfrs_r: n.d. is no number"),
        (PEOPLE, VISITS.replace(",41,", ",inf,"), f"{V}:4:alsfrs_r: inf is infinite"),
        (PEOPLE, VISITS.replace(",41,", ",51,"), f"{V}:4:alsfrs_r: 51 is outside 0 to 48"),
        (PEOPLE, VISITS.replace("alsfrs_r", "alsfrsr"), f"{V}:1:alsfrsr: no column alsfrsr is known"),
        (PEOPLE, VISITS.replace("02,27,", "02,,"), f"{V}:5:day: the day is missing"),
        (PEOPLE, "", f"{V}:1:: the file is empty"),
        (PEOPLE, VISITS + '02,"30,28,36,80\n', f"{V}:7:: the row cannot be read"),
    ],
)  # fmt: skip
def test_one_error_with_file_row_and_column(tmp_path, people, visits, message):
    found = faults(*files(tmp_path, people, visits))
    assert found[0].startswith(message), found
    assert len(found) == 1


def test_all_faults_at_once(tmp_path):
    found = faults(
        *files(tmp_path, PEOPLE.replace(",61,", ",old,").replace("03,", "02,"), VISITS.replace(",41,", ",x,"))
    )
    assert [line.split(": ")[0] for line in found] == [f"{V}:4:alsfrs_r", f"{P}:2:age", f"{P}:4:id"]


def test_a_byte_order_mark_and_semicolons_are_read(tmp_path):
    people, visits = files(tmp_path)
    people.write_bytes(b"\xef\xbb\xbf" + PEOPLE.replace(",", ";").encode())
    same(read_data(people, visits), read_data(*files(tmp_path)))


def test_text_that_is_not_utf_8_is_said(tmp_path):
    people, visits = files(tmp_path)
    people.write_bytes(PEOPLE.replace("placebo", "Plazebö").encode("latin-1"))
    assert faults(people, visits) == [f"{P}:3:: the text is not UTF-8. Save the file as CSV UTF-8"]


def test_what_is_set_aside_is_counted(tmp_path):
    people = PEOPLE.replace("log_nfl", "remark").replace("4.1", "good").replace("3.9", "fair").replace("4.4", "ill")
    visits = VISITS + "99,0,0,40,80\n"
    data = read_data(*files(tmp_path, people, visits))
    assert list(map(str, data.notes)) == [
        "1 column of participants.csv: not read, texts: remark",
        "1 row of measurements.csv: set aside, not among the participants (99, …)",
    ]


def test_unscheduled_visits_and_those_before_baseline_are_counted(tmp_path):
    visits = VISITS + "01,-14,-14,41,90\n01,50,,38,80\n"
    read = from_dataset(read_data(*files(tmp_path, visits=visits)), Selection(Contrast("drug", "placebo")))
    assert read.data.nominal_day.tolist() == [0, 28]
    assert "2 values of alsfrs_r: left out: at no planned visit, or not the nearest to it" in map(str, read.notes)


def test_visits_are_matched_within_a_stated_window(tmp_path):
    visits = "id,day,alsfrs_r\n01,0,40\n01,25,39\n01,33,38\n01,60,30\n02,0,41\n02,45,37\n03,0,36\n"
    wanted = Selection(Contrast("drug", "placebo"), visits=(0, 28), window=14)
    data = read_data(*files(tmp_path, visits=visits))
    read = from_dataset(data, wanted)
    np.testing.assert_array_equal(read.data.outcome, [[40, 39], [41, np.nan], [36, np.nan]])
    assert "3 values of alsfrs_r: left out: at no planned visit, or not the nearest to it" in map(str, read.notes)
    with pytest.raises(AnalysisError, match="planned days of visits are not known, or day 0 is not among them"):
        from_dataset(data, Selection(Contrast("drug", "placebo")))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "nothing.csv", "there is no such file"),
        (lambda folder: folder, "the folder has no tables"),
        (lambda folder: folder / "a.sas7bdat", "there is no such file"),
    ],
)
def test_places_that_hold_nothing(tmp_path, make, message):
    assert message in faults(make(tmp_path))[0]


@pytest.mark.slow
def test_a_large_file_is_read_in_a_moment(tmp_path):
    """300,000 rows with one fault near the end."""
    rows = [f"{k % 3 + 1:02d},{k},,{k % 48},{k % 100}" for k in range(300_000)]
    rows[-5] = rows[-5].rsplit(",", 1)[0] + ",x"
    found = faults(*files(tmp_path, visits="\n".join(["id,day,planned_day,alsfrs_r,svc", *rows])))
    assert found == [f"{V}:299997:svc: x is no number. Write a number, or leave the cell empty where it is not known"]


# ---- other kinds ----


def test_excel(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, text in (("participants", PEOPLE), ("measurements", VISITS)):
        sheet = book.create_sheet(name)
        for row in csv.reader(text.splitlines()):
            sheet.append(
                [float(cell) if cell.replace(".", "").isdigit() and k else cell or None for k, cell in enumerate(row)]
            )
    book.save(tmp_path / "trial.xlsx")
    same(read_data(tmp_path / "trial.xlsx"), read_data(*files(tmp_path)))


def test_parquet_out_and_in_again(tmp_path):
    pytest.importorskip("pyarrow")
    data = read_data(*files(tmp_path))
    write_data(data, tmp_path / "p", "parquet")
    same(data, read_data(tmp_path / "p"))


MAPPING = """participants:
  file: people.csv
  columns:
    id: Nr
    arm: {column: Group, codes: {A: drug, P: placebo}}
    followup: {column: months, unit: month}
    died: {column: status, codes: {1: no, 2: yes}}
    covariates: {log_nfl: LNFL}
measurements:
  - file: visits.csv
    columns: {id: Nr, planned_day: {column: month, unit: month}, alsfrs_r: Total}
"""
MAPPED = {
    "people.csv": "Nr,Group,months,status,LNFL\n1,A,6,1,4\n2,P,4,2,3.5\n",
    "visits.csv": "Nr,month,Total\n1,0,40\n1,2,38\n2,0,41\n",
}


def test_any_table_with_a_mapping(tmp_path):
    place = files(tmp_path, **MAPPED, **{"map.yaml": MAPPING})[-1]
    data = read_data(place)
    assert data.participants.arm.tolist() == ["drug", "placebo"]
    assert data.endpoints["death"].event.tolist() == [False, True]
    assert data.participants.covariates["log_nfl"].tolist() == [4, 3.5]
    assert data.visits.tolist() == [0, 2 * 30.4375]
    assert [str(note) for note in data.notes] == ["3 rows: only planned days are known: taken as the days of measuring"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "unit: month}\n    died",
            "unit: moon}\n    died",
            "map.yaml:6:followup.unit: moon is no unit. Allowed: day, week",
        ),
        ("id: Nr\n", "id: Number\n", "people.csv:1:Number: there is no column 'Number'. Columns: Nr, Group"),
        ("    died:", "    dead:", "map.yaml:7:dead: participants have no such column. Allowed: id, arm"),
        ("measurements:", "visits:", "map.yaml:1:measurements: the section is missing"),
        ("codes: {1: no, 2: yes}", "code: {1: no}", "map.yaml:7:died.code: no such key. Allowed: column, unit, codes"),
        ("participants:\n", "participants: [\n", "map.yaml:"),
        ("    id: Nr\n", "    id: Nr\n    id: Nr\n", "map.yaml:5:id: the key is there twice"),
    ],
)
def test_faults_of_a_mapping(tmp_path, old, new, message):
    place = files(tmp_path, **MAPPED, **{"map.yaml": MAPPING.replace(old, new, 1)})[-1]
    assert any(line.startswith(message) for line in faults(place)), faults(place)


ONE = """id,date,alsfrs_r,sex,age,onset_date,death_date,followup_date,weight
C1,2021-05-18,45,F,55,2021-01-23,,2021-09-01,70
C1,2021-08-08,44,F,55,2021-01-23,,,66
C2,2022-01-10,30,M,,2020-01-10,,,80
C2,2022-03-11,27,,61,,2022-04-10,,80
"""


def test_one_table_that_repeats_the_participant_at_each_visit(tmp_path):
    """Read as it stands, and by a mapping whose two sections name the same file; what is taken from visits is said."""
    (tmp_path / "centre.csv").write_text(ONE)
    data = read_data(tmp_path / "centre.csv")
    assert data.participants.sex.tolist() == ["F", "M"]
    assert data.participants.age.tolist() == [55, 61]
    assert data.measurements["alsfrs_r"].day.tolist() == [0, 82, 0, 60]
    assert data.endpoints["death"].time.tolist() == [106, 90]
    assert data.endpoints["death"].event.tolist() == [False, True]
    assert list(map(str, data.notes)) == [
        "1 column of centre.csv: not read, it changes between visits: weight",
        "2 participants: there is no baseline_date: the first visit is day 0",
    ]
    (tmp_path / "map.yaml").write_text(
        "participants: {file: centre.csv, columns: {id: id, sex: sex, age: age, "
        "onset_day: {column: onset_date, unit: date}, death: {column: death_date, unit: date}, "
        "followup: {column: followup_date, unit: date}}}\n"
        "measurements: {file: centre.csv, columns: {id: id, day: {column: date, unit: date}, alsfrs_r: alsfrs_r}}\n"
    )
    same(read_data(tmp_path / "map.yaml"), data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ONE.replace("44,F", "44,M"), "centre.csv:3:sex: M is not what an earlier row of the participant says"),
        (
            ONE.replace("2021-09-01", ""),
            "centre.csv:2:followup_date: neither a day of death nor an end of follow-up is",
        ),
        (ONE.replace("2021-08-08", "8.8.21"), "centre.csv:3:date: 8.8.21 is no date"),
        (VISITS, "centre.csv:1:: the table has visits, and nothing of the participants"),
        ("Nr,Visit,Total\n1,2021-05-18,45\n", "centre.csv:1:: columns are Nr, Visit, Total: none says the day"),
    ],
)
def test_faults_of_one_table(tmp_path, text, message):
    (tmp_path / "centre.csv").write_text(text)
    found = faults(tmp_path / "centre.csv")
    assert found[0].startswith(message), found
    assert len(found) == 1


PROACT = {
    "PROACT_ALSFRS.csv": "subject_id,Q1_Speech,ALSFRS_Delta,ALSFRS_Total,ALSFRS_R_Total\n"
    "7,4,0,,44\n7,4,31,,42\n7,4,31,,42\n9,3,0,,40\n9,3,28,,39\n9,3,28,,37\n12,4,,,41\n12,4,0,36,\n",
    "PROACT_FVC.csv": "subject_id,Subject_Liters_Trial_1,pct_of_Normal_Trial_1,pct_of_Normal_Trial_2,"
    "pct_of_Normal_Trial_3,Forced_Vital_Capacity_Delta\n7,3.2,88,91.5,90,0\n9,2.0,70,,,60\n",
    "PROACT_DEATHDATA.csv": "subject_id,Subject_Died,Death_Days\n7,Yes,400\n9,No,\n12,Yes,\n",
    "PROACT_DEMOGRAPHICS.csv": "subject_id,Age,Sex\n7,61,Female\n9,55,Male\n",
    "PROACT_TREATMENT.csv": "subject_id,Study_Arm\n7,Active\n9,Placebo\n",
    "PROACT_ALSHISTORY.csv": "subject_id,Site_of_Onset,Onset_Delta\n7,Onset: Limb,-400\n9,Onset: Bulbar,-365\n",
    "PROACT_RILUZOLE.csv": "subject_id,Subject_used_Riluzole\n7,Yes\n9,No\n",
}


def proact(folder: Path) -> Path:
    for name, text in PROACT.items():
        (folder / name).write_text(text)
    return folder


def test_a_folder_of_pro_act(tmp_path, monkeypatch):
    data = read_data(proact(tmp_path))
    assert data.participants.id.tolist() == ["7", "9", "12"]
    assert data.participants.arm.tolist() == ["Active", "Placebo", ""]
    assert data.participants.months_since_onset[:2] == pytest.approx([400 / 30.4375, 365 / 30.4375])
    assert data.participants.covariates["riluzole"][:2].tolist() == [1, 0]
    assert data.measurements["fvc"].value.tolist() == [91.5, 70]
    assert data.measurements["alsfrs_r"].value.tolist() == [44, 42, 40]
    assert data.endpoints["death"].time.tolist() == [400, 60, 0]
    assert data.endpoints["death"].event.tolist() == [True, False, False]
    said = " | ".join(map(str, data.notes))
    for words in (
        "1 row of PROACT_ALSFRS.csv: set aside, they have no day",
        "1 row of PROACT_ALSFRS.csv: set aside, they repeat another",
        "2 rows of PROACT_ALSFRS.csv: set aside, rows of the same participant and day that differ",
        "1 death: set aside, without a day",
        "2 participants: not known to have died: followed to their last record",
        "1 row of PROACT_ALSFRS.csv: ALSFRS_Total of ten items alone: another scale, not read",
    ):
        assert words in said
    monkeypatch.chdir(tmp_path)
    assert read_data(".").name == tmp_path.name


def test_who_died_without_a_day_is_a_fault(tmp_path):
    people = "id,arm,months,died\n1,a,6,1\n2,b,7,0\n"
    visits = "id,month,alsfrs_r\n1,0,40\n2,0,41\n"
    (found,) = faults(*files(tmp_path, people, visits))
    assert found.startswith(f"{P}:2:died: who died is known, and not when")


def test_any_folder_with_alsfrs_in_a_name_is_not_pro_act(tmp_path):
    (tmp_path / "mine_alsfrs_r.csv").write_text("id,month,alsfrs_r\n1,0,40\n")
    assert faults(tmp_path)[0].endswith("Name the files, or write a mapping (docs/data.md)")


@pytest.mark.parametrize("name", [name for name in PROACT if name != "PROACT_RILUZOLE.csv"])
def test_a_hostile_folder_of_pro_act_is_an_error(tmp_path, name):
    place = proact(tmp_path) / name
    place.write_text(place.read_text().replace(",", "|"))
    assert name in faults(tmp_path)[0]


@pytest.mark.parametrize(
    ("name", "day"), [("Baseline", 0), ("Week 26", 182), ("day 91", 91), ("Month 6", 182.625), ("End", None)]
)
def test_planned_days_of_named_visits(name, day):
    assert planned_day(name) == day


# ---- this program's own export, exactly ----


@pytest.fixture(scope="module")
def simulated():
    sim = pytest.importorskip("simulator")
    return sim.simulate(sim.load("valor_trial"), patients=160, seed=5)


@pytest.mark.parametrize("endpoint", ["event_free", "death"])
def test_the_files_of_an_export_give_the_same_estimates_in_all_analyses(simulated, tmp_path, endpoint):
    export(simulated, "adam", tmp_path)
    arms = Contrast("tofersen", "placebo")
    direct = from_result(simulated.groups, arms, endpoint=endpoint)
    read = from_dataset(read_data(tmp_path), Selection(arms, endpoint=endpoint)).data
    for name in ("arm", "stratum", "nominal_day", "day", "outcome", "time", "event"):
        np.testing.assert_array_equal(getattr(read, name), getattr(direct, name), err_msg=name)
    for one in ANALYSES.values():
        if one.name.endswith("_prognostic") or one.borrows is not None:
            continue  # an export has no scores and no earlier controls
        try:
            wanted = one.run(direct)
        except NotEstimableError:
            with pytest.raises(NotEstimableError):
                one.run(read)
        else:
            assert one.run(read)[:7] == wanted[:7], one.name


def test_names_that_a_spreadsheet_would_take_for_formulas_come_back(tmp_path):
    people = "id,arm,stratum\n1,'=drug,'-slow\n2,plain,'+fast\n"
    data = read_data(*files(tmp_path, people))
    assert data.participants.arm.tolist() == ["=drug", "plain"]
    assert data.participants.stratum.tolist() == ["-slow", "+fast"]


def test_an_export_is_converted_without_loss(simulated, tmp_path):
    export(simulated, "adam", tmp_path / "adam")
    data = read_data(tmp_path / "adam")
    write_data(data, tmp_path / "tidy")
    same(data, read_data(tmp_path / "tidy"))


# ---- generated tables: never a traceback, never a silent loss ----

CELLS = st.sampled_from(
    ["", "NA", "0", "1", "2", "28", "-5", "40", "1e400", "nan", "yes", "no", "12,5", "x", "'", "2025-01-01", " 7 "]
)
HEADS = st.sampled_from(
    [
        "id",
        "arm",
        "age",
        "died",
        "followup_day",
        "death_day",
        "day",
        "planned_week",
        "alsfrs_r",
        "svc",
        "value",
        "variable",
        "extra",
    ]
)


@st.composite
def tables(draw: st.DrawFn) -> str:
    heads = draw(st.lists(HEADS, min_size=2, max_size=6, unique=True))
    rows = draw(st.lists(st.lists(CELLS, min_size=len(heads), max_size=len(heads)), max_size=6))
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in [heads, *rows])


@pytest.mark.slow
@given(tables(), tables())
@settings(max_examples=150, deadline=None)
def test_whatever_the_tables_are_there_is_a_data_set_or_an_error(tmp_path_factory, people, visits):
    folder = tmp_path_factory.mktemp("any")
    try:
        data = read_data(*files(folder, people, visits))
    except DataError as error:
        wrong = error.errors
    else:
        wrong = []
    if wrong:
        assert all(one.row >= 1 and one.fact and one.remedy for one in wrong)
        return
    for of in data.measurements.values():
        assert np.isfinite(of.value).all()
        assert np.isfinite(of.day).all()
        assert ((of.person >= 0) & (of.person < data.n)).all()
    for end in data.endpoints.values():
        assert (end.time[np.isfinite(end.time)] >= 0).all()
    write_data(data, folder / "again")
    same(data, read_data(folder / "again"))


def mangled(draw: st.DrawFn, text: str) -> str:
    """A table with some cells, heads or rows changed, left out or twice."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.integers(0, len(rows) - 1))
        kind = draw(st.sampled_from(["cell", "cell", "cell", "row away", "row twice", "cell away", "head"]))
        if kind == "row away" and len(rows) > 1:
            del rows[row]
        elif kind == "row twice":
            rows.append(rows[row])
        elif kind == "head":
            rows[0][draw(st.integers(0, len(rows[0]) - 1))] = draw(
                st.sampled_from(["", "id", "USUBJID", "x", "subject_id"])
            )
        elif rows[row]:
            at = draw(st.integers(0, len(rows[row]) - 1))
            rows[row][at : at + 1] = [] if kind == "cell away" else [draw(CELLS)]
    return "\n".join(map(",".join, rows))


ADAM = {
    "adsl.csv": "USUBJID,TRT01P,STRATAR,AGE,LOGNFL,TRTSDY\n1,a,s,60,4.1,1\n2,b,t,50,,1\n3,a,s,40,3.9,\n",
    "adqs.csv": "USUBJID,PARAMCD,AVISIT,ADY,AVAL\n1,ALSFRSR,Baseline,1,40\n1,ALSFRSR,Week 4,29,38\n"
    "2,ALSFRSR,Baseline,1,41\n3,SVC,Baseline,1,88\n",
    "adtte.csv": "USUBJID,PARAMCD,AVAL,CNSR\n1,DTHPAV,100,0\n2,DTHPAV,120,1\n3,DTHPAV,90,2\n",
}
SOURCES = {"tidy": {P: PEOPLE, V: VISITS}, "adam": ADAM, "proact": PROACT, "mapping": MAPPED | {"map.yaml": MAPPING}}


@pytest.mark.parametrize("kind", SOURCES)
@given(draw=st.data())
@settings(max_examples=60, deadline=None)
def test_a_file_that_is_nearly_right_is_read_or_refused(kind, draw, tmp_path_factory):
    """And analysed, or it is said why not."""
    folder, tables_ = tmp_path_factory.mktemp(kind), dict(SOURCES[kind])
    name = draw.draw(st.sampled_from([one for one in tables_ if one.endswith(".csv")]))
    tables_[name] = mangled(draw.draw, tables_[name])
    for one, text in tables_.items():
        (folder / one).write_text(text)
    try:
        data = read_data(folder / "map.yaml" if kind == "mapping" else folder)
    except DataError:
        return
    write_data(data, folder / "again")
    same(data, read_data(folder / "again"))
    if len(data.arms) > 1 and "alsfrs_r" in data.measurements:
        try:
            read = from_dataset(data, Selection(Contrast(*data.arms[:2])))
            ANALYSES["logrank"].run(read.data)
        except AnalysisError:
            return


# ---- a real trial, where it is there ----

REAL = os.environ.get("ALS_TRIAL_DATA", "")
REAL_MAPPING = """participants:
  file: {folder}/valproic_acid_participants.csv
  columns: {{id: id, arm: arm, followup: {{column: months, unit: month}}, died: died}}
measurements:
  file: {folder}/valproic_acid_alsfrs_r.csv
  columns: {{id: id, planned_day: {{column: month, unit: month}}, alsfrs_r: alsfrs_r}}
"""


@pytest.mark.skipif(not REAL, reason="ALS_TRIAL_DATA names no folder")
def test_a_real_trial_is_analysed_as_r_does(tmp_path):
    """coxph, lmerTest and lm of R 4.2 on the first twelve months of the trial of valproic acid."""
    sim = pytest.importorskip("simulator")
    (tmp_path / "map.yaml").write_text(REAL_MAPPING.format(folder=REAL))
    found = sim.analyse(
        tmp_path / "map.yaml", ["ancova", "random_slope", "cox"], arms=["valproic_acid", "placebo"], day=365
    )
    ancova, slope, cox = (row.estimate for row in found.rows)
    assert (ancova.value, ancova.se) == pytest.approx((0.5322042029, 1.4217415806), rel=1e-8)
    assert (slope.value, slope.se, slope.df) == pytest.approx((-0.1038657642, 0.12635046377, 114.4279671), rel=1e-6)
    assert (cox.value, cox.se) == pytest.approx((1.255900384, 0.5718986651), rel=1e-8)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_flipped_bit_in_a_data_set_is_noticed(tmp_path, kind):
    """Of 150 flips in tables that were written here each is an error; what others wrote has no checksum."""
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    data = read_data(*files(tmp_path))
    folder = tmp_path / "tidy"
    *places, _ = write_data(data, folder, kind)
    draw = random.Random(3)
    for _ in range(75):
        place = draw.choice(places)
        whole = place.read_bytes()
        content = bytearray(whole)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        place.write_bytes(content)
        with pytest.raises(DataError, match="damaged or changed: its sha256 is not the one in"):
            read_data(folder)
        place.write_bytes(whole)
    same(read_data(folder), data)
    (folder / SUMS).write_text("no")
    with pytest.raises(DataError, match="it cannot be read"):
        read_data(folder)
    write_data(data, tmp_path / "other", kind)
    (tmp_path / "other" / SUMS).unlink()
    same(read_data(tmp_path / "other"), data)
