"""The small kernels: elementary functions, random numbers, strata, exact sums, and the cache of compiled code."""

from __future__ import annotations

import itertools
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, norm

import simulator as sim
from simulator.engine import jit, people, recruit, sums
from simulator.engine import random as rng
from simulator.engine.mathematics import exp32, expm1_32, log1p_32, log32, sincos_turn
from tests.oracle import philox as reference
from tests.oracle.recruit import stratum_of

F, U32 = np.float32, np.uint32
ERROR_RATE = 1e-4  # of each statistical test below; the seeds are fixed
VECTORS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@jit.kernel
def map_exp(x, out):
    for i in range(x.size):
        out[i] = exp32(x[i])


@jit.kernel
def map_log(x, out):
    for i in range(x.size):
        out[i] = log32(x[i])


@jit.kernel
def map_expm1_log1p(x, below, above):
    for i in range(x.size):
        below[i], above[i] = expm1_32(x[i]), log1p_32(x[i])


@jit.kernel
def map_sincos(x, sine, cosine):
    for i in range(x.size):
        sine[i], cosine[i] = sincos_turn(x[i])


@jit.kernel
def map_normals(key, patients, stream, out):
    for i in range(patients):
        out[0, i], out[1, i], out[2, i], out[3, i] = rng.normals(key, U32(i), U32(3), U32(stream), U32(1))


@jit.kernel
def map_uniforms(key, patients, stream, out):
    for i in range(patients):
        out[0, i], out[1, i], out[2, i], out[3, i] = rng.uniforms(key, U32(i), U32(3), U32(stream), U32(1))


def applied(kernel, x: np.ndarray, outputs: int = 1) -> list[np.ndarray]:
    out = [np.empty_like(x) for _ in range(outputs)]
    with np.errstate(over="ignore"):
        kernel(x, *out)
    return [one.astype(np.float64) for one in out]


def every(low: float, high: float, count: int = 400_001) -> np.ndarray:
    return np.linspace(low, high, count).astype(F)


# --- elementary functions


def test_exp_is_right_to_two_units_in_the_last_place():
    x = np.concatenate([every(-87, 88), every(-1, 1), np.array([0, -0.0, 1e-30, -1e-30], F)])
    (found,) = applied(map_exp, x)
    assert np.abs(found / np.exp(x.astype(np.float64)) - 1).max() < 2.5e-7
    assert found[-4] == 1.0
    (ends,) = applied(map_exp, np.array([-1e30, -88, 89, 1e30], F))
    assert ends == pytest.approx(np.exp([-87.0, -87, 88, 88]), rel=3e-7)


@pytest.mark.slow
def test_log_is_right_to_two_units_in_the_last_place():
    bits = np.linspace(0x00800000, 0x7F7FFFFF, 1_000_001).astype(np.int64).astype(np.int32)
    x = np.concatenate([bits.view(F), every(0.5, 2)])
    (found,) = applied(map_log, x)
    expected = np.log(x.astype(np.float64))
    near_one = np.abs(expected) < 0.1
    assert np.abs(found / expected - 1)[np.abs(expected) > 1e-6].max() < 3e-7
    assert np.abs(found - expected)[near_one].max() < 1.5e-8
    tiny = float(np.finfo(F).tiny)
    (zero,) = applied(map_log, np.array([0, tiny / 2, -1], F))
    assert zero == pytest.approx([math.log(tiny)] * 3, rel=1e-6)


def test_expm1_and_log1p_keep_the_places_of_a_small_argument():
    size = np.geomspace(1e-12, 0.99, 200_001)
    x = np.concatenate([-size, size]).astype(F)
    below, above = applied(map_expm1_log1p, x, 2)
    assert np.abs(below / np.expm1(x.astype(np.float64)) - 1).max() < 1e-6
    assert np.abs(above / np.log1p(x.astype(np.float64)) - 1).max() < 1e-6


def test_sine_and_cosine_of_a_turn_are_right():
    x = every(2**-24, 1 - 2**-24)
    sine, cosine = applied(map_sincos, x, 2)
    angle = 2 * np.pi * x.astype(np.float64)
    assert np.abs(sine - np.sin(angle)).max() < 6e-7
    assert np.abs(cosine - np.cos(angle)).max() < 6e-7
    assert np.abs(sine**2 + cosine**2 - 1).max() < 1e-6


# --- random numbers


@pytest.mark.parametrize(("counter", "key", "words"), VECTORS)
def test_philox_gives_the_published_vectors(counter, key, words):
    with np.errstate(over="ignore"):
        assert tuple(int(w) for w in rng.philox(*map(U32, counter), *map(U32, key))) == words


