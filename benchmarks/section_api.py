"""Through the Python interface, warm: two threads against one, and what a point of a sweep costs."""

import time

import numpy as np

import simulator as sim
from benchmarks.table import Row
from benchmarks.timing import in_turns, ratio

PATIENTS, SWEEP_PATIENTS, SWEEP_DAYS, POINTS = 100_000, 1000, 728, 20


def rows(rounds: int) -> list[Row]:
    """Both rows."""
    return [threads(rounds), sweep(rounds)]


def threads(rounds: int) -> Row:
    """Two threads against one."""
    scenario = sim.load("valor")

    def run(count: int) -> object:
        return sim.simulate(scenario, patients=PATIENTS, seed=1, threads=count, output="summary")

    times = in_turns({"one": lambda: run(1), "two": lambda: run(2)}, rounds)
    gain = ratio(times["one"], times["two"])
    return Row("two threads against one", *gain, "times as fast", 1.8, 1.95, higher=True, note="needs a quiet machine")


def sweep(rounds: int) -> Row:
    """CPU time of one parameter set: change one value, simulate 1,000 patients × 3 arms × 2 years, one thread."""
    effects = iter(np.linspace(0.2, 1.2, (rounds + 1) * POINTS))
    base = sim.load("valor").replace({"follow_up_days": SWEEP_DAYS, "trial.analysis_days": [196, 364]})

    def point() -> None:
        changed = base.replace({"treatments.tofersen.effect.mean": float(next(effects))})
        sim.simulate(changed, patients=SWEEP_PATIENTS, seed=1, threads=1, output="summary")

    costs = []
    for _ in range(rounds + 1):
        start = time.process_time()
        for _ in range(POINTS):
            point()
        costs.append(1e3 * (time.process_time() - start) / POINTS)
    warm = costs[1:]
    return Row("one parameter set of a sweep", min(warm), float(np.median(warm)), "ms of CPU", 6, 2)
