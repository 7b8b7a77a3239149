"""Adverse events: laws of holds and stops, the label's proportions, and what is told of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator as sim
from simulator.analysis.intervals import share_error
from simulator.engine import adverse, random
from simulator.measures.headline import headline
from simulator.program.safety import per_dose
from simulator.results.adam import to_adam
from tests.oracle.philox import Keys
from tests.support.bits import elsewhere
from tests.support.models import amounts

BASE = {"follow_up_days": 728, "trial": None, "visits.every_days": 84}
SERIOUS = "safety.serious_neurologic"
LIVER = {"per_year": 1.0, "peak_multiple": {"lognormal": {"median": 5, "log_sd": 0.5}}}
MISSED = {"adherence": {"missed": 0.2, "delay_days_max": 42}}
SEEDS = st.integers(0, 2**64 - 1)


def run(changes: dict[str, Any] | None = None, patients: int = 300, seed: int = 3, **keywords: Any) -> sim.Result:
    scenario = sim.load("valor").replace(BASE).replace(changes or {})
    return sim.simulate(scenario, patients=patients, seed=seed, threads=1, **keywords)


def table(result: sim.Result, group: str = "adverse_events") -> dict[str, np.ndarray]:
    return {key: array.values for key, array in result.groups[group].items()}


def doses(result: sim.Result) -> set[tuple[int, int, float]]:
    found = table(result, "doses")
    return set(zip(found["arm"].tolist(), found["patient"].tolist(), found["day"].tolist(), strict=True))


def kinds(result: sim.Result) -> list[str]:
    return str(result.groups["adverse_events"]["kind"].attrs["flag_meanings"]).split()


# --- laws


def courses_differ(one: sim.Result, other: sim.Result) -> list[str]:
    pairs = [
        (f"{g}/{n}", one.groups[g][n], other.groups[g][n])
        for g in ("truth", "observed", "events", "doses")
        for n in one.groups[g]
    ]
    return [name for name, a, b in pairs if a.values.tobytes() != b.values.tobytes()]


@pytest.mark.parametrize("missed", [{}, MISSED], ids=["calendar", "missed doses"])
def test_without_hazard_nothing_happens_and_no_bit_changes(missed):
    nothing = run(missed | {f"{SERIOUS}.per_year": 0, f"{SERIOUS}.later_per_year": 0})
    assert not table(nothing)["serious"].any()
    assert not nothing.groups["summary"]["serious_neurologic_share"].values.any()
    assert courses_differ(nothing, run(missed | {"safety": None})) == []


def test_a_hold_of_no_days_changes_no_bit():
    harmless = run(
        {
            f"{SERIOUS}.held_days_min": 0,
            f"{SERIOUS}.held_days_max": 0,
            f"{SERIOUS}.stopped": 0,
            f"{SERIOUS}.per_year": 1,
        }
    )
    assert table(harmless)["serious"].sum() > 100
    assert courses_differ(harmless, run({"safety": None})) == []


def test_without_the_block_there_are_no_groups_and_no_numbers():
    quiet = run({"safety": None})
    assert {"adverse_events", "monitoring"}.isdisjoint(quiet.groups)
    assert "serious_neurologic_share" not in quiet.groups["summary"]
    assert not [row for row in headline(quiet).rows if row.metric == "serious_neurologic"]


@pytest.mark.slow
def test_without_the_block_own_calendars_stay_within_their_space(tmp_path):
    """In plain Python an index out of range raises; compiled it would write elsewhere."""
    changes = MISSED | {"safety": None, "follow_up_days": 84}
    plain = elsewhere(tmp_path / "plain.npz", changes, 8, NUMBA_DISABLE_JIT="1", ALS_SIM_LANES="4")
    assert plain["doses/day"].size > 8


@pytest.mark.slow
@settings(max_examples=6)
@given(
    rate=amounts(0, 5),
    stopped=amounts(0, 1),
    low=st.integers(0, 60),
    more=st.integers(0, 60),
    missed=st.booleans(),
    seed=SEEDS,
)
def test_holds_and_stops_only_take_doses_away(rate, stopped, low, more, missed, seed):
    changes = {f"{SERIOUS}.per_year": rate, f"{SERIOUS}.stopped": stopped, f"{SERIOUS}.held_days_min": low}
    changes |= {f"{SERIOUS}.held_days_max": low + more, "safety.transaminases": LIVER}
    extra = (MISSED if missed else {}) | {f"{DRUG}.effect.mean": 0, f"{DRUG}.effect.sd": 0}  # nobody lives longer
    result = run(changes | extra, seed=seed)
    assert doses(result) <= doses(run(extra | {"safety": None}, seed=seed))
    events, given = table(result), table(result, "doses")
    acted = np.flatnonzero(events["action"])
    until = np.where(events["action"] == 2, np.inf, events["held_until"])
    for arm, patient, day, end in zip(
        *(x[acted] for x in (events["arm"], events["patient"], events["day"], until)), strict=True
    ):
        mine = given["day"][(given["arm"] == arm) & (given["patient"] == patient)]
        assert not ((day <= mine) & (mine < end)).any()


DRUG = "treatments.tofersen"


def test_events_depend_on_the_patient_and_the_time_on_the_drug_alone():
    """Later by half a year, in another arm, beside more arms: the same events, half a year later."""
    late = {"arms": {"late": [{"treatments": ["tofersen"], "from_day": 182}]}, "attrition": None}
    early = {"arms": {"untreated": [], "early": [{"treatments": ["tofersen"], "from_day": 0}]}, "attrition": None}
    changes = {f"{SERIOUS}.per_year": 2, f"{SERIOUS}.stopped": 0.1, "follow_up_days": 546}
    a, b = (table(run(changes | arms | {"follow_up_days": days})) for arms, days in ((early, 364), (late, 546)))
    alive = {who for who, day in zip(*(table(run(late))[key] for key in ("patient", "day")), strict=True) if day > 540}

    def told(events: dict[str, np.ndarray], shift: float) -> set[tuple[int, int, int]]:
        rows = zip(*(events[key] for key in ("patient", "day", "kind", "serious")), strict=True)
        return {(int(p), round(10 * (d - shift)), int(k)) for p, d, k, s in rows if s and p in alive}

    assert len(told(a, 0)) > 200
    assert told(a, 0) == told(b, 182)


@pytest.mark.slow
@pytest.mark.parametrize("missed", [{}, MISSED], ids=["calendar", "missed doses"])
def test_summary_and_full_count_the_same(missed):
    changes = missed | {f"{SERIOUS}.per_year": 0.5}
    full, summary = run(changes, patients=2500), run(changes, patients=2500, output="summary")
    share = full.groups["summary"]["serious_neurologic_share"].values
    assert (share == summary.groups["summary"]["serious_neurologic_share"].values).all()
    events = table(full)
    serious = events["serious"] == 1
    for arm in range(3):
        for k, day in enumerate(full.time):
            those = events["patient"][serious & (events["arm"] == arm) & (events["day"] <= day)]
            assert share[arm, k] == np.unique(those).size / 2500


def test_the_words_of_many_decisions_are_those_of_the_generator():
    patient, index, candidate = np.array([0, 5, 4096]), np.array([0, 9, 70_000]), np.array([0, 3, 9999])
    found = adverse.uniforms(random.make_key(2**63 + 17), patient, index, random.Stream.REACTION_TO_DOSE, candidate)
    expected = [
        Keys(2**63 + 17, int(p), int(c)).uniforms(12, int(i)) for p, i, c in zip(patient, index, candidate, strict=True)
    ]
    assert found.tolist() == [list(one) for one in expected]


# --- published proportions


def test_eight_doses_in_24_weeks_give_the_published_proportions():
    scenario = sim.load("valor")
    chances = per_dose(scenario.safety, scenario.treatments["tofersen"].regimen)
    published = {name: share.value for name, share in scenario.safety.common.shares.items()}
    assert {name: 1 - (1 - p) ** 8 for name, p in chances.items()} == pytest.approx(published)
    result = run({"safety.serious_neurologic.per_year": 0, "attrition": None}, patients=4000)
    events, n = table(result), 4000
    given = table(result, "doses")
    early = (given["arm"] == 1) & (given["day"] <= 168)
    all_eight = np.bincount(given["patient"][early], minlength=n) == 8
    assert all_eight.mean() > 0.95
    for code, name in enumerate(kinds(result)):
        if name in published:
            those = events["patient"][(events["kind"] == code) & (events["arm"] == 1) & (events["day"] <= 168)]
            share, size = np.isin(np.flatnonzero(all_eight), those).mean(), all_eight.sum()
            assert share == pytest.approx(published[name], abs=4 * np.sqrt(published[name] / size)), name


def test_the_published_exposure_gives_seven_to_nine_per_cent():
    """The share with a serious neurologic event among those treated in VALOR and its extension (OLE-08: 9 %)."""
    scenario = sim.load("valor")
    result = sim.simulate(scenario, patients=8000, seed=3, threads=1, output="summary")
    share = result.groups["summary"]["serious_neurologic_share"].values[:, -1]
    assert share[0] == 0
    alive = result.groups["summary"]["alive"].values[2, list(result.time).index(196)] / 8000
    delayed = share[2] / (alive * np.exp(-0.10 * 196 / 365.25))  # of those who come to their first dose
    assert 0.07 <= (72 * share[1] + 32 * delayed) / 104 <= 0.09


def test_kinds_and_stops_have_their_shares():
    result = run({f"{SERIOUS}.per_year": 1, "safety.serious_neurologic.held_days_max": 28}, patients=3000)
    events = table(result)
    serious = events["serious"] == 1
    counts = np.bincount(events["kind"][serious], minlength=4)[:4]
    assert counts / counts.sum() == pytest.approx(np.array([4, 2, 2, 4]) / 12, abs=0.03)
    assert (events["action"][serious] == 2).mean() == pytest.approx(0.25, abs=0.03)


def test_transaminases_are_found_at_liver_tests_and_act_by_their_peak():
    result = run({"safety.transaminases": LIVER, f"{SERIOUS}.per_year": 0}, patients=2000)
    events = table(result)
    liver = events["kind"] == kinds(result).index("raised_transaminases")
    assert liver.sum() > 1000
    days, arms = events["day"][liver], events["arm"][liver]
    assert ((days - np.where(arms == 2, 196, 0)) % 91 == 0).all()
    action, who = events["action"][liver], events["patient"][liver]
    first = np.unique(np.stack([arms, who]), axis=1, return_index=True)[1]
    shares = np.bincount(action[first], minlength=3) / first.size
    assert shares == pytest.approx([0.153, 0.673, 0.174], abs=0.04)  # normal tails of log(3/5), log(8/5) over .5


def test_the_option_of_the_page_gives_less_than_the_two_per_cent_of_the_article():
    rare = {"per_year": 0.008, "peak_multiple": {"lognormal": {"median": 4, "log_sd": 0.5}}}
    result = run({"safety.transaminases": rare}, patients=6000)
    events = table(result)
    found = (events["kind"] == kinds(result).index("raised_transaminases")) & (events["arm"] == 1)
    share = np.unique(events["patient"][found]).size / 6000
    assert 0.009 < share < 0.02  # 1.6 % of those on the drug for two years; not all are


# --- what is told


def test_the_headline_tells_the_share_with_its_error():
    rows = [
        row for row in headline(run(patients=2000)).rows if row.metric == "serious_neurologic" and row.kind == "arm"
    ]
    assert {row.arm for row in rows} == {"untreated", "early_start", "delayed_start"}
    early = rows[[row.arm for row in rows].index("early_start")]
    assert early.mcse == pytest.approx(100 * share_error(early.estimate * 20, 2000))


def test_monitoring_says_who_was_seen_when():
    seen = table(run(), "monitoring")
    liver = (seen["kind"] == 0) & (seen["arm"] == 1)
    assert seen["day"][liver].tolist() == list(range(0, 729, 91))
    assert (np.diff(seen["patients"][liver]) <= 0).mean() > 0.6  # but for those whose doses were held
    assert seen["patients"][liver][0] == 300
    diary = (seen["kind"] == 1) & (seen["arm"] == 2)
    assert seen["day"][diary].tolist() == [196 + day for day in range(0, 56, 7)]
    assert seen["day"][(seen["kind"] == 2)].tolist() == [30, 226]
    assert 0 not in seen["arm"]


@pytest.mark.slow
def test_adae_tells_the_trial_only():
    result = sim.simulate(sim.load("valor"), patients=600, seed=3, threads=1)
    tables = to_adam(result)
    events, subjects = tables["ADAE"], tables["ADSL"].set_index("USUBJID")
    assert len(events) > 500
    assert set(events["USUBJID"]) <= set(subjects.index)
    assert (events["ASTDY"].to_numpy() <= subjects.loc[events["USUBJID"], "EOSDY"].to_numpy()).all()
    assert (events["ASTDY"].to_numpy() >= subjects.loc[events["USUBJID"], "TRTSDY"].to_numpy()).all()
    assert set(events["AESER"]) == {"Y", "N"}
    assert set(events.loc[events["AEACN"] != "DOSE NOT CHANGED", "AEDECOD"]) <= {
        "MYELITIS", "RADICULITIS", "ASEPTIC MENINGITIS", "RAISED INTRACRANIAL PRESSURE"
    }  # fmt: skip
