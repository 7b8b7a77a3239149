"""One run: scenario in, result out. Chunks of patients and threads never show in a result."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import metadata
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine import batches, looking, loop, observe, people, recruit, rows, screening, sums
from simulator.engine.jit import JIT
from simulator.engine.random import Key, make_key
from simulator.engine.space import Full
from simulator.errors import ResourceError, SimulatorError
from simulator.program import Program, compile_program, dose_days
from simulator.results.record import Provenance, Record
from simulator.results.tree import name
from simulator.results.variables import SUMMARISED
from simulator.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.results.tree import Result

SEED = 1
LIMIT = 5_000_000
SUMMED = [(s.of, s.transform == "log", bool(s.since), s.low, s.high) for s in SUMMARISED]
LIBRARIES = ("numba", "numpy")


def simulate(
    scenario: Scenario,
    *,
    patients: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    output: str = "full",
    progress: Callable[[int, int], None] | None = None,
    max_memory: int | None = None,
) -> Result:
    """Simulate a scenario: every patient in every arm, with the same random numbers.

    Parameters
    ----------
    scenario : Scenario
    patients : int, optional
        Number of patients; the scenario's own by default. The first N are the same for any number.
    seed : int, optional
        0 to 2^64 - 1; 1 by default.
    threads : int, optional
        Worker threads, the machine's cores by default; results do not depend on it.
    output : {"full", "summary"}
        Keep every patient, or stream sums only: memory then does not grow with the number of patients.
    progress : callable, optional
        Called with (patients done, patients in all) as batches finish.
    max_memory : int, optional
        Bytes; a run that would take more is refused before it begins.

    Raises
    ------
    SimulatorError
        Arguments out of range; no candidate is eligible for a stratum.
    ResourceError
        The run would not fit in memory.
    """
    n, seed, workers = _checked(scenario, patients, seed, threads, output)
    is_full = output == "full"
    program = compile_program(scenario, SUMMED, n, is_full)
    _check_memory(batches.memory(program.sizes, is_full, workers), max_memory)
    full = batches.make_full(program.sizes, is_full)
    pool = [batches.make_worker(program.sizes) for _ in range(workers)]
    _live(program, seed, full, pool, progress)
    record = _record(scenario, program, full, pool, seed)
    return name(record, _provenance(scenario, n, seed, output))


def memory(scenario: Scenario, *, patients: int | None = None, threads: int | None = None, output: str = "full") -> int:
    """Bytes that a run would take at most, without taking them."""
    n, _, workers = _checked(scenario, patients, None, threads, output)
    program = compile_program(scenario, SUMMED, n, output == "full")
    return batches.memory(program.sizes, output == "full", workers)


def _checked(
    scenario: Scenario, patients: int | None, seed: int | None, threads: int | None, output: str
) -> tuple[int, int, int]:
    """Number of patients, seed and number of workers, or one clear error."""
    n, seed = scenario.patients if patients is None else patients, SEED if seed is None else seed
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = cores if threads is None else threads
    if not 1 <= n <= LIMIT:
        raise SimulatorError(f"{n:,} patients cannot be simulated. Ask for 1 to {LIMIT:,}")
    if not 0 <= seed < 2**64:
        raise SimulatorError(f"the seed {seed} does not fit 64 bits. Choose 0 to 2^64 - 1")
    if workers < 1:
        raise SimulatorError(f"{workers} threads cannot do any work. Ask for 1 or more")
    if output not in ("full", "summary"):
        raise SimulatorError(f"the output {output!r} is not known. Choose full or summary")
    return n, seed, min(workers, -(-n // batches.PART)) if JIT else 1


def _check_memory(needed: int, limit: int | None) -> None:
    free = _free_memory()
    for most, what in ((limit, "--max-memory allows"), (free, "this machine has free")):
        if most is not None and needed > most:
            fact = f"the run needs about {needed / 2**30:.1f} GiB, {what} {most / 2**30:.1f} GiB"
            raise ResourceError(f"{fact}. Ask for fewer patients, a larger output.every_days, or output summary")


def _free_memory() -> int | None:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _live(
    program: Program,
    seed: int,
    full: Full,
    pool: list[batches.Worker],
    progress: Callable[[int, int], None] | None,
) -> None:
    key = make_key(seed)

    def call(worker: batches.Worker, first: int, count: int) -> int:
        with np.errstate(over="ignore"):  # plain Python mode; compiled code does not look
            return _do_range(program, key, full, worker, first, count)

    try:
        batches.run(call, pool, program.sizes.patients, progress)
    except batches.NoPatient as error:
        raise SimulatorError(_nobody(program, error)) from None


def _do_range(program: Program, key: Key, full: Full, worker: batches.Worker, first: int, count: int) -> int:
    """Recruit a range of patients batch by batch and let them live. Returns -1, or the stratum nobody fits."""
    p, space, search = program, worker.space, worker.search
    batch = space.cohort.shape[1]
    for start in range(first, first + count, batch):
        n = min(batch, first + count - start)
        found = recruit.recruit(p.people, p.visits, p.model, p.gates, key, search, start, n, space.cohort, space.who)
        if found >= 0:
            return int(found)
        if full.kind.shape[1] > 0:
            looking.keep_people(full, space.cohort, space.who, search.tried, n, start)
        loop.live(
            p.model, key, p.visits, p.arms, p.calendar, p.table, start, n, space, worker.totals, full
        )
    return -1


def _nobody(program: Program, error: batches.NoPatient) -> str:
    """Which rule kept everybody out of a stratum."""
    counts = error.rejected[error.stratum]
    worst = int(counts.argmax())
    reason = _reasons(program)[worst][1]
    fact = f"{recruit.MAX_CANDIDATES:,} candidates were tried for one patient of stratum {error.stratum + 1}"
    return f"{fact} and none is eligible; most failed at: {reason}. Loosen that rule, or change who is screened"


def _reasons(program: Program) -> list[tuple[str, str]]:
    return [*(("all", reason) for reason in screening.REASONS), *program.rules]


# --- naming


def _record(
    scenario: Scenario, program: Program, full: Full, pool: list[batches.Worker], seed: int
) -> Record:
    totals = pool[0].totals
    for worker in pool[1:]:
        sums.add(totals, worker.totals)
    rejected = sum(worker.search.rejected for worker in pool)
    is_full = full.kind.shape[1] > 0
    strata = tuple(scenario.strata or ())
    return Record(
        title=scenario.title,
        seed=seed,
        arms=tuple(scenario.arms),
        variants=tuple(scenario.disease.variants),
        strata=strata,
        time=program.calendar.day.astype(np.float64),
        visit_days=program.calendar.visit.astype(np.float64),
        n_patients=program.sizes.patients,
        follow_up_days=float(program.calendar.end),
        patients=_patients(program, full) if is_full else {},
        events=_events(program, full) if is_full else {},
        truth=dict(zip(rows.OUTPUTS, full.truth, strict=True)) if is_full else {},
        observed=_observed(scenario, full) if is_full else {},
        doses=_doses(scenario, program, full) if is_full else {},
        sums=_sums(program, totals),
        screening=_screening(program, rejected, strata),
    )


def _row(full: Full, offset: int) -> np.ndarray:
    return full.traits[offset // rows.LANES]


def _patients(program: Program, full: Full) -> dict[str, np.ndarray]:
    shares, n = program.gates.shares, full.kind.shape[1]
    months = _row(full, rows.TIME_SINCE_ONSET)
    own = {key: _row(full, offset) for key, offset in program.parameters.items()}
    return {
        "variant": _row(full, rows.VARIANT).astype(np.int16),
        "fast_variant": _row(full, rows.FAST) > 0,
        "sex": _row(full, rows.SEX).astype(np.int8),
        "age_at_onset": _row(full, rows.AGE_AT_ONSET),
        "age": _row(full, rows.AGE_AT_ONSET) + months / MONTHS_PER_YEAR,
        "time_since_onset": months,
        "stratum": people.strata_of(shares, np.empty(n, np.int8)),
        "candidates": full.candidates[1],
        "onset_site": _row(full, rows.SITE).astype(np.int8),
        **own,
    }


def _events(program: Program, full: Full) -> dict[str, np.ndarray]:
    """Days as float64; NaN for what has not happened by the end of follow-up."""
    end = float(program.calendar.end)

    def by_end(day: np.ndarray) -> np.ndarray:
        return np.where(day <= end, day, np.nan).astype(np.float64)

    happened = full.event <= end
    return {
        "event_free_time": np.minimum(full.event, end).astype(np.float64),
        "event": np.where(happened, full.kind, 0).astype(np.int8),
        "death_time": by_end(full.death),
        "dropout_time": by_end(np.broadcast_to(_row(full, rows.DROPOUT), full.death.shape)),
        "followup_time": np.full(full.death.shape, end),
    }


def _observed(scenario: Scenario, full: Full) -> dict[str, np.ndarray]:
    wanted = {"day", *scenario.visits.assessments}
    return {key: values for key, values in zip(observe.OBSERVED, full.observed, strict=True) if key in wanted}


def _doses(scenario: Scenario, program: Program, full: Full) -> dict[str, np.ndarray]:
    """Every dose given to somebody alive, arm by arm."""
    found = []
    for a, shared in enumerate(dose_days(program.arms)):
        days = full.doses[a] if program.arms.own[a] else np.broadcast_to(shared, (full.kind.shape[1], shared.size))
        last = np.minimum(full.death[a], program.calendar.end)[:, None]
        patient, k = np.nonzero((days <= last) & (days < full.stop[a][:, None]))
        found.append((np.full(patient.size, a, np.int8), patient.astype(np.int32), days[patient, k].astype(np.float32)))
    arm, patient, day = (np.concatenate(parts) for parts in zip(*found, strict=True))
    amounts = np.array([_amount(scenario, arm_name) for arm_name in scenario.arms], np.float32)
    return {"arm": arm, "patient": patient, "day": day, "dose_mg": amounts[arm]}


def _amount(scenario: Scenario, arm: str) -> float:
    given = [scenario.treatments[t] for epoch in scenario.arms[arm] for t in epoch.treatments]
    return next((t.regimen.dose_mg.value for t in given if t.kind == "antisense"), 0.0)


def _sums(program: Program, totals: sums.Sums) -> SimpleNamespace:
    """The sums with their scales, under the names that results read."""
    return SimpleNamespace(
        alive=totals.heads[..., sums.ALIVE],
        event_free=totals.heads[..., sums.EVENT_FREE],
        total=totals.moments[..., sums.TOTAL],
        square=totals.moments[..., sums.SQUARE],
        counts=totals.counts,
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
    )


def _screening(program: Program, rejected: np.ndarray, strata: tuple[str, ...]) -> dict:
    counted = [
        (strata[k] if strata else "all", text, int(rejected[k, reason]))
        for k in range(rejected.shape[0])
        for reason, (_, text) in enumerate(_reasons(program))
        if rejected[k, reason]
    ]
    return {"candidates": int(rejected.sum()) + program.sizes.patients, "rejected": counted}


def _provenance(scenario: Scenario, n: int, seed: int, output: str) -> Provenance:
    return Provenance(
        scenario=scenario.resolved_yaml(),
        scenario_sha256=scenario.sha256,
        engine_version=_version("als-simulator"),
        name=scenario.name,
        output=output,
        versions={library: _version(library) for library in LIBRARIES},
        citations=scenario.citations() if hasattr(scenario, "citations") else (),
        analysis_days=tuple(scenario.trial.analysis_days) if scenario.trial else (),
        arguments={"patients": n, "seed": seed, "output": output},
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
