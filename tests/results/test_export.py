"""Tables for other programs: the observed trial as ADaM-like tables, long tables as CSV and Parquet."""

import csv
import io
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from simulator.analysis.survival import kaplan_meier, survival_at
from simulator.cli.app import app
from simulator.results import cells, name
from simulator.results.adam import COLUMNS, NoTrialError
from simulator.results.adam.trial import study_day
from simulator.results.errors import FolderError, ResultError
from simulator.results.export import check, export, long, occupancy
from simulator.results.files import SUMS
from simulator.results.folder import write_folder
from simulator.results.opening import open_run
from simulator.tables.files import safe_cell
from tests.support.synthetic import ARMS, make_provenance, make_record

N = 90


def make_trial(n=N, **changes):
    """A result in which a trial sees two in three: patient i in arm 1 + i mod 3, nobody in arm 3."""
    record = make_record(n)
    arm = np.arange(n) % 3
    allocated = np.where(arm < 2, arm + 1, -1).astype(np.int8)
    dropout = record.events["dropout_time"][..., None] <= np.arange(0.0, 729, 28.0)
    observed = {key: np.where(dropout, np.nan, values) for key, values in record.observed.items()}
    record = replace(record, patients={**record.patients, "allocated_arm": allocated}, observed=observed, **changes)
    return name(record, lambda: make_provenance(record))


@pytest.fixture(scope="module")
def result():
    return make_trial()


@pytest.fixture(scope="module")
def tables(result):
    return result.to_adam()


def who(table):
    return table["USUBJID"].str.removeprefix("synthetic-").astype(int).to_numpy()


def test_one_row_per_participant(tables):
    adsl = tables["ADSL"]
    assert who(adsl).tolist() == [i for i in range(N) if i % 3 < 2]
    assert (adsl["TRT01P"] == [ARMS[1 + i % 3] for i in who(adsl)]).all()
    assert (adsl["TRT01PN"] == [2 + i % 3 for i in who(adsl)]).all()
    assert set(tables["ADTTE"].groupby("USUBJID").size()) == {3}
    assert not tables["ADQS"].duplicated(["USUBJID", "PARAMCD", "AVISITN"]).any()
    arm = dict(zip(adsl["USUBJID"], adsl["TRT01P"], strict=True))
    for table in ("ADQS", "ADTTE"):
        assert (tables[table]["TRTP"] == tables[table]["USUBJID"].map(arm)).all()


def test_the_observed_arm_and_nothing_else(result, tables):
    adqs = tables["ADQS"][tables["ADQS"]["PARAMCD"] == "NFL"]
    observed = result.groups["observed"]["nfl_plasma"].values
    expected = [observed[1 + i % 3, i, v] for i, v in zip(who(adqs), adqs["AVISITN"], strict=True)]
    assert adqs["AVAL"].to_numpy() == pytest.approx(expected)
    seen = sum(np.isfinite(observed[1 + i % 3, i]).sum() for i in range(N) if i % 3 < 2)
    assert len(adqs) == seen > 500


def test_nothing_after_dropout_or_death(result, tables):
    adsl = tables["ADSL"].set_index("USUBJID")
    adqs = tables["ADQS"]
    assert (adqs["ADY"] <= adqs["USUBJID"].map(adsl["EOSDY"])).all()
    assert (adsl["TRTEDY"].dropna() <= adsl["EOSDY"][adsl["TRTEDY"].notna()]).all()
    left = adsl["DCSREAS"] == "DROPOUT"
    assert left.any()
    assert (adsl["EOSDY"][left] == 301).all()
    assert {"COMPLETED", "DISCONTINUED"} == set(adsl["EOSSTT"])
    tte = tables["ADTTE"].set_index("USUBJID")
    assert (tte["AVAL"] <= tte.index.map(adsl["EOSDY"])).all()


