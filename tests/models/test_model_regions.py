"""The regions model against its closed forms and against the oracle written from docs/model_regions.md."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest, norm, weibull_min

import simulator as sim
from tests.oracle import simulate as oracle
from tests.oracle.philox import EVENT, TRAIT, Keys
from tests.support.models import study

MONTH = 30.4375
SEED, ERROR_RATE = 31, 1e-3
STEP_DAYS = 1.0
BASE = {"follow_up_days": 400, "trial": None, "safety": None, "strata": None, "sensitivity": None}
VARIANTS = {"p.Ala5Val": 0.5, "other": 0.5}
ALIKE = {
    "disease.background_mortality.multiplier": 0,
    "attrition": None,
    "strata": None,
    "trial": None,
    "sensitivity": None,
    "entry": {"at_onset": True},
    "treatments": {},
    "arms": {"untreated": []},
    "progression.volatility.log_sd": 0,
    "progression.d50_months.p.Ala5Val": 20,
    "progression.d50_months.other": 20,
}
AT_ONCE = {f"progression.function.later_onset.{name}": 0 for name in ("limb", "bulbar", "respiratory")}


OWN = study("regions").numbers()["progression"]


def regions(changes: dict[str, Any], patients: int, seed: int = SEED) -> sim.Result:
    return sim.simulate(study("regions", changes), patients=patients, seed=seed, threads=1)


def truth(result: sim.Result, name: str, arm: int = 0) -> np.ndarray:
    return result.groups["truth"][name].values[arm].astype(float)


def trait(result: sim.Result, name: str) -> np.ndarray:
    return result.groups["patients"][name].values.astype(float)


# --- closed forms


@cache
def lives() -> sim.Result:
    return regions(ALIKE | {"follow_up_days": 1820}, 3000)


@pytest.mark.slow
def test_function_is_whole_at_onset_and_regions_begin_in_turn():
    result = lives()
    clock, site = truth(result, "disease_time"), trait(result, "onset_site")
    later = OWN["function"]["later_onset"]
    begins = {"bulbar": later["bulbar"], "fine_motor": later["limb"], "gross_motor": later["limb"]}
    begins["respiratory"] = later["respiratory"]
    assert (truth(result, "alsfrs_r")[:, 0] == 48).all()
    for k, (name, begin) in enumerate(begins.items()):
        own = np.where(site == k, 0.0, begin)[:, None]
        lost = np.maximum(clock - own, 0) / trait(result, f"tau_{name}")[:, None]
        assert truth(result, f"alsfrs_r_{name}") == pytest.approx(12 / (1 + lost**2), abs=2e-4)
    assert truth(result, "svc") == pytest.approx(
        trait(result, "v0")[:, None] / (1 + (clock / trait(result, "tau_svc")[:, None]) ** 2), rel=1e-5
    )


def test_with_one_beginning_and_one_time_scale_function_has_its_inverse():
    changes = ALIKE | AT_ONCE | {"progression.function.tau": 1, "follow_up_days": 1092, "output.every_days": 28}
    result = regions(changes, 40)
    f, u = truth(result, "alsfrs_r")[:, 1:], truth(result, "disease_time")[:, 1:]
    assert np.sqrt((48 - f) / f) == pytest.approx(u, rel=2e-3, abs=2e-3)
    assert np.interp(1.0, u[0], f[0]) == pytest.approx(24, abs=0.02)
    slope = np.gradient(f, u[0], axis=1)[:, 5:-1]
    mean = (f - 48)[:, 5:-1] / u[:, 5:-1]
    assert slope / mean == pytest.approx(2 * f[:, 5:-1] / 48, rel=5e-3)


def test_three_items_add_up_to_their_domain():
    for x in np.linspace(0, 4, 400):
        for d in ((0.95, 1, 1.05), (1, 0.95, 1.05), (0.92, 1, 1.10)):
            assert sum(4 / (1 + (x / k) ** 2) for k in d) == pytest.approx(12 / (1 + x**2), abs=0.031)  # .0307 at most


def event_months(result: sim.Result) -> np.ndarray:
    events = result.groups["events"]
    return np.where(events["event"].values[0] > 0, events["event_free_time"].values[0] / MONTH, np.inf)


@pytest.mark.parametrize("shift", [0.0, -0.5, 0.3])
def test_the_time_of_the_event_has_its_closed_form_and_a_cohort_shift_multiplies_it(shift):
    result = regions(ALIKE | {"follow_up_days": 1820, "progression.cohort_log_shift": shift}, 400)
    e = np.array([Keys(SEED, i, 0).exponential(EVENT, 0, 0) for i in range(400)])
    survival = OWN["survival"]
    scale = trait(result, "tau_svc") * np.sqrt(trait(result, "v0") / survival["critical_svc_percent"] - 1)
    expected = 20 * math.exp(shift) * scale * e ** (1 / survival["steepness"])
    assert np.log(scale) == pytest.approx(trait(result, "log_critical_time"), abs=1e-5)
    found, end = event_months(result), 1820 / MONTH
    assert np.isfinite(found).sum() > 200
    assert (np.isfinite(found) == (expected < end)).all()
    assert found[expected < end] == pytest.approx(expected[expected < end], abs=2e-3)


def test_the_analytic_scenario_is_weibull():
    """Kolmogorov-Smirnov at 1 in 1,000; 4,000 people."""
    result = sim.simulate(sim.load("analytic/regions_weibull"), patients=4000, seed=SEED, threads=1)
    months = result.groups["events"]["event_free_time"].values[0] / MONTH
    assert kstest(months, weibull_min(21, scale=20).cdf).pvalue > ERROR_RATE
    assert trait(result, "diagnosis_disease_time") * trait(result, "d50") == pytest.approx(5)


def test_tau_is_log_normal_and_regions_are_independent():
    """Four Kolmogorov-Smirnov tests at 1 in 4,000 each, six correlations at 4.5 standard errors, 8,000 people."""
    result = regions(ALIKE | {"follow_up_days": 28}, 8000, seed=77)
    tau = np.log([trait(result, f"tau_{name}") for name in ("bulbar", "fine_motor", "gross_motor", "respiratory")])
    spread = OWN["function"]["tau"]["lognormal"]
    for row in tau:
        assert kstest((row - math.log(spread["median"])) / spread["log_sd"], norm.cdf).pvalue > ERROR_RATE / 4
    assert np.abs(np.corrcoef(tau) - np.eye(4)).max() < 4.5 / math.sqrt(8000)
    shared = np.corrcoef(tau[3], np.log(trait(result, "tau_svc")))[0, 1]
    assert np.arctanh(shared) == pytest.approx(np.arctanh(0.6), abs=4.5 / math.sqrt(8000))


# --- diagnosis and entry


def test_without_lag_and_fluctuation_a_drug_from_diagnosis_on_begins_at_u_dx():
    """Doses begin in the first week of the study after u_dx D50."""
    arms = {"treated": [{"treatments": ["tofersen"], "after": "diagnosis", "from_day": 0}]}
    changes = {key: value for key, value in ALIKE.items() if key not in ("treatments", "arms")} | {
        "arms": arms,
        "follow_up_days": 1092,
        "safety": None,
        "progression.diagnosis.lag_months": 1e-6,
    }
    result = regions(changes, 100)
    doses = result.groups["doses"]
    first = {
        int(p): float(d) for p, d in reversed(list(zip(doses["patient"].values, doses["day"].values, strict=True)))
    }
    due = trait(result, "diagnosis_disease_time") * 20 * MONTH
    assert len(first) > 50
    for patient, day in first.items():
        assert day == 7 * math.ceil((due[patient] - 0.01) / 7), patient


@pytest.mark.parametrize(
    "entry",
    [
        {"disease_time": {"normal": {"mean": 0.35, "sd": 0.34, "low": 0.02}}},
        {"time_since_onset_months": {"lognormal": {"median": 12, "log_sd": 0.8}}},
        {"months_since_diagnosis": {"lognormal": {"median": 1, "log_sd": 0.8}}},
    ],
)
def test_nobody_enters_before_diagnosis(entry):
    result = regions(BASE | {"entry": entry, "progression.volatility.log_sd": 0, "follow_up_days": 28}, 500)
    lag = trait(result, "diagnosis_lag") / MONTH
    diagnosed = trait(result, "diagnosis_disease_time") * trait(result, "d50") + lag
    since = trait(result, "time_since_onset")
    assert (since >= diagnosed - 1e-3).all()
    assert ((since - diagnosed) < 3).any()


# --- the oracle


def given(treatments: str, first: int = 0) -> dict[str, Any]:
    return {"treatments": treatments.split(), "from_day": first}


CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "by_disease_time": (
        15,
        {"entry": {"disease_time": {"normal": {"mean": 0.35, "sd": 0.34, "low": 0.06, "high": 1.3}}}},
    ),
    "by_time": (15, {"entry": {"time_since_onset_months": {"lognormal": {"median": 14, "log_sd": 0.6}}}}),
    "after_diagnosis": (15, {"entry": {"months_since_diagnosis": {"lognormal": {"median": 7.5, "log_sd": 1.0}}}}),
    "a_logistic_effect": (
        12,
        {
            "entry": {"months_since_diagnosis": {"lognormal": {"median": 7.5, "log_sd": 1.0}}},
            "treatments.tofersen.effect.recovery_cap": 0.1,
            "treatments.tofersen.effect.logistic": {
                "median": 0.66,
                "log_odds_sd": 1.3,
                "speed_exponent": 0.3,
                "most": 1.15,
            },
        },
    ),
    "what_is_lost_stays_lost_and_the_effect_wanes": (
        12,
        {
            "entry": {"months_since_diagnosis": {"lognormal": {"median": 7.5, "log_sd": 1.0}}},
            "progression.covariates": {"bulbar_onset": -0.3, "women": 0.2, "decade_of_age": -0.1},
            "disease.onset_site": {"bulbar": 0.4, "upper_limb": 0.3, "lower_limb": 0.3},
            "treatments.tofersen.effect.recovery_cap": 0.1,
            "treatments.tofersen.effect.recovery_from": "worst",
            "treatments.tofersen.effect.waning_per_year": 0.3,
            "treatments.tofersen.effect.mean": 1.2,
        },
    ),
    "by_items": (
        10,
        {
            "visits.scoring": "items",
            "entry": {"disease_time": {"normal": {"mean": 0.5, "sd": 0.2, "low": 0.1}}, "referral_months": 9.0},
        },
    ),
    "at_onset": (
        12,
        {
            "entry": {"at_onset": True},
            "arms": {"untreated": [], "diagnosed": [given("tofersen", 14) | {"after": "diagnosis"}]},
        },
    ),
    "carriers": (
        10,
        {
            "entry": {"presymptomatic_at_age": {"normal": {"mean": 48.6, "sd": 1, "low": 18}}},
            "disease.age_at_onset": {"normal": {"mean": 49, "sd": 1, "low": 18}},
            "visits.entry_effect_points": 0,
            "arms": {"untreated": [], "diagnosed": [given("tofersen", 7) | {"after": "diagnosis"}]},
        },
    ),
}


@cache
def pair(name: str) -> tuple[sim.Result, list[dict[str, Any]]]:
    count, changes = CASES[name]
    shares = {f"disease.variants.{key}.share": share for key, share in VARIANTS.items()}
    scenario = study("regions", BASE | shares | {"progression.cohort_log_shift": -0.1} | changes)
    result = sim.simulate(scenario, patients=count, seed=SEED, threads=1)
    return result, oracle(scenario.numbers(), count, SEED, times=result.time, step=STEP_DAYS)


@pytest.fixture(params=CASES)
def both(request):
    return pair(request.param)


def of(people: list[dict[str, Any]], arm: str, *path: str) -> np.ndarray:
    found = [person["arms"][arm] for person in people]
    for key in path:
        found = [one[key] for one in found]
    return np.array(found, float)


@pytest.mark.slow
def test_the_same_people_enter(both):
    result, people = both
    assert trait(result, "candidates").tolist() == [person["tried"] for person in people]
    names = {f"tau_{key}": f"tau_{key}" for key in ("bulbar", "fine_motor", "gross_motor", "respiratory")}
    names |= {"tau_svc": "tau_v", "v0": "v0", "d50": "d50", "nfl_amplitude": None, "hhd_level": "m0", "age": "age"}
    for mine, theirs in names.items():
        if theirs:
            assert trait(result, mine) == pytest.approx([person[theirs] for person in people], rel=2e-6, abs=2e-6), mine
    since = np.array([person["time_since_onset"] for person in people])
    since = np.where([math.isinf(person["onset_day"]) for person in people], np.nan, since)
    assert trait(result, "time_since_onset") == pytest.approx(since, rel=2e-6, abs=2e-6, nan_ok=True)


TRUTH = {
    "alsfrs_r": 5e-3,
    "alsfrs_r_bulbar": 3e-3,
    "alsfrs_r_fine_motor": 3e-3,
    "alsfrs_r_gross_motor": 3e-3,
    "alsfrs_r_respiratory": 3e-3,
    "svc": 1e-2,
    "hhd": 5e-4,
    "nfl_plasma": 3e-4,
    "disease_time": 2e-4,
    "rate": 2e-5,
}
"""Largest differences; those of the clock model."""


def test_the_truth_agrees_on_every_output_day(both):
    result, people = both
    for number, arm in enumerate(result.arms):
        for name, most in TRUTH.items():
            theirs = of(people, arm, "truth", name)
            scale = theirs if name == "nfl_plasma" else 1.0
            assert np.abs((truth(result, name, number) - theirs) / scale).max() < most, (arm, name)


def test_events_stages_and_doses_agree(both):
    result, people = both
    events, doses = result.groups["events"], result.groups["doses"]
    for number, arm in enumerate(result.arms):
        assert events["event"].values[number].tolist() == of(people, arm, "event").tolist()
        errors = np.abs(events["event_free_time"].values[number] - of(people, arm, "event_free_time")) / MONTH
        assert errors.max() < 1e-3
        stage = result.groups["truth"]["kings_stage"].values[number]
        assert (stage == of(people, arm, "truth", "kings_stage")).mean() > 0.998
        for patient, person in enumerate(people):
            mine = doses["day"].values[(doses["arm"].values == number) & (doses["patient"].values == patient)]
            assert mine.tolist() == person["arms"][arm]["doses"], (arm, patient)


def test_the_oracles_normals_are_those_of_the_table():
    """u_dx takes the number of the diagnostic delay, the lag the one beside it (docs/random_numbers.md)."""
    result, people = pair("by_disease_time")
    candidate = people[0]["tried"] - 1
    due, lag, _, _ = Keys(SEED, 0, candidate).normals(TRAIT, 4)
    known = OWN["diagnosis"]["disease_time"]["lognormal"]
    expected = known["median"] * math.exp(known["log_sd"] * due)
    assert trait(result, "diagnosis_disease_time")[0] == pytest.approx(expected, rel=1e-5)
    assert trait(result, "diagnosis_lag")[0] == pytest.approx(2 * MONTH * math.exp(0.38 * lag), rel=1e-5)


# --- the drug


LOGISTIC = {"median": 0.66, "log_odds_sd": 1.3, "speed_exponent": 0.3, "most": 1.15}


def test_a_drug_without_effect_changes_nothing_whatever_the_form_of_its_effect():
    changes = BASE | {"treatments.tofersen.effect.logistic": LOGISTIC, "follow_up_days": 364}
    drug = study("regions", changes).treatments["tofersen"]
    none = {f"treatments.tofersen.{name}": value for name, value in drug.without_effect().items()}
    result = regions(changes | none, 40)
    assert {float(x) for x in np.unique(truth(result, "rate", 1))} == {1.0}
    assert (truth(result, "alsfrs_r", 1) == truth(result, "alsfrs_r")).all()
    assert (truth(result, "sod1_csf", 1)[:, -1] < 1).all()


def test_what_is_lost_stays_lost_and_an_effect_that_wanes_ends():
    """A drug that would turn everybody back: the disease time never falls by more than the cap from its highest."""
    effect = {"mean": 2.0, "sd": 0.0, "high": 2.0, "recovery_cap": 0.1, "mean_transit_days": 200}
    drug = {f"treatments.tofersen.effect.{name}": value for name, value in effect.items()}
    arms = {"arms": {"early": [given("tofersen")]}, "follow_up_days": 1456, "output.every_days": 7}
    first = regions(BASE | arms | drug, 60)
    worst = regions(BASE | arms | drug | {"treatments.tofersen.effect.recovery_from": "worst"}, 60)
    waning = {"treatments.tofersen.effect.recovery_from": "worst", "treatments.tofersen.effect.waning_per_year": 1.0}
    ending = regions(BASE | arms | drug | waning, 60)
    before, after, last = (truth(one, "disease_time") for one in (first, worst, ending))
    high = np.maximum.accumulate(after, axis=1)
    assert (after >= 0.9 * high - 1e-3).all()
    assert (before < 0.9 * np.maximum.accumulate(before, axis=1) - 1e-3).any()
    assert (last[:, -1] > after[:, -1]).all()
    assert truth(ending, "rate")[:, -1].min() > 0.9


def test_covariates_multiply_d50():
    known = {"bulbar_onset": -0.3, "women": 0.2, "decade_of_age": -0.1}
    site = {"disease.onset_site": {"bulbar": 0.4, "upper_limb": 0.3, "lower_limb": 0.3}}
    plain = regions(ALIKE | site | {"follow_up_days": 28}, 200)
    moved = regions(ALIKE | site | {"follow_up_days": 28, "progression.covariates": known}, 200)
    bulbar, women = trait(plain, "onset_site") == 0, trait(plain, "sex") == 1
    expected = -0.3 * bulbar + 0.2 * women - 0.01 * (trait(plain, "age") - 50)
    assert np.log(trait(moved, "d50") / trait(plain, "d50")) == pytest.approx(expected, abs=1e-5)
