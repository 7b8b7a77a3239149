"""What each bundled scenario must show: facts, each measured on a small run, and a registry's left truncation.

Those of `natural_history`, `valor`, `prevention` and the dosing scenarios need larger runs:
tests/studies/test_scenarios.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import simulator as sim
from simulator.analysis.survival import kaplan_meier, survival_at
from simulator.measures.economics import economic
from simulator.studies.person.portrait import portrait
from simulator.studies.trial import sequential
from simulator.studies.trial.blocks import run
from simulator.studies.trial.plan import TrialOptions
from simulator.studies.trial.study import Extent, prepare

FOLDER = Path(__file__).resolve().parents[2] / "scenarios"
SEED, MONTH = 1, 30.4375

Read = Callable[[sim.Result], float]


class Fact(NamedTuple):
    """A fact of a scenario: what is read, the limits it lies between, and how many patients that takes."""

    scenario: str
    says: str
    read: Read
    low: float
    high: float
    patients: int = 400


def level(result: sim.Result, name: str, arm: str, day: float) -> np.ndarray:
    """The truth of everybody on a day."""
    at = int(np.argmin(abs(result.time - day)))
    return result.groups["truth"][name].values[result.arm_index(arm), :, at].astype(np.float64)


def changed(arm: str, day: float) -> Read:
    """Mean change of ALSFRS-R, as if alive."""
    return lambda r: float(np.mean(level(r, "alsfrs_r", arm, day) - level(r, "alsfrs_r", arm, 0)))


def ratio(name: str, arm: str, day: float) -> Read:
    """Geometric mean of the ratio to baseline."""
    return lambda r: float(np.exp(np.log(level(r, name, arm, day) / level(r, name, arm, 0)).mean()))


def declined(arm: str, day: float) -> Read:
    """Share who have lost more than a point, as if alive."""
    return lambda r: float((level(r, "alsfrs_r", arm, day) < level(r, "alsfrs_r", arm, 0) - 1).mean())


def gap(a: str, b: str, day: float) -> Read:
    """ALSFRS-R in one arm less that in another."""
    return lambda r: float(np.mean(level(r, "alsfrs_r", a, day) - level(r, "alsfrs_r", b, day)))


def free(arm: str, day: float, against: str = "") -> Read:
    """Probability to be event-free, less that in another arm."""
    return lambda r: r.survival(arm).at(day).value - (r.survival(against).at(day).value if against else 0.0)


def told(number: int) -> Read:
    """Percent of twins who do at least as well as the article tells."""
    return lambda r: portrait(r).told[number].at_least_as_well


def seen_fall(arm: str, visit: int) -> Read:
    """Percent by which the mean NfL of those measured is lower than their mean at baseline."""

    def read(r: sim.Result) -> float:
        seen = r.groups["observed"]["nfl_plasma"].values[r.arm_index(arm)]
        both = np.isfinite(seen[:, visit])
        return 100 * (1 - seen[both, visit].mean() / seen[both, 0].mean())

    return read


def on_drug(r: sim.Result, arm: str, visit: int) -> np.ndarray:
    """Ratio of NfL to baseline of those measured whose last dose is not longer ago than two intervals."""
    a, doses = r.arm_index(arm), r.groups["doses"]
    seen, days = (r.groups["observed"][name].values[a].astype(np.float64) for name in ("nfl_plasma", "day"))
    mine = doses["arm"].values == a
    last = np.full(r.n_patients, -np.inf)
    np.maximum.at(last, doses["patient"].values[mine], doses["day"].values[mine])
    treated = np.isfinite(seen[:, visit]) & (days[:, visit] - last <= 56)
    return seen[treated, visit] / seen[treated, 0]


def typical_fall(arm: str, visit: int) -> Read:
    """Percent by which the geometric mean of NfL is lower than at baseline, on the drug: as trials report it."""
    return lambda r: 100 * (1 - float(np.exp(np.log(on_drug(r, arm, visit)).mean())))


def individual_fall(arm: str, visit: int) -> Read:
    """Mean of each one's fall in percent, on the drug: as cohorts report it."""
    return lambda r: 100 * (1 - float(on_drug(r, arm, visit).mean()))


