"""Tests of the oracle: events and the drug in closed form, integration (model.md 4, 5)."""

from __future__ import annotations

import math

import pytest
from scipy.integrate import quad, solve_ivp

from tests.oracle import background, clock, drug, path, patient, philox, recruit, run, simulate, volatility
from tests.oracle.example import EPSILON, KAPPA, SEED, addon_arm, change, cohort, one, plain, strong_drug, trial
from tests.oracle.units import DAYS_PER_MONTH, DAYS_PER_YEAR

# ---------------------------------------------------------------- events in closed form


def fast_and_plain():
    numbers = plain()
    numbers["disease"]["variants"] = {"p.Ala5Val": {"share": 1.0, "listed_fast": 1.0}}
    return change(numbers, "follow_up_days", 2500.0)


def threshold_of(number):
    return philox.Keys(SEED, number).exponential(philox.EVENT, 0, 0)


@pytest.mark.parametrize("number", range(4))
def test_untreated_event_is_a_weibull(number):
    found = one(fast_and_plain(), number, arms=["untreated"], times=[0.0])
    months = found["d50"] * found["L"] * threshold_of(number) ** (1 / KAPPA)
    arm = found["arms"]["untreated"]
    assert arm["event_day"] == pytest.approx(months * DAYS_PER_MONTH, abs=1e-5)
    assert arm["event_free_time"] == arm["event_day"]


@pytest.mark.slow
def test_event_at_constant_rate_and_constant_hazard_ratio():
    found = one(addon_arm(fast_and_plain(), "rate_multiplier", 0.6), 0, times=[0.0])
    u = found["L"] * (threshold_of(0) / ((1 - EPSILON) + EPSILON / 0.6)) ** (1 / KAPPA)
    assert found["arms"]["arm"]["event_day"] == pytest.approx(u * found["d50"] / 0.6 * DAYS_PER_MONTH, abs=1e-5)
    found = one(addon_arm(fast_and_plain(), "hazard_multiplier", 0.84), 0, times=[0.0])
    u = found["L"] * (threshold_of(0) / 0.84) ** (1 / KAPPA)
    assert found["arms"]["arm"]["event_day"] == pytest.approx(u * found["d50"] * DAYS_PER_MONTH, abs=1e-5)


def test_event_when_the_clock_stands_still():
    number, numbers = 0, fast_and_plain()
    base = one(numbers, number, arms=["untreated"], times=[0.0])
    day = 7.0 * math.floor(base["arms"]["untreated"]["event_day"] * 0.97 / 7.0)  # multipliers are means over weeks
    found = one(addon_arm(numbers, "rate_multiplier", 0.0, from_day=day), number, times=[day, day + 1.0])
    speed = 1.0 / (base["d50"] * DAYS_PER_MONTH)
    u, phi = day * speed, clock.hazard_on_clock(day * speed, base["L"], KAPPA)
    left = threshold_of(number) - clock.cumulative_hazard(u, base["L"], KAPPA)
    assert found["arms"]["arm"]["event_day"] == pytest.approx(day + left / (EPSILON * speed * phi), abs=1e-5)
    assert found["arms"]["arm"]["truth"]["disease_time"] == pytest.approx([u, u])
    assert found["arms"]["arm"]["truth"]["rate"] == [0.0, 0.0]


def test_background_mortality_inverts_its_integral():
    person = patient.draw_person(trial(), philox.Keys(SEED, 0))
    person.age, person.sex, person.at_risk_from = person.age_at_onset + 3.0, 1, person.age_at_onset
    for disease in (
        trial()["disease"],
        change(trial(), "disease.background_mortality.per_year_of_age", 0.0)["disease"],
    ):
        law = disease["background_mortality"]
        age = person.age + background.death_day(disease, person, 0.3) / DAYS_PER_YEAR
        hazard = lambda y, law=law: 0.65 * math.exp(law["log_rate"] + law["per_year_of_age"] * y)  # noqa: E731
        assert quad(hazard, person.age_at_onset, age)[0] == pytest.approx(0.3)
        assert background.cumulative(disease, person, age) == pytest.approx(0.3)
    off = change(trial(), "disease.background_mortality.multiplier", 0.0)["disease"]
    assert background.death_day(off, person, 0.3) == math.inf


