"""A folder holds one study, whatever its kind: nothing is mixed, nothing of a person's is lost, damage is noticed."""

import json
import random
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.datasets.files import SUMS
from simulator.report import style
from simulator.results.errors import FolderError, ResultError
from simulator.results.files import sealed_text, sha256, write_all
from simulator.results.folder import MANIFEST, check_folder, write_folder
from simulator.results.kinds import KINDS, RUN, SENSITIVITY, SWEEP, TRIAL
from tests.support.figures import check_texts

ADDRESS = "progression.d50_months.other"
PRIOR = {"value": 20, "prior": {"uniform": {"low": 10, "high": 40}}, "evidence": "assumed"}
OUTCOME = {"outcome": "event_free_months", "arm": "untreated", "day": 3640, "parameters": [ADDRESS]}


@pytest.fixture(scope="module")
def scenario():
    return sim.load("analytic/constant_hazard").replace({ADDRESS: PRIOR, "sensitivity": OUTCOME})


def deciding(scenario):
    """The same with a second arm and a choice between the two."""
    states = {f"stage_{k}": 0.8 - 0.1 * k for k in range(5)}
    block = {
        "options": ["untreated", "again"], "currency": "EUR", "price_year": 2020, "perspective": "payer",
        "discount_per_year": 0.03, "willingness_to_pay": 1000, "utilities": {"system": "ft9", "states": states},
        "costs": {"per_month": {"alive": 10}, "once": {"again": 5}},
    }  # fmt: skip
    return scenario.replace({"arms": {"untreated": [], "again": []}, "output.stages": True, "decision": block})