@settings(max_examples=50)
@given(st.tuples(*[st.integers(0, 2**32 - 1)] * 6))
def test_philox_equals_the_plain_one(numbers):
    with np.errstate(over="ignore"):
        found = rng.philox(*map(U32, numbers))
    assert tuple(int(w) for w in found) == reference.philox4x32(numbers[:4], numbers[4:])


@pytest.mark.slow
@settings(max_examples=50)
@given(
    st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**20), st.integers(0, 8), st.integers(0, 9999)
)
def test_the_key_of_a_decision_is_the_documented_one(seed, patient, index, stream, candidate):
    keys = reference.Keys(seed, patient, candidate)
    args = (rng.make_key(seed), U32(patient), U32(index), U32(stream), U32(candidate))
    with np.errstate(over="ignore"):
        assert tuple(int(w) for w in rng.words(*args)) == keys.words(stream, index)
        assert tuple(float(u) for u in rng.uniforms(*args)) == keys.uniforms(stream, index)
        assert [float(z) for z in rng.normals(*args)] == pytest.approx(keys.normals(stream, index), abs=3e-6)


def test_uniforms_are_never_0_or_1_and_exact():
    for word, expected in [
        (0, 2**-24),
        (2**32 - 1, 1 - 2**-24),
        (511, 2**-24),
        (512, 3 * 2**-24),
        (2**31, 0.5 + 2**-24),
    ]:
        assert float(rng.uniform(U32(word))) == expected


def test_streams_candidates_and_indices_never_share_a_counter():
    numbers = {name: int(stream) for name, stream in rng.Stream.__members__.items()}
    assert len(set(numbers.values())) == len(numbers) >= 9
    assert max(numbers.values()) < 256
    shared = {name: number for name, number in vars(reference).items() if name in numbers}
    assert len(shared) == 13
    assert {name: numbers[name] for name in shared} == shared
    assert recruit.MAX_CANDIDATES < 2**24
    words = {
        tuple(int(w) for w in rng.words(rng.make_key(7), U32(patient), U32(index), U32(stream), U32(candidate)))
        for patient, index, stream, candidate in itertools.product((0, 1, 2**31), (0, 1, 4096), range(9), (0, 1, 9999))
    }
    assert len(words) == 3 * 3 * 9 * 3


@pytest.mark.slow
def test_normals_have_the_moments_of_normals_and_no_correlation():
    n = 200_000
    draws = []
    for stream in (rng.Stream.TRAIT, rng.Stream.VOLATILITY):
        out = np.empty((4, n), F)
        with np.errstate(over="ignore"):
            map_normals(rng.make_key(2**40 + 5), n, int(stream), out)
        draws.append(out.astype(np.float64))
    z = np.concatenate(draws)
    limit = norm.isf(ERROR_RATE / 2 / z.size * n)
    assert np.abs(z.mean(axis=1)).max() < limit / math.sqrt(n)
    assert np.abs((z**2).mean(axis=1) - 1).max() < limit * math.sqrt(2 / n)
    assert np.abs((z**3).mean(axis=1)).max() < limit * math.sqrt(15 / n)
    assert np.abs((z**4).mean(axis=1) - 3).max() < limit * math.sqrt(96 / n)
    off = np.corrcoef(z)[~np.eye(8, dtype=bool)]
    assert np.abs(off).max() < norm.isf(ERROR_RATE / 56) / math.sqrt(n)
    neighbours = (z[:, 1:] * z[:, :-1]).mean(axis=1)
    assert np.abs(neighbours).max() < limit / math.sqrt(n)
    assert all(kstest(row, "norm").pvalue > ERROR_RATE for row in z)


@pytest.mark.slow
def test_uniforms_are_uniform():
    out = np.empty((4, 200_000), F)
    with np.errstate(over="ignore"):
        map_uniforms(rng.make_key(9), out.shape[1], int(rng.Stream.EVENT), out)
    assert out.min() > 0
    assert out.max() < 1
    assert all(kstest(row.astype(np.float64), "uniform").pvalue > ERROR_RATE for row in out)


# --- strata


def strata(shares: np.ndarray, patients: int) -> np.ndarray:
    out = np.empty(patients, np.int8)
    people.strata_of(shares, out)
    return out


