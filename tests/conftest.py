"""What every test shares: hypothesis settings, one BLAS thread, the place of the tree."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # idle BLAS threads spin and would slow the kernels' own
os.environ.setdefault("MPLBACKEND", "Agg")

settings.register_profile(
    "default",
    deadline=None,  # the first example may compile
    derandomize=True,  # the same examples everywhere: a failure in CI is a failure at home
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("thorough", parent=settings.get_profile("default"), derandomize=False, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the tree."""
    return Path(__file__).resolve().parents[1]
