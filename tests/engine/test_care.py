"""Care: ventilation and feeding tubes that begin by what a visit measures; closed form, laws and invariance."""

from __future__ import annotations

import functools
from functools import cache
from typing import Any

import numpy as np
import pytest

import simulator as sim
from benchmarks.care import CHANGES, NIV, gains
from simulator.engine import batches
from simulator.engine.rules import NoRules, Rules
from simulator.program.rules import rules
from tests.support.bits import BASE as SHORT
from tests.support.bits import differing, differing_in_arm, elsewhere, same

SEED = 3
ARMS = ("none", "cared")
WHOLE = {"patients": 700, "threads": 1, "seed": SEED}
CARED = [{"treatments": ["niv", "tube"], "from_day": 0}]
BASE: dict[str, Any] = {
    "strata": None,
    "trial": None,
    "safety": None,
    "disease.variants": {"p.Ala5Val": 0.8, "other": 0.2},
    "visits.scoring": "items",
    "treatments.niv": {"catalog": "non_invasive_ventilation"},
    "treatments.tube": {"catalog": "gastrostomy"},
    "arms": {"none": [], "cared": CARED},
    "follow_up_days": 1456,
}


def run(changes: dict[str, Any] | None = None, **keywords: Any) -> sim.Result:
    scenario = sim.load("valor").replace(BASE | (changes or {}))
    return sim.simulate(scenario, **(WHOLE | keywords))


@cache
def cared() -> sim.Result:
    return run()


def events(result: sim.Result, name: str, arm: str) -> np.ndarray:
    return result.groups["events"][name].values[result.arm_index(arm)].astype(np.float64)


# --- closed form


@pytest.mark.parametrize(("riluzole", "niv"), [(1.0, 0.4), (0.84, 0.5), (0.84, 2.0)])
def test_event_times_are_those_of_a_weibull_hazard_multiplied_from_the_day_care_begins(riluzole, niv):
    """H(T0) = c H(t) + c d (H(T1) - H(t)), H(t) = t^12: T0 without care, t its start, T1 with it.

    c is the multiplier of riluzole, d that of ventilation. T0 is each patient's own, so every one checks the equation.
    """
    scenario = sim.load("analytic/weibull_no_volatility").replace(
        {
            "treatments.riluzole": {"catalog": "riluzole", "value": riluzole},
            "treatments.niv": NIV | {f"hazard_multiplier_{kind}_bulbar": niv for kind in ("good", "poor")},
            "arms": {"none": [], "cared": [{"treatments": ["riluzole", "niv"], "from_day": 0}]},
            "visits.assessments": ["alsfrs_r", "svc"],
        }
    )
    result = sim.simulate(scenario, **WHOLE)
    begin, without, found = (
        events(result, name, arm)
        for name, arm in (("niv_time", "cared"), ("event_free_time", "none"), ("event_free_time", "cared"))
    )
    had = (begin < found) & (events(result, "event", "none") > 0) & (events(result, "event", "cared") > 0)
    assert had.sum() > 300
    start = begin[had] ** 12
    expected = (start + (without[had] ** 12 / riluzole - start) / niv) ** (1 / 12)
    assert found[had] == pytest.approx(expected, abs=0.05)
    never = np.isnan(begin) & (events(result, "event", "none") > 0)
    assert found[never] == pytest.approx(without[never] * riluzole ** (-1 / 12), abs=0.05)


# --- laws


def test_care_changes_neither_function_nor_the_clock():
    truth = cared().groups["truth"]
    for name in ("alsfrs_r", "svc", "hhd", "nfl_plasma", "disease_time"):
        assert same(*truth[name].values), name
    assert not same(*cared().groups["events"]["event_free_time"].values)


@pytest.mark.slow
def test_a_multiplier_of_one_changes_no_event_and_one_below_hastens_none():
    harmless = run({f"treatments.niv.hazard_multiplier_{kind}_bulbar": 1 for kind in ("good", "poor")})
    assert np.isfinite(events(harmless, "niv_time", "cared")).sum() > 100
    for name in ("event", "event_free_time", "death_time", "dropout_time"):
        assert same(*harmless.groups["events"][name].values), name
    later = events(cared(), "event_free_time", "cared") - events(cared(), "event_free_time", "none")
    assert later.min() >= 0
    assert (later > 30).sum() > 30


def test_ventilation_begins_in_the_week_after_the_first_visit_that_calls_for_it():
    """Total scores, everybody accepts: the measured SVC alone decides, and each day follows from what is reported."""
    niv = {"treatments.niv": NIV, "arms": {"ventilated": [{"treatments": ["niv"], "from_day": 100, "to_day": 700}]}}
    result = run(niv | {"visits.scoring": "total"})
    seen = result.groups["observed"]
    svc, day = seen["svc"].values[0], seen["day"].values[0]
    event, when = (events(result, name, "ventilated") for name in ("event", "event_free_time"))
    pav = np.where(event == 2, when, np.inf)
    wanted = (svc < 50) & (day >= 100) & (day < 700) & (day < pav[:, None])
    first = np.where(wanted.any(axis=1), day[np.arange(len(day)), wanted.argmax(axis=1)], np.nan)
    expected, end = 7 * np.ceil(first / 7), np.nan_to_num(events(result, "death_time", "ventilated"), nan=np.inf)
    expected[end < expected] = np.nan
    assert np.array_equal(events(result, "niv_time", "ventilated"), expected, equal_nan=True)
    assert np.isfinite(expected).sum() > 100


