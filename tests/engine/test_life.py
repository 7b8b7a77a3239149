"""Rules of a life: carriers before onset, epochs that wait for events, dosing by samples. Laws and invariance."""

from __future__ import annotations

import functools
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import simulator as sim
from simulator.engine import batches
from tests.support.bits import differing, differing_in_arm, elsewhere, same

SEED = 3
MONTH = 30.4375
WHOLE = {"patients": 900, "threads": 1, "seed": SEED}
CARRIERS: dict[str, Any] = {
    "strata": None,
    "trial": None,
    "attrition": None,
    "disease.variants": {"p.Ala5Val": 0.7, "other": 0.3},
    "entry": {"presymptomatic_at_age": {"normal": {"mean": 48, "sd": 3, "low": 18}}},
    "disease.age_at_onset": {"normal": {"mean": 49.7, "sd": 3, "low": 18}},
    "visits.entry_effect_points": 0,
    "rules": {"trigger": {"nfl_plasma": 44, "rise": 10}, "phenoconversion": {"sensitivity": 0.9}},
    "arms": {
        "untreated": [],
        "early": [{"treatments": ["tofersen"], "after": ["trigger", "phenoconversion"], "from_day": 0}],
        "delayed": [{"treatments": ["tofersen"], "after": "phenoconversion", "from_day": 0}],
    },
    "follow_up_days": 1092,
}
GUIDE = {
    "intervals_days": [28, 42, 56, 84],
    "samples": 2,
    "longer_at_ratio": 0.5,
    "shorter_at_ratio": 0.65,
    "wait_days": 84,
}
REGIMEN = {"guided_by_nfl": GUIDE, "adherence": {"missed": 0}}
WAITS = {"early": ("trigger_time", "phenoconversion_time"), "delayed": ("phenoconversion_time",)}
MISSED = {"adherence": {"missed": 0.2, "delay_days_max": 42}}


def run(changes: dict[str, Any] | None = None, **keywords: Any) -> sim.Result:
    scenario = sim.load("valor").replace(CARRIERS | (changes or {}))
    return sim.simulate(scenario, **(WHOLE | keywords))


@cache
def carriers() -> sim.Result:
    return run()


def events(result: sim.Result, name: str, arm: str) -> np.ndarray:
    return result.groups["events"][name].values[result.arm_index(arm)]


def first_of(result: sim.Result, names: tuple[str, ...], arm: str) -> np.ndarray:
    """The earliest of some events of each patient, infinite if none has happened."""
    return np.min([np.nan_to_num(events(result, name, arm), nan=np.inf) for name in names], axis=0)


# --- what must hold of carriers


def test_whoever_is_not_penetrant_never_falls_ill():
    result = carriers()
    patients, truth = result.groups["patients"], result.groups["truth"]
    never = np.isnan(patients["age_at_onset"].values)
    assert 0.05 < never.mean() < 0.3
    assert np.isnan(patients["time_since_onset"].values[never]).all()
    for arm in range(3):
        assert (truth["alsfrs_r"].values[arm, never] == 48).all()
        for name in ("onset_time", "phenoconversion_time"):
            assert np.isnan(result.groups["events"][name].values[arm, never]).all()


def test_all_are_free_of_symptoms_at_entry_and_the_truth_is_finite():
    result = carriers()
    assert (result.groups["truth"]["alsfrs_r"].values[:, :, 0] == 48).all()
    assert (result.groups["truth"]["disease_time"].values[:, :, 0] < 0).all()
    for name, array in result.groups["truth"].items():
        assert array.values.dtype.kind == "U" or np.isfinite(array.values).all(), name
    months = result.groups["patients"]["time_since_onset"].values
    assert np.nanmax(months) < 0


def test_penetrance_is_the_share_that_it_says():
    """Entry far before any onset rejects nobody: the share of the ill is the penetrance, .9, within four errors."""
    early = {"entry": {"presymptomatic_at_age": 20}, "follow_up_days": 28, "arms": {"untreated": []}}
    ill = np.isfinite(run(early, patients=2000).groups["patients"]["age_at_onset"].values)
    assert abs(ill.mean() - 0.9) < 4 * np.sqrt(0.9 * 0.1 / 2000)


def test_untreated_the_disease_begins_at_the_counterfactual_onset():
    result = carriers()
    expected = -result.groups["patients"]["time_since_onset"].values.astype(float) * MONTH
    found = events(result, "onset_time", "untreated")
    seen = np.isfinite(found)
    assert seen.sum() > 100
    assert found[seen] == pytest.approx(expected[seen], abs=0.02)
    alive = np.isnan(events(result, "death_time", "untreated"))
    assert (expected[alive & ~seen & np.isfinite(expected)] > result.follow_up_days - 0.02).all()
    assert (expected[seen] % 7).min() == pytest.approx(0, abs=1e-2) or (expected[seen] % 7).max() > 6.99


