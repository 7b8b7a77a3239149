"""Closed forms of docs/model.md, sections 1 to 5, against runs of the engine.

The Kolmogorov-Smirnov tests have fixed seeds and reject a right engine with probability 1e-3 each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import kstest

import simulator as sim
from tests.oracle.philox import EVENT, Keys

MONTH = 30.4375
SEED, ERROR_RATE = 17, 1e-3
D50, KAPPA, EPSILON = 20.0, 12.0, 0.45  # of scenarios/analytic
TAU = "progression.function"


@pytest.fixture
def analytic(root):
    def load(name: str, changes: dict[str, Any] | None = None) -> sim.Scenario:
        return sim.load(root / "scenarios" / "analytic" / f"{name}.yaml").replace(changes or {})

    return load


def run(scenario: sim.Scenario, patients: int = 2000) -> sim.Result:
    return sim.simulate(scenario, patients=patients, seed=SEED, threads=1)


def thresholds(result: sim.Result) -> np.ndarray:
    """The patients' own E ~ Exp(1) for death or PAV."""
    accepted = result.groups["patients"]["candidates"].values - 1
    return np.array([Keys(SEED, i, int(c)).exponential(EVENT, 0, 0) for i, c in enumerate(accepted)])


def event_months(result: sim.Result, arm: int = 0) -> np.ndarray:
    """Event times in months; infinite where none happened in follow-up."""
    events = result.groups["events"]
    happened = events["event"].values[arm] > 0
    return np.where(happened, events["event_free_time"].values[arm] / MONTH, np.inf)


def check_times(result: sim.Result, expected: np.ndarray, arm: int = 0, within: float = 3e-4) -> None:
    """Patient by patient, up to the end of follow-up, in months."""
    months, end = event_months(result, arm), result.follow_up_days / MONTH
    seen = expected < end
    assert seen.sum() > 100
    assert (np.isfinite(months) == seen).all()
    assert np.abs(months - expected)[seen].max() < within


def check_distribution(times: np.ndarray, cumulative: Any, end: float) -> None:
    """KS test of the times before `end` against the distribution cut there."""
    seen = times[times < end]
    assert kstest(seen, lambda t: cumulative(t) / cumulative(end)).pvalue > ERROR_RATE


# --- events


def test_a_constant_hazard_gives_exponential_times(analytic):
    result = run(analytic("constant_hazard"))
    check_times(result, D50 * thresholds(result), within=6e-4)  # ten years of float32 sums
    check_distribution(event_months(result), lambda t: 1 - np.exp(-t / D50), 3640 / MONTH)


@pytest.mark.parametrize("kappa", [2.0, 7.0, 12.0, 18.0])
def test_without_volatility_times_are_weibull(analytic, kappa):
    result = run(analytic("weibull_no_volatility", {"progression.survival.steepness": kappa}))
    check_times(result, D50 * thresholds(result) ** (1 / kappa))
    check_distribution(event_months(result), lambda t: 1 - np.exp(-((t / D50) ** kappa)), 1092 / MONTH)


def test_people_who_differ_have_each_their_own_weibull_time(analytic):
    changes = {
        "progression.d50_months": {"other": {"lognormal": {"median": 15, "log_sd": 0.5}}},
        "progression.breathing.v0_percent": {"normal": {"mean": 98, "sd": 16, "low": 60, "high": 140}},
        "progression.breathing.tau": {"lognormal": {"median": 1, "log_sd": 0.22}},
        "progression.breathing.steepness": 1.9,
        "follow_up_days": 2002,
    }
    result = run(analytic("weibull_no_volatility", changes))
    patients = result.groups["patients"]
    d50, length = patients["d50"].values.astype(float), np.exp(patients["log_critical_time"].values.astype(float))
    check_times(result, d50 * length * thresholds(result) ** (1 / KAPPA))
    v0, tau = patients["v0"].values.astype(float), np.exp(patients["log_tau_svc"].values.astype(float))
    assert v0 / (1 + (length / tau) ** 1.9) == pytest.approx(39.5, rel=2e-6)


@pytest.mark.parametrize("m", [0.05, 0.5, 1.0, 1.7])
@pytest.mark.parametrize("epsilon", [0.0, 0.45, 1.0])
def test_a_constant_multiplier_stretches_the_clock(analytic, m, epsilon):
    changes = {"treatments.half.value": m, "progression.survival.state_share": epsilon, "follow_up_days": 3640}
    result = run(analytic("constant_m", changes), patients=500)
    weight = (1 - epsilon) + epsilon / m
    expected = D50 / m * (thresholds(result) / weight) ** (1 / KAPPA)
    if m > 0.05:
        check_times(result, expected, arm=1)
    assert (np.isfinite(event_months(result, 1)) == (expected < 3640 / MONTH)).all()
    check_times(result, D50 * thresholds(result) ** (1 / KAPPA), arm=0)


