"""A run from outside: what it refuses, what it records, and who a trial would see in which arm."""

import json

import numpy as np
import pytest

from simulator import __version__
from simulator.engine.allocation import NOBODY, allocate
from simulator.engine.random import make_key
from simulator.errors import ResourceError, SimulatorError
from simulator.language import load
from simulator.program.scenario import blocks
from simulator.run import memory, simulate


def allocated(strata, block, seed=1, pull=None, x=()):
    block = np.array(block, np.int64)
    strata, x = np.array(strata, np.int8), np.array(x, np.float64)
    pull = np.zeros(block.shape[1]) if pull is None else np.array(pull, np.float64)
    return allocate(make_key(seed), strata, block, pull, x, np.zeros_like(block), np.empty_like(strata))


def mixed(n):
    """Strata of n patients, in no order."""
    return np.random.default_rng(3).integers(0, 2, n)


@pytest.mark.parametrize("block", [[[1, 2], [1, 2]], [[13, 7], [11, 5]], [[0, 1], [3, 3]]])
def test_every_block_has_the_ratio(block):
    strata = mixed(2000)
    arms = allocated(strata, block)
    for k, wanted in enumerate(block):
        mine, size = arms[strata == k], sum(wanted)
        whole = mine[: len(mine) // size * size].reshape(-1, size)
        assert len(whole) > 40
        for arm, count in enumerate(wanted):
            assert (np.count_nonzero(whole == arm, axis=1) == count).all()


def test_every_order_of_a_block_is_as_probable():
    arms = allocated(np.zeros(36_000), [[2, 1]]).reshape(-1, 3)
    orders, counts = np.unique(arms, axis=0, return_counts=True)
    assert orders.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert abs(counts - 4000).max() < 5 * np.sqrt(12_000 * 2 / 9)


def test_the_first_patients_are_allocated_alike_for_any_number():
    strata = mixed(1001)
    for n in (1, 500, 1000):
        assert (allocated(strata, [[3, 2], [1, 4]])[:n] == allocated(strata[:n], [[3, 2], [1, 4]])).all()
    other = allocated(strata, [[3, 2], [1, 4]], seed=2)
    assert (other != allocated(strata, [[3, 2], [1, 4]])).any()


def test_a_stratum_does_not_touch_another():
    strata = mixed(300)
    one, two = allocated(strata, [[1, 1], [1, 2]]), allocated(strata, [[1, 1], [0, 0]])
    assert (one[strata == 0] == two[strata == 0]).all()
    assert (two[strata == 1] == NOBODY).all()


RATIOS = [
    ({"early_start": 2, "delayed_start": 1}, [0, 2, 1]),
    ({"early_start": 0.667, "delayed_start": 0.333}, [0, 2, 1]),
    ({"early_start": 4, "delayed_start": 2}, [0, 2, 1]),
    ({"untreated": 0.5, "early_start": 0.25, "delayed_start": 0.25}, [2, 1, 1]),
    ({"untreated": 1 / 3, "early_start": 1 / 3, "delayed_start": 1 / 3}, [1, 1, 1]),
    ({"untreated": 1000, "early_start": 1}, [1000, 1, 0]),
]


@pytest.mark.parametrize(("ratio", "block"), RATIOS)
def test_the_smallest_block_of_a_ratio(ratio, block):
    scenario = load("valor").replace({"trial.allocation": ratio, "trial.size": 3000})
    assert blocks(scenario).tolist() == [block, block]


def test_exact_counts_make_blocks_of_their_own():
    counts = {"faster": {"early_start": 39, "delayed_start": 21}, "slower": {"early_start": 33, "delayed_start": 15}}
    scenario = load("valor").replace({"trial": {"counts": counts, "analysis_days": [196]}})
    assert blocks(scenario).tolist() == [[0, 13, 7], [0, 11, 5]]
    scenario = scenario.replace({"trial.counts": {"faster": {"untreated": 1000, "early_start": 999}}})
    assert blocks(scenario).tolist() == [[1000, 999, 0], [0, 0, 0]]
    assert blocks(load("natural_history")) is None


@pytest.fixture(scope="module")
def short():
    """The trial with a short follow-up."""
    return load("valor").replace({"follow_up_days": 196, "trial.analysis_days": [196]})


def test_allocation_is_an_observation(short):
    result = simulate(short, patients=60)
    other = simulate(short.replace({"trial.allocation": {"untreated": 1, "early_start": 1}}), patients=60)
    none = simulate(short.replace({"trial": None}), patients=60)
    arms = result.groups["patients"]["allocated_arm"].values
    assert set(arms) == {"early_start", "delayed_start"}
    assert (arms != other.groups["patients"]["allocated_arm"].values).any()
    assert "allocated_arm" not in none.groups["patients"]
    for name, array in none.groups["patients"].items():
        assert (array.values == result.groups["patients"][name].values).all(), name
    for group in ("truth", "observed", "events"):
        for name, array in none.groups[group].items():
            if array.values.dtype.kind == "f":
                assert np.array_equal(array.values, result.groups[group][name].values, equal_nan=True), name
                assert np.array_equal(array.values, other.groups[group][name].values, equal_nan=True), name


def test_who_is_not_enrolled_has_no_arm(short):
    scenario = short.replace({"trial": {"counts": {"slower": {"early_start": 3}}, "analysis_days": [196]}})
    people = simulate(scenario, patients=20).groups["patients"]
    enrolled = people["allocated_arm"].values == "early_start"
    assert (enrolled == (people["stratum"].values == "slower")).all()
    assert (people["allocated_arm"].values[~enrolled] == "").all()


def test_forced_vital_capacity_is_a_little_less(short):
    offset = simulate(short, patients=400).groups["patients"]["fvc_offset"].values
    assert offset.mean() == pytest.approx(1.5, abs=5 * 3 / 20)
    assert offset.std() == pytest.approx(3, rel=0.2)
    same = short.replace({"progression.breathing.fvc_offset_percent": 2})
    assert (simulate(same, patients=5).groups["patients"]["fvc_offset"].values == 2).all()


@pytest.mark.parametrize(
    ("settings", "texts"),
    [
        (
            {"strata.faster.eligible.svc_percent.min": 500},
            ["of stratum 'faster'", "svc_percent >= 500 (strata.faster.eligible)", ": strata.faster.eligible: 10,000"],
        ),
        (
            {"strata.slower.eligible.svc_percent.min": 500},
            ["of stratum 'slower'", "svc_percent >= 500 (strata.slower.eligible)"],
        ),
        (
            {"strata": None, "entry.eligible.age_years": {"min": 200}},
            ["one patient and", "age_years >= 200 (entry.elig", ": entry.eligible: 10,000"],
        ),
        ({"entry.referral_months": 1e6}, ["most failed at: not referred yet. Loosen"]),
    ],
)
def test_a_stratum_nobody_fits_is_named_with_the_rule(short, settings, texts):
    with pytest.raises(SimulatorError) as caught:
        simulate(short.replace(settings), patients=4)
    for text in ["10,000 candidates were tried for one patient", *texts]:
        assert text in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"patients": 0}, "0 patients"),
        ({"patients": 5_000_001}, "Ask for 1 to 5,000,000"),
        ({"seed": 2**64}, "does not fit 64 bits"),
        ({"seed": -1}, "does not fit 64 bits"),
        ({"threads": 0}, "0 threads"),
        ({"output": "short"}, "Choose full or summary"),
    ],
)
def test_arguments_out_of_range(short, arguments, text):
    with pytest.raises(SimulatorError, match=text):
        simulate(short, **arguments)


