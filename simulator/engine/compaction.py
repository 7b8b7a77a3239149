"""The dead leave the blocks: their outcome is counted, and lanes from the last blocks take their places."""

import numpy as np

from simulator.engine import sums
from simulator.engine.jit import LANES, U64, inline, merge
from simulator.engine.rows import DEATH, EVENT, LIVING
from simulator.engine.space import NOBODY


@inline
def _copy_lane(rows, first, b, i, c, j):
    """Rows from `first` on of lane j of block c go to lane i of block b."""
    for offset in range(first, rows.shape[1], LANES):
        rows[U64(b), U64(offset) + U64(i)] = rows[U64(c), U64(offset) + U64(j)]


@merge
def pack(s, w, base, blocks, day, a, totals, calendar):
    """Count the dead of arm `a` out and fill their lanes from the last blocks. Returns how many blocks are in use.

    `s`, `w` and `base` : (block, row * LANES).
    """
    tail = blocks * LANES - 1
    for b in range(blocks):
        for i in range(LANES):
            while b * LANES + i <= tail and not s[b, DEATH + i] > day:
                if s[b, DEATH + i] > NOBODY:
                    sums.finish(totals.ended, totals.restricted, totals.serious, calendar.day, a, s, b, i, calendar.end)
                c, j = tail // LANES, tail % LANES
                if tail > b * LANES + i:
                    _copy_lane(s, LIVING * LANES, b, i, c, j)
                    _copy_lane(w, 0, b, i, c, j)
                    _copy_lane(base, 0, b, i, c, j)
                s[c, DEATH + j], s[c, EVENT + j] = NOBODY, NOBODY
                tail -= 1
    return (tail + LANES) // LANES


@merge
def too_many_dead(s, blocks, day):
    """Whether the living would fit into one block less."""
    alive = 0
    for b in range(blocks):
        here = np.int32(0)
        for i in range(LANES):
            here += np.int32(1) if s[U64(b), U64(DEATH) + U64(i)] > day else np.int32(0)
        alive += here
    return alive <= (blocks - 1) * LANES


@merge
def close(s, blocks, a, totals, calendar):
    """At the end of follow-up: count everybody still in the blocks."""
    for b in range(blocks):
        for i in range(LANES):
            if s[b, DEATH + i] > NOBODY:
                sums.finish(totals.ended, totals.restricted, totals.serious, calendar.day, a, s, b, i, calendar.end)
