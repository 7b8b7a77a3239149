"""Studies that go on: under other versions, without room, on an executor that is not there or dies."""

import errno
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.cli.progress import Progress
from simulator.execution import executors, store, version_check
from simulator.execution.executors import ExecutorError
from simulator.execution.version_check import resumed_versions
from simulator.results.files import sealed_text
from simulator.results.folder import MANIFEST, write_folder
from simulator.results.kinds import SWEEP
from simulator.studies import simulate as simulating
from simulator.studies.calibrate import evaluate
from simulator.studies.calibrate.evaluate import Evaluator
from simulator.studies.replay import deviations
from simulator.studies.sweep import study as sweeping
from simulator.version import versions

ADDRESS = "progression.d50_months.other"


@pytest.fixture
def no_simulation(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("it was simulated")

    monkeypatch.setattr(simulating, "simulate", fail)


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


@pytest.mark.parametrize("command", [name for name in KEEPING if name != "calibrate"])
@pytest.mark.parametrize(
    ("executor", "code", "fact"),
    [
        ("nonsense", 2, "there is no executor 'nonsense'"),
        ("dask://nowhere", 2, "there is no executor 'dask://nowhere'"),
        ("dask://127.0.0.1:{port}", 3, "no Dask scheduler answers at 127.0.0.1:{port} (Connection refused)"),
        ("dask://127.0.0.1:{silent}", 3, "no Dask scheduler answers at 127.0.0.1:{silent} (timed out)"),
    ],
)
def test_an_executor_that_is_not_there_is_refused_before_anything(
    command, executor, code, fact, tmp_path, monkeypatch, no_simulation
):
    pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "ANSWER_SECONDS", 0.2)
    with socket.socket() as silent, socket.socket() as free:
        for one in (silent, free):
            one.bind(("127.0.0.1", 0))
        silent.listen()
        at = {"silent": silent.getsockname()[1], "port": free.getsockname()[1]}
        words = [command, *KEEPING[command], "--executor", executor.format(**at), "-o", str(tmp_path / "r")]
        done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output
    assert fact.format(**at) in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("command", KEEPING)
@pytest.mark.parametrize("finished", [False, True])
def test_what_a_study_without_room_leaves_is_what_it_says(command, finished, tmp_path, monkeypatch):
    """The disk is full at the first part that would be kept, or at the second."""
    kept = []

    def until_full(write):
        def wrapped(*args):
            kept.append(args)
            if len(kept) > finished:
                raise OSError(errno.ENOSPC, "No space left on device")
            write(*args)

        return wrapped

    folder = tmp_path / "r"
    monkeypatch.setattr(Evaluator, "_simulate", lambda self, x: [one.observed + one.sd * x[0] for one in self.data])
    with monkeypatch.context() as small:
        for module, name in ((store, "_write"), (evaluate, "append")):
            small.setattr(module, name, until_full(getattr(module, name)))
        done = CliRunner().invoke(app, [command, *KEEPING[command], "-o", str(folder)])
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1), done.output
    assert folder.exists() == finished
    left = "What is finished is kept there; make room, and the same command goes on"
    assert (left if finished else "Nothing was left there; make room") in done.stderr


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
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(ExecutorError):
            executors.check_ready(f"dask://{address}")
            break
        time.sleep(0.1)
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