def test_arms_are_equal_until_the_event_that_they_wait_for():
    result = carriers()
    truth, days = result.groups["truth"]["disease_time"].values, result.time
    for arm, names in WAITS.items():
        first = first_of(result, names, arm)
        before = days[None, :] <= first[:, None]
        assert (truth[0] == truth[result.arm_index(arm)])[before].all()
        assert not (truth[0] == truth[result.arm_index(arm)]).all()


def test_doses_begin_in_the_week_after_the_visit_that_found_the_event():
    result = carriers()
    doses = result.groups["doses"]
    for arm, names in WAITS.items():
        found, checked = first_of(result, names, arm), 0
        for patient in np.flatnonzero(np.isfinite(found)):
            mine = (doses["arm"].values == result.arm_index(arm)) & (doses["patient"].values == patient)
            if mine.any():
                assert doses["day"].values[mine][0] == 7 * np.ceil(found[patient] / 7)
                checked += 1
        assert checked > 50


def test_an_earlier_start_delays_onset_and_never_hastens_it():
    result = run({"treatments.tofersen.effect.low": 0.0})  # nobody is harmed
    untreated, early = (np.nan_to_num(events(result, "onset_time", a), nan=1e9) for a in ("untreated", "early"))
    alive = np.isnan(events(result, "death_time", "untreated")) & np.isnan(events(result, "death_time", "early"))
    assert (early >= untreated - 0.02)[alive].all()
    assert (early > untreated + 30)[alive].sum() > 30
    delayed = np.nan_to_num(events(result, "onset_time", "delayed"), nan=1e9)
    assert delayed[alive] == pytest.approx(untreated[alive], abs=0.02)  # treated after onset only


def test_trigger_and_phenoconversion_are_what_the_visits_show():
    result = carriers()
    seen, trial = result.groups["observed"], result.groups["events"]
    for arm in range(3):
        nfl, score, day = (seen[name].values[arm] for name in ("nfl_plasma", "alsfrs_r", "day"))
        met = (nfl >= 44) & (nfl - nfl[:, :1] >= 10)
        first = np.where(met.any(axis=1), day[np.arange(len(day)), met.argmax(axis=1)], np.nan)
        assert np.array_equal(first, trial["trigger_time"].values[arm], equal_nan=True)
        when = trial["phenoconversion_time"].values[arm]
        for patient in np.flatnonzero(np.isfinite(when)):
            assert score[patient, np.flatnonzero(day[patient] == when[patient])] < 48
            assert when[patient] >= trial["onset_time"].values[arm, patient] - 0.02


def test_without_noise_the_trigger_comes_when_neurofilament_passes_the_level():
    """Weekly visits without noise: NfL = N_bg 1.02^(age - 50) + A (12/D50)^.9 e^eta psi(u), solved for u by hand."""
    quiet = {
        **{f"visits.noise.{name}": 0 for name in ("nfl_log_sd", "alsfrs_r_points")},
        "visits.every_days": 7,
        "visits.jitter_days": 0,
        "visits.missing": 0,
        "arms": {"untreated": []},
        "output.every_days": 7,
        "disease.background_mortality.multiplier": 0,
    }
    result = run(quiet, patients=300)
    truth = result.groups["truth"]["nfl_plasma"].values[0]
    met = (truth >= 44) & (truth - truth[:, :1] >= 10)
    first = np.where(met.any(axis=1), result.time[met.argmax(axis=1)], np.inf)
    found = np.nan_to_num(events(result, "trigger_time", "untreated"), nan=np.inf)
    alive = ~(np.nan_to_num(events(result, "death_time", "untreated"), nan=np.inf) < first)
    assert np.array_equal(found[alive], first[alive])
    patients = result.groups["patients"]
    rising = np.isfinite(first) & (truth[:, 0] < 30)
    age = patients["age"].values + first / 365.25
    needed = (44 - 9 * 1.02 ** (age - 50)) / patients["nfl_amplitude"].values
    nfl = sim.load("valor").numbers()["progression"]["neurofilament"]
    lead = nfl["lead"] + nfl["rise"] * np.log(1 - needed)  # disease time before onset at which NfL is 44
    days = (-patients["time_since_onset"].values - lead * patients["d50"].values) * MONTH
    late = first - days
    rising &= lead > 0  # later, the rate fluctuates
    assert rising.sum() > 30
    assert ((late > -0.1) & (late < 7.1))[rising].all()


