"""The whole scenario as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.engine import rows, screening
from simulator.engine.batches import Sizes
from simulator.engine.dosing import Arms
from simulator.engine.observe import Visits
from simulator.engine.people import AFTER_DIAGNOSIS, AT_ONSET, BEFORE_ONSET, BY_DISEASE_TIME, BY_TIME, Gates, People
from simulator.engine.plans import Own
from simulator.engine.rules import NoRules, Rules
from simulator.engine.screening import UNLIKE
from simulator.engine.space import Calendar
from simulator.engine.sums import scales
from simulator.mechanisms import Dosed
from simulator.models.terms import ZERO, Terms, terms
from simulator.program.arms import arms
from simulator.program.calendar import calendar, outputs, visit_days, visits
from simulator.program.imbalance import Entering, Lean, lean, no_lean
from simulator.program.lead_in import LeadIn, lead_in
from simulator.program.memory import Memory
from simulator.program.models import numbers_of
from simulator.program.rules import has_rules, rules
from simulator.program.safety import most_reactions
from simulator.program.screening import gates, limits
from simulator.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from simulator.language.blocks.trial import Trial
    from simulator.language.people import Entry
    from simulator.language.scenario import Scenario

F = np.float32
BINS = 256


class Program(NamedTuple):
    """All a run needs, as numbers; and names for its messages."""

    model: tuple  # the progression model's own parameter tuple
    people: People
    gates: Gates
    rules: NoRules | Rules
    visits: Visits
    arms: Arms
    calendar: Calendar
    table: np.ndarray  # (variable, column) float32: what is summed, columns of engine.sums
    sizes: Sizes
    allocation: Allocation | None  # None without a trial
    strata: tuple[str, ...]  # names; empty where there are none
    parameters: dict[str, int]  # the model's traits to report, and their rows
    outputs: frozenset[str]  # what the model and the drug have of `rows.OUTPUTS`
    reasons: list[tuple[str, str]]  # for each reason of rejection: a stratum or "all", and the rule in words


def compile_program(
    scenario: Scenario, summarised: Iterable[tuple], patients: int, is_full: bool, memory: Memory | None = None
) -> Program:
    """Turn a scenario into arrays.

    `summarised` : rows (name of the output, on the log scale, as change from baseline, low, high); all have BINS bins.
    `memory` : pieces of the programs before, all made with the same `summarised` and `is_full`.
    """
    memory = memory or Memory()
    piece = memory.piece
    tables, reasons = piece("gates", scenario, gates)
    model, known, ruled = numbers_of(scenario.progression.model), frozenset(outputs(scenario)), has_rules(scenario)
    looks = is_full or ruled
    days = piece(f"calendar {looks}", scenario, lambda one: calendar(one, _steps(one), looks))
    given = piece("arms", scenario, lambda one: arms(one, _steps(one), memory))
    table = piece("table", scenario, lambda one: summed(row for row in summarised if row[0] in outputs(one)))
    entering = Entering(
        people=piece("people", scenario, people),
        visits=piece("visits", scenario, visits),
        model=piece("model", scenario, lambda one: model.constants(one.progression)),
        gates=tables,
        sizes=_sizes(scenario, (patients, len(table), ruled), (days, tables, given)),
    )
    return Program(
        model=entering.model,
        people=entering.people,
        gates=tables,
        rules=piece("rules", scenario, rules),
        visits=entering.visits,
        arms=given,
        calendar=days,
        table=table,
        sizes=entering.sizes,
        allocation=allocation(scenario, entering),
        strata=tuple(scenario.strata or ()),
        parameters=model.PARAMETERS,
        outputs=known,
        reasons=reasons,
    )


def _steps(scenario: Scenario) -> int:
    """Weeks that are begun within follow-up; of carriers one more, for onset is found a week later."""
    carriers = scenario.entry.presymptomatic_at_age is not None
    return int(scenario.follow_up_days) // DAYS_PER_WEEK + 1 + carriers


def _sizes(scenario: Scenario, known: tuple[int, int, bool], pieces: tuple[Calendar, Gates, Arms]) -> Sizes:
    (patients, variables, ruled), (days, tables, given) = known, pieces
    return Sizes(
        patients=patients,
        arms=len(scenario.arms),
        times=days.day.size,
        visits=days.visit.size,
        variables=variables,
        bins=BINS,
        model_rows=numbers_of(scenario.progression.model).ROWS,
        outputs=len(rows.OUTPUTS) - (0 if days.staged else len(rows.STAGES)),
        strata=tables.shares.size,
        rules=len(tables.rules) + (len(UNLIKE) if len(tables.given) else 0),
        doses=_most_doses(scenario) if isinstance(given.own, Own) else 0,
        reactions=most_reactions(scenario.safety, scenario.follow_up_days),
        epochs=max(1, *map(len, scenario.arms.values())),
        ruled=ruled,
        carriers=scenario.entry.presymptomatic_at_age is not None,
    )


def _most_doses(scenario: Scenario) -> int:
    """Places in a patient's own calendar of doses."""
    regimens = [t.regimen for t in scenario.treatments.values() if isinstance(t, Dosed)]
    every = [regimen.every_days for regimen in regimens]
    every += [regimen.guided_by_nfl.intervals_days[0] for regimen in regimens if regimen.guided_by_nfl]
    shortest = min(every)
    one_epoch = sum(len(regimen.loading_days) for regimen in regimens) + scenario.follow_up_days // shortest + 1
    return one_epoch * max(map(len, scenario.arms.values()))


