"""Interruptions, killed processes and places that cannot be written: one clear line, and nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.execution import version_check
from simulator.execution.executors import be_a_worker
from simulator.report.picture import _tidy
from simulator.results.files import part_name, remove_stale, write_all
from simulator.results.folder import MANIFEST
from simulator.results.kinds import SWEEP
from simulator.studies import simulate as simulating
from simulator.studies import single_run

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
    usual = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    for more in ({}, {"PYTHONUNBUFFERED": "1"}):
        done = subprocess.run(
            ["sh", "-c", f"{start} {streams}"], cwd=root, env=usual | more, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert not re.search("Traceback|Exception ignored", done.stdout + done.stderr)


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
from simulator.execution import executors
from simulator.execution.executors import ExecutorError
from simulator.execution.executors import be_a_worker
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
        ("export {0} --to csv", "file/below", "is a file, not a folder"),
        ("export {0} --to csv", "x" * 300, "no folder can have this name"),
    ],
)
def test_a_place_for_a_file_is_looked_at_before_anything_is_read(words, out, fact, tmp_path):
    """There is nothing to be read, which would be said otherwise."""
    (tmp_path / "d").mkdir()
    _file(tmp_path / "file")
    done = CliRunner().invoke(app, [*words.format(tmp_path / "d").split(), "-o", str(tmp_path / out)])
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.output
    assert fact in done.stderr


@pytest.mark.parametrize("name", ["x" * 300, "file/below", "d.yaml"])
def test_a_place_for_a_scenario_is_looked_at(name, tmp_path):
    (tmp_path / "d.yaml").mkdir()
    _file(tmp_path / "file")
    done = CliRunner().invoke(app, ["init", str(tmp_path / name)])
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.output


READING = (
    "show {0}",
    "report {0}",
    "plot {0} survival",
    "export {0} --to csv",
    "replay {0}",
    "compare {0} {0}",
    "explore {0}",
)


@pytest.mark.parametrize("words", READING)
@pytest.mark.parametrize("what", ["nothing", "empty", "foreign", "a file", "unfinished"])
def test_where_no_study_is_every_command_that_reads_one_ends_with_2(words, what, tmp_path):
    place = tmp_path / "it"
    if what == "a file":
        _file(place)
    elif what != "nothing":
        place.mkdir()
    if what == "foreign":
        (place / MANIFEST).write_text('{"name": "of another program"}')
    if what == "unfinished":
        version_check.begin(place, SWEEP, sim.load("analytic/constant_hazard"))
    done = CliRunner().invoke(app, words.format(place).split())
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.output


def test_a_file_of_a_study_is_shown_and_no_scenario(tmp_path):
    sim.simulate(sim.load("analytic/constant_hazard"), patients=5).save(tmp_path / "x.nc")
    done = CliRunner().invoke(app, ["show", str(tmp_path / "x.nc")])
    assert done.stdout.startswith("Constant hazard\n5 patients"), done.output
    done = CliRunner().invoke(app, ["validate", str(tmp_path / "x.nc")])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "a result, not a scenario. Look at it with als-sim show" in done.stderr


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
