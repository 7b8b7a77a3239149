"""Results compared bit by bit, also with those of other processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

import simulator as sim

SAVE = """
import sys, json, numpy as np, simulator as sim
from tests.support.models import study
place, settings, patients, output, model = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6]
result = sim.simulate(study(model, settings), patients=patients, seed=5, threads=1, output=output)
np.savez(place, **{f"{g}/{n}": a.values for g, arrays in result.groups.items() for n, a in arrays.items()})
"""

BASE = {"follow_up_days": 728, "trial": None, "visits.every_days": 56}


GROUPS = ("patients", "truth", "observed", "events", "doses", "summary")


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def differing(one: sim.Result, other: sim.Result, groups: tuple[str, ...] = GROUPS) -> list[str]:
    """Arrays that are not the same, bit by bit."""
    assert all(one.groups[group].keys() == other.groups[group].keys() for group in groups)
    pairs = [(f"{g}/{n}", a, other.groups[g][n]) for g in groups for n, a in one.groups[g].items()]
    return [name for name, a, b in pairs if not same(a.values, b.values)]


def differing_in_arm(one: sim.Result, other: sim.Result, arm: str, patients: int | None = None) -> list[str]:
    """Arrays of one arm that differ between two results, of the first so many patients."""
    i, j, found = one.arm_index(arm), other.arm_index(arm), []
    for group in ("truth", "observed", "events", "summary") if patients is None else ("truth", "observed", "events"):
        for name, array in one.groups[group].items():
            if array.dims[0] == "arm" and len(array.dims) > 1:
                a, b = array.values[i][:patients], other.groups[group][name].values[j][:patients]
                found += [] if same(a, b) else [f"{group}/{name}"]
    doses = [doses_of(result, arm, patients) for result in (one, other)]
    return found if doses[0] == doses[1] else [*found, "doses"]


def doses_of(result: sim.Result, arm: str, patients: int | None) -> list[tuple[int, float]]:
    doses = {name: array.values for name, array in result.groups["doses"].items()}
    wanted = doses["arm"] == result.arm_index(arm)
    wanted &= doses["patient"] < (result.n_patients if patients is None else patients)
    return list(zip(doses["patient"][wanted].tolist(), doses["day"][wanted].tolist(), strict=True))


def elsewhere(
    place: Path, changes: dict[str, Any], patients: int, output: str = "full", model: str = "clock", **variables: str
) -> dict:
    """The arrays of a run in another process with other environment variables."""
    tree = Path(sim.__file__).parents[1]
    arguments = [str(place), json.dumps(BASE | changes), str(patients), output, model]
    subprocess.run(
        [sys.executable, "-c", SAVE, *arguments], env=os.environ | variables, cwd=tree, check=True, timeout=400
    )
    with np.load(place) as saved:
        return dict(saved)
