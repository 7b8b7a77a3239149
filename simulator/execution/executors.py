"""What many runs go through: threads, processes, a Dask cluster, or any executor of `concurrent.futures`."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any, NamedTuple

from simulator.engine.compiling import cores
from simulator.errors import ResourceError, UsageError
from simulator.version import __version__

DASK = "dask://"
CONNECT_SECONDS = "10s"
ANSWER_SECONDS, CLOSE_SECONDS = 5.0, 2
GREETING, GREETING_BYTES = b"pickle-protocol", 4096
"""What a scheduler says of itself, unasked, to whoever connects. Its client waits longer for one who says nothing."""
UNKNOWN = "there is no executor {!r}. Choose threads, processes or dask://host:port"
NO_SCHEDULER = "no Dask scheduler answers at {} ({}). Start one, or correct it"
MOST_ON_WINDOWS = 61
"""Windows waits for no more processes at once."""
MOST_PATIENTS = 20_000_000_000
"""Patients of all runs of a study: days of work for two cores."""


class ExecutorError(ResourceError):
    """What a study should run on is not there, or is lost."""


class Workers(NamedTuple):
    """An executor and how many tasks it works on at once, as far as that is known."""

    executor: Executor
    number: int
    is_lost: Callable[[], bool] = lambda: False  # whether the cluster behind it is gone


@contextmanager
def workers(wanted: str | Executor) -> Iterator[Workers]:
    """The executor of a name, closed afterwards; one that is given is used as it is and left open.

    Raises
    ------
    UsageError
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
    elif wanted.startswith(DASK):
        with _cluster(wanted.removeprefix(DASK)) as found:
            yield found
    else:
        raise UsageError(UNKNOWN.format(wanted))


def check_ready(wanted: str | Executor) -> None:
    """Refuse, before anything is simulated or written, an executor that is not there.

    Raises
    ------
    UsageError
        There is no executor of this name.
    ExecutorError
        Nothing answers as a scheduler does at the address, or the extra that talks to one is missing.
    """
    if isinstance(wanted, Executor) or wanted in ("threads", "processes"):
        return
    host, port = _host_and_port(wanted)
    if find_spec("distributed") is None:
        raise ExecutorError("Dask is not installed. Install it with pip install 'als-simulator[cluster]'")
    reason = "what answers there is no Dask scheduler"
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as found:
            found.settimeout(ANSWER_SECONDS)
            if GREETING in found.recv(GREETING_BYTES):
                return
    except OSError as error:  # a name that nobody knows, a port that nobody listens at, silence
        reason = error.strerror or str(error)
    raise ExecutorError(NO_SCHEDULER.format(wanted.removeprefix(DASK), reason))


def _host_and_port(wanted: str) -> tuple[str, int]:
    """Of `dask://host:port`.

    Raises
    ------
    UsageError
        It is none.
    """
    host, _, port = wanted.removeprefix(DASK).rpartition(":")
    if not wanted.startswith(DASK) or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 2**16:
        raise UsageError(UNKNOWN.format(wanted))
    return host.strip("[]"), int(port)


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
    check_ready(DASK + address)
    from distributed import Client

    try:
        client = Client(f"tcp://{address}", timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise ExecutorError(NO_SCHEDULER.format(address, reason)) from None
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


def check_work(runs: int, patients: int) -> None:
    """Refuse a study of so many runs that nobody would see its end.

    Raises
    ------
    UsageError
        With the number.
    """
    if runs * patients > MOST_PATIENTS:
        fact = f"{runs:,} runs of {patients:,} patients are {runs * patients:,} patients"
        raise UsageError(f"{fact}, more than {MOST_PATIENTS:,}. Ask for fewer points, replicates or patients")
