"""The cases: numbers at their edges, mixed blocks, files cut and flipped, processes killed. Each says how it failed."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Timer
from typing import Any
from unittest.mock import patch

import numpy as np

import simulator as sim
from simulator.errors import SimulatorError
from simulator.language.document import Document
from simulator.language.faults import Origin
from simulator.language.loading import build, bundled
from simulator.language.plausible import place_kind
from simulator.results.arrays import is_coordinate
from simulator.results.export import export
from simulator.results.files import PART
from simulator.results.folder import write_folder
from simulator.studies.decide import study as decide
from tests.support.mixtures import mixed

LONGEST_SECONDS = 600.0
"""A command that takes longer is killed."""
ECONOMICS = str(Path(__file__).with_name("economics.yaml"))
"""A scenario with every key that a decision has."""
EDGES = (0.0, -1.0, 1e-18, 1e-9, 1e-3, 0.5, 1.0, 1e3, 1e9, 1e18, -1e18, 1e-300, 1e300)
FEW = {"patients": 4}
STARTED = "import sys; from simulator.cli import main; sys.argv[0] = 'als-sim'; main()"
FEWER = """
from functools import partial
from simulator.studies.calibrate import ensemble, evaluate, study
ensemble.sample.__kwdefaults__["steps"] = 60
study.Request = partial(study.Request, patients=0.01)
evaluate.Evaluator._simulate = lambda s, x: [one.observed + one.sd * x[k % len(x)] for k, one in enumerate(s.data)]
"""
"""What stands before a start of `calibrate`: little is simulated, so that it takes seconds and not an hour."""
COMMANDS = tuple(
    tuple(line.split())
    for line in """
    run analytic/constant_hazard -n 2000 -o {out}
    run analytic/constant_hazard -n 500 --export csv -o {out}
    sweep start_delay -n 50 -o {out}
    trial valor_trial --replicates 100 --truth 0 --no-null -o {out}
    sensitivity start_delay -n 20 -o {out}
    export {run} --to csv -o {out}
    export {run} --to adam -o {out}
    report {run} -o {out}/report.html
    plot {run} survival -o {out}/survival.svg
    data convert {run}/adam -o {out}
    init {out}/mine
    decide worth_treating -n 20 --draws 2 --replicates 2 --draw-patients 5 -o {out}
    twins {run}/adam valor --twins 20 --pool 4096 -o {out}
    analyse {run}/adam --arms tofersen,placebo -o {out}
    data show {run}/adam -o {out}/data.html
    evidence -o {out}
    calibrate valor --design 100 --draws 20 -o {out}
    run case_a -o {out}
    run analytic/constant_hazard -n 50 --draws 3 -o {out}
    trial valor_trial --replicate 3 -o {out}
    fit {run}/adam generic_als --arms placebo --crowd 4096 --steps 1 --vectors 2 -o {out}
    decide worth_treating -n 20 --draws 2 --replicates 2 --draw-patients 5 --excel -o {out}
    export {run} --to parquet -o {out}
    data convert {run}/adam --to parquet -o {out}
    explore valor --no-browser
    """.strip().splitlines()
)
"""Every command that writes, and the explorer, which stays."""
WRITING = tuple(command for command in COMMANDS if command[0] != "explore")
AGAIN = {"init": ("--force",), "export": ("--force",), "data convert": ("--force",)}
"""What such a command wants where its files are there."""
GROWS = ("manifest.json", "evaluations.jsonl")
"""Files that say how far a study is, so that they are others when it is whole."""


def scenarios() -> list[str]:
    """Bundled scenarios that `simulate` takes, and ours; those of one person are left out."""
    return [*(name for name in bundled() if not name.startswith("case_")), ECONOMICS]


def addresses(scenario: sim.Scenario) -> list[str]:
    """The addresses of all numbers of a resolved scenario."""
    return [".".join(path) for path in _leaves(scenario.numbers(), ())]


def _leaves(data: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(data, dict):
        for key, one in data.items():
            yield from _leaves(one, (*path, str(key)))
    elif isinstance(data, list | tuple):
        for key, one in enumerate(data):
            yield from _leaves(one, (*path, str(key)))
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield path


@cache
def places() -> list[tuple[str, str]]:
    """A scenario and an address for every kind of number that scenarios have; those of decisions in the smallest."""
    found: dict[str, tuple[str, str]] = {}
    for name in scenarios():
        for address in addresses(sim.load(name)):
            kind = re.sub(r"\.\d+", "", ".".join(map(str, place_kind(tuple(address.split("."))))))
            if kind not in found or (name == ECONOMICS and kind.startswith("decision.")):
                found[kind] = name, address
    return sorted(found.values())


def numbers() -> Iterator[tuple[str, str, float]]:
    """Every kind of number at every edge."""
    return ((*place, value) for place in places() for value in EDGES)


def number(draw: random.Random) -> str | None:
    """One number of one scenario at an edge."""
    name = draw.choice(scenarios())
    return at_edge(name, draw.choice(addresses(sim.load(name))), draw.choice(EDGES))


def at_edge(name: str, address: str, value: float) -> str | None:
    """A number of a scenario at an edge: refused with an explanation, or simulated to finite sums."""
    scenario = sim.load(name)
    what = f"{Path(name).stem} with {address} = {value:g}"
    for given in (value, int(value) if value.is_integer() and abs(value) < 2**31 else value):
        try:
            changed = scenario.replace({address: given})
            result = sim.simulate(changed.model_copy(update={"person": None}), **FEW, output="summary")
            told = _not_finite(result) or _not_finite_decision(changed)
        except SimulatorError:
            continue
        except Exception as error:
            return f"{what}: {type(error).__name__}: {error}"
        if told:
            return f"{what}: {told} is not finite although everybody is alive"
    return None


def mixture(draw: random.Random) -> str | None:
    """Blocks of different bundled scenarios in one: refused with an explanation, or simulated to finite sums."""
    data = mixed(draw) | {"patients": FEW["patients"], "person": None}
    try:
        scenario = build(data, Document(None, Origin("mixed.yaml", {}, {}), [], []))
        wrong = _not_finite(sim.simulate(scenario)) or _not_finite_decision(scenario)
    except SimulatorError:
        return None
    except Exception as error:
        return f"a mixture: {type(error).__name__}: {error}"
    return f"a mixture: {wrong} is not finite although somebody is alive" if wrong else None


SHARES = (0, 0.2, 0.5, 1, -1, 1e-300, 2)
ANALYSES = ("ancova", "joint_rank", "logrank", "mmrm", "cox", "responder", "win_ratio", "rmst", "mi", "random_slope")
PROCEDURES = ("hierarchical", "bonferroni", "holm", "hochberg", "graphical", "co_primary")


def family(draw: random.Random) -> str | None:
    """Claims that share the level of a trial, often in contradiction: refused with an explanation, or analysed."""
    count, procedure, shared = draw.randint(2, 4), draw.choice(PROCEDURES), draw.random() < 0.5
    claims: list[dict[str, Any]] = []
    for name in draw.sample(ANALYSES, count):
        claim: dict[str, Any] = {"analysis": name}
        if shared and procedure in ("bonferroni", "holm", "graphical"):
            claim["weight"] = 1 / count
            if procedure == "graphical":
                claim["passes_on"] = [0 if other == len(claims) else 1 / (count - 1) for other in range(count)]
        for key, values in (
            ("day", (196, 196, 197)), ("outcome", ("svc", "nfl_plasma", "hhd")), ("endpoint", ("death", "event_free")),
            ("weight", SHARES), ("passes_on", ([0] * count, [draw.choice(SHARES)])),
        ):  # fmt: skip
            if draw.random() < 0.1:
                claim[key] = draw.choice(values)
        claims.append(claim)
    data = {"trial.family": {"procedure": procedure, "claims": claims}}
    try:
        sim.trial(sim.load("valor_trial").replace(data), replicates=3, truth=0).summary()
    except SimulatorError:
        return None
    except Exception as error:
        return f"{data}: {type(error).__name__}: {error}"
    return None


def _not_finite(result: sim.Result) -> str:
    """A mean that is not a number on a day on which somebody is alive."""
    group = result.groups["summary"]
    alive = group["alive"].values > 0
    for key, array in group.items():
        is_mean = key.endswith("_mean") and not is_coordinate(key, array) and array.values.shape == alive.shape
        if is_mean and not np.isfinite(array.values[alive]).all():
            return key
    return ""


def _not_finite_decision(scenario: sim.Scenario) -> str:
    """A table of the scenario's decision, if it has one, that holds a number that is none."""
    if scenario.decision is None:
        return ""
    with patch.object(decide, "moved", lambda part: []):  # one-way differences run as the draws do, many times
        found = sim.decide(scenario, **FEW, draws=2, draw_patients=FEW["patients"])
    return ", ".join(
        f"{name}: {row}"
        for name, table in found.tables.items()
        for row in table.rows
        if not all(np.isfinite(cell) for cell in row if isinstance(cell, float))
    )


