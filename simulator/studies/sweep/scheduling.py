"""Hand points to an executor in batches and keep what comes back, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from simulator.errors import SimulatorError
from simulator.studies.sweep.errors import ExecutorError
from simulator.studies.sweep.executors import Workers
from simulator.studies.sweep.store import Store
from simulator.studies.sweep.work import Done, Job, Task, do_points, failed

LARGEST_BATCH, SHARES = 32, 8
ARM_DAYS_PER_BATCH = 1.5e8
"""About a fifth of a second: handing over a batch costs about a millisecond, and losing one must not hurt."""
LOOK_SECONDS, LOST_SECONDS = 1.0, 5.0
DIED = "a worker process died, perhaps for want of memory. What is finished is kept: give the same command again"
LOST = "the cluster is gone. What is finished is kept: start it, then give the same command again"

Progress = Callable[[int, int], None]
T = TypeVar("T")


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
    for future in arriving(list(waiting), workers):
        batch = waiting[future]
        store.put(_outcome(future, batch))
        done += len(batch)
        if progress is not None:
            progress(done, total)


def arriving(waiting: Sequence[Future[T]], workers: Workers) -> Iterator[Future[T]]:
    """Futures as they are done; what has not begun when something goes wrong is cancelled.

    Raises
    ------
    ExecutorError
        The cluster is lost.
    """
    arrived: SimpleQueue[Future[T]] = SimpleQueue()
    for future in waiting:
        future.add_done_callback(arrived.put)
    try:
        for _ in waiting:
            yield _next(arrived, workers)
    finally:
        for future in waiting:
            future.cancel()


def result_of(future: Future[T]) -> T:
    """What a future gave; one clear error where it was lost with its worker.

    Raises
    ------
    SimulatorError
        A worker process of this machine died, or the cluster is gone.
    """
    try:
        return future.result()
    except CancelledError:
        raise ExecutorError(LOST) from None
    except BrokenExecutor:
        raise SimulatorError(DIED) from None


def _next(arrived: SimpleQueue[Future[T]], workers: Workers) -> Future[T]:
    """The next future that is done; a cluster that has been gone for a while is not waited for.

    Raises
    ------
    ExecutorError
        The cluster is lost.
    """
    looks = 0
    while True:
        with suppress(Empty):
            return arrived.get(timeout=LOOK_SECONDS)
        looks = looks + 1 if workers.is_lost() else 0
        if looks * LOOK_SECONDS >= LOST_SECONDS:
            raise ExecutorError(LOST)


def _outcome(future: Future[list[Done]], batch: Sequence[Task]) -> list[Done]:
    """What a batch gave; where it was lost with its worker, each of its points has failed."""
    try:
        return result_of(future)
    except SimulatorError:
        raise
    except Exception as error:
        return [failed(task, f"lost with its worker: {type(error).__name__}: {error}") for task in batch]