def test_changes_from_baseline(tables):
    adqs = tables["ADQS"]
    base = adqs[adqs["AVISITN"] == 0].set_index(["USUBJID", "PARAMCD"])["AVAL"]
    keys = pandas.MultiIndex.from_frame(adqs[["USUBJID", "PARAMCD"]])
    assert adqs["BASE"].to_numpy() == pytest.approx(base.loc[keys].to_numpy())
    later = adqs["AVISITN"] > 0
    assert (adqs["AVAL"] - adqs["BASE"])[later].to_numpy() == pytest.approx(adqs["CHG"][later].to_numpy())
    assert adqs["CHG"][~later].isna().all()
    ratio = adqs["PARAMCD"].isin(["NFL", "SOD1"]) & later
    assert (adqs["AVAL"] / adqs["BASE"])[ratio].to_numpy() == pytest.approx(adqs["R2BASE"][ratio].to_numpy())
    assert adqs["R2BASE"][~ratio].isna().all()
    assert set(adqs["ABLFL"][~later]) == {"Y"}
    assert set(adqs["ABLFL"][later]) == {""}
    assert adqs["AVISIT"][adqs["AVISITN"] == 7].unique().tolist() == ["Week 28"]


def test_times_to_events(result, tables):
    tte = tables["ADTTE"]
    events = result.groups["events"]
    for row in tte.itertuples():
        i = int(row.USUBJID[-7:])
        arm = 1 + i % 3
        death, out = (events[key].values[arm, i] for key in ("death_time", "dropout_time"))
        first = events["event_free_time"].values[arm, i] if events["event"].values[arm, i] else np.nan
        event = {"DTHPAV": first, "DEATH": death, "DROPOUT": out}[row.PARAMCD]
        others = [728.0, death if row.PARAMCD == "DROPOUT" else out]
        end = np.nanmin([event, *others])
        assert int(end) + 1 == row.AVAL
        assert (row.CNSR == 0) == (event == end)
    assert set(tte["CNSR"]) == {0, 1, 2, 3}
    assert set(tte["EVNTDESC"]) == {"DEATH OR PAV", "DEATH", "DROPOUT", "END OF FOLLOW-UP"}


def test_names_and_labels(tables):
    assert set(tables) == {"ADSL", "ADQS", "ADTTE"} == set(COLUMNS) - {"ADAE"}
    for key, table in tables.items():
        assert list(table.columns) == [column.name for column in COLUMNS[key]]
        assert all(len(column) <= 8 for column in table.columns)
        assert all(0 < len(label) <= 40 for label in table.attrs["labels"].values())
        assert set(table.attrs["labels"]) == set(table.columns)
    codes = set(tables["ADQS"]["PARAMCD"]) | set(tables["ADTTE"]["PARAMCD"])
    assert {"DTHPAV", "DEATH", "ALSFRSR"} <= codes
    assert all(len(code) <= 8 for code in codes)


@given(st.floats(-1e4, 1e4))
def test_there_is_no_day_zero(day):
    found = int(study_day(day))
    assert found != 0
    assert found == (int(np.floor(day)) + 1 if day >= 0 else int(np.floor(day)))


def test_who_is_not_in_a_trial_is_refused():
    record = make_record(10)
    alone = name(record, lambda: make_provenance(record))
    with pytest.raises(NoTrialError, match="the scenario has none; add a block trial") as found:
        alone.to_adam()
    assert found.value.exit_code == 2
    short = make_record(10, full=False)
    with pytest.raises(NoTrialError, match="--output full"):
        name(short, lambda: make_provenance(short)).to_adam()


@pytest.mark.parametrize(
    ("kinds", "is_full", "has_trial", "refused"),
    [
        (["csv"], False, False, False),
        (["adam"], True, True, False),
        (["adam"], False, True, True),
        (["csv", "adam"], True, False, True),
    ],
)
def test_refused_before_the_run(kinds, is_full, has_trial, refused):
    if refused:
        with pytest.raises(NoTrialError):
            check(kinds, is_full, has_trial)
    else:
        check(kinds, is_full, has_trial)


ODD = (0.0, -0.0, np.inf, -np.inf, 1234567.5, 9999999.4, 9999999.5, 9.9999999e-5, 1e-4, 999999.95, 0.00012345675, 1e22)


@given(st.lists(st.one_of(st.floats(), st.floats(width=32), st.integers(-(10**9), 10**9).map(lambda k: k / 1024))))
@example(list(ODD))
def test_numbers_are_written_as_python_writes_them(values):
    found = cells.numbers(np.array(values))
    assert [row[row != 0].tobytes().decode() for row in found] == ["" if np.isnan(x) else f"{x:.7g}" for x in values]


@given(st.lists(st.text(max_size=5), min_size=1, max_size=5))
def test_labels_are_read_back(names):
    found = cells.texts(names)
    text = b"".join(row[row != 0].tobytes() + b",\n" for row in found).decode()
    assert [row[0] for row in csv.reader(io.StringIO(text))] == [safe_cell(one) for one in names]


