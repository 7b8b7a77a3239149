"""docs/extend.md, done by a stranger: its blocks become a package of its own, found by entry points and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "extend.md").read_text("utf-8")
ADDITIONS = {
    "mechanism": "A mechanism",
    "analysis": "An analysis",
    "measure": "A measure",
    "picture": "A picture",
    "study": "A kind of study",
    "model": "A progression model",
}
SCRIPT = '''
"""What a person does with all of them; prints what came of it."""
import json
from pathlib import Path

import numpy as np

import simulator as sim
from simulator.language.loading import parse
from simulator.language.dump import to_yaml
from simulator.language.schema import schema

found = {}
design = {"size": 40, "allocation": {"placebo": 1, "tofersen": 1}, "analysis_days": [196]}
seldom = {"follow_up_days": 196, "visits.every_days": 196, "trial": design}
base = sim.load("valor_trial").replace({"attrition": None, "adherence": None, "safety": None, "trial": None})
shot = {"kind": "vaccine", "slowing": {"value": 0.5, "evidence": "assumed"}, "builds_up_days": 20}
arms = {"placebo": [], "tofersen": [{"treatments": ["shot"], "from_day": 0}]}
scenario = base.replace(seldom | {"treatments": {"shot": shot}, "arms": arms})
result = sim.simulate(scenario, patients=40, seed=1, threads=1)
score = result.groups["truth"]["alsfrs_r"].values[..., -1].mean(axis=1)
found["mechanism"] = bool(score[1] > score[0])
try:
    scenario.replace({"treatments.shot.slowing": 1.5})
except sim.ScenarioError as error:
    found["refused"] = str(error)
found["schema"] = "VaccineFromCatalog" in json.dumps(schema())
found["swept"] = scenario.replace({"treatments.shot.slowing": 0.1}).treatments["shot"].slowing.value

trial = sim.trial(scenario, analyses=["welch"], replicates=2, truth=100, threads=1)
found["analysis"] = [bool(np.isfinite(trial.estimates("welch")["value"]).all()), float(trial.truth("welch").value)]

from simulator.measures.headline import headline
found["measure"] = sorted({row.kind for row in headline(result).rows if row.metric == "lost_ten"})

result.save("result.nc")
found["picture"] = result.plot.alive().svg()[:5]

from als_extra.study import seeds
seeds(scenario, number=2, patients=5).save("seeds.nc")
again = sim.open("seeds.nc")
found["study"] = [type(again).__name__, list(again.summary()["seed"])]

lines = sim.load("natural_history").content()
lines["progression"] = {"model": "linear"}
lines["output"] = {"stages": False}
lines["visits"] = {"every_days": 364, "assessments": ["alsfrs_r"]}
lines = {key: value for key, value in lines.items() if key not in ("sweep", "sensitivity", "decision", "estimand")}
lines["disease"] = {"catalog": "sod1", "variants": {"p.Ala5Val": 0.5, "other": 0.5}}
lines["entry"] = {"time_since_onset_months": 12}
first = parse(to_yaml(lines).encode(), "linear.yaml")
renamed = first.content()
renamed["progression"]["model"] = "steady"
second = parse(to_yaml(renamed).encode(), "steady.yaml")
runs = [sim.simulate(each, patients=20, seed=1, threads=1) for each in (first, second)]
one, other = (run.groups["truth"]["alsfrs_r"].values for run in runs)
found["model"] = [second.progression.model, bool((one == other).all())]
print(json.dumps(found))
'''


def blocks(heading: str) -> list[str]:
    """The blocks of Python under a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def written(folder: Path) -> dict[str, list[Path]]:
    """The page's package, installed in a folder: the files of each addition."""
    package = folder / "als_extra"
    package.mkdir()
    (package / "__init__.py").write_text("")
    made: dict[str, list[Path]] = {}
    for name, heading in ADDITIONS.items():
        parts = blocks(heading)
        places = [package / f"{name}.py"]
        if name == "model":
            (package / "model").mkdir()
            (package / "model" / "__init__.py").write_text("")
            places = [package / "model" / "spec.py", package / "model" / "compile.py"]
        if name == "study":
            places.append(package / "command.py")
        assert len(parts) == len(places), name
        for place, text in zip(places, parts, strict=True):
            place.write_text(text, "utf-8")
        made[name] = places
    about = folder / "als_extra-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: als-extra\nVersion: 1.0\n")
    modules = {"command": "als_extra.command"} | {
        name: f"als_extra.{name}" + (".spec" if name == "model" else "") for name in ADDITIONS
    }
    named = "".join(f"{name} = {module}\n" for name, module in modules.items())
    (about / "entry_points.txt").write_text(f"[als_simulator]\n{named}")
    return made


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), str(ROOT)])
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> tuple[Path, dict[str, list[Path]]]:
    folder = tmp_path_factory.mktemp("extra")
    return folder, written(folder)


@pytest.fixture(scope="module")
def done(installed) -> dict[str, object]:
    folder, _ = installed
    (folder / "use.py").write_text(SCRIPT, "utf-8")
    ran = python(folder, "use.py")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_each_addition_is_one_file_or_one_folder_and_a_study_a_command(installed):
    _, made = installed
    parts = {name: {one.parent if name == "model" else one for one in places} for name, places in made.items()}
    counted = {name: len(places) for name, places in parts.items()}
    assert counted == dict.fromkeys(ADDITIONS, 1) | {"study": 2}  # a module, and its command


