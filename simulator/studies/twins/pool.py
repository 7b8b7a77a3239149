"""The simulated people among whom twins are looked for: one pool for all participants, each in every arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.datasets import Note
from simulator.errors import UsageError
from simulator.language.parts import MAX_DAYS
from simulator.run import recorded
from simulator.studies.twins.cohort import MATCHED, Case, Cohort

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.results.record import Arrays, Record

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
CHUNK = 16_384
"""People simulated together; memory holds the whole record of so many."""
CARRY_OVER_DAYS = 28.0
LEAST_KNOWN = 0.5
"""Share of participants whose time since onset must be known for the pool's to be theirs."""
WIDER, LEAST_SPREAD = 1.2, 0.3
SITES = ("alsfrs_r_bulbar", "alsfrs_r_fine_motor", "alsfrs_r_gross_motor", "alsfrs_r_respiratory")
TRAITS = ("variant", "sex", "age", "time_since_onset", "onset_site", "fvc_offset", "steepness")
"""Traits that are kept."""
ASSESSED = {"alsfrs_r": "alsfrs_r", "svc": "svc", "fvc": "svc", "nfl_plasma": "nfl_plasma"}


class Pool(NamedTuple):
    """Simulated people, m of them, in every arm, from baseline on.

    Parameters
    ----------
    patients : traits, (m,) each. truth : on the days `past`, (1, m, day) each, as if alive.
    outputs : what the model has.
    draw : (m,) which parameter vector, from 0.
    course, measured : (arm, m, day) the outcome on the days that are told: the truth as if alive, and a measurement,
        NaN after death or where none can be had.
    ended, event : (arm, m) [d] of death or ventilation or of the end, and which.
    death : (arm, m) [d], NaN none.
    """

    patients: Arrays
    truth: Arrays
    outputs: frozenset[str]
    draw: NDArray[np.int32]
    course: Singles
    measured: Singles
    ended: Floats
    event: NDArray[np.int8]
    death: Floats

    def has(self, name: str) -> bool:
        """Whether the model has a quantity."""
        return name in self.outputs

    @property
    def n(self) -> int:
        """Number of people."""
        return len(self.draw)


def pool_scenario(scenario: Scenario, cohort: Cohort, outcome: str) -> tuple[Scenario, list[Note]]:
    """The scenario of the pool: entry at baseline, arms from the day until which is matched, visits on the days told.

    Raises
    ------
    UsageError
        Treatment depends on what visits find, or people enter before onset.
    """
    _check(scenario)
    notes: list[Note] = []
    end = max([*cohort.days, *np.ceil(cohort.end[np.isfinite(cohort.end)]).astype(int).tolist()])
    days = sorted({*cohort.past, *cohort.days})
    settings: dict[str, Any] = {
        **dict.fromkeys(("person", "trial", "attrition", "safety", "estimand", "sweep", "sensitivity", "decision")),
        "arms": {name: [_later(epoch, cohort.until) for epoch in epochs] for name, epochs in scenario.arms.items()},
        "follow_up_days": end,
        "visits.every_days": None,
        "visits.days": sorted({0, *cohort.days}),
        "visits.jitter_days": 0,
        "visits.missing": 0,
        "visits.assessments": sorted({*scenario.visits.assessments, ASSESSED[outcome]}),
        "output": {"every_days": MAX_DAYS, "days": days, "stages": False},
        **_entry(scenario, cohort, notes),
    }
    return scenario.replace(settings), notes


def _check(scenario: Scenario) -> None:
    if scenario.rules is not None or any(not epoch.is_fixed for arm in scenario.arms.values() for epoch in arm):
        raise UsageError("treatment of twins begins and ends on days. Remove rules, and after and until of epochs")
    if scenario.entry.data is not None:
        raise UsageError("twins are looked for among people of a distribution, not of entry.data. Remove entry.data")
    if scenario.entry.presymptomatic_at_age is not None:
        raise UsageError("twins have symptoms, and the scenario's people enter before onset. Choose another scenario")


def _later(epoch: Any, days: int) -> dict[str, Any]:
    """An epoch so many days later; holds count from its start."""
    to_day = None if epoch.to_day is None else epoch.to_day + days
    holds = [hold.model_dump() for hold in epoch.holds] if epoch.holds else None
    moved = {"from_day": epoch.from_day + days, "to_day": to_day, "holds": holds}
    return {"treatments": epoch.treatments, "reload": epoch.reload, **moved}


