"""Builds and calls step.c, the step loop in C. Needs clang; says so when it is not there."""

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks import numpy_twin as twin
from benchmarks.cohort import KAPPA, MONTH, STEEPNESS_SVC, Traits
from benchmarks.propagators import propagators

FLAGS = [
    *("-O3", "-march=native", "-mprefer-vector-width=512", "-std=c11", "-shared", "-fPIC", "-ffp-contract=fast"),
    *("-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros", "-freciprocal-math", "-fassociative-math"),
]
LANES = 256


def available() -> bool:
    """Whether clang is there."""
    return shutil.which("clang") is not None


@cache
def library() -> ctypes.CDLL:
    """The compiled kernel; the file is gone from the disk as soon as it is loaded."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "step.so"
        source = Path(__file__).with_name("step.c")
        subprocess.run(["clang", *FLAGS, f"-DLANES={LANES}", source, "-o", target], check=True)
        return ctypes.CDLL(target)


def constants() -> np.ndarray:
    """The struct Constants of step.c, as float32."""
    made = propagators()
    rows = twin.table(made)
    rows[6] = (1 - twin.SLOW_SHARE) * rows[6] + twin.SLOW_SHARE * rows[7]  # r and x at h/2 are seen together only
    rows = rows[:7]
    return np.array(
        [
            *(KAPPA, twin.STATE_SHARE, twin.VOLATILITY, twin.MEMORY, (1 - twin.MEMORY**2) ** 0.5, 1 + twin.EC50),
            *(twin.SLOW_SHARE, twin.DOSE, twin.KAPPA0, twin.KAPPA1, STEEPNESS_SVC),
            twin.CSF_SHARE * twin.I_MAX / (1 + twin.EC50),
            *made.decay,
            made.nfl_keep,
            *made.nfl_in,
            *rows.ravel(),
        ],
        np.float32,
    )


def inputs(traits: Traits) -> np.ndarray:
    """Rows of the input of step.c, (18, n) float32; logarithms to base 2."""
    fixed, log2 = twin.fix(traits), np.log2(np.e)
    rows = [
        *(traits.u0, traits.left, traits.z, fixed.speed, KAPPA * fixed.log_l * log2),
        *(traits.a, *(traits.a * fixed.log_tau * log2), traits.v0, STEEPNESS_SVC * fixed.log_tau_v * log2),
        *(fixed.nfl, fixed.background, traits.ec50, traits.e_f, traits.e_n, fixed.floor),
    ]
    return np.array(rows, np.float32)


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    """Address of an array's first value."""
    return ctypes.c_void_p(array.ctypes.data)


def simulate(rows: np.ndarray, weeks: int, seed: int) -> twin.Outcome:
    """Step both arms of all patients; `rows` from `inputs`."""
    n, epochs = rows.shape[1], 7 * weeks // twin.EPOCH + 1
    event_time, sums = np.full((2, n), np.nan, np.float32), np.zeros((2, epochs, 5))
    ageing = (1.02 ** (np.arange(epochs) * twin.EPOCH / (12 * MONTH))).astype(np.float32)
    key, given = np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint32), constants()
    library().simulate(
        pointer(given), pointer(rows), ctypes.c_long(n), ctypes.c_int(weeks),
        *(pointer(array) for array in (key, ageing, event_time, sums)),
    )  # fmt: skip
    return twin.Outcome(event_time, sums)


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Four words, for the published test vectors."""
    words, keys = np.array(counter, np.uint32), np.array(key, np.uint32)
    library().philox(pointer(words), pointer(keys))
    return [int(word) for word in words]
