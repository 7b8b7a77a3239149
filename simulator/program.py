"""Scenario to Program: from names and dates to arrays. No string passes beyond this room."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.engine import people, propagators, rows, screening
from simulator.engine.batches import Sizes
from simulator.engine.dosing import Arms
from simulator.engine.space import INSIDE, LOOK, Calendar
from simulator.engine.observe import Visits
from simulator.engine.people import Gates, People
from simulator.engine.sums import scales
from simulator.models.clock import compile as clock
from simulator.models.clock.compile import terms
from simulator.units import DAYS_PER_MONTH, DAYS_PER_WEEK, DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language.care import Antisense
    from simulator.language.parts import Rule
    from simulator.language.people import Entry
    from simulator.language.scenario import Scenario

F = np.float32
MODELS = {"clock": clock}
"""Where each model's section becomes numbers; one line per model."""
BINS = 256
BULBAR_LIMIT = 4.0
"""SVC cannot be measured below this bulbar score (docs/model.md, section 9; assumed)."""

class Program(NamedTuple):
    """All a run needs, as numbers."""

    model: tuple  # the progression model's own parameter tuple
    people: People
    gates: Gates
    visits: Visits
    arms: Arms
    calendar: Calendar
    table: np.ndarray  # (variable, column) float32: what is summed, columns of engine.sums
    sizes: Sizes
    parameters: dict[str, int]  # the model's traits to report, and their rows
    rules: list[tuple[str, str]]  # stratum and text of each rule of `gates.rules`, for messages


def compile_program(scenario: Scenario, summarised: Iterable[tuple], patients: int, is_full: bool) -> Program:
    """Turn a scenario into arrays.

    `summarised` : rows (name of the output, on the log scale, as change from baseline, low, high); all have BINS bins.
    """
    steps = scenario.follow_up_days // DAYS_PER_WEEK + 1
    gates, rules = _gates(scenario)
    model = MODELS[scenario.progression.model]
    calendar, table = _calendar(scenario, steps, is_full), _summarised(summarised)
    return Program(
        model.constants(scenario.progression),
        _people(scenario),
        gates,
        _visits(scenario),
        _arms(scenario, steps),
        calendar,
        table,
        _sizes(scenario, patients, calendar, len(table), gates),
        model.PARAMETERS,
        rules,
    )


def _sizes(scenario: Scenario, patients: int, calendar: Calendar, variables: int, gates: Gates) -> Sizes:
    own = scenario.adherence is not None and scenario.adherence.missed.value > 0
    shortest = min((d.regimen.every_days for d in _drugs(scenario)), default=28)
    most = sum(len(d.regimen.loading_days) for d in _drugs(scenario)) + scenario.follow_up_days // shortest + 1
    return Sizes(
        patients=patients,
        arms=len(scenario.arms),
        times=calendar.day.size,
        visits=calendar.visit.size,
        variables=variables,
        bins=BINS,
        model_rows=MODELS[scenario.progression.model].ROWS,
        strata=gates.shares.size,
        rules=len(gates.rules),
        doses=most * max(map(len, scenario.arms.values())) if own else 0,
    )


def _drugs(scenario: Scenario) -> list[Antisense]:
    return [t for t in scenario.treatments.values() if t.kind == "antisense"]


def _calendar(scenario: Scenario, steps: int, is_full: bool) -> Calendar:
    """Output and visit days, and for each step whether something is wanted at its start or inside it."""
    days, visits = _output_days(scenario), _visit_days(scenario)
    wanted = set(days.tolist())
    if is_full:
        jitter = scenario.visits.jitter_days
        wanted |= {d for k, v in enumerate(visits) for d in range(v - jitter * (k > 0), v + jitter * (k > 0) + 1)}
    flags = np.zeros(steps, np.uint8)
    for day in wanted:
        if 0 <= day <= scenario.follow_up_days:
            flags[day // DAYS_PER_WEEK] |= LOOK if day % DAYS_PER_WEEK == 0 else INSIDE
    return Calendar(days, flags, np.array(visits, np.int32), F(scenario.follow_up_days))


def _output_days(scenario: Scenario) -> np.ndarray:
    analysis = scenario.trial.analysis_days if scenario.trial else []
    days = {*range(0, scenario.follow_up_days + 1, scenario.output.every_days), *analysis}
    return np.array(sorted(d for d in days if d <= scenario.follow_up_days), np.int32)


def _summarised(table: Iterable[tuple]) -> np.ndarray:
    names, logs, changes, lows, highs = zip(*table, strict=True)
    low, high = np.array(lows, F), np.array(highs, F)
    limit = 2 * np.maximum(abs(low), abs(high))
    scale, square_scale = scales(limit)
    row = np.array([rows.OUTPUTS.index(name) * rows.LANES for name in names])
    width = (high - low) / F(BINS)
    columns = [row, logs, changes, limit, scale, square_scale, low, width]
    return np.ascontiguousarray(np.stack([np.asarray(c, F) for c in columns], axis=1))


# --- people


def _people(scenario: Scenario) -> People:
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
        longest=F(min([screening.LONGEST_MONTHS, *(h for c, _, h in _limits(entry.eligible) if c == rows.MEASURES.index("time_since_onset_months"))])),
        referral=F(0 if entry.referral_months is None else entry.referral_months),
        log_rate=F(death.log_rate.value + (math.log(death.multiplier.value) if death.multiplier.value > 0 else 0)),
        per_year=F(death.per_year_of_age),
        women=F(death.women),
        multiplier=F(death.multiplier),
        pav=F(survival.pav_probability),
        after_pav=F(survival.months_after_pav.value * DAYS_PER_MONTH / math.log(2)),
    )