@pytest.fixture(scope="module")
def made(scenario, tmp_path_factory):
    """A folder of each kind of study."""
    places = {kind.name: tmp_path_factory.mktemp(kind.name) / "it" for kind in KINDS}
    write_folder(sim.simulate(scenario, patients=20), places["run"])
    sim.sweep(scenario, {ADDRESS: [10, 20]}, patients=20, folder=places["sweep"])
    sim.sensitivity(scenario, patients=20, folder=places["sensitivity"])
    sim.decide(deciding(scenario), patients=20, draws=2, replicates=1, draw_patients=5, folder=places["decision"])
    trial = sim.trial(sim.load("valor_trial"), replicates=2, truth=0, null=False, analyses=["ancova"])
    write_folder(trial, places["trial"])
    data = tmp_path_factory.mktemp("data")
    (data / "participants.csv").write_text("id,arm\n1,a\n2,a\n")
    (data / "measurements.csv").write_text("id,day,alsfrs_r\n1,0,40\n1,90,38\n2,0,44\n")
    write_folder(sim.twins(data, sim.load("generic_als"), twins=20, pool=4_096), places["twins"])
    two = tmp_path_factory.mktemp("two")
    (two / "participants.csv").write_text("id,arm\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(8)))
    rows = [f"{k},{day},{40 + k - day // 30 * (1 + k % 3)}\n" for k in range(8) for day in (0, 90)]
    (two / "measurements.csv").write_text("id,planned_day,alsfrs_r\n" + "".join(rows))
    write_folder(sim.analyse(two, ["ancova", "logrank"], arms=["a", "b"]), places["analyses"])
    write_folder(sim.fit(two, sim.load("generic_als"), crowd=4_096, steps=0, draws=2), places["fit"])
    return places


@pytest.fixture(params=[kind.name for kind in KINDS])
def kind(request):
    return next(kind for kind in KINDS if kind.name == request.param)


@pytest.fixture
def folder(made, kind, tmp_path):
    return shutil.copytree(made[kind.name], tmp_path / "copy")


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_kind_opens_shows_and_tabulates_itself(folder, kind):
    study = sim.open(folder)
    assert study.kind is kind
    assert isinstance(study, sim.StudyResult)
    assert len(study.summary()) > 0
    assert study.data is not None
    assert "<table" in study._repr_html_()
    assert isinstance(study.plot.kinds, tuple)
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["arguments"] == json.loads(json.dumps(study.arguments))
    of_scenario = {"scenario.resolved.yaml"} if kind.name != "analyses" else set()
    assert {kind.file, *of_scenario, study.table_file} <= set(manifest["files"])


@pytest.mark.parametrize("width", [style.WIDE, style.NARROW])
def test_pictures_of_every_kind_can_be_read(folder, width):
    study = sim.open(folder)
    with style.page(width):
        for one in study.plot.kinds:
            check_texts(study.plot.draw(one).figure)


def test_every_kind_is_saved_and_opened_alone(folder, kind, tmp_path):
    study = sim.open(folder)
    study.save(tmp_path / f"alone{(folder / kind.file).suffix}")
    again = sim.open(tmp_path / f"alone{(folder / kind.file).suffix}")
    assert again.kind is kind
    assert again.summary().equals(study.summary())


def test_every_kind_is_replayed(folder):
    found = sim.replay(folder)
    assert found.equal, found.deviations
    assert found.compared > 0


@pytest.mark.slow
def test_a_flipped_bit_is_noticed(folder, kind):
    """Of 30 flips in the one file of a study each is an error, in its folder and alone."""
    place, draw = folder / kind.file, random.Random(5)
    whole = place.read_bytes()
    for _ in range(30):
        content = bytearray(whole)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        for path in (place, folder.parent / f"alone{place.suffix}"):
            path.write_bytes(content)
            with pytest.raises(ResultError):
                sim.open(path)


def test_a_file_from_elsewhere_is_noticed(made, tmp_path, scenario):
    folder = shutil.copytree(made["run"], tmp_path / "run")
    sim.simulate(scenario, patients=21).save(folder / RUN.file)
    with pytest.raises(ResultError, match="from elsewhere: its sha256"):
        sim.open(folder)


def test_a_run_of_another_scenario_is_not_replaced_unasked(made, tmp_path, scenario):
    folder = shutil.copytree(made["run"], tmp_path / "run")
    other = sim.simulate(scenario.replace({ADDRESS: 30}), patients=20)
    with pytest.raises(FolderError, match=r"holds a run of another scenario, .* --force"):
        write_folder(other, folder)
    assert sim.open(folder).scenario_sha256 == scenario.sha256
    write_folder(other, folder, force=True)
    assert sim.open(folder).scenario_sha256 == other.scenario_sha256


def test_another_kind_of_study_is_not_replaced_unasked(folder, kind):
    for other in KINDS:
        if other is not kind:
            with pytest.raises(FolderError, match=f"holds {kind.title}; .* --force"):
                check_folder(folder, other)


def test_a_folder_with_other_files_is_refused_and_force_leaves_them(folder, kind, made):
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(FolderError, match=r"notes\.txt does not belong to the study in it"):
        write_folder(sim.open(made[kind.name]), folder)
    write_folder(sim.open(made[kind.name]), folder, force=True)
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.slow
def test_what_was_made_from_a_run_goes_with_it(made, tmp_path, scenario):
    folder = shutil.copytree(made["run"], tmp_path / "run")
    before = names(folder)
    for words in (["plot", folder, "survival"], ["export", folder, "--to", "csv"], ["report", folder]):
        done = CliRunner().invoke(app, list(map(str, words)))
        assert done.exit_code == 0, done.output
    assert {"survival.svg", "report.html", "csv/summary.csv"} <= names(folder)
    source = json.loads((folder / MANIFEST).read_text())["files"][RUN.file]["sha256"]
    assert json.loads((folder / MANIFEST).read_text())["made"]["report.html"] == {"made_from": source}
    write_folder(sim.simulate(scenario, patients=20, seed=2), folder)
    assert names(folder) == before
    assert not (folder / "csv").exists()


@pytest.mark.slow
def test_what_was_made_from_a_study_says_so_wherever_it_goes(folder, kind, tmp_path):
    """The sha256 of the study's file is in a report, an SVG and a PNG, to be read and by programs; twice alike."""
    source = json.loads((folder / MANIFEST).read_text())["files"][kind.file]["sha256"]
    pictures = sim.open(folder).plot.kinds
    made = [["plot", folder, pictures[0], "-o", f"a.{end}"] for end in ("svg", "png") if pictures]
    made += [["report", folder, "-o", "a.html"]] if kind.name != "sensitivity" else []
    for *words, name in made:
        twice = []
        for place in (tmp_path / "one" / name, tmp_path / "two" / name):
            done = CliRunner().invoke(app, list(map(str, [*words, place])))
            assert done.exit_code == 0, done.output
            twice.append(place.read_bytes())
        assert twice[0] == twice[1]
        text = twice[0].decode("latin-1")
        if name == "a.html":
            assert f'<meta name="made-from" content="sha256:{source}">' in text
            assert f"SHA-256 <code>{source}</code>" in text
        elif name == "a.svg":
            assert f"<metadata>made_from sha256:{source}</metadata>" in text
        else:
            assert f"tEXtmade_from\0sha256:{source}" in text
            sim.open(folder).plot.draw(words[2]).save(tmp_path / name)
            assert (tmp_path / name).read_bytes() == twice[0]


class Killed(BaseException):
    """Stands for a process that ends between writing and whatever comes next."""


def test_what_a_killed_process_made_belongs_to_the_study(folder, kind, monkeypatch):
    """A picture, report or table that was written just before the end does not keep the study from going on."""

    def write(*told):
        write_all(*told)
        raise Killed

    words = [["report", folder]] * (kind.name != "sensitivity") + [
        ["plot", folder, one] for one in sim.open(folder).plot.kinds[:1]
    ]
    words += [["export", folder, "--to", "csv"]] * (kind is RUN)
    for place in ("report.page.write_all", "report.picture.write_all", "results.export.write_tables"):
        monkeypatch.setattr(f"simulator.{place}", lambda where, files, *_: write(where, list(files)))
    before = names(folder)
    for one in words:
        with pytest.raises(Killed):
            CliRunner().invoke(app, list(map(str, one)), catch_exceptions=False)
    assert len(names(folder)) >= len(before) + len(words)
    check_folder(folder, kind)


@pytest.mark.slow
@pytest.mark.parametrize("to", ["csv", "parquet", "adam"])
def test_tables_say_what_they_were_made_from_wherever_they_go(tmp_path, to):
    """Beside tables is a list of what each is and was made from: it goes where the folder goes; Parquet has it inside.

    Tables of another kind in the same folder stay listed, and what is listed is removed with its study.
    """
    parquet = pytest.importorskip("pyarrow.parquet")
    trial = sim.load("valor_trial")
    write_folder(sim.simulate(trial, patients=20), tmp_path / "run")
    source = sha256(tmp_path / "run" / RUN.file)
    for kind in ("parquet", to):
        for words in (["--force"], ["--force", "-o", str(tmp_path / "all")]):
            done = CliRunner().invoke(app, ["export", str(tmp_path / "run"), "--to", kind, *words])
            assert done.exit_code == 0, done.output
    moved = shutil.move(tmp_path / "run" / to, tmp_path / "elsewhere")
    for folder in (moved, tmp_path / "all"):
        told = json.loads((folder / SUMS).read_text())
        tables = sorted(path.name for path in folder.iterdir() if path.name != SUMS)
        assert told.pop("made_from") == dict.fromkeys(tables, source)
        assert told == {name: sha256(folder / name) for name in tables}
        for path in folder.glob("*.parquet"):
            assert parquet.read_schema(path).metadata == {b"made_from": f"sha256:{source}".encode()}
    assert f"{to}/{SUMS}" in json.loads((tmp_path / "run" / MANIFEST).read_text())["made"]


def test_with_force_the_parts_of_another_kind_go(made, tmp_path, scenario):
    folder = shutil.copytree(made["sweep"], tmp_path / "it")
    write_folder(sim.simulate(scenario, patients=20), folder, force=True)
    assert names(folder) == {RUN.file, "summary.csv", "scenario.resolved.yaml", MANIFEST}


def test_a_manifest_cannot_name_files_outside_its_folder(made, tmp_path, scenario):
    folder = shutil.copytree(made["run"], tmp_path / "run")
    (tmp_path / "outside.txt").write_text("mine")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["made"] = {"../outside.txt": {}, str(tmp_path / "outside.txt"): {}}
    (folder / MANIFEST).write_text(sealed_text(manifest))
    write_folder(sim.simulate(scenario, patients=20, seed=3), folder)
    assert (tmp_path / "outside.txt").read_text() == "mine"


@pytest.mark.parametrize("edited", [{"files": [1]}, {"files": {"result.nc": 5}}, {"made": 3}, {"arguments": "x"}])
@pytest.mark.parametrize("command", ["show", "report", "replay"])
def test_an_edited_manifest_is_no_internal_error(made, tmp_path, edited, command):
    folder = shutil.copytree(made["run"], tmp_path / "run")
    told = json.loads((folder / MANIFEST).read_text()) | edited
    (folder / MANIFEST).write_text(sealed_text(told))
    done = CliRunner().invoke(app, [command, str(folder)])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert f"{MANIFEST}: damaged or changed: {next(iter(edited))} is not what" in done.stderr


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"format": 3}', '{"format": "als-simulator run 1", "files": 7}', "\x00"]
)
def test_a_damaged_manifest_is_an_error_of_its_own(made, tmp_path, text):
    folder = shutil.copytree(made["run"], tmp_path / "run")
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ResultError):
        sim.replay(folder)
    with pytest.raises(FolderError):
        check_folder(folder, RUN)