def _entry(scenario: Scenario, cohort: Cohort, notes: list[Note]) -> dict[str, Any]:
    """When the pool enters, and who is eligible: a rule on what was measured of everybody has no place any more."""
    cases = [case for case in cohort.cases if not case.reason]
    found: dict[str, Any] = {}
    known = np.array([case.since_onset for case in cases if case.since_onset > 0])
    if scenario.entry.time_since_onset_months is not None and len(known) >= max(LEAST_KNOWN * len(cases), 1):
        log = np.log(known)
        spread = max(WIDER * float(log.std(ddof=1)) if len(log) > 1 else 0.0, LEAST_SPREAD)
        middle = float(np.exp(log.mean()))
        found["entry.time_since_onset_months"] = {"lognormal": {"median": middle, "log_sd": spread}}
        fact = f"the pool's times are log-normal around their median of {middle:.1f} months"
        notes.append(Note(len(known), "times since onset", fact))
    rule = scenario.entry.eligible
    if rule is None:
        return found
    all_have = {name: all(any(r.day == 0 and r.name == name for r in case.readings) for case in cases)
                for name in MATCHED.values()}  # fmt: skip
    dropped = [name for name in ("alsfrs_r", "svc_percent", "nfl_plasma") if all_have[name]]
    if len(known) == len(cases):
        dropped += ["time_since_onset_months", *(["progression_rate"] if all_have["alsfrs_r"] else [])]
    if all(np.isfinite(case.age) for case in cases):
        dropped.append("age_years")
    dropped = [name for name in dropped if getattr(rule, name) is not None]
    kept = {name: value for name, value in rule.model_dump().items() if value is not None and name not in dropped}
    if dropped:
        fact = "not applied to the pool: it was measured of everybody"
        notes.append(Note(len(dropped), f"rules of eligibility ({', '.join(dropped)})", fact))
        found["entry.eligible"] = kept or None
    return found


def fill(
    scenarios: Sequence[Scenario],
    cohort: Cohort,
    outcome: str,
    span: range,
    *,
    seed: int | None,
    threads: int | None,
    progress: Callable[[int, int], None] | None,
) -> Pool:
    """Simulate the people of these numbers under each of the scenarios, which differ in parameters only."""
    needed = sorted(needed_of(scenarios[0], cohort.cases))
    starts = range(span.start, span.stop, CHUNK)
    parts = []
    for draw, scenario in enumerate(scenarios):
        for first in starts:
            numbers = np.arange(first, min(first + CHUNK, span.stop))
            record = recorded(scenario, seed=seed, threads=threads, numbers=numbers)
            parts.append(_part(record, scenario, cohort, outcome, needed)._replace(
                draw=np.full(len(numbers), draw, np.int32)))  # fmt: skip
            if progress:
                progress(len(parts), len(scenarios) * len(starts))
    return joined(parts)


def needed_of(scenario: Scenario, cases: Sequence[Case]) -> set[str]:
    """Quantities that a likelihood looks at."""
    names = {reading.name for case in cases for reading in case.readings}
    found = {"alsfrs_r"} if "alsfrs_r" in names else set()
    if scenario.visits.scoring == "items":
        found |= set(SITES)
    if names & {"svc_percent", "fvc_percent"}:
        found |= {"svc", "alsfrs_r_bulbar"}
    return found | ({"nfl_plasma"} if "nfl_plasma" in names else set())


def _part(record: Record, scenario: Scenario, cohort: Cohort, outcome: str, needed: Sequence[str]) -> Pool:
    """What is kept of a chunk."""
    at = np.searchsorted(record.time, cohort.past)
    told = np.searchsorted(record.time, cohort.days)
    seen = np.searchsorted(record.visit_days, cohort.days)
    there = [name for name in needed if name in record.truth]
    truth = {name: record.truth[name][:1][:, :, at].copy() for name in there}
    if "alsfrs_r" in truth and (effect := float(scenario.visits.entry_effect_points.value)):
        lift = effect * (1 - np.exp(-np.array(cohort.past) / CARRY_OVER_DAYS))
        truth["alsfrs_r"] = truth["alsfrs_r"] + lift.astype(np.float32)  # what a visit reads too high
    name = ASSESSED[outcome]
    off = record.patients["fvc_offset"][None, :, None] if outcome == "fvc" else np.float32(0)
    outputs = frozenset(record.truth) if record.outputs is None else record.outputs
    return Pool(
        {name: record.patients[name] for name in TRAITS if name in record.patients},
        truth,
        outputs,
        np.zeros(0, np.int32),
        (record.truth[name][:, :, told] - off).astype(np.float32),
        (record.observed[name][:, :, seen] - off).astype(np.float32),
        record.events["event_free_time"],
        record.events["event"],
        record.events["death_time"],
    )


def joined(parts: Sequence[Pool]) -> Pool:
    """Chunks one after another."""
    first = parts[0]
    return Pool(
        {key: np.concatenate([part.patients[key] for part in parts]) for key in first.patients},
        {key: np.concatenate([part.truth[key] for part in parts], axis=1) for key in first.truth},
        first.outputs,
        np.concatenate([part.draw for part in parts]),
        *(np.concatenate([getattr(part, key) for part in parts], axis=1)
          for key in ("course", "measured", "ended", "event", "death")),
    )  # fmt: skip
