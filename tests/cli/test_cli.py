"""The command line: stdout, stderr, exit codes, lazy imports. Synthetic runs stand in for the engine."""

import json
import re
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from simulator import __version__
from simulator.cli import progress as progress_module
from simulator.cli.app import app
from simulator.cli.run import size
from simulator.cli.twins import need_scenario
from simulator.errors import UsageError
from simulator.language import load
from simulator.results import name, open_study, opening
from simulator.results.files import sealed_text
from simulator.results.folder import MANIFEST
from simulator.results.notices import NOTICE
from simulator.studies import replay  # noqa: F401 - replay is loaded while the engine is still the real one
from tests.support.synthetic import ARMS, make_provenance, make_record

HEAVY = {"numba", "scipy", "xarray", "pandas", "h5netcdf", "h5py", "matplotlib", "rich", "numpy", "pydantic"}


def fake_simulate(scenario, patients=None, seed=None, output="full", progress=None, **_):
    """A synthetic run that pretends to be of the scenario."""
    if fake_simulate.error:
        raise fake_simulate.error
    record = make_record(patients or 40, 1 if seed is None else seed, full=output == "full")
    record = replace(record, title=scenario.title)
    for done in range(5):
        progress and progress(done, 5)
    arguments = {"patients": record.n_patients, "seed": record.seed, "output": output}
    provenance = make_provenance(
        record,
        scenario=scenario.resolved_yaml(),
        scenario_sha256=scenario.sha256,
        name=scenario.name,
        arguments=arguments,
        engine_version=fake_simulate.version,
    )
    return name(record, lambda: provenance)


@pytest.fixture(autouse=True)
def fake_run(monkeypatch, tmp_path):
    """`simulator.run` without an engine; the working folder is empty."""
    module = types.ModuleType("simulator.run")
    module.simulate, module.memory, module.SEED = fake_simulate, lambda scenario, **_: 3 << 20, 1
    fake_simulate.error, fake_simulate.version = None, "0.0.1"
    monkeypatch.setitem(sys.modules, "simulator.run", module)
    monkeypatch.chdir(tmp_path)
    return module


def names(place="."):
    """What is in a folder."""
    return sorted(path.name for path in Path(place).iterdir())


