"""How many participants a trial needs: the same replicates at every size, the smaller nested in the larger.

Every replicate is simulated once, as large as needed, and analysed in its first n participants, with the looks that a
trial of that size has. So power as a function of n is one curve of common random numbers, and bisection finds where it
passes the power that is wanted, among sizes that leave no block open.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from simulator.analysis.replicates import UNKNOWN, Measure, positive, share
from simulator.analysis.trial.data import TrialData, until, where
from simulator.engine.jit import JIT
from simulator.engine.people import strata_of
from simulator.replicate import ReplicateData, Replicator, compiled
from simulator.studies.trial.blocks import Progress, Work
from simulator.studies.trial.decision import direction, level
from simulator.studies.trial.entering import most, patients
from simulator.studies.trial.looks import looks, randomised_on
from simulator.studies.trial.measures import COLUMN
from simulator.studies.trial.plan import Plan
from simulator.studies.trial.replicates import looked_at
from simulator.studies.trial.rows import ARM, COUNTED, ESTIMATED, WHOLE, Block, estimated, observed
from simulator.studies.trial.sequential import claims

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

Floats = NDArray[np.float64]
REPLICATES = 400
"""Most replicates that look for a size."""
LARGEST, LEAST, POINTS = 2000, 12, 8
"""Largest and smallest size looked at, and sizes of the curve where none are named."""
ROOM, FINE, WIDER, BELOW = 1.5, 0.01, 1.25, 0.3
"""How far beyond the normal approximation is looked, how closely a size is found (relative), steps on the way, and
where the curve begins, as a part of the size with a power of 80 %."""
Z_80 = float(ndtri(0.8))


class Sizes(NamedTuple):
    """Power over sizes, and the sizes that are needed.

    Parameters
    ----------
    sizes : (s,) participants.
    power : (analysis, day, s, 4) value, Monte Carlo error, and interval.
    targets : (t,) the powers that are wanted.
    needed : (analysis, day, t, 4) participants, the same; infinite where LARGEST is not enough, NaN where estimates are
        of harm on average.
    replicates : how many replicates are behind them.
    """

    sizes: NDArray[np.int64]
    power: Floats
    targets: Floats
    needed: Floats
    replicates: int


class Large(NamedTuple):
    """A replicate at its full size: its data, the day of the calendar on which each is randomised, and strata.

    `place` : (n,) each participant's place among all who are randomised, of every arm; in the stratum where strata fill
    one by one.
    """

    data: TrialData
    randomised: Floats
    place: NDArray[np.int64]
    stratum: NDArray[np.int64]


class Search(NamedTuple):
    """Replicates at their full size and what is done with them.

    Parameters
    ----------
    sizes : those that leave no block open, ascending; the last is the largest there is.
    known : the powers that are known, by (analysis, day, size).
    guess : (analysis, day) where a power of 80 % is expected; infinite for harm.
    draw : (r,) the vector of the ensemble of each replicate.
    """

    plan: Plan
    data: Sequence[Large]
    sizes: NDArray[np.int64]
    known: dict[tuple[int, ...], Measure]
    guess: Floats
    draw: NDArray[np.int32] | None = None


def replicates_of(work: Work) -> int:
    """Replicates that are simulated for the sizes."""
    return min(work.replicates, REPLICATES)


def steps_of(work: Work) -> int:
    """Steps of the work: its replicates once more for each analysis and day."""
    return replicates_of(work) * (1 + len(work.plan.analyses) * len(work.plan.days))


def sizes(
    work: Work,
    found: Block,
    targets: Sequence[float],
    grid: Sequence[int],
    threads: int,
    *,
    progress: Progress | None = None,
) -> Sizes:
    """The curve at the sizes of the grid, and the sizes with the power of the targets; `found` tells where to look.

    `progress` is called with (steps done, steps in all).
    """
    count, tell = replicates_of(work), progress or (lambda done, total: None)
    guess = expected(work.plan, found)
    reach = max([_reach(work.plan, guess, targets), *grid])
    search = _searching(work, reach, guess, threads)
    cells = list(np.ndindex(*guess.shape))
    tell(count, steps_of(work))
    while True:
        needed = {cell: [required(search, cell, target) for target in targets] for cell in cells}
        largest = int(search.sizes[-1])
        short = any(np.isinf(one.value) and guess[cell] <= LARGEST for cell in cells for one in needed[cell])
        if not short or largest >= whole_sizes(work.plan.scenario, LEAST, LARGEST)[-1]:
            break
        search = _searching(work, min(2 * largest, LARGEST), guess, threads)
    at = np.array(grid or _spread(work.plan.size, guess, search.sizes), np.int64)
    curve = np.empty((*guess.shape, len(at), len(Measure._fields)))
    for done, cell in enumerate(cells, 2):
        curve[cell] = [_power(search, cell, int(n)) for n in at]
        tell(count * done, steps_of(work))
    table = np.array([needed[cell] for cell in cells], np.float64)
    return Sizes(at, curve, np.array(targets), table.reshape(*guess.shape, len(targets), len(Measure._fields)), count)


def _searching(work: Work, reach: int, guess: Floats, threads: int) -> Search:
    """A search among sizes up to the first whole one from `reach` on."""
    whole = whole_sizes(work.plan.scenario, LEAST, max(reach, LARGEST) + work.plan.size)
    last = int(np.searchsorted(whole, reach))
    count = replicates_of(work)
    draw = None if work.draw is None else work.draw[:count]
    kept = whole[: last + 1]
    return Search(work.plan, _simulated(work, int(kept[-1]), count, threads), kept, {}, guess, draw)


def required(search: Search, cell: tuple[int, int], target: float) -> Measure:
    """The least size at which the power is at least the target, by bisection; its error from that of the power.

    A treatment that does harm on average has none.
    """
    if np.isinf(search.guess[cell]):
        return UNKNOWN
    low, high = _bracket(search, cell, target)
    at = search.sizes
    if _power(search, cell, int(at[high])).value < target:
        return Measure(float("inf"), float("nan"))
    while high - low > 1 and at[high] - at[low] > FINE * at[high]:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(search, cell, int(at[middle])).value >= target else (middle, high)
    size, z = int(at[high]), float(ndtri(target))
    slope = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z + _critical(search.plan)) / (2 * size)  # of a normal test
    pieces = len(search.data) if search.draw is None else len(np.unique(search.draw))
    return positive(float(size), float(_power(search, cell, size).mcse / slope), pieces)


def _critical(plan: Plan) -> float:
    """Standard errors at which a test without looks is significant."""
    return -float(ndtri(level(plan).two_sided / 2))


def _bracket(search: Search, cell: tuple[int, int], target: float) -> tuple[int, int]:
    """Places of two sizes, the second of which is enough and the first is not, begun at the normal approximation."""
    at, z = search.sizes, _critical(search.plan)
    low, high = 0, len(at) - 1
    k = min(int(np.searchsorted(at, search.guess[cell] * ((float(ndtri(target)) + z) / (z + Z_80)) ** 2)), high)
    enough = _power(search, cell, int(at[k])).value >= target
    while (_power(search, cell, int(at[k])).value >= target) == enough:
        low, high = (low, k) if enough else (k, high)
        if k in (0, len(at) - 1):
            return low, high
        smaller, larger = (int(np.searchsorted(at, size)) for size in (at[k] / WIDER, at[k] * WIDER))
        k = max(min(smaller, k - 1), 0) if enough else min(max(larger, k + 1), len(at) - 1)
    return (k, high) if enough else (low, k)


def _power(search: Search, cell: tuple[int, int], size: int) -> Measure:
    """Share of the replicates that claim benefit at a size, by the design."""
    key = (*cell, size)
    if key not in search.known:
        a, d = cell
        name, day = search.plan.analyses[a], search.plan.days[d]
        found = _empty(len(search.data), d, looks(search.plan) if d == 0 else 0)
        for k, one in enumerate(search.data):
            some, randomised = first(search.plan, one, size)
            found.estimates[k, 0, d] = estimated(search.plan, name, until(some, day), k)
            if d == 0:
                found.looks[k], found.calendar[k] = looked_at(search.plan, [name], some, randomised, k)
        search.known[key] = share(claims(search.plan, name, found, 0, d).benefit, search.draw)
    return search.known[key]


def _empty(count: int, d: int, held: int) -> Block:
    """Room for one analysis up to the day of analysis number `d`."""
    return Block(
        np.full((count, 1, d + 1, len(ESTIMATED)), np.nan),
        np.zeros((count, 1, 2, len(COUNTED))),
        np.full((count, 1, held, len(ESTIMATED)), np.nan),
        np.full((count, held + 1, 3), np.nan),
        np.empty((count, 0, len(ESTIMATED))),
        np.empty((count, 1, 0, len(ARM))),
        np.empty((count, 1, len(WHOLE))),
    )


def first(plan: Plan, of: Large, size: int) -> tuple[TrialData, Floats]:
    """The participants of a trial of that size, and the days on which they are randomised."""
    limits = np.array(most(plan.scenario, size))
    rows = of.place < (limits[of.stratum] if _by_stratum(plan) else size)
    return where(of.data, rows), of.randomised[rows]


def _by_stratum(plan: Plan) -> bool:
    """Whether each stratum is full on its own: after a lead-in, with exact counts."""
    trial = plan.scenario.trial
    return trial is not None and trial.lead_in is not None and len(most(plan.scenario, plan.size)) > 1


def _large(plan: Plan, seen: ReplicateData) -> Large:
    """What a trial sees of a replicate; everything is a copy."""
    arms, strata = list(plan.scenario.arms), seen.patients["stratum"].astype(np.int64)
    place = np.arange(len(strata))
    if _by_stratum(plan):
        for k in np.unique(strata):
            place[strata == k] = np.arange(np.count_nonzero(strata == k))
    who = np.isin(seen.patients["allocated_arm"], [arms.index(arm) for arm in plan.arms])
    return Large(observed(plan, seen), randomised_on(plan, seen), place[who], strata[who])


def _simulated(work: Work, largest: int, count: int, threads: int) -> list[Large]:
    scenarios = [choice.scenario for choice in work.choices]
    choices, limits = compiled(scenarios, patients(scenarios, largest, work.seed)), most(work.plan.scenario, largest)
    workers = min(threads if JIT else 1, count)

    def some(numbers: range) -> list[Large]:
        space = Replicator(choices)
        return [_large(work.plan, space.replicate(work.seed, number, limits)) for number in numbers]

    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(some, [range(k, count, workers) for k in range(workers)]))
    return [parts[k % workers][k // workers] for k in range(count)]


def expected(plan: Plan, found: Block) -> Floats:
    """(analysis, day) participants for a power of 80 %, by the normal approximation; infinite for harm."""
    value, se = (found.estimates[..., COLUMN[name]] for name in ("value", "se"))
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an analysis without any estimate
        ratio = np.nanmean(value, axis=0) / np.sqrt(np.nanmean(se**2, axis=0))
        ratio *= np.array([direction(name, plan.outcome) for name in plan.analyses])[:, None]
        return np.where(ratio > 0, plan.size * ((Z_80 + _critical(plan)) / ratio) ** 2, np.inf)


def _reach(plan: Plan, guess: Floats, targets: Sequence[float]) -> int:
    """A size that should be enough for every target, up to LARGEST."""
    if not targets:
        return 0
    z = _critical(plan)
    wanted = guess * ((float(ndtri(max(targets))) + z) / (Z_80 + z)) ** 2
    finite = wanted[np.isfinite(wanted) & (wanted <= LARGEST)]
    return int(min(LARGEST, ROOM * max(finite, default=plan.size)))


def _spread(size: int, guess: Floats, whole: NDArray[np.int64]) -> list[int]:
    """Whole sizes up to the largest, from where the analysis that needs the fewest has little power; its own too."""
    finite, largest = guess[np.isfinite(guess)], int(whole[-1])
    least = max(LEAST, min(largest / 10, BELOW * finite.min() if finite.size else largest))
    found = {int(n) for n in whole[np.searchsorted(whole, np.geomspace(least, largest, POINTS) - 0.5)]}
    return sorted(found | ({size} if least <= size <= largest else set()))


def whole_sizes(scenario: Scenario, least: int, largest: int) -> NDArray[np.int64]:
    """Sizes from `least` to `largest`, ascending, at which the blocks of every stratum are full.

    Where strata leave no such size, or fill by chance as after a lead-in, sizes are multiples of the largest block.
    """
    sizes = np.arange(least, largest + 1)
    if scenario.trial is None:
        return sizes
    blocks = np.array([sum(block.values()) for block in scenario.trial.blocks(list(scenario.strata or ["all"]))])
    people = _people(scenario, sizes)
    full = np.ones(len(sizes), np.bool_)
    if people is not None:
        full = (people % np.maximum(blocks, 1) == 0).all(axis=1)
    kept = sizes[full & (sizes % (1 if people is not None else blocks.max()) == 0)]
    return kept if len(kept) else sizes[sizes % blocks.max() == 0]


def _people(scenario: Scenario, sizes: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """(size, stratum) people of each stratum; None where chance decides."""
    shares = [float(one.share.value) for one in (scenario.strata or {}).values()] or [1.0]
    if scenario.trial is not None and scenario.trial.lead_in is not None:
        exact = scenario.trial.counts is not None or len(shares) == 1
        return np.array([most(scenario, int(n)) for n in sizes]) if exact else None
    codes = np.empty(int(sizes[-1]), np.int8)
    strata_of(np.array(shares), codes)
    counts = np.cumsum(codes[:, None] == np.arange(len(shares)), axis=0)
    return np.asarray(counts[sizes - 1], np.int64)