def summed(table: Iterable[tuple]) -> np.ndarray:
    """The table of what is summed: where it lies, how it is transformed, its scales and bins."""
    names, logs, changes, lows, highs = zip(*table, strict=True)
    low, high = np.array(lows, F), np.array(highs, F)
    limit = 2 * np.maximum(abs(low), abs(high))
    scale, square_scale = scales(limit)
    row = np.array([rows.OUTPUTS.index(name) * rows.LANES for name in names])
    width = (high - low) / F(BINS)
    columns = [row, logs, changes, limit, scale, square_scale, low, width]
    return np.ascontiguousarray(np.stack([np.asarray(c, F) for c in columns], axis=1))


class Allocation(NamedTuple):
    """How people are allocated."""

    block: np.ndarray  # (stratum, arm) int64, people of one block
    lean: Lean
    lead_in: LeadIn | None
    accrual: np.ndarray  # (piece, 3) float64: first day, people a day, people expected before; no piece: all on one day


def allocation(scenario: Scenario, entering: Entering) -> Allocation | None:
    """Blocks and what they lean on; None where there is no trial."""
    block = blocks(scenario)
    if block is None or scenario.trial is None:
        return None
    wanted = scenario.trial.imbalance
    leaning = no_lean(block)
    if wanted is not None:
        leaning = lean(scenario, wanted, block, entering)
    return Allocation(block, leaning, lead_in(scenario, visit_days(scenario)), accrual(scenario.trial))


def blocks(scenario: Scenario) -> np.ndarray | None:
    """People of one block by (stratum, arm), int64; None where there is no trial.

    A row of zeros: nobody of that stratum is enrolled.
    """
    if scenario.trial is None:
        return None
    found = scenario.trial.blocks(list(scenario.strata or ["all"]))
    return np.array([[block.get(arm, 0) for arm in scenario.arms] for block in found], np.int64)


def accrual(trial: Trial) -> np.ndarray:
    """Pieces of the accrual as engine.accrual takes them."""
    table, start, before = [], 0.0, 0.0
    for piece in trial.accrual_per_month or []:
        rate = piece.rate.value / DAYS_PER_MONTH
        table.append((start, rate, before))
        if piece.until_day is not None:
            before += rate * (piece.until_day - start)
            start = float(piece.until_day)
    return np.array(table, np.float64).reshape(-1, 3)


def people(scenario: Scenario) -> People:
    """Constants of who falls ill and when they come to screening."""
    disease, entry = scenario.disease, scenario.entry
    death, site = disease.background_mortality, disease.onset_site
    survival = scenario.progression.survival
    return People(
        men=F(disease.men),
        bulbar=F(site.bulbar),
        upper_limb=F(site.bulbar.value + site.upper_limb.value),
        age=terms(disease.age_at_onset),
        entry=_entry_terms(entry),
        mode=np.int64(_entry_mode(entry)),
        resampled=np.int64(entry.data is not None and entry.data.resample),
        by_nfl=np.int64(_looks_at_nfl(scenario)),
        longest=F(_longest_months(entry)),
        referral=F(0 if entry.referral_months is None else entry.referral_months),
        log_rate=F(death.log_rate.value + (math.log(death.multiplier.value) if death.multiplier.value > 0 else 0)),
        per_year=F(death.per_year_of_age),
        women=F(death.women),
        multiplier=F(death.multiplier),
        pav=F(survival.pav_probability),
        after_pav=F(survival.months_after_pav.value * DAYS_PER_MONTH / math.log(2)),
    )


def _looks_at_nfl(scenario: Scenario) -> bool:
    """Whether a rule of entry or of a stratum, or what participants are matched by, looks at neurofilament light."""
    strata = (scenario.strata or {}).values()
    rules = [scenario.entry.eligible, *(s.eligible for s in strata), *(rule for s in strata for rule in s.when or [])]
    data = scenario.entry.data
    return any(rule is not None and rule.nfl_plasma is not None for rule in rules) or (
        data is not None and "nfl_plasma" in data.match
    )


def _entry_mode(entry: Entry) -> int:
    if entry.at_onset:
        return AT_ONSET
    if entry.presymptomatic_at_age is not None:
        return BEFORE_ONSET
    if entry.months_since_diagnosis is not None:
        return AFTER_DIAGNOSIS
    return BY_DISEASE_TIME if entry.disease_time is not None else BY_TIME


def _longest_months(entry: Entry) -> float:
    """Time since onset beyond which nobody is let in: no longer history need be lived."""
    time = rows.MEASURES.index("time_since_onset_months")
    return min([screening.LONGEST_MONTHS, *(high for code, _, high in limits(entry.eligible) if code == time)])


def _entry_terms(entry: Entry) -> Terms:
    given = entry.disease_time or entry.time_since_onset_months or entry.presymptomatic_at_age
    given = given or entry.months_since_diagnosis
    return ZERO if given is None else terms(given)