# --- what rules must not depend on


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, MISSED], ids=["weeks", "missed doses"])
def test_a_streamed_summary_is_that_of_a_full_run(changes):
    full, streamed = (run(changes, output=output) for output in ("full", "summary"))
    assert differing(streamed, full, ("summary",)) == []
    assert streamed.screening == full.screening


@pytest.mark.slow
def test_threads_and_chunks_do_not_show(monkeypatch):
    expected = run(MISSED)
    monkeypatch.setattr(batches, "make_worker", functools.partial(batches.make_worker, batch=129, part=37))
    monkeypatch.setattr(batches, "RANGE", 100)
    monkeypatch.setattr(batches, "PART", 37)
    assert differing(run(MISSED, threads=2), expected) == []


@pytest.mark.slow
def test_the_first_patients_of_more_are_the_same_and_an_arm_more_changes_no_other():
    few = run(patients=200)
    odd = [{"treatments": ["tofersen"], "after": "trigger", "from_day": 10, "until": "phenoconversion"}]
    many = run({"arms": {"odd": odd} | CARRIERS["arms"]}, patients=300)
    for arm in few.arms:
        assert differing_in_arm(few, many, arm, 200) == []


@pytest.mark.slow
def test_arms_without_rules_are_the_same_beside_one_with_rules():
    """The rules are compiled into the loop; arms that do not use them keep every bit."""
    plain = {"arms": {"untreated": [], "early": [{"treatments": ["tofersen"], "from_day": 0}]}}
    valor = {"strata": None, "trial": None, "follow_up_days": 700}
    guided = {"treatments.tofersen.regimen.guided_by_nfl": GUIDE}
    scenario = sim.load("valor").replace(valor | plain)
    late = [{"treatments": ["tofersen"], "from_day": 0, "until": "pav"}]
    few = sim.simulate(scenario, **WHOLE)
    many = sim.simulate(scenario.replace({"arms": plain["arms"] | {"stops": late}}), **WHOLE)
    for arm in few.arms:
        assert differing_in_arm(few, many, arm) == []
    assert sim.simulate(scenario.replace(guided), **WHOLE).arms == few.arms


@pytest.mark.slow
def test_without_compiling_the_numbers_are_the_same_but_for_rounding(tmp_path):
    changes = CARRIERS | MISSED | {"follow_up_days": 364, "visits.every_days": 28}
    plain = elsewhere(tmp_path / "plain.npz", changes, 12, NUMBA_DISABLE_JIT="1", ALS_SIM_LANES="4")
    compiled = sim.simulate(sim.load("valor").replace(changes), patients=12, seed=5, threads=1)
    for group, name in (("events", "trigger_time"), ("events", "onset_time"), ("doses", "day"), ("truth", "alsfrs_r")):
        found = compiled.groups[group][name].values
        assert plain[f"{group}/{name}"] == pytest.approx(found, abs=2e-3, nan_ok=True), name


# --- dosing


@cache
def dosing() -> sim.Result:
    """Arms that share one set of people: full adherence, both policies, a hold, an exit, a guide."""
    scenario = sim.load("missed_doses").replace(
        {
            "treatments.guided": {"catalog": "tofersen", "regimen": REGIMEN},
            "rules": {"limit": {"alsfrs_r": 30}},
            "follow_up_days": 728,
        }
    )
    held = [{"from_day": 168, "to_day": 252}]
    arms = {
        "plain": [{"treatments": ["never_missed"], "from_day": 0}],
        "held": [{"treatments": ["never_missed"], "from_day": 0, "holds": held}],
        "stops": [{"treatments": ["never_missed"], "from_day": 0, "until": ["limit", "pav"]}],
        "guided": [{"treatments": ["guided"], "from_day": 0}],
        "label": [{"treatments": ["label"], "from_day": 0}],
        "article": [{"treatments": ["article"], "from_day": 0}],
    }
    return sim.simulate(scenario.replace({"arms": arms}), patients=400, seed=SEED, threads=1)


def days_of(arm: str) -> list[np.ndarray]:
    result = dosing()
    doses = {name: array.values for name, array in result.groups["doses"].items()}
    mine = doses["arm"] == result.arm_index(arm)
    return [doses["day"][mine & (doses["patient"] == p)] for p in range(result.n_patients)]


