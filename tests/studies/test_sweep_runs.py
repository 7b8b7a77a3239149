"""Sweeps that run: the same bits on every executor, nothing lost by a kill, failed points, the terminal."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest
import xarray
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.errors import ResourceError, SimulatorError, UsageError
from simulator.execution import store
from simulator.execution.executors import ExecutorError
from simulator.results.errors import FolderError
from simulator.studies.sweep import scheduling
from simulator.studies.sweep.errors import SweepError
from simulator.studies.sweep.memory import memory_of
from simulator.studies.sweep.study import Request, planned, run
from tests.support.sweeps import DAY, EFFECT, ELIGIBLE, SCENARIO

POINTS = {EFFECT: [0.3, 0.5, 0.7], DAY: [0, 100]}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    place = tmp_path_factory.mktemp("sweep") / "small.yaml"
    place.write_text(SCENARIO)
    return place


@pytest.fixture(scope="module")
def scenario(file):
    return sim.load(file)


@pytest.fixture(scope="module")
def serial(scenario):
    """Every point on its own, through `simulate`."""
    made = [dict(zip(POINTS, row, strict=True)) for row in itertools.product(*POINTS.values())]
    return [sim.simulate(scenario.replace(point), output="summary", threads=1) for point in made]


def check_equal(found, serial):
    """Every array of a sweep is to the bit that of the serial runs."""
    arrays = {name: one for name, one in found.group.items() if one.dims[:1] == ("point",) and len(one.dims) > 1}
    assert {"survival", "alsfrs_r_mean", "event_free_time_mean_mcse", "kings_stage_share"} <= set(arrays)
    for point, result in enumerate(serial):
        for name, one in arrays.items():
            assert np.array_equal(one.values[point], result.groups["summary"][name].values, equal_nan=True), name


class Odd(Executor):
    """An executor that nobody has heard of: it works backwards, one thing at a time."""

    def __init__(self):
        self.waiting = []

    def submit(self, call, *args):
        future = Future()
        self.waiting.append((future, call, args))
        threading.Timer(0.05, self._work).start()
        return future

    def _work(self):
        while self.waiting:
            future, call, args = self.waiting.pop()
            if future.set_running_or_notify_cancel():
                future.set_result(call(*args))


# --- executors


def test_threads_and_any_executor_give_the_bits_of_single_runs(scenario, serial):
    check_equal(sim.sweep(scenario), serial)
    check_equal(sim.sweep(scenario, POINTS, executor=Odd()), serial)
    with ThreadPoolExecutor(3) as pool:
        check_equal(sim.sweep(scenario, executor=pool), serial)
        pool.submit(int).result()  # a pool that was given is left open


@pytest.mark.slow
def test_processes_give_the_bits_of_single_runs(scenario, serial):
    check_equal(sim.sweep(scenario, executor="processes"), serial)


@pytest.mark.slow
def test_a_cluster_whose_worker_dies_gives_the_bits_of_single_runs(scenario):
    distributed = pytest.importorskip("distributed")
    means = [float(x) for x in np.linspace(0.2, 0.9, 48)]
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    killed = []
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        before = client.run(os.getpid)
        assert len(before) == 2
        client.run(__import__, "simulator.run")

        def kill(done, total):
            if not killed and done < total / 2:
                killed.append(next(iter(before.values())))
                os.kill(killed[0], signal.SIGKILL)

        address = cluster.scheduler_address.removeprefix("tcp://")
        found = sim.sweep(scenario, {EFFECT: means}, executor=f"dask://{address}", patients=8000, progress=kill)
        assert not found.failures
        after = client.run(os.getpid)
    assert killed
    assert killed[0] not in after.values()
    xarray.testing.assert_identical(found.data, sim.sweep(scenario, {EFFECT: means}, patients=8000).data)
    one = sim.simulate(scenario.replace({EFFECT: means[-1]}), patients=8000, output="summary")
    last = found.result(47).groups["summary"]["alsfrs_r_mean"].values
    assert np.array_equal(last, one.groups["summary"]["alsfrs_r_mean"].values)


def test_an_executor_that_is_not_there_is_explained(scenario, monkeypatch):
    with pytest.raises(UsageError, match="Choose threads, processes or dask"):
        sim.sweep(scenario, executor="carrier pigeons")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExecutorError, match=r"als-simulator\[cluster\]") as caught:
        sim.sweep(scenario, executor="dask://127.0.0.1:1")
    assert caught.value.exit_code == 3


@pytest.mark.slow
def test_a_cluster_without_workers_is_not_waited_for(scenario, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("simulator.execution.executors.CONNECT_SECONDS", "1s")
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        address = cluster.scheduler_address.removeprefix("tcp://")
        with pytest.raises(ExecutorError, match="has no workers"):
            sim.sweep(scenario, executor=f"dask://{address}")


def test_a_batch_lost_with_its_worker_is_listed_and_a_broken_pool_explained(scenario):
    class Lossy(Odd):
        def __init__(self, error):
            super().__init__()
            self.error, self.count = error, 0

        def submit(self, call, *args):
            self.count += 1
            if self.count != 3:
                return super().submit(call, *args)
            future = Future()
            future.set_exception(self.error)
            return future

    found = sim.sweep(scenario, executor=Lossy(RuntimeError("gone")))
    assert [one.message for one in found.failures] == ["lost with its worker: RuntimeError: gone"]
    with pytest.raises(SimulatorError, match="give the same command again"):
        sim.sweep(scenario, executor=Lossy(BrokenExecutor()))


# --- random numbers and replicates


def test_points_share_random_numbers_unless_asked_otherwise(scenario):
    same = {EFFECT: [0.5], DAY: [0, 0]}
    common = sim.sweep(scenario, [{EFFECT: 0.5}] * 2)
    assert np.array_equal(common.group["alsfrs_r_mean"].values[0], common.group["alsfrs_r_mean"].values[1])
    apart = sim.sweep(scenario, [{EFFECT: 0.5}] * 2, random_numbers="independent")
    assert not np.array_equal(apart.group["alsfrs_r_mean"].values[0], apart.group["alsfrs_r_mean"].values[1])
    assert np.array_equal(apart.group["alsfrs_r_mean"].values[0], common.group["alsfrs_r_mean"].values[0])
    assert sim.sweep(scenario, same).n_points == 2


def test_replicates_are_other_people_and_pair_the_arms(scenario):
    points = [{DAY: 1000}, {EFFECT: 0.6}]
    found = sim.sweep(scenario, points, replicates=4)
    assert found.group["alsfrs_r_mean"].dims == ("point", "replicate", "arm", "time")
    untreated = found.group["alsfrs_r_mean"].values[:, :, 0, -1]
    assert len(set(untreated[0])) == 4
    assert np.array_equal(untreated[0], untreated[1])
    first = sim.sweep(scenario, points)
    assert np.array_equal(found.group["alsfrs_r_mean"].values[:, 0], first.group["alsfrs_r_mean"].values)
    gain = found.outcome("alsfrs_r_death0_mean", "treated", "untreated")
    assert gain.paired
    assert gain.estimate[0] == gain.mcse[0] == 0  # never treated: the same course in both arms
    assert gain.estimate[1] > 0
    alone = first.outcome("alsfrs_r_death0_mean", "treated", "untreated")
    assert not alone.paired
    assert 0 < gain.mcse[1] < alone.mcse[1]


def test_outcomes_are_those_of_single_runs(scenario, serial):
    from simulator.measures.headline import headline

    found = sim.sweep(scenario)
    rows = {(row.metric, row.arm, row.against): row for row in headline(serial[3]).rows}
    for metric in ("event_free", "alsfrs_r_change_survivors", "nfl_plasma_ratio", "event_free_months"):
        for arm, against in (("treated", ""), ("treated", "untreated")):
            mine, row = found.outcome(metric, arm, against), rows[metric, arm, against]
            assert (mine.estimate[3], mine.mcse[3]) == pytest.approx((row.estimate, row.mcse), rel=1e-12)
    with pytest.raises(SweepError, match="no arm 'placebo'"):
        found.outcome("event_free", "placebo")
    with pytest.raises(SweepError, match="no metric 'happiness'"):
        found.outcome("happiness", "treated")


def test_adverse_events_are_those_of_single_runs(scenario):
    from simulator.measures.headline import headline

    safe = scenario.replace({"safety": {"catalog": "tofersen_safety"}})
    rate = "safety.serious_neurologic.per_year"
    found = sim.sweep(safe, {rate: [0.1, 0.8]})
    name = "serious_neurologic"
    usual = [(one.label, one.wanted.arm) for one in found.outcomes() if one.wanted.metric == name]
    assert usual == [(f"Serious neurologic event, {arm}, day 364", arm.split()[0]) for arm in (
        "untreated", "treated", "treated minus untreated"
    )]  # fmt: skip
    alone = sim.simulate(safe.replace({rate: 0.8}), output="summary")
    share = f"{name}_share"
    assert np.array_equal(found.group[share].values[1], alone.groups["summary"][share].values)
    where = (name, "treated", "", 364.0)
    row = next(one for one in headline(alone).rows if (one.metric, one.arm, one.against, one.day) == where)
    mine = found.outcome(name, "treated")
    assert (mine.estimate[1], mine.mcse[1], mine.unit) == (row.estimate, row.mcse, row.unit)
    assert mine.estimate[1] > mine.estimate[0] > 0
    assert "Serious neurologic event, treated minus untreated" in found.plot.sweep(name).text
    mixed = sim.sweep(safe, [{}, {"safety": None}])
    assert np.isnan(mixed.outcome(name, "treated").estimate).tolist() == [False, True]
    assert np.isfinite(mixed.outcome("event_free", "treated").estimate).all()
    with pytest.raises(SweepError, match=f"no metric '{name}'"):
        sim.sweep(scenario, {EFFECT: [0.5]}).outcome(name, "treated")


def test_points_may_differ_in_arms_and_days(scenario):
    third = [{"treatments": ["tofersen"], "from_day": 28}]
    found = sim.sweep(scenario, [{}, {"arms.third": third}, {"follow_up_days": 182}])
    assert found.arms == ("untreated", "treated", "third")
    share = found.data["survival"]
    assert share.sel(arm="third").notnull().any("time").values.tolist() == [False, True, False]
    assert share.sel(point=2, arm="treated").notnull().sum() == 8  # 0, 28 ... 168 and the last day
    assert found.data["follow_up_days"].values.tolist() == [364, 364, 182]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["article", "prevention", "missed_doses"])
def test_other_models_carriers_and_own_calendars_are_those_of_single_runs(name):
    scenario = sim.load(name)
    address = f"treatments.{'label' if name == 'missed_doses' else 'tofersen'}.tissue.half_life_days"
    given = {address: [28, 20]}
    found = sim.sweep(scenario, given, patients=60)
    assert not found.failures
    for point in range(2):
        alone = sim.simulate(scenario.replace({address: given[address][point]}), patients=60, output="summary")
        summary = alone.groups["summary"]
        names = [key for key, one in found.group.items() if one.dims[:1] == ("point",) and len(one.dims) > 1]
        assert {key for key in summary if key.endswith("_mean")} <= set(names)
        for key in names:
            assert np.array_equal(found.group[key].values[point], summary[key].values, equal_nan=True), key


def test_a_sweep_over_models_has_what_each_has(scenario):
    slopes = {name: {"lognormal": {"median": 1.0, "log_sd": 0.2}} for name in ("p.Ala5Val", "other")}
    linear = {**sim.load("article").content()["progression"], "slope_points_per_month": slopes}
    found = sim.sweep(scenario, [{}, {"progression": linear, "output.stages": False}])
    assert not found.failures, found.failures
    assert found.data["alsfrs_r_mean"].notnull().all()
    assert found.data["kings_stage_share"].notnull().any(("arm", "time", "kings")).values.tolist() == [True, False]
    assert found.outcomes()


def test_a_person_is_not_swept():
    with pytest.raises(SweepError, match="twins"):
        sim.sweep(sim.load("case_a"), {"follow_up_days": [364]})


# --- folders


@pytest.mark.slow
def test_a_folder_resumes_by_content(scenario, tmp_path, serial):
    done = []
    first = sim.sweep(scenario, POINTS, folder=tmp_path / "a", progress=lambda n, total: done.append(total))
    check_equal(first, serial)
    assert done[-1] == 6
    files = sorted((tmp_path / "a" / "points").iterdir())
    assert len(files) == 6
    files[2].write_bytes(files[2].read_bytes()[:-1])
    files[4].unlink()
    before, done[:] = (tmp_path / "a" / "sweep.nc").read_bytes(), []
    more = {**POINTS, DAY: [0, 100, 200]}
    sim.sweep(scenario, POINTS, folder=tmp_path / "a", progress=lambda n, total: done.append(total))
    assert done[-1] == 2
    assert (tmp_path / "a" / "sweep.nc").read_bytes() == before
    sim.sweep(scenario, more, folder=tmp_path / "a", progress=lambda n, total: done.append(total))
    assert done[-1] == 3
    read = sim.open(tmp_path / "a")
    xarray.testing.assert_identical(read.data, sim.sweep(scenario, more).data)
    with xarray.open_dataset(tmp_path / "a" / "sweep.nc", decode_timedelta=False) as data:
        assert data.sizes["point"] == 9
        assert data.coords[EFFECT].dims == ("point",)
        assert data["survival"].attrs["units"] == "1"


@pytest.mark.slow
def test_doubling_a_sobol_sample_simulates_only_the_new_half(scenario, tmp_path):
    one = scenario.replace(
        {"sweep": None, "arms": {"treated": [{"treatments": ["tofersen"], "from_day": 0}]}, "visits.every_days": 364,
         "follow_up_days": 28, "output": {"every_days": 28, "stages": False}}
    )  # fmt: skip
    axes = {EFFECT: {"low": 0.2, "high": 0.9}, "treatments.tofersen.effect.sd": {"low": 0.3, "high": 0.5}}
    asked = []
    for size in (1000, 2000):
        block = {"method": "sobol", "points": size, "parameters": axes, "patients": 1}
        found = sim.sweep(one.replace({"sweep": block}), folder=tmp_path, progress=lambda *at: asked.append(at))
        assert asked[-1] == (1000, 1000)
        asked.clear()
    assert found.n_points == 2000
    assert not found.failures


def test_a_folder_of_something_else_or_in_use_is_refused(scenario, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FolderError, match=r"notes\.txt does not belong to a sweep"):
        sim.sweep(scenario, folder=tmp_path)
    with store.InFolder(tmp_path / "b", {}), pytest.raises(FolderError, match="another sweep is writing"):
        sim.sweep(scenario, folder=tmp_path / "b")


@pytest.mark.slow
def test_a_start_removes_temporaries_and_nothing_else(scenario, tmp_path):
    sim.sweep(scenario, folder=tmp_path)
    left = [tmp_path / "points" / ".x.point.7.part", tmp_path / ".sweep.nc.0a0b.part"]
    for part in left:
        part.write_text("half")
    (tmp_path / "points" / "mine.txt").write_text("kept")
    sim.sweep(scenario, folder=tmp_path)
    assert not any(part.exists() for part in left)
    assert (tmp_path / "points" / "mine.txt").exists()


CHILD = """
import os, random, signal, sys, time
import simulator as sim
from simulator.studies.sweep import collect, scheduling, study, work  # before the first fork
file, folder, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
scenario, rng = sim.load(file), random.Random(seed)
sim.simulate(scenario, patients=10, threads=1, output="summary")  # loads the kernels; no thread is left
means = [k / 1600 for k in range(700)]

