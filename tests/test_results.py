"""Results: the tree as the interface says, the summary against numpy, files that survive."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray

from simulator.results import files, folder, name, netcdf, open_result, tidy
from simulator.results.arrays import QUANTILES
from simulator.results.errors import FolderError, ResultError
from simulator.results.variables import OBSERVED, SUMMARISED, TRUTH, VARIABLES
from tests.synthetic import ARMS, make_provenance, make_record, summarised

DOMAINS = {f"alsfrs_r_{domain}" for domain in ("bulbar", "fine_motor", "gross_motor", "respiratory")}
TREE = {
    "patients": {
        *("variant", "fast_variant", "sex", "age_at_onset", "age", "time_since_onset", "stratum", "candidates"),
        *("d50", "tau_svc", "onset_site"),
    },
    "truth": {"alsfrs_r", *DOMAINS, "svc", "hhd", "nfl_plasma", "sod1_csf", "rate", "disease_time"},
    "observed": {"alsfrs_r", "svc", "hhd", "nfl_plasma", "sod1_csf", "day"},
    "events": {"event_free_time", "event", "death_time", "dropout_time", "followup_time"},
    "doses": {"arm", "patient", "day", "dose_mg"},
}
DIMS = {
    "patients": ("patient",),
    "truth": ("arm", "patient", "time"),
    "observed": ("arm", "patient", "visit"),
    "events": ("arm", "patient"),
    "doses": ("record",),
}
ROOT_ATTRIBUTES = {"title", "seed", "scenario_sha256", "engine_version", "versions", "citations", "warnings"}


@pytest.fixture(scope="module")
def record():
    return make_record()


@pytest.fixture(scope="module")
def result(record):
    return name(record, make_provenance(record))


@pytest.fixture(scope="module")
def summary_result(record):
    short = make_record(full=False)
    return name(short, make_provenance(short))


def same(a, b) -> bool:
    """Every number, label and attribute is the same."""
    xarray.testing.assert_identical(a.data, b.data)
    return True


# ---- the tree ----


def test_groups_variables_and_dimensions(result):
    tree = result.data
    assert set(tree.children) == {*TREE, "summary"}
    assert set(tree.attrs) >= ROOT_ATTRIBUTES
    for group, names in TREE.items():
        assert set(tree[group].data_vars) == names
        assert {tree[group][one].dims for one in names} == {DIMS[group]}


def test_every_variable_has_unit_and_long_name(result):
    seen = [variable for group in result.data.children.values() for variable in group.ds.variables.values()]
    assert len(seen) > 100
    assert all(variable.attrs["units"] and variable.attrs["long_name"] for variable in seen)


def test_units_of_the_table():
    unit = {key: row.unit for key, row in VARIABLES.items()}
    assert {unit["truth", one] for one in ("alsfrs_r", *DOMAINS)} == {"points"}
    assert unit["truth", "svc"] == unit["observed", "svc"] == "percent"
    assert unit["truth", "nfl_plasma"] == "pg/mL"
    assert unit["patients", "time_since_onset"] == "months"
    assert {unit["events", one] for one in ("event_free_time", "death_time", "niv_time")} == {"d"}


def test_time_is_days_and_never_a_timedelta(result, tmp_path):
    result.save(tmp_path / "a.nc")
    for tree in (result.data, xarray.open_datatree(tmp_path / "a.nc", engine="h5netcdf")):
        time = tree["truth"]["time"]
        assert time.dtype == np.float64
        assert time.attrs["units"] == "d"
        np.testing.assert_allclose(tree["truth"]["week"], time.values / 7)
        np.testing.assert_allclose(tree["truth"]["month"], time.values / 30.4375)
        assert set(tree["truth"].coords) == {"arm", "patient", "time", "week", "month"}
        assert set(tree["observed"].coords) == {"arm", "patient", "visit", "nominal_day", "week", "month"}
        assert tree["events"]["death_time"].dtype == np.float64


def test_labels_are_names(result, record):
    patients = result.data["patients"]
    assert list(patients["variant"].values[:3]) == ["p.Ala5Val", "other", "p.Ala5Val"]
    assert list(patients["stratum"].values[:2]) == ["faster", "slower"]
    assert tuple(result.data["truth"]["arm"].values) == ARMS
    assert patients["sex"].attrs["flag_meanings"] == "man woman"
    assert result.data["events"]["event"].attrs["flag_meanings"] == "none death pav"
    assert result.data["doses"]["arm"].attrs["flag_meanings"] == " ".join(ARMS)
    unstratified = replace(record, strata=(), patients={k: v for k, v in record.patients.items() if k != "stratum"})
    assert set(name(unstratified, make_provenance(record)).groups["patients"]["stratum"].values) == {"all"}


def test_what_is_missing_is_nan_and_never_0(result, record, tmp_path):
    result.save(tmp_path / "a.nc")
    for one in (result, open_result(tmp_path / "a.nc")):
        observed = one.groups["observed"]
        gone = one.groups["events"]["death_time"].values[..., None] <= observed["nominal_day"].values
        assert gone.any()
        for key in TREE["observed"]:
            assert np.isnan(observed[key].values[gone]).all()
            np.testing.assert_array_equal(observed[key].values, record.observed[key])
        assert not any(
            np.isnan(array.values).any() for key, array in one.groups["truth"].items() if key in TREE["truth"]
        )


def test_scores_are_small_integers_on_disk_unless_they_are_not_whole(record, tmp_path):
    import h5py

    for shift, kind in ((0, np.int8), (0.5, np.float32)):
        changed = replace(
            record, observed=record.observed | {"alsfrs_r": record.observed["alsfrs_r"] + np.float32(shift)}
        )
        place = tmp_path / f"{kind.__name__}.nc"
        name(changed, make_provenance(record)).save(place)
        with h5py.File(place) as file:
            assert file["observed/alsfrs_r"].dtype == kind
        np.testing.assert_array_equal(
            open_result(place).groups["observed"]["alsfrs_r"].values, changed.observed["alsfrs_r"]
        )


def test_the_table_has_each_output_once():
    assert len(VARIABLES) > 35
    assert {row.dims for row in VARIABLES.values() if row.group == "truth"} == {TRUTH}
    assert {row.dims for row in VARIABLES.values() if row.group == "observed"} == {OBSERVED}
    assert all(row.of in TREE["truth"] for row in SUMMARISED)
    assert len({row.name for row in SUMMARISED}) == len(SUMMARISED)


# ---- the summary ----


def test_summary_mode_has_the_same_summary_and_nothing_else(result, summary_result):
    assert set(summary_result.groups) == {"summary"}
    xarray.testing.assert_identical(result.data["summary"].to_dataset(), summary_result.data["summary"].to_dataset())


@pytest.mark.parametrize("index", range(len(SUMMARISED)), ids=[row.name for row in SUMMARISED])
def test_summary_against_numpy(record, result, index):
    row, group = SUMMARISED[index], result.groups["summary"]
    x = summarised(record.truth, row)
    alive = ~(record.events["death_time"][..., None] <= record.time)
    back = np.exp if row.transform == "log" else np.array
    width = record.sums.width[index]
    for a in range(len(ARMS)):
        for t in (0, 10, 26):
            kept = x[a, alive[a, :, t], t]
            mean, sd = group[f"{row.name}_mean"].values[a, t], group[f"{row.name}_sd"].values[a, t]
            assert mean == pytest.approx(back(kept.mean()), rel=1e-5, abs=1e-5)
            assert sd == pytest.approx(back(kept.std(ddof=1)), rel=1e-3, abs=2e-3)
            mcse = kept.std(ddof=1) / np.sqrt(len(kept)) * (mean if row.transform == "log" else 1)
            assert group[f"{row.name}_mean_mcse"].values[a, t] == pytest.approx(mcse, rel=1e-3, abs=1e-3)
            below = np.quantile(kept, QUANTILES, method="inverted_cdf")
            above = np.quantile(kept, np.array(QUANTILES) + 1e-9, method="inverted_cdf")  # another, where p n is whole
            found = group[f"{row.name}_quantile"].values[a, t]
            found = np.log(found) if row.transform == "log" else found
            assert np.all((found >= below - width - 1e-6) & (found <= above + width + 1e-6))
    assert group[f"{row.name}_quantile"].attrs["bin_width"] == width


def test_counts_and_probabilities(record, result):
    group = result.groups["summary"]
    alive = ~(record.events["death_time"][..., None] <= record.time)
    np.testing.assert_array_equal(group["alive"].values, alive.sum(1))
    np.testing.assert_allclose(group["survival"].values, alive.mean(1))
    p = group["event_free"].values
    np.testing.assert_allclose(group["event_free_mcse"].values, np.sqrt(p * (1 - p) / record.n_patients))
    zero = np.where(alive, record.truth["alsfrs_r"], 0)
    np.testing.assert_allclose(group["alsfrs_r_death0_mean"].values, zero.mean(1), rtol=1e-5)
    np.testing.assert_allclose(
        group["alsfrs_r_death0_mean_mcse"].values, zero.std(1, ddof=1) / np.sqrt(record.n_patients), rtol=1e-4
    )
    np.testing.assert_allclose(
        group["event_free_time_mean"].values, record.events["event_free_time"].mean(1), rtol=1e-5
    )
    assert group["ended"].values.sum() == record.n_patients * len(ARMS)


def test_errors_of_sd_and_quantiles_are_the_spread_over_runs():
    runs = [make_record(n=150, seed=seed, step=728.0) for seed in range(60)]
    groups = [name(run, make_provenance(run)).groups["summary"] for run in runs]
    for key in ("alsfrs_r_sd", "nfl_plasma_sd", "alsfrs_r_quantile", "nfl_plasma_quantile"):
        values = np.array([group[key].values[1, 0 if "nfl" in key else 1] for group in groups])
        errors = np.array([group[f"{key}_mcse"].values[1, 0 if "nfl" in key else 1] for group in groups])
        np.testing.assert_allclose(errors.mean(0), values.std(0), rtol=0.4)


def test_nobody_alive_gives_nan():
    record = make_record(n=4)
    nobody = replace(record, sums=record.sums._replace(**{k: getattr(record.sums, k) * 0 for k in ("alive", "counts")}))
    group = name(nobody, make_provenance(record)).groups["summary"]
    for key in ("alsfrs_r_mean", "alsfrs_r_sd", "alsfrs_r_sd_mcse", "alsfrs_r_quantile", "nfl_plasma_mean_mcse"):
        assert np.isnan(group[key].values).all()


def test_tidy_rows(result):
    rows = result.summary_rows()
    assert rows[0]._fields == ("scenario", "arm", "metric", "time", "estimate", "lower", "upper", "mcse", "n")
    assert len(rows) == len({(row.arm, row.metric, row.time) for row in rows})
    assert {row.arm for row in rows} == set(ARMS)
    assert all(row.lower <= row.estimate <= row.upper for row in rows if row.estimate == row.estimate)
    ratios = [row for row in rows if row.metric == "nfl_plasma_mean"]
    assert ratios
    assert all(row.estimate / row.lower == pytest.approx(row.upper / row.estimate) for row in ratios)
    shares = [row for row in rows if row.metric == "event_free"]
    assert min(row.lower for row in shares) >= 0
    assert max(row.upper for row in shares) == 1
    assert len(result.summary()) == len(rows)


# ---- what a person sees ----


def test_html_is_escaped(result, summary_result):
    for one in (result, summary_result):
        html = one._repr_html_()
        assert "A synthetic &lt;run&gt; &amp; more" in html
        assert "An &lt;odd&gt; value" in html
        assert "<run>" not in html
        assert "<odd>" not in html
        assert "±" in html
        assert "not a proven one" in html


def test_properties(result, summary_result):
    assert (result.seed, result.n_patients, result.arms, result.is_full) == (7, 60, ARMS, True)
    assert not summary_result.is_full
    assert result.analysis_days == (196.0, 364.0)
    assert result.screening["candidates"] == 180
    assert "60 patients" in repr(result)
    with pytest.raises(KeyError, match="no arm 'none'; there are untreated"):
        result.survival("none")


def test_survival_in_both_modes(result, summary_result):
    exact, rough = result.survival("untreated"), summary_result.survival("untreated")
    mean = result.groups["summary"]["event_free_time_mean"].values[0] / 30.4375
    assert exact.rmst().value == pytest.approx(mean, rel=1e-5)
    assert rough.rmst().value == pytest.approx(mean, rel=0.01)
    assert exact.rmst(months=12).mcse > 0


# ---- files ----


@pytest.mark.parametrize("n", [60, 1500])
def test_round_trip(n, tmp_path):
    record = make_record(n)
    made = name(record, make_provenance(record))
    made.save(tmp_path / "a.nc")
    found = open_result(tmp_path / "a.nc")
    assert same(found, made)
    for group in made.groups:
        for key, array in made.groups[group].items():
            assert found.groups[group][key].values.dtype == array.values.dtype
    with xarray.open_datatree(tmp_path / "a.nc", engine="h5netcdf") as tree:
        xarray.testing.assert_identical(tree.load(), made.data)


def test_big_seeds_and_odd_text_survive(record, tmp_path):
    odd = replace(record, title="Å “quoted” \N{SNOWMAN}", seed=2**64 - 1, variants=("p.Ala5Val", "änderung"))
    name(odd, make_provenance(odd)).save(tmp_path / "a.nc")
    found = open_result(tmp_path / "a.nc")
    assert (found.title, found.seed) == (odd.title, odd.seed)
    assert found.groups["patients"]["variant"].values[1] == "änderung"


@pytest.mark.parametrize("shape", [(3, 2000, 75), (1, 7), (5_000_000,), (2, 300_000, 75), (1, 1, 9_000_000)])
def test_chunks_are_neither_big_nor_outside(shape):
    chunk = netcdf.chunk_shape(shape, 4)
    assert all(1 <= part <= whole for part, whole in zip(chunk, shape, strict=True))
    assert 4 * np.prod(chunk) <= netcdf.CHUNK_BYTES


def test_partial_chunks(result, tmp_path, monkeypatch):
    monkeypatch.setattr(netcdf, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(netcdf, "SMALL_BYTES", 100)
    result.save(tmp_path / "a.nc")
    assert same(open_result(tmp_path / "a.nc"), result)


def test_errors_of_opening(result, tmp_path):
    with pytest.raises(ResultError, match="no such file"):
        open_result(tmp_path / "missing.nc")
    with pytest.raises(ResultError, match="no such file"):
        open_result(tmp_path)
    (tmp_path / "text.nc").write_text("hello")
    with pytest.raises(ResultError, match="not a netCDF-4 file"):
        open_result(tmp_path / "text.nc")
    xarray.Dataset({"x": 1}).to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(ResultError, match="not a result of this program"):
        open_result(tmp_path / "foreign.nc")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_file_cut_short(result, tmp_path, share):
    result.save(tmp_path / "a.nc")
    content = (tmp_path / "a.nc").read_bytes()
    (tmp_path / "a.nc").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ResultError, match="cut short or damaged"):
        open_result(tmp_path / "a.nc")


def contents(place):
    return {path.name: path.read_bytes() for path in place.iterdir()}


def test_the_folder_of_a_run(result, tmp_path):
    folder.write_folder(result, tmp_path / "run")
    assert set(contents(tmp_path / "run")) == set(folder.FILES)
    manifest = folder.read_manifest(tmp_path / "run")
    assert manifest["seed"] == 7
    assert manifest["arguments"] == {"output": "full", "patients": 60, "seed": 7}
    for file, entry in manifest["files"].items():
        assert entry["sha256"] == hashlib.sha256((tmp_path / "run" / file).read_bytes()).hexdigest()
    assert set(manifest["files"]) == set(folder.FILES) - {"manifest.json"}
    assert same(open_result(tmp_path / "run"), result)
    assert (tmp_path / "run" / "scenario.resolved.yaml").read_text() == result.attrs["scenario"]


def test_equal_runs_give_equal_bytes(tmp_path):
    for place in ("a", "b"):
        record = make_record(1200)
        folder.write_folder(name(record, make_provenance(record)), tmp_path / place)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_the_manifest_names_no_one(result, tmp_path):
    folder.write_folder(result, tmp_path / "run")
    text = (tmp_path / "run" / "manifest.json").read_text()
    secrets = [os.uname().nodename, str(Path.home()), str(tmp_path)]
    assert not [one for one in secrets if one and one in text]
    assert set(json.loads(text)) == {
        *("format", "title", "scenario_name", "scenario_sha256", "seed", "arguments"),
        *("engine_version", "versions", "files"),
    }


@pytest.mark.parametrize("broken", ["netcdf", "csv", "manifest", "disk"])
def test_a_failure_leaves_the_old_files_whole(result, tmp_path, monkeypatch, broken):
    folder.write_folder(result, tmp_path / "run")
    before = contents(tmp_path / "run")
    other = name(make_record(30), make_provenance(make_record(30)))

    def fail(*_):
        raise OSError(28, "No space left on device")

    targets = {"netcdf": (netcdf, "_corners"), "csv": (folder, "csv_text"), "manifest": (folder, "manifest_text")}
    module, attribute = targets.get(broken, (os, "fsync"))
    if broken == "netcdf":
        other = name(make_record(1200), make_provenance(make_record(1200)))
    monkeypatch.setattr(module, attribute, fail)
    with pytest.raises((OSError, ResultError), match="No space left"):
        folder.write_folder(other, tmp_path / "run")
    assert contents(tmp_path / "run") == before


def test_interrupted_writing_leaves_nothing(result, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "manifest_text", interrupt)
    with pytest.raises(KeyboardInterrupt):
        folder.write_folder(result, tmp_path / "run")
    assert contents(tmp_path / "run") == {}


def test_stale_temporaries_go_and_fresh_ones_stay(result, tmp_path):
    old, new = tmp_path / ".result.nc.0000.part", tmp_path / ".result.nc.1111.part"
    for path in (old, new):
        path.write_text("")
    os.utime(old, (1, 1))
    result.save(tmp_path / "a.nc")
    assert not old.exists()
    assert new.exists()


def test_a_foreign_folder_is_refused(result, tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(FolderError, match="not empty and not a run"):
        folder.write_folder(result, tmp_path)
    assert set(contents(tmp_path)) == {"precious.txt"}
    (tmp_path / "manifest.json").write_text('["not", "ours"]')
    with pytest.raises(FolderError, match="use --force"):
        folder.check_folder(tmp_path)
    folder.write_folder(result, tmp_path, force=True)
    assert (tmp_path / "precious.txt").read_text() == "mine"
    folder.check_folder(tmp_path)
    with pytest.raises(FolderError, match="is a file"):
        folder.check_folder(tmp_path / "precious.txt")
    (tmp_path / "empty").mkdir()
    folder.check_folder(tmp_path / "empty")


def test_our_own_folder_is_replaced(result, tmp_path):
    folder.write_folder(name(make_record(30), make_provenance(make_record(30))), tmp_path / "run")
    folder.write_folder(result, tmp_path / "run")
    assert open_result(tmp_path / "run").n_patients == 60


@pytest.mark.parametrize("file", ["result.nc", "summary.csv", "scenario.resolved.yaml"])
def test_tampering_is_found(result, tmp_path, file):
    folder.write_folder(result, tmp_path / "run")
    with (tmp_path / "run" / file).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(ResultError, match=f"{file}: changed since the run"):
        folder.read_manifest(tmp_path / "run")
    (tmp_path / "run" / file).unlink()
    with pytest.raises(ResultError, match=f"{file}: missing"):
        folder.read_manifest(tmp_path / "run")


def test_default_folder():
    key = {"scenario_sha256": "ab", "seed": 1}
    place = folder.default_folder("valor", key)
    assert place == folder.default_folder("valor", dict(reversed(key.items())))
    assert place.parent.name == "results"
    assert len(place.name) == len("valor-") + 8
    assert place != folder.default_folder("valor", {**key, "seed": 2})
    assert folder.default_folder("../../etc/x y", key).parent.name == "results"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_spreadsheets_see_no_formula(text):
    assert tidy.safe_cell(text) == f"'{text}"
    assert tidy.csv_text(["a"], [[text]]).splitlines()[1].lstrip('"').startswith("'")


def test_csv_cells():
    assert tidy.csv_text(["a", "b"], [[float("nan"), "x\ny\x07"]]) == "a,b\n,x y \n"
    assert tidy.csv_text(["a"], [[-1.5]]) == "a\n-1.5\n"


def test_writing_a_result_imports_neither_xarray_nor_pandas(root, tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.synthetic import make_provenance, make_record\n"
        "from simulator.results import name\nfrom simulator.results.folder import write_folder\n"
        "record = make_record(40)\nresult = name(record, make_provenance(record))\n"
        "write_folder(result, Path(sys.argv[1])); result.survival('untreated').rmst(); result._repr_html_()\n"
        "heavy = {'xarray', 'pandas', 'scipy', 'numba', 'h5netcdf', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr


def test_files_are_flushed_before_they_are_moved(result, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append("fsync"))
    move = Path.replace
    monkeypatch.setattr(Path, "replace", lambda a, b: (calls.append("replace"), move(a, b)))
    files.save(result, tmp_path / "a.nc")
    assert calls == ["fsync", "replace", "fsync"]
