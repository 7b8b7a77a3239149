"""Laws of epochs: cutting one on any day changes nothing, bit by bit; days count from what an epoch waits for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator as sim
from simulator.language.display import lines
from simulator.models import MODELS
from tests.support.models import study

BASE = {"follow_up_days": 364, "trial": None, "visits.every_days": 56}
CARE = {
    "treatments.slow": {"kind": "rate_multiplier", "value": 0.2},
    "treatments.spare": {"kind": "hazard_multiplier", "value": 0.4},
}
MISSED = {"adherence": {"missed": 0.3, "delay_days_max": 42}}
LABEL, ARTICLE = ({"treatments.tofersen.regimen.missed_dose": policy} for policy in ("label", "article"))
GUIDED = {
    "treatments.tofersen.regimen.guided_by_nfl": {
        "intervals_days": [28, 42, 56, 84],
        "samples": 2,
        "longer_at_ratio": 0.6,
        "shorter_at_ratio": 0.8,
        "wait_days": 56,
    },
    "visits.every_days": 28,
}
REACTIONS = {
    "safety": {"catalog": "tofersen_safety", "serious_neurologic": {"per_year": 1.0, "stopped": 0.1}},
}
CARRIERS = {
    "strata": None,
    "disease.variants": {"p.Ala5Val": 0.8, "other": 0.2},
    "disease.age_at_onset": {"normal": {"mean": 49, "sd": 1, "low": 18}},
    "entry": {"presymptomatic_at_age": {"normal": {"mean": 48.3, "sd": 0.5, "low": 18}}},
    "visits.entry_effect_points": 0,
    "rules": {"trigger": {"nfl_plasma": 44, "rise": 10}, "phenoconversion": {"sensitivity": 0.9}},
    "visits.every_days": 28,
    "follow_up_days": 546,
}
every_model = pytest.mark.parametrize("model", MODELS)
GROUPS = ("truth", "observed", "events", "summary")
DAYS = st.integers(1, 363)
SEEDS = st.integers(0, 2**64 - 1)


def epoch(*treatments: str, first: int = 0, **more: Any) -> dict[str, Any]:
    return {"treatments": list(treatments), "from_day": first, **more}


def cut(one: dict[str, Any], day: int) -> list[dict[str, Any]]:
    """An epoch that is known to last beyond `day`, in two; holds count from the start of their epoch."""
    shift = day - one["from_day"]
    early, late = {**one, "to_day": day}, {**one, "from_day": day, "treatments": [*one["treatments"]]}
    early.pop("until", None)
    late.pop("reload", None)
    holds = [(hold["from_day"], hold["to_day"]) for hold in one.get("holds", [])]
    for part, low, high in ((early, 0, shift), (late, shift, 10**6)):
        part.pop("holds", None)
        inside = [(max(a, low) - low, min(b, high) - low) for a, b in holds]
        kept = [{"from_day": a, "to_day": b} for a, b in inside if a < b]
        part.update({"holds": kept} if kept else {})
    return [early, late]


def run(arms: dict[str, Any], changes: dict[str, Any], model: str = "clock", **keywords: Any) -> sim.Result:
    scenario = study(model, BASE | changes | {"arms": {"untreated": [], **arms}})
    return sim.simulate(scenario, **({"patients": 150, "seed": 5, "threads": 1} | keywords))


def differing(result: sim.Result, one: str, other: str, groups: tuple[str, ...] = GROUPS) -> list[str]:
    """Arrays in which two arms are not the same, bit by bit."""
    a, b = result.arm_index(one), result.arm_index(other)
    found = []
    for group in groups:
        for name, array in result.groups[group].items():
            if array.dims[0] == "arm" and len(array.dims) > 1:
                found += [] if array.values[a].tobytes() == array.values[b].tobytes() else [f"{group}/{name}"]
    for group in ("doses", "adverse_events"):
        records = {k: v.values for k, v in result.groups.get(group, {}).items() if k != "arm" and "record" in v.dims}
        if records and groups == GROUPS:
            arm = result.groups[group]["arm"].values
            found += [
                f"{group}/{name}" for name, x in records.items() if x[arm == a].tobytes() != x[arm == b].tobytes()
            ]
    return found


def doses(result: sim.Result, arm: str) -> list[tuple[int, float]]:
    found = {name: array.values for name, array in result.groups["doses"].items()}
    mine = found["arm"] == result.arm_index(arm)
    return list(zip(found["patient"][mine].tolist(), found["day"][mine].tolist(), strict=True))


# --- multipliers


@pytest.mark.slow
@every_model
@settings(max_examples=8)
@given(first=st.integers(0, 90), last=st.integers(200, 600), day=st.integers(91, 199), seed=SEEDS)
def test_cutting_an_epoch_of_multipliers_changes_nothing(model, first, last, day, seed):
    whole = epoch("slow", "spare", first=first, to_day=last)
    result = run({"whole": [whole], "cut": cut(whole, day)}, CARE, model, seed=seed)
    assert differing(result, "whole", "cut") == []


@pytest.mark.slow
@every_model
@settings(max_examples=8)
@given(day=DAYS, first=st.sampled_from([0, 3, 70]), seed=SEEDS)
def test_what_multiplies_the_hazard_alone_moves_no_function(model, day, first, seed):
    """An add-on that is written as a new epoch of all that is given leaves what was given as it was."""
    given = [epoch("slow", "tofersen", first=first)]
    more = [*cut(given[0], first + day)]
    more[1]["treatments"].append("spare")
    changes = CARE | {"disease.background_mortality.multiplier": 0}
    result = run({"given": given, "more": more}, changes, model, seed=seed)
    stages = ("truth/kings_stage", "truth/mitos_stage", "truth/ft9_stage")  # they tell of death
    assert [name for name in differing(result, "given", "more", ("truth",)) if name not in stages] == []
    assert doses(result, "given")[:3] == doses(result, "more")[:3]


def test_the_week_of_a_hand_over_has_the_multiplier_of_its_days():
    result = run({"cut": cut(epoch("slow"), 45)}, CARE | {"output.every_days": 1})
    rate = result.groups["truth"]["rate"].values[1]
    assert np.unique(rate).tolist() == [np.float32(0.2)]
    mixed = run(
        {"later": [epoch("slow", to_day=45), epoch("slow", "slower", first=45)]},
        CARE
        | {
            "treatments.slower": {"kind": "rate_multiplier", "value": 0.5},
            "output.every_days": 1,
        },
    )
    rate = mixed.groups["truth"]["rate"].values[1, 0]
    assert rate[42:49] == pytest.approx((3 * 0.2 + 4 * 0.1) / 7)  # days 42, 43, 44; 45 to 48


def test_cutting_an_epoch_that_offers_care_changes_nothing():
    settings = {"visits.scoring": "items", "treatments.niv": {"catalog": "non_invasive_ventilation"}}
    whole = epoch("niv", first=30, to_day=300)
    result = run({"whole": [whole], "cut": cut(whole, 100), "none": []}, settings, patients=400)
    assert differing(result, "whole", "cut") == []
    assert differing(result, "whole", "none") != []


# --- doses


CALENDARS: dict[str, dict[str, Any]] = {
    "shared": {},
    "missed, label": MISSED | LABEL,
    "missed, article": MISSED | ARTICLE,
    "guided": GUIDED,
    "guided and missed": GUIDED | MISSED,
    "reactions": REACTIONS,
    "reactions and missed": REACTIONS | MISSED,
}


@pytest.mark.slow
@pytest.mark.parametrize("changes", CALENDARS.values(), ids=CALENDARS)
@settings(max_examples=6)
@given(first=st.integers(0, 20), days=st.lists(st.integers(21, 363), min_size=1, max_size=3, unique=True), seed=SEEDS)
def test_cutting_an_epoch_of_a_drug_changes_nothing(changes, first, days, seed):
    whole, parts = epoch("tofersen", first=first), []
    for day in sorted(days):
        early, late = cut(parts.pop() if parts else whole, day)
        parts += [early, late]
    result = run({"whole": [whole], "cut": parts}, changes, seed=seed, patients=100)
    assert differing(result, "whole", "cut") == []
    assert len(doses(result, "whole")) > 100


@pytest.mark.slow
@settings(max_examples=6)
@given(week=st.integers(0, 8), late=st.integers(0, 6), every=st.sampled_from([5, 28, 35]), seed=SEEDS)
def test_the_same_doses_do_the_same_whether_the_calendar_is_shared_or_a_patients_own(week, late, every, seed):
    """Bit by bit where doses fall on first days of weeks, else but for rounding: one lane and many are added up in
    another order. The hold, which makes calendars the patients' own, comes after the end."""
    shared = epoch("tofersen", first=7 * week + late)
    own = shared | {"holds": [{"from_day": 5000, "to_day": 5001}]}
    result = run({"shared": [shared], "own": [own]}, {"treatments.tofersen.regimen.every_days": every}, seed=seed)
    assert doses(result, "shared") == doses(result, "own")
    if late == 0 and every % 7 == 0:
        assert differing(result, "shared", "own") == []
    days = result.groups["events"]["event_free_time"].values
    assert np.abs(days[1] - days[2]).max() < 1e-4 * 30.4375
    assert result.groups["truth"]["rate"].values[1] == pytest.approx(result.groups["truth"]["rate"].values[2], abs=1e-5)