def damage(draw: random.Random, folder: Path) -> str | None:
    """A file of a result with one bit flipped, or cut: opening and checking it must fail."""
    place = draw.choice(sorted(path for path in folder.iterdir() if path.is_file()))
    content = bytearray(place.read_bytes())
    at = draw.randrange(len(content))
    copy = shutil.copytree(folder, folder.parent / f"damaged-{draw.randrange(2**32):08x}")
    try:
        if draw.random() < 0.3:
            content = content[:at]
        else:
            content[at] ^= 1 << draw.randrange(8)
        (copy / place.name).write_bytes(content)
        try:
            sim.open(copy)
            if sim.replay(copy).equal:
                return f"{place.name} damaged at byte {at} was not noticed"
        except SimulatorError:
            return None
        except Exception as error:
            return f"{place.name} damaged at byte {at}: {type(error).__name__}: {error}"
        return None
    finally:
        shutil.rmtree(copy)


def run_of(place: Path) -> Path:
    """The folder of a run with a trial, made once: what `{run}` stands for in COMMANDS."""
    folder = place / "made"
    if not folder.exists():
        result = sim.simulate(sim.load("valor_trial"), patients=100)
        write_folder(result, folder)
        export(result, "adam", folder / "adam")
    return folder


def words_of(command: tuple[str, ...], place: Path, out: Path) -> list[str]:
    """A command of COMMANDS that writes to `out`, as it is given to the system."""
    given = [word.format(run=run_of(place), out=out) for word in command]
    return [sys.executable, "-c", (FEWER if command[0] == "calibrate" else "") + STARTED, *given]


