"""Files of results: what is written is read again, whole or not at all, and nothing foreign is touched."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from simulator.errors import ResourceError
from simulator.results import folder, name, netcdf, open_study, study
from simulator.results.arrays import Named
from simulator.results.errors import FolderError, ResultError
from simulator.results.kinds import RUN
from simulator.tables.files import csv_text, safe_cell
from tests.support.synthetic import make_provenance, make_record

FILES = {"result.nc", "summary.csv", "scenario.resolved.yaml", "manifest.json"}


@pytest.fixture(scope="module")
def record():
    return make_record()


@pytest.fixture(scope="module")
def result(record):
    return name(record, lambda: make_provenance(record))


def same(a, b) -> bool:
    """Every number, label and attribute is the same."""
    xarray.testing.assert_identical(a.data, b.data)
    return True


@pytest.mark.parametrize("n", [60, 1500])
@pytest.mark.slow
def test_round_trip(n, tmp_path):
    record = make_record(n)
    made = name(record, lambda: make_provenance(record))
    made.save(tmp_path / "a.nc")
    found = open_study(tmp_path / "a.nc")
    assert same(found, made)
    for group in made.groups:
        for key, array in made.groups[group].items():
            assert found.groups[group][key].values.dtype == array.values.dtype
    with xarray.open_datatree(tmp_path / "a.nc", engine="h5netcdf") as tree:
        xarray.testing.assert_identical(tree.load(), made.data)


def test_big_seeds_and_odd_text_survive(record, tmp_path):
    odd = replace(record, title="Å “quoted” \N{SNOWMAN}", seed=2**64 - 1, variants=("p.Ala5Val", "änderung"))
    name(odd, lambda: make_provenance(odd)).save(tmp_path / "a.nc")
    found = open_study(tmp_path / "a.nc")
    assert (found.title, found.seed) == (odd.title, odd.seed)
    assert found.groups["patients"]["variant"].values[1] == "änderung"


@pytest.mark.parametrize("shape", [(3, 2000, 75), (1, 7), (5_000_000,), (2, 300_000, 75), (1, 1, 9_000_000)])
def test_chunks_are_neither_big_nor_outside(shape):
    chunk = netcdf.chunk_shape(shape, 4)
    assert all(1 <= part <= whole for part, whole in zip(chunk, shape, strict=True))
    assert 4 * np.prod(chunk) <= netcdf.CHUNK_BYTES


@pytest.mark.slow
def test_partial_chunks(result, tmp_path, monkeypatch):
    monkeypatch.setattr(netcdf, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(netcdf, "SMALL_BYTES", 100)
    result.save(tmp_path / "a.nc")
    assert same(open_study(tmp_path / "a.nc"), result)


def test_a_fast_file_deflates_what_gains_and_leaves_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(netcdf, "CHUNK_BYTES", 1 << 16)
    noise = np.random.default_rng(1).normal(size=30_001)
    group = {"noise": Named(("n",), noise, {}), "steps": Named(("n",), np.floor(noise), {})}
    netcdf.write(tmp_path / "a.nc", {}, {netcdf.ROOT: group}, fast=True)
    _, found = netcdf.read(tmp_path / "a.nc")
    with xarray.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as data:
        for name_, array in group.items():
            assert np.array_equal(found[netcdf.ROOT][name_].values, array.values)
            assert np.array_equal(data[name_].values, array.values)
    with h5py.File(tmp_path / "a.nc") as file:
        chunks = {name_: [file[name_].id.get_chunk_info(k) for k in range(4)] for name_ in group}
    assert [one.filter_mask for one in chunks["noise"]] == [netcdf.NO_FILTER] * 4
    assert [one.filter_mask for one in chunks["steps"]] == [netcdf.ALL_FILTERS] * 4
    assert sum(one.size for one in chunks["steps"]) < 30_001


def test_errors_of_opening(result, tmp_path):
    with pytest.raises(ResultError, match="no such file"):
        open_study(tmp_path / "missing.nc")
    with pytest.raises(ResultError, match="no such file"):
        open_study(tmp_path)
    (tmp_path / "text.nc").write_text("hello")
    with pytest.raises(ResultError, match="not a netCDF-4 file"):
        open_study(tmp_path / "text.nc")
    xarray.Dataset({"x": 1}).to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(ResultError, match="not a run or a trial or a sweep"):
        open_study(tmp_path / "foreign.nc")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_file_cut_short(result, tmp_path, share):
    result.save(tmp_path / "a.nc")
    content = (tmp_path / "a.nc").read_bytes()
    (tmp_path / "a.nc").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ResultError, match="cut short or damaged"):
        open_study(tmp_path / "a.nc")


def contents(place):
    return {path.name: path.read_bytes() for path in place.iterdir()}


def test_the_folder_of_a_run(result, tmp_path):
    folder.write_folder(result, tmp_path / "run")
    assert set(contents(tmp_path / "run")) == FILES
    _, manifest = folder.read_manifest(tmp_path / "run")
    assert manifest["seed"] == 7
    assert manifest["arguments"] == {"output": "full", "patients": 60, "seed": 7}
    for file, entry in manifest["files"].items():
        assert entry["sha256"] == hashlib.sha256((tmp_path / "run" / file).read_bytes()).hexdigest()
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    assert same(open_study(tmp_path / "run"), result)
    assert (tmp_path / "run" / "scenario.resolved.yaml").read_text() == result.attrs["scenario"]


@pytest.mark.slow
def test_equal_runs_give_equal_bytes(tmp_path):
    for place in ("a", "b"):
        record = make_record(1200)
        folder.write_folder(name(record, lambda record=record: make_provenance(record)), tmp_path / place)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_the_manifest_names_no_one(result, tmp_path):
    folder.write_folder(result, tmp_path / "run")
    text = (tmp_path / "run" / "manifest.json").read_text()
    secrets = [os.uname().nodename, str(Path.home()), str(tmp_path)]
    assert not [one for one in secrets if one and one in text]
    assert set(json.loads(text)) == {
        *("format", "title", "scenario_name", "scenario_sha256", "seed", "arguments"),
        *("engine_version", "versions", "files", "sha256"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["netcdf", "csv", "manifest", "disk"])
def test_a_failure_leaves_the_old_files_whole(result, tmp_path, monkeypatch, broken):
    folder.write_folder(result, tmp_path / "run")
    before = contents(tmp_path / "run")
    other = name(make_record(30), lambda: make_provenance(make_record(30)))

    def fail(*_):
        raise OSError(28, "No space left on device")

    targets = {"netcdf": (netcdf, "_corners"), "csv": (study, "csv_text"), "manifest": (folder, "manifest_text")}
    module, attribute = targets.get(broken, (os, "fsync"))
    if broken == "netcdf":
        other = name(make_record(1200), lambda: make_provenance(make_record(1200)))
    monkeypatch.setattr(module, attribute, fail)
    with pytest.raises((OSError, ResourceError), match="No space left"):
        folder.write_folder(other, tmp_path / "run")
    assert contents(tmp_path / "run") == before


def test_interrupted_writing_leaves_nothing(result, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "manifest_text", interrupt)
    with pytest.raises(KeyboardInterrupt):
        folder.write_folder(result, tmp_path / "run")
    assert not (tmp_path / "run").exists()


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
    with pytest.raises(FolderError, match=r"precious\.txt does not belong to a run of this program"):
        folder.write_folder(result, tmp_path)
    assert set(contents(tmp_path)) == {"precious.txt"}
    (tmp_path / "manifest.json").write_text('["not", "ours"]')
    with pytest.raises(FolderError, match="use --force"):
        folder.check_folder(tmp_path, RUN)
    folder.write_folder(result, tmp_path, force=True)
    assert (tmp_path / "precious.txt").read_text() == "mine"
    with pytest.raises(FolderError, match=r"precious\.txt does not belong to the study in it"):
        folder.check_folder(tmp_path, RUN)
    with pytest.raises(FolderError, match="is a file"):
        folder.check_folder(tmp_path / "precious.txt", RUN)
    (tmp_path / "empty").mkdir()
    folder.check_folder(tmp_path / "empty", RUN)


@pytest.mark.slow
def test_our_own_folder_is_replaced(result, tmp_path):
    folder.write_folder(name(make_record(30), lambda: make_provenance(make_record(30))), tmp_path / "run")
    folder.write_folder(result, tmp_path / "run")
    assert open_study(tmp_path / "run").n_patients == 60


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
    assert safe_cell(text) == f"'{text}"
    assert csv_text(["a"], [[text]]).splitlines()[1].lstrip('"').startswith("'")


def test_csv_cells():
    assert csv_text(["a", "b"], [[float("nan"), "x\ny\x07"]]) == "a,b\n,x y \n"
    assert csv_text(["a"], [[-1.5]]) == "a\n-1.5\n"


@pytest.mark.slow
def test_writing_a_result_imports_neither_xarray_nor_pandas(root, tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.support.synthetic import make_provenance, make_record\n"
        "from simulator.results import name\nfrom simulator.results.folder import write_folder\n"
        "record = make_record(40)\nresult = name(record, lambda: make_provenance(record))\n"
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
    result.save(tmp_path / "a.nc")
    assert calls == ["fsync", "replace", "fsync"]
