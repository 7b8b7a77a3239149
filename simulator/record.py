"""From the arrays of a run to its record: which row is which quantity, and where all of it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator import exposure
from simulator.engine import batches, observe, rows, sums
from simulator.engine.accrual import enrol
from simulator.engine.allocation import NOBODY, allocate
from simulator.engine.columns import KEPT
from simulator.engine.people import BEFORE_ONSET, participants_of, strata_of
from simulator.engine.random import Key
from simulator.engine.space import Full
from simulator.language import plausible
from simulator.language.contrasts import contrasts, control_of, named_days
from simulator.program import Program
from simulator.results.record import Arrays, Provenance, Record
from simulator.units import MONTHS_PER_YEAR
from simulator.version import __version__, versions

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario


def record(scenario: Scenario, program: Program, full: Full, pool: list[batches.Worker], key: Key) -> Record:
    """The record of a run, from the arrays that the workers filled and the sums that each of them kept."""
    totals, rejected = pool[0].totals, pool[0].search.rejected.copy()
    for worker in pool[1:]:
        sums.add(totals, worker.totals)
        rejected += worker.search.rejected
    is_full = full.kind.shape[1] > 0
    return Record(
        title=scenario.title,
        seed=int(key.low) | int(key.high) << 32,
        arms=tuple(scenario.arms),
        variants=tuple(scenario.disease.variants),
        strata=program.strata,
        time=program.calendar.day.astype(np.float64),
        visit_days=program.calendar.visit.astype(np.float64),
        n_patients=program.sizes.patients,
        follow_up_days=float(program.calendar.end),
        patients=patients_of(program, full, key) if is_full else {},
        events=events_of(program, full) if is_full else {},
        truth=truth_of(program, full) if is_full else {},
        observed=observed_of(scenario, program, full) if is_full else {},
        doses=exposure.doses(scenario, program, full) if is_full else {},
        safety=exposure.safety(scenario, program, full, key) if is_full else None,
        sums=_sums(program, totals),
        outputs=program.outputs,
        screening=_screening(program, rejected),
    )


def _row(full: Full, offset: int) -> np.ndarray:
    return full.traits[offset // rows.LANES]


def patients_of(program: Program, full: Full, key: Key) -> Arrays:
    """The group `patients`, names as codes."""
    strata = np.empty(full.candidates.shape[1], np.int8)
    strata_of(program.gates.shares, strata)
    return {
        "variant": _row(full, rows.VARIANT).astype(np.int16),
        "fast_variant": _row(full, rows.FAST) > 0,
        "sex": _row(full, rows.SEX).astype(np.int8),
        **_onset(program, full),
        "stratum": strata,
        **_allocated(program, full, strata, key),
        "candidates": full.candidates[1],
        "onset_site": _row(full, rows.SITE).astype(np.int8),
        **_participant(program, strata.size, key),
        **{key: _row(full, offset) for key, offset in program.parameters.items()},
    }


def _participant(program: Program, patients: int, key: Key) -> Arrays:
    """Which participant of the data each patient stands for, where participants enter."""
    count = len(program.gates.given)
    if not count:
        return {}
    found = np.empty(patients, np.int64)
    with np.errstate(over="ignore"):
        participants_of(program.people.resampled, count, key, found)
    return {"participant": found.astype(np.int32)}


def _onset(program: Program, full: Full) -> Arrays:
    """Ages and times around onset; of carriers those without treatment, NaN for whoever never falls ill."""
    months, onset = _row(full, rows.TIME_SINCE_ONSET), _row(full, rows.AGE_AT_ONSET)
    if program.people.mode != BEFORE_ONSET:
        return {"age_at_onset": onset, "age": onset + months / MONTHS_PER_YEAR, "time_since_onset": months}
    ill = np.isfinite(months)
    return {
        "age_at_onset": np.where(ill, onset, np.nan),
        "age": _row(full, rows.AGE),
        "time_since_onset": np.where(ill, months, np.nan),
    }


def _allocated(program: Program, full: Full, strata: np.ndarray, key: Key) -> Arrays:
    """The arm in which the trial would see each patient, where there is a trial, and the day of entry if it accrues."""
    if program.allocation is None:
        return {}
    block, lean = program.allocation.block, program.allocation.lean
    if program.allocation.lead_in is not None:
        strata = np.where(program.allocation.lead_in.passed(full), strata, np.int8(NOBODY))
    x = lean.of(_row(full, lean.row), strata) if lean.row >= 0 else np.empty(0)
    left, out, pieces = np.zeros_like(block), np.empty_like(strata), program.allocation.accrual
    with np.errstate(over="ignore"):
        arms = {"allocated_arm": allocate(key, strata, block, lean.pull, x, left, out)}
        return arms | ({"enrolment_day": enrol(key, pieces, np.empty(strata.size))} if len(pieces) else {})


def among_first(strata: np.ndarray, most: Sequence[int]) -> np.ndarray:
    """(n,) who is among the first so many of each stratum, or in all where `most` is one number."""
    codes = strata if len(most) > 1 else np.zeros(len(strata), np.int8)
    place = np.zeros(len(codes), np.int64)
    for k in range(len(most)):
        place[codes == k] = np.arange(np.count_nonzero(codes == k))
    return np.asarray(place < np.asarray(most)[codes])


def close(patients: Arrays, most: Sequence[int]) -> None:
    """Allocate nobody beyond the first so many who are randomised, of each stratum or in all."""
    who = np.flatnonzero(patients["allocated_arm"] != NOBODY)
    late = who[~among_first(patients["stratum"][who], most)]
    patients["allocated_arm"][late] = NOBODY


def events_of(program: Program, full: Full) -> Arrays:
    """The group `events`: days as float64; NaN for what has not happened by the end of follow-up."""
    end = float(program.calendar.end)

    def by_end(day: np.ndarray) -> np.ndarray:
        return np.where(day <= end, day, np.nan).astype(np.float64)

    happened = full.event <= end
    return {
        "event_free_time": np.minimum(full.event, end).astype(np.float64),
        "event": np.where(happened, full.kind, 0).astype(np.int8),
        "death_time": by_end(full.death),
        "dropout_time": by_end(full.dropout),
        **_event_days(full, end),
        "followup_time": np.full(full.death.shape, end),
    }


def _event_days(full: Full, end: float) -> Arrays:
    """What visits found, diagnosis without treatment and, where people enter before onset, onset; not after death."""
    found = dict(zip(KEPT, np.moveaxis(full.lives, 2, 0), strict=True)) if full.lives.shape[2] else {}
    if full.onset.shape[1]:
        found["onset_time"] = full.onset
    if np.isfinite(diagnosis := _row(full, rows.DIAGNOSIS)).any():
        found["diagnosis_time"] = np.broadcast_to(diagnosis, full.death.shape)
    last = np.minimum(full.death, end)
    return {name: np.where(day <= last, day, np.nan).astype(np.float64) for name, day in found.items()}


def truth_of(program: Program, full: Full) -> Arrays:
    """The group `truth`: what the model has; stages, the last rows, may not have been kept."""
    named = zip(rows.OUTPUTS, full.truth, strict=False)
    return {key: values for key, values in named if key in program.outputs}


def observed_of(scenario: Scenario, program: Program, full: Full) -> Arrays:
    """The group `observed`."""
    staged = program.visits.staged > 0
    stages = [key for key in observe.OBSERVED if staged and key.endswith("_stage") and key in program.outputs]
    wanted = {"day", *scenario.visits.assessments, *stages}
    found = {key: values for key, values in zip(observe.OBSERVED, full.observed, strict=True) if key in wanted}
    if (nfl := found.get("nfl_plasma")) is not None:
        half = np.float32(scenario.visits.noise.nfl_llq.value) / 2
        found["nfl_plasma_below_limit"] = np.where(np.isnan(nfl), np.nan, nfl == half)
    return found


def _sums(program: Program, totals: sums.Sums) -> SimpleNamespace:
    """The sums with their scales, under the names that results read."""
    return SimpleNamespace(
        alive=totals.heads[..., sums.ALIVE],
        event_free=totals.heads[..., sums.EVENT_FREE],
        total=totals.moments[..., sums.TOTAL],
        square=totals.moments[..., sums.SQUARE],
        counts=totals.counts,
        stages=totals.stages if program.calendar.staged else None,
        ended=totals.ended,
        restricted=totals.restricted[:, 0],
        restricted_square=totals.restricted[:, 1],
        n_patients=program.sizes.patients,
        scale=program.table[:, sums.SCALE].astype(np.float64),
        square_scale=program.table[:, sums.SQUARE_SCALE].astype(np.float64),
        low=program.table[:, sums.LOW].astype(np.float64),
        width=program.table[:, sums.WIDTH].astype(np.float64),
        restricted_scale=sums.TIME_SCALE,
        restricted_square_scale=sums.TIME_SQUARE_SCALE,
        serious=totals.serious if program.arms.reactions.size else None,
    )


def _screening(program: Program, rejected: np.ndarray) -> dict[str, object]:
    names = program.strata or ("all",)
    counted = [
        (names[k], rule, int(rejected[k, reason]))
        for k in range(len(names))
        for reason, (_, rule) in enumerate(program.reasons)
        if rejected[k, reason]
    ]
    return {"candidates": int(rejected.sum()) + program.sizes.patients, "rejected": counted}


def provenance(scenario: Scenario, arguments: dict[str, Any]) -> Provenance:
    """Where a result comes from: scenario, seed, versions; nothing of the machine or of who ran it."""
    return Provenance(
        scenario=scenario.resolved_yaml(),
        scenario_sha256=scenario.sha256,
        engine_version=__version__,
        name=scenario.name,
        output=str(arguments["output"]),
        versions=versions(),
        citations=scenario.citations(),
        analysis_days=tuple(scenario.trial.analysis_days) if scenario.trial else (),
        named_days=named_days(scenario),
        control=control_of(scenario),
        contrasts=tuple(contrasts(scenario)),
        arguments=arguments,
        warnings=plausible.warnings(scenario),
    )
