"""Streaming sums over the living, as integers.

A value is rounded to a fixed number of binary places and added as an integer, so that the order of adding cannot matter:
threads, chunks and block widths give the same bits, and no float error grows with the number of patients.
"""

from math import floor, log2
from typing import NamedTuple

import numpy as np

from simulator.engine.jit import LANES, block, inline
from simulator.engine.mathematics import HALF, ONE, ZERO, F, log32
from simulator.engine.rows import DEATH, EVENT, KIND

TIME_SCALE = 2.0**10
TIME_SQUARE_SCALE = 2.0**-2


class Summarised(NamedTuple):
    """What is summed: for each variable its output row and how it is measured."""

    row: np.ndarray  # (variable,) int64: offset in the output rows
    logarithm: np.ndarray  # (variable,) bool
    change: np.ndarray  # (variable,) bool: minus (on the log scale: over) the patient's own baseline
    limit: np.ndarray  # (variable,) float32: largest absolute value; beyond it values are cut
    scale: np.ndarray  # (variable,) float32: units of the sum per unit of the variable
    square_scale: np.ndarray  # (variable,) float32
    low: np.ndarray  # (variable,) float32: lower edge of the first bin
    width: np.ndarray  # (variable,) float32: bin width


class Sums(NamedTuple):
    """Sums of one worker; those of a run are their total."""

    alive: np.ndarray  # (arm, time) int64
    event_free: np.ndarray  # (arm, time) int64
    total: np.ndarray  # (arm, time, variable) int64
    square: np.ndarray  # (arm, time, variable) int64
    counts: np.ndarray  # (arm, time, variable, bin) int32
    ended: np.ndarray  # (arm, 3) int64: no event by the end of follow-up, death, PAV
    restricted: np.ndarray  # (arm, 2) int64: sums of min(event, end) days and of its square, scaled


def scales(limit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Powers of two that bring |x| <= limit and x² just inside 30 bits."""
    first = [2.0 ** floor(30 - log2(x)) for x in limit]
    second = [2.0 ** floor(30 - 2 * log2(x)) for x in limit]
    return np.array(first, np.float32), np.array(second, np.float32)


def empty_sums(arms: int, times: int, variables: int, bins: int) -> Sums:
    """Sums of nobody."""
    shape = (arms, times, variables)
    whole = [np.zeros(s, np.int64) for s in ((arms, times), (arms, times), shape, shape)]
    return Sums(*whole, np.zeros((*shape, bins), np.int32), np.zeros((arms, 3), np.int64), np.zeros((arms, 2), np.int64))


def add(one: Sums, other: Sums) -> None:
    """Add `other` into `one`."""
    for mine, theirs in zip(one, other, strict=True):
        mine += theirs


@block
def _values(what, v, o, x):
    """Put variable v of a block into `x`, on its scale."""
    row = o[what.row[v] : what.row[v] + LANES]
    if what.logarithm[v]:
        for i in range(LANES):
            x[i] = log32(row[i])
    else:
        for i in range(LANES):
            x[i] = row[i]


@block
def keep_baseline(what, o, base):
    """Remember each lane's baseline of the variables that are changes; 0 for the others."""
    for v in range(what.row.size):
        mine = base[v * LANES : (v + 1) * LANES]
        _values(what, v, o, mine)
        if not what.change[v]:
            mine[:] = ZERO


@block
def _add_values(scaling, x, base, alive, bins, counts):
    """Total and square of one variable over the alive lanes of a block; its values go into `counts`."""
    limit, scale, square_scale, low, per_width = scaling
    last = np.int32(counts.size - 1)
    total, square = np.int64(0), np.int64(0)
    for i in range(LANES):
        d = min(max(x[i] - base[i], -limit), limit)
        total += np.int64(np.int32(np.floor(d * scale + HALF))) & alive[i]
        square += np.int64(np.int32(np.floor(d * d * square_scale + HALF))) & alive[i]
        place = min(max(np.int32((d - low) * per_width), np.int32(0)), last)
        bins[i] = place
    for i in range(LANES):
        counts[bins[i]] -= np.int32(alive[i])
    return total, square


@block
def accumulate(what, sums, a, t, base, o, s, day, scratch):
    """Add a block to the sums of arm `a` at time number `t`."""
    x, alive, bins = scratch
    living, event_free = np.int64(0), np.int64(0)
    for i in range(LANES):
        alive[i] = np.int64(-1) if s[DEATH + i] > day else np.int64(0)
        living -= alive[i]
        event_free += np.int64(1) if s[EVENT + i] > day else np.int64(0)
    sums.alive[a, t] += living
    sums.event_free[a, t] += event_free
    for v in range(what.row.size):
        _values(what, v, o, x)
        scaling = (what.limit[v], what.scale[v], what.square_scale[v], what.low[v], ONE / what.width[v])
        mine = base[v * LANES : (v + 1) * LANES]
        total, square = _add_values(scaling, x, mine, alive, bins, sums.counts[a, t, v])
        sums.total[a, t, v] += total
        sums.square[a, t, v] += square


@inline
def finish(sums, a, s, i, end):
    """Count lane i, whose course is known to the end of follow-up."""
    free = s[EVENT + i]
    kind = 0 if free > F(end) else int(s[KIND + i])
    sums.ended[a, kind] += 1
    days = min(float(free), float(end))
    sums.restricted[a, 0] += np.int64(np.floor(days * TIME_SCALE + 0.5))
    sums.restricted[a, 1] += np.int64(np.floor(days * days * TIME_SQUARE_SCALE + 0.5))