@every_model
@settings(max_examples=4)
@given(day=DAYS, seed=SEEDS)
def test_cutting_changes_nothing_in_any_model(model, day, seed):
    whole = epoch("tofersen")
    missed = {"treatments.other": {"catalog": "tofersen", "regimen": {"adherence": {"missed": 0.3}}}}
    arms = {"whole": [whole], "cut": cut(whole, day)}
    arms |= {"missed": [epoch("other")], "missed, cut": cut(epoch("other"), day)}
    result = run(arms, missed, model, seed=seed)
    assert differing(result, "whole", "cut") == []
    assert differing(result, "missed", "missed, cut") == []


@pytest.mark.parametrize("changes", [LABEL, ARTICLE, MISSED | LABEL, MISSED | ARTICLE], ids=str)
@settings(max_examples=6)
@given(day=DAYS, seed=SEEDS)
def test_cutting_an_epoch_with_holds_changes_nothing(changes, day, seed):
    holds = [{"from_day": 20, "to_day": 60}, {"from_day": 150, "to_day": 156}, {"from_day": 200, "to_day": 290}]
    whole = epoch("tofersen", holds=holds)
    result = run({"whole": [whole], "cut": cut(whole, day)}, changes, seed=seed, patients=100)
    assert differing(result, "whole", "cut") == []


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, MISSED, GUIDED, REACTIONS], ids=["plain", "missed", "guided", "reactions"])
@settings(max_examples=6)
@given(day=st.integers(1, 200), seed=SEEDS)
def test_cutting_an_epoch_that_waits_for_an_event_changes_nothing(changes, day, seed):
    """Cut so many days after the event; and cut where another event hands over."""
    whole = epoch("tofersen", after=["trigger", "phenoconversion"], holds=[{"from_day": 30, "to_day": 95}])
    ended = [epoch("tofersen", after="trigger")]
    handed = [epoch("tofersen", after="trigger", until="phenoconversion"), epoch("tofersen", after="phenoconversion")]
    arms = {"whole": [whole], "cut": cut(whole, day), "ended": ended, "handed": handed}
    result = run(arms, CARRIERS | changes, seed=seed, patients=80)
    assert differing(result, "whole", "cut") == []
    trigger, found = (result.groups["events"][f"{name}_time"].values[3] for name in ("trigger", "phenoconversion"))
    both = set(np.flatnonzero(trigger < found).tolist())
    assert len(both) > 10
    mine, theirs = ([one for one in doses(result, arm) if one[0] in both] for arm in ("ended", "handed"))
    assert mine == theirs


