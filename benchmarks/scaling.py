"""How cost grows: with patients, arms, visits, points, replicates and workers. Prints the tables of docs/scaling.md.

    python -m benchmarks.scaling [patients arms visits points replicates workers]

Seconds are those of the processors, all processes together, so that other work on the machine shows little; those on
the clock stand beside them where several workers share the work.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import simulator as sim
from benchmarks.section_processes import als_sim
from benchmarks.section_sweep import DAYS, EFFECT, PATIENTS
from simulator.engine.jit import places

BASE = sim.load("valor")
SHORT = BASE.replace({"follow_up_days": DAYS, "trial.analysis_days": [196, 364]})
ARM_WEEKS = 2002 / 7
CACHE = str(places()[0].parent)


def spent() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def took(call: Callable[[], object], runs: int = 1) -> tuple[float, float]:
    """The least CPU seconds of some runs, and the least on the clock."""
    found = []
    for _ in range(runs):
        cpu, wall = spent(), time.perf_counter()
        call()
        found.append((spent() - cpu, time.perf_counter() - wall))
    return min(one for one, _ in found), min(one for _, one in found)


def table(head: list[str], lines: list[list[object]]) -> None:
    """A table in Markdown."""
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for line in lines:
        print(f"| {' | '.join(f'{x:.3g}' if isinstance(x, float) else str(x) for x in line)} |", flush=True)


def patients() -> None:
    """Whole processes, sums only, up to eight million patient-arms."""
    lines: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for n in (1, 1_000, 10_000, 100_000, 1_000_000, 2_666_667):
            command = ["run", "valor", "-n", n, "--output", "summary", "--threads", 2, "-o", f"{folder}/r", "--force"]
            one = als_sim(*command, cache=CACHE)
            if n == 1:
                idle = one.cpu
            each = 1e6 * (one.cpu - idle) / n if n > 1_000 else float("nan")
            lines.append([f"{n:,}", f"{3 * n:,}", one.cpu, each, 1e3 * each / 3 / ARM_WEEKS, one.memory])
    table(["patients", "patient-arms", "CPU, s", "µs a patient", "ns an arm-week", "peak memory, GB"], lines)


def arms() -> None:
    """Arms like `delayed_start` that begin later and later."""
    lines: list[list[object]] = []
    for n in (1, 2, 4, 8, 16):
        late = {f"late_{k}": [{"treatments": ["tofersen"], "from_day": 28 * k}] for k in range(1, n)}
        scenario = _with_arms({"untreated": []} | late)
        cpu, _ = took(lambda s=scenario: sim.simulate(s, patients=20_000, output="summary", threads=1))
        lines.append([n, cpu, 1e6 * cpu / 20_000])
    table(["arms", "CPU, s", "µs a patient"], lines)


def _with_arms(arms: dict[str, list]) -> sim.Scenario:
    return BASE.replace({"arms": arms, "trial": None, "sensitivity": None})


def visits() -> None:
    """A full run of people seen more or less often."""
    lines: list[list[object]] = []
    for every in (364, 182, 91, 28, 14):
        scenario = BASE.replace({"visits.every_days": every, "trial": None})
        cpu, _ = took(lambda s=scenario: sim.simulate(s, patients=4_000, threads=1))
        lines.append([every, 2002 // every + 1, cpu, 1e6 * cpu / 4_000])
    table(["days between visits", "visits", "CPU, s", "µs a patient"], lines)


def points() -> None:
    """A sweep over the effect: 1,000 patients, three arms, two years a point."""
    lines: list[list[object]] = []
    for n in (10, 100, 1_000):
        cpu, _ = took(lambda n=n: sim.sweep(SHORT, {EFFECT: _values(n)}, patients=PATIENTS))
        lines.append([f"{n:,}", cpu, 1e3 * cpu / n])
    table(["points", "CPU, s", "ms a point"], lines)


def _values(n: int) -> list[float]:
    return [float(x) for x in np.linspace(0.2, 1.2, n)]


def replicates() -> None:
    """Trials of `valor_trial`."""
    lines: list[list[object]] = []
    for n in (100, 1_000, 10_000):
        cpu, _ = took(lambda n=n: sim.trial(sim.load("valor_trial"), replicates=n, seed=1, null=False))
        lines.append([f"{n:,}", cpu, 1e3 * cpu / n])
    table(["replicates", "CPU, s", "ms a replicate"], lines)


def workers() -> None:
    """Dask workers on this machine: the same points for more workers (strong), more points for more workers (weak)."""
    from dask.distributed import Client, LocalCluster

    lines: list[list[object]] = []
    for kind, sizes in (("strong", {1: 400, 2: 400}), ("weak", {1: 200, 2: 400})):
        for n, size in sizes.items():
            start = spent()
            local = LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=None)
            with local as cluster, Client(cluster) as client:
                executor = client.get_executor()
                sim.sweep(SHORT, {EFFECT: _values(20)}, executor=executor, patients=PATIENTS)
                wall = time.perf_counter()
                sim.sweep(SHORT, {EFFECT: _values(size)}, executor=executor, patients=PATIENTS)
                wall = time.perf_counter() - wall
            cpu = spent() - start
            lines.append([kind, n, f"{size:,}", wall, cpu, 1e3 * wall * n / size])
    table(["scaling", "workers", "points", "on the clock, s", "CPU with start, s", "worker-ms a point"], lines)


TABLES = {one.__name__: one for one in (patients, arms, visits, points, replicates, workers)}


def main() -> None:
    """Print the tables named, or all."""
    for name in sys.argv[1:] or TABLES:
        TABLES[name]()


if __name__ == "__main__":
    assert Path(CACHE).is_dir(), "run valor first: what is compiled is no part of these figures"
    main()