def call(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.mark.slow
def test_run_writes_a_folder_and_prints_the_headline():
    done = call("run", "valor", "-o", "out", "-n", 30, "--seed", 5, "--full")
    assert done.exit_code == 0, done.output
    assert names("out") == ["manifest.json", "result.nc", "scenario.resolved.yaml", "summary.csv"]
    assert "Written to out" in done.stderr
    assert done.stdout.startswith(load("valor").title)
    assert "30 patients in each arm, seed 5" in done.stdout
    for text in ("as if alive", "survivors", "death = 0", "B early_start", "B vs C", "Screening: 90", NOTICE):
        assert text in done.stdout
    assert "\x1b" not in done.stdout
    assert open_study("out").n_patients == 30


@pytest.mark.slow
def test_columns_are_aligned():
    lines = call("run", "valor", "-o", "out", "--full").stdout.splitlines()
    at = next(k for k, line in enumerate(lines) if line.split()[:2] == ["day", "196"])
    assert lines[at].split() == ["day", "196", "day", "364", "day", "728"]
    assert lines[at + 1].split() == ["week", "28", "week", "52", "week", "104"]
    block = lines[at : lines.index("", at)]
    rows = [line for line in block if "±" in line]
    ends = {tuple(found.end() for found in re.finditer(r"± [\d.]+", line)) for line in rows}
    assert ends == {tuple(found.end() for found in re.finditer(r"day \d+", lines[at]))}
    names = [*(f"{letter} {arm}" for letter, arm in zip("ABC", ARMS, strict=True)), "B vs A", "C vs A", "B vs C"]
    heads = [k for k, line in enumerate(block) if line and not line.startswith(" ")]
    assert len(heads) == 13
    first = block[heads[0] + 1 : heads[1]]
    assert [line[: len(name) + 2] for line, name in zip(first, names, strict=True)] == [f"  {name}" for name in names]


@pytest.mark.slow
def test_tables_fit_eighty_columns():
    lines = call("run", "valor", "-o", "out", "--full").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    at = next(k for k, line in enumerate(lines) if line.startswith("Screening"))
    assert lines[at].split()[-1] == "faster"
    assert lines[at + 1].split() == ["svc_percent", ">=", "65", "80"]
    for done in (call("compare", "out", "out"), call("doctor"), call("list")):
        assert done.exit_code == 0
        assert max(len(line) for line in done.stdout.splitlines() if "cache" not in line) <= 80


@pytest.mark.slow
def test_a_folder_named_like_the_scenario_does_no_harm():
    for _ in range(2):
        assert call("run", "valor", "-o", "valor").exit_code == 0
    assert (Path("valor") / MANIFEST).is_file()


@pytest.mark.slow
def test_the_default_folder_is_the_same_for_the_same_run():
    for _ in range(2):
        assert call("run", "valor", "-n", 20).exit_code == 0
    assert len(names("results")) == 1
    assert re.fullmatch(r"valor-[0-9a-f]{8}", names("results")[0])
    for other in (("--seed", 2), ("-n", 21), ("--output", "summary"), ("--set", "title=Another")):
        assert call("run", "valor", "-n", 20, *other).exit_code == 0
    assert len(names("results")) == 5


@pytest.mark.slow
def test_json_is_one_document_without_nan():
    done = call("run", "valor", "-o", "out", "--json")
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert document["patients"] == 40
    assert document["notice"] == NOTICE
    assert {row["kind"] for row in document["rows"]} == {"arm", "difference"}
    assert all(row["mcse"] is not None for row in document["rows"] if row["kind"] == "difference")
    assert all(row["paired"] for row in document["rows"] if row["kind"] == "difference")


def test_summary_output():
    done = call("run", "valor", "-o", "out", "--output", "summary", "--full")
    assert done.exit_code == 0
    assert "as if alive" not in done.stdout
    assert "death = 0" in done.stdout
    assert "not paired" in done.stdout
    assert set(open_study("out").groups) == {"summary"}


@pytest.mark.slow
def test_settings_reach_the_scenario():
    assert (
        call(
            "run", "valor", "-o", "out", "--set", "title=Another", "--set", "treatments.tofersen.effect.mean=0.5"
        ).exit_code
        == 0
    )
    assert float(load("out/scenario.resolved.yaml").treatments["tofersen"].effect.mean) == 0.5
    assert open_study("out").title == "Another"
    done = call("run", "valor", "-o", "out", "--set", "follow_up_dais=1")
    assert done.exit_code == 2
    assert "follow_up_days" in done.stderr
    assert call("run", "valor", "--set", "nonsense").exit_code == 2


def test_dry_run_writes_nothing():
    done = call("run", "valor", "--dry-run", "-n", 77)
    assert done.exit_code == 0, done.output
    assert names() == []
    for text in ("77", "untreated, early_start, delayed_start", "286", "result.nc"):
        assert text in done.stdout
    assert json.loads(call("run", "valor", "--dry-run", "--json").stdout)["memory_mb"] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("run", "nosuch"), 2, "nosuch"),
        (("run", "valor", "-n", "0"), 2, "greater than or equal to 1"),
        (("run", "valor", "--days", "nan"), 2, "'nan' is not a list of days"),
        (("trial", "valor_trial", "--sizes", "inf"), 2, "'inf' is not a list of whole numbers"),
        (("trial", "valor_trial", "--sizes", "60.5"), 2, "'60.5' is not a list of whole numbers"),
        (("trial", "valor_trial", "--power", "nan"), 2, "'nan' is not a list of numbers"),
        (("decide", "valor"), 2, "see docs/decisions.md"),
        (("run", "valor", "--max-memory", "much"), 2, "write 4G or 500M"),
        (("run", "valor", "-o", "."), 2, "does not belong to a run"),
        (("run", "valor", "-o", "mine.txt"), 2, "is a file"),
        (("compare", "nosuch", "nosuch"), 2, "no such file"),
        (("replay", "."), 2, "not the folder of a study"),
        (("nonsense",), 2, "No such command"),
    ],
)
def test_errors_are_one_line_with_a_code(tmp_path, arguments, code, text):
    (tmp_path / "mine.txt").write_text("mine")
    done = call(*arguments)
    assert done.exit_code == code, done.output
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert names() == ["mine.txt"]


