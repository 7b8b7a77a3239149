"""What ventilation adds to life in the model, beside the published gain: figures of docs/care.md.

`python -m benchmarks.care` prints, for people with good and with poor bulbar function when they are offered it,
the median life after the offer with it and without it, in the same people.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

import simulator as sim

NIV = {"catalog": "non_invasive_ventilation", "accepted_good_bulbar": 1, "accepted_poor_bulbar": 1}
ARMS = {"without": [], "offered": [{"treatments": ["niv"], "from_day": 0}]}
GOOD_POINTS = 6.0


class Gain(NamedTuple):
    """Median days from the start of ventilation to death or PAV in people of one kind, and the gain with its error."""

    people: int
    without: float
    ventilated: float
    gain: float
    error: float
    mean_gain: float


def main() -> None:
    """Print the table."""
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for name in ("generic_als", "natural_history"):
        scenario = sim.load(name)
        changes = {"treatments.niv": NIV, "arms": ARMS, "visits.every_days": 28, "follow_up_days": 3652}
        changes |= {"visits.assessments": ["alsfrs_r", "svc", "nfl_plasma"], "visits.scoring": "items"}
        result = sim.simulate(scenario.replace(changes), patients=patients, seed=1)
        for bulbar, found in gains(result).items():
            print(f"{name:16} {bulbar:5}", " ".join(f"{key} {value:.1f}" for key, value in found._asdict().items()))


def gains(result: sim.Result) -> dict[str, Gain]:
    """Gains by bulbar function at the start."""
    events, truth = result.groups["events"], result.groups["truth"]
    without, offered = result.arm_index("without"), result.arm_index("offered")
    start = events["niv_time"].values[offered]
    who = np.flatnonzero(np.isfinite(start))
    at = np.clip(np.searchsorted(result.time, start[who], side="right") - 1, 0, None)
    good = truth["alsfrs_r_bulbar"].values[offered][who, at] >= GOOD_POINTS
    life = [events["event_free_time"].values[arm][who] - start[who] for arm in (without, offered)]
    return {name: gain(*(days[chosen] for days in life)) for name, chosen in (("good", good), ("poor", ~good))}


def gain(without: np.ndarray, ventilated: np.ndarray) -> Gain:
    """Medians and their difference; the error from 400 resamples of people."""
    rng, n = np.random.default_rng(1), without.size
    picked = (rng.integers(0, n, n) for _ in range(400))
    spread = [np.median(ventilated[k]) - np.median(without[k]) for k in picked]
    middle = np.median(without), np.median(ventilated)
    return Gain(n, *middle, middle[1] - middle[0], float(np.std(spread)), float(np.mean(ventilated - without)))


if __name__ == "__main__":
    main()