def ratio_of_medians(result: sim.Result) -> float:
    """Median event-free time of the slow variant over that of the fast one."""
    variant, time = result.groups["patients"]["variant"].values, result.groups["events"]["event_free_time"].values[0]
    slow, fast = (np.median(time[variant == name]) for name in ("p.Asp91Ala", "p.Ala5Val"))
    return float(slow / fast)


def months(arm: str, against: str) -> Read:
    """Mean event-free months until the end of follow-up, less those of another arm."""

    def read(r: sim.Result) -> float:
        days = r.groups["events"]["event_free_time"].values
        return float((days[r.arm_index(arm)] - days[r.arm_index(against)]).mean() / MONTH)

    return read


def least_step(result: sim.Result) -> float:
    """The least event-free time, in months, that a later of the treated arms loses to the one before."""
    return min(months(a, b)(result) for a, b in zip(result.arms[1:], result.arms[2:], strict=False))


def faster(result: sim.Result) -> float:
    """ALSFRS-R at week 28, treated less placebo, in the faster stratum."""
    difference = level(result, "alsfrs_r", "tofersen", 196) - level(result, "alsfrs_r", "placebo", 196)
    return float(difference[result.groups["patients"]["stratum"].values == "faster"].mean())


def baseline(result: sim.Result) -> np.ndarray:
    """NfL as measured at baseline."""
    return result.groups["observed"]["nfl_plasma"].values[0, :, 0].astype(np.float64)


def lean(result: sim.Result) -> float:
    """Mean logarithm of measured NfL at baseline of those allocated to the drug, less that of the others."""
    arm, log = result.groups["patients"]["allocated_arm"].values, np.log(baseline(result))
    return float(log[arm == "tofersen"].mean() - log[arm == "placebo"].mean())


def screened(result: sim.Result) -> float:
    """Candidates for one who enters."""
    return float(result.groups["patients"]["candidates"].values.mean())


def lost_in_twelve_weeks(result: sim.Result) -> np.ndarray:
    """Measured points lost by day 84 of those who are randomised."""
    score = result.groups["observed"]["alsfrs_r"].values[result.arm_index("placebo")]
    lost = (score[:, 0] - score[:, 3])[result.groups["patients"]["allocated_arm"].values != ""]
    return lost[np.isfinite(lost)]


def randomised(result: sim.Result) -> float:
    """Share of those who enter that is randomised."""
    return float((result.groups["patients"]["allocated_arm"].values != "").mean())


def worth(kind: str, arm: str, against: str) -> Read:
    """An economic outcome of the decision, less that of another option."""

    def read(r: sim.Result) -> float:
        one, other = (economic(kind, r, name, sim.load(r.scenario_name)).value for name in (arm, against))
        return one - other

    return read