def test_help_names_every_picture_and_says_what_each_analysis_is():
    from simulator.analysis.trial.registry import ANALYSES as KNOWN
    from simulator.cli.help_text import ANALYSES, pictures
    from simulator.cli.report import KINDS

    assert [name for name, _ in pictures()] == KINDS
    assert set(ANALYSES) == set(KNOWN)


def test_force():
    Path("mine.txt").write_text("mine")
    assert call("run", "valor", "-o", ".", "--force").exit_code == 0
    assert {"mine.txt", MANIFEST} <= set(names())


def test_ctrl_c(monkeypatch):
    fake_simulate.error = KeyboardInterrupt()
    monkeypatch.setattr(sys, "argv", ["als-sim", "run", "valor", "--set", "title=two words"])
    done = call("run", "valor", "--set", "title=two words")
    assert done.exit_code == 130
    assert "als-sim run valor --set 'title=two words'" in done.stderr
    assert names() == []


@pytest.mark.parametrize(
    ("text", "value"), [("4G", 4 << 30), ("500m", 500 << 20), ("1.5 GiB", 3 << 29), ("1024", 1024), ("2KB", 2048)]
)
def test_sizes(text, value):
    assert size(text) == value


def test_max_memory_reaches_the_engine(fake_run):
    taken = []
    fake_run.simulate = lambda *a, max_memory, **k: taken.append(max_memory) or fake_simulate(*a, **k)
    assert call("run", "valor", "-o", "out", "--max-memory", "4G").exit_code == 0
    assert taken == [4 << 30]


# ---- compare ----


@pytest.mark.slow
def test_compare_pairs_equal_seeds():
    for folder, options in (("a", ("-n", 40)), ("b", ("-n", 60)), ("c", ("-n", 40, "--seed", 2))):
        assert call("run", "valor", "-o", folder, *options).exit_code == 0
    paired = json.loads(call("compare", "a", "b", "--json").stdout)
    alone = json.loads(call("compare", "a", "c", "--json").stdout)
    assert paired["paired"]
    assert not alone["paired"]
    assert "40 patients in both" in paired["notes"][0]
    assert "seeds differ" in alone["notes"][0]
    assert len(paired["rows"]) == len(alone["rows"]) == 3 * 8 * 3
    assert all(row["lower"] <= row["estimate"] <= row["upper"] for row in paired["rows"])
    assert {row["paired"] for row in paired["rows"]} == {True}
    assert {row["paired"] for row in alone["rows"]} == {False}
    for row in alone["rows"]:
        change = row["b"] / row["a"] if row["unit"] == "ratio" else row["b"] - row["a"]
        assert row["estimate"] == pytest.approx(change)
    narrower = [p["mcse"] < a["mcse"] for p, a in zip(paired["rows"], alone["rows"], strict=True) if a["mcse"]]
    assert np.mean(narrower) > 0.9


@pytest.mark.slow
def test_a_result_compared_with_itself_shows_no_difference():
    call("run", "valor", "-o", "a")
    document = json.loads(call("compare", "a", "a/result.nc", "--json").stdout)
    assert {row["mcse"] for row in document["rows"]} == {0.0}
    assert {row["estimate"] for row in document["rows"] if row["unit"] != "ratio"} == {0.0}
    assert {row["estimate"] for row in document["rows"] if row["unit"] == "ratio"} == {1.0}
    assert "95 % interval" in call("compare", "a", "a").stdout


@pytest.mark.slow
def test_compare_says_in_what_the_two_differ():
    call("run", "valor", "-o", "a", "-n", 40)
    call("run", "valor", "-o", "b", "-n", 40, "--set", "arms.delayed_start.0.from_day=91", "--set", "title=Sooner")
    text = call("compare", "a", "b").stdout
    assert "B  b: Sooner" in text
    changed = json.loads(call("compare", "a", "b", "--json").stdout)["notes"][1:]
    assert changed == ["arms.delayed_start.0.from_day: 196 in A, 91 in B"]
    assert changed[0] in text
    assert json.loads(call("compare", "a", "a", "--json").stdout)["notes"][1:] == []


