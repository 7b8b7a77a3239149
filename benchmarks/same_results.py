"""Whether two commits give the same results: a hash of every array of every bundled scenario, at few patients.

    python -m benchmarks.same_results FILE            write the hashes of this commit
    python -m benchmarks.same_results FILE --compare  compare this commit with them

Run it at one commit, check out the other, run it there with --compare. Bits are promised on one machine only, with the
same libraries. Scenarios that the file does not know are named and left out. The exit status is 1 where bits differ.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

import simulator as sim
from simulator.language import bundled

PATIENTS, SEED = 150, 7


def hashes(scenario: sim.Scenario) -> dict[str, str]:
    """A hash of each array of a full run and of a summary, by its group and name."""
    arguments = {"patients": PATIENTS, "seed": SEED, "threads": 1}
    runs = {"": sim.simulate(scenario, **arguments)}
    if scenario.person is None:
        runs["summary of "] = sim.simulate(scenario, **arguments, output="summary")
    return {
        f"{run}{group}/{name}": _hash(np.asarray(array.values))
        for run, result in runs.items()
        for group, arrays in result.groups.items()
        for name, array in arrays.items()
    }


def _hash(values: np.ndarray) -> str:
    text = f"{values.dtype} {values.shape}".encode()
    data = values.tobytes() if values.dtype != object else repr(values.tolist()).encode()
    return hashlib.sha256(text + data).hexdigest()[:16]


def main(file: Path, compare: bool) -> int:
    """Write the hashes, or say what differs."""
    known = json.loads(file.read_text()) if compare else {}
    made, differing = {}, 0
    for name in bundled():
        if compare and name not in known:
            print(f"{name}: not in {file}")
            continue
        made[name] = hashes(sim.load(name))
        if compare:
            wrong = [
                key for key in known[name].keys() | made[name].keys() if known[name].get(key) != made[name].get(key)
            ]
            differing += len(wrong)
            print(f"{name}: {len(made[name])} arrays, {len(wrong)} differ {sorted(wrong)[:5] if wrong else ''}")
    if not compare:
        file.write_text(json.dumps(made, indent=1) + "\n")
    print(f"{len(made)} scenarios, {sum(map(len, made.values()))} arrays, {differing} differ")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), "--compare" in sys.argv))