@pytest.mark.slow
def test_a_mechanism_from_outside_treats_is_checked_and_swept(done):
    assert done["mechanism"] is True
    assert "1.5 is not a share or probability" in done["refused"]
    assert done["schema"] is True
    assert done["swept"] == 0.1


def test_an_analysis_from_outside_runs_in_a_trial_beside_its_truth(done):
    finite, truth = done["analysis"]
    assert finite
    assert truth > 0


def test_a_measure_from_outside_is_in_the_headline_of_arms_and_differences(done):
    assert {"arm", "difference"} <= set(done["measure"])


def test_a_picture_from_outside_is_drawn(done):
    assert done["picture"] == "<?xml"


def test_a_kind_of_study_from_outside_is_saved_and_opened(done):
    assert done["study"] == ["Seeds", [1, 2]]


def test_a_model_from_outside_runs(done):
    assert done["model"] == ["steady", True]


@pytest.mark.slow
def test_the_command_line_knows_what_is_installed(installed, done):
    folder, _ = installed
    ran = python(
        folder, "-c", "from simulator.cli import main; main()", "plot", "result.nc", "alive", "-o", "alive.svg"
    )
    assert ran.returncode == 0, ran.stderr
    assert (folder / "alive.svg").is_file()
    ran = python(folder, "-c", "from simulator.cli import main; main()", "seeds", "analytic/constant_hazard", "more")
    assert ran.returncode == 0, ran.stderr
    assert (folder / "more" / "seeds.nc").is_file()


@pytest.mark.slow
def test_a_plug_in_that_cannot_be_loaded_is_named(installed, tmp_path):
    (tmp_path / "broken-1.0.dist-info").mkdir()
    (tmp_path / "broken-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (tmp_path / "broken-1.0.dist-info" / "entry_points.txt").write_text("[als_simulator]\nbad = no_such_module\n")
    ran = python(tmp_path, "-c", "import simulator as sim; sim.load('valor')")
    fact = (
        "the plug-in bad (no_such_module) cannot be loaded: No module named 'no_such_module'. Correct or uninstall it\n"
    )
    assert ran.stderr.endswith(fact)
    ran = python(tmp_path, "-c", "from simulator.cli import main; main()", "list")
    assert (ran.returncode, ran.stderr) == (1, fact)


def test_two_of_one_name_are_refused():
    from simulator.analysis.trial import registry
    from simulator.analysis.trial.errors import AnalysisError
    from simulator.errors import UsageError
    from simulator.measures.metrics import METRICS
    from simulator.measures.metrics import register as measure
    from simulator.mechanisms import register as mechanism
    from simulator.mechanisms.multipliers import RateMultiplier
    from simulator.models import register as model
    from simulator.models.linear.spec import LinearSpec
    from simulator.report.picture import PictureError
    from simulator.report.plots import register as picture
    from simulator.results.kinds import RUN
    from simulator.results.kinds import register as kind

    with pytest.raises(ValueError, match="there is a mechanism 'rate_multiplier' already"):
        mechanism(type("Other", (RateMultiplier,), {"__module__": __name__}))
    with pytest.raises(ValueError, match="there is a model 'linear' already"):
        model(type("Other", (LinearSpec,), {"__module__": __name__}))
    with pytest.raises(AnalysisError, match="there is an analysis ancova already"):
        registry.register(registry.ANALYSES["ancova"]._replace(scale="log"))
    with pytest.raises(UsageError, match="there is a measure event_free already"):
        measure(next(one for one in METRICS if one.name == "event_free"))
    with pytest.raises(PictureError, match="there is a picture survival already"):
        picture("survival")(print)
    with pytest.raises(UsageError, match=r"file 'result\.nc' is that of a run already"):
        kind(RUN._replace(name="other"))


def test_an_analysis_of_the_package_is_one_file():
    """Each file lists its analyses with their truth; no other file of the package has their names."""
    from simulator.analysis.trial.registry import ANALYSES, FIRST

    sources = {path.stem: path.read_text("utf-8") for path in (ROOT / "simulator" / "analysis" / "trial").glob("*.py")}
    listed = {
        name: [stem for stem, text in sources.items() if re.search(rf'Analysis\(\s*"{name}",', text)]
        for name in ANALYSES
    }
    assert all(len(files) == 1 for files in listed.values())
    assert {file for (file,) in listed.values()} == set(FIRST)


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (r"SmallMolecule|small_molecule", "mechanisms/small_molecule.py"),
        (r"GeneTherapy|gene_therapy", "mechanisms/gene_therapy.py"),
        (r"LinearSpec|models\.linear", "models/linear"),
        (r"MultistateSpec|models\.multistate", "models/multistate"),
    ],
)
def test_a_mechanism_or_model_of_the_package_is_one_place_and_one_line(words, own):
    """Nothing else names it: neither the language nor the program nor the loop."""
    package = ROOT / "simulator"
    naming = [path for path in package.rglob("*.py") if re.search(words, path.read_text("utf-8"))]
    elsewhere = {path.relative_to(package).as_posix() for path in naming if not path.is_relative_to(package / own)}
    assert elsewhere == {f"{own.split('/')[0]}/__init__.py"}


def test_the_loop_and_the_models_name_no_mechanism():
    words = re.compile("antisense|small molecule|gene therapy", re.IGNORECASE)
    sources = [path for part in ("engine", "models") for path in (ROOT / "simulator" / part).rglob("*.py")]
    assert len(sources) > 40
    assert not [path.name for path in sources if words.search(path.read_text("utf-8"))]
