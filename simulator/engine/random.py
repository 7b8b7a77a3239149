"""Counter-based random numbers: Philox4x32-10 and what is made of its words. The page is docs/random_numbers.md.

References
----------
Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011. doi:10.1145/2063384.2063405
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from simulator.engine.jit import inline
from simulator.engine.mathematics import ZERO, F, exp32, log32, sincos_turn

U32, U64 = np.uint32, np.uint64
_M0, _M1, _W0, _W1 = U64(0xD2511F53), U64(0xCD9E8D57), U64(0x9E3779B9), U64(0xBB67AE85)
_LOW, _32 = U64(0xFFFFFFFF), U64(32)
_DROP, _STEP, _HALF_STEP = U32(9), F(2.0**-23), F(2.0**-24)
_CANDIDATE_BITS = U32(24)


class Stream(IntEnum):
    """What a random number decides; 8 bits of the counter."""

    TRAIT = 0
    KIND = 1
    EVENT = 2
    HISTORY = 3
    VOLATILITY = 4
    MEASURE = 5
    MEASURE_STRENGTH = 6
    VISIT = 7
    DOSE = 8
    ALLOCATION = 9
    MEASURE_ITEMS = 10
    REACTION = 11
    REACTION_TO_DOSE = 12
    CARE = 13
    ACCRUAL = 15


class Key(NamedTuple):
    """Seed and replicate: all of the key that patients share."""

    low: np.uint32
    high: np.uint32
    replicate: np.uint32


def make_key(seed: int, replicate: int = 0) -> Key:
    """Split a 64-bit seed into the two words of the key."""
    return Key(U32(seed & 0xFFFFFFFF), U32(seed >> 32), U32(replicate))


@inline
def philox(c0, c1, c2, c3, k0, k1):
    """Four uint32 words of Philox4x32-10 for a counter of four words and a key of two."""
    x0, x1, x2, x3, a, b = U64(c0), U64(c1), U64(c2), U64(c3), U64(k0), U64(k1)
    for _ in range(10):
        p, q = _M0 * x0, _M1 * x2
        x0, x1, x2, x3 = (q >> _32) ^ x1 ^ a, q & _LOW, (p >> _32) ^ x3 ^ b, p & _LOW
        a, b = (a + _W0) & _LOW, (b + _W1) & _LOW
    return U32(x0), U32(x1), U32(x2), U32(x3)


@inline
def words(key, patient, index, stream, candidate):
    """The four words that belong to one decision of one patient."""
    return philox(patient, index, U32(stream << _CANDIDATE_BITS) | candidate, key.replicate, key.low, key.high)


@inline
def uniform(word):
    """Uniform number in (0, 1), exact in float32: ((word >> 9) + 1/2) / 2^23."""
    return F(np.int32(word >> _DROP)) * _STEP + _HALF_STEP


@inline
def normal_pair(first, second):
    """Two standard normals from two words (Box-Muller)."""
    radius = np.sqrt(F(-2.0) * log32(uniform(first)))
    sine, cosine = sincos_turn(uniform(second))
    return radius * cosine, radius * sine


@inline
def normals(key, patient, index, stream, candidate):
    """Four standard normals of one decision."""
    w0, w1, w2, w3 = words(key, patient, index, stream, candidate)
    z0, z1 = normal_pair(w0, w1)
    z2, z3 = normal_pair(w2, w3)
    return z0, z1, z2, z3


@inline
def uniforms(key, patient, index, stream, candidate):
    """Four uniforms of one decision."""
    w0, w1, w2, w3 = words(key, patient, index, stream, candidate)
    return uniform(w0), uniform(w1), uniform(w2), uniform(w3)


@inline
def sample(terms, z):
    """A draw from float32 terms (log, centre, spread, low, high) and a standard normal; centre is on the log scale."""
    x = terms[1] + terms[2] * z
    x = exp32(x) if terms[0] > ZERO else x
    return min(max(x, terms[3]), terms[4])
