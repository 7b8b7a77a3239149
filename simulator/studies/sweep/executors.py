"""What a sweep runs on: threads, processes, a Dask cluster, or any executor of `concurrent.futures`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import NamedTuple

from simulator.studies.sweep.errors import ExecutorError, SweepError

DASK = "dask://"
CONNECT_SECONDS = "10s"


class Workers(NamedTuple):
    """An executor and how many points it works on at once, as far as that is known."""

    executor: Executor
    number: int


@contextmanager
def workers(wanted: str | Executor) -> Iterator[Workers]:
    """The executor of a name, closed afterwards; one that is given is used as it is and left open.

    Raises
    ------
    SweepError
        There is no executor of this name.
    ExecutorError
        The cluster is not there, or the extra that talks to it.
    """
    if isinstance(wanted, Executor):
        yield Workers(wanted, int(getattr(wanted, "_max_workers", None) or cores()))
    elif wanted == "threads":
        with _closing(ThreadPoolExecutor(cores())) as pool:
            yield Workers(pool, cores())
    elif wanted == "processes":  # spawned, because a forked copy of running threads may hang
        with _closing(ProcessPoolExecutor(cores(), get_context("spawn"), initializer=be_a_worker)) as pool:
            yield Workers(pool, cores())
    elif wanted.startswith(DASK) and len(wanted) > len(DASK):
        with _cluster(wanted.removeprefix(DASK)) as found:
            yield found
    else:
        raise SweepError(f"there is no executor {wanted!r}. Choose threads, processes or dask://host:port")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def be_a_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and end when it ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if (parent := parent_process()) is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """Wait for the end of a process, then end this one: a worker that waits for tasks would never notice."""
    wait([sentinel])
    os._exit(1)


@contextmanager
def _closing(pool: Executor) -> Iterator[Executor]:
    """Close a pool; what has not begun when something goes wrong is not begun any more."""
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _cluster(address: str) -> Iterator[Workers]:
    """The workers of a Dask cluster, through its scheduler at host:port."""
    try:
        from distributed import Client
    except ModuleNotFoundError:
        message = "Dask is not installed. Install it with pip install 'als-simulator[cluster]'"
        raise ExecutorError(message) from None
    try:
        client = Client(f"tcp://{address}", timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise ExecutorError(f"no Dask scheduler answers at {address} ({reason}). Start one, or correct it") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise ExecutorError(f"the Dask scheduler at {address} has no workers. Start some, then ask again") from None
        yield Workers(client.get_executor(), max(1, sum(client.ncores().values())))
