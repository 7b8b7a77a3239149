"""Streaming sums over the living, as integers.

A value is rounded to a fixed number of binary places and added as an integer, so that the order of adding cannot
matter: threads, chunks and block widths give the same bits, and no float error grows with the number of patients.
"""

from math import floor, log2
from typing import NamedTuple

import numpy as np

from simulator.engine.jit import LANES, U64, inline, merge
from simulator.engine.mathematics import HALF, ONE, ZERO, F, log32
from simulator.engine.rows import DEATH, EVENT, KIND, OUTPUTS, SERIOUS, STAGES, STOP
from simulator.engine.space import NOBODY

BLOCK_BITS = 23
"""Binary places of a value or square, so that a block of up to 128 adds up in 32 bits; the same for every width."""
TIME_SCALE = 2.0**10
TIME_SQUARE_SCALE = 2.0**-2


ROW, LOGARITHM, CHANGE, LIMIT, SCALE, SQUARE_SCALE, LOW, WIDTH = range(8)
"""Columns of the table of summarised variables, one row each: offset of the output row; on the log scale; minus the
patient's own baseline; largest absolute value, beyond which values are cut; units of the sum per unit of the variable
and of its square; lower edge of the first bin; bin width."""
ALIVE, EVENT_FREE = range(2)
TOTAL, SQUARE = range(2)
LOST = (*OUTPUTS, "event_free_time")
LIVING_STAGES = 6
"""Codes of the living: 0 to 5 of King's, 0 to 4 of the others."""


class Sums(NamedTuple):
    """Sums of one worker; those of a run are their total."""

    heads: np.ndarray  # (arm, time, 2) int64: alive, event-free
    moments: np.ndarray  # (arm, time, variable, 2) int64: total and total of squares over the alive, scaled
    counts: np.ndarray  # (arm, time, variable, bin) int32
    stages: np.ndarray  # (arm, time, 3, 6) int64: the living by King's, MiToS and FT9 stage
    ended: np.ndarray  # (arm, 3) int64: no event by the end of follow-up, death, PAV
    restricted: np.ndarray  # (arm, 2) int64: sums of min(event, end) days and of its square, scaled
    serious: np.ndarray  # (arm, time) int64: first serious reactions since the output before
    lost: np.ndarray  # (arm, time, LOST) int64: people of whom an output, or the day of the event, is no number