@pytest.mark.slow
@settings(max_examples=6)
@given(day=st.integers(1, 300), seed=SEEDS)
def test_cutting_an_epoch_after_diagnosis_changes_nothing(day, seed):
    changes = {"entry": {"at_onset": True}, "strata": None, "disease.variants": {"p.Ala5Val": 0.8, "other": 0.2}}
    whole = epoch("tofersen", first=1, after="diagnosis", to_day=310)
    result = run({"whole": [whole], "cut": cut(whole, day + 1)}, changes | MISSED, seed=seed, patients=100)
    assert differing(result, "whole", "cut") == []
    assert len(doses(result, "whole")) > 100


def test_an_epoch_that_adjoins_goes_on_and_reload_asks_for_loading():
    twice = [epoch("tofersen", to_day=182), epoch("tofersen", first=182)]
    again = [twice[0], {**twice[1], "reload": True}]
    late = [twice[0], epoch("tofersen", first=183)]
    one_calendar = [0.0, 14.0, *range(28, 364, 28)]
    loaded = [0.0, 14.0, 28.0, 56.0, 84.0, 112.0, 140.0, 168.0, *(182.0 + d for d in (0, 14, *range(28, 182, 28)))]
    for changes in ({}, {"treatments.tofersen.regimen.adherence": {"missed": 1e-12}}):  # shared, and patients' own
        everybody_lives = changes | {"treatments.spare": {"kind": "hazard_multiplier", "value": 0}}
        spared = {
            name: [{**one, "treatments": ["tofersen", "spare"]} for one in arm]
            for name, arm in {"twice": twice, "again": again, "late": late}.items()
        }
        result = run(spared, everybody_lives | {"follow_up_days": 363, "attrition": None}, patients=10)
        first = {arm: [day for patient, day in doses(result, arm) if patient == 0] for arm in spared}
        assert first["twice"] == one_calendar
        assert first["again"] == loaded
        assert first["late"][8:11] == [183.0, 197.0, 211.0]


