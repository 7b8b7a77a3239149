"""What a result must not depend on, bit by bit: threads, chunks, block width, numbers of patients and arms, days."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator as sim
from simulator import run as running
from simulator.engine import batches
from simulator.models import MODELS
from simulator.program import compile_program
from simulator.results.summary import SUMMARISED
from tests.support.bits import BASE, differing, differing_in_arm, doses_of, elsewhere, same
from tests.support.models import study

MISSED = {"adherence": {"missed": 0.2, "delay_days_max": 42}}
OFF_THE_WEEK = [
    {"treatments": ["tofersen"], "from_day": 3, "to_day": 101},
    {"treatments": ["tofersen"], "from_day": 300},
]
EARLY = [{"treatments": ["tofersen"], "from_day": 0}]


every_model = pytest.mark.parametrize("model", MODELS)


def run(
    changes: dict[str, Any] | None = None, patients: int = 300, seed: int = 5, model: str = "clock", **keywords: Any
) -> sim.Result:
    scenario = study(model, BASE | (changes or {}))
    return sim.simulate(scenario, patients=patients, seed=seed, **({"threads": 1} | keywords))


# --- the machine


@pytest.mark.slow
@every_model
@pytest.mark.parametrize("changes", [{}, MISSED], ids=["calendar", "missed doses"])
def test_one_and_two_threads_give_the_same(changes, model):
    one, two = (run(changes, patients=2500, threads=threads, model=model) for threads in (1, 2))
    assert differing(one, two) == []
    assert one.screening == two.screening
    streamed = run(changes, patients=2500, threads=2, output="summary", model=model)
    assert differing(streamed, run(changes, patients=2500, output="summary", model=model), ("summary",)) == []


@pytest.mark.parametrize("output", ["full", "summary"])
@pytest.mark.parametrize(
    ("batch", "part", "most"), [(1, 1, 1), (37, 5, 100), (128, 128, 128), (129, 1000, 10_000), (700, 100, 333)]
)
@pytest.mark.slow
def test_chunks_do_not_show(monkeypatch, batch, part, most, output):
    changes = MISSED | {"follow_up_days": 364}
    expected = run(changes, patients=400, output=output)
    monkeypatch.setattr(batches, "make_worker", functools.partial(batches.make_worker, batch=batch, part=part))
    monkeypatch.setattr(batches, "RANGE", most)
    monkeypatch.setattr(batches, "PART", min(most, part))
    found = run(changes, patients=400, output=output, threads=2)
    assert differing(found, expected, tuple(expected.groups)) == []
    assert found.screening == expected.screening


@pytest.mark.slow
def test_a_first_run_gives_the_bits_of_later_ones(tmp_path):
    """What compiles kernels does not run them: its own copies of inner functions could round otherwise."""
    first, later = (
        elsewhere(tmp_path / f"{name}.npz", MISSED, 100, ALS_SIM_CACHE=str(tmp_path / "cache"))
        for name in ("first", "later")
    )
    assert [key for key in first if not same(first[key], later[key])] == []


@pytest.mark.slow
def test_block_width_does_not_show(tmp_path):
    for output in ("full", "summary"):
        expected = run(MISSED, output=output)
        found = elsewhere(tmp_path / f"{output}.npz", MISSED, 300, output, ALS_SIM_LANES="64")
        different = [
            k
            for k, values in found.items()
            if not same(values, expected.groups[k.split("/")[0]][k.split("/")[1]].values)
        ]
        assert different == []
        assert len(found) == sum(len(group) for group in expected.groups.values())


@pytest.mark.slow
@every_model
def test_without_compiling_the_numbers_are_the_same_but_for_rounding(tmp_path, model):
    changes = MISSED | {"follow_up_days": 364, "output.every_days": 20}
    plain = elsewhere(tmp_path / "plain.npz", changes, 24, model=model, NUMBA_DISABLE_JIT="1", ALS_SIM_LANES="16")
    compiled = run(changes, patients=24, model=model)
    for name, values in plain.items():
        group, variable = name.split("/")
        other = compiled.groups[group][variable].values
        if values.dtype.kind != "f":
            assert (values == other).all(), name
        elif group == "summary" and variable.partition("_quantile")[1]:
            continue  # a value that moves into the next bin moves a quantile by more than rounding
        elif name == "observed/alsfrs_r":
            assert np.nanmax(np.abs(values - other)) <= 1
        else:
            assert values == pytest.approx(other, rel=1e-4, abs=2e-3, nan_ok=True), name


# --- the run


@pytest.mark.slow
@every_model
@settings(max_examples=5)
@given(patients=st.integers(1, 600), seed=st.integers(0, 2**64 - 1))
def test_the_first_patients_of_twice_as_many_are_the_same(model, patients, seed):
    few, many = (run(patients=n, seed=seed, model=model) for n in (patients, 2 * patients))
    for name, array in few.groups["patients"].items():
        assert same(array.values, many.groups["patients"][name].values[:patients]), name
    for arm in few.arms:
        assert differing_in_arm(few, many, arm, patients) == []


@every_model
@pytest.mark.parametrize("changes", [{}, MISSED], ids=["calendar", "missed doses"])
def test_an_arm_more_changes_no_other(changes, model):
    arms = {"untreated": [], "early": EARLY}
    few = run({"arms": arms} | changes, model=model)
    many = run({"arms": {"odd": OFF_THE_WEEK} | arms | {"odd again": OFF_THE_WEEK}} | changes, model=model)
    for arm in arms:
        assert differing_in_arm(few, many, arm) == []
    assert differing(few, many, ("patients",)) == []
    assert doses_of(many, "odd", None) == doses_of(many, "odd again", None) != []


def test_the_order_of_arms_is_the_order_of_the_output_only():
    arms = {"untreated": [], "early": EARLY, "odd": OFF_THE_WEEK}
    one, other = run({"arms": arms}), run({"arms": dict(reversed(arms.items()))})
    assert one.arms == tuple(reversed(other.arms))
    for arm in arms:
        assert differing_in_arm(one, other, arm) == []


@every_model
@pytest.mark.parametrize(("fine", "coarse"), [(1, 28), (7, 28), (4, 28), (15, 45), (9, 45)])
@pytest.mark.slow
def test_the_truth_does_not_depend_on_the_days_of_output(fine, coarse, model):
    often, seldom = (run({"output.every_days": every}, patients=150, model=model) for every in (fine, coarse))
    shared = np.isin(often.time, seldom.time)
    assert shared.sum() == seldom.time.size
    for name, array in seldom.groups["truth"].items():
        if array.dims[-1] == "time" and len(array.dims) == 3:
            assert same(np.ascontiguousarray(often.groups["truth"][name].values[:, :, shared]), array.values), name
    assert differing(often, seldom, ("patients", "events", "observed", "doses")) == []


def test_the_seed_changes_everything():
    one, other = run(seed=5), run(seed=6)
    for group, name in [("patients", "d50"), ("patients", "age"), ("truth", "svc"), ("events", "dropout_time")]:
        a, b = (result.groups[group][name].values for result in (one, other))
        assert (a != b).mean() > 0.95, name
    high = run(seed=5 + 2**32)
    assert (one.groups["patients"]["d50"].values != high.groups["patients"]["d50"].values).mean() > 0.95


# --- the sums


@every_model
@pytest.mark.parametrize("changes", [{}, MISSED | {"output.every_days": 45}], ids=["calendar", "missed doses"])
def test_a_streamed_summary_is_that_of_a_full_run(changes, model):
    full, streamed = (run(changes, patients=1300, output=output, model=model) for output in ("full", "summary"))
    assert differing(streamed, full, ("summary",)) == []
    assert list(streamed.groups) == ["summary"]
    assert streamed.screening == full.screening


def survivors(full: sim.Result, row: Any) -> np.ndarray:
    """(arm, patient, time) float64 values of a summarised variable, NaN for the dead."""
    x = full.groups["truth"][row.of].values.astype(np.float64)
    x = np.log(x) if row.transform == "log" else x
    x = x - x[:, :, :1] if row.since else x
    death = full.groups["events"]["death_time"].values
    alive = np.isnan(death)[:, :, None] | (death[:, :, None] > full.time)
    return np.where(alive, x, np.nan)


@pytest.mark.parametrize("row", SUMMARISED, ids=[row.name for row in SUMMARISED])
def test_sums_agree_with_numpy_on_every_patient(row):
    full = run({"follow_up_days": 1456}, patients=1000)
    x = survivors(full, row)
    summary = {name: array.values for name, array in full.groups["summary"].items()}
    mean, sd = summary[f"{row.name}_mean"], summary[f"{row.name}_sd"]
    if row.transform == "log":
        mean, sd = np.log(mean), np.log(sd)
    assert mean == pytest.approx(np.nanmean(x, axis=1), abs=2e-6 * (row.high - row.low))
    assert sd == pytest.approx(np.nanstd(x, axis=1, ddof=1), abs=1e-3 * (row.high - row.low) / 100)
    found = summary[f"{row.name}_quantile"]
    found = np.log(found) if row.transform == "log" else found
    below, above = (  # the neighbours in rank: the bins cannot tell where between them the quantile lies
        np.nanquantile(x, np.clip(summary["quantile"] + shift, 0, 1), axis=1, method=method).transpose(1, 2, 0)
        for shift, method in ((-2e-3, "lower"), (2e-3, "higher"))
    )
    width = 1.001 * (row.high - row.low) / row.bins
    inside = (below > row.low) & (above < row.high)
    assert inside.mean() > 0.99
    assert (found - below + width)[inside].min() >= 0
    assert (above + width - found)[inside].min() >= 0


def test_survival_agrees_with_counting():
    full = run({"follow_up_days": 1456}, patients=1000)
    summary, events = full.groups["summary"], full.groups["events"]
    free = (events["event"].values == 0)[:, :, None] | (events["event_free_time"].values[:, :, None] > full.time)
    assert summary["event_free"].values == pytest.approx(free.mean(axis=1), abs=1e-12)
    death = np.nan_to_num(events["death_time"].values, nan=np.inf)
    assert summary["survival"].values == pytest.approx((death[:, :, None] > full.time).mean(axis=1), abs=1e-12)
    score = np.nan_to_num(survivors(full, next(row for row in SUMMARISED if row.name == "alsfrs_r")))
    assert summary["alsfrs_r_death0_mean"].values == pytest.approx(score.mean(axis=1), abs=1e-4)


@pytest.mark.slow
def test_people_kept_for_the_next_run_of_a_thread_change_nothing():
    """A run that finds its people recruited already gives the bits of one that recruits; another question does not."""

    def in_a_new_thread(scenario):
        with ThreadPoolExecutor(1) as fresh:
            return fresh.submit(sim.simulate, scenario, patients=60, seed=4, threads=1).result()

    base = sim.load("valor")
    drug, entry = {"treatments.tofersen.effect.mean": 0.1}, {"entry.referral_months": 1.0}
    for change in ({}, drug, entry, {"visits.noise.alsfrs_r_points": 5.0}, {}):
        scenario = base.replace(change)
        one, other = sim.simulate(scenario, patients=60, seed=4, threads=1), in_a_new_thread(scenario)
        assert one.attrs == other.attrs  # the counts of screening are among them
        for name, group in one.groups.items():
            for key, array in group.items():
                assert array.values.tobytes() == other.groups[name][key].values.tobytes(), (change, name, key)


def test_people_of_another_model_are_recruited_though_its_constants_are_equal(monkeypatch):
    """Tuples of numbers are equal whatever their type; who is asked for depends on the model, which is the type."""
    program = compile_program(sim.load("valor"), running.SUMMED, 8, is_full=False)
    same_constants = type("Other", (type(program.model),), {})(*program.model)
    other, recruited = program._replace(model=same_constants), []
    assert other.model == program.model
    monkeypatch.setattr(running.recruit, "recruit", lambda *given: recruited.append(type(given[2]).__name__) or -1)
    worker = batches.make_worker(program.sizes)
    for asked in (program, program, other, other, program):
        assert running._recruit(asked, running.key_of(5, 0), worker, 0, 8) == -1
    assert recruited == [type(program.model).__name__, "Other", type(program.model).__name__]
