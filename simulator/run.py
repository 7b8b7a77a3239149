"""One run: scenario in, result out. Chunks of patients and threads never show in a result."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine import batches, collecting, compiling, loop, recruit, sums
from simulator.engine.jit import JIT
from simulator.engine.people import participants_of
from simulator.engine.random import Key, make_key
from simulator.engine.screening import REASONS
from simulator.engine.space import Full
from simulator.errors import ResourceError, SimulatorError, UsageError
from simulator.language.faults import Path as Address
from simulator.language.faults import Problem, address
from simulator.program import Program, compile_program
from simulator.record import close, provenance, record
from simulator.results.tree import name
from simulator.results.variables import SUMMARISED

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.results.record import Record
    from simulator.results.tree import Result

SEED = 1
LIMIT, REPLICATES = 5_000_000, 2**31
"""Most patients, and replicates that a seed has; the other half of the replicate's word is for potential outcomes."""
_READY: list[Program | None] = [None]
"""The program whose kernels were looked for last."""
SMALLER = "Ask for fewer patients, a larger output.every_days, or output summary"
SUMMED = [(s.of, s.transform == "log", bool(s.since), s.low, s.high) for s in SUMMARISED]


def simulate(
    scenario: Scenario,
    *,
    patients: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    output: str = "full",
    replicate: int = 0,
    most: Sequence[int] = (),
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
    replicate : int, optional
        Which replicate of a trial: other people under the same seed. 0 by default.
    most : sequence of int, optional
        The trial is full when so many are randomised, of each stratum or in all: nobody is allocated after them.
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
    if scenario.person is not None:
        raise SimulatorError("this scenario has a person: als-sim run and simulator.simulate look for twins of them")
    found = recorded(
        scenario,
        patients=patients,
        seed=seed,
        threads=threads,
        output=output,
        replicate=replicate,
        progress=progress,
        max_memory=max_memory,
    )
    arguments = {"patients": found.n_patients, "seed": found.seed, "output": output}
    if replicate:
        arguments["replicate"] = replicate
    if most:
        arguments["most"] = list(most)
        close(found.patients, most)
    return name(found, lambda: provenance(scenario, arguments))


def recorded(
    scenario: Scenario,
    *,
    patients: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    output: str = "full",
    replicate: int = 0,
    progress: Callable[[int, int], None] | None = None,
    max_memory: int | None = None,
    numbers: np.ndarray | None = None,
    quantiles: bool = True,
) -> Record:
    """The bare arrays of a run; arguments are those of `simulate`.

    Without `quantiles` the summary has means and shares only, which are read ten times as fast.

    `numbers` : (n,) ascending, the patients to simulate by their numbers; each is the person of that number in any
    run of the scenario. Counts of screening then tell of their neighbours too.
    """
    n, seed, workers = _checked(scenario, patients if numbers is None else len(numbers), seed, threads, output)
    is_full, key = output == "full", key_of(seed, replicate)
    program = compile_program(scenario, SUMMED, n, is_full)
    if not quantiles:
        program = program._replace(sizes=program.sizes._replace(bins=0))
    check_memory(batches.memory(program.sizes, is_full, workers), "the run needs", SMALLER, max_memory)
    full = batches.make_full(program.sizes, is_full)
    pool = batches.make_pool(_wide(program.sizes) if numbers is not None else program.sizes, workers)
    try:
        _live(program, key, full, pool, progress, numbers=numbers)
    except batches.NoPatient as error:
        raise SimulatorError(nobody(program, error.stratum, error.search, key, scenario)) from None
    check_finite(program, [worker.totals for worker in pool], list(scenario.arms), scenario)
    found = record(scenario, program, full, pool, key)
    batches.keep(program.sizes, pool if numbers is None else [])
    return found


def _wide(sizes: batches.Sizes) -> batches.Sizes:
    """Chosen patients are recruited among their neighbours, however few they are."""
    return sizes._replace(patients=max(sizes.patients, batches.BATCH))


def memory(scenario: Scenario, *, patients: int | None = None, threads: int | None = None, output: str = "full") -> int:
    """Bytes that a run would take at most, without taking them."""
    n, _, workers = _checked(scenario, patients, None, threads, output)
    program = compile_program(scenario, SUMMED, n, output == "full")
    return batches.memory(program.sizes, output == "full", workers)


def key_of(seed: int, replicate: int) -> Key:
    """The key of a replicate, or one clear error."""
    if not 0 <= replicate < REPLICATES:
        raise UsageError(f"there is no replicate {replicate:,}. Choose 0 to {REPLICATES - 1:,}")
    return make_key(seed, replicate)


def _checked(
    scenario: Scenario, patients: int | None, seed: int | None, threads: int | None, output: str
) -> tuple[int, int, int]:
    """Number of patients, seed and number of workers, or one clear error."""
    n, seed = scenario.patients if patients is None else patients, SEED if seed is None else seed
    workers = compiling.cores() if threads is None else threads
    if not 1 <= n <= LIMIT:
        raise UsageError(f"{n:,} patients cannot be simulated. Ask for 1 to {LIMIT:,}")
    if not 0 <= seed < 2**64:
        raise UsageError(f"the seed {seed} does not fit 64 bits. Choose 0 to 2^64 - 1")
    if workers < 1:
        raise UsageError(f"{workers} threads cannot do any work. Ask for 1 or more")
    if output not in ("full", "summary"):
        raise UsageError(f"the output {output!r} is not known. Choose full or summary")
    return n, seed, min(workers, -(-n // batches.PART)) if JIT else 1


def check_memory(needed: int, what: str, remedy: str, limit: int | None = None) -> None:
    """Refuse, before any work, what would not fit in memory.

    Parameters
    ----------
    needed : int
        Bytes.
    what, remedy : str
        Such as "the run needs", and how to make it smaller.
    limit : int, optional
        Bytes that a person allows.

    Raises
    ------
    ResourceError
        With the number.
    """
    free = _free_memory()
    for most, whose in ((limit, "--max-memory allows"), (free, "this machine has free")):
        if most is not None and needed > most:
            sizes = f"{what} about {needed / 2**30:,.1f} GiB, {whose} {most / 2**30:.1f} GiB"
            raise ResourceError(f"{sizes}. {remedy}")


def _free_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _live(
    program: Program,
    key: Key,
    full: Full,
    pool: list[batches.Worker],
    progress: Callable[[int, int], None] | None,
    *,
    numbers: np.ndarray | None = None,
) -> None:
    """Recruit everybody and let them live, on all workers."""

    def call(worker: batches.Worker, first: int, count: int) -> int:
        span = range(first, first + count)
        with np.errstate(over="ignore"):  # plain Python mode; compiled code does not look
            if numbers is not None:
                return _do_chosen(program, key, full, worker, span, numbers=numbers)
            return do_range(program, key, full, worker, span)

    batches.run(call, pool, program.sizes.patients, progress)


def do_range(program: Program, key: Key, full: Full, worker: batches.Worker, span: range) -> int:
    """Recruit a range of patients batch by batch and let them live. Returns -1, or the stratum nobody fits."""
    p, space, search = program, worker.space, worker.search
    batch = space.cohort.shape[1]
    _be_ready(p, key, full, worker)
    for start in range(span.start, span.stop, batch):
        n = min(batch, span.stop - start)
        found = _recruit(p, key, worker, start, n)
        if found >= 0:
            return found
        if full.kind.shape[1] > 0:
            collecting.keep_people(full, space.cohort, space.who, search.tried, n, start)
        loop.live(p.model, p.rules, key, p.visits, p.arms, p.calendar, p.table, start, n, space, worker.totals, full)
    return -1


def _be_ready(p: Program, key: Key, full: Full, worker: batches.Worker) -> None:
    """Have the kernels compiled; replicates ask for those of one program again and again."""
    if _READY[0] is not p:
        compiling.ready(p, key, full, worker)
        _READY[0] = p


def _do_chosen(p: Program, key: Key, full: Full, worker: batches.Worker, span: range, *, numbers: np.ndarray) -> int:
    """Recruit the neighbourhood of patients chosen by number, batch by batch, and let only the chosen live."""
    space, tried = worker.space, worker.search.tried
    compiling.ready(p, key, full, worker)
    at = span.start
    while at < span.stop:
        first = int(numbers[at])
        places = numbers[at : span.stop] - first
        places = places[: np.searchsorted(places, space.cohort.shape[1])]
        found = _recruit(p, key, worker, first, int(places[-1]) + 1)
        if found >= 0:
            return found
        worker.people.clear()  # the cohort is no longer what was recruited
        for table in (*space.cohort, *space.who, tried):
            table[: len(places)] = table[places]
        if full.kind.shape[1] > 0:
            collecting.keep_people(full, space.cohort, space.who, tried, len(places), at)
        n = len(places)
        loop.live(p.model, p.rules, key, p.visits, p.arms, p.calendar, p.table, at, n, space, worker.totals, full)
        at += n
    return -1


def _recruit(p: Program, key: Key, worker: batches.Worker, start: int, n: int) -> int:
    """Recruit a batch, unless these very people are there: a sweep over treatments asks for them again and again."""
    space, search, people = worker.space, worker.search, worker.people
    asked = (type(p.model), p.people, p.visits, p.model, key, start, n, *(table.tobytes() for table in p.gates))
    if people.get("asked") == asked:
        search.rejected[:] += people["rejected"]
        return -1
    people.clear()
    before = search.rejected.copy()
    found = recruit.recruit(p.people, p.visits, p.model, p.gates, key, search, start, n, space.cohort, space.who)
    if found < 0:
        people.update(asked=asked, rejected=search.rejected - before)
    return int(found)


def check_finite(
    program: Program, totals: Sequence[sums.Sums], arms: Sequence[str], scenario: Scenario | None = None
) -> None:
    """Refuse a run in which the engine lost numbers: they leave float32, and what follows is no number either.

    Raises
    ------
    SimulatorError
        With the first arm, day and variable in which a value is not finite.
    """
    lost = np.sum([one.lost for one in totals], axis=0)
    if not lost.any():
        return
    t, a, v = (int(k[0]) for k in np.nonzero(lost.transpose(1, 0, 2)))
    people = f"{lost[a, t, v]:,} of {program.sizes.patients:,} people"
    fact = f"{sums.LOST[v]} is not a finite number in {people} on day {program.calendar.day[t]}"
    remedy = "Look for values of the scenario that are too large or too small, such as a dose"
    problem = Problem(("arms", arms[a]), fact, remedy)
    where = f"{address(problem.path)}: {fact}. {remedy}"
    raise SimulatorError(where if scenario is None else str(scenario.fault(problem)))


def nobody(program: Program, stratum: int, search: recruit.Search, key: Key, scenario: Scenario | None = None) -> str:
    """Which rule kept everybody out of a stratum, and where the scenario, if given, says so."""
    if len(program.gates.given):
        return _nobody_like(program, int(search.width[1]), key, scenario)
    rejected = search.rejected
    owner, rule = program.reasons[int(rejected[stratum].argmax())]
    whose = f" of stratum {program.strata[stratum]!r}" if program.strata else ""
    path: Address = ("strata", owner, "eligible") if owner in program.strata else ("entry", "eligible")
    rule = rule if rule in REASONS else f"{rule} ({address(path)})"
    fact = f"{recruit.MAX_CANDIDATES:,} candidates were tried for one patient{whose} and none is eligible"
    fact, remedy = f"{fact}; most failed at: {rule}", "Loosen that rule, or change who is screened"
    return f"{fact}. {remedy}" if scenario is None else str(scenario.fault(Problem(path, fact, remedy)))


def _nobody_like(program: Program, patient: int, key: Key, scenario: Scenario | None) -> str:
    """The participant who is like nobody."""
    count = len(program.gates.given)
    who = np.empty(patient + 1, np.int64)
    with np.errstate(over="ignore"):
        participants_of(program.people.resampled, count, key, who)
    name = f"number {who[-1] + 1}"
    if scenario is not None and scenario.entry.data is not None:
        name = scenario.entry.data.ids[int(who[-1])]
    fact = f"{recruit.MAX_CANDIDATES:,} simulated people were tried for participant {name} and none measures the same"
    remedy = "Widen entry.data.tolerance, match less, or leave the participant out"
    problem = Problem(("entry", "data"), fact, remedy)
    return f"{fact}. {remedy}" if scenario is None else str(scenario.fault(problem))