@pytest.mark.slow
def test_csv_is_what_pandas_writes(result, tmp_path):
    export(result, "csv", tmp_path)
    for key, group in result.groups.items():
        if key == "summary":
            continue
        table = long(group)
        columns = {
            name: column.part(0, table.rows)
            if column.labels is None
            else np.array([safe_cell(str(x)) if isinstance(x, str) else x for x in column.labels])[
                column.part(0, table.rows)
            ]
            for name, column in table.columns.items()
        }
        text = pandas.DataFrame(columns).to_csv(index=False, float_format="%.7g", lineterminator="\n")
        assert (tmp_path / f"{key}.csv").read_text() == text


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_is_exported_group_by_group(kind, result, tmp_path):
    """Each is read when it is written, and let go; what is written is told."""
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    write_folder(result, tmp_path / "run")
    told = []
    stored = open_run(tmp_path / "run", lazily=True)
    export(stored, kind, tmp_path / "tables", progress=lambda done, total: told.append((done, total)))
    assert not {"truth", "observed"} & set(stored.groups._made)
    assert told == sorted(told)
    assert {total for _, total in told} == {told[-1][0]}
    export(result, kind, tmp_path / "again")
    for place in (tmp_path / "tables").iterdir():
        assert place.read_bytes() == (tmp_path / "again" / place.name).read_bytes()


def test_a_damaged_file_is_refused_before_anything_is_written(result, tmp_path):
    write_folder(result, tmp_path / "run")
    place = tmp_path / "run" / "result.nc"
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(content)
    for there in (tmp_path / "run", place):
        with pytest.raises(ResultError, match="damaged"):
            open_run(there, lazily=True)


@pytest.mark.slow
def test_files(result, tables, tmp_path):
    places = {place.name for place in export(make_trial(), "adam", tmp_path / "adam")}
    names = {"adsl", "adqs", "adtte"}
    assert places == {f"{one}.{kind}" for one in names for kind in ("csv", "parquet")} | {"variables.csv", "README.txt"}
    assert "not submission-ready" in (tmp_path / "adam" / "README.txt").read_text()
    read = pandas.read_csv(tmp_path / "adam" / "adtte.csv")
    assert read["AVAL"].tolist() == tables["ADTTE"]["AVAL"].tolist()
    variables = pandas.read_csv(tmp_path / "adam" / "variables.csv")
    assert len(variables) == sum(map(len, COLUMNS.values()))
    with pytest.raises(FolderError, match="is there already"):
        export(result, "adam", tmp_path / "adam")
    before = {place.name: place.read_bytes() for place in (tmp_path / "adam").iterdir()}
    export(make_trial(), "adam", tmp_path / "adam", force=True)
    assert {place.name: place.read_bytes() for place in (tmp_path / "adam").iterdir()} == before


@pytest.mark.slow
def test_parquet_carries_labels_and_units(result, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    export(result, "parquet", tmp_path)
    names = {f"{one}.parquet" for one in (*result.groups, "occupancy")}
    assert {place.name for place in tmp_path.iterdir()} == {*names, SUMS}
    schema = parquet.read_schema(tmp_path / "observed.parquet")
    assert schema.field("nfl_plasma").metadata[b"units"] == b"pg/mL"
    assert b"as measured" in schema.field("nfl_plasma").metadata[b"label"]
    observed = pandas.read_parquet(tmp_path / "observed.parquet")
    assert observed["nfl_plasma"].to_numpy() == pytest.approx(
        result.groups["observed"]["nfl_plasma"].values.ravel(), nan_ok=True
    )
    export(result, "adam", tmp_path / "adam")
    assert parquet.read_schema(tmp_path / "adam" / "adtte.parquet").field("CNSR").metadata[b"label"] == b"Censor"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "adam"])
def test_no_cell_is_a_formula(kind, tmp_path):
    odd = make_trial(arms=("=1+1", "@SUM(A1)", "-x"), variants=("+a", "other"), strata=("=cmd", "-slow"))
    texts = [place.read_text() for place in export(odd, kind, tmp_path) if place.suffix == ".csv"]
    assert "'=cmd" in "".join(texts)
    cells = [cell.strip('"') for text in texts for line in text.splitlines() for cell in line.split(",")]
    assert not [cell for cell in cells if re.match(r"[=+@]|-(?!\d|\.\d)", cell)]