def _gates(scenario: Scenario) -> tuple[Gates, list[tuple[str, str]]]:
    rules, when, names = _rules(scenario)
    variants, strata = scenario.disease.variants, scenario.strata or {}
    gates = Gates(
        variants=np.cumsum([v.share.value for v in variants.values()]).astype(F),
        table=MODELS[scenario.progression.model].table_by_variant(scenario.progression, variants),
        dropout=_dropout(scenario),
        rules=np.array(rules, F).reshape(-1, 4),
        when=np.array(when, F).reshape(-1, 5),
        shares=np.array([s.share.value for s in strata.values()] or [1.0]),
    )
    return gates, names


def _entry_mode(entry: Entry) -> int:
    if entry.at_onset:
        return people.AT_ONSET
    return people.BY_DISEASE_TIME if entry.disease_time is not None else people.BY_TIME


def _entry_terms(entry: Entry) -> tuple:
    given = entry.disease_time or entry.time_since_onset_months
    return (F(0),) * 5 if given is None else terms(given)


def _dropout(scenario: Scenario) -> np.ndarray:
    """Pieces (first day, rate per day, hazard before) of the dropout hazard."""
    pieces = scenario.attrition.dropout_per_year if scenario.attrition else []
    table, start, before = [], 0.0, 0.0
    for piece in pieces:
        rate = piece.rate.value / DAYS_PER_YEAR
        table.append((start, rate, before))
        if piece.until_day is not None:
            before += rate * (piece.until_day - start)
            start = float(piece.until_day)
    return np.array(table or [(0.0, 0.0, 0.0)], F)


def _rules(scenario: Scenario) -> tuple[list, list, list[tuple[str, str]]]:
    """Rules of entry (for all, then by stratum), conditions of the strata, and the rules in words."""
    strata = scenario.strata or {}
    rules, names, when = [], [], []
    owners = [(-1, "all", scenario.entry.eligible), *((k, n, s.eligible) for k, (n, s) in enumerate(strata.items()))]
    for number, name, rule in owners:
        for variable, low, high in _limits(rule):
            rules.append((number, variable, low, high))
            names.append((name, _in_words(variable, low, high)))
    for number, stratum in enumerate(strata.values()):
        for clause, rule in enumerate(stratum.when or []):
            when += [(number, clause, *limits) for limits in _limits(rule)]
    return rules, when, names


def _limits(rule: Rule | None) -> list[tuple[int, float, float]]:
    if rule is None:
        return []
    limits = []
    if getattr(rule, "variant", None) is not None:
        limits.append((rows.MEASURES.index("variant"), 1.0, 1.0))
    for code, name in enumerate(rows.MEASURES[:-1]):
        bounds = getattr(rule, name, None)
        if bounds is not None:
            low = -np.inf if bounds.min is None else float(bounds.min)
            high = np.inf if bounds.max is None else float(bounds.max)
            limits.append((code, low, high))
    return limits


def _in_words(variable: int, low: float, high: float) -> str:
    name = rows.MEASURES[variable]
    if name == "variant":
        return "variant: fast"
    if low == -np.inf:
        return f"{name} <= {high:g}"
    return f"{name} >= {low:g}" if high == np.inf else f"{low:g} <= {name} <= {high:g}"


# --- visits


def _visit_days(scenario: Scenario) -> list[int]:
    visits, end = scenario.visits, scenario.follow_up_days
    days = visits.days or range(0, end + 1, visits.every_days or end + 1)
    return [d for d in days if d <= end]


def _visits(scenario: Scenario) -> Visits:
    visits, noise = scenario.visits, scenario.visits.noise
    return Visits(
        jitter=F(visits.jitter_days),
        missing=F(visits.missing),
        entry_effect=F(visits.entry_effect_points),
        alsfrs_r=F(noise.alsfrs_r_points),
        svc=F(noise.svc_percent),
        hhd=F(noise.hhd),
        nfl=F(noise.nfl_log_sd),
        sod1=F(noise.sod1_log_sd),
        nfl_limit=F(noise.nfl_llq),
        bulbar_limit=F(BULBAR_LIMIT),
    )


# --- arms


