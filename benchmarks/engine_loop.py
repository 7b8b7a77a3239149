"""The engine's own loop and recruiting, apart from the rooms above. Only this file knows the engine's calls."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.cohort import MONTH, Traits
from benchmarks.numpy_twin import AMPLITUDE, BETA
from simulator.engine import batches, dosing, loop, recruit, rows
from simulator.engine.jit import LANES
from simulator.engine.random import make_key
from simulator.language import load
from simulator.models.clock.kernels import state as clock
from simulator.program import compile_program

SUMMED = [
    ("alsfrs_r", False, False, 0, 48),
    ("svc", False, False, 0, 160),
    ("nfl_plasma", False, False, 0, 1000),
    ("sod1_csf", False, False, 0, 2),
]
"""What the twins sum, plain values all: output, on the log scale, as change, range."""
SEED = 1
TWO_ARMS = {"untreated": [], "treated": [{"treatments": ["tofersen"], "from_day": 0}]}


class Engine(NamedTuple):
    """One batch of VALOR's patients, in two arms."""

    people: Traits  # the same people, for the twins
    weeks: int
    batch: int
    recruit: Callable[[], object]  # finds the batch anew
    live: Callable[[], object]  # lives the batch in both arms


def prepare() -> Engine:
    """Compile everything and recruit one batch, without what the twins lack: background deaths, stages, quantiles."""
    changes = {"disease.background_mortality.multiplier": 0, "arms": TWO_ARMS, "trial": None, "output.stages": False}
    changes["safety"] = None
    scenario = load("valor").replace(changes)
    n, key = batches.BATCH, make_key(SEED)
    p = compile_program(scenario, SUMMED, n, False)
    sizes = p.sizes._replace(bins=0)
    worker, full = batches.make_worker(sizes), batches.make_full(sizes, False)
    space, search = worker.space, worker.search

    def find() -> object:
        return recruit.recruit(p.people, p.visits, p.model, p.gates, key, search, 0, n, space.cohort, space.who)

    def live() -> object:
        return loop.live(p.model, p.rules, key, p.visits, p.arms, p.calendar, p.table, 0, n, space, worker.totals, full)

    if find() >= 0:
        raise RuntimeError("recruiting failed")
    live()
    whole = batches.make_worker(sizes, n, n).space._replace(cohort=space.cohort, who=space.who)
    treated = 1
    loop._load(whole, p.rules, p.arms, treated, dosing.drug_of(p.arms, treated), key, 0, n)
    people = traits(np.concatenate([s.reshape(-1, LANES) for s in whole.s], axis=1))
    return Engine(people, scenario.follow_up_days // 7, n, find, live)


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