@pytest.mark.parametrize("u", [0.9, 1.05])
def test_where_the_clock_stands_still_the_hazard_is_that_of_the_state(analytic, u):
    changes = {"entry": {"disease_time": u}, "treatments.half.value": 0, "follow_up_days": 3640}
    result = run(analytic("constant_m", changes))
    left = thresholds(result) - u**KAPPA
    assert left.min() > 0
    check_times(result, left * D50 / (EPSILON * KAPPA * u ** (KAPPA - 1)), arm=1, within=2e-3)
    assert (result.groups["truth"]["disease_time"].values[1] == np.float32(u)).all()


@pytest.mark.parametrize("risk", [0.2, 1.0, 3.0])
def test_a_survival_only_treatment_multiplies_the_hazard_and_leaves_the_clock_alone(analytic, risk):
    changes = {"treatments.half": {"kind": "hazard_multiplier", "value": risk}, "arms.halved.0.from_day": 504}
    result = run(analytic("constant_m", changes))
    exponential, before = thresholds(result), (504 / MONTH / D50) ** KAPPA
    total = np.where(exponential > before, before + (exponential - before) / risk, exponential)
    check_times(result, D50 * total ** (1 / KAPPA), arm=1)
    truth = result.groups["truth"]["alsfrs_r"].values
    assert truth[1].tobytes() == truth[0].tobytes()


RAPID = {  # engagement is 1 within weeks and stays: m is constant from then on
    "tissue.half_life_days": 30_000,
    "tissue.reference_every_days": 30_000,
    "target.half_life_days": 4,
    "target.ec50": 1e-7,
    "effect.mean_transit_days": 8,
    "effect.sd": 0,
    "effect.low": -9,
    "effect.high": 9,
    "neurofilament.sd": 0,
}


def rapid(m: float, **changes: Any) -> sim.Scenario:
    """Everybody alike, at u = .95, under a drug whose multiplier soon is m."""
    alike = {
        "strata": None,
        "trial": None,
        "attrition": None,
        "safety": None,
        "disease.variants": {"other": 1},
        "disease.background_mortality.multiplier": 0,
        "progression.d50_months": {"other": D50},
        "progression.volatility.log_sd": 0,
        "progression.breathing.v0_percent": 79,
        "progression.breathing.tau": 1,
        "progression.neurofilament.log_sd": 0,
        "entry": {"disease_time": 0.95},
        "follow_up_days": 1820,
        "output.every_days": 7,
        "visits.every_days": 364,
        "treatments.tofersen.effect.mean": 1 - m,
    }
    drug = {f"treatments.tofersen.{key}": value for key, value in RAPID.items()}
    return sim.load("valor").replace({"values": "starting"} | alike | drug | changes)