def test_the_registry_names_each_kind_once():
    assert [kind.name for kind in KINDS] == [
        "run",
        "trial",
        "sweep",
        "sensitivity",
        "decision",
        "twins",
        "analyses",
        "fit",
    ]
    for column in ("file", "format", "manifest", "made", "plots"):
        assert len({getattr(kind, column) for kind in KINDS}) == len(KINDS)
    assert not RUN.work
    assert TRIAL.work
    assert SWEEP.work
    assert SENSITIVITY.work


FULL_DISK = """
import resource, sys
from pathlib import Path
from simulator.errors import ResourceError
from simulator.results import name
from simulator.results.folder import write_folder
from tests.support.synthetic import make_provenance, make_record
record = make_record(600)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    write_folder(name(record, lambda: make_provenance(record)), Path(sys.argv[1]))
except ResourceError as error:
    print(error.exit_code, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are those of POSIX")
@pytest.mark.parametrize("most", [0, 500, 20_000, 100_000])
def test_a_file_that_does_not_fit_is_one_error_and_leaves_nothing(root, tmp_path, most):
    """A limit on the size of files stands for a full disk: HDF5 ends the process where it meets either."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "run"), str(most)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"3 {tmp_path / 'run'}: cannot write: File too large. ")
    assert not (tmp_path / "run").exists()
