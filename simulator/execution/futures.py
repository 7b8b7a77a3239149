"""Results of tasks as they arrive, whatever happens meanwhile to those who work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from simulator.errors import SimulatorError
from simulator.execution.executors import ExecutorError, Workers

LOOK_SECONDS, LOST_SECONDS = 1.0, 5.0
DIED = "a worker process died, perhaps for want of memory. What is finished is kept: give the same command again"
LOST = "the cluster is gone. What is finished is kept: start it, then give the same command again"

T = TypeVar("T")


def arriving(waiting: Iterable[Future[T]], workers: Workers) -> Iterator[Future[T]]:
    """Futures as they are done; what has not begun when something goes wrong is cancelled.

    Raises
    ------
    ExecutorError
        The cluster is lost.
    """
    waiting, arrived = list(waiting), SimpleQueue[Future[T]]()
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
