"""Laws that hold for every scenario: what treatment, hazard and time may and may not do, patient by patient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator as sim
from simulator.analysis.survival import kaplan_meier, restricted_mean
from simulator.models import MODELS
from tests.support.models import amounts, known, study

MONTH = 30.4375
DRUG = "treatments.tofersen"
BASE = {"follow_up_days": 1092, "trial": None, "visits.every_days": 84}
DOMAINS = ("bulbar", "fine_motor", "gross_motor", "respiratory")
FUNCTION = ("alsfrs_r", *(f"alsfrs_r_{name}" for name in DOMAINS), "svc", "hhd", "disease_time", "rate")
SEEDS = st.integers(0, 2**64 - 1)


every_model = pytest.mark.parametrize("model", MODELS)


def scenario(changes: dict[str, Any] | None = None, model: str = "clock") -> sim.Scenario:
    return study(model, BASE | (changes or {}))


def run(
    changes: dict[str, Any] | None = None, patients: int = 300, seed: int = 3, model: str = "clock", **keywords: Any
) -> sim.Result:
    return sim.simulate(scenario(changes, model), patients=patients, seed=seed, threads=1, **keywords)


def values(result: sim.Result, group: str, name: str) -> np.ndarray:
    return result.groups[group][name].values


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Bit by bit."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def differing(result: sim.Result, arm: int, against: int, groups: tuple[str, ...]) -> list[str]:
    """Variables in which two arms are not the same, bit by bit."""
    found = []
    for group in groups:
        for name, array in result.groups[group].items():
            if array.dims[0] == "arm" and len(array.dims) > 1 and not same(array.values[arm], array.values[against]):
                found.append(f"{group}/{name}")
    return found


def effect(**changes: float) -> dict[str, float]:
    return {f"{DRUG}.effect.{key}": value for key, value in changes.items()}


def addon(kind: str, value: float, **epoch: int) -> dict[str, Any]:
    treatment = {"kind": kind, "value": value}
    return {
        "treatments.care": treatment,
        "arms": {"none": [], "care": [{"treatments": ["care"], "from_day": 0} | epoch]},
    }


def test_there_are_models():
    assert set(MODELS) >= {"clock", "regions", "linear", "multistate"}


# --- effect


@every_model
def test_nothing_inhibited_leaves_all_arms_identical(model):
    result = run({f"{DRUG}.target.max_inhibition": 0}, model=model)
    for arm in (1, 2):
        assert differing(result, arm, 0, ("truth", "observed", "events", "summary")) == []
    assert values(result, "doses", "day").size > 0


@every_model
def test_a_null_effect_leaves_function_breathing_and_events_as_they_were_while_sod1_falls(model):
    result = run(effect(mean=0, sd=0, low=-1, high=1) | {"attrition": None}, model=model)
    markers = {"sod1_csf", "nfl_plasma"} & set(known(model))
    for arm in (1, 2):
        assert differing(result, arm, 0, ("events",)) == []
        assert {name.partition("/")[2] for name in differing(result, arm, 0, ("truth",))} == markers
        for name in {*FUNCTION} & set(known(model)):
            assert same(values(result, "truth", name)[arm], values(result, "truth", name)[0])
    assert values(result, "truth", "sod1_csf")[1, :, -1].max() < 0.9
    if "nfl_plasma" in markers:
        assert (values(result, "truth", "nfl_plasma")[1, :, -1] < values(result, "truth", "nfl_plasma")[0, :, -1]).all()


STEEPNESS = {"clock": ("steepness", 1), "regions": ("steepness", 1), "linear": ("growth_per_month", 1 / 60)}
"""What makes the hazard of a model steep, where anything does, and its size for a steepness of 1."""


def steep(model: str, kappa: float) -> dict[str, float]:
    name, unit = STEEPNESS.get(model, ("", 0))
    return {f"progression.survival.{name}": kappa * unit} if name else {}


@every_model
@settings(max_examples=12)
@given(
    mean=amounts(0, 2),
    sd=amounts(0, 1),
    share=amounts(0, 1),
    kappa=st.floats(1, 20),
    first=st.integers(0, 400),
    seed=SEEDS,
)
def test_no_benefit_is_negative_when_the_effect_is_not(model, mean, sd, share, kappa, first, seed):
    changes = effect(mean=mean, sd=sd, low=0, high=3) | {
        "progression.survival.state_share": share,
        **steep(model, kappa),
        "arms": {"untreated": [], "treated": [{"treatments": ["tofersen"], "from_day": first}]},
    }
    days = values(run(changes, seed=seed, model=model), "events", "event_free_time")
    assert (days[1] - days[0]).min() >= -1e-3 * MONTH


# --- hazard


@every_model
def test_without_hazard_everybody_lives(model):
    changes = addon("hazard_multiplier", 0) | {"disease.background_mortality.multiplier": 0}
    result = run(changes, model=model)
    assert (values(result, "events", "event")[1] == 0).all()
    assert (values(result, "events", "event_free_time")[1] == 1092).all()
    assert np.isnan(values(result, "events", "death_time")[1]).all()
    assert (values(result, "summary", "alive")[1] == 300).all()
    assert (values(result, "events", "event")[0] > 0).any()


@every_model
@settings(max_examples=10)
@given(low=amounts(0, 20), more=amounts(0, 20), first=st.integers(0, 60), seed=SEEDS)
def test_a_higher_hazard_never_lengthens_survival(model, low, more, first, seed):
    def times(value: float) -> list[np.ndarray]:
        result = run(addon("hazard_multiplier", value, from_day=7 * first), seed=seed, model=model)
        return [values(result, "events", name)[1] for name in ("event_free_time", "death_time")]

    for shorter, longer in zip(times(low + more), times(low), strict=True):
        assert (np.nan_to_num(shorter, nan=np.inf) <= np.nan_to_num(longer, nan=np.inf)).all()


@settings(max_examples=10)
@given(low=amounts(0, 50), more=amounts(0, 50), seed=SEEDS)
def test_more_background_mortality_never_lengthens_survival(low, more, seed):
    def times(value: float) -> np.ndarray:
        changes = {"entry": {"at_onset": True}, "strata": None, "disease.background_mortality.multiplier": value}
        return values(run(changes, seed=seed), "events", "event_free_time")

    assert (times(low + more) <= times(low)).all()


# --- states and areas


@pytest.mark.slow
@every_model
@settings(max_examples=6)
@given(patients=st.integers(1, 700), seed=SEEDS)
def test_states_add_up_and_the_living_only_become_fewer(model, patients, seed):
    result = run(patients=patients, seed=seed, model=model)
    summary = {name: values(result, "summary", name) for name in ("alive", "at_risk", "ended")}
    dead = (values(result, "events", "death_time")[:, :, None] <= result.time).sum(axis=1)
    assert (summary["alive"] + dead == patients).all()
    assert (summary["ended"].sum(axis=1) == patients).all()
    assert (summary["at_risk"] <= summary["alive"]).all()
    assert (summary["alive"][:, 0] == patients).all()
    for name in ("alive", "at_risk"):
        assert (np.diff(summary[name], axis=1) <= 0).all()
    kinds = values(result, "events", "event")
    assert [[int((arm == kind).sum()) for kind in range(3)] for arm in kinds] == summary["ended"].tolist()


@pytest.mark.slow
@settings(max_examples=10)
@given(first=st.floats(1, 1000), gap=amounts(0, 92), seed=SEEDS)
def test_areas_under_the_curve_add(first, gap, seed):
    result = run(seed=seed)
    for arm in range(3):
        days, event = (values(result, "events", name)[arm] for name in ("event_free_time", "event"))
        curve = kaplan_meier(days, event > 0)
        whole, part = (restricted_mean(curve, horizon).value for horizon in (first + gap, first))
        between = np.clip(days - first, 0, gap).mean()
        assert whole == pytest.approx(part + between, rel=1e-9)
    everything = [
        restricted_mean(kaplan_meier(d, d < 1092), 1092).value for d in values(result, "events", "event_free_time")
    ]
    assert values(result, "summary", "event_free_time_mean") == pytest.approx(np.array(everything), abs=1e-3)


def check_ranges(result: sim.Result) -> None:
    """Scores in their range, nothing NaN or infinite."""
    truth = {name: values(result, "truth", name) for name in (*FUNCTION, "nfl_plasma", "sod1_csf")}
    assert all(np.isfinite(array).all() for array in truth.values())
    assert (truth["alsfrs_r"] >= 0).all()
    assert (truth["alsfrs_r"] <= 48).all()
    for name in DOMAINS:
        assert (truth[f"alsfrs_r_{name}"] >= 0).all()
        assert (truth[f"alsfrs_r_{name}"] <= 12).all()
    assert sum(truth[f"alsfrs_r_{name}"] for name in DOMAINS) == pytest.approx(truth["alsfrs_r"], abs=2e-5)
    assert (truth["svc"] >= 0).all()
    assert (truth["svc"] <= values(result, "patients", "v0")[None, :, None]).all()
    assert (truth["nfl_plasma"] > 0).all()
    assert (truth["sod1_csf"] >= 0).all()
    assert (truth["sod1_csf"] <= 1).all()
    assert np.isfinite(values(result, "events", "event_free_time")).all()
    assert not any(np.isinf(values(result, "observed", n)).any() for n in ("alsfrs_r", "svc", "hhd", "nfl_plasma"))


@pytest.mark.slow
def test_scores_stay_in_their_range():
    result = run(patients=1000)
    check_ranges(result)
    seen = values(result, "observed", "alsfrs_r")
    assert set(np.unique(seen[~np.isnan(seen)])) <= set(range(49))


EXTREMES = {
    "progression.d50_months.other": st.floats(0.2, 5000),
    "progression.volatility.log_sd": st.sampled_from([0, 0.38, 3]),
    "progression.volatility.autocorrelation": st.sampled_from([-0.99, 0, 0.999]),
    "progression.function.steepness": st.floats(0.3, 30),
    "progression.function.tau_limb": st.floats(0.01, 50),
    "progression.breathing.steepness": st.floats(0.3, 20),
    "progression.survival.steepness": st.floats(1, 60),
    "progression.survival.state_share": st.sampled_from([0, 0.45, 1]),
    "progression.neurofilament.amplitude": st.sampled_from([0, 300, 1e5]),
    f"{DRUG}.regimen.dose_mg": st.sampled_from([0, 100, 1e5]),
    f"{DRUG}.tissue.half_life_days": st.floats(0.3, 5000),
    f"{DRUG}.target.half_life_days": st.floats(2, 5000),
    f"{DRUG}.target.ec50": st.floats(1e-4, 1e4),
    f"{DRUG}.target.max_inhibition": amounts(0, 1),
    f"{DRUG}.effect.mean_transit_days": st.floats(6, 5000),
    f"{DRUG}.effect.recovery_cap": st.sampled_from([0, 0.3, 2]),
    f"{DRUG}.neurofilament.half_life_days": st.floats(2, 5000),
}


@settings(max_examples=60)
@given(extreme=st.fixed_dictionaries(EXTREMES), mean=st.sampled_from([-5, 0, 5]), seed=SEEDS)
@pytest.mark.slow
def test_extreme_parameters_do_not_overflow(extreme, mean, seed):
    alone = {"disease.variants": {"other": 1}, "progression.d50_months": {"other": 20}, "entry": {"at_onset": True}}
    changes = alone | {"strata": None} | effect(mean=mean, sd=0, low=-10, high=10)
    chosen = scenario(changes).replace(extreme)
    check_ranges(sim.simulate(chosen, patients=40, seed=seed, threads=1))


@pytest.mark.parametrize(
    "address",
    [
        "effect.mean_transit_days",
        "target.half_life_days",
        "neurofilament.half_life_days",
        "neurofilament.fast_days",
        "neurofilament.slow_half_life_days",
    ],
)
def test_time_constants_far_below_a_week_do_not_overflow(address):
    result = run({f"{DRUG}.{address}": 0.3}, patients=40)
    check_ranges(result)
    assert values(result, "truth", "nfl_plasma").max() < 5000
    assert values(result, "truth", "rate").min() > -1
