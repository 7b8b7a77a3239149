"""What a command left is opened as what it is; what takes a run says so of everything else."""

import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.results import open_run
from simulator.results.errors import NotARunError, ResultError
from simulator.results.folder import write_folder
from simulator.studies.replay import deviations

MADE_BY = {"a trial": "trial.nc", "a sweep": "sweep.nc", "a sensitivity analysis": "sensitivity.json"}
ADDRESS = "progression.d50_months.other"
PRIOR = {"value": 20, "prior": {"uniform": {"low": 10, "high": 40}}, "evidence": "assumed"}
OUTCOME = {"outcome": "event_free_months", "arm": "untreated", "day": 3640, "parameters": [ADDRESS]}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of each kind."""
    places = {what: tmp_path_factory.mktemp("opened") / "it" for what in (*MADE_BY, "a run")}
    scenario = sim.load("analytic/constant_hazard").replace({ADDRESS: PRIOR, "sensitivity": OUTCOME})
    write_folder(sim.simulate(scenario, patients=20), places["a run"])
    sim.sweep(scenario, {ADDRESS: [10, 20]}, patients=20, folder=places["a sweep"])
    sim.sensitivity(scenario, patients=20, folder=places["a sensitivity analysis"])
    found = sim.trial(sim.load("valor_trial"), replicates=2, truth=0, null=False, analyses=["ancova"])
    write_folder(found, places["a trial"])
    return places


@pytest.mark.slow
@pytest.mark.parametrize("what", MADE_BY)
def test_export_and_compare_take_runs_only(what, folders, tmp_path):
    place, run = folders[what], folders["a run"]
    words = f"{place} is the result of {what}, not of a run. Name the folder of an `als-sim run`; `als-sim show {place}"
    assert (place / MADE_BY[what]).is_file()
    for command in (["export", place, "-o", tmp_path / "out"], ["compare", run, place], ["compare", place, run]):
        done = CliRunner().invoke(app, list(map(str, command)))
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith(words)
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
    with pytest.raises(NotARunError, match=f"{MADE_BY[what]} is the result of {what}, not of a run"):
        open_run(place / MADE_BY[what])


@pytest.mark.slow
def test_a_run_is_opened(folders):
    assert deviations(open_run(folders["a run"]), sim.open(folders["a run"])) == []
    with pytest.raises(ResultError, match="no such file"):
        open_run(folders["a run"] / "nothing")