def finished():
    try:
        return len(os.listdir(os.path.join(folder, "points")))
    except FileNotFoundError:
        return 0

def start():
    child = os.fork()
    if not child:
        sim.sweep(scenario, {sys.argv[4]: means}, folder=folder, patients=300)
        os._exit(0)
    return child

for _ in range(6):
    child, wanted = start(), finished() + rng.randint(0, 20)
    while finished() < wanted and not os.waitpid(child, os.WNOHANG)[0]:
        time.sleep(0.001)
    time.sleep(rng.random() * 0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(finished(), flush=True)
assert os.waitpid(start(), 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to be killed")
@pytest.mark.slow
def test_a_sweep_killed_six_times_ends_as_one_that_was_not(file, scenario, tmp_path):
    command = [sys.executable, "-c", CHILD, str(file), str(tmp_path / "killed"), "6", EFFECT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts = [int(line) for line in done.stdout.split()]
    assert len(counts) == 6
    assert counts == sorted(counts)
    assert 0 < counts[-1] < 700  # the kills came while there was work left
    whole = tmp_path / "whole"
    sim.sweep(scenario, {EFFECT: [k / 1600 for k in range(700)]}, folder=whole, patients=300)
    for name in ("sweep.nc", "points.csv", "manifest.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (whole / name).read_bytes()
    assert not list((tmp_path / "killed").rglob("*.part"))
    assert {one.name for one in (tmp_path / "killed" / "points").iterdir()} == {
        one.name for one in (whole / "points").iterdir()
    }


def test_an_interruption_keeps_what_is_finished(scenario, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sim.sweep(scenario, folder=tmp_path, progress=stop)
    kept = len(list((tmp_path / "points").glob("*.point")))
    assert 0 < kept < 6
    assert not list(tmp_path.rglob("*.part"))
    asked = []
    sim.sweep(scenario, folder=tmp_path, progress=lambda done, total: asked.append(total))
    assert asked[-1] == 6 - kept


# --- failed points


@pytest.mark.slow
def test_failed_points_are_listed_kept_and_tried_again_when_asked(scenario, tmp_path, monkeypatch):
    given = {ELIGIBLE: [50, 300, 51]}
    found = sim.sweep(scenario, given, folder=tmp_path)
    assert [(one.point, one.settings) for one in found.failures] == [(1, {ELIGIBLE: 300})]
    assert "none is eligible" in found.failures[0].message
    assert found.data["state"].values.tolist() == ["done", "failed", "done"]
    assert found.data["survival"][1].isnull().all()
    assert found.data["survival"][[0, 2]].notnull().all()
    assert np.isnan(found.outcome("event_free_months", "treated").estimate).tolist() == [False, True, False]
    assert "none is eligible" in (tmp_path / "points.csv").read_text()
    asked = []
    again = sim.sweep(scenario, given, folder=tmp_path, progress=lambda done, total: asked.append(total))
    assert again.failures == found.failures
    assert not asked
    once_more = sim.sweep(
        scenario, given, folder=tmp_path, rerun_failed=True, progress=lambda done, total: asked.append(total)
    )
    assert asked == [1]
    assert once_more.failures == found.failures


def test_a_point_that_failed_and_does_not_any_more_is_no_longer_listed(scenario, tmp_path, monkeypatch):
    def broken(*args):
        raise RuntimeError("a cosmic ray")

    with monkeypatch.context() as patch:
        patch.setattr("simulator.studies.sweep.work._run", broken)
        found = sim.sweep(scenario, folder=tmp_path)
    assert {one.message for one in found.failures} == {"RuntimeError: a cosmic ray"}
    assert len(found.failures) == 6
    assert len(sim.sweep(scenario, folder=tmp_path).failures) == 6
    assert not sim.sweep(scenario, folder=tmp_path, rerun_failed=True).failures
    assert not list((tmp_path / "points").glob("*.failed"))


def test_a_point_that_is_no_scenario_fails_and_the_others_do_not(scenario, tmp_path):
    found = sim.sweep(scenario, {EFFECT: [0.5, 0.6], DAY: [0, -5]}, folder=tmp_path)
    assert [one.point for one in found.failures] == [1, 3]
    assert "from_day" in found.failures[0].message
    other = sim.sweep(scenario, [{"patients": 10}, {"title": "x"}, {"no.such.place": 1}, {EFFECT: 0.5}])
    assert [one.point for one in other.failures] == [0, 1, 2]


def test_the_memory_foretold_holds_the_dataset(scenario):
    for asked in (
        Request(scenario, replicates=3),
        Request(scenario.replace({"safety": {"catalog": "tofersen_safety"}})),
    ):
        plan = planned(asked)
        size = sum(one.values.nbytes for one in run(asked).group.values())
        assert (
            size < memory_of(plan, 1) - memory_of(plan._replace(design=plan.design._replace(points=[])), 1) < 5 * size
        )


def test_a_sweep_that_would_not_fit_is_refused(scenario, monkeypatch):
    monkeypatch.setattr("simulator.run._free_memory", lambda: 10_000)
    with pytest.raises(ResourceError, match="Ask for fewer points"):
        sim.sweep(scenario)


def test_batches_are_small_enough_to_share_and_to_lose():
    assert scheduling.batch_size(1000, 2, 1e5) == scheduling.LARGEST_BATCH
    assert scheduling.batch_size(16, 2, 1e5) == 1
    assert scheduling.batch_size(1000, 2, 1e9) == 1


# --- terminal


def cli(*args):
    return CliRunner().invoke(app, ["sweep", *map(str, args)])


@pytest.mark.slow
def test_the_command_prints_outcomes_and_writes_a_folder(file, tmp_path):
    found = cli(file, "-o", tmp_path / "r", "-n", 100, "--seed", 3)
    assert found.exit_code == 0, found.output
    assert "6 points, 100 patients in each arm, seed 3" in found.stdout
    assert all(len(line) <= 80 for line in found.stdout.splitlines())
    assert {one.name for one in (tmp_path / "r").iterdir()} == {
        "points", "sweep.nc", "summary.csv", "points.csv", "manifest.json", "scenario.resolved.yaml",
    }  # fmt: skip
    document = json.loads(cli(file, "-o", tmp_path / "r", "-n", 100, "--seed", 3, "--json").stdout)
    assert len(document["points"]) == 6
    assert document["failures"] == []
    assert {len(one["estimate"]) for one in document["outcomes"]} == {6}


@pytest.mark.slow
def test_a_dry_run_says_points_memory_and_time_and_writes_nothing(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = {line.split()[0]: line for line in cli(file, "--dry-run").stdout.splitlines()}
    assert "6: 0 finished" in words["points"]
    assert words["memory"].endswith("MB")
    assert "about" in words["time"]
    first = json.loads(cli(file, "--dry-run", "--json").stdout)
    assert (first["points"], first["finished"]) == (6, 0)
    assert first["memory_mb"] >= 0
    assert first["seconds"] > 0
    assert not list(tmp_path.iterdir())
    assert cli(file).exit_code == 0
    (folder,) = (tmp_path / "results").iterdir()
    assert folder.name.startswith("small-")
    second = cli(file, "--dry-run")
    assert "6 finished" in second.stdout
    assert "nothing left to do" in second.stdout


@pytest.mark.slow
def test_failed_points_end_with_exit_code_4(file, tmp_path):
    found = cli(file, "-o", tmp_path / "r", "--set", f"sweep.parameters={{{ELIGIBLE}: [50, 300]}}")
    assert found.exit_code == 4
    assert "1 of 2 points failed; --rerun-failed tries them again" in found.stderr
    assert f"point 1 ({ELIGIBLE} = 300)" in found.stderr


@pytest.mark.slow
def test_failed_points_are_tried_again_when_the_command_says_so(file, tmp_path, monkeypatch):
    def broken(*args):
        raise RuntimeError("a cosmic ray")

    with monkeypatch.context() as patch:
        patch.setattr("simulator.studies.sweep.work._run", broken)
        assert cli(file, "-o", tmp_path).exit_code == 4
    assert cli(file, "-o", tmp_path).exit_code == 4
    again = cli(file, "-o", tmp_path, "--rerun-failed")
    assert again.exit_code == 0
    assert "points failed" not in again.output


@pytest.mark.slow
def test_exit_codes_of_wrong_requests(file, tmp_path, monkeypatch):
    assert cli("no_such_scenario").exit_code == 2
    assert cli("natural_history", "-o", tmp_path / "r").exit_code == 2  # it has no block sweep
    assert cli(file, "--executor", "carrier", "-o", tmp_path / "r").exit_code == 2
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert cli(file, "--executor", "dask://127.0.0.1:1", "-o", tmp_path / "r").exit_code == 3


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
@pytest.mark.slow
def test_ctrl_c_prints_the_command_that_goes_on(file, tmp_path):
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # ignored in a background job
    code = f"{heard}; import sys; from simulator.cli.app import main; sys.argv[0] = 'als-sim'; main()"
    command = [sys.executable, "-c", code, "sweep", str(file), "-o", str(tmp_path / "r"), "-n", "200000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "r" / "points").exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(random.Random(1).random())
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert f"go on with: als-sim sweep {file}" in stderr
    assert "Traceback" not in stderr