def test_too_little_memory_is_refused_before_the_run(short):
    needed = memory(short, patients=1000)
    assert memory(short, patients=2000) > needed > memory(short, patients=1000, output="summary")
    with pytest.raises(ResourceError, match="--max-memory allows"):
        simulate(short, patients=1000, max_memory=needed - 1)


def test_a_result_says_where_it_comes_from(short):
    result = simulate(short, patients=4, output="summary")
    assert result.engine_version == __version__
    for text in ('"numba"', '"numpy"', '"h5py"', '"python"'):
        assert text in result.attrs["versions"]
    cited = json.loads(result.attrs["citations"])
    assert len(set(cited)) == len(cited)
    for text in ("doi:10.1136/jnnp-2016-313521", "NEJM 2022;387:1099-1110 (VALOR+OLE), doi:10.1056/NEJMoa2204705"):
        assert sum(text in one for one in cited) == 1
    assert result.strata == ("faster", "slower")


def test_samples_below_the_limit_are_half_of_it_and_say_so():
    scenario = load("valor").replace({"visits.noise.nfl_llq": 30.0})
    seen = simulate(scenario, patients=40, seed=3).groups["observed"]
    below, nfl = seen["nfl_plasma_below_limit"].values, seen["nfl_plasma"].values
    assert (np.isnan(below) == np.isnan(nfl)).all()
    assert 0 < (below == 1).sum() == (nfl == 15).sum() < (~np.isnan(nfl)).sum()
