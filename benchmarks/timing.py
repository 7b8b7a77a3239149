"""Timing: calls in turns, so that a busy moment hits all of them, and whole processes with their peak memory."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

ROUNDS = 7


class Process(NamedTuple):
    """What one process took."""

    wall: float  # s
    cpu: float  # s, user and system
    memory: float  # GB, peak


def in_turns(calls: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Wall time of each call in each round, in seconds; one call of each before, untimed. The order turns by one."""
    names, times = list(calls), {name: [] for name in calls}
    for name in names:
        calls[name]()
    for k in range(rounds):
        for name in names[k % len(names) :] + names[: k % len(names)]:
            start = time.perf_counter()
            calls[name]()
            times[name].append(time.perf_counter() - start)
    return times


def ratio(over: Sequence[float], under: Sequence[float]) -> tuple[float, float]:
    """Ratio of the fastest times, and median of the ratios within each round."""
    return min(over) / min(under), median(a / b for a, b in zip(over, under, strict=True))


def process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
    """Run a command to its end, its output thrown away."""
    start = time.perf_counter()
    running = subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    message = running.stderr.read() if running.stderr else b""
    _, status, usage = os.wait4(running.pid, 0)
    wall = time.perf_counter() - start
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {running.returncode}: {message.decode()[-500:]}")
    return Process(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9)  # as Linux counts
