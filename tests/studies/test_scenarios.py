"""Every bundled scenario runs, repeats itself and says what it is for; what the larger ones show, on large runs.

What each of the others shows stands in tests/laws/test_scenario_facts.py.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest

import simulator as sim
from simulator.catalog.claims import claims
from simulator.language.listing import titles
from simulator.measures.headline import headline
from simulator.results.variables import STAGES
from simulator.studies.replay import deviations

FOLDER = Path(__file__).resolve().parents[2] / "scenarios"
SCENARIOS = sorted(FOLDER.rglob("*.yaml"))
PATIENTS, SEED = 20_000, 1
YEAR = 365.25


NAMES = """
    natural_history natural_history_variants generic_als valor registry prevention case_a case_b start_delay
    missed_doses nfl_guided_dosing combination fus c9orf72 article
"""


def test_there_are_scenarios():
    assert {*NAMES.split()} <= {path.stem for path in SCENARIOS if path.parent == FOLDER}
    assert len([path for path in SCENARIOS if path.parent.name == "analytic"]) >= 4


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
@pytest.mark.slow
def test_it_loads_runs_and_repeats_itself(path, tmp_path):
    scenario = sim.load(path)
    first, again = (sim.simulate(scenario, patients=30, seed=8, threads=n) for n in (1, 2))
    assert deviations(first, again) == []
    assert first.arms == tuple(scenario.arms)
    truth = first.groups["truth"]
    assert all(np.isfinite(truth[name].values).all() for name in scenario.progression.OUTPUTS if name in truth)
    assert {*scenario.progression.OUTPUTS} - {*truth} <= set(STAGES)
    first.save(tmp_path / "result.nc")
    assert deviations(sim.open(tmp_path / "result.nc"), again) == []
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(scenario.resolved_yaml(), encoding="utf-8")
    assert deviations(sim.simulate(sim.load(resolved), patients=30, seed=8, threads=1), first) == []


# --- natural history


@cache
def durations() -> dict[bool, np.ndarray]:
    """Years from onset to death or PAV, of p.Ala5Val (True) and of the others."""
    seldom = {"output.every_days": 3640, "visits.every_days": 3640}
    result = sim.simulate(sim.load("natural_history").replace(seldom), patients=PATIENTS, seed=SEED)
    fast = result.groups["patients"]["variant"].values == "p.Ala5Val"
    years = result.groups["events"]["event_free_time"].values[0] / YEAR
    assert (result.groups["events"]["event"].values[0] > 0).mean() > 0.95
    return {True: years[fast], False: years[~fast]}


@pytest.mark.parametrize(("fast", "months"), [(True, 14.4), (False, 81.6)], ids=["p.Ala5Val", "others"])
def test_median_survival_from_onset_is_within_a_tenth_of_the_published(fast, months):
    assert np.median(durations()[fast]) * 12 == pytest.approx(months, rel=0.10)


def test_the_spread_of_survival_with_ala5val_is_that_of_the_published():
    assert 0.55 < durations()[True].std(ddof=1) < 0.85


# --- valor


@cache
def valor() -> sim.Result:
    return sim.simulate(
        sim.load("valor").replace({"follow_up_days": 1036, "visits.every_days": 196}), patients=PATIENTS, seed=SEED
    )


def as_if_alive(name: str, arm: str, day: int, ratio: bool = False) -> float:
    """Mean of everybody's truth at a day; of concentrations the geometric mean."""
    result = valor()
    x = result.groups["truth"][name].values[result.arm_index(arm)].astype(np.float64)
    now, start = x[:, list(result.time).index(day)], x[:, 0]
    if name == "alsfrs_r":
        return float((now - start).mean())
    return float(np.exp(np.log(now / start if ratio else now).mean()))


def among_survivors(name: str, arm: str, day: int) -> float:
    result = valor()
    summary = result.groups["summary"][f"{name}_mean"].values
    return float(summary[result.arm_index(arm), list(result.time).index(day)])


def test_sod1_in_csf_falls_by_a_third_by_week_28():
    assert 0.60 < as_if_alive("sod1_csf", "early_start", 196) < 0.70
    assert 0.60 < among_survivors("sod1_csf", "early_start", 196) < 0.70
    assert as_if_alive("sod1_csf", "untreated", 196) == as_if_alive("sod1_csf", "delayed_start", 196) == 1


def test_neurofilament_halves_by_week_28_and_rises_a_little_untreated():
    for treated, untreated in (
        [as_if_alive("nfl_plasma", arm, 196, ratio=True) for arm in ("early_start", "untreated")],
        [among_survivors("nfl_plasma_ratio", arm, 196) for arm in ("early_start", "untreated")],
    ):
        assert 0.40 < treated < 0.52
        assert 1.00 < untreated < 1.20


def test_an_early_start_saves_function():
    for day in (84, 196, 364, 1036):
        early, late, never = (
            as_if_alive("alsfrs_r", arm, day) for arm in ("early_start", "delayed_start", "untreated")
        )
        assert never <= late < early < 0
    assert 2 < as_if_alive("alsfrs_r", "early_start", 364) - as_if_alive("alsfrs_r", "delayed_start", 364) < 6


def test_an_early_start_postpones_events():
    days = dict(zip(valor().arms, valor().groups["events"]["event_free_time"].values.mean(axis=1), strict=True))
    assert days["untreated"] < days["delayed_start"] < days["early_start"]


# --- carriers and dosing


@cache
def prevention() -> sim.Result:
    return sim.simulate(sim.load("prevention"), patients=6000, seed=SEED)


