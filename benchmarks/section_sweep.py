"""A sweep as people run it: 1,000 points × 1,000 patients × 3 arms × 2 years, into a folder, and the engine's share.

``python -m benchmarks.run sweep``
"""

import resource
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

import simulator as sim
from benchmarks.table import Row
from simulator.studies.sweep import work

POINTS, PATIENTS, DAYS, WORKERS = 1000, 1000, 728, 2
OUT = Path(__file__).parent / "out"
EFFECT = "treatments.tofersen.effect.mean"


class Took(NamedTuple):
    """Seconds of one sweep; `engine` is the CPU time of recruiting, stepping and their working space."""

    wall: float
    cpu: float
    engine: float


def rows(rounds: int) -> list[Row]:
    """Wall and CPU time, and the engine's share: in a new folder, doubled, and with nothing left to do."""
    base = sim.load("valor").replace({"follow_up_days": DAYS, "trial.analysis_days": [196, 364]})
    few, many = ([float(x) for x in np.linspace(0.2, 1.2, n)] for n in (POINTS, 2 * POINTS - 1))
    assert set(few) <= set(many)
    fresh, doubled, done, bare = [], [], [], []
    measured(base, few[:20], None)  # compiles
    OUT.mkdir(parents=True, exist_ok=True)
    # Folders are removed at the end only: ext4 looks long for a free inode among those that were just given back.
    with tempfile.TemporaryDirectory(dir=OUT) as place:
        for k in range(max(3, rounds // 2)):
            folder = Path(place) / str(k)
            fresh.append(measured(base, few, folder))
            doubled.append(measured(base, many, folder))
            done.append(measured(base, many, folder))
            bare.append(measured(base, few, None))
    what = f"{POINTS:,} points × {PATIENTS:,} patients × 3 arms × 2 years"
    share, alone = ([100 * one.engine / one.cpu for one in some] for some in (fresh, bare))
    return [
        row(f"sweep, {what}, {WORKERS} threads", [one.wall for one in fresh], 10, 4),
        row("CPU of that sweep", [one.cpu for one in fresh]),
        Row("the engine's share of its CPU", max(share), median(share), "%", 70, 80, higher=True),
        Row("the same without a folder", max(alone), median(alone), "%", 70, 80, higher=True),
        row(f"grown to {len(many):,} points", [one.wall for one in doubled]),
        row("the same again, nothing left to do", [one.wall for one in done]),
    ]


def measured(scenario: sim.Scenario, values: list[float], folder: Path | None) -> Took:
    """One sweep over the effect; the engine is timed in the thread that runs it."""
    spent: list[float] = []
    whole = work._run

    def timed(*arguments: object) -> object:
        start = time.thread_time()
        found = whole(*arguments)  # type: ignore[arg-type]
        spent.append(time.thread_time() - start)
        return found

    work._run = timed  # type: ignore[assignment]
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            wall, cpu = time.perf_counter(), processor()
            sim.sweep(scenario, {EFFECT: values}, executor=pool, folder=folder, patients=PATIENTS)
            took = Took(time.perf_counter() - wall, processor() - cpu, sum(spent))
    finally:
        work._run = whole
    return took


def processor() -> float:
    """CPU time of this process so far, in the kernel too."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def row(figure: str, seconds: list[float], must: float | None = None, aim: float | None = None) -> Row:
    """A row of seconds."""
    return Row(figure, min(seconds), median(seconds), "s", must, aim)
