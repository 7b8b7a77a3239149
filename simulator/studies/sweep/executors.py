"""What a sweep runs on: threads, processes, a Dask cluster, or any executor of `concurrent.futures`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any, NamedTuple

from simulator.engine.compiling import cores
from simulator.studies.sweep.errors import ExecutorError, SweepError
from simulator.version import __version__

DASK = "dask://"
CONNECT_SECONDS = "10s"
CLOSE_SECONDS = 2
MOST_ON_WINDOWS = 61
"""Windows waits for no more processes at once."""


class Workers(NamedTuple):
    """An executor and how many points it works on at once, as far as that is known."""

    executor: Executor
    number: int
    is_lost: Callable[[], bool] = lambda: False  # whether the cluster behind it is gone


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
        number = min(cores(), MOST_ON_WINDOWS) if os.name == "nt" else cores()
        with _closing(ProcessPoolExecutor(number, get_context("spawn"), initializer=be_a_worker)) as pool:
            yield Workers(pool, number)
    elif wanted.startswith(DASK) and len(wanted) > len(DASK):
        with _cluster(wanted.removeprefix(DASK)) as found:
            yield found
    else:
        raise SweepError(f"there is no executor {wanted!r}. Choose threads, processes or dask://host:port")


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
    with _closing_client(client):
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise ExecutorError(f"the Dask scheduler at {address} has no workers. Start some, then ask again") from None
        _check_versions(client, address)
        number = max(1, sum(client.ncores().values()))
        yield Workers(client.get_executor(), number, lambda: client.status != "running")


@contextmanager
def _closing_client(client: Any) -> Iterator[None]:
    """Close a client; one whose scheduler is gone is not waited for."""
    try:
        yield
    finally:
        client.close(timeout=CLOSE_SECONDS)


def _check_versions(client: Any, address: str) -> None:
    """Refuse workers that cannot load this program, or have another version of it.

    Raises
    ------
    ExecutorError
        One of the workers would not give the numbers of this machine.
    """
    try:
        found = client.run(version_here)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        fact = f"the Dask workers at {address} cannot load als-simulator ({reason})"
        raise ExecutorError(f"{fact}. Install version {__version__} where they run, and start them again") from None
    if others := sorted({version for version in found.values() if version != __version__}):
        fact = f"the Dask workers at {address} have als-simulator {', '.join(others)}, this is {__version__}"
        raise ExecutorError(f"{fact}. Install the same version on both sides")


def version_here() -> str:
    """The version of this program where the call arrives."""
    return __version__
