"""The dead leave the blocks: their outcome is counted, and lanes from the last blocks take their places."""

from simulator.engine import sums
from simulator.engine.jit import LANES, block
from simulator.engine.rows import DEATH, EVENT
from simulator.engine.space import NOBODY


@block
def leave(space, b, i, ended, restricted, end):
    """Count the outcome of lane i of block b, if it holds a patient."""
    if space.s[b, DEATH + i] > NOBODY:
        sums.finish(ended, restricted, space.s[b], i, end)


@block
def pack(space, blocks, day, ended, restricted, end):
    """Count the dead out and fill their lanes from the last blocks. Returns the number of blocks still in use."""
    tail = blocks * LANES - 1
    for b in range(blocks):
        for i in range(LANES):
            here = b * LANES + i
            while here <= tail and not space.s[b, DEATH + i] > day:
                leave(space, b, i, ended, restricted, end)
                if tail > here:
                    _move(space, tail, b, i)
                else:
                    space.s[b, DEATH + i], space.s[b, EVENT + i] = NOBODY, NOBODY
                tail -= 1
    return (tail + LANES) // LANES


@block
def _move(space, source, b, i):
    c, j = source // LANES, source % LANES
    for row in range(space.s.shape[1] // LANES):
        space.s[b, row * LANES + i] = space.s[c, row * LANES + j]
    for row in range(space.w.shape[1] // LANES):
        space.w[b, row * LANES + i] = space.w[c, row * LANES + j]
    for row in range(space.base.shape[1] // LANES):
        space.base[b, row * LANES + i] = space.base[c, row * LANES + j]
    space.s[c, DEATH + j], space.s[c, EVENT + j] = NOBODY, NOBODY


@block
def too_many_dead(states, blocks, day):
    """Whether the living would fit into one block less."""
    alive = 0
    for b in range(blocks):
        s = states[b]
        for i in range(LANES):
            alive += 1 if s[DEATH + i] > day else 0
    return alive <= (blocks - 1) * LANES


@block
def close(space, blocks, ended, restricted, end):
    """At the end of follow-up: count everybody still in the blocks."""
    for b in range(blocks):
        for i in range(LANES):
            leave(space, b, i, ended, restricted, end)
