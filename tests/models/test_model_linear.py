"""The linear model against its closed forms (docs/model_linear.md): lines, Gompertz times, histories, quadrature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

import simulator as sim
from tests.oracle.philox import EVENT, Keys
from tests.support.models import study

MONTH = 30.4375
SEED, ERROR_RATE = 23, 1e-3
RATE, GROWTH, SHARE = 0.005, 0.08, 0.4  # of scenarios/analytic/gompertz.yaml


def gompertz(changes: dict[str, Any] | None = None, patients: int = 2000) -> sim.Result:
    scenario = sim.load("analytic/gompertz").replace(changes or {})
    return sim.simulate(scenario, patients=patients, seed=SEED, threads=1)


def thresholds(result: sim.Result) -> np.ndarray:
    """The patients' own E ~ Exp(1) for death or PAV."""
    accepted = result.groups["patients"]["candidates"].values - 1
    return np.array([Keys(SEED, i, int(c)).exponential(EVENT, 0, 0) for i, c in enumerate(accepted)])


def months(result: sim.Result, arm: int = 0) -> np.ndarray:
    """Time of the event, infinite where there is none by the end of follow-up."""
    events = result.groups["events"]
    return np.where(events["event"].values[arm] > 0, events["event_free_time"].values[arm] / MONTH, np.inf)


def truth(result: sim.Result, name: str, arm: int = 0) -> np.ndarray:
    return result.groups["truth"][name].values[arm].astype(float)


def trait(result: sim.Result, name: str) -> np.ndarray:
    return result.groups["patients"][name].values.astype(float)


def gompertz_time(e: Any, rate: Any, growth: Any) -> Any:
    """Inverse of (rate/growth) (e^(growth t) - 1)."""
    return np.log1p(growth * e / rate) / growth if np.all(np.asarray(growth) > 0) else e / rate


def check_times(result: sim.Result, expected: np.ndarray, arm: int = 0, within: float = 5e-4) -> None:
    found, end = months(result, arm), result.follow_up_days / MONTH
    seen = expected < end
    assert (np.isfinite(found) == seen).all()
    assert seen.sum() > 50
    assert np.abs(found[seen] - expected[seen]).max() < within


@pytest.mark.parametrize("m", [0.0, 0.25, 0.5, 1.5])
def test_with_a_constant_multiplier_times_are_gompertz(m):
    result = gompertz({"treatments.half.value": m})
    weight = SHARE + (1 - SHARE) * m
    e = thresholds(result)
    check_times(result, gompertz_time(e, RATE, GROWTH))
    check_times(result, gompertz_time(e, weight * RATE, GROWTH), arm=1)
    end = 3640 / MONTH
    cumulative = lambda t: 1 - np.exp(-weight * RATE / GROWTH * np.expm1(GROWTH * t))  # noqa: E731
    seen = months(result, 1)[months(result, 1) < end]
    assert kstest(seen, lambda t: cumulative(t) / cumulative(end)).pvalue > ERROR_RATE


def test_without_growth_times_are_exponential():
    result = gompertz({"progression.survival.growth_per_month": 0, "progression.survival.rate_per_month": 0.03})
    check_times(result, thresholds(result) / 0.03, within=2e-3)


@pytest.mark.parametrize("risk", [0.2, 3.0])
def test_a_survival_only_treatment_multiplies_the_hazard_from_its_first_day(risk):
    changes = {"treatments.half": {"kind": "hazard_multiplier", "value": risk}, "arms.halved.0.from_day": 504}
    result = gompertz(changes)
    before = RATE / GROWTH * np.expm1(GROWTH * 504 / MONTH)
    e = thresholds(result)
    total = np.where(e > before, before + (e - before) / risk, e)
    check_times(result, gompertz_time(total, RATE, GROWTH), arm=1)
    assert (truth(result, "alsfrs_r", 1) == truth(result, "alsfrs_r", 0)).all()


@pytest.mark.slow
def test_scores_are_straight_lines_that_end_at_nothing():
    result = gompertz({"progression.slope_points_per_month": {"other": {"lognormal": {"median": 1, "log_sd": 0.5}}}})
    slope, svc_slope, time = trait(result, "slope"), trait(result, "svc_slope"), result.time / MONTH
    assert slope.std() > 0.3
    assert svc_slope == pytest.approx(2.5 * slope, rel=1e-6)
    for arm, m in ((0, 1.0), (1, 0.5)):
        fall = m * slope[:, None] * time
        assert truth(result, "alsfrs_r", arm) == pytest.approx(np.maximum(48 - fall, 0), abs=2e-3)
        assert truth(result, "svc", arm) == pytest.approx(np.maximum(100 - 2.5 * fall, 0), abs=5e-3)
        assert truth(result, "disease_time", arm) == pytest.approx(fall / 24, rel=2e-5, abs=1e-6)
    assert trait(result, "d50") == pytest.approx(24 / slope, rel=1e-6)


