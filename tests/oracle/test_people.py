"""Tests of the oracle: patients, the clock, screening (model.md 1-3, 6, 10)."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy.integrate import quad

from tests.oracle import background, clock, patient, philox, recruit, volatility
from tests.oracle.example import KAPPA, SEED, change, cohort, one, plain, trial
from tests.oracle.units import DAYS_PER_MONTH

# ---------------------------------------------------------------- patients


def test_draws_are_clipped_and_log_normal():
    assert patient.draw({"normal": {"mean": 98.0, "sd": 16.0, "low": 60.0, "high": None}}, -3.0) == 60.0
    assert patient.draw({"lognormal": {"median": 2.0, "log_sd": 0.5}}, 1.0) == pytest.approx(2.0 * math.exp(0.5))
    assert patient.draw({"lognormal": {"median": 2.0, "log_sd": 0.5, "high": 2.5}}, 1.0) == 2.5
    assert patient.draw(3.0, 1.7) == 3.0


def test_a_class_is_the_first_whose_cumulative_share_exceeds_the_uniform():
    shares = {"a": 0.25, "b": 0.5, "c": 0.25}
    assert [patient.choose(shares, u) for u in (0.0, 0.249, 0.25, 0.749, 0.75, 0.999, 1.1)] == list("aabbccc")


def test_fast_needs_the_uniform_and_a_short_d50():
    entry = {"listed_fast": 0.6, "listed_below_d50_months": 40.0}
    assert patient.is_fast(entry, 39.0, 0.59)
    assert not patient.is_fast(entry, 40.0, 0.59)
    assert not patient.is_fast(entry, 39.0, 0.6)
    assert patient.is_fast({"listed_fast": 0.6, "listed_below_d50_months": None}, 400.0, 0.59)


@pytest.mark.slow
def test_correlated_parts_share_a_normal():
    people = [patient.draw_person(trial(), philox.Keys(SEED, i)) for i in range(3000)]
    tau_v = np.log([p.tau_v for p in people])
    tau_r = np.log([p.tau[3] for p in people])
    assert np.corrcoef(tau_v, tau_r)[0, 1] == pytest.approx(0.6, abs=0.05)
    assert np.std(tau_v) == pytest.approx(0.22, rel=0.06)
    keys = philox.Keys(SEED, 0)
    z_n, z_own = keys.normals(philox.TRAIT, 2)[1:3]
    _, e_n, e_f = people[0].drugs["tofersen"]
    assert e_n == pytest.approx(min(max(0.80 + 0.14 * z_n, 0.0), 0.97))
    assert e_f == pytest.approx(min(max(0.78 + 0.41 * (0.5 * z_n + math.sqrt(0.75) * z_own), -0.1), 1.35))


def test_every_trait_has_its_own_normal_or_uniform():
    for number in range(20):
        keys = philox.Keys(SEED, number)
        person = patient.draw_person(trial(), keys)
        z = [value for index in range(4) for value in keys.normals(philox.TRAIT, index)]
        variant, sex, site, listed = keys.uniforms(philox.KIND, 0)
        assert person.variant == ("p.Ala5Val" if variant < 0.12 else "other")
        assert person.sex == (0 if sex < 0.57 else 1)
        assert person.site == ("bulbar" if site < 0.08 else "upper_limb" if site < 0.35 else "lower_limb")
        median, spread = (11.8, 0.33) if variant < 0.12 else (77.0, 1.25)
        assert person.d50 == pytest.approx(median * math.exp(spread * z[0]))
        assert person.fast_variant == (variant < 0.12 or (listed < 0.6 and person.d50 < 40.0))
        assert person.tau[3] == pytest.approx(1.63 * math.exp(0.3 * z[4]))
        assert person.a == pytest.approx(3.7 * math.exp(0.12 * z[5]))
        assert person.v0 == pytest.approx(min(max(98.0 + 16.0 * z[6], 60.0), 140.0))
        assert person.drugs["tofersen"][0] == pytest.approx(0.6 * math.exp(0.35 * z[8]))
        assert person.age_at_onset == pytest.approx(max(49.7 + 12.3 * z[12], 18.0))
        assert (person.eta, person.m0, person.z_entry) == pytest.approx((0.45 * z[11], 0.6 * z[13], z[15]))


def test_the_leading_region_fails_at_half_the_time():
    rules = trial()["progression"]
    usual = (1.63, 0.78, 0.78, 1.63)
    for site, region in (("bulbar", 0), ("upper_limb", 1), ("lower_limb", 2)):
        expected = [tau * (0.5 if k == region else 1.0) for k, tau in enumerate(usual)]
        assert patient._taus(rules, site, (0.0,) * 4) == pytest.approx(expected)


# ---------------------------------------------------------------- the clock


def test_function_is_48_at_onset_and_24_at_one_and_its_slope_is_a_f_over_48():
    person = patient.draw_person(trial(), philox.Keys(SEED, 0))
    person.tau, person.a = (1.0,) * 4, 3.7
    total = lambda u: clock.function(person, u)["alsfrs_r"]  # noqa: E731
    assert (total(0.0), total(-1.0), total(1.0)) == (48.0, 48.0, 24.0)
    for u in (0.3, 0.8, 1.4):
        f = total(u)
        assert ((48.0 - f) / f) ** (1 / 3.7) == pytest.approx(u)
        slope = (total(u + 1e-5) - total(u - 1e-5)) / 2e-5
        assert slope / ((f - 48.0) / u) == pytest.approx(3.7 * f / 48.0, rel=1e-6)


def test_the_hazard_reaches_one_where_svc_is_critical():
    numbers = trial()["progression"]
    person = patient.draw_person(trial(), philox.Keys(SEED, 3))
    assert clock.svc(person, person.scale, numbers) == pytest.approx(39.5)
    assert clock.cumulative_hazard(person.scale, person.scale, KAPPA) == pytest.approx(1.0)
    u = 0.7
    vital = clock.svc(person, u, numbers)
    written_on_svc = (((person.v0 - vital) / vital) / ((person.v0 - 39.5) / 39.5)) ** (KAPPA / 1.9)
    assert clock.cumulative_hazard(u, person.scale, KAPPA) == pytest.approx(written_on_svc)
    area = quad(clock.hazard_on_clock, 0.0, u, args=(person.scale, KAPPA))[0]
    assert area == pytest.approx(clock.cumulative_hazard(u, person.scale, KAPPA))


def test_strength_falls_by_its_loss():
    numbers, person = trial()["progression"], patient.draw_person(trial(), philox.Keys(SEED, 0))
    points = {"alsfrs_r_fine_motor": 12.0, "alsfrs_r_gross_motor": 12.0}
    assert clock.strength(person, points, numbers) == person.m0
    assert clock.strength(person, dict.fromkeys(points, 0.0), numbers) == person.m0 - 1.6


@pytest.mark.slow
def test_volatility_has_mean_one_and_its_chain_runs_on_through_entry():
    rules = {"log_sd": 0.38, "autocorrelation": 0.93}
    q = [volatility.study_factors(philox.Keys(SEED, i), rules, None, 400.0)[14] for i in range(3000)]
    assert np.mean(q) == pytest.approx(1.0, abs=0.03)
    keys = philox.Keys(SEED, 1)
    first, second = keys.normals(philox.VOLATILITY, 0)[:2]
    z = 0.93 * first + math.sqrt(1 - 0.93**2) * second
    expected = [math.exp(0.38 * value - 0.38**2 / 2) for value in (first, z)]
    assert volatility.study_factors(keys, rules, None, 28.0) == pytest.approx(expected)
    z = 0.93 * 1.5 + math.sqrt(1 - 0.93**2) * keys.normals(philox.VOLATILITY, 0)[0]
    z = 0.93 * z + math.sqrt(1 - 0.93**2) * keys.normals(philox.VOLATILITY, 0)[1]
    assert volatility.study_factors(keys, rules, 1.5, 28.0)[1] == pytest.approx(math.exp(0.38 * z - 0.38**2 / 2))


def test_history_by_disease_time_and_by_time_agree():
    rules = {"log_sd": 0.38, "autocorrelation": 0.93}
    keys = philox.Keys(SEED, 2)
    months, z = volatility.live_until_disease_time(keys, rules, 30.0, 0.6)
    u, z_again = volatility.live_until_time(keys, rules, 30.0, months)
    assert (u, z_again) == (pytest.approx(0.6, abs=1e-12), z)
    steady = {"log_sd": 0.0, "autocorrelation": 0.93}
    assert volatility.live_until_disease_time(keys, steady, 30.0, 0.6)[0] == pytest.approx(18.0)
    first = math.exp(0.38 * keys.normals(philox.HISTORY, 0)[0] - 0.38**2 / 2)
    assert volatility.live_until_time(keys, rules, 30.0, 0.5)[0] == pytest.approx(first * 0.5 / 30.0)


# ---------------------------------------------------------------- entry


def test_strata_follow_the_floor_rule():
    strata = [recruit.stratum_of(i, [60 / 108, 48 / 108]) for i in range(1080)]
    assert Counter(strata) == {0: 600, 1: 480}
    assert [sum(s == 0 for s in strata[:n]) for n in (1, 2, 9, 108)] == [0, 1, 5, 60]
    three = [recruit.stratum_of(i, [0.2, 0.3, 0.5]) for i in range(1000)]
    assert Counter(three) == {0: 200, 1: 300, 2: 500}
    assert [recruit.stratum_of(i, [1.0]) for i in range(5)] == [0] * 5


def test_everyone_who_entered_was_eligible_and_of_the_right_stratum():
    numbers = trial()
    for number in range(40):
        person, keys, rejected = recruit.recruit(numbers, SEED, number)
        seen = recruit.measure_at_screening(numbers, person, keys)
        rate = (48.0 - seen["alsfrs_r"]) / person.time_since_onset
        faster = (person.fast_variant and rate >= 0.2) or rate >= 0.9
        assert 19.0 <= seen["alsfrs_r"] <= 47.0
        assert person.time_since_onset <= 150.0
        assert faster == (recruit.stratum_of(number, [0.556, 0.444]) == 0)
        assert seen["svc_percent"] >= (65.0 if faster else 50.0)
        assert clock.cumulative_hazard(person.u0, person.scale, KAPPA) < keys.exponential(philox.EVENT, 0, 0)
        assert background.death_day(numbers["disease"], person, keys.exponential(philox.EVENT, 0, 1)) > 0.0
        assert keys.uniforms(philox.EVENT, 1)[2] < 1 - math.exp(-((person.time_since_onset / 9.0) ** 2))
        assert len(rejected) == keys.candidate
        assert person.age == pytest.approx(person.age_at_onset + person.time_since_onset / 12.0)


def test_background_death_before_entry_has_its_own_threshold():
    numbers = change(trial(), "disease.background_mortality.multiplier", 40.0)
    for number in range(30):
        person, keys, _ = recruit.recruit(numbers, SEED, number)
        assert background.death_day(numbers["disease"], person, keys.exponential(philox.EVENT, 0, 1)) > 0.0


@pytest.mark.slow
def test_screening_is_the_measurement_of_visit_0():
    for found in cohort():
        person, keys, _ = recruit.recruit(trial(), SEED, found["patient"])
        seen, first = recruit.measure_at_screening(trial(), person, keys), found["arms"]["early_start"]["observed"][0]
        assert (seen["alsfrs_r"], seen["svc_percent"]) == (first["alsfrs_r"], first["svc"])


@pytest.mark.parametrize(
    ("address", "value", "reason"),
    [
        ("progression.breathing.tau", 1e-3, "event before entry"),
        ("entry.eligible.alsfrs_r.min", 49.0, "all: alsfrs_r"),
        ("strata.faster.eligible.svc_percent.min", 500.0, "faster: svc_percent"),
        ("entry.referral_months", 1e9, "referral"),
        ("disease.background_mortality.multiplier", 1e9, "background death before entry"),
        ("entry.eligible.time_since_onset_months.max", 0.0, "all: time_since_onset_months"),
        ("strata.faster.when", [], "stratum"),
    ],
)
def test_a_rule_that_nobody_meets_is_named(address, value, reason, monkeypatch):
    monkeypatch.setattr(recruit, "MAX_CANDIDATES", 60)
    with pytest.raises(RuntimeError, match=f"60 enters: {reason}$"):
        recruit.recruit(change(trial(), address, value), SEED, 1)


def test_rules_are_inclusive_ranges_or_variants():
    person = patient.draw_person(trial(), philox.Keys(SEED, 0))
    person.variant, person.fast_variant = "other", True
    assert recruit.holds("age", {"min": 40.0, "max": 40.0}, person, {"age": 40.0})
    assert not recruit.holds("age", {"max": 39.9}, person, {"age": 40.0})
    assert recruit.holds("age", None, person, {})
    assert recruit.holds("variant", "fast", person, {})
    assert recruit.holds("variant", ["p.Ala5Val", "other"], person, {})
    assert not recruit.holds("variant", "p.Ala5Val", person, {})
    assert recruit.progression_rate(40.0, 8.0) == 1.0
    assert (recruit.progression_rate(47.0, 0.0), recruit.progression_rate(48.0, 0.0)) == (math.inf, 0.0)


def test_entry_by_time_and_at_onset():
    numbers = trial()
    numbers["entry"] = {"time_since_onset_months": 10.0}
    del numbers["strata"]
    found = one(numbers, 0, arms=["untreated"], times=[0.0])
    assert found["time_since_onset"] == 10.0
    assert found["arms"]["untreated"]["truth"]["disease_time"] == [found["disease_time_at_entry"]]
    onset = one(change(plain(), "progression.volatility.log_sd", 0.38), 0, arms=["untreated"], times=[0.0, 28.0])
    z = philox.Keys(SEED, 0).normals(philox.VOLATILITY, 0)[0]
    q = math.exp(0.38 * z - 0.38**2 / 2)
    expected = 28.0 * q / (onset["d50"] * DAYS_PER_MONTH)
    assert onset["arms"]["untreated"]["truth"]["disease_time"] == [0.0, pytest.approx(expected)]