def surroundings(place: Path) -> dict[str, Any]:
    """Where a command is started, and with which variables."""
    return {"cwd": place, "env": os.environ | {"PYTHONPATH": str(Path(sim.__file__).parents[1])}}


@cache
def undisturbed(command: tuple[str, ...], place: Path) -> tuple[float, dict[str, bytes]]:
    """How many seconds a command takes, and the files that it leaves."""
    out = place / "killed"
    words = words_of(command, place, out)
    out.mkdir()
    began = time.monotonic()
    code, said = started(words, **surroundings(place))
    assert code == 0, said
    found = time.monotonic() - began, files(out)
    shutil.rmtree(out)
    return found


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their names there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kill(draw: random.Random, place: Path, command: tuple[str, ...]) -> str | None:
    """A command killed at a random moment.

    Each file that is there is as if nobody had killed it, or is not there; what is there opens or is nothing. The next
    start gives the same bytes as if nothing had happened, and leaves no temporary.
    """
    seconds, whole = undisturbed(command, place)
    out = place / "killed"
    words, how = words_of(command, place, out), surroundings(place)
    out.mkdir()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    time.sleep(seconds * draw.uniform(0.1, 1.0))
    child.send_signal(signal.SIGKILL)
    child.wait()
    half = [
        name
        for name, content in files(out).items()
        if not name.endswith((PART, *GROWS)) and whole.get(name, content) != content
    ]
    try:
        if (out / "manifest.json").is_file():
            sim.open(out)
    except SimulatorError as error:
        if "there is no such file" not in str(error):
            half.append(str(error))
    code, said = started([*words, *AGAIN.get(" ".join(command[:2]), AGAIN.get(command[0], ()))], **how)
    left = [path.name for path in place.rglob(f"*{PART}")]
    end = files(out)
    other = [name for name in whole.keys() | end.keys() if whole.get(name) != end.get(name)]
    shutil.rmtree(out)
    wrong = code or left or half or other
    return f"{' '.join(command)}: killed: {half}; again: {code} {said} {left} {other}" if wrong else None


def started(words: list[str], **how: Any) -> tuple[int, str]:
    """Exit code and messages of a command; the explorer, which stays, is ended once its page is there."""
    stays, address = "explore" in words, ""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how) as child:
        limit = Timer(LONGEST_SECONDS, child.kill)
        limit.start()
        try:
            if stays and child.stdout:
                address = child.stdout.readline()
                child.send_signal(signal.SIGTERM)
            _, said = child.communicate()
        finally:
            limit.cancel()
    if not stays:
        return child.returncode, said
    return 0 if address.startswith("http") and child.returncode in (0, 130) else 1, said
