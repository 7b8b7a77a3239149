"""The multistate model against the matrix exponential and closed forms (docs/model_multistate.md).

Statistical comparisons have fixed seeds; each rejects a right engine with the probability given beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import chi2, kstest

import simulator as sim
from tests.oracle.philox import EVENT, TRAIT, Keys
from tests.support.models import study

MONTH, D50, SEED = 30.4375, 27.0, 29
RATES = np.array([0.058, 0.092, 0.107, 0.169])
CODES = (1, 2, 3, 5, 6)
"""Of stages 1, 2, 3, 4 (shown as 4B) and death."""
ERROR_RATE = 1e-4


def chain(changes: dict[str, Any] | None = None, patients: int = 20_000, **keywords: Any) -> sim.Result:
    scenario = sim.load("analytic/kings_chain").replace(changes or {})
    return sim.simulate(scenario, patients=patients, seed=SEED, threads=1, **keywords)


def generator(speed: float = 1.0, last: float = 1.0) -> np.ndarray:
    """Rates a month of stages 1, 2, 3, 4, death; all times `speed`, the last once more times `last`."""
    rates = speed * RATES * np.array([1, 1, 1, last])
    return np.diag(np.append(-rates, 0)) + np.diag(rates, 1)


def occupancy(result: sim.Result, arm: int) -> np.ndarray:
    """(time, state) counts of stages 1, 2, 3, 4 and death."""
    stage = result.groups["truth"]["kings_stage"].values[arm]
    return np.array([(stage == code).sum(axis=0) for code in CODES]).T


def check_shares(counts: np.ndarray, expected: np.ndarray) -> None:
    """Chi-square at three times that are far apart; states that are expected for fewer than 5 are put together."""
    n = counts.sum(axis=1)
    assert (n == n[0]).all()
    for t in (7, 26, 65):
        wanted = expected[t] * n[t]
        small = wanted < 5
        a, b = (np.append(x[~small], x[small].sum()) for x in (counts[t], wanted))
        keep = b > 0
        statistic = ((a - b)[keep] ** 2 / b[keep]).sum()
        assert chi2.sf(statistic, keep.sum() - 1) > ERROR_RATE, (t, counts[t], wanted)


def start() -> np.ndarray:
    return np.eye(5)[0]


@pytest.mark.slow
def test_stages_are_occupied_as_the_matrix_exponential_says_treated_or_not():
    result = chain()
    months = result.time / MONTH
    for arm, speed in ((0, 1.0), (1, 0.5)):
        expected = np.array([start() @ expm(generator(speed) * t) for t in months])
        check_shares(occupancy(result, arm), expected)


@pytest.mark.slow
def test_a_later_start_and_a_survival_only_treatment_are_products_of_matrix_exponentials():
    care = {"kind": "hazard_multiplier", "value": 0.4}
    changes = {"treatments.care": care, "arms.halved": [{"treatments": ["half", "care"], "from_day": 364}]}
    result = chain(changes)
    first = 364 / MONTH
    expected = np.array(
        [
            start() @ expm(generator() * min(t, first)) @ expm(generator(0.5, 0.4) * max(t - first, 0))
            for t in result.time / MONTH
        ]
    )
    check_shares(occupancy(result, 1), expected)


@pytest.mark.slow
def test_where_treatment_spares_a_share_of_the_last_rate_the_chain_has_that_rate():
    changes = {"progression.survival.state_share": 0.6, "treatments.half.value": 0.25}
    result = chain(changes)
    last = (0.6 + 0.4 * 0.25) / 0.25
    expected = np.array([start() @ expm(generator(0.25, last) * t) for t in result.time / MONTH])
    check_shares(occupancy(result, 1), expected)
    stopped = chain(
        {"progression.survival.state_share": 0.6, "treatments.half.value": 0, "arms.halved.0.from_day": 728}
    )
    before = start() @ expm(generator() * 728 / MONTH)
    frozen = np.diag([0, 0, 0, -0.6 * RATES[3], 0]) + np.diag([0, 0, 0, 0.6 * RATES[3]], 1)
    expected = np.array([before @ expm(frozen * max(t - 728 / MONTH, 0)) for t in stopped.time / MONTH])
    counts = occupancy(stopped, 1)
    wanted = expected[-1] * counts[-1].sum()
    assert chi2.sf(((counts[-1] - wanted) ** 2 / wanted).sum(), 4) > ERROR_RATE


def test_time_to_death_is_hypoexponential():
    """Distinct rates r_k: P(T > t) = sum_k e^(-r_k t) prod_(j != k) r_j/(r_j - r_k)."""
    result = chain({"follow_up_days": 14_600, "output.every_days": 1456, "visits.every_days": 1456})
    weights = [np.prod([r / (r - k) for r in RATES if r != k]) for k in RATES]
    events = result.groups["events"]
    for arm, speed in ((0, 1.0), (1, 0.5)):
        months = events["event_free_time"].values[arm][events["event"].values[arm] > 0] / MONTH
        end = 14_600 / MONTH

        def cumulative(t: Any, speed: float = speed) -> Any:
            return 1 - sum(w * np.exp(-r * speed * np.asarray(t)) for w, r in zip(weights, RATES, strict=True))

        assert kstest(months, lambda t, end=end: cumulative(t) / cumulative(end)).pvalue > ERROR_RATE
        assert np.median(months) == pytest.approx(39.1 / speed, rel=0.03)
        assert (events["event"].values[arm] != 2).all()


def exponentials(result: sim.Result) -> np.ndarray:
    """(patient, stage) the four thresholds of each person, from an independent generator."""
    accepted = result.groups["patients"]["candidates"].values - 1
    keys = [Keys(SEED, i, int(c)) for i, c in enumerate(accepted)]
    return np.array([[*(k.exponential(TRAIT, 8, j) for j in range(3)), k.exponential(EVENT, 0, 0)] for k in keys])


def test_transitions_happen_when_each_threshold_is_used_up():
    """To the day for stages, exactly for death; arms share the thresholds."""
    changes = {"output.every_days": 1, "follow_up_days": 1820, "visits.every_days": 364}
    result = chain(changes, patients=300)
    reached = np.cumsum(exponentials(result) / RATES, axis=1) * MONTH
    for arm, speed in ((0, 1.0), (1, 0.5)):
        stage = result.groups["truth"]["kings_stage"].values[arm]
        for k, code in enumerate(CODES[1:4]):
            first = np.where((stage >= code).any(axis=1), (stage >= code).argmax(axis=1), np.inf)
            day = np.ceil(reached[:, k] / speed)
            seen = (day <= 1820) & (abs(reached[:, k] / speed % 1 - 0.5) < 0.49)
            assert (first[seen] == day[seen]).all()
        events = result.groups["events"]
        dead = reached[:, 3] / speed < 1820
        assert (events["event"].values[arm] == dead).all()
        assert events["event_free_time"].values[arm][dead] == pytest.approx(reached[dead, 3] / speed, abs=0.02)
    traits = result.groups["patients"]
    for k in (2, 3, 4):
        assert traits[f"reach_kings_{k}"].values * D50 * MONTH == pytest.approx(reached[:, k - 2], rel=2e-6)


def test_the_history_before_entry_has_passed_the_thresholds_and_nobody_died_in_it():
    entry = {"entry": {"disease_time": 1.2}, "follow_up_days": 728}
    result = chain(entry, patients=4000)
    assert result.groups["patients"]["time_since_onset"].values == pytest.approx(1.2 * D50, rel=1e-5)
    alive = (start() @ expm(generator() * 1.2 * D50))[:4]
    counts = occupancy(result, 0)[0]
    wanted = alive / alive.sum() * 4000
    assert counts[4] == 0
    assert chi2.sf(((counts[:4] - wanted) ** 2 / wanted).sum(), 3) > ERROR_RATE
    candidates = result.screening["candidates"]
    share = 4000 / candidates
    assert share == pytest.approx(alive.sum(), abs=4 * np.sqrt(alive.sum() * (1 - alive.sum()) / candidates))


def test_the_summary_holds_the_shares_of_the_stages_and_no_other_system():
    full, streamed = chain(patients=500), chain(patients=500, output="summary")
    counts = occupancy(full, 0)
    shares = streamed.groups["summary"]["kings_stage_share"].values[0]
    assert shares[:, [1, 2, 3, 5, 6]] * 500 == pytest.approx(counts, abs=1e-9)
    assert (shares[:, [0, 4]] == 0).all()
    assert "mitos_stage_share" not in streamed.groups["summary"]
    seen = full.groups["observed"]["kings_stage"].values[0]
    assert (seen == full.groups["truth"]["kings_stage"].values[0][:, ::3]).all()


@pytest.mark.slow
def test_weekly_steps_agree_with_the_daily_multiplier():
    """VALOR with its drug and volatility: u against the untreated clock and m; death when E - Exp used is spent."""
    changes = {"follow_up_days": 1092, "output.every_days": 1, "trial": None, "attrition": None,
               "visits.every_days": 364, "disease.background_mortality.multiplier": 0,
               "progression.survival.state_share": 0.3}  # fmt: skip
    result = sim.simulate(study("multistate", changes), patients=600, seed=SEED, threads=1)
    u = result.groups["truth"]["disease_time"].values.astype(float)
    m = np.maximum(result.groups["truth"]["rate"].values.astype(float), 0)
    rate = RATES[3] * D50
    reach = result.groups["patients"]["reach_kings_4"].values.astype(float)
    speed = np.diff(u[0], axis=1)
    left = exponentials(result)[:, 3] - rate * np.maximum(u[0, :, 0] - reach, 0)
    assert (left > -1e-5).all()
    for arm in (0, 1, 2):
        middle = (m[arm, :, 1:] + m[arm, :, :-1]) / 2
        assert np.diff(u[arm], axis=1) == pytest.approx(speed * middle, abs=2e-5)
        assert np.diff(u[arm], axis=1).min() > -2e-6
        gained = np.maximum(u[arm, :, 1:] - np.maximum(u[arm, :, :-1], reach[:, None]), 0)
        inside = np.where(middle > 0, gained / np.maximum(speed * middle, 1e-12), u[arm, :, 1:] >= reach[:, None])
        hazard = rate * np.cumsum(0.7 * gained + 0.3 * speed * np.clip(inside, 0, 1), axis=1)
        hazard = np.concatenate([np.zeros((600, 1)), hazard], axis=1)
        events = result.groups["events"]
        seen = events["event"].values[arm] > 0
        at = events["event_free_time"].values[arm][seen]
        spent = np.array([np.interp(t, result.time, h) for t, h in zip(at, hazard[seen], strict=True)])
        assert seen.sum() > 100
        assert spent == pytest.approx(left[seen], abs=2e-3, rel=2e-3)  # daily differences of float32 carry 1e-7 each