@pytest.mark.slow
def test_compare_of_far_scenarios_is_short_and_fits():
    call("run", "valor", "-o", "a", "-n", 40)
    call("run", "natural_history", "-o", "b", "-n", 40)
    text = call("compare", "a", "b").stdout
    assert " more values" in text
    assert text.count(" in A, ") == 8
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.slow
def test_compare_full_and_summary():
    call("run", "valor", "-o", "a")
    call("run", "valor", "-o", "b", "--output", "summary")
    document = json.loads(call("compare", "a", "b", "--json").stdout)
    assert not document["paired"]
    assert all(abs(row["estimate"]) < 0.05 for row in document["rows"] if row["metric"] == "alsfrs_r_change_survivors")


# ---- replay ----


@pytest.mark.slow
def test_replay_equal_and_not():
    call("run", "valor", "-o", "a")
    done = call("replay", "a")
    assert done.exit_code == 0, done.output
    assert "equal" in done.stdout
    assert json.loads(call("replay", "a", "--json").stdout)["deviations"] == []
    fake_simulate.version = "0.0.2"
    done = call("replay", "a")
    assert done.exit_code == 0
    assert done.stdout.startswith("Made with other versions: engine was 0.0.1 and is now 0.0.2; ")
    assert "within the tolerance" in done.stdout
    fake_simulate.version = "0.0.1"
    manifest = json.loads(Path("a/manifest.json").read_text())
    manifest["arguments"]["patients"] = 31
    Path("a/manifest.json").write_text(sealed_text(manifest))
    done = call("replay", "a")
    assert done.exit_code == 1
    assert "differs  " in done.stdout


def test_replay_of_a_tampered_folder():
    call("run", "valor", "-o", "a")
    with Path("a/summary.csv").open("a") as file:
        file.write("x")
    done = call("replay", "a")
    assert done.exit_code == 1
    assert "summary.csv: changed since the run" in done.stderr


# ---- export ----


@pytest.mark.slow
def test_export_csv():
    import pandas

    call("run", "valor", "-o", "a", "-n", 20)
    done = call("export", "a", "--to", "csv")
    assert done.exit_code == 0, done.output
    groups = ("summary", "patients", "truth", "observed", "events", "doses", "occupancy")
    assert set(names("a/csv")) == {*(f"{one}.csv" for one in groups), "tables.sha256.json"}
    result = open_study("a")
    observed = pandas.read_csv("a/csv/observed.csv")
    assert len(observed) == 3 * 20 * 27
    row = observed[(observed.arm == "early_start") & (observed.patient == 4) & (observed.visit == 2)]
    assert row.nfl_plasma.item() == pytest.approx(result.groups["observed"]["nfl_plasma"].values[1, 4, 2], rel=1e-5)
    assert row.nominal_day.item() == 56
    assert observed.alsfrs_r.isna().sum() == np.isnan(result.groups["observed"]["alsfrs_r"].values).sum() > 0
    events = pandas.read_csv("a/csv/events.csv", keep_default_na=False)
    assert set(events.event) <= {"none", "death", "pav"}
    assert set(pandas.read_csv("a/csv/doses.csv").arm) == {"early_start", "delayed_start"}
    assert call("export", "a").exit_code == 2
    assert call("export", "a/result.nc", "--force").exit_code == 0
    assert call("replay", "a").exit_code == 0


@pytest.mark.slow
def test_run_and_export():
    assert call("run", "valor", "-o", "a", "-n", 5, "--export", "csv").exit_code == 0
    assert "patients.csv" in names("a/csv")
    assert call("run", "valor", "-o", "a", "-n", 6, "--export", "csv").exit_code == 0
    assert Path("a/csv/patients.csv").read_text().count("\n") == 7
    for arguments, reason in (
        (("natural_history",), "the scenario has none"),
        (("valor", "--output", "summary"), "a summary keeps none"),
    ):
        done = call("run", *arguments, "-o", "b", "--export", "csv,adam")
        assert done.exit_code == 2
        assert reason in done.stderr
        assert not Path("b").exists()
    assert call("run", "valor", "--export", "xls").exit_code == 2


