"""Mechanisms: closed forms of what they do day by day, washout, entering on a drug, what is refused."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

import simulator as sim
from simulator.analysis.health_economics import Present
from simulator.language.care import spans
from simulator.language.contrasts import amount
from simulator.measures.costs import months_of_summary
from simulator.mechanisms import MECHANISMS, ByDay, Course, Dosed, Offered
from simulator.mechanisms.gene_therapy import GeneTherapy
from simulator.mechanisms.small_molecule import SmallMolecule
from simulator.program.arms import arms
from simulator.program.memory import Memory

ORAL = {
    "kind": "small_molecule",
    "daily_dose_mg": 50,
    "reference_dose_mg": 50,
    "half_life_days": 10.0,
    "rate": {"max_reduction": 0.6, "half_effect_at": 0.5},
}
ONCE = {
    "kind": "gene_therapy",
    "dose_vg": 3e14,
    "half_effect_dose_vg": 1e14,
    "rise_half_life_days": 20,
    "waning_half_life_days": 400,
    "lasting_share": 0.25,
    "max_rate_reduction": 0.8,
}
half_lives = st.floats(0.05, 400)
starts = st.integers(-300, 200)


def oral(**changes: object) -> SmallMolecule:
    return SmallMolecule.model_validate(ORAL | changes)


def once(**changes: object) -> GeneTherapy:
    return GeneTherapy.model_validate(ONCE | changes)


# --- a small molecule


def test_the_mean_concentration_of_the_nth_day_is_one_less_the_share_left_after_n_half_lives():
    c = oral().concentration(Course(((0, 400),), 400))
    k, n = math.log(2) / 10, np.arange(1, 401)
    np.testing.assert_allclose(c * -math.expm1(-k) / k, 1 - 0.5 ** (n / 10), rtol=1e-12)


def test_after_the_last_dose_the_concentration_halves_every_half_life():
    c = oral().concentration(Course(((0, 300),), 420))
    np.testing.assert_allclose(c[309:], c[299:-10] / 2, rtol=1e-12)


def test_at_steady_state_the_effect_is_that_of_the_dose_where_the_drug_stays_long():
    long = oral(half_life_days=2000.0)
    rate = long.multipliers(Course(((-40_000, 10),), 10)).rate
    np.testing.assert_allclose(rate, 1 - 0.6 / 1.5, rtol=1e-6)


@given(half_life=half_lives, half=st.floats(0.05, 5), start=starts, length=st.integers(1, 300))
def test_the_multiplier_is_the_integral_over_the_day(half_life, half, start, length):
    drug = oral(half_life_days=half_life, rate={"max_reduction": 0.6, "half_effect_at": half})
    course, day = Course(((start, start + length),), 300), 150
    k = math.log(2) / half_life
    doses = [d for d in range(start, start + length) if d <= day]
    at = k * sum(math.exp(-k * (day - d)) for d in doses)
    found = quad(lambda t: 1 - 0.6 * at * math.exp(-k * t) / (at * math.exp(-k * t) + half), 0, 1, epsabs=1e-10)[0]
    assert drug.multipliers(course).rate[day] == pytest.approx(found, abs=1e-8)


@given(start=starts, cut=st.integers(1, 100), length=st.integers(1, 100))
def test_two_courses_that_adjoin_are_one(start, cut, length):
    whole = Course(((start, start + cut + length),), 400)
    parts = Course(((start, start + cut), (start + cut, start + cut + length)), 400)
    np.testing.assert_allclose(oral().concentration(parts), oral().concentration(whole), rtol=1e-9, atol=1e-12)


def test_it_acts_on_what_is_written():
    hazard = {"rate": None, "hazard": {"max_reduction": 0.3, "half_effect_at": 1}}
    found = oral(**hazard).multipliers(Course(((0, 90),), 90))
    assert found.rate == 1.0
    assert found.hazard[-1] < 1


# --- a gene therapy


@given(rise=half_lives, wane=half_lives, lasting=st.just(0.0) | st.floats(0.01, 1), start=starts)
def test_expression_is_the_integral_over_the_day(rise, wane, lasting, start):
    one = once(rise_half_life_days=rise, waning_half_life_days=wane, lasting_share=lasting)
    day = 210

    def share(t: float) -> float:
        return (1 - 0.5 ** (t / rise)) * (lasting + (1 - lasting) * 0.5 ** (t / wane))

    found = 0.75 * quad(share, day - start, day - start + 1, epsabs=1e-11, limit=200)[0]
    assert one.expression(Course(((start, 300),), 300))[day] == pytest.approx(found, abs=1e-8)


def test_it_rises_to_the_plateau_and_keeps_the_share_that_lasts():
    days = 36_500
    lasting = once(lasting_share=1).expression(Course(((100, 101),), days))
    assert (lasting[:100] == 0).all()
    assert np.diff(lasting[100:400]).min() > 0
    assert lasting[-1] == pytest.approx(0.75)
    assert once().expression(Course(((100, 101),), days))[-1] == pytest.approx(0.75 * 0.25)


def test_the_end_of_its_epoch_ends_nothing():
    short, long = (once().multipliers(Course(((10, end),), 200)).rate for end in (11, 200))
    np.testing.assert_array_equal(short, long)


# --- in a scenario


def scenario(changes: dict[str, object]) -> sim.Scenario:
    base = {"trial": None, "treatments.oral": ORAL, "treatments.gene": ONCE, "treatments.half": HALF}
    return sim.load("valor").replace(base | {"follow_up_days": 364, "sensitivity": None} | changes)


HALF = {"kind": "rate_multiplier", "value": 0.5}


def weekly(epochs: list[dict[str, object]]) -> np.ndarray:
    made = scenario({"arms": {"one": epochs}})
    return arms(made, 53, Memory()).addon[0]


def of_weeks(days: np.ndarray) -> np.ndarray:
    return days.reshape(-1, 7).mean(axis=1).astype(np.float32)


def test_a_switch_has_the_washout_of_the_first_drug_under_the_second():
    found = weekly([{"treatments": ["oral"], "from_day": 0, "to_day": 100}, {"treatments": ["half"], "from_day": 107}])
    first = oral().multipliers(Course(((0, 100),), 371)).rate
    np.testing.assert_array_equal(found, of_weeks(first * np.where(np.arange(371) < 107, 1, 0.5)))
    assert found[17] < 0.45
    assert found[-1] == pytest.approx(0.5, abs=1e-6)


def test_who_enters_on_a_drug_has_its_steady_state_from_the_first_day():
    found = weekly([{"treatments": ["oral"], "from_day": -10_000}])
    assert np.ptp(found) < 1e-6
    assert found[0] == pytest.approx(weekly([{"treatments": ["oral"], "from_day": 0}])[-1], abs=1e-6)


def test_who_has_stopped_before_entry_enters_with_what_is_left():
    found = weekly([{"treatments": ["oral"], "from_day": -200, "to_day": -5}])
    assert found[0] < found[1] < found[-1]
    np.testing.assert_array_equal(found, of_weeks(oral().multipliers(Course(((-200, -5),), 371)).rate))


def test_a_multiplier_before_baseline_is_one_from_baseline():
    now = weekly([{"treatments": ["half"], "from_day": 0}])
    np.testing.assert_array_equal(now, weekly([{"treatments": ["half"], "from_day": -90}]))


@pytest.mark.parametrize(
    ("epochs", "says"),
    [
        ([{"treatments": ["tofersen"], "from_day": -28}], "tofersen (antisense) cannot begin before baseline"),
        ([{"treatments": ["oral"], "from_day": -28, "after": "onset"}], "before the event that the epoch waits for"),
        ([{"treatments": ["oral"], "from_day": 5, "to_day": -2}], "-2 is below 1"),
        ([{"treatments": ["oral"], "from_day": -5, "to_day": -9}], "not after its start on day -5"),
        (
            [{"treatments": ["gene"], "from_day": 0, "to_day": 9}, {"treatments": ["gene"], "from_day": 90}],
            "gene (gene_therapy) is given once",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(epochs, says):
    with pytest.raises(sim.ScenarioError, match=re.escape(says)):
        scenario({"arms": {"one": epochs}})


def test_without_effect_no_treatment_changes_function_or_survival():
    from simulator.studies.trial.study import null_of

    made = scenario({"arms": {"none": [], "all": [{"treatments": ["oral", "gene", "half"], "from_day": 0}]}})
    made = made.replace({"treatments.oral.hazard": {"max_reduction": 0.5, "half_effect_at": 1}})
    assert not (arms(made, 53, Memory()).addon[1] == 1).all()
    null = arms(null_of(made), 53, Memory())
    assert (null.addon == 1).all()
    assert (null.hazard == 1).all()


def test_no_effect_is_known_of_care_too():
    from simulator.studies.trial.study import null_of

    care = {f"treatments.{name}": {"catalog": name} for name in ("non_invasive_ventilation", "gastrostomy")}
    null = null_of(scenario(care))
    assert null.treatments["gastrostomy"].hazard_multiplier.value == 1


@pytest.mark.parametrize("name", ["small_molecule", "gene_therapy"])
def test_the_hypothetical_scenarios_say_so_of_every_value_of_their_drugs(name):
    made = sim.load(name)
    assert "hypothetical" in made.title
    for drug in made.treatments.values():
        numbers = [value for key, value in drug if key != "kind" and hasattr(value, "evidence")]
        assert numbers
        assert {value.evidence for value in numbers} == {"assumed"}
        assert all("hypothetical" in value.note for value in numbers)


def test_who_is_treated_fares_better_and_what_wanes_gives_less():
    seldom = {"output.every_days": 364, "visits.every_days": 364, "visits.assessments": ["alsfrs_r"]}
    result = sim.simulate(sim.load("gene_therapy").replace(seldom), patients=400, seed=3)
    last = result.groups["truth"]["alsfrs_r"].values[..., -1].mean(axis=1)
    score = dict(zip(result.arms, last, strict=True))
    assert score["untreated"] < score["half_a_year_later"] < score["lasting"]
    assert score["untreated"] < score["waning"] < score["lasting"]


def test_every_mechanism_is_one_of_the_three_kinds():
    assert all(issubclass(one, (ByDay, Dosed, Offered)) for one in MECHANISMS.values())


# --- days of an epoch, for prices and for what is compared


def test_epochs_of_a_treatment_that_adjoin_are_one_stretch_before_baseline_too():
    made = scenario(
        {
            "arms": {
                "one": [
                    {"treatments": ["half"], "from_day": -90, "to_day": -30},
                    {"treatments": ["oral", "half"], "from_day": -30, "to_day": 0},
                    {"treatments": ["oral"], "from_day": 0, "to_day": 90},
                    {"treatments": ["half"], "from_day": 120},
                ],
                "none": [],
            }
        }
    )
    assert spans(made.arms["one"], "half") == [(-90, 0.0), (120, math.inf)]
    assert spans(made.arms["one"], "oral") == [(-30, 90.0)]
    assert amount(made, "one")[0] == 90 + 244  # days before baseline are no days of the study


def test_what_was_paid_before_baseline_costs_nothing():
    epochs = [{"treatments": ["older"], "from_day": -365}]
    made = sim.load("small_molecule").replace({"arms": {"stays": epochs, "none": []}, "control": "none", "trial": None})
    decision = {
        "options": ["none", "stays"],
        "currency": "USD",
        "price_year": 2023,
        "perspective": "payer",
        "willingness_to_pay": 100_000,
        "utilities": {"catalog": "utilities", "system": "ft9"},
        "costs": {"per_month_on": {"older": 100}, "at_start": {"older": 5000}},
        "discount_per_year": 0.0,
    }
    made = made.replace({"decision": decision})
    time = np.linspace(0, 364, 14)
    found = months_of_summary(made, "stays", time, np.ones(14), (364.0, Present(0.0)))
    assert found.sum() == pytest.approx(100 * 364 / 365.25 * 12, rel=1e-6)
