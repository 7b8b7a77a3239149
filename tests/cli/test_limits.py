"""What is too large is refused before any work, with its number: 2 if it is out of range, 3 if it does not fit."""

import shutil

import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.errors import ResourceError
from simulator.language.blocks.sweep import MOST_REPLICATES
from simulator.results import export as exporting
from simulator.results.export import export
from simulator.results.folder import write_folder
from simulator.studies.sweep import study as sweeping
from simulator.studies.sweep.study import Request, planned
from simulator.studies.trial import study as trials

TRIAL = ("trial", "valor_trial", "--no-null", "--analysis", "ancova")
SOBOL = ("sensitivity", "start_delay", "--method")
DECIDE, TWINS = ("decide", "worth_treating"), ("twins", "{data}", "generic_als")


@pytest.fixture
def no_work(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("it was simulated")

    monkeypatch.setattr("simulator.run._live", fail)
    monkeypatch.setattr(sweeping.scheduling, "run", fail)
    monkeypatch.setattr(trials, "run", fail)
    monkeypatch.setattr(trials, "truth", fail)


@pytest.mark.parametrize(
    ("words", "code", "fact"),
    [
        (
            (*TRIAL, "--truth", str(10**12)),
            2,
            "truth is not looked up in 1,000,000,000,000 people. Choose 0 to 5,000,000",
        ),
        ((*TRIAL, "--size", str(10**9)), 2, "1,000,000,000 participants cannot be simulated. Ask for 1 to 5,000,000"),
        ((*TRIAL, "--size", str(4 * 10**6)), 3, "the study needs about"),
        ((*TRIAL, "--replicates", str(2**31)), 3, "the study needs about"),
        ((*TRIAL, "--replicates", str(2**40)), 2, "replicates cannot be simulated"),
        ((*TRIAL, "--sizes", str(10**6)), 2, "power is not shown at a size of 1,000,000"),
        ((*SOBOL, "sobol", "--points", str(10**7)), 2, "points are more than 500,000. Ask for at most"),
        ((*SOBOL, "morris", "--points", str(10**7)), 2, "points are more than 500,000. Ask for at most"),
        ((*SOBOL, "ensemble", "--points", str(10**7)), 2, "the ensemble has 600 vectors, not 10000000"),
        ((*SOBOL, "oneway", "--patients", str(10**9)), 2, "1,000,000,000 patients cannot be simulated"),
        ((*SOBOL, "oneway", "--replicates", str(10**9)), 2, "1,000,000,000 replicates cannot be simulated"),
        (("run", "valor", "-n", str(10**8)), 2, "100,000,000 patients cannot be simulated"),
        (("run", "valor", "-n", str(5 * 10**6)), 3, "the run needs about"),
        (("run", "valor", "--draws", str(10**6)), 2, "the ensemble has 600 vectors, not 1000000"),
        (("sweep", "start_delay", "-n", str(10**9)), 2, "1,000,000,000 patients cannot be simulated"),
        (
            ("sweep", "start_delay", "-n", str(5 * 10**6), "--set", "sweep.replicates=4000"),
            2,
            "more than 20,000,000,000",
        ),
        ((*DECIDE, "-n", str(10**8)), 2, "100,000,000 patients cannot be simulated. Ask for 1 to 5,000,000"),
        ((*DECIDE, "-n", str(5 * 10**6)), 3, "the run needs about"),
        ((*DECIDE, "--draws", str(10**9)), 2, "1,000,000,000 draws cannot be simulated. Ask for 2 to 500,000"),
        ((*DECIDE, "--replicates", str(10**9)), 2, "1,000,000,000 replicates cannot be simulated. Ask for 1 to 4,096"),
        ((*DECIDE, "--draw-patients", str(10**9)), 2, "patients in each run of a draw cannot be simulated"),
        (
            (*DECIDE, "--draws", "600", "--replicates", "4000", "--draw-patients", str(10**6)),
            2,
            "2,400,000 runs of 1,000,000 patients are 2,400,000,000,000 patients, more than 20,000,000,000",
        ),
        ((*TWINS, "--twins", str(10**9)), 2, "1,000,000,000 twins are out of range. Choose 10 to 100,000"),
        ((*TWINS, "--pool", str(10**9)), 2, "1,000,000,000 people of the pool are out of range"),
        ((*TWINS, "--draws", str(10**9)), 2, "1,000,000,000 draws are out of range"),
        ((*TWINS, "--draws", "10000", "--pool", "4194304", "--twins", "100000"), 3, "twins need about"),
        (("calibrate", "valor", "--design", str(10**9)), 2, "Ask for 100 to 65,536"),
        (
            ("calibrate", "valor", "--draws", str(10**9)),
            2,
            "1,000,000,000 vectors are out of range. Ask for 1 to 10,000",
        ),
        (
            (
                "analyse",
                "{data}",
                "--arms",
                "a,b",
                "--visits",
                "0,90",
                "--analysis",
                "mi",
                "--option",
                "mi.imputations=999999",
            ),
            2,
            "multiple imputation: 999,999 imputations are out of range. Ask for 2 to 10,000",
        ),
    ],
)
def test_what_is_too_large_is_refused_before_any_work(words, code, fact, tmp_path, no_work, monkeypatch):
    monkeypatch.setattr("simulator.run._free_memory", lambda: 8 << 30)
    (tmp_path / "participants.csv").write_text("id,arm\n1,a\n2,a\n3,b\n4,b\n")
    visits = [f"{k},{day},{40 - k}\n" for k in range(1, 5) for day in (0, 90)]
    (tmp_path / "measurements.csv").write_text("".join(["id,day,alsfrs_r\n", *visits]))
    words = [word.format(data=tmp_path) for word in words]
    done = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "r")])
    assert (done.exit_code, done.stderr.count("\n")) == (code, 1), done.output
    assert fact in done.stderr
    assert not (tmp_path / "r").exists()


def test_as_many_replicates_as_a_block_may_ask_for_are_simulated():
    """The largest number that a scenario may name was refused when it was run."""
    most = sim.load("start_delay").replace({"sweep.replicates": MOST_REPLICATES})
    assert planned(Request(most)).job.replicates == MOST_REPLICATES


@pytest.fixture(scope="module")
def result():
    return sim.simulate(sim.load("analytic/constant_hazard"), patients=1000)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_that_do_not_fit_are_not_written(kind, result, tmp_path, monkeypatch):
    """The first rows of a table tell how long it is: the disk is not filled first."""
    monkeypatch.setattr(exporting, "ROW_GROUP", 1000)
    disk = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk._replace(free=10_000))
    with pytest.raises(ResourceError, match=r"the rest of \w+\.\w+ takes about .* MiB, the disk has free") as caught:
        export(result, kind, tmp_path / kind)
    assert caught.value.exit_code == 3
    assert not (tmp_path / kind).exists()


@pytest.mark.slow
def test_a_run_that_does_not_fit_on_the_disk_is_not_begun(result, tmp_path, no_work, monkeypatch):
    write_folder(result, tmp_path / "r")
    taken = (tmp_path / "r" / "result.nc").stat().st_size
    disk = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk._replace(free=taken // 10))
    for more in ([], ["--export", "csv"]):
        words = ["run", "analytic/constant_hazard", "-n", "1000", "-o", str(tmp_path / "other"), *more]
        done = CliRunner().invoke(app, words)
        assert (done.exit_code, done.stderr.count("\n")) == (3, 1), done.output
        assert "takes about" in done.stderr