FACTS = [
    Fact("registry", "mean NfL falls by 50 to 65 %", seen_fall("tofersen", 6), 50, 65, 6000),
    Fact("registry", "its geometric mean too, on the drug, by month 18", typical_fall("tofersen", 6), 50, 65, 6000),
    Fact("registry", "each one's falls less than the 58 % of a cohort", individual_fall("tofersen", 4), 38, 48, 6000),
    Fact("registry", "untreated it does not fall", seen_fall("untreated", 6), -25, 5, 6000),
    Fact("case_a", "untreated, few live 18 months event-free", free("untreated", 548), 0.08, 0.20, 800),
    Fact("case_a", "treated, more do", free("tofersen", 548), 0.45, 0.65, 800),
    Fact("case_a", "4 points lost in 18 months: one in six", told(0), 10, 24, 800),
    Fact("case_a", "9 points lost untreated: hardly anybody", told(1), 0, 3, 800),
    Fact("case_b", "FVC above 80 % for 14 months: about half", told(0), 38, 60, 800),
    Fact("case_b", "NfL of 58: most fall further", told(1), 90, 99, 800),
    Fact("combination", "the add-on alone helps", gap("add_on", "untreated", 364), 0.3, 3),
    Fact("combination", "and beside tofersen", gap("both", "tofersen", 364), 0.05, 1.5),
    Fact("small_molecule", "the new drug helps beside the older", gap("added", "stays", 364), 0.2, 4),
    Fact("small_molecule", "half a year of it helps less", gap("added", "stopped", 364), 0.05, 2),
    Fact("gene_therapy", "given once it helps for years", gap("lasting", "untreated", 1092), 2, 15),
    Fact("gene_therapy", "less where it wanes", gap("lasting", "waning", 1092), 0.2, 5),
    Fact("gene_therapy", "and less given later", gap("lasting", "half_a_year_later", 1092), 0.5, 8),
    Fact("fus", "NfL halves", ratio("nfl_plasma", "ulefnersen", 364), 0.40, 0.60),
    Fact("fus", "most decline nevertheless", declined("ulefnersen", 364), 0.8, 1.0),
    Fact("c9orf72", "the target falls by a third", ratio("sod1_csf", "biib078", 364), 0.55, 0.75),
    Fact("c9orf72", "function is equal", gap("biib078", "untreated", 728), 0, 0),
    Fact("c9orf72", "and so is survival", free("biib078", 728, "untreated"), 0, 0),
    Fact("generic_als", "untreated people lose about a point a month", changed("untreated", 364), -14, -7),
    Fact("natural_history_variants", "p.Asp91Ala outlives p.Ala5Val", ratio_of_medians, 5, 25, 1500),
    Fact("start_delay", "each later start loses event-free time", least_step, 0.5, 4),
    Fact("start_delay", "and function", gap("at_onset", "month_24", 1036), 5, 20),
    Fact("adjunctive_care", "riluzole adds a little", months("riluzole", "none"), 0.05, 1),
    Fact("adjunctive_care", "ventilation a little more", months("care", "riluzole"), 0.05, 1),
    Fact("adjunctive_care", "tofersen more than both", months("tofersen", "care"), 2, 12),
    Fact("article", "1.1 points a quarter untreated", changed("untreated", 365), -4.7, -4.1),
    Fact("article", ".6 on the drug", changed("tofersen", 365), -2.6, -2.2),
    Fact("article", "NfL 28 % lower after a year", ratio("nfl_plasma", "tofersen", 365), 0.71, 0.73),
    Fact("valor_extension", "week 52: .4 to 6.7 points", gap("early_start", "delayed_start", 364), 0.4, 6.7, 800),
    Fact("valor_extension", "apart at week 148 too", gap("early_start", "delayed_start", 1036), 1, 7, 800),
    Fact("valor_trial", "the truth is in the published interval", faster, 0, 5.5, 800),
    Fact("valor_trial", "the arms are alike in NfL", lean, -0.2, 0.2, 800),
    Fact("valor_trial_imbalanced", "the drug's begins with .25 more", lean, 0.1, 0.4, 800),
    Fact("nfl_unenriched", "a third would reach 60 pg/mL", lambda r: (baseline(r) >= 60).mean(), 0.25, 0.42, 800),
    Fact("nfl_unenriched", "who enters is one of two screened", screened, 1.3, 2.2, 800),
    Fact("nfl_enriched", "nobody begins below", lambda r: baseline(r).min(), 60, 80, 800),
    Fact("nfl_enriched", "thrice as many are screened", screened, 4, 6, 800),
    Fact("nfl_enriched", "the drug saves about twice as much", gap("treated", "placebo", 196), 1.5, 3, 800),
    Fact("dose_finding", "the highest dose saves a point", gap("high", "placebo", 196), 0.8, 2.2, 400),
    Fact("dose_finding", "the lowest less", gap("low", "placebo", 196), 0.2, 1.0, 400),
    Fact("adaptive_doses", "the doses are those of dose_finding", gap("high", "placebo", 196), 0.8, 2.2, 400),
    Fact("healey", "regimen e saves more than a point", gap("e", "placebo", 168), 1.2, 2.2, 400),
    Fact("healey", "regimen a saves nothing", gap("a", "placebo", 168), 0, 0, 400),
    Fact("centaur", "the drug saves a point and a half", gap("drug", "placebo", 168), 1.0, 2.3, 400),
    Fact("ala5val_external", "treatment keeps many event-free", free("treated", 364, "external"), 0.15, 0.45, 400),
    Fact("ala5val_borrowed", "placebo loses as in the earlier trial", changed("placebo", 168), -20, -12, 400),
    Fact("lead_in", "who is randomised has lost a point", lambda r: lost_in_twelve_weeks(r).min(), 1, 1, 800),
    Fact("lead_in", "four in ten who enter are not randomised", randomised, 0.5, 0.7, 800),
    Fact("no_lead_in", "some lose nothing in as long", lambda r: (lost_in_twelve_weeks(r) < 1).mean(), 0.2, 0.5, 800),
    Fact("no_lead_in", "all are randomised", randomised, 1, 1, 800),
    Fact("worth_treating", "treating now gains QALYs", worth("qalys", "now", "untreated"), 0.5, 3),
    Fact("worth_treating", "at a price above their worth", worth("net_benefit", "now", "untreated"), -1.5e6, -0.3e6),
    Fact("valor_regions", "apart at week 148", gap("early_start", "untreated", 1036), 2, 13, 500),
    Fact("worth_treating_uk", "a lifetime of treating gains QALYs", worth("qalys", "now", "untreated"), 1, 6, 300),
    Fact("worth_treating_uk", "above their worth", worth("net_benefit", "now", "untreated"), -4e6, -2e5, 300),
]
OWN_TESTS = {"natural_history", "valor", "prevention", "missed_doses", "nfl_guided_dosing", "group_sequential"}


