"""Who is seen in which arm: permuted blocks within strata. An observation: nobody's course depends on it."""

import numpy as np

from simulator.engine.jit import kernel
from simulator.engine.people import I0
from simulator.engine.random import U32, Stream, uniforms

ALLOCATION = U32(Stream.ALLOCATION)
NOBODY = -1


@kernel
def allocate(key, strata, block, left, out):
    """Arm of the patients 0, 1, 2 ..., into `out`; NOBODY where the stratum has no block.

    Each patient takes one of the places left in the block of the stratum, all alike probable, so that every order of a
    block is. Places depend on the patients before only: the first N are allocated alike for any number.

    Parameters
    ----------
    strata : (n_patients,) int8
    block : (n_strata, n_arms) int64, places of a full block
    left : (n_strata, n_arms) int64, zeros: places left, used as scratch
    out : (n_patients,) int8
    """
    for i in range(out.size):
        k, places, arm = strata[i], 0, NOBODY
        for a in range(block.shape[1]):
            places += left[k, a]
        if places == 0:
            for a in range(block.shape[1]):
                left[k, a] = block[k, a]
                places += block[k, a]
        place = int(np.float64(uniforms(key, U32(i), I0, ALLOCATION, I0)[0]) * places)
        for a in range(block.shape[1]):
            if arm == NOBODY and place < left[k, a]:
                arm = a
            place -= left[k, a]
        if arm != NOBODY:
            left[k, arm] -= 1
        out[i] = arm
    return out
