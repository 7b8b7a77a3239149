"""What ventilation adds to life in the model, beside the published gain: figures of docs/care.md.

`python -m benchmarks.care` prints, for people with good and with poor bulbar function when they are offered it,
the median life after the offer with it and without it, in the same people; then, for good bulbar function, what other
multipliers of the hazard would give; last, the median event-free months of everybody with and without riluzole.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

import simulator as sim
from simulator.units import DAYS_PER_MONTH

NIV = {"catalog": "non_invasive_ventilation", "accepted_good_bulbar": 1, "accepted_poor_bulbar": 1}
CHANGES = {
    "treatments.good": NIV | {"accepted_poor_bulbar": 0},
    "treatments.poor": NIV | {"accepted_good_bulbar": 0},
    "treatments.riluzole": {"catalog": "riluzole"},
    "arms": {"without": []} | {name: [{"treatments": [name], "from_day": 0}] for name in ("good", "poor", "riluzole")},
    "visits.every_days": 28,
    "visits.assessments": ["alsfrs_r", "svc", "nfl_plasma"],
    "visits.scoring": "items",
    "follow_up_days": 3652,
}
"""Two arms that ventilate everybody of one kind and nobody of the other, so that who is of which kind is exact."""


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
    for name, multipliers in {"generic_als": (0.55, 0.3, 0.1, 0.03), "natural_history": (0.55,)}.items():
        for multiplier in multipliers:
            changes = CHANGES | {"treatments.good.hazard_multiplier_good_bulbar": multiplier}
            result = sim.simulate(sim.load(name).replace(changes), patients=patients, seed=1)
            for bulbar, found in gains(result).items():
                figures = " ".join(f"{key} {value:.1f}" for key, value in found._asdict().items())
                print(f"{name:16} {multiplier:4} {bulbar:5} {figures}")
        print(
            f"{name:16} median months", *(f"{arm} {median_months(result, arm):.2f}" for arm in ("without", "riluzole"))
        )


def median_months(result: sim.Result, arm: str) -> float:
    """Median time to death or PAV from entry."""
    return float(np.median(result.groups["events"]["event_free_time"].values[result.arm_index(arm)])) / DAYS_PER_MONTH


def gains(result: sim.Result) -> dict[str, Gain]:
    """Gains by bulbar function at the offer."""
    events, without = result.groups["events"], result.arm_index("without")
    found = {}
    for name in ("good", "poor"):
        arm = result.arm_index(name)
        start = events["niv_time"].values[arm]
        who = np.flatnonzero(np.isfinite(start))
        found[name] = gain(*(events["event_free_time"].values[k][who] - start[who] for k in (without, arm)))
    return found


def gain(without: np.ndarray, ventilated: np.ndarray) -> Gain:
    """Medians and their difference; the error from 400 resamples of people."""
    rng, n = np.random.default_rng(1), without.size
    picked = (rng.integers(0, n, n) for _ in range(400))
    spread = [np.median(ventilated[k]) - np.median(without[k]) for k in picked]
    middle = np.median(without), np.median(ventilated)
    return Gain(n, *middle, middle[1] - middle[0], float(np.std(spread)), float(np.mean(ventilated - without)))


if __name__ == "__main__":
    main()