def test_improvement_costs_hazard_by_the_way_back_and_ends_at_the_floor():
    """m < 0: H grows by (epsilon/|m|) |change of Phi|; at the floor as with m = 0."""
    m, cap = -0.25, 0.25
    result = run(rapid(m, **{"treatments.tofersen.effect.recovery_cap": cap}), patients=3000)
    u = result.groups["truth"]["disease_time"].values[1, 0].astype(float)
    assert u[-1] == pytest.approx((1 - cap) * 0.95, rel=1e-6)
    assert (np.ptp(result.groups["truth"]["disease_time"].values[1], axis=0) == 0).all()
    from_day, to_day = 140, 7 * int(np.argmax(u < (1 - cap) * 0.95 + 0.01))
    start = float(u[from_day // 7])
    days = event_months(result, 1) * MONTH
    back = (days > from_day) & (days < to_day)
    here = start + m * (days[back] - from_day) / MONTH / D50
    exponential = thresholds(result)
    constant = exponential[back] + EPSILON / abs(m) * here**KAPPA
    assert back.sum() > 100
    assert np.ptp(constant) < 2e-5
    floor = days[np.isfinite(days)] > 1400
    rate = EPSILON * KAPPA * u[-1] ** (KAPPA - 1) / D50 / MONTH
    constant = exponential[np.isfinite(days)][floor] - rate * days[np.isfinite(days)][floor]
    assert floor.sum() >= 3
    assert np.ptp(constant) < 2e-5


# --- the drug


def test_after_one_bolus_sod1_follows_the_closed_form_of_equal_half_lives(analytic):
    result = run(analytic("equal_half_lives"), patients=20)
    k, most, ec50, g = math.log(2) / 25, 0.72, 0.6, 0.8
    c0, t = k * 28, result.time
    s = 1 - most * np.exp(-k * t) * (c0 / ec50) * np.log((c0 + ec50 * np.exp(k * t)) / (c0 + ec50))
    assert np.abs(result.groups["truth"]["sod1_csf"].values[1] - (1 - g * (1 - s))).max() < 2e-6
    assert (result.groups["truth"]["sod1_csf"].values[0] == 1).all()


@pytest.mark.parametrize("loading", [[0], [0, 14, 28], [3, 10, 33]])
def test_a_weak_drug_adds_dose_by_dose(analytic, loading):
    """EC50 far above C: the fall of S is linear in the doses, a difference of two exponentials for each."""
    regimen = {"treatments.drug.regimen.loading_days": loading, "treatments.drug.target.ec50": 1e4}
    regimen |= {"treatments.drug.regimen.dose_mg": 1000, "treatments.drug.tissue.half_life_days": 28}
    scenario = analytic("equal_half_lives", regimen | {"arms.one_dose.0.to_day": None, "output.every_days": 5})
    result = run(scenario, patients=1)
    k_c, k_s = math.log(2) / 28, math.log(2) / 25
    given = result.groups["doses"]["day"].values.astype(float)
    assert given.tolist() == [*loading, *range(loading[-1] + 28, 365, 28)]
    since = np.maximum(result.time[:, None] - given, 0)
    c0 = 10 * k_c * 28
    fall = 0.72 * c0 / 1e4 * k_s / (k_s - k_c) * (np.exp(-k_c * since) - np.exp(-k_s * since)).sum(axis=1)
    assert 1 - result.groups["truth"]["sod1_csf"].values[1, 0] == pytest.approx(0.8 * fall, rel=4e-3, abs=3e-7)


@pytest.mark.slow
def test_rate_and_neurofilament_follow_the_linear_chain():
    """Under constant inhibition the chain e, r, x, z1, z2, J is linear with constant coefficients."""
    result = run(rapid(0.4), patients=3)
    k_s, k_t, k_r, k_x, k_n = math.log(2) / 4, 2 / 8, 1 / 14, math.log(2) / 280, math.log(2) / 9.5
    e_n, f = 0.80, 0.17
    a = np.zeros((7, 7))  # e, r, x, z1, z2, 1 - J, constant
    a[0, [0, 6]] = -k_s, k_s
    a[1, :2], a[2, 1:3] = (k_r, -k_r), (k_x, -k_x)
    a[3, [0, 3]], a[4, 3:5] = (k_t, -k_t), (k_t, -k_t)
    a[5, [1, 2, 5]] = k_n * e_n * (1 - f), k_n * e_n * f, -k_n
    states = np.array([expm(a * day)[:, 6] for day in result.time[:30]])
    truth = {name: result.groups["truth"][name].values[:, :, :30] for name in ("rate", "disease_time", "nfl_plasma")}
    assert truth["rate"][1, 0] == pytest.approx(1 - 0.6 * states[:, 4], abs=2e-6)
    age = result.groups["patients"]["age"].values.astype(float)[0] + result.time[:30] / 365.25
    background = 9 * 1.02 ** (age - 50)
    injury = 1 - np.exp(-(truth["disease_time"][1, 0].astype(float) + 0.8) / 1.5)
    plasma = background + 300 * (12 / D50) ** 0.9 * injury * (1 - states[:, 5])
    assert truth["nfl_plasma"][1, 0] == pytest.approx(plasma, rel=1e-3)


# --- function and breathing


@pytest.mark.slow
def test_function_starts_at_48_halves_at_1_and_can_be_inverted(analytic):
    """With all tau 1: F = 48/(1 + u^a); slope now over mean slope since onset is a F/48; SVC at L is V_c."""
    a = 3.7
    alike = {f"{TAU}.tau_limb": 1, f"{TAU}.tau_axial": 1, f"{TAU}.onset_factor": 1, f"{TAU}.steepness": a}
    changes = alike | {"progression.d50_months": {"other": 560 / MONTH}, "output.every_days": 5, "follow_up_days": 1090}
    result = run(analytic("weibull_no_volatility", changes), patients=8)
    domains = [f"alsfrs_r_{name}" for name in ("bulbar", "fine_motor", "gross_motor", "respiratory")]
    names = ["alsfrs_r", "svc", *domains]
    truth = {name: result.groups["truth"][name].values[0].astype(float) for name in names}
    score, day = truth["alsfrs_r"], result.time
    one = list(day).index(560)
    assert (score[:, 0] == 48).all()
    assert score[:, one] == pytest.approx(24, abs=1e-4)
    assert truth["svc"][:, one] == pytest.approx(39.5, abs=1e-4)
    for name in domains:
        assert truth[name][:, one] == pytest.approx(6, abs=5e-5)
    late = slice(40, None)
    assert ((48 - score) / score)[:, late] ** (1 / a) == pytest.approx(
        np.broadcast_to(day[late] / 560, score[:, late].shape), rel=2e-6
    )
    now, day = score[:, 41:-1], day[41:-1]
    slope, mean = (score[:, 42:] - score[:, 40:-2]) / 10, (now - 48) / day
    assert slope / mean == pytest.approx(a * now / 48, rel=2e-3)
