"""Dropout that depends on function: closed form, laws, what it must not depend on. The oracle does the arithmetic."""

from __future__ import annotations

import functools
from functools import cache
from typing import Any

import numpy as np
import pytest

import simulator as sim
from simulator.engine import batches
from simulator.program.rules import rules
from tests.support.bits import differing, differing_in_arm, same

WHOLE = {"patients": 700, "threads": 1, "seed": 3}
STANDS = [{"treatments": ["stop"], "from_day": 0}]
BASE: dict[str, Any] = {
    "strata": None,
    "trial": None,
    "safety": None,
    "disease.variants": {"p.Ala5Val": 0.8, "other": 0.2},
    "attrition": {"dropout_per_year": [{"until_day": 200, "rate": 0.2}, {"rate": 0.4}]},
    "arms": {"none": [], "treated": [{"treatments": ["tofersen"], "from_day": 0}]},
    "follow_up_days": 728,
}


def how(missing: str, since: str = "entry", ratio: float = 1.2, neutral: float = 3) -> dict[str, Any]:
    keys = ("missing", "points_lost_since", "hazard_ratio_per_point", "neutral_points")
    return {"attrition.by_function": dict(zip(keys, (missing, since, ratio, neutral), strict=True))}


def run(changes: dict[str, Any] | None = None, **keywords: Any) -> sim.Result:
    return sim.simulate(sim.load("valor").replace(BASE | (changes or {})), **(WHOLE | keywords))


@cache
def plain() -> sim.Result:
    return run()


@cache
def leaving(missing: str) -> sim.Result:
    return run(how(missing))


def left_on(result: sim.Result) -> np.ndarray:
    """(arm, patient) day of dropout; infinite where nobody drops out."""
    return np.nan_to_num(result.groups["events"]["dropout_time"].values, nan=np.inf)


both = pytest.mark.parametrize("missing", ["MAR", "MNAR"])


def test_where_function_stands_still_the_day_is_that_of_a_hazard_multiplied_by_a_constant():
    """The clock stands still from day 0: with a rate r and n points lost, E = r c t, c = ratio^(n - neutral)."""
    still = {"treatments.stop": {"kind": "rate_multiplier", "value": 0}, "arms": {"still": STANDS}}
    still |= {"attrition.dropout_per_year": [{"rate": 0.3}]}
    without = left_on(run(still))[0]
    result = run(still | how("MNAR", "health", 1.1, 14))
    lost = 48 - result.groups["truth"]["alsfrs_r"].values[0, :, 0]
    found, expected = left_on(result)[0], without / 1.1 ** (lost - 14)
    known = np.isfinite(without) & (expected <= 728)
    assert known.sum() > 80
    assert found[known] == pytest.approx(expected[known], rel=2e-5)
    assert not np.isfinite(found[np.isfinite(without) & (expected > 728)]).any()


@both
@pytest.mark.parametrize("since", ["entry", "health"])
def test_a_ratio_of_one_is_dropout_that_depends_on_nothing(missing, since):
    result = run(how(missing, since, 1))
    assert left_on(result) == pytest.approx(left_on(plain()), abs=2e-3)
    for name in ("event", "event_free_time", "death_time"):
        assert same(result.groups["events"][name].values, plain().groups["events"][name].values)


@both
def test_a_larger_ratio_hastens_whoever_is_below_and_delays_whoever_is_above_the_neutral_points(missing):
    """Points lost since entry only grow here: beyond the neutral ones from day 0 on, nobody leaves later."""
    changes = {"visits.noise.alsfrs_r_points": 0, "arms": {"none": []}, "visits.entry_effect_points": 0}
    few, many = (left_on(run(changes | how(missing, neutral=-1, ratio=ratio))) for ratio in (1.1, 1.3))
    assert (many <= few).all()
    assert np.isfinite(many).sum() > np.isfinite(few).sum()
    slow, fast = (left_on(run(changes | how(missing, neutral=60, ratio=ratio))) for ratio in (1.02, 1.05))
    assert (fast >= slow).all()


@both
def test_who_declines_faster_leaves_earlier_and_those_who_stay_look_better_than_all(missing):
    """Sign tests at 4 errors: with the ratio above 1 those who stay have changed less than everybody has."""
    result = run(how(missing, ratio=1.4), patients=3000)
    score = result.groups["truth"]["alsfrs_r"].values
    at = list(result.time).index(364)
    for arm in range(2):
        change, stays = score[arm, :, at] - score[arm, :, 0], left_on(result)[arm] > 364
        gap = change[stays].mean() - change.mean()
        assert gap > 4 * change[stays].std() / np.sqrt(stays.sum())
    days = left_on(result)
    assert np.isfinite(days[0]).mean() > np.isfinite(days[1]).mean()  # the untreated lose more points


def test_what_was_seen_decides_under_mar_and_what_was_not_under_mnar():
    """Under MAR nobody's hazard knows how they went on after the last visit; without later visits it is constant."""
    once = {"visits.every_days": None, "visits.days": [0]}
    known = left_on(run(once | how("MAR", neutral=0)))
    assert known == pytest.approx(left_on(run(once)), abs=2e-3)
    assert np.isfinite(left_on(run(once | how("MNAR", neutral=0)))).sum() > np.isfinite(known).sum()


@both
def test_dropout_ends_visits_and_doses_and_neither_truth_nor_events(missing):
    result, days = leaving(missing), left_on(leaving(missing))
    assert np.nanmax(result.groups["observed"]["day"].values - days[..., None]) <= 0
    doses = {key: array.values for key, array in result.groups["doses"].items()}
    assert (doses["day"] < days[doses["arm"], doses["patient"]]).all()
    goes_on = run(how(missing) | {"attrition.drug_after_dropout": "continue"})
    assert same(goes_on.groups["truth"]["alsfrs_r"].values[0], plain().groups["truth"]["alsfrs_r"].values[0])
    assert same(goes_on.groups["events"]["event_free_time"].values, run(
        {"attrition.drug_after_dropout": "continue"}
    ).groups["events"]["event_free_time"].values)  # fmt: skip


@both
def test_a_streamed_summary_is_that_of_a_full_run(missing):
    assert differing(run(how(missing), output="summary"), leaving(missing), ("summary",)) == []


@both
def test_threads_and_chunks_do_not_show(missing, monkeypatch):
    expected = leaving(missing)
    monkeypatch.setattr(batches, "make_worker", functools.partial(batches.make_worker, batch=129, part=37))
    monkeypatch.setattr(batches, "RANGE", 100)
    monkeypatch.setattr(batches, "PART", 37)
    assert differing(run(how(missing), threads=2), expected) == []


@pytest.mark.slow
@both
def test_an_arm_more_changes_no_other_and_arms_alike_leave_alike(missing):
    more = BASE["arms"] | {"again": BASE["arms"]["treated"], "late": [{"treatments": ["tofersen"], "from_day": 200}]}
    many, few = run(how(missing) | {"arms": more}), run(how(missing), patients=200)
    for arm in BASE["arms"]:
        assert differing_in_arm(leaving(missing), many, arm) == []
        assert differing_in_arm(few, many, arm, 200) == []
    assert same(left_on(many)[1], left_on(many)[2])


def test_rules_know_whether_dropout_depends_on_function():
    scenario = sim.load("valor").replace(BASE)
    assert rules(scenario.replace(how("MAR"))).leave.depends  # type: ignore[union-attr]
    assert not rules(sim.load("prevention")).leave.depends  # type: ignore[union-attr]