@pytest.mark.parametrize("ratio", [0.0, 0.6, 1.3])
def test_breathing_may_answer_to_treatment_more_or_less_than_function(ratio):
    result = gompertz({"progression.breathing.effect_ratio": ratio, "arms.halved.0.from_day": 364}, patients=5)
    time = result.time / MONTH
    slowed = time - ratio * 0.5 * np.maximum(time - 364 / MONTH, 0)
    assert truth(result, "svc", 1)[0] == pytest.approx(np.maximum(100 - 2.5 * slowed, 0), abs=5e-3)
    assert truth(result, "alsfrs_r", 1)[0] == pytest.approx(
        np.maximum(48 - time + 0.5 * np.maximum(time - 364 / MONTH, 0), 0), abs=2e-3
    )


def test_breathing_is_at_most_what_it_was_before_onset():
    """Treatment that turns breathing back past the onset leaves it at V0, as the page of the model says."""
    changes = {"progression.breathing.effect_ratio": 3.0, "treatments.half.value": 0.0}
    result = gompertz(changes | {"arms.halved.0.from_day": 364}, patients=5)
    time = result.time / MONTH
    slowed = time - 3 * np.maximum(time - 364 / MONTH, 0)
    assert (slowed < 0).any()
    assert truth(result, "svc", 1)[0] == pytest.approx(np.minimum(np.maximum(100 - 2.5 * slowed, 0), 100), abs=5e-3)


@pytest.mark.parametrize(
    "entry", [{"disease_time": {"normal": {"mean": 0.5, "sd": 0.2, "low": 0.05, "high": 1}}},
              {"time_since_onset_months": {"lognormal": {"median": 14, "log_sd": 0.6}}}],
    ids=["by disease time", "by time"],
)  # fmt: skip
def test_the_history_is_a_straight_line_and_those_who_died_in_it_are_not_there(entry):
    people = {"progression.slope_points_per_month": {"other": {"lognormal": {"median": 1, "log_sd": 0.4}}}}
    result = gompertz({"entry": entry, **people})
    since, slope, e = trait(result, "time_since_onset"), trait(result, "slope"), thresholds(result)
    assert 48 - truth(result, "alsfrs_r")[:, 0] == pytest.approx(slope * since, rel=1e-5)
    rate, growth = trait(result, "hazard_at_onset"), trait(result, "hazard_growth")
    assert rate == pytest.approx(RATE * slope, rel=1e-5)
    onset_to_event = gompertz_time(e, rate, growth)
    assert (onset_to_event > since - 1e-4).all()
    assert trait(result, "candidates").max() > 1
    check_times(result, onset_to_event - since)


def test_the_hazard_may_not_depend_on_the_slope():
    people = {"progression.slope_points_per_month": {"other": {"lognormal": {"median": 1, "log_sd": 0.8}}}}
    result = gompertz({"progression.survival.speed_exponent": 0, **people})
    check_times(result, gompertz_time(thresholds(result), RATE, GROWTH))


def test_neurofilament_is_level_and_rises_with_the_slope():
    people = {"progression.slope_points_per_month": {"other": {"lognormal": {"median": 1, "log_sd": 0.8}}}}
    result = gompertz(people, patients=200)
    plasma = truth(result, "nfl_plasma")
    assert (np.ptp(plasma, axis=1) == 0).all()
    assert plasma[:, 0] == pytest.approx(9 + 90 * trait(result, "slope") ** 0.9, rel=1e-5)


@pytest.mark.slow
def test_weekly_steps_agree_with_a_quadrature_by_days():
    """VALOR with its drug: u and the cumulative hazard from the daily multiplier, by Simpson's rule."""
    changes = {"follow_up_days": 1092, "output.every_days": 1, "trial": None, "attrition": None,
               "visits.every_days": 364, "disease.background_mortality.multiplier": 0}  # fmt: skip
    scenario = study("linear", changes)
    result = sim.simulate(scenario, patients=400, seed=SEED, threads=1)
    since, share = trait(result, "time_since_onset"), scenario.progression.survival.state_share.value
    rate, growth = trait(result, "hazard_at_onset"), trait(result, "hazard_growth")
    used = rate / growth * np.expm1(growth * since)
    left = thresholds(result) - used
    for arm in (1, 2):
        m, u = truth(result, "rate", arm), truth(result, "disease_time", arm)
        rose = m.min(axis=1) > 0.01  # whoever improves may end at the floor
        assert rose.sum() > 150
        gone = _simpson(m) / MONTH / trait(result, "d50")[:, None]
        assert (u - u[:, :1])[rose][:, ::2] == pytest.approx(gone[rose], abs=3e-5)
        weight = share + (1 - share) * np.maximum(m, 0)
        hazard = _simpson(
            weight * rate[:, None] * np.exp(growth[:, None] * (since[:, None] + result.time / MONTH)) / MONTH
        )
        event = months(result, arm) * MONTH
        seen = rose & np.isfinite(event)
        assert seen.sum() > 40
        by_then = np.array([np.interp(t, result.time[::2], h) for t, h in zip(event[seen], hazard[seen], strict=True)])
        assert by_then == pytest.approx(left[seen], abs=2e-4, rel=2e-4)


def _simpson(y: np.ndarray) -> np.ndarray:
    """Integrals from day 0 to days 0, 2, 4, ... of daily values."""
    pieces = (y[:, :-2:2] + 4 * y[:, 1:-1:2] + y[:, 2::2]) / 3
    return np.concatenate([np.zeros((len(y), 1)), np.cumsum(pieces, axis=1)], axis=1)
