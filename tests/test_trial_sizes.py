"""Required sizes: bisection under common random numbers against the normal test's own size, and smaller trials."""

import numpy as np
import pytest
from scipy.stats import norm

import simulator as sim
from simulator.analysis.replicates import Measure
from simulator.studies.trial import sizes
from simulator.studies.trial.sizes import FINE, LARGEST, LEAST, Search, required

NAMES = ("ancova", "joint_rank")
CELL = (0, 0)


def normal(delta: float):
    """Power of a normal test over the size."""
    return lambda n: float(norm.cdf(delta * np.sqrt(n) - norm.ppf(0.975)))


def searching(monkeypatch, power, guess: float, largest: int = LARGEST) -> Search:
    """A search whose power is known; it counts how often it is looked at."""
    looked: list[int] = []

    def look(search, cell, size):
        looked.append(size)
        return Measure(power(size), 0.0)

    monkeypatch.setattr(sizes, "_power", look)
    return Search(None, [None] * 400, largest, {"looked": looked}, np.full((1, 1), guess))


@pytest.mark.parametrize("target", [0.8, 0.9])
@pytest.mark.parametrize("guess", [12.0, 90.0, 1900.0, np.inf])
@pytest.mark.parametrize("delta", [0.6, 0.2, 0.08])
def test_the_size_of_a_normal_test_is_found(monkeypatch, delta, guess, target):
    exact = ((norm.ppf(target) + norm.ppf(0.975)) / delta) ** 2
    search = searching(monkeypatch, normal(delta), guess)
    found = required(search, CELL, target)
    assert normal(delta)(found.value) >= target
    assert max(LEAST, exact) <= found.value <= max(LEAST, (1 + 2 * FINE) * exact + 1)
    assert len(search.known["looked"]) < 60


def test_its_error_is_that_of_the_power_over_its_slope(monkeypatch):
    found = required(searching(monkeypatch, normal(0.1), 500.0), CELL, 0.9)
    slope = (normal(0.1)(found.value + 1) - normal(0.1)(found.value - 1)) / 2
    assert found.mcse == pytest.approx(np.sqrt(0.9 * 0.1 / 400) / slope, rel=0.02)


def test_what_the_largest_size_does_not_reach_has_none(monkeypatch):
    assert np.isinf(required(searching(monkeypatch, normal(0.02), 50.0), CELL, 0.8).value)


def test_power_at_a_size_is_that_of_a_trial_of_that_size():
    """The first so many participants of a larger trial are the smaller trial."""
    scenario, asked = sim.load("valor"), {"analyses": NAMES, "days": [196], "truth": 0, "null": False, "seed": 5}
    steps = []
    found = sim.trial(
        scenario, replicates=30, sizes=[54, 108, 150], progress=lambda done, total: steps.append((done, total)), **asked
    )
    at = found.groups["power"]
    assert at["size"].values.tolist() == [54, 108, 150]
    for s, size in enumerate((54, 108, 150)):
        alone = sim.trial(scenario, replicates=30, size=size, **asked)
        for a, name in enumerate(NAMES):
            assert at["value"].values[a, 0, s] == alone.measure(name, "rejection").value
    assert steps[-4:] == [(30, 120), (60, 120), (90, 120), (120, 120)]


def test_the_size_that_is_needed_has_the_power():
    scenario, asked = sim.load("valor_trial"), {"analyses": ["joint_rank"], "truth": 0, "null": False, "seed": 2}
    found = sim.trial(scenario, replicates=40, power=[0.5, 0.8], **asked)
    small, large = found.needed("joint_rank").values()
    assert LEAST < small.value < large.value < LARGEST
    assert (
        sim.trial(scenario, replicates=40, size=int(large.value), **asked).measure("joint_rank", "rejection").value
        >= 0.8
    )
