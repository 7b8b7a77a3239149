"""The engine's own loop and recruiting, apart from the rooms above. Only this file knows the engine's calls."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.cohort import MONTH, Traits
from benchmarks.numpy_twin import AMPLITUDE, BETA
from simulator.engine import batches, dosing, loop, recruit, rows
from simulator.engine.jit import LANES, kernel
from simulator.engine.random import make_key
from simulator.language import load
from simulator.models.clock import kernels as clock
from simulator.program import Program, compile_program
from simulator.results.variables import SUMMARISED

SEED = 1
TWO_ARMS = {"untreated": [], "treated": [{"treatments": ["tofersen"], "from_day": 0}]}


class Engine(NamedTuple):
    """One batch of VALOR's patients, in two arms."""

    people: Traits  # the same people, for the twins
    weeks: int
    batch: int
    recruit: Callable[[], object]  # finds the batch anew
    live: Callable[[], object]  # lives the batch in both arms


@kernel
def find(world, n, space, search):
    """Recruit one batch."""
    model, key, people, visits, gates = world
    return recruit.recruit(people, visits, model, gates, key, search, 0, n, space.cohort, space.who)


@kernel
def live(world, n, space, totals, full):
    """Live one batch that has been recruited, in all arms, as `loop.simulate` does."""
    model, key, visits, arms, calendar, table = world
    for a in range(arms.every.size):
        drug = dosing.drug_of(arms, a)
        loop._load(space, arms, a, drug, key, n)
        blocks = (n + LANES - 1) // LANES
        loop._live(model, drug, arms, visits, key, calendar, table, totals, full, a, space, blocks, 0)


def prepare() -> Engine:
    """Compile everything and recruit one batch. Background deaths are off, as in the twins."""
    scenario = load("valor").replace({"disease.background_mortality.multiplier": 0, "arms": TWO_ARMS, "trial": None})
    table = [(v.of, v.transform == "log", bool(v.since), v.low, v.high, v.bins) for v in SUMMARISED]
    program = compile_program(scenario, table, False)
    sizes = sizes_of(program, table)
    worker, full, key = batches.make_worker(sizes, batches.BATCH), batches.make_full(sizes, False), make_key(SEED)
    p, n, space = program, batches.BATCH, worker.space
    before, after = (p.model, key, p.people, p.visits, p.gates), (p.model, key, p.visits, p.arms, p.calendar, p.table)

    def find_them() -> object:
        return find(before, n, space, worker.search)

    def live_them() -> object:
        return live(after, n, space, worker.totals, full)

    if find_them() >= 0:
        raise RuntimeError("recruiting failed")
    treated = 1
    loop._load(space, p.arms, treated, dosing.drug_of(p.arms, treated), key, n)
    people = traits(np.concatenate([s.reshape(-1, LANES) for s in space.s], axis=1))
    return Engine(people, scenario.follow_up_days // 7, n, find_them, live_them)


def sizes_of(program: Program, table: list[tuple]) -> batches.Sizes:
    """What the working space of a batch depends on."""
    p = program
    times, visits, bins = len(p.calendar.day), len(p.calendar.visit), max(row[-1] for row in table)
    shapes = len(p.gates.shares), len(p.gates.rules)
    return batches.Sizes(
        batches.BATCH, len(p.arms.every), times, visits, len(table), bins, clock.CLOCK_ROWS, *shapes, 0
    )


def traits(block: np.ndarray) -> Traits:
    """The twins' traits of the patients in a block (row, patient) as loaded for the treated arm."""

    def row(offset: int) -> np.ndarray:
        return block[offset // LANES].astype(float)

    log_tau = np.array([row(clock.LOG_TAU + k * LANES) for k in range(4)])
    return Traits(
        d50=row(clock.D50),
        tau=np.exp(log_tau),
        a=row(clock.A),
        v0=row(clock.V0),
        tau_v=np.exp(row(clock.LOG_TAU_V)),
        ec50=row(rows.EC50),
        e_n=row(rows.E_N),
        e_f=row(rows.E_F),
        eta=np.log(row(clock.AMPLITUDE) / (AMPLITUDE * (12 / row(clock.D50)) ** BETA)),
        age=50 + np.log(row(clock.BACKGROUND) / 9) / np.log(1.02),
        u0=row(clock.U),
        left=row(rows.LEFT),
        z=row(clock.Z),
    )


def repeated(people: Traits, times: int) -> Traits:
    """The same people several times over."""
    return Traits(*(np.concatenate([array] * times, -1) for array in people))


def check(people: Traits) -> None:
    """Say if the rows read here are not what the twins take them for."""
    speed = 1 / (people.d50 * MONTH)
    if not (np.all(people.left > 0) and np.all(np.isfinite(speed)) and np.all((people.v0 >= 60) & (people.v0 <= 140))):
        raise RuntimeError("the rows of the engine have moved: see engine_loop.traits")