def test_a_hold_leaves_its_days_without_doses_and_the_drug_comes_back_on_its_last():
    ends = np.nan_to_num(events(dosing(), "event_free_time", "held"), nan=np.inf)
    for plain, held, end in zip(days_of("plain"), days_of("held"), ends, strict=True):
        assert not ((held >= 168) & (held < 252)).any()
        assert np.array_equal(held[held < 168], plain[plain < 168])
        if plain.size and plain[-1] >= 252 and end > 252:
            assert held[held >= 252][0] == 252
            assert set(np.diff(held[held >= 252])) <= {28}


def test_the_article_keeps_the_calendar_and_the_label_moves_it():
    article, label = days_of("article"), days_of("label")
    nominal = {0, 14, *range(28, 729, 28)}
    late = [day for days in article for day in days if day not in nominal]
    assert late
    assert all(min(day - n for n in nominal if n <= day) <= 14 for day in late)
    assert all((np.diff(days) >= 14).all() for days in article + label)
    assert any(day not in nominal for days in label for day in days[-1:])


def test_nobody_gets_a_dose_after_the_limit_was_measured():
    result = dosing()
    arm = result.arm_index("stops")
    score, day = (result.groups["observed"][name].values[arm] for name in ("alsfrs_r", "day"))
    stopped = 0
    for patient, days in enumerate(days_of("stops")):
        low = np.flatnonzero(score[patient] <= 30)
        if low.size:
            end = 7 * np.ceil(day[patient, low[0]] / 7)
            assert (days < end).all()
            stopped += 1
    assert stopped > 100


def test_the_guide_changes_the_interval_after_two_samples_at_least_and_one_step_at_a_time():
    order = GUIDE["intervals_days"]
    lengths = []
    for days in days_of("guided"):
        gaps = np.diff(days)[2:]  # after loading
        assert set(gaps) <= set(order)
        places = [order.index(gap) for gap in gaps]
        assert all(abs(a - b) <= 1 for a, b in pairwise(places))
        assert all(gap == 28 for gap, day in zip(gaps, days[2:], strict=False) if day < 84 + 28)
        lengths += places
    assert {0, 1, 2, 3} == set(lengths)


def test_dosing_by_neurofilament_depends_on_measured_samples_only():
    """With another noise of the assay the doses differ, though the truth up to the first change is the same."""
    scenario = sim.load("nfl_guided_dosing").replace({"follow_up_days": 546})
    one, other = (
        sim.simulate(scenario.replace({"visits.noise.nfl_log_sd": sd}), patients=200, seed=SEED, threads=1)
        for sd in (0.25, 0.5)
    )
    fixed = one.arm_index("every_28_days")
    guided = one.arm_index("by_neurofilament")
    truth = [result.groups["truth"]["nfl_plasma"].values for result in (one, other)]
    assert same(truth[0][fixed], truth[1][fixed])
    early = one.time <= 84
    assert same(truth[0][guided][:, early], truth[1][guided][:, early])
    assert not same(truth[0][guided], truth[1][guided])


# --- starts relative to onset and diagnosis


def test_a_start_after_onset_comes_so_many_days_after_it():
    """The untreated onset of a carrier lies a whole number of weeks after entry: no day is lost to the next week."""
    ill = [{"treatments": ["tofersen"], "after": "onset", "from_day": 91}]
    result = run({"arms": {"untreated": [], "ill": ill}})
    doses, onset = result.groups["doses"], events(result, "onset_time", "untreated")
    patients, place = np.unique(doses["patient"].values, return_index=True)
    assert patients.size > 100
    assert doses["day"].values[place] == pytest.approx(np.round(onset[patients]) + 91, abs=1e-3)
    expected = (onset + 91 < result.follow_up_days) & np.isnan(events(result, "death_time", "ill"))
    assert set(np.flatnonzero(expected)) <= set(patients)


def test_a_start_after_diagnosis_comes_after_the_delay_of_the_variant():
    """The median of the first dose from onset on is that of the delay, rounded up to weeks: 4 months in p.Ala5Val."""
    changes = {
        "entry": {"at_onset": True},
        "strata": None,
        "trial": None,
        "attrition": None,
        "disease.variants": {"p.Ala5Val": 1.0},
        "disease.background_mortality.multiplier": 0,
        "arms": {"diagnosed": [{"treatments": ["tofersen"], "after": "diagnosis", "from_day": 14}]},
        "follow_up_days": 364,
    }
    result = sim.simulate(sim.load("valor").replace(changes), patients=1000, seed=SEED, threads=1)
    doses = result.groups["doses"]
    patients, place = np.unique(doses["patient"].values, return_index=True)
    first = np.full(1000, np.inf)
    first[patients] = doses["day"].values[place]
    assert ((first[patients] - 14) % 7 == 0).all()
    assert np.median(first) == pytest.approx(4 * MONTH + 14 + 3.5, rel=0.06)
