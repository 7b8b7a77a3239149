"""The cases: numbers at their edges, files cut and flipped, processes killed. Each gives a text where it failed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import simulator as sim
from simulator.errors import SimulatorError
from simulator.language.loading import bundled
from simulator.results.arrays import is_coordinate
from simulator.results.files import PART

EDGES = (0.0, -1.0, 1e-18, 1e-9, 1e-3, 0.5, 1.0, 1e3, 1e9, 1e18, -1e18, 1e-300, 1e300)
FEW = {"patients": 4}
KILLED = "import sys; from simulator.cli import main; sys.argv[0] = 'als-sim'; main()"


def scenarios() -> list[str]:
    """Bundled scenarios that `simulate` takes: those of one person are left out."""
    return [name for name in bundled() if not name.startswith("case_")]


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


def number(draw: random.Random) -> str | None:
    """One number of one scenario at an edge: refused with an explanation, or simulated to finite sums."""
    name = draw.choice(scenarios())
    scenario = sim.load(name)
    address, value = draw.choice(addresses(scenario)), draw.choice(EDGES)
    what = f"{name} with {address} = {value:g}"
    for given in (value, int(value) if value.is_integer() and abs(value) < 2**31 else value):
        try:
            changed = scenario.replace({address: given})
            result = sim.simulate(changed.model_copy(update={"person": None}), **FEW, output="summary")
        except SimulatorError:
            continue
        except Exception as error:
            return f"{what}: {type(error).__name__}: {error}"
        if wrong := _not_finite(result):
            return f"{what}: {wrong} is not finite although everybody is alive"
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


def kill(draw: random.Random, place: Path, command: tuple[str, ...]) -> str | None:
    """A command killed at a random moment: what is there opens or is nothing, and the next start cleans up."""
    folder = place / "killed"
    words = [sys.executable, "-c", KILLED, *command, "-o", str(folder)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place}
    child = subprocess.Popen(words, **quiet, env=os.environ | {"PYTHONPATH": str(Path(sim.__file__).parents[1])})
    time.sleep(draw.uniform(0.2, 4.0))
    child.send_signal(signal.SIGKILL)
    child.wait()
    try:
        if (folder / "manifest.json").is_file():
            sim.open(folder)
    except SimulatorError as error:
        if "there is no such file" not in str(error):
            return f"{command} killed: {error}"
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ, cwd=place, check=False)
    left = [path.name for path in folder.rglob(f"*{PART}")]
    shutil.rmtree(folder)
    return f"{command} after a kill: {done.stderr} {left}" if done.returncode or left else None
