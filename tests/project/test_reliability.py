"""Interruptions, killed processes and places that cannot be written: one clear line, and nothing left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.cli.progress import Progress
from simulator.record import versions
from simulator.report.picture import _tidy
from simulator.results.files import part_name, remove_stale, sealed_text, write_all
from simulator.results.folder import MANIFEST, write_folder
from simulator.results.kinds import SWEEP
from simulator.studies import simulate as simulating
from simulator.studies import single_run, version_check
from simulator.studies.calibrate import evaluate
from simulator.studies.calibrate.evaluate import Evaluator
from simulator.studies.replay import deviations
from simulator.studies.sweep import executors
from simulator.studies.sweep import study as sweeping
from simulator.studies.sweep.errors import ExecutorError
from simulator.studies.sweep.executors import be_a_worker
from simulator.studies.version_check import resumed_versions

ADDRESS = "progression.d50_months.other"

WAITING = """
import signal, sys, time
from simulator.cli import app, main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test in the background has it ignored
def wait():
    print("ready", flush=True)
    time.sleep(60)
app.main = wait
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_interrupts_quietly(sent, root):
    command = [sys.executable, "-c", WAITING]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root)
    assert child.stdout.readline() == "ready\n"
    child.send_signal(sent)
    _, errors = child.communicate(timeout=30)
    assert (child.returncode, errors) == (130, "Interrupted\n")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="streams are closed and full as POSIX says")
