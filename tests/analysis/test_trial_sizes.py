"""Required sizes: bisection under common random numbers against the normal test's own size, and smaller trials."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import simulator as sim
from simulator.analysis.replicates import Measure
from simulator.engine.allocation import allocate
from simulator.engine.people import strata_of
from simulator.engine.random import make_key
from simulator.language.blocks.trial import Trial
from simulator.studies.trial import sizes
from simulator.studies.trial.plan import as_enrolled
from simulator.studies.trial.sizes import FINE, LARGEST, LEAST, Search, required, whole_sizes

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
        return Measure(power(size), np.sqrt(power(size) * (1 - power(size)) / 400))

    monkeypatch.setattr(sizes, "_power", look)
    monkeypatch.setattr(sizes, "_critical", lambda plan: norm.ppf(0.975))
    return Search(None, [None] * 400, np.arange(LEAST, largest + 1), {"looked": looked}, np.full((1, 1), guess))


@pytest.mark.parametrize("target", [0.8, 0.9])
@pytest.mark.parametrize("guess", [12.0, 90.0, 1900.0, 1e6])
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
    assert found.mcse == pytest.approx(np.sqrt(0.9 * 0.1 / 400) / slope, rel=0.03)
    assert found.lower < found.value - found.mcse < found.value + found.mcse < found.upper


def test_what_the_largest_size_does_not_reach_has_none(monkeypatch):
    assert np.isinf(required(searching(monkeypatch, normal(0.02), 50.0), CELL, 0.8).value)


def test_harm_has_no_size(monkeypatch):
    assert np.isnan(required(searching(monkeypatch, normal(0.2), np.inf), CELL, 0.8).value)


@pytest.mark.slow
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
            assert at["value"].values[a, 0, s] == alone.measure(name, "power").value
    assert steps[-4:] == [(30, 120), (60, 120), (90, 120), (120, 120)]


@pytest.mark.slow
def test_the_size_that_is_needed_has_the_power():
    scenario, asked = sim.load("valor_trial"), {"analyses": ["joint_rank"], "truth": 0, "null": False, "seed": 2}
    found = sim.trial(scenario, replicates=40, power=[0.5, 0.8], **asked)
    small, large = found.needed("joint_rank").values()
    assert LEAST < small.value < large.value < LARGEST
    assert (
        sim.trial(scenario, replicates=40, size=int(large.value), **asked).measure("joint_rank", "power").value >= 0.8
    )


# --- the design decides


@pytest.mark.slow
def test_power_at_a_size_is_that_of_a_trial_of_that_size_with_its_looks():
    """Looks, boundaries and futility are those that the smaller trial has."""
    scenario, asked = sim.load("group_sequential"), {"analyses": ["ancova"], "truth": 0, "null": False, "seed": 5}
    found = sim.trial(scenario, replicates=40, sizes=[90, 162], **asked)
    for size in (90, 162):
        alone = sim.trial(scenario, replicates=40, size=size, **asked)
        assert found.power("ancova")[size] == alone.measure("ancova", "power")
        at = alone.groups["interim"]
        assert alone.measure("ancova", "power").value == at["benefit"].values[0]


def test_power_of_three_arms_counts_everybody():
    """Sizes are of all who are randomised, also where two arms of three are compared."""
    arms = {"a": [{"treatments": ["tofersen"], "from_day": 0}], "b": [], "c": []}
    scenario = sim.load("valor_trial").replace(
        {"arms": arms, "trial.counts": None, "trial.size": 90, "trial.allocation": {"a": 1, "b": 1, "c": 1}}
    )
    asked = {"analyses": ["ancova"], "arms": ("a", "b"), "truth": 0, "null": False}
    found = sim.trial(scenario, replicates=20, sizes=[60], **asked)
    alone = sim.trial(scenario, replicates=20, size=60, **asked)
    assert found.power("ancova")[60] == alone.measure("ancova", "power")


@pytest.mark.slow
def test_the_required_size_reaches_the_power_with_looks():
    """In other people: within 4 errors of both studies (error rate 6e-5)."""
    change = {"trial.interim.alpha": 0.2, "trial.interim.futility.conditional_power": 0.3}
    scenario, asked = sim.load("group_sequential").replace(change), {"analyses": ["ancova"], "truth": 0, "null": False}
    needed = sim.trial(scenario, replicates=120, power=[0.6], seed=3, **asked).needed("ancova")[0.6]
    found = sim.trial(scenario, replicates=200, size=int(needed.value), seed=4, **asked).measure("ancova", "power")
    assert abs(found.value - 0.6) < 4 * np.sqrt(0.6 * 0.4 * (1 / 120 + 1 / 200))
    assert needed.value % 6 == 0


@pytest.mark.slow
def test_harm_is_no_power_and_has_no_size():
    change = {"treatments": {"poison": {"kind": "rate_multiplier", "value": 2.0}}, "arms.tofersen": [
        {"treatments": ["poison"], "from_day": 0}]}  # fmt: skip
    scenario = sim.load("valor_trial").replace(change)
    found = sim.trial(scenario, replicates=40, analyses=["ancova", "logrank"], truth=0, null=False, power=[0.8])
    assert (found.estimates("ancova")["p"] <= 0.05).mean() > 0.6
    assert found.measure("ancova", "power").value == 0
    for name in ("ancova", "logrank"):
        assert np.isnan(found.needed(name)[0.8].value)


@pytest.mark.slow
def test_the_level_is_that_of_the_trial():
    scenario, asked = sim.load("valor_trial"), {"analyses": ["ancova"], "truth": 0, "null": True, "replicates": 60}
    strict, one, usual = (
        sim.trial(scenario.replace(change), **asked)
        for change in ({"trial.alpha": 0.01}, {"trial.alpha": 0.025, "trial.sides": 1}, {})
    )
    p, value = (usual.estimates("ancova")[key] for key in ("p", "value"))
    assert strict.measure("ancova", "power").value == ((p <= 0.01) & (value > 0)).mean()
    assert usual.measure("ancova", "power").value == ((p <= 0.05) & (value > 0)).mean()
    assert one.measure("ancova", "power") == usual.measure("ancova", "power")
    p, value = (usual.estimates("ancova", group="null")[key] for key in ("p", "value"))
    assert usual.measure("ancova", "type_one_error").value == (p <= 0.05).mean()
    assert one.measure("ancova", "type_one_error").value == ((p <= 0.05) & (value > 0)).mean()
    assert str(one.attrs["test"]) == "one-sided level of 2.5 %"


# --- whole blocks


@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=3),
    st.integers(1, 3),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
)
def test_whole_sizes_keep_the_ratio_in_every_stratum(parts, times, people):
    """The engine's own allocation of so many people has each arm in its ratio, in every stratum."""
    shares = np.array(people) / sum(people)
    arms, ratio = "abc"[: len(parts)], np.array(parts) // np.gcd.reduce(parts)
    trial = Trial(size=200, allocation=dict(zip(arms, parts, strict=True)), block_size=times * int(ratio.sum()),
                  analysis_days=[28])  # fmt: skip
    strata = {f"s{k}": SimpleNamespace(share=SimpleNamespace(value=share)) for k, share in enumerate(shares)}
    sizes = whole_sizes(SimpleNamespace(trial=trial, strata=strata), LEAST, 500)
    block = np.tile(times * ratio, (len(shares), 1)).astype(np.int64)
    codes = np.empty(500, np.int8)
    strata_of(shares, codes)
    people = np.cumsum(codes[:, None] == np.arange(len(shares)), axis=0)
    whole = 1 + np.flatnonzero((people % block.sum(axis=1) == 0).all(axis=1))
    if not (whole >= LEAST).any():
        assert (sizes % block[0].sum() == 0).all()
        return
    assert sizes.tolist() == whole[whole >= LEAST].tolist()
    for n in sizes[:: max(len(sizes) // 5, 1)]:
        out = np.empty(n, np.int8)
        with np.errstate(over="ignore"):
            allocate(make_key(1, 0), codes[:n], block, np.zeros(len(parts)), np.empty(0), np.zeros_like(block), out)
        assert (np.bincount(out) * ratio[0] == np.bincount(out)[0] * ratio).all()


def test_sizes_of_exact_counts():
    found = whole_sizes(as_enrolled(sim.load("valor_extension")), LEAST, 250)
    assert found.tolist() == [36, 72, 108, 144, 180, 216]
