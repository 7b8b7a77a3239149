"""Blocks of replicates: done by threads, processes or a cluster, kept in files, so that a study goes on."""

from __future__ import annotations

import hashlib
import json
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engine.jit import JIT
from simulator.execution.executors import workers
from simulator.execution.futures import arriving, result_of
from simulator.execution.store import Parts
from simulator.replicate import Choice, Replicator
from simulator.results.kinds import TRIAL
from simulator.studies.trial.plan import Plan
from simulator.studies.trial.replicates import block
from simulator.studies.trial.rows import ARM, COUNTED, ESTIMATED, WHOLE, Block
from simulator.version import __version__

SIZE = 50
"""Replicates of a block. Results do not depend on it; a study that is interrupted loses at most one block a thread."""
DERIVED = ("scenario", "prognostic")
"""Of a plan, what the hash of the scenario and the seed stand for."""
Progress = Callable[[int, int], None]
THREADS = "threads"
_KEPT = threading.local()


class Work(NamedTuple):
    """Replicates 0 to `replicates` − 1 of a plan, under a seed; `choices` are its scenario, compiled, for each draw."""

    plan: Plan
    choices: Sequence[Choice]
    seed: int
    replicates: int

    @property
    def draw(self) -> NDArray[np.int32] | None:
        """(r,) the vector of the ensemble that each replicate takes; None without."""
        count = len(self.choices)
        return np.arange(self.replicates, dtype=np.int32) % np.int32(count) if count > 1 else None

    @property
    def key(self) -> str:
        """Hash of all that decides the numbers of a replicate."""
        plan = self.plan
        told = {
            "scenarios": [choice.scenario.sha256 for choice in self.choices],
            "engine": __version__,
            "seed": self.seed,
            "columns": [ESTIMATED, COUNTED, ARM, WHOLE],
            **{name: getattr(plan, name) for name in plan._fields if name not in DERIVED},
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=list).encode()).hexdigest()[:16]


def run(
    work: Work,
    threads: int,
    folder: Path | None = None,
    progress: Progress | None = None,
    executor: str | Executor = THREADS,
    *,
    begin: Callable[[], None] | None = None,
) -> Block:
    """All replicates of the work; those that the folder holds are taken from there, the others are put there.

    `progress` is called with (replicates done, replicates in all). On an `executor` other than threads of this process
    each block is a task of its own. `begin` is called before anything is put into the folder.
    """
    spans = [range(first, min(first + SIZE, work.replicates)) for first in range(0, work.replicates, SIZE)]
    parts = Parts(folder / TRIAL.work[0]) if folder else None
    found = {span.start: Block(**kept) for span in spans if parts and (kept := parts.get(_name(work, span)))}
    left = [span for span in spans if span.start not in found]
    done = sum(len(one.counts) for one in found.values())
    tell = progress or (lambda done, total: None)
    tell(done, work.replicates)
    here = executor == THREADS
    for span, made in _each(work, left, threads if JIT else 1) if here else _elsewhere(work, left, executor):
        found[span.start] = made
        if parts:
            if begin:
                begin()
            parts.put(_name(work, span), made._asdict())
        done += len(span)
        tell(done, work.replicates)
    blocks = [found[span.start] for span in spans]
    return Block(*(np.concatenate(arrays) for arrays in zip(*blocks, strict=True)))


def _name(work: Work, span: range) -> str:
    return f"{work.key}-{span.start:07d}-{span.stop:07d}"


def _each(work: Work, spans: Sequence[range], threads: int) -> Iterator[tuple[range, Block]]:
    """The blocks as they finish; every thread has its own space."""
    idle = [Replicator(work.choices) for _ in range(min(threads, len(spans)))]
    if len(idle) == 1:
        for span in spans:
            yield span, block(work.plan, idle[0], work.seed, span)
        return
    todo = iter(spans)
    with ThreadPoolExecutor(max(len(idle), 1)) as pool:
        busy: dict[Future[Block], tuple[range, Replicator]] = {}
        while True:
            while idle and (new := next(todo, None)) is not None:
                space = idle.pop()
                busy[pool.submit(block, work.plan, space, work.seed, new)] = new, space
            if not busy:
                return
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                span, space = busy.pop(future)
                yield span, future.result()
                idle.append(space)


def _elsewhere(work: Work, spans: Sequence[range], executor: str | Executor) -> Iterator[tuple[range, Block]]:
    """The same on an executor, whose workers get the work as bytes."""
    content = pickle.dumps(work)
    with workers(executor) as found:
        busy = {found.executor.submit(do_block, content, span.start, span.stop): span for span in spans}
        for future in arriving(busy, found):
            yield busy[future], result_of(future)


def do_block(content: bytes, first: int, stop: int) -> Block:
    """A block where the call arrives; a worker keeps the work and its space from one to the next."""
    if getattr(_KEPT, "content", None) != content:
        _KEPT.work = pickle.loads(content)
        _KEPT.space, _KEPT.content = Replicator(_KEPT.work.choices), content
    return block(_KEPT.work.plan, _KEPT.space, _KEPT.work.seed, range(first, stop))