@pytest.mark.parametrize(
    ("words", "streams", "code"),
    [
        ("run analytic/constant_hazard -n 5 -o {data}/r", "2>&-", 0),
        ("data check {data}", ">&- 2>&- <&-", 0),
        ("list --json", "> /dev/full", 3),
        ("list", "> /dev/full 2> /dev/full", 3),
        ("show valor", "2> /dev/full", 3),
    ],
)
def test_streams_that_are_closed_or_full_end_with_no_traceback(words, streams, code, root, tmp_path):
    """`streams` as a shell has them."""
    (tmp_path / "participants.csv").write_text("id,arm\n1,a\n2,b\n")
    (tmp_path / "measurements.csv").write_text("id,day,alsfrs_r\n1,0,40\n2,0,44\n")
    start = f"'{sys.executable}' -c 'from simulator.cli import main; main()' {words.format(data=tmp_path)}"
    done = subprocess.run(["sh", "-c", f"{start} {streams}"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_temporaries_of_a_process_that_ended_go_at_once(tmp_path):
    command = [sys.executable, "-c", "import os; print(os.getpid())"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    mine = part_name("a.nc")
    dead = mine.replace(f"-{os.getpid()}-", f"-{int(done.stdout)}-")
    elsewhere = mine.replace(mine.split(".")[3].split("-")[0], "0" * 8)
    for name in (mine, dead, elsewhere):
        (tmp_path / name).write_text("")
    remove_stale(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {mine, elsewhere}


def test_writing_leaves_no_temporary(tmp_path):
    names = []
    write_all(tmp_path, [("a.txt", lambda path: (names.append(path.name), path.write_text("a")))])
    assert names[0].endswith(".part")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def _number() -> int:
    return os.getpid()


ORPHANS = """
import os, signal, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from simulator.studies.sweep import executors
from simulator.studies.sweep.errors import ExecutorError
from simulator.studies.sweep.executors import be_a_worker
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=be_a_worker)
    print(pool.submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(root, tmp_path):
    (tmp_path / "orphans.py").write_text(ORPHANS)
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, str(tmp_path / "orphans.py")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=root, check=False)
    worker, end = int(done.stdout), time.monotonic() + 30
    while time.monotonic() < end and _is_running(worker):
        time.sleep(0.05)
    assert not _is_running(worker)


def _is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_works_while_its_parent_lives():
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=be_a_worker) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()


@pytest.fixture
def no_simulation(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("it was simulated")

    monkeypatch.setattr(simulating, "simulate", fail)


@pytest.mark.parametrize(
    ("make", "fact"),
    [
        (lambda place: place / ("x" * 300), "no folder can have this name"),
        (lambda place: _link(place / "link"), "is a link to nothing"),
        (lambda place: _file(place / "file"), "is a file, not a folder"),
        (lambda place: _file(place / "file") / "below", "is a file, not a folder"),
    ],
)
def test_a_place_that_cannot_be_a_folder_is_refused_before_anything_runs(make, fact, tmp_path, no_simulation):
    done = CliRunner().invoke(app, ["run", "analytic/constant_hazard", "-n", "5", "-o", str(make(tmp_path))])
    assert done.exit_code == 2, done.output
    assert fact in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_default_place_is_looked_at_before_anything_runs(tmp_path, no_simulation, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _file(tmp_path / "results")
    done = CliRunner().invoke(app, ["run", "analytic/constant_hazard", "-n", "5"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "results is a file, not a folder" in done.stderr


@pytest.mark.parametrize(
    ("words", "out", "fact"),
    [
        ("data show {0}", "d", "is a folder, not a file"),
        ("data show {0}", "x" * 300 + ".html", "no file can have this name"),
        ("data show {0}", "file/a.html", "is a file, not a folder"),
        ("report {0}", "d", "is a folder, not a file"),
        ("plot {0} survival", "x" * 300 + ".svg", "no file can have this name"),
        ("analyse {0} --arms a,b", "file", "is a file, not a folder"),
        ("data convert {0}", "file", "is a file, not a folder"),
    ],
)
def test_a_place_for_a_file_is_looked_at_before_anything_is_read(words, out, fact, tmp_path):
    """There is nothing to be read, which would be said otherwise."""
    (tmp_path / "d").mkdir()
    _file(tmp_path / "file")
    done = CliRunner().invoke(app, [*words.format(tmp_path / "d").split(), "-o", str(tmp_path / out)])
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.output
    assert fact in done.stderr


def _link(place):
    place.symlink_to(place.parent / "nothing")
    return place


def _file(place):
    place.write_text("")
    return place


@pytest.mark.parametrize("words", [["-n", "100000000"], ["-n", "5", "--threads", "0"], ["--seed", "-1"]])
def test_what_is_out_of_range_ends_with_2(words, tmp_path):
    done = CliRunner().invoke(app, ["run", "analytic/constant_hazard", "-o", str(tmp_path / "r"), *words])
    assert done.exit_code == 2, done.output
    assert not (tmp_path / "r").exists()


def test_interrupted_tables_leave_a_whole_run(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(single_run, "_export", interrupt)
    folder = tmp_path / "r"
    done = CliRunner().invoke(app, ["run", "analytic/constant_hazard", "-n", "5", "-o", str(folder), "--export", "csv"])
    assert done.exit_code == 130, done.output
    assert f"is whole, without its tables; go on with: als-sim export {folder} --to csv" in done.stderr
    assert sim.open(folder).n_patients == 5


def test_a_point_replaced_by_a_folder_is_simulated_again(tmp_path):
    scenario, given = sim.load("analytic/constant_hazard"), {ADDRESS: [10, 20]}
    whole = sim.sweep(scenario, given, patients=10, folder=tmp_path)
    point = next((tmp_path / SWEEP.work[0]).iterdir())
    point.unlink()
    (point / "in it").mkdir(parents=True)
    again = sim.sweep(scenario, given, patients=10, folder=tmp_path)
    assert again.summary().equals(whole.summary())
    assert point.is_file()


@pytest.mark.parametrize("title", [r"a\1b", r"\g<0>", "back\\slash", "<b>"])
def test_titles_are_no_patterns(title):
    svg = _tidy('<svg width="1"><g/></svg>', "survival", title)
    assert svg.count("<svg ") == 1
    assert title.replace("<", "&lt;").replace(">", "&gt;") in svg


def _aged(folder, **changes):
    """The folder of a run as another version of the program or of numba would have left it."""
    found = sim.open(folder)
    attrs = dict(found.attrs)
    attrs["versions"] = json.dumps({**json.loads(attrs["versions"]), "numba": "0.1"})
    write_folder(type(found)(attrs | changes, found.groups), folder, force=True)


def test_a_replay_across_versions_says_so_first_and_compares_within_a_tolerance(tmp_path):
    folder = tmp_path / "r"
    result = sim.simulate(sim.load("analytic/constant_hazard"), patients=20)
    write_folder(result, folder)
    _aged(folder, engine_version="0.0.1")
    done = CliRunner().invoke(app, ["replay", str(folder)])
    assert done.exit_code == 0, done.output
    first, *_, last = done.stdout.splitlines()
    assert first.startswith("Made with other versions: engine was 0.0.1 and is now ")
    assert "numba was 0.1 and is now " in first
    assert last.endswith("within the tolerance")
    groups = {name: dict(group) for name, group in result.groups.items()}
    time = groups["events"]["event_free_time"]
    groups["events"]["event_free_time"] = time._replace(values=time.values * np.float32(1 + 1e-6))
    near = type(result)(result.attrs, groups)
    assert deviations(result, near)
    assert not deviations(result, near, exact=False)
    groups["events"]["event_free_time"] = time._replace(values=time.values * np.float32(1 + 1e-4))
    assert deviations(result, type(result)(result.attrs, groups), exact=False)


@pytest.mark.slow
def test_a_comparison_across_versions_says_so_first(tmp_path):
    for name in ("a", "b"):
        write_folder(sim.simulate(sim.load("analytic/constant_hazard"), patients=20), tmp_path / name)
    _aged(tmp_path / "b")
    found = sim.compare(tmp_path / "a", tmp_path / "b")
    assert re.match(
        r"From A to B, numba was .* by 1e-05 of their size or 1e-06\. Of (\d+) differences \1 are no larger\.",
        found.notes[0],
    )
    write_folder(sim.simulate(sim.load("analytic/constant_hazard"), patients=20, seed=2), tmp_path / "b", force=True)
    _aged(tmp_path / "b")
    of, small = map(
        int, re.findall(r"Of (\d+) differences (\d+)", sim.compare(tmp_path / "a", tmp_path / "b").notes[0])[0]
    )
    assert small < of
    assert "numba" not in " ".join(sim.compare(tmp_path / "a", tmp_path / "a").notes)


def test_a_sweep_that_other_versions_began_says_so(tmp_path):
    sim.sweep(sim.load("analytic/constant_hazard"), {ADDRESS: [10, 20]}, patients=10, folder=tmp_path)
    assert resumed_versions(tmp_path) == []
    assert resumed_versions(tmp_path / "nothing") == []
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest["versions"]["numba"] = "0.1"
    (tmp_path / MANIFEST).write_text(sealed_text(manifest))
    (line,) = resumed_versions(tmp_path)
    assert "was begun with other versions (numba was 0.1 and is now " in line


KEEPING = {
    "sweep": ["start_delay", "-n", "10", "--set", "sweep.replicates=1"],
    "trial": ["valor_trial", "--replicates", "60", "--truth", "0", "--no-null", "--analysis", "ancova"],
    "sensitivity": ["start_delay", "-n", "10"],
    "decide": ["worth_treating", "-n", "10", "--draws", "2", "--replicates", "2", "--draw-patients", "5"],
    "calibrate": ["valor", "--point-only"],
}
"""Commands that keep parts, so that a second start goes on."""


class Cut(KeyboardInterrupt):
    """Ctrl-C after some parts."""


@pytest.mark.slow
@pytest.mark.parametrize("command", KEEPING)
def test_what_other_versions_began_is_said_before_it_goes_on(command, tmp_path, monkeypatch):
    """Whatever was cut short with another numba says so in its first line; what is kept is then used."""

    def cut(self, done, total):
        if done:  # something is kept
            raise Cut

    words = [command, *KEEPING[command], "-o", str(tmp_path / "r")]
    monkeypatch.setattr(Evaluator, "_simulate", lambda self, x: [one.observed + one.sd * x[0] for one in self.data])
    with monkeypatch.context() as old:
        for module in (version_check, sweeping, evaluate):
            old.setattr(module, "versions", lambda: versions() | {"numba": "0.1"})
        old.setattr(Progress, "__call__", cut)
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 130, done.output
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert re.match(rf"{re.escape(str(tmp_path))}/r was begun with other versions \(numba was 0\.1 ", done.stderr), (
        done.stderr
    )


SCHEDULER = "import sys; from distributed.cli.dask_scheduler import main; main(sys.argv[1:])"
WORKER = "import sys; from distributed.cli.dask_worker import main; main(sys.argv[1:])"


@pytest.fixture
def cluster(root, tmp_path):
    """The address of a scheduler with one worker, each a process; `processes` can be killed."""
    pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    host, port = address.split(":")
    how = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(root)}, "stderr": subprocess.DEVNULL}
    commands = {
        "scheduler": [SCHEDULER, "--host", host, "--port", port, "--no-dashboard"],
        "worker": [WORKER, f"tcp://{address}", "--nthreads", "1", "--no-dashboard", "--no-nanny"],
    }
    processes = {name: subprocess.Popen([sys.executable, "-c", *words], **how) for name, words in commands.items()}
    yield address, processes
    for process in processes.values():
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_cluster_that_dies_ends_the_sweep_with_the_command_that_goes_on(cluster, tmp_path):
    address, processes = cluster
    scenario, given = sim.load("analytic/constant_hazard"), {ADDRESS: [10 + k / 100 for k in range(400)]}
    ended = []

    def progress(done, total):
        if not ended:
            processes["scheduler"].kill()
            ended.append(time.monotonic())

    how = {"executor": f"dask://{address}", "folder": tmp_path / "r", "patients": 20_000, "progress": progress}
    with pytest.raises(ExecutorError, match=r"the cluster is gone\. What is finished is kept") as caught:
        sim.sweep(scenario, given, **how)
    assert time.monotonic() - ended[0] < 15
    assert caught.value.exit_code == 3
    assert list((tmp_path / "r" / SWEEP.work[0]).iterdir())


@pytest.mark.slow
def test_workers_of_another_version_are_refused(cluster, monkeypatch):
    monkeypatch.setattr(executors, "__version__", "99")
    with pytest.raises(ExecutorError, match=r"have als-simulator .*, this is 99\. Install the same version"):
        sim.sweep(
            sim.load("analytic/constant_hazard"), {ADDRESS: [10, 20]}, executor=f"dask://{cluster[0]}", patients=10
        )
