"""The oracle itself: its random numbers, its strategy of keys. Its other tests lie beside it, in tests/oracle."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.oracle import philox
from tests.oracle.example import SEED, cohort, one, trial


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_vectors(counter, key, words):
    assert philox.philox4x32(counter, key) == words


def test_the_key_holds_patient_index_stream_and_candidate():
    keys = philox.Keys(seed=(5 << 32) + 9, patient=7, candidate=3)
    words = philox.philox4x32((7, 11, 6 * 2**24 + 3, 0), (9, 5))
    assert keys.words(philox.MEASURE_STRENGTH, 11) == words
    assert keys.uniforms(6, 11)[2] == ((words[2] >> 9) + 0.5) / 8388608


def test_normals_are_standard_and_uncorrelated():
    draws = np.array([philox.Keys(SEED, i).normals(philox.TRAIT, 0) for i in range(4000)])
    assert np.abs(draws.mean(axis=0)).max() < 4 / math.sqrt(4000)
    assert np.abs(np.cov(draws.T) - np.eye(4)).max() < 0.09


def test_a_patient_is_the_same_alone_and_in_any_arm():
    alone = one(trial(), 5, arms=["delayed_start"])
    expected = cohort()[5] | {"arms": {"delayed_start": cohort()[5]["arms"]["delayed_start"]}}
    assert repr(alone) == repr(expected)