@pytest.mark.slow
def test_as_many_accept_as_the_shares_say():
    """Compared with the same people where everybody accepts, within four errors."""
    always = {"treatments.niv": NIV, "treatments.tube.uptake": 1}
    offered, accepted = (run(changes, patients=2000) for changes in (always, {}))
    days = events(offered, "niv_time", "cared")
    who = np.flatnonzero(np.isfinite(days))
    at = np.clip(np.searchsorted(offered.time, days[who], side="right") - 1, 0, None)
    bulbar = offered.groups["truth"]["alsfrs_r_bulbar"].values[offered.arm_index("cared")][who, at]
    took = np.isfinite(events(accepted, "niv_time", "cared")[who])
    for share, chosen in ((0.70, bulbar > 6.5), (0.35, bulbar < 5.5)):
        assert chosen.sum() > 50
        assert abs(took[chosen].mean() - share) < 4 * np.sqrt(share * (1 - share) / chosen.sum())
    fed, wanted = (np.isfinite(events(result, "gastrostomy_time", "cared")) for result in (accepted, offered))
    assert abs(fed.sum() / wanted.sum() - 0.5) < 4 * np.sqrt(0.25 / wanted.sum())


def test_who_depends_on_ventilation_has_no_svc():
    """Before permanent ventilation in both arms only the ventilated lose SVC by care, and nothing else differs."""
    observed = cared().groups["observed"]
    seen, day = observed["svc"].values, observed["day"].values
    ventilated = np.nan_to_num(events(cared(), "niv_time", "cared"), nan=np.inf)[:, None] < day[1]
    pav = [
        np.where(events(cared(), "event", arm) == 2, events(cared(), "event_free_time", arm), np.inf) for arm in ARMS
    ]
    free = np.isfinite(day).all(axis=0) & (day[0] < np.minimum(*pav)[:, None])
    taken = np.isnan(seen[1]) & np.isfinite(seen[0])
    assert (taken & free & ventilated).sum() > 10
    assert not (taken & free & ~ventilated).any()
    assert same(seen[0][free & ~taken], seen[1][free & ~taken])


# --- what care must not depend on


def test_a_streamed_summary_is_that_of_a_full_run():
    assert differing(run(output="summary"), cared(), ("summary",)) == []


def test_threads_and_chunks_do_not_show(monkeypatch):
    monkeypatch.setattr(batches, "make_worker", functools.partial(batches.make_worker, batch=129, part=37))
    monkeypatch.setattr(batches, "RANGE", 100)
    monkeypatch.setattr(batches, "PART", 37)
    assert differing(run(threads=2), cared()) == []


@pytest.mark.slow
def test_an_arm_more_changes_no_other_and_the_first_patients_of_fewer_are_the_same():
    late = [{"treatments": ["tofersen", "niv"], "from_day": 200}]
    many, few = run({"arms": {"late": late} | BASE["arms"]}), run(patients=200)
    for arm in BASE["arms"]:
        assert differing_in_arm(cared(), many, arm) == []
        assert differing_in_arm(few, many, arm, 200) == []


def test_an_arm_without_care_is_the_same_in_a_scenario_without_care():
    alone = run({"arms": {"none": []}})
    assert differing_in_arm(alone, cared(), "none") == []
    assert differing(alone, cared(), ("patients",)) == []


def test_rules_know_whether_an_arm_offers_care():
    scenario = sim.load("valor").replace(BASE)
    assert isinstance(rules(sim.load("valor")), NoRules)
    assert isinstance(rules(scenario.replace({"arms": {"none": []}})), NoRules)
    for found, offered in ((rules(sim.load("prevention")), False), (rules(scenario), True)):
        assert isinstance(found, Rules)
        assert found.care.offered == offered


@pytest.mark.slow
def test_without_compiling_care_begins_on_the_same_days(tmp_path):
    changes = {**BASE, "follow_up_days": 364, "visits.every_days": 28}
    plain = elsewhere(tmp_path / "plain.npz", changes, 16, NUMBA_DISABLE_JIT="1", ALS_SIM_LANES="4")
    compiled = sim.simulate(sim.load("valor").replace(SHORT | changes), patients=16, seed=5, threads=1)
    for name in ("niv_time", "gastrostomy_time", "event_free_time"):
        found = compiled.groups["events"][name].values
        assert plain[f"events/{name}"] == pytest.approx(found, abs=0.02, nan_ok=True), name
    assert np.isfinite(plain["events/niv_time"]).any()


# --- beside what is published


@pytest.mark.slow
def test_poor_bulbar_function_gains_nothing_and_good_gains_months():
    """None with poor function by construction; the gain with good function is not fitted to the published 205 days."""
    found = gains(sim.simulate(sim.load("generic_als").replace(CHANGES), **WHOLE))
    assert found["poor"].mean_gain == 0
    assert found["good"].people > 100
    assert found["good"].gain > 3 * found["good"].error > 0


@pytest.mark.slow
def test_care_beside_tofersen_lengthens_life_and_leaves_function_as_it_is():
    result = sim.simulate(sim.load("adjunctive_care"), **(WHOLE | {"patients": 1500}))
    truth = result.groups["truth"]["alsfrs_r"].values
    index = {arm: result.arm_index(arm) for arm in result.arms}
    for one, other in (("none", "riluzole"), ("none", "care"), ("tofersen", "tofersen_care")):
        assert same(truth[index[one]], truth[index[other]])
    days = {arm: events(result, "event_free_time", arm).mean() for arm in result.arms}
    assert days["none"] < days["riluzole"] < days["care"] < days["tofersen_care"] < days["all"]
    assert days["none"] < days["tofersen"] < days["tofersen_care"]