def test_outcomes_order_the_competing_deaths(monkeypatch):
    numbers, keys = trial(), philox.Keys(SEED, 0)
    person = patient.draw_person(numbers, keys)
    _, _, _, u_after = keys.uniforms(philox.EVENT, 0)
    after = 20.0 * DAYS_PER_MONTH * -math.log2(u_after)
    for share, other, expected in (
        (0.0, 500.0, (1, 400.0, 400.0)),
        (0.0, 300.0, (1, 300.0, 300.0)),
        (1.0, 300.0, (1, 300.0, 300.0)),
        (1.0, 400.0 + after / 1e6, (2, 400.0, 400.0 + after / 1e6)),
        (1.0, math.inf, (2, 400.0, 400.0 + after if 400.0 + after <= 1096.0 else math.inf)),
    ):
        numbers["progression"]["survival"]["pav_probability"] = share
        monkeypatch.setattr(background, "death_day", lambda *_, other=other: other)
        assert run.outcomes(numbers, person, keys, 400.0) == pytest.approx(expected)
    numbers["progression"]["survival"]["months_after_pav"] = 1e9
    assert run.outcomes(numbers, person, keys, 400.0) == (2, 400.0, math.inf)
    assert run.outcomes(numbers, person, keys, 1097.0) == (0, math.inf, math.inf)


# ---------------------------------------------------------------- the drug in closed form


def states_of(numbers, times, number=0):
    return one(numbers, number, arms=["early_start"], times=times)["arms"]["early_start"]["states"]


def test_tissue_peaks_at_two_doses_and_falls_to_one():
    numbers = change(plain(), "treatments.tofersen.regimen.loading_days", [0.0])
    dose = 28.0 * math.log(2.0) / 28.0
    states = states_of(numbers, [28.0, 28.25, 1064.0, 1064.25])
    assert states[28.0][0] / dose == pytest.approx(0.5)
    assert states[1064.0][0] / dose == pytest.approx(1.0, abs=1e-6)
    assert states[1064.25][0] / dose == pytest.approx(2.0 * 0.5 ** (0.25 / 28.0), abs=1e-6)
    mean = 2.0 * dose * (1 - 0.5) / math.log(2.0)
    assert mean == pytest.approx(1.0)


def test_tissue_after_loading():
    loaded = states_of(plain(), [28.25])[28.25][0] / math.log(2.0)
    assert loaded / 0.5 ** (0.25 / 28.0) == pytest.approx(1 + 2**-0.5 + 2**-1, abs=1e-9)


def test_bolus_closed_form_of_s_when_both_rates_are_equal():
    numbers = change(plain(), "treatments.tofersen.target.half_life_days", 28.0)
    numbers["arms"]["early_start"][0]["to_day"] = 1.0
    found = one(numbers, 0, arms=["early_start"], times=[10.0, 60.0, 200.0])
    k, c0, ec50 = math.log(2.0) / 28.0, math.log(2.0), found["ec50"]
    for t in (10.0, 60.0, 200.0):
        ratio = (c0 + ec50 * math.exp(k * t)) / (c0 + ec50)
        s = 1 - 0.72 * math.exp(-k * t) * (c0 / ec50) * math.log(ratio)
        assert found["arms"]["early_start"]["states"][t][1] == pytest.approx(s, abs=1e-8)
    sod1 = found["arms"]["early_start"]["truth"]["sod1_csf"][2]
    assert sod1 == pytest.approx(1 - 0.8 * (1 - s), abs=1e-8)


