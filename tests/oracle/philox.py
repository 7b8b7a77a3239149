"""Philox4x32-10 and what is made of its words (docs/random_numbers.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass

TRAIT, KIND, EVENT, HISTORY, VOLATILITY, MEASURE, MEASURE_STRENGTH, VISIT, DOSE, _, MEASURE_ITEMS = range(11)
REACTION, REACTION_TO_DOSE, CARE = 11, 12, 13

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)

Four = tuple[float, float, float, float]


def philox4x32(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Four 32-bit words of Philox4x32 with ten rounds (Salmon et al., SC 2011, doi:10.1145/2063384.2063405)."""
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = _MULTIPLIERS[0] * a, _MULTIPLIERS[1] * c
        a, b, c, d = (p1 >> 32) ^ b ^ k0, p1 & _MASK, (p0 >> 32) ^ d ^ k1, p0 & _MASK
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return a, b, c, d


@dataclass(frozen=True)
class Keys:
    """The random numbers of one candidate: pure functions of seed, patient, candidate, stream and index.

    Parameters
    ----------
    seed : 64-bit seed; its halves are the two key words.
    patient : number of the patient over the whole run, counter word 0.
    candidate : number of the candidate, low 24 bits of counter word 2.
    """

    seed: int
    patient: int
    candidate: int = 0

    def words(self, stream: int, index: int) -> tuple[int, int, int, int]:
        """The four words of a stream at an index; the replicate is 0."""
        counter = (self.patient, index, (stream << 24) + self.candidate, 0)
        return philox4x32(counter, (self.seed & _MASK, (self.seed >> 32) & _MASK))

    def uniforms(self, stream: int, index: int) -> Four:
        """``U_j = ((w_j >> 9) + 0.5) / 2^23``, never 0 or 1."""
        a, b, c, d = (((word >> 9) + 0.5) / 2.0**23 for word in self.words(stream, index))
        return a, b, c, d

    def normals(self, stream: int, index: int) -> Four:
        """Box-Muller on the pairs (U_0, U_1) and (U_2, U_3)."""
        u0, u1, u2, u3 = self.uniforms(stream, index)
        r, s = math.sqrt(-2.0 * math.log(u0)), math.sqrt(-2.0 * math.log(u2))
        p, q = 2.0 * math.pi * u1, 2.0 * math.pi * u3
        return r * math.cos(p), r * math.sin(p), s * math.cos(q), s * math.sin(q)

    def exponential(self, stream: int, index: int, word: int) -> float:
        """``-ln U`` of one of the four uniforms."""
        return -math.log(self.uniforms(stream, index)[word])