@settings(max_examples=40)
@given(st.lists(st.floats(0.02, 1), min_size=1, max_size=5))
def test_strata_keep_their_shares_over_any_run(weights):
    shares = np.array(weights) / sum(weights)
    found = strata(shares, 3000)
    counts = np.cumsum(found[:, None] == np.arange(shares.size), axis=0)
    assert np.abs(counts - np.outer(np.arange(1, 3001), shares)).max() < shares.size
    assert found[:200].tolist() == [stratum_of(i, shares.tolist()) for i in range(200)]


def test_valor_is_60_to_48():
    found = strata(np.array([60 / 108, 48 / 108]), 1080)
    assert [int((found[108 * k : 108 * (k + 1)] == 0).sum()) for k in range(10)] == [60] * 10


# --- sums


def test_sums_are_integers_whose_order_cannot_matter():
    totals = sums.empty_sums(2, 3, 4, 5)
    assert all(array.dtype.kind == "i" for array in totals)
    run = sim.simulate(sim.load("valor").replace({"follow_up_days": 56, "trial": None}), patients=200, threads=1)
    assert run.groups["summary"]["alive"].values.dtype.kind == "i"
    generator = np.random.default_rng(1)
    parts = [sums.Sums(*(generator.integers(0, 2**24, a.shape).astype(a.dtype) for a in totals)) for _ in range(6)]
    ways = [parts, parts[::-1], parts[3:] + parts[:3]]
    results = []
    for way in ways:
        total = sums.empty_sums(2, 3, 4, 5)
        for part in way:
            sums.add(total, part)
        results.append([array.tobytes() for array in total])
    assert results[0] == results[1] == results[2]


def test_scales_keep_a_block_of_the_largest_values_within_an_integer():
    limits = np.array([1e-3, 0.5, 1, 3, 48, 96, 1000])
    first, second = (scale.astype(np.float64) for scale in sums.scales(limits))
    for product in (limits * first * 128, limits**2 * second * 128):
        assert (product <= 2**31 - 128).all()
        assert (product > 2**28).all()
    assert (np.log2([*first, *second]) % 1 == 0).all()


# --- the cache of compiled kernels


FOLDER = "from simulator.engine.jit import cache_folder; print(cache_folder())"


def folder_of(tree: Path, **variables: str) -> Path:
    keep = {k: v for k, v in os.environ.items() if k not in ("ALS_SIM_CACHE", "XDG_CACHE_HOME", "PYTHONPATH")}
    out = subprocess.run(
        [sys.executable, "-c", FOLDER], env=keep | variables, cwd=tree, check=True, capture_output=True, text=True
    )
    return Path(out.stdout.strip())


@pytest.fixture
def tree(tmp_path):
    """A copy of the kernels' sources."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(sim.__file__).parent, tmp_path / "tree" / "simulator", ignore=ignore)
    return tmp_path / "tree"


@pytest.mark.slow
def test_the_cache_folder_is_named_by_the_sources(tree, tmp_path):
    before = folder_of(tree, ALS_SIM_CACHE=str(tmp_path / "cache"))
    assert before.parent == tmp_path / "cache"
    assert before.is_dir()
    assert folder_of(tree, ALS_SIM_CACHE=str(tmp_path / "cache")) == before
    seen = {before, folder_of(tree, ALS_SIM_CACHE=str(tmp_path / "cache"), ALS_SIM_LANES="64")}
    package = tree / "simulator"
    sources = [package / "engine" / "sums.py", *package.glob("models/*/kernels*/step.py"), package / "units.py"]
    for path in sources:
        path.write_text(path.read_text() + "\n# changed\n")
        seen.add(folder_of(tree, ALS_SIM_CACHE=str(tmp_path / "cache")))
    assert len(seen) == 2 + len(sources) == 7
    (tree / "simulator" / "run.py").write_text((tree / "simulator" / "run.py").read_text() + "\n# no kernel\n")
    assert folder_of(tree, ALS_SIM_CACHE=str(tmp_path / "cache")) in seen


@pytest.mark.slow
def test_a_place_that_cannot_be_written_falls_through(tree, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder can be made below a file")
    own, temporary = tmp_path / "own", tmp_path / "temporary"
    temporary.mkdir()
    second = folder_of(tree, ALS_SIM_CACHE=str(blocked / "x"), XDG_CACHE_HOME=str(own))
    assert second.parent == own / "als-simulator"
    third = folder_of(tree, ALS_SIM_CACHE=str(blocked / "x"), XDG_CACHE_HOME=str(blocked), TMPDIR=str(temporary))
    assert third.parent == temporary / f"als-simulator-{os.getuid()}"
    assert second.name == third.name
