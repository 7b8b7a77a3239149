"""Who is seen in which arm: permuted blocks within strata, at random or leaning on a value.

An observation: nobody's course depends on it.
"""

import numpy as np

from simulator.engine.jit import inline, kernel
from simulator.engine.people import I0
from simulator.engine.random import U32, Stream, uniforms

ALLOCATION = U32(Stream.ALLOCATION)
NOBODY = -1


@kernel
def allocate(key, strata, block, pull, x, left, out):
    """Arm of the patients 0, 1, 2 ..., into `out`; NOBODY where the stratum has no block.

    Each patient takes one of the places left in the block of the stratum. A place in arm a weighs exp(pull_a x_i): with
    no pull all are alike probable, so that every order of a block is. However arms pull, the numbers of each are those
    of the block. Places depend on the patients before only: the first N are allocated alike for any number.

    Parameters
    ----------
    strata : (n_patients,) int8; negative: who is not randomised
    block : (n_strata, n_arms) int64, places of a full block
    pull : (n_arms,) float64
    x : (n_patients,) float64; never looked at where no arm pulls
    left : (n_strata, n_arms) int64, zeros: places left, used as scratch
    out : (n_patients,) int8
    """
    for i in range(out.size):
        out[i] = NOBODY
        k, places, weight = max(strata[i], 0), 0, 0.0
        for a in range(pull.size if strata[i] >= 0 else 0):
            places += left[k, a]
        for a in range(pull.size if strata[i] >= 0 else 0):
            if places == 0:
                left[k, a] = block[k, a]
            weight += left[k, a] * _weight(pull, x, a, i)
        place = np.float64(uniforms(key, U32(i), I0, ALLOCATION, I0)[0]) * weight
        for a in range(pull.size):
            if weight > 0.0 and left[k, a] > 0 and (out[i] == NOBODY or place >= 0.0):
                out[i] = a
                place -= left[k, a] * _weight(pull, x, a, i)
        if out[i] != NOBODY:
            left[k, out[i]] -= 1
    return out


@inline
def _weight(pull, x, a, i):
    return np.exp(pull[a] * x[i]) if pull[a] != 0.0 else 1.0