@pytest.mark.slow
def test_commands(tmp_path):
    write_folder(make_trial(), tmp_path / "run")
    done = CliRunner().invoke(app, ["export", str(tmp_path / "run"), "--to", "adam"])
    assert done.exit_code == 0, done.output
    assert str(tmp_path / "run" / "adam" / "adsl.csv") in done.stdout
    record = make_record(10)
    write_folder(name(record, lambda: make_provenance(record)), tmp_path / "other")
    done = CliRunner().invoke(app, ["export", str(tmp_path / "other"), "--to", "adam"])
    assert done.exit_code == 2
    assert "the scenario has none" in done.stderr
    assert not (tmp_path / "other" / "adam").exists()


@pytest.mark.slow
def test_without_pyarrow_parquet_is_an_optional_part(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    write_folder(make_trial(9), tmp_path / "run")
    done = CliRunner().invoke(app, ["export", str(tmp_path / "run"), "--to", "parquet"])
    assert done.exit_code == 3
    assert "pyarrow" in done.stderr


@pytest.mark.slow
def test_what_the_page_on_tables_says_works(root, tmp_path, monkeypatch):
    page = (root / "docs" / "report.md").read_text()
    (lines,), (code,) = (re.findall(rf"^```{kind}\n(.*?)^```$", page, re.M | re.S) for kind in ("sh", "python"))
    monkeypatch.chdir(tmp_path)
    write_folder(make_trial(), tmp_path / "results" / "valor")
    commands = [shlex.split(line, comments=True) for line in lines.splitlines()]
    assert len(commands) > 5
    assert {command[0] for command in commands} == {"als-sim"}
    for command in commands:
        if command[1] != "run":
            assert CliRunner().invoke(app, command[1:]).exit_code == 0, command
    exec(code, {})
    assert {"survival.png", "phone.svg", "svc.svg", "survivors.svg", "variants.svg", "results"} == {
        place.name for place in tmp_path.iterdir()
    }


R_SCRIPT = """
library(survival)
adtte <- read.csv(commandArgs(TRUE)[1])
adtte <- adtte[adtte$PARAMCD == "DTHPAV", ]
found <- survfit(Surv(AVAL, CNSR == 0) ~ TRTP, data = adtte)
print(format(summary(found, times = c(200, 400, 600))$surv, digits = 10), quote = FALSE)
"""


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
@pytest.mark.slow
def test_surv_of_r_takes_the_table_as_it_is(tables, result, tmp_path):
    export(result, "adam", tmp_path)
    command = ["Rscript", "-e", R_SCRIPT, str(tmp_path / "adtte.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "there is no package called" in done.stderr:
        pytest.skip("R has no package survival")
    assert done.returncode == 0, done.stderr
    printed = [float(x) for x in re.findall(r"(?<![\[\d])[01]\.\d+", done.stdout)]
    tte = tables["ADTTE"][tables["ADTTE"]["PARAMCD"] == "DTHPAV"]
    mine = []
    for arm in sorted(set(tte["TRTP"])):
        one = tte[tte["TRTP"] == arm]
        curve = kaplan_meier(one["AVAL"], one["CNSR"] == 0)
        mine += [survival_at(curve, day).value for day in (200, 400, 600)]
    assert printed == pytest.approx(mine, rel=1e-8)


def test_every_patient_is_in_one_state_all_the_time(result):
    cells = pandas.DataFrame(occupancy(result))
    assert set(cells["system"]) == {"event", "kings", "mitos", "ft9"}
    sums = cells.groupby(["arm", "system", "cycle"])[["share_at_start", "share_at_end", "years"]].sum()
    assert sums[["share_at_start", "share_at_end"]].to_numpy() == pytest.approx(1)
    lengths = cells.groupby(["arm", "system", "cycle"])["to_day"].max() - sums.index.get_level_values("cycle") * 28
    assert sums["years"].to_numpy() == pytest.approx(lengths.to_numpy() / 365.25)


def test_time_in_a_state_is_the_area_under_its_curve(result):
    cells = pandas.DataFrame(occupancy(result)).query("arm == 'untreated' and state == 'event_free'")
    free = result.groups["summary"]["at_risk"].values[0] / N
    assert cells["years"].sum() == pytest.approx(np.trapezoid(free, result.time) / 365.25)
    assert (cells["share_at_start"].to_numpy()[1:] == cells["share_at_end"].to_numpy()[:-1]).all()
