"""Tests of the oracle: doses, dropout, visits (model.md 6, 8, 9)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.oracle import calendar, clock, patient, philox, visits
from tests.oracle.example import SEED, addon_arm, change, cohort, one, strong_drug, trial
from tests.oracle.units import DAYS_PER_YEAR

# ---------------------------------------------------------------- doses, dropout


def doses_with_delays(monkeypatch, policy, delays):
    numbers = change(trial(), "treatments.tofersen.regimen.missed_dose", policy)
    monkeypatch.setattr(calendar, "_delay", lambda _n, _k, _r, dose: float(delays.get(dose, 0)))
    return calendar.given_doses(numbers, philox.Keys(SEED, 0), numbers["arms"]["early_start"], math.inf)


@pytest.mark.parametrize(
    ("policy", "delays", "first"),
    [
        ("label", {}, [0, 14, 28, 56, 84]),
        ("label", {1: 20}, [0, 34, 48, 76, 104]),
        ("label", {2: 5, 3: 42}, [0, 14, 33, 103, 131]),
        ("article", {1: 3}, [0, 28, 56, 84, 112]),
        ("article", {2: 14}, [0, 14, 42, 56, 84]),
        ("article", {2: 15}, [0, 14, 56, 84, 112]),
        ("article", {0: 1, 3: 7}, [14, 28, 63, 84, 112]),
    ],
)
def test_policies_for_missed_doses(monkeypatch, policy, delays, first):
    assert doses_with_delays(monkeypatch, policy, delays)[:5] == first


def test_adherence_draws_are_those_of_the_dose_stream():
    numbers = trial() | {"adherence": {"missed": 0.3, "delay_days_max": 42.0}}
    delays = [calendar._delay(numbers, philox.Keys(SEED, 4), {}, dose) for dose in range(400)]
    late = [delay for delay in delays if delay > 0.0]
    assert len(late) / 400 == pytest.approx(0.3, abs=0.08)
    assert (min(late), max(late)) == (1.0, 42.0)


def test_doses_stay_inside_epoch_and_follow_up_and_end_with_dropout_and_stopping():
    numbers = trial()
    epochs = [
        {"treatments": ["tofersen"], "from_day": 10.0, "to_day": 38.0},
        {"treatments": ["tofersen"], "from_day": 1080.0},
    ]
    keys = philox.Keys(SEED, 0)
    assert calendar.given_doses(numbers, keys, epochs, math.inf) == [10.0, 24.0, 1080.0, 1094.0]
    assert calendar.given_doses(numbers, keys, epochs, 24.0) == [10.0]
    numbers["attrition"] = {"dropout_per_year": [], "drug_after_dropout": "continue", "stop_treatment_per_year": 0.0}
    assert len(calendar.given_doses(numbers, keys, epochs, 24.0)) == 4
    numbers["attrition"]["stop_treatment_per_year"] = 2.0
    stop = 10.0 - math.log(keys.uniforms(philox.EVENT, 1)[1]) / 2.0 * DAYS_PER_YEAR
    expected = [day for day in (10.0, 24.0, 1080.0, 1094.0) if day < stop]
    assert calendar.given_doses(numbers, keys, epochs, math.inf) == expected
    for number in range(10):
        keys = philox.Keys(SEED, number)
        days = calendar.given_doses(numbers, keys, numbers["arms"]["delayed_start"], math.inf)
        stop = 196.0 - math.log(keys.uniforms(philox.EVENT, 1)[1]) / 2.0 * DAYS_PER_YEAR
        assert days[-1] < stop
        assert stop <= days[-1] + 28.0 or stop > 1096.0


def test_a_late_dose_is_not_given_from_the_end_of_its_epoch_on(monkeypatch):
    numbers = trial()
    numbers["arms"]["early_start"][0]["to_day"] = 34.0
    monkeypatch.setattr(calendar, "_delay", lambda _n, _k, _r, dose: 20.0 if dose == 1 else 0.0)
    assert calendar.given_doses(numbers, philox.Keys(SEED, 0), numbers["arms"]["early_start"], math.inf) == [0.0]


def test_dropout_follows_its_pieces():
    numbers = trial() | {"attrition": {"dropout_per_year": [{"until_day": 196.0, "rate": 0.10}, {"rate": 0.08}]}}
    for number in range(6):
        keys = philox.Keys(SEED, number)
        day = calendar.dropout_day(numbers, keys)
        reached = (0.10 * min(day, 196.0) + 0.08 * max(day - 196.0, 0.0)) / DAYS_PER_YEAR
        assert reached == pytest.approx(-math.log(keys.uniforms(philox.EVENT, 1)[0]))
    assert calendar.dropout_day(trial(), keys) == math.inf
    numbers["attrition"]["dropout_per_year"] = [{"until_day": 1.0, "rate": 1e-9}]
    assert calendar.dropout_day(numbers, keys) == math.inf


def test_addons_hold_in_their_epochs_as_means_over_weeks_and_go_on_after_dropout():
    numbers = addon_arm(trial(), "rate_multiplier", 0.5, from_day=49.0, to_day=98.0)
    found = one(numbers, 0, times=[48.0, 49.0, 97.0, 98.0])
    assert found["arms"]["arm"]["truth"]["rate"] == [1.0, 0.5, 0.5, 1.0]
    numbers["attrition"] = {"dropout_per_year": [{"rate": 1e5}], "drug_after_dropout": "stop"}
    assert one(numbers, 0, times=[97.0])["arms"]["arm"]["truth"]["rate"] == [0.5]
    inside = addon_arm(trial(), "rate_multiplier", 0.5, from_day=50.0, to_day=98.0)
    found = one(inside, 0, times=[48.0, 49.0, 55.0, 56.0])["arms"]["arm"]["truth"]["rate"]
    assert found == pytest.approx([1.0, 4 / 7, 4 / 7, 0.5])
    both = {
        "combined": [{"treatments": ["tofersen", "addon"], "from_day": 0.0}],
        "early_start": trial()["arms"]["early_start"],
    }
    combined = one(addon_arm(strong_drug(), "rate_multiplier", 0.5) | {"arms": both}, 0, times=[28.0, 1000.0])["arms"]
    ratio = np.divide(combined["combined"]["truth"]["rate"], combined["early_start"]["truth"]["rate"])
    assert combined["early_start"]["truth"]["rate"][1] < 0.0
    assert ratio == pytest.approx([0.5, 1.0])


# ---------------------------------------------------------------- visits


def test_visit_days_are_whole_and_near_and_day_0_is_exact():
    numbers = trial()
    gaps = []
    for number in range(30):
        days = visits.actual_days(numbers, philox.Keys(SEED, number))
        assert (days[0], len(days)) == (0.0, 40)
        gaps += [day - 28.0 * k for k, day in enumerate(days)][1:]
    seen = [gap for gap in gaps if not math.isnan(gap)]
    assert set(seen) == {float(gap) for gap in range(-5, 6)}
    assert 1 - len(seen) / len(gaps) == pytest.approx(0.03, abs=0.02)
    assert visits.nominal_days(change(numbers, "visits.days", [0.0, 84.0, 2000.0])) == [0.0, 84.0]
    absent = visits.actual_days(change(trial(), "visits.missing", 1.0), philox.Keys(SEED, 0))
    assert absent[0] == 0.0
    assert all(math.isnan(day) for day in absent[1:])
    late = change(trial(), "follow_up_days", 1092.0)
    last = [visits.actual_days(late, philox.Keys(SEED, number))[39] for number in range(30)]
    assert max(day for day in last if not math.isnan(day)) == 1092.0
    assert sum(math.isnan(day) for day in last) > 5


def noiseless(numbers):
    numbers["visits"]["noise"] = dict.fromkeys(numbers["visits"]["noise"], 0.0)
    return numbers


def test_measurements_without_noise_are_the_truth():
    numbers = change(noiseless(trial()), "visits.entry_effect_points", 0.0)
    days = [float(day) for day in range(1097)]
    found = one(numbers, 0, arms=["early_start"], times=days)["arms"]["early_start"]
    for row in found["observed"]:
        if not math.isnan(row["day"]):
            truth = {name: values[int(row["day"])] for name, values in found["truth"].items()}
            assert row["alsfrs_r"] == round(truth["alsfrs_r"])
            for name in ("svc", "hhd", "nfl_plasma", "sod1_csf"):
                assert row[name] == truth[name]


def test_noise_is_that_of_the_measuring_streams():
    numbers, keys = trial(), philox.Keys(SEED, 3, 2)
    truth = {"alsfrs_r": 30.0, "alsfrs_r_bulbar": 9.0, "alsfrs_r_respiratory": 6.0, "svc": 80.0, "hhd": -0.5}
    truth |= {"nfl_plasma": 50.0, "sod1_csf": 0.7, "day": 56.0}
    z, z_strength = keys.normals(philox.MEASURE, 2), keys.normals(philox.MEASURE_STRENGTH, 2)[0]
    seen = visits.measure(numbers, keys, 2, truth, math.inf)
    assert seen["alsfrs_r"] == round(30.0 + 1.0 - math.exp(-2.0) + 1.6 * z[0])
    assert seen["svc"] == 80.0 + 5.0 * z[1]
    assert seen["hhd"] == -0.5 + 0.12 * z_strength
    assert seen["nfl_plasma"] == 50.0 * math.exp(0.12 * z[2])
    assert seen["sod1_csf"] == 0.7 * math.exp(0.12 * z[3])
    ventilated = visits.measure(numbers, keys, 2, truth, 56.0)
    assert ventilated["alsfrs_r"] == round(26.0 + 1.0 - math.exp(-2.0) + 1.6 * z[0])
    assert math.isnan(visits.measure(numbers, keys, 2, truth | {"alsfrs_r_bulbar": 3.99}, math.inf)["svc"])
    assert visits.measure(numbers, keys, 2, truth | {"nfl_plasma": 1e-3}, math.inf)["nfl_plasma"] == 1.0
    quiet = noiseless(trial())
    assert visits.measure(quiet, keys, 0, truth | {"alsfrs_r": 48.0}, math.inf)["alsfrs_r"] == 48.0
    assert [
        visits.measure(quiet, keys, 0, truth | {"alsfrs_r": f, "day": 0.0}, math.inf)["alsfrs_r"] for f in (30.5, 31.5)
    ] == [30.0, 32.0]


@pytest.mark.slow
def test_nothing_is_seen_after_death_or_dropout():
    ended = [(p, a) for p in cohort() for a in p["arms"].values() if a["death_day"] < 1000.0]
    assert ended
    for _, arm in ended:
        assert max(row["day"] for row in arm["observed"] if not math.isnan(row["day"])) <= arm["death_day"]
        assert all(math.isnan(row["svc"]) for row in arm["observed"] if row["nominal"] > arm["death_day"] + 5.0)
        assert max(arm["doses"], default=0.0) <= arm["death_day"]
        assert not any(math.isnan(value) for value in arm["truth"]["svc"])
    assert any(len(arm["doses"]) < len(arm["doses_truth"]) for _, arm in ended)
    numbers = trial() | {"attrition": {"dropout_per_year": [{"rate": 2.0}], "drug_after_dropout": "stop"}}
    arm = one(numbers, 0, arms=["early_start"])["arms"]["early_start"]
    assert max(row["day"] for row in arm["observed"] if not math.isnan(row["day"])) <= arm["dropout_day"] < 1000.0
    assert max(arm["doses_truth"]) < arm["dropout_day"]


def test_nfl_is_background_plus_injury():
    numbers = trial()
    person = patient.draw_person(numbers, philox.Keys(SEED, 0))
    person.age, person.eta, person.d50 = 49.0, 0.3, 24.0
    value = clock.neurofilament(person, (0.7, 0.5), DAYS_PER_YEAR, numbers["progression"])
    assert value == pytest.approx(9.0 + 300.0 * 0.5**0.9 * math.exp(0.3) * (1 - math.exp(-1.0)) * 0.5)
    assert clock.neurofilament(person, (-2.0, 1.0), 2 * DAYS_PER_YEAR, numbers["progression"]) == pytest.approx(
        9.0 * 1.02
    )
    low, at = (clock.neurofilament(person, (0.7, j), 0.0, numbers["progression"]) for j in (-1.0, 0.02))
    assert low == at
