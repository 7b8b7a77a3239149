"""Hand points to an executor in batches and keep what comes back, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from simulator.errors import SimulatorError
from simulator.execution.executors import Workers
from simulator.execution.futures import arriving, result_of
from simulator.execution.store import Done, Store
from simulator.studies.sweep.work import Job, Task, do_points, failed

LARGEST_BATCH, SHARES = 32, 8
ARM_DAYS_PER_BATCH = 1.5e8
"""About a fifth of a second: handing over a batch costs about a millisecond, and losing one must not hurt."""

Progress = Callable[[int, int], None]


def batch_size(points: int, workers: int, arm_days: float) -> int:
    """Points of a batch, when one point has so many patients × arms × days."""
    by_work = ARM_DAYS_PER_BATCH / max(arm_days, 1)
    by_share = -(-points // (SHARES * workers))
    return max(1, int(min(by_work, by_share, LARGEST_BATCH)))


def run(
    job: Job, batches: Sequence[Sequence[Task]], workers: Workers, store: Store, progress: Progress | None = None
) -> None:
    """Have every batch done and kept as it comes in.

    Raises
    ------
    SimulatorError
        A worker process of this machine died; what came in before is kept.
    """
    total, done = sum(map(len, batches)), 0
    waiting = {workers.executor.submit(do_points, job, batch): batch for batch in batches}
    for future in arriving(waiting, workers):
        batch = waiting[future]
        store.put(_outcome(future, batch))
        done += len(batch)
        if progress is not None:
            progress(done, total)


def _outcome(future: Future[list[Done]], batch: Sequence[Task]) -> list[Done]:
    """What a batch gave; where it was lost with its worker, each of its points has failed."""
    try:
        return result_of(future)
    except SimulatorError:
        raise
    except Exception as error:
        return [failed(task, f"lost with its worker: {type(error).__name__}: {error}") for task in batch]