def test_engagement_is_one_in_the_typical_person_and_its_use_is_capped():
    dose = drug.make_drug(trial()["treatments"]["tofersen"], (0.6, 0.8, 1.1))
    inhibited = 0.72 / 1.6
    at_rest = drug.chain_rates(dose, (1 - inhibited, 1.0, 1.0, 1.0, 1.0, 0.2), 1.0)
    assert at_rest == pytest.approx((0.0,) * 6, abs=1e-15)
    capped = drug.chain_rates(dose, (1.0, 0.0, 0.0, 2.0, 2.0, 0.0), 0.0)[5]
    assert capped == pytest.approx(math.log(2.0) / 9.5 * (1 - 0.8 * 1.25))


def test_step_of_engagement_in_closed_form():
    dose = drug.make_drug(
        change(trial(), "treatments.tofersen.target.half_life_days", 1e300)["treatments"]["tofersen"], (0.6, 0.8, 1.1)
    )
    course = path.Course(d50=1e9, scale=1.0, kappa=12.0, epsilon=0.45, u0=0.0, h0=0.0, q=[1.0], drug=dose)
    piece = path.Piece(c=0.0, speed=0.0, addons=1.0, risk=1.0, floor=-math.inf, dosed=True, on_drug=0.0)
    y, t = (1.0 - dose.i_ref, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0), 120.0
    for _ in range(480):
        y = path.advance(course, piece, y, 0.25)
    k_t, k_x, k_r = 2.0 / 91.0, math.log(2.0) / 280.0, 1.0 / 14.0
    assert y[1] == pytest.approx(1 - math.exp(-k_t * t), abs=1e-9)
    assert y[2] == pytest.approx(1 - math.exp(-k_t * t) * (1 + k_t * t), abs=1e-9)
    r = 1 - math.exp(-k_r * t)
    x = 1 - (k_r * math.exp(-k_x * t) - k_x * math.exp(-k_r * t)) / (k_r - k_x)
    assert y[3:5] == (pytest.approx(r, abs=1e-8), pytest.approx(x, abs=1e-8))
    k_n = math.log(2.0) / 9.5

    def drive(s):
        r = 1 - math.exp(-k_r * s)
        x = 1 - (k_r * math.exp(-k_x * s) - k_x * math.exp(-k_r * s)) / (k_r - k_x)
        return k_n * math.exp(-k_n * (t - s)) * (1 - 0.8 * (0.83 * r + 0.17 * x))

    assert y[5] == pytest.approx(math.exp(-k_n * t) + quad(drive, 0.0, t, epsabs=1e-12)[0], abs=1e-7)


@pytest.mark.slow
def test_a_null_effect_leaves_the_clock_and_lowers_sod1():
    numbers = trial()
    numbers["treatments"]["tofersen"]["effect"] |= {"mean": 0.0, "sd": 0.0}
    arms = one(numbers, 7)["arms"]
    for name in ("alsfrs_r", "svc", "hhd", "disease_time", "rate"):
        assert arms["early_start"]["truth"][name] == arms["untreated"]["truth"][name]
    assert arms["early_start"]["event_day"] == arms["untreated"]["event_day"]
    assert arms["early_start"]["truth"]["sod1_csf"][10] < 0.9
    inert = one(change(numbers, "treatments.tofersen.target.max_inhibition", 0.0), 7)["arms"]
    assert inert["early_start"]["truth"] == inert["untreated"]["truth"]