def scales(limit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Powers of two that keep the sums of |x| <= limit and of x² over a block inside 31 bits."""
    first = [2.0 ** floor(BLOCK_BITS - log2(x)) for x in limit]
    second = [2.0 ** floor(BLOCK_BITS - 2 * log2(x)) for x in limit]
    return np.array(first, np.float32), np.array(second, np.float32)


def empty_sums(arms: int, times: int, variables: int, bins: int) -> Sums:
    """Sums of nobody."""
    return Sums(
        np.zeros((arms, times, 2), np.int64),
        np.zeros((arms, times, variables, 2), np.int64),
        np.zeros((arms, times, variables, bins), np.int32),
        np.zeros((arms, times, len(STAGES), LIVING_STAGES), np.int64),
        np.zeros((arms, 3), np.int64),
        np.zeros((arms, 2), np.int64),
        np.zeros((arms, times), np.int64),
        np.zeros((arms, times, len(LOST)), np.int64),
    )


def add(one: Sums, other: Sums) -> None:
    """Add `other` into `one`."""
    for whole, part in zip(one, other, strict=True):
        np.add(whole, part, out=whole)


@inline
def _values(row, logarithm, o, x):
    """Put an output row of a block into `x`, on its scale."""
    if logarithm:
        for i in range(LANES):
            x[i] = log32(o[row + U64(i)])
    else:
        for i in range(LANES):
            x[i] = o[row + U64(i)]


@merge
def keep_baseline(table, o, base, x):
    """Remember each lane's baseline of the variables that are changes; 0 for the others."""
    for v in range(table.shape[0]):
        _values(U64(table[v, ROW]), table[v, LOGARITHM] > ZERO, o, x)
        change = table[v, CHANGE]
        for i in range(LANES):
            base[U64(v * LANES) + U64(i)] = x[i] * change


@merge
def _add_value(table, v, x, base, alive, bins, counts, a, t):
    """Total and square of variable v over the alive lanes of a block; its values go into `counts`."""
    limit, scale, square_scale = table[v, LIMIT], table[v, SCALE], table[v, SQUARE_SCALE]
    low, per_width, last = table[v, LOW], ONE / table[v, WIDTH], F(counts.shape[3] - 1)
    first = U64(v * LANES)
    total, square = np.int32(0), np.int32(0)
    for i in range(LANES):
        d = min(max(x[i] - base[first + U64(i)], -limit), limit)
        total = np.int32(total + (np.int32(np.floor(d * scale + HALF)) & alive[i]))
        square = np.int32(square + (np.int32(np.floor(d * d * square_scale + HALF)) & alive[i]))
    if counts.shape[3] > 0:  # no bins: no quantiles
        end = np.uint32(counts.shape[3] - 1)
        for i in range(LANES):
            place = (x[i] - base[first + U64(i)] - low) * per_width
            place = np.uint32(np.int32(min(max(place, ZERO), last)))
            bins[i] = min(place, end)  # as an integer: what is not a number has any place
        for i in range(LANES):
            counts[a, t, v, bins[i]] -= alive[i]
    return total, square


@merge
def accumulate(table, heads, moments, counts, a, t, base, o, s, day, x, alive, bins):
    """Add a block at `day` to the sums of arm `a` and time `t`; `x`, `alive` and `bins` are scratch rows."""
    living, event_free = np.int32(0), np.int32(0)
    for i in range(LANES):
        alive[i] = np.int32(-1) if s[DEATH + i] > day else np.int32(0)
        living = np.int32(living - alive[i])
        event_free = np.int32(event_free + (np.int32(1) if s[EVENT + i] > day else np.int32(0)))
    heads[a, t, ALIVE] += living
    heads[a, t, EVENT_FREE] += event_free
    for v in range(table.shape[0]):
        _values(U64(table[v, ROW]), table[v, LOGARITHM] > ZERO, o, x)
        total, square = _add_value(table, v, x, base, alive, bins, counts, a, t)
        moments[a, t, v, TOTAL] += total
        moments[a, t, v, SQUARE] += square


@merge
def count_stages(stages, a, t, o, alive):
    """Count the living of a block by stage; `alive` as `accumulate` leaves it."""
    for system in range(stages.shape[2]):
        row = U64(STAGES[0]) + U64(system * LANES)
        for code in range(stages.shape[3]):
            here = np.int32(0)
            for i in range(LANES):
                here = np.int32(here - (alive[i] if o[row + U64(i)] == F(code) else np.int32(0)))
            stages[a, t, system, code] += here


@merge
def count_lost(lost, known, a, t, o, s, day, everybody):
    """Count the people of a block, the living or `everybody`, of whom an output is not finite.

    Comparisons would hide it: the larger of NaN and 0 is 0, and nobody's day of death is later than NaN.
    """
    since = NOBODY if everybody else day
    for number in known:
        row, here = U64(number * LANES), np.int32(0)
        for i in range(LANES):
            x = o[row + U64(i)]
            here += np.int32(1) if (s[DEATH + i] > since) & (x - x != ZERO) else np.int32(0)
        lost[a, t, number] += here
    here = np.int32(0)
    for i in range(LANES):
        here += np.int32(1) if np.isnan(s[EVENT + i]) | np.isnan(s[DEATH + i]) else np.int32(0)
    lost[a, t, len(LOST) - 1] += here


@inline
def finish(ended, restricted, serious, times, a, s, b, i, end):
    """Count lane i of block b in arm `a`, whose course is known to the end of follow-up; `times` : output days."""
    free, reaction = s[b, EVENT + i], s[b, SERIOUS + i]
    ended[a, 0 if free > end else int(s[b, KIND + i])] += 1
    days = min(float(free), float(end))
    restricted[a, 0] += np.int64(np.floor(days * TIME_SCALE + 0.5))
    restricted[a, 1] += np.int64(np.floor(days * days * TIME_SQUARE_SCALE + 0.5))
    if reaction <= min(s[b, DEATH + i], s[b, STOP + i], F(times[-1])):
        t = 0
        while times[t] < reaction:
            t += 1
        serious[a, t] += 1