@pytest.mark.parametrize("code", [1, 2, 3])
def test_an_error_with_a_code_ends_with_it(code):
    fake_simulate.error = type("Explained", (Exception,), {"exit_code": code})("what to do")
    done = call("run", "valor")
    assert (done.exit_code, done.stderr) == (code, "what to do\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("run va", {"valor", "valor_trial", "valor_trial_imbalanced", "valor_extension", "valor_regions"}),
        ("show case", {"case_a", "case_b"}),
        ("init --from prev", {"prevention"}),
        ("plot DIR st", {"stages", "strata"}),
        ("repl", {"replay"}),
    ],
)
def test_a_shell_completes_commands_scenarios_and_pictures(words, expected):
    asked = {
        "_ALS_SIM_COMPLETE": "complete_bash",
        "COMP_WORDS": f"als-sim {words}",
        "COMP_CWORD": str(words.count(" ") + 1),
    }
    done = CliRunner().invoke(app, [], prog_name="als-sim", env=asked)
    assert set(done.stdout.split()) == expected


@pytest.mark.slow
def test_every_command_can_print_json():
    names = re.findall(r"^  (\w+)  ", call("--help").stdout.partition("Commands:")[2], re.MULTILINE)
    assert len(names) > 10
    groups = {"data": ("check", "show", "convert")}
    calls = [(name, *more) for name in names for more in ([(one,) for one in groups[name]] if name in groups else [()])]
    assert [one for one in calls if "--json" not in call(*one, "--help").stdout] == [("schema",)]  # prints nothing else


def test_what_a_command_does_is_not_cut_short_in_the_list():
    commands = call("--help").stdout.partition("Commands:")[2]
    assert len(commands.splitlines()) > 10
    assert "..." not in commands


# ---- progress, doctor, start-up ----


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_shows_only_on_a_terminal_and_after_two_seconds(terminal, monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: clock[0])
    with progress_module.Progress() as bar:
        bar(1, 10)
        assert bar._bar is None
        clock[0] = 2.5
        bar(5, 10)
    taken = capsys.readouterr()
    assert ("50 %" in taken.err) == terminal
    assert (taken.err == "") != terminal
    assert taken.out == ""


def test_progress_in_points_shows_rate_and_remaining_time(monkeypatch, capsys):
    monkeypatch.setattr(progress_module, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress_module.Progress("points") as bar:
        bar(500, 1000)
        assert any(type(one).__name__ == "TimeRemainingColumn" for one in bar._bar.columns)
    assert re.search(r"500 of 1,000 points, \S+/s", capsys.readouterr().err)


def test_doctor(monkeypatch):
    done = call("doctor")
    assert done.exit_code == 0, done.output
    assert re.search(r"random numbers +ok +3 of 3 published", done.stdout)
    assert "numba" in done.stdout
    from simulator.studies import doctor

    counter, key, output = doctor.VECTORS[0]
    monkeypatch.setattr(doctor, "VECTORS", ((counter, key, (1, *output[1:])),))
    done = call("doctor")
    assert done.exit_code == 1
    assert "FAILED" in done.stdout


def test_version():
    done = call("--version")
    assert done.exit_code == 0
    assert done.stdout == f"als-sim {__version__}\n"


@pytest.mark.parametrize("code", ["import simulator", "from simulator.cli.app import app"])
def test_nothing_heavy_is_imported_to_start(root, code):
    script = f"import sys\n{code}\nprint(*{HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == ""


def test_help_imports_nothing_heavy(root):
    script = (
        "import sys\nfrom simulator.cli.app import main\nsys.argv = ['als-sim', '--help']\n"
        f"try:\n    main()\nexcept SystemExit:\n    pass\nprint('HEAVY', *{HEAVY!r} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=True)
    assert "doctor" in done.stdout
    assert done.stdout.splitlines()[-1].strip() == "HEAVY"


def test_public_names():
    import simulator

    assert {"load", "simulate", "open", "Result", "Scenario", "ScenarioError", "compare", "replay"} <= set(
        dir(simulator)
    )
    assert simulator.load is load
    assert simulator.open is opening.open_study
    with pytest.raises(AttributeError, match="nonsense"):
        _ = simulator.nonsense


def test_twins_without_a_scenario_says_so():
    """A centre's two tables, and nothing else."""
    with pytest.raises(UsageError) as found:
        need_scenario(["people.csv"], "scores.csv")
    assert str(found.value).startswith("scores.csv is a table, and the last name is that of a scenario. Add one:")
    assert str(found.value).endswith("als-sim twins people.csv scores.csv generic_als")
    need_scenario(["people.csv", "scores.csv"], "generic_als")