@pytest.mark.slow
def test_disease_time_stops_at_its_floor_and_the_hazard_is_that_of_m_0():
    numbers = trial()
    numbers["treatments"]["tofersen"]["effect"] |= {"mean": 2.5, "sd": 0.0, "high": 3.0, "recovery_cap": 0.05}
    days = [float(day) for day in range(1090)]
    found = next(p for p in simulate(numbers, 12, SEED, ["delayed_start"], days) if p["d50"] < 20.0)
    truth, states = (found["arms"]["delayed_start"][key] for key in ("truth", "states"))
    floor = 0.95 * truth["disease_time"][196]
    assert min(truth["disease_time"][196:]) == pytest.approx(floor, rel=1e-12)
    assert truth["disease_time"][1089] == truth["disease_time"][1000] == floor
    assert truth["rate"][1000] < -0.3
    lived = [states[day + 1.0][8] - states[day][8] for day in (1010.0, 1011.0)]
    phi = clock.hazard_on_clock(floor, found["L"], KAPPA)
    person, keys, _ = recruit.recruit(numbers, SEED, found["patient"])
    q = volatility.study_factors(keys, numbers["progression"]["volatility"], person.z_volatility, 1090.0)[36]
    assert lived == pytest.approx([EPSILON * q * phi / (found["d50"] * DAYS_PER_MONTH)] * 2, rel=1e-9)


# ---------------------------------------------------------------- integration


@pytest.mark.slow
def test_halving_the_step_changes_nothing():
    times = [100.0, 300.0, 700.0, 1096.0]
    for number in (7, 8):
        coarse, fine = (one(strong_drug(), number, times=times, step=step)["arms"] for step in (0.5, 0.125))
        for name, arm in coarse.items():
            assert arm["event_day"] == pytest.approx(fine[name]["event_day"], abs=1e-4)
            for variable, values in arm["truth"].items():
                assert values == pytest.approx(fine[name]["truth"][variable], rel=1e-7, abs=1e-7)


def test_another_solver_gives_the_same_states():
    numbers = strong_drug()
    number, last = 8, 140.0
    person, keys, _ = recruit.recruit(numbers, SEED, number)
    course = run.make_course(numbers, person, keys, numbers["arms"]["early_start"], ([], math.inf))
    found = one(numbers, number, arms=["early_start"], times=[last])["arms"]["early_start"]["states"][last]
    u1, d = course.u0, course.drug

    def slope(t, y, c0, start, q):
        s, z1, z2, r, x, j, u, _ = y
        c = c0 * math.exp(-d.k_c * (t - start))
        e, m = (1 - s) / d.i_ref, 1 - d.e_f * z2
        inhibited = 0.72 * c / (c + d.ec50)
        phi = KAPPA / u * (u / person.scale) ** KAPPA
        weight = EPSILON + (1 - EPSILON) * max(m, 0.0)
        speed = q / (person.d50 * DAYS_PER_MONTH)
        recovered = min(0.83 * r + 0.17 * x, 1.25)
        return [
            d.k_s * (1 - inhibited - s), d.k_t * (e - z1), d.k_t * (z1 - z2), d.k_r * (e - r),
            d.k_x * (r - x), d.k_n * (1 - d.e_n * recovered - j), speed * m, speed * weight * phi,
        ]  # fmt: skip

    y, c = [1.0, 0, 0, 0, 0, 1.0, course.u0, course.h0], 0.0
    for k in range(int(last / 14)):
        c += math.log(2.0) if 14.0 * k in course.doses else 0.0
        days, constants = (14.0 * k, 14.0 * k + 14.0), (c, 14.0 * k, course.q[k // 2])
        solved = solve_ivp(slope, days, y, "DOP853", args=constants, rtol=1e-10, atol=1e-13)
        y, c = list(solved.y[:, -1]), c * 2**-0.5
    assert d.e_f * y[2] > 1.0
    assert y[6] > 0.7 * u1
    assert found[0] == pytest.approx(c)
    assert found[1:] == pytest.approx(y, rel=1e-6)


def test_the_delayed_arm_is_untreated_until_its_first_dose():
    for found in cohort():
        untreated, delayed = (found["arms"][name] for name in ("untreated", "delayed_start"))
        assert delayed["truth"]["disease_time"][:8] == untreated["truth"]["disease_time"][:8]
        assert delayed["doses_truth"][:4] == [196.0, 210.0, 224.0, 252.0]
