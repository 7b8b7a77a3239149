"""Sections of the validation of trials: event-free time, enrichment, lead-in and looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import simulator as sim
from benchmarks.validation_base import AT, DRAWS, LAST_CUT, NO_EFFECT, SEED, THREADS, YEAR, Study, spread, study
from simulator.analysis.replicates import mean, share
from simulator.analysis.trial.data import TrialData
from simulator.replicate import Replicator, compiled
from simulator.studies.calibrate.apply import drawn_scenarios
from simulator.studies.trial import sequential
from simulator.studies.trial.decision import claims_at_end
from simulator.studies.trial.entering import most, shortened
from simulator.studies.trial.looks import randomised_on
from simulator.studies.trial.plan import TrialOptions, plan
from simulator.studies.trial.rows import observed
from simulator.studies.trial.sizes import sizes


def _median(data: TrialData, arm: int) -> float:
    """Kaplan-Meier median of an arm in years, infinite where it is not reached."""
    mine = data.arm == arm
    order = np.argsort(data.time[mine], kind="stable")
    time, event = data.time[mine][order], data.event[mine][order]
    left = np.cumprod(1 - event / np.arange(len(time), 0, -1))
    reached = np.flatnonzero(left <= 0.5)
    return float(time[reached[0]] / YEAR) if len(reached) else np.inf


def event_free(replicates: int = 4000) -> dict[str, Any]:
    """Gain of median event-free time in 39 and 21 faster progressors: at the last cut, and if all were followed on."""
    counts = {"faster": {"early_start": 39, "delayed_start": 21}}
    longest = 5479  # 15 years
    base = sim.load("valor_extension").replace(
        {
            "trial.counts": counts,
            "trial.accrual_per_month": [{"rate": 2.8}],
            "trial.analysis_days": [longest],
            "follow_up_days": longest,
            "visits.every_days": None,
            "visits.days": [0, longest],
            "attrition": None,
            "output.every_days": longest,
        }
    )
    asked = TrialOptions(["logrank"], days=[longest])
    scenarios = [plan(one, asked).scenario for one in drawn_scenarios(base, DRAWS)]
    planned, space = plan(base, asked), Replicator(compiled(scenarios, 60))
    cut, life = np.full((2, replicates, 2), np.nan)
    for k in range(replicates):
        seen = space.replicate(SEED, k, most(planned.scenario, planned.size))
        data, entered = observed(planned, seen), randomised_on(planned, seen)
        last = LAST_CUT - entered
        known = data._replace(time=np.minimum(data.time, last), event=data.event & (data.time <= last))
        cut[k] = [_median(known, arm) for arm in (1, 0)]
        life[k] = [_median(data, arm) for arm in (1, 0)]
    with np.errstate(invalid="ignore"):
        gain, whole = cut[:, 0] - cut[:, 1], life[:, 0] - life[:, 1]
    return {
        "draws": DRAWS,
        "replicates": replicates,
        "published": 3.4,
        "medians_reached": [[*share(np.isfinite(one))] for one in (cut[:, 0], cut[:, 1], gain)],
        "gain_where_both_reached": _gain(gain),
        "gain_followed_for_15_years": _gain(whole),
        "median_years_early_delayed": np.median(life, axis=0).tolist(),
    }


def _gain(years: np.ndarray) -> dict[str, Any]:
    """Gains of those replicates in which both medians are reached."""
    kept = np.isfinite(years)
    return {**spread(years), "defined": [*share(kept)], "at_or_above_published": [*share(years[kept] >= 3.4)]}


def designs(replicates: int = 2000) -> dict[str, Any]:
    """Enrichment, lead-in and looks against the trials without."""
    out: dict[str, Any] = {"replicates": replicates}
    names = ["ancova", "joint_rank"]
    for key in ("nfl_unenriched", "nfl_enriched", "no_lead_in", "lead_in"):
        scenario = sim.load(key)
        options = {"ancova": {"covariates": ("lead_in_change",)}} if key == "lead_in" else {}
        for label, chosen in ((key, {}), *(((f"{key}_adjusted", options),) if options else ())):
            done = study(scenario, TrialOptions(names, options=chosen), replicates)
            out[label] = _design(scenario, done, names)
    out["group_sequential"] = _looks(replicates, names)
    return out


def _design(scenario: Any, done: Study, names: Sequence[str]) -> dict[str, Any]:
    """What a design comes to, and what 80 % of power asks for: randomised, and screened for them."""
    day = done.work.plan.days[0]
    pool = Replicator(compiled([shortened(done.work.plan.scenario)], 4000)).entering(SEED)
    screened = sim.simulate(scenario, patients=4000, threads=THREADS).groups["patients"]["candidates"].values
    randomised = share(pool["allocated_arm"] >= 0)
    needed = sizes(done.work, done.found, [0.8], [done.work.plan.size], THREADS).needed[:, 0, 0]
    out: dict[str, Any] = {
        "randomised_of_entering": [*randomised],
        "screened_for_one_who_enters": [*mean(screened.astype(float))],
        "duration_days": [*mean(done.found.calendar[:, -1, 0])],
        "events": done.found.counts[:, 0, :, 1].mean(axis=0).tolist(),
    }
    for name, required in zip(names, needed, strict=True):
        rows = done.of(name, day)
        out[name] = {"power": [*share(claims_at_end(done.work.plan, name, rows).benefit)], **spread(rows[:, 0])}
        out[name]["needed"] = required.tolist()
        out[name]["screened_for_needed"] = required[0] * screened.mean() / randomised.value
    return out


def _looks(replicates: int, names: Sequence[str]) -> dict[str, Any]:
    out = {}
    for label, change in (("drug", {}), ("null", NO_EFFECT)):
        scenario = sim.load("group_sequential").replace(change)
        done = study(scenario, TrialOptions(names), replicates)
        rules = sequential.rules(scenario.trial.interim)
        for futility in (True, False):
            chosen = rules if futility else rules._replace(conditional_power=None)
            for a, name in enumerate(names):
                at = sequential.operating(sequential.stopped(chosen, name, done.found, a), 2)
                fixed = share(done.of(name, done.work.plan.days[0])[:, AT["p"]] <= 0.05)
                out[f"{label}_{name}{'' if futility else '_without_futility'}"] = {
                    "fixed": [*fixed],
                    **{key: [*one] for key, one in at._asdict().items() if hasattr(one, "mcse")},
                    "stopped_at": [[*one] for one in at.stopped_at],
                }
    return out