def test_untreated_the_trigger_comes_five_to_nine_months_before_onset_with_ala5val():
    """As the headline of `als-sim run prevention` shows it; published: NfL rises 6 to 12 months before onset."""
    rows = {
        row.metric: row for row in headline(prevention()).rows if row.kind == "trigger" and row.group == "p.Ala5Val"
    }
    lower, middle, upper = (rows[f"trigger_to_onset_{name}"] for name in ("lower", "median", "upper"))
    assert (middle.unit, middle.arm) == ("months", "untreated")
    assert 5 < middle.estimate < 9
    assert 2 < lower.estimate < middle.estimate < upper.estimate < 12
    assert max(row.mcse for row in (lower, middle, upper)) < 0.3
    assert middle.n > 300


def test_treatment_from_the_trigger_on_delays_onset_and_from_phenoconversion_on_does_not():
    rows = {
        (row.arm, row.against): row.estimate
        for row in headline(prevention()).rows
        if row.metric == "onset_within_a_year"
    }
    assert rows["untreated", ""] > 80
    assert rows["early_start", "untreated"] < -20
    assert rows["delayed_start", "untreated"] == 0


def test_a_tenth_of_carriers_never_falls_ill_and_more_among_those_without_symptoms():
    never = np.isnan(prevention().groups["patients"]["age_at_onset"].values).mean()
    assert 0.10 < never < 0.20


@cache
def missed() -> sim.Result:
    return sim.simulate(sim.load("missed_doses"), patients=2000, seed=SEED)


def doses_by(result: sim.Result, arm: str, day: int) -> float:
    doses = {name: array.values for name, array in result.groups["doses"].items()}
    return float(((doses["arm"] == result.arm_index(arm)) & (doses["day"] <= day)).sum() / result.n_patients)


def test_both_policies_lose_doses_and_the_label_loses_more():
    """A tenth missed by up to 42 days: the label moves the calendar, the article skips what is over 14 days late."""
    full, label, article = (doses_by(missed(), arm, 1036) for arm in ("never_missed", "label", "article"))
    assert 0.85 < label / full < article / full < 0.96
    assert doses_by(missed(), "held_12_weeks", 1036) == pytest.approx(full - 3, abs=0.3)


def test_missed_doses_cost_little_beside_no_drug_at_all():
    result = missed()
    change = result.groups["truth"]["alsfrs_r"].values.astype(float)
    mean = (change[:, :, list(result.time).index(1036)] - change[:, :, 0]).mean(axis=1)
    loss = dict(zip(result.arms, mean, strict=True))
    assert loss["untreated"] < loss["held_12_weeks"] < loss["never_missed"]
    for policy in ("label", "article"):
        assert 0 < loss["never_missed"] - loss[policy] < 0.15 * (loss["never_missed"] - loss["untreated"])


def test_dosing_by_neurofilament_saves_doses_and_gives_up_part_of_the_effect():
    """Hypothetical: a fifth to a third of the doses of three years, for a part of what the full dose keeps."""
    result = sim.simulate(sim.load("nfl_guided_dosing"), patients=2000, seed=SEED)
    full, guided = (doses_by(result, arm, 1036) for arm in ("every_28_days", "by_neurofilament"))
    assert 0.65 < guided / full < 0.85
    change = result.groups["truth"]["alsfrs_r"].values.astype(float)
    loss = dict(zip(result.arms, (change[:, :, -1] - change[:, :, 0]).mean(axis=1), strict=True))
    assert loss["untreated"] < loss["by_neurofilament"] < loss["every_28_days"]


# --- what each file says


BUNDLED = [path for path in SCENARIOS if path.parent == FOLDER]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_it_says_what_it_is_for(path):
    lines = path.read_text("utf-8").splitlines()
    heading = "\n".join(takewhile(lambda line: line.startswith("#"), lines))
    assert len(lines) < 60
    places = [heading.find(word) for word in ("Question:", "Published:", "ssumed")]
    assert -1 < places[0] < min(places[1:]), places
    block = sim.load(path).context_of_use
    for key in ("question", "context", "model_influence", "decision_consequence"):
        assert getattr(block, key), key


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_a_visit_of_analysis_lies_within_follow_up_whatever_its_day(path):
    scenario = sim.load(path)
    if scenario.trial:
        last = max(scenario.trial.analysis_days) + scenario.visits.jitter_days
        assert last <= scenario.follow_up_days


def test_the_list_names_all():
    listed = {title.name for title in titles()}
    assert listed == {str(path.relative_to(FOLDER).with_suffix("")) for path in SCENARIOS}


# --- the article's sentences


PAGE = Path(__file__).resolve().parents[2] / "docs" / "article_sentences.md"


def test_every_scenario_stands_beside_a_sentence_of_the_article():
    named = set(re.findall(r"[`\[]([a-z0-9_]+)[`\]]", PAGE.read_text("utf-8")))  # a link, or a plain name
    assert BUNDLED
    assert {path.stem for path in BUNDLED} <= named


def test_links_of_the_page_lead_to_bundled_scenarios():
    links = re.findall(r"\[(\w+)\]\(\.\./scenarios/(.*?)\.yaml\)", PAGE.read_text("utf-8"))
    assert len(links) > 60
    listed = {str(path.relative_to(FOLDER).with_suffix("")) for path in SCENARIOS}
    for words, name in links:
        assert name in listed
        assert name.endswith(words)


def test_every_row_has_an_answer_and_a_verdict_and_every_claim_is_met():
    text = PAGE.read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| the ")]
    assert len(rows) > 70
    for row in rows:
        assert all(cell.strip() for cell in row.strip("|").split("|")), row
        assert "](" in row or "not simulated" in row or row.startswith("| scenario"), row
    mentioned = set(re.findall(r"\bA\d\d\b", text))
    assert mentioned >= set(claims())
    for name, word in re.findall(r"\b(A\d\d) (agrees|partly|conflicts|unverifiable)", text):
        assert claims()[name].verdict == word, name