def _arms(scenario: Scenario, steps: int) -> Arms:
    plans = [_plan(scenario, name, steps) for name in scenario.arms]
    adherence, attrition = scenario.adherence, scenario.attrition
    missed = 0.0 if adherence is None else adherence.missed.value
    stop = 0.0 if attrition is None else attrition.stop_treatment_per_year.value / DAYS_PER_YEAR
    drugs = [plan["drug"] for plan in plans]
    return Arms(
        table=np.array([_table(drug) for drug in drugs], F),
        constant=np.array([_constants(drug) for drug in drugs], F),
        day=_joined(plan["days"] for plan in plans),
        day_start=_starts(plan["days"] for plan in plans),
        epoch=_joined(plan["epochs"] for plan in plans).reshape(-1, 2),
        epoch_start=_starts(plan["epochs"] for plan in plans),
        loading=_joined(drug.regimen.loading_days if drug else [0] for drug in drugs),
        loading_start=_starts(drug.regimen.loading_days if drug else [0] for drug in drugs),
        every=np.array([drug.regimen.every_days if drug else 28 for drug in drugs], np.int32),
        own=np.array([missed > 0 and drug is not None for drug in drugs]),
        keep=np.array([drug is not None and drug.regimen.missed_dose == "article" for drug in drugs]),
        missed=np.full(len(plans), missed, F),
        delay_max=np.full(len(plans), 0 if adherence is None else adherence.delay_days_max, F),
        stop_rate=np.full(len(plans), stop, F),
        stop_at_dropout=np.full(len(plans), attrition is not None and attrition.drug_after_dropout == "stop"),
        addon=np.array([plan["addon"] for plan in plans], F),
        hazard=np.array([plan["hazard"] for plan in plans], F),
    )


def _joined(parts: Iterable) -> np.ndarray:
    return np.array([x for part in parts for x in part], np.int32)


def _starts(parts: Iterable) -> np.ndarray:
    return np.cumsum([0, *(len(part) for part in parts)]).astype(np.int32)


def _plan(scenario: Scenario, name: str, steps: int) -> dict:
    """One arm: its drug, its epochs with it, its dose days, and weekly means of the other multipliers."""
    end = steps * DAYS_PER_WEEK
    plan: dict = {"drug": None, "epochs": [], "days": [], "addon": np.ones(steps), "hazard": np.ones(steps)}
    for epoch in scenario.arms[name]:
        until = end if epoch.to_day is None else min(epoch.to_day, end)
        for treatment in (scenario.treatments[t] for t in epoch.treatments):
            if treatment.kind == "antisense":
                plan["drug"] = treatment
                plan["epochs"].append((epoch.from_day, until))
                plan["days"] += _dose_days(treatment, epoch.from_day, until)
            else:
                key = "addon" if treatment.kind == "rate_multiplier" else "hazard"
                plan[key] *= _weekly(treatment.value.value, epoch.from_day, until, steps)
    return plan


def _dose_days(drug: Antisense, start: int, end: int) -> list[int]:
    loading = [start + d for d in drug.regimen.loading_days]
    later = range(loading[-1] + drug.regimen.every_days, end, drug.regimen.every_days)
    return [d for d in [*loading, *later] if d < end]


def _weekly(value: float, start: int, end: int, steps: int) -> np.ndarray:
    """Mean of a multiplier over each week when it is `value` from day `start` to `end` and 1 otherwise."""
    edges = np.arange(steps + 1) * DAYS_PER_WEEK
    days = np.diff(np.clip(edges, start, end))
    return np.where(days == DAYS_PER_WEEK, value, 1 + (value - 1) * days / DAYS_PER_WEEK)


def _table(drug: Antisense | None) -> np.ndarray:
    if drug is None:
        return np.zeros((8, len(propagators.COLUMNS)), F)
    per_day, nfl = propagators.half_life, drug.neurofilament
    return propagators.table(
        propagators.Rates(
            tissue=per_day(drug.tissue.half_life_days.value),
            sod1=per_day(drug.target.half_life_days.value),
            delay=2 / drug.effect.mean_transit_days.value,
            fast=1 / nfl.fast_days.value,
            slow=per_day(nfl.slow_half_life_days.value),
            nfl=per_day(nfl.half_life_days.value),
        )
    )


def _constants(drug: Antisense | None) -> list[float]:
    """Fields of `effect.Drug` after the table."""
    if drug is None:
        return [0, 0, 0, 1, 0, 1, 1, *[0] * 14]
    tissue, target, nfl, effect = drug.tissue, drug.target, drug.neurofilament, drug.effect
    turnover = propagators.half_life(tissue.half_life_days.value) * tissue.reference_every_days.value
    dose = drug.regimen.dose_mg.value / tissue.reference_dose_mg.value * turnover
    ec50 = terms(target.ec50)
    typical = math.exp(ec50[1]) if ec50[0] else float(ec50[1])
    most, rho = target.max_inhibition.value, nfl.correlation_with_effect.value
    response = [nfl.mean, nfl.sd, nfl.low, nfl.high, effect.mean, effect.sd, effect.low, effect.high]
    correlation = [rho, math.sqrt(1 - rho**2), nfl.slow_share.value, effect.recovery_cap.value]
    head = [dose, 1 + typical if most > 0 else 0, *ec50, most / (1 + typical), target.csf_share.value]
    return [*head, *map(float, response), *correlation]


def dose_days(arms: Arms) -> list[np.ndarray]:
    """Shared calendar of each arm, days since baseline."""
    return [arms.day[a:b] for a, b in pairwise(arms.day_start)]
