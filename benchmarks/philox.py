"""Philox4x32-10 and Box-Muller in NumPy, as docs/random_numbers.md says: slow, and easy to compare with that page."""

import numpy as np

MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
BUMPS = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
STREAM_VOLATILITY = 4


def philox(counter: tuple, key: tuple) -> tuple[np.ndarray, ...]:
    """Four words; counters and keys are integers or arrays below 2^32."""
    x0, x1, x2, x3 = (np.asarray(word, np.uint64) for word in counter)
    a, b = (np.asarray(word, np.uint64) for word in key)
    for _ in range(10):
        p, q = MULTIPLIERS[0] * x0, MULTIPLIERS[1] * x2
        x0, x1, x2, x3 = (q >> HALF) ^ x1 ^ a, q & LOW, (p >> HALF) ^ x3 ^ b, p & LOW
        a, b = (a + BUMPS[0]) & LOW, (b + BUMPS[1]) & LOW
    return x0, x1, x2, x3


def volatility_normals(patients: np.ndarray, epoch: int, seed: int) -> np.ndarray:
    """The normal of one epoch since entry for each patient (candidate 0, replicate 0)."""
    counter = patients, epoch // 4, STREAM_VOLATILITY << 24, 0
    words = philox(counter, (seed & 0xFFFFFFFF, seed >> 32))
    pair = 2 * (epoch % 4 // 2)
    first, second = (((word >> np.uint64(9)) + 0.5) / 2**23 for word in words[pair : pair + 2])
    turn = np.cos if epoch % 2 == 0 else np.sin
    return np.sqrt(-2 * np.log(first)) * turn(2 * np.pi * second)