def test_arms_that_are_cut_elsewhere_are_alike_before_randomisation():
    slow = {"treatments.slow": CARE["treatments.slow"]}
    whole = [epoch("slow", to_day=84), epoch("slow", "tofersen", first=84)]
    parts = [*cut(whole[0], 30), whole[1]]
    arms = {"placebo": [epoch("slow")], "treated": parts}
    assert sim.load("lead_in").replace(slow | {"arms": arms}).arms["treated"][1].from_day == 30
    stopped = {"placebo": [epoch("slow")], "treated": [epoch("slow", to_day=60), whole[1]]}
    with pytest.raises(sim.ScenarioError, match="differ before randomisation"):
        sim.load("lead_in").replace(slow | {"arms": stopped})


# --- days after events


AFTER_ONSET = {
    "entry": {"at_onset": True},
    "strata": None,
    "attrition": None,
    "disease.variants": {"p.Ala5Val": 0.8, "other": 0.2},
}


def test_a_course_of_fixed_length_after_an_event_has_its_days():
    """100 days from diagnosis: loading and three more doses from the first week on that begins after it."""
    course = epoch("tofersen", after="diagnosis", to_day=100)
    result = run({"course": [course]}, AFTER_ONSET, patients=300)
    events = {name: array.values[1] for name, array in result.groups["events"].items()}
    begins = 7 * np.ceil(events["diagnosis_time"] / 7)
    complete = np.flatnonzero(begins + 100 <= np.nan_to_num(events["death_time"], nan=364.0))
    assert complete.size > 150
    given = doses(result, "course")
    for patient in complete:
        assert [day for who, day in given if who == patient] == [begins[patient] + d for d in (0, 14, 28, 56, 84)]


def test_a_course_after_a_diagnosis_before_baseline_keeps_its_last_day():
    course = epoch("tofersen", after="diagnosis", to_day=400)
    result = run({"course": [course]}, {"attrition": None}, patients=300)
    events = {name: array.values[1] for name, array in result.groups["events"].items()}
    day = events["diagnosis_time"]
    assert (day < 0).sum() > 50
    treated = {who for who, _ in doses(result, "course")}
    alive = np.isnan(events["death_time"])
    earlier = 7 * np.ceil(day / 7) + 400 <= 0
    assert treated & set(np.flatnonzero(earlier).tolist()) == set()
    assert set(np.flatnonzero((day < 0) & ~earlier & alive).tolist()) <= treated
    last = dict(doses(result, "course"))
    assert all(last[who] < 7 * np.ceil(day[who] / 7) + 400 for who in treated)


def test_the_day_of_diagnosis_is_an_event():
    changes = AFTER_ONSET | {"disease.variants": {"p.Ala5Val": 1.0}}
    result = run({"treated": [epoch("tofersen")]}, changes, patients=2000)
    days = {name: array.values for name, array in result.groups["events"].items()}
    told = np.isfinite(days["diagnosis_time"])
    assert (days["diagnosis_time"][told] <= np.minimum(np.nan_to_num(days["death_time"], nan=364), 364)[told]).all()
    assert np.isnan(days["diagnosis_time"]).any()
    first = np.nan_to_num(days["diagnosis_time"][0], nan=np.inf)
    assert np.median(first) == pytest.approx(4 * 30.4375, rel=0.08)  # the median delay of p.Ala5Val


def test_a_course_after_an_event_is_shown_as_one():
    scenario = study(
        "clock", AFTER_ONSET | {"trial": None, "arms": {"one": [epoch("tofersen", after="diagnosis", to_day=9)]}}
    )
    assert "tofersen from diagnosis to 9 days after diagnosis" in dict(lines(scenario))["arm one"]
