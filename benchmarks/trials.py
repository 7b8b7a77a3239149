"""Time of a study of a trial: replicates of the VALOR-like trial, and one fit of each analysis in them.

Run as `python -m benchmarks.trials [replicates] [rounds]`. 108 participants, day 196, ANCOVA, joint rank and log-rank,
two threads, without a null and without the truth; kernels are compiled beforehand. Processor seconds are those of both
threads.
"""

from __future__ import annotations

import sys
import time

import simulator as sim
from benchmarks.validation_base import PLAIN
from simulator.analysis.trial.data import TrialData, until
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.registry import ANALYSES
from simulator.replicate import Replicator, compiled
from simulator.studies.trial.plan import TrialOptions, plan
from simulator.studies.trial.rows import observed

TRIAL = ("ancova", "joint_rank", "logrank")
DAY, FITS = 196, 100


def study(replicates: int) -> tuple[float, float]:
    """Seconds on the clock and of the processors."""
    scenario = sim.load("valor")
    clock, spent = time.perf_counter(), time.process_time()
    sim.trial(scenario, replicates=replicates, analyses=TRIAL, days=[DAY], truth=0, null=False, threads=2)
    return time.perf_counter() - clock, time.process_time() - spent


def trials() -> list[TrialData]:
    """Replicates as their analyses see them."""
    asked = plan(sim.load("valor"), TrialOptions(PLAIN, days=[DAY]))
    space = Replicator(compiled([asked.scenario], asked.size))
    return [until(observed(asked, space.replicate(1, number)), DAY) for number in range(FITS)]


def fit(name: str, data: list[TrialData]) -> float:
    """Processor milliseconds of one fit."""
    spent = time.process_time()
    for one in data:
        try:
            ANALYSES[name].run(one)
        except NotEstimableError:
            continue
    return 1e3 * (time.process_time() - spent) / len(data)


def main(replicates: int = 1000, rounds: int = 5) -> None:
    """Print the table."""
    study(50)
    found = [study(replicates) for _ in range(rounds)]
    for word, k in (("on the clock", 0), ("of the processors", 1)):
        values = sorted(one[k] for one in found)
        print(f"{replicates:,} replicates, seconds {word}: fastest {values[0]:.2f}, median {values[rounds // 2]:.2f}")
    data = trials()
    for name in PLAIN:
        print(f"{name}: {fit(name, data):.2f} ms a fit")


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:]))
