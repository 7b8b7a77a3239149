"""Memory and threads around the loop: a worker's space, the arrays of a full run, a pool over ranges of patients."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

import numpy as np

from simulator.engine import columns as life
from simulator.engine import observe, recruit, rows, safety, screening, sums
from simulator.engine.jit import LANES
from simulator.engine.space import Full, Space

BATCH, PART = 4096, 2048
"""Patients recruited together, and stepped together so that they stay in the cache. Results do not depend on them."""
RANGE = 4 * BATCH
"""Patients of one call of a worker."""
_KEPT = threading.local()


class Sizes(NamedTuple):
    """All that memory depends on."""

    patients: int
    arms: int
    times: int
    visits: int
    variables: int
    bins: int
    model_rows: int
    outputs: int  # rows of truth that are kept
    strata: int
    rules: int
    doses: int  # most doses of one patient in one arm, where patients have calendars of their own
    reactions: int  # most reactions to the drug of one patient that are kept
    epochs: int  # most epochs of an arm
    ruled: bool  # whether there are rules of a life
    carriers: bool  # whether people enter before onset

    @property
    def rows(self) -> int:
        """Rows of a block: the engine's and the model's."""
        return rows.ENGINE_ROWS + self.model_rows


class Worker(NamedTuple):
    """What one thread works in and adds to; `people` says who is in its cohort (see `recruit_batch`)."""

    space: Space
    search: recruit.Search
    totals: sums.Sums
    people: dict[str, Any]


class NoPatient(Exception):
    """Screening found nobody for a stratum; carries the stratum and the space in which was looked."""

    def __init__(self, stratum: int, search: recruit.Search) -> None:
        super().__init__(stratum)
        self.stratum, self.search = stratum, search


def aligned(*shape: int, dtype: type = np.float32) -> np.ndarray:
    """A zeroed array that begins on a cache line, which is worth a quarter of the step's time."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def make_worker(sizes: Sizes, batch: int = BATCH, part: int = PART) -> Worker:
    """Working space for recruiting `batch` patients at once and stepping `part` of them."""
    batch, part = min(batch, sizes.patients), min(part, sizes.patients)
    n, blocks = sizes.rows, -(-part // LANES)
    space = Space(
        cohort=aligned(n, batch),
        who=aligned(2, batch, dtype=np.uint32),
        part=part,
        s=aligned(blocks, n * LANES),
        w=aligned(blocks, rows.IDENTITY_ROWS * LANES, dtype=np.uint32),
        base=aligned(blocks, sizes.variables * LANES),
        before=aligned(n * LANES),
        peeked=aligned(n * LANES),
        o=aligned(rows.OUTPUT_ROWS * LANES),
        calendars=np.full((part, sizes.doses + 1), np.inf, np.float32),
        windows=aligned(part if sizes.doses else 1, sizes.epochs, 2),
        lives=aligned(part if sizes.ruled or sizes.doses else 1, life.COLUMNS),
        day=aligned(LANES),
        x=aligned(LANES),
        alive=aligned(LANES, dtype=np.int32),
        bins=aligned(LANES, dtype=np.uint32),
    )
    search = recruit.Search(
        waiting=np.zeros(batch, np.int64),
        stratum=np.zeros(batch, np.int64),
        width=np.zeros(2, np.int64),
        why=np.zeros(LANES, np.int64),
        holds=aligned(LANES),
        belongs=aligned(LANES),
        tried=np.zeros(batch, np.int64),
        found=np.zeros(batch, np.int64),
        reason=np.zeros(max(batch, recruit.ROUND) + LANES, np.int64),
        kept=np.zeros((1 + rows.MODEL_PAST, batch), np.float32),
        s=aligned(n * LANES),
        w=aligned(rows.IDENTITY_ROWS * LANES, dtype=np.uint32),
        past=aligned(n * LANES),
        past_w=aligned(rows.IDENTITY_ROWS * LANES, dtype=np.uint32),
        o=aligned(rows.OUTPUT_ROWS * LANES),
        rejected=np.zeros((sizes.strata, screening.FIRST_RULE + sizes.rules), np.int64),
    )
    return Worker(space, search, sums.empty_sums(sizes.arms, sizes.times, sizes.variables, sizes.bins), {})


def make_pool(sizes: Sizes, workers: int) -> list[Worker]:
    """Workers of a run. A single one takes the space, and the people in it, that this thread's last run left behind."""
    kept, _KEPT.worker = getattr(_KEPT, "worker", None), None
    if workers > 1 or kept is None or _KEPT.fits != _fits(sizes):
        return [make_worker(sizes) for _ in range(workers)]
    totals = sums.empty_sums(sizes.arms, sizes.times, sizes.variables, sizes.bins)
    search = kept.search._replace(rejected=np.zeros_like(kept.search.rejected))
    return [kept._replace(search=search, totals=totals)]


def keep(sizes: Sizes, pool: list[Worker]) -> None:
    """Leave the space of a run's single worker to the next run of this thread."""
    if len(pool) == 1:
        _KEPT.fits, _KEPT.worker = _fits(sizes), pool[0]._replace(totals=sums.empty_sums(0, 0, 0, 0))


def _fits(sizes: Sizes) -> tuple:
    """What two runs must share to work in the same space."""
    return make_worker, sizes._replace(arms=0, times=0, visits=0, bins=0, outputs=0, reactions=0)


def make_full(sizes: Sizes, is_full: bool) -> Full:
    """Arrays of a full run; of nobody in summary mode. What is never filled stays NaN."""
    n, arms = sizes.patients if is_full else 0, sizes.arms
    nan = np.float32(np.nan)
    return Full(
        truth=np.empty((sizes.outputs, arms, n, sizes.times), np.float32),
        observed=np.full((len(observe.OBSERVED), arms, n, sizes.visits), nan),
        event=np.full((arms, n), nan),
        kind=np.zeros((arms, n), np.int8),
        death=np.full((arms, n), nan),
        dropout=np.full((arms, n), nan),
        stop=np.full((arms, n), nan),
        onset=np.full((arms, n if sizes.carriers else 0), nan),
        traits=np.empty((sizes.rows, n), np.float32),
        candidates=np.zeros((2, n), np.int32),
        doses=np.full((arms, n, sizes.doses), np.float32(np.inf)),
        reactions=np.full((arms, n, sizes.reactions, safety.UNTIL + 1), nan),
        lives=np.full((arms, n, len(life.KEPT) if sizes.ruled else 0), np.float32(np.inf)),
    )


def memory(sizes: Sizes, is_full: bool, workers: int, batch: int = BATCH) -> int:
    """Bytes that a run takes at most, before it takes them: arrays, workers, and what naming and writing copy."""
    cells = sizes.arms * sizes.times
    per_worker = cells * sizes.variables * (sizes.bins * 4 + 16) + 4 * batch * (2 * sizes.rows + 16)
    full = 0
    if is_full:
        kept = len(observe.OBSERVED) * sizes.visits + sizes.doses + (safety.UNTIL + 1) * sizes.reactions + 9
        per_patient = sizes.outputs * cells + sizes.arms * kept
        full = 8 * sizes.patients * (per_patient + sizes.rows)
    return full + (workers + 2) * per_worker


def ranges(patients: int, workers: int) -> Iterator[tuple[int, int]]:
    """Consecutive (first, count), small enough that every worker gets some."""
    most = min(RANGE, max(PART, -(-patients // workers)))
    for first in range(0, patients, most):
        yield first, min(most, patients - first)


def run(
    call: Callable[[Worker, int, int], int],
    workers: list[Worker],
    patients: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Do all ranges of patients, each worker one at a time; stop at the first failure or interruption.

    Raises
    ------
    NoPatient
        Screening found nobody for a stratum within 10,000 candidates.
    """
    parts = ranges(patients, len(workers))
    done = 0
    for worker, count, failed in (
        _in_turn(call, workers[0], parts) if len(workers) == 1 else _pool(call, workers, parts)
    ):
        if failed >= 0:
            raise NoPatient(failed, worker.search)
        done += count
        if progress is not None:
            progress(done, patients)


Parts = Iterator[tuple[int, int]]
Done = Iterator[tuple[Worker, int, int]]


def _in_turn(call: Callable[[Worker, int, int], int], worker: Worker, parts: Parts) -> Done:
    for first, count in parts:
        yield worker, count, call(worker, first, count)


def _pool(call: Callable[[Worker, int, int], int], workers: list[Worker], parts: Parts) -> Done:
    """Keep every worker busy; yields the parts as they finish."""
    idle = list(workers)
    with ThreadPoolExecutor(len(workers)) as pool:
        busy: dict[Future[int], tuple[Worker, int]] = {}
        while True:
            while idle and (part := next(parts, None)) is not None:
                worker = idle.pop()
                busy[pool.submit(call, worker, *part)] = worker, part[1]
            if not busy:
                return
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                worker, count = busy.pop(future)
                yield worker, count, future.result()
                idle.append(worker)
