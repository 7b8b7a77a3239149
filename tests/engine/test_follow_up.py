"""What happens until the last day of follow-up, what optional blocks must not change, and numbers that get lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator as sim
from simulator.errors import SimulatorError
from simulator.measures import economics
from simulator.models import MODELS
from simulator.replicate import Replicator, compiled
from simulator.results.export import occupancy
from tests.support.decision import DECISION
from tests.support.models import known, study

YEAR = 365.25
FAST = {"disease.variants": {"p.Ala5Val": 0.8, "other": 0.2}, "strata": None, "trial": None}
ARMS = {"none": [], "treated": [{"treatments": ["tofersen"], "from_day": 0}]}
BARE = {"trial": None, "attrition": None, "arms": ARMS, "follow_up_days": 364, "visits.every_days": 56}


def values(result: sim.Result, group: str, name: str) -> np.ndarray:
    return np.asarray(result.groups[group][name].values)


# --- a rule of the model does not depend on whether an optional block is there

NIV = {"catalog": "non_invasive_ventilation", "accepted_good_bulbar": 0, "accepted_poor_bulbar": 0}
REFUSED = {"none": [], "treated": [{"treatments": ["tofersen", "niv"], "from_day": 0}]}
NOTHING_DONE: dict[str, dict[str, Any]] = {
    "rules": {"rules": {"limit": {"svc_percent": 0}}},
    "attrition": {"attrition": {"dropout_per_year": [{"rate": 0}]}},
    "by_function": {
        "attrition": {
            "dropout_per_year": [{"rate": 0}],
            "by_function": {
                "missing": "MNAR", "points_lost_since": "entry", "hazard_ratio_per_point": 2, "neutral_points": 0
            },
        }
    },
    "adherence": {"adherence": {"missed": 0}},
    "niv": {"treatments.niv": NIV, "arms": REFUSED},
    "output": {"output": {"every_days": 91, "days": [10, 200], "stages": False}},
    "trial": {"trial": {"size": 30, "allocation": {"none": 1, "treated": 1}, "analysis_days": [100]}},
}  # fmt: skip
"""Blocks, and care, with which nothing happens."""
NEEDS = {"rules": "svc", "by_function": "alsfrs_r", "niv": "alsfrs_r_bulbar"}
"""What a model must have for a block; with rules it has a kernel of its own."""


@pytest.mark.parametrize(
    ("model", "block"),
    [
        pytest.param(model, block, marks=pytest.mark.slow if block in NEEDS and model != "clock" else ())
        for model in MODELS
        for block in NOTHING_DONE
        if NEEDS.get(block, "rate") in known(model)
    ],
)
def test_a_block_with_which_nothing_happens_changes_no_event_and_nothing_that_is_observed(model, block):
    base = BARE | {"progression.survival.pav_probability": 1}
    base |= {"output.stages": False} if block == "output" else {}
    without, with_it = (
        sim.simulate(study(model, base | more), patients=200, seed=3, threads=1) for more in ({}, NOTHING_DONE[block])
    )
    for group in ("patients", "events", "observed"):
        for name, array in without.groups[group].items():
            other = with_it.groups[group][name].values
            assert np.array_equal(array.values, other, equal_nan=array.values.dtype.kind == "f"), (group, name)


@pytest.mark.parametrize("care", [False, True])
def test_nobody_on_permanent_ventilation_has_svc(care):
    changes = FAST | {"progression.survival.pav_probability": 1, "follow_up_days": 728, "attrition": None}
    changes |= {"arms": {"arm": [{"treatments": ["niv"], "from_day": 0}] if care else []}, "treatments.niv": NIV}
    result = sim.simulate(sim.load("valor").replace(changes), patients=300, seed=1, threads=1)
    day, svc = values(result, "observed", "day"), values(result, "observed", "svc")
    pav = np.where(values(result, "events", "event") == 2, values(result, "events", "event_free_time"), np.inf)
    assisted = day >= pav[..., None]
    assert assisted.sum() > 500
    assert np.isnan(svc[assisted]).all()
    assert np.isfinite(svc[day < pav[..., None]]).mean() > 0.9


# --- the last day


@settings(max_examples=10)
@given(st.sampled_from(list(MODELS)), st.integers(15, 500), st.integers(1, 400), st.sampled_from(["full", "summary"]))
def test_the_last_day_of_follow_up_is_one_of_output_and_years_add_up_to_it(model, end, every, output):
    scenario = study(model, BARE | {"follow_up_days": end, "output.every_days": every})
    result = sim.simulate(scenario, patients=8, seed=1, threads=1, output=output)
    assert result.time.tolist() == sorted({*range(0, end, every), end})
    years: dict[tuple[str, str], float] = {}
    for cell in occupancy(result):
        years[cell.arm, cell.system] = years.get((cell.arm, cell.system), 0.0) + cell.years
    assert list(years.values()) == pytest.approx([end / YEAR] * len(years))


@pytest.mark.parametrize("output", ["full", "summary"])
def test_the_economics_count_until_the_last_day(output):
    """Life years are those of the people: 1.43 instead of 1.57 where they stopped at the last day of output."""
    changes = FAST | {"attrition": None, "arms": ARMS, "follow_up_days": 1010, "output.every_days": 365}
    decision = DECISION | {"options": list(ARMS), "costs": {"per_dose": {"tofersen": 0}}, "discount_per_year": 0}
    scenario = sim.load("valor").replace(changes | {"decision": decision})
    result = sim.simulate(scenario, patients=1000, seed=1, threads=1, output=output)
    people = sim.simulate(scenario, patients=1000, seed=1, threads=1)
    for a, arm in enumerate(ARMS):
        death = values(people, "events", "death_time")[a]
        lived = np.where(np.isnan(death), 1010, death).mean() / YEAR
        assert economics.economic("life_years", result, arm, scenario).value == pytest.approx(lived, abs=0.03)


def test_the_days_that_a_scenario_asks_about_are_days_of_output():
    asked = {"sensitivity": {"outcome": "survival", "arm": "none", "day": 200}, "output.days": [301]}
    decision = DECISION | {"options": list(ARMS), "costs": {"per_dose": {"tofersen": 0}}, "day": 299}
    result = sim.simulate(study("clock", BARE | asked | {"decision": decision}), patients=8, threads=1)
    assert {200, 299, 301, 364} <= set(result.time)


# --- a planned visit within follow-up happens


@settings(max_examples=10)
@given(st.integers(1, 4), st.integers(11, 100), st.integers(0, 5), st.integers(0, 6), st.booleans())
def test_a_planned_visit_within_follow_up_happens_to_whoever_is_there(number, every, jitter, left, ruled):
    """Whoever lives to the last day has had every visit, each within its jitter and within follow-up."""
    end = number * every + left
    visits = {"visits.every_days": every, "visits.jitter_days": jitter, "visits.missing": 0}
    changes = BARE | visits | {"follow_up_days": end} | (NOTHING_DONE["rules"] if ruled else {})
    result = sim.simulate(study("clock", changes), patients=130, seed=end, threads=1)
    day = values(result, "observed", "day")
    nominal = values(result, "observed", "nominal_day")
    assert nominal.tolist() == list(range(0, end + 1, every))
    last = np.nan_to_num(values(result, "events", "death_time"), nan=np.inf)[..., None]
    assert (np.isfinite(day) == (day <= last)).all()
    assert np.isfinite(day[np.broadcast_to(last, day.shape) == np.inf]).all()
    assert np.nanmax(np.abs(day - nominal)) <= jitter
    assert np.nanmax(day) <= end


def test_a_trial_may_end_on_its_last_analysis():
    """Of those alive 47 % had the visit of week 52, .97 have it if a visit is missed with probability .03."""
    scenario = sim.load("valor_trial").replace({"follow_up_days": 364, "trial.analysis_days": [364], "attrition": None})
    result = sim.simulate(scenario, patients=2000, seed=1, threads=1)
    alive = np.isnan(values(result, "events", "death_time"))
    seen = np.isfinite(values(result, "observed", "alsfrs_r")[..., -1])[alive]
    assert abs(seen.mean() - 0.97) < 4 * np.sqrt(0.97 * 0.03 / seen.size)


# --- numbers that get lost

ABSURD = BARE | {"treatments.tofersen.regimen.dose_mg": 1e18, "treatments.tofersen.tissue.reference_dose_mg": 1e-12}
"""Doses of 1e30 times the usual."""
LOST = r"valor:\d+:\d+: arms\.treated: nfl_plasma is not a finite number in 40 of 40 people on day 28\."


@pytest.mark.parametrize("output", ["full", "summary"])
@pytest.mark.parametrize("threads", [1, 2])
def test_numbers_that_get_lost_end_a_run_with_arm_variable_and_day(output, threads):
    with pytest.raises(SimulatorError, match=LOST):
        sim.simulate(study("clock", ABSURD), patients=40, seed=1, threads=threads, output=output)


def test_numbers_that_get_lost_end_a_replicate_and_fail_a_point_of_a_sweep():
    scenario = study("clock", ABSURD | {"trial": NOTHING_DONE["trial"]["trial"]})
    with pytest.raises(SimulatorError, match=LOST):
        Replicator(compiled([scenario], 40)).replicate(1, 0)
    doses = {"treatments.tofersen.regimen.dose_mg": [100, 1e18]}
    swept = sim.sweep(study("clock", ABSURD), doses, patients=40, seed=1)
    assert [failure.point for failure in swept.failures] == [1]
    assert "arms.treated: nfl_plasma is not a finite number in 40 of 40 people" in swept.failures[0].message


SIZES = [
    "treatments.tofersen.regimen.dose_mg",
    "treatments.tofersen.tissue.reference_dose_mg",
    "treatments.tofersen.tissue.half_life_days",
    "treatments.tofersen.effect.sd",
    "treatments.tofersen.neurofilament.fast_days",
    "progression.neurofilament.amplitude",
    "progression.neurofilament.log_sd",
    "progression.volatility.log_sd",
    "progression.function.tau_log_sd",
    "progression.survival.steepness",
    "disease.background_mortality.multiplier",
]


@settings(max_examples=20)
@given(st.dictionaries(st.sampled_from(SIZES), st.integers(-18, 18), min_size=1, max_size=3))
@pytest.mark.slow
def test_whatever_is_written_what_comes_out_is_a_number_or_an_error(powers):
    changes = {address: 10.0**power for address, power in powers.items()}
    with np.errstate(all="ignore"):
        try:
            result = sim.simulate(study("clock", BARE | changes), patients=40, seed=1, threads=1)
        except SimulatorError:
            return
    for name, array in result.groups["truth"].items():
        if name != "time" and array.values.dtype.kind == "f":
            assert np.isfinite(array.values).all(), name
    assert np.isfinite(values(result, "events", "event_free_time")).all()