@cache
def ran(name: str, patients: int) -> sim.Result:
    scenario = sim.load(name)
    changes = {} if scenario.decision else {"output.stages": False}  # utilities go by stage
    return sim.simulate(scenario.replace(changes), patients=patients, seed=SEED)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.scenario}: {fact.says}")
def test_it_shows_what_it_says(fact):
    found = fact.read(ran(fact.scenario, fact.patients))
    assert fact.low <= found <= fact.high, found


def test_each_has_a_fact():
    named = {fact.scenario for fact in FACTS}
    assert not named & OWN_TESTS
    assert named | OWN_TESTS == {path.stem for path in FOLDER.glob("*.yaml")}


def test_two_looks_save_people_and_stop_some_trials():
    """`group_sequential`: looks at a third and two thirds of 162; the truth is a point, so many stop for futility."""
    scenario = sim.load("group_sequential")
    found = run(prepare(scenario, TrialOptions(("ancova",)), Extent(60, SEED)), 1)
    of = sequential.operating(sequential.stopped(sequential.rules(scenario.trial.interim), "ancova", found, 0), 2)
    assert 90 < of.participants.value < 150
    assert 0.3 < of.futility.value < 0.85
    assert 0.05 < of.benefit.value < 0.5
    assert of.stopped_at[0].value > 0.1


# --- a registry's left truncation


def test_a_registry_that_forgets_left_truncation_lives_too_long():
    """p.Arg116Gly: who is enrolled has lived until then. With delayed entry survival from onset is the true one."""
    one = {"disease.variants": {"p.Arg116Gly": 1}, "arms": {"untreated": []}, "adherence": None, "attrition": None}
    seldom = {"follow_up_days": 3653, "visits.every_days": 3653, "output": {"every_days": 3653, "stages": False}}
    scenario = sim.load("registry").replace(one | seldom)
    seen, born = (
        sim.simulate(s, patients=4000, seed=SEED) for s in (scenario, scenario.replace({"entry": {"at_onset": True}}))
    )
    entry = seen.groups["patients"]["time_since_onset"].values.astype(np.float64)
    time = entry + seen.groups["events"]["event_free_time"].values[0] / MONTH
    event = seen.groups["events"]["event"].values[0] > 0
    life = born.groups["events"]["event_free_time"].values[0] / MONTH
    for months in (18, 24, 36):
        truth = (life > months).sum() / (life > 6).sum()
        error = np.sqrt(truth * (1 - truth) / (life > 6).sum())
        right = survival_at(kaplan_meier(time, event, entry, alive_at=6.0), months)
        wrong = survival_at(kaplan_meier(time, event, alive_at=6.0), months)
        assert abs(right.value - truth) < 4 * np.hypot(right.mcse, error), months
        assert wrong.value - truth > 8 * np.hypot(wrong.mcse, error), months
