"""How many participants a trial needs: the same replicates at every size, the smaller nested in the larger.

Every replicate is simulated once, as large as needed, and analysed in its first n participants. So power as a function
of n is one curve of common random numbers, and bisection finds where it passes the power that is wanted.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from simulator.analysis.replicates import Measure
from simulator.analysis.trial.data import TrialData, until, where
from simulator.engine.jit import JIT
from simulator.replicate import Replicator, compiled
from simulator.studies.trial.blocks import Progress, Work
from simulator.studies.trial.entering import most, patients
from simulator.studies.trial.measures import COLUMN, power
from simulator.studies.trial.plan import Plan
from simulator.studies.trial.replicates import Block, estimated, observed

Floats = NDArray[np.float64]
REPLICATES = 400
"""Most replicates that look for a size."""
LARGEST, LEAST, POINTS = 2000, 12, 8
"""Largest and smallest size looked at, and sizes of the curve where none are named."""
ROOM, FINE, WIDER, BELOW = 1.5, 0.01, 1.25, 0.3
"""How far beyond the normal approximation is looked, how closely a size is found (relative), steps on the way, and
where the curve begins, as a part of the size with a power of 80 %."""
Z_95, Z_80 = float(ndtri(0.975)), float(ndtri(0.8))


class Sizes(NamedTuple):
    """Power over sizes, and the sizes that are needed.

    Parameters
    ----------
    sizes : (s,) participants.
    power : (analysis, day, s, 2) value and Monte Carlo error.
    targets : (t,) the powers that are wanted.
    needed : (analysis, day, t, 2) participants and Monte Carlo error; infinite where LARGEST is not enough.
    replicates : how many replicates are behind them.
    """

    sizes: NDArray[np.int64]
    power: Floats
    targets: Floats
    needed: Floats
    replicates: int


class Search(NamedTuple):
    """Replicates at their full size, what is done with them, the powers that are known: (analysis, day, size),
    and where a power of 80 % is expected : (analysis, day).
    """

    plan: Plan
    data: Sequence[TrialData]
    largest: int
    known: dict[tuple[int, ...], Measure]
    guess: Floats


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
    largest = max([_reach(work.plan, guess, targets), *grid])
    search = Search(work.plan, _simulated(work, largest, count, threads), largest, {}, guess)
    at = np.array(grid or _spread(work.plan.size, guess, largest), np.int64)
    cells = list(np.ndindex(len(work.plan.analyses), len(work.plan.days)))
    shape = len(work.plan.analyses), len(work.plan.days)
    curve, needed = np.empty((*shape, len(at), 2)), np.empty((*shape, len(targets), 2))
    tell(count, steps_of(work))
    for done, cell in enumerate(cells, 2):
        curve[cell] = [_power(search, cell, int(n)) for n in at]
        needed[cell] = np.reshape([required(search, cell, target) for target in targets], (-1, 2))
        tell(count * done, steps_of(work))
    return Sizes(at, curve, np.array(targets), needed, count)


def required(search: Search, cell: tuple[int, int], target: float) -> Measure:
    """The least size at which the power is at least the target, by bisection; its error from that of the power."""
    low, high = _bracket(search, cell, target)
    if _power(search, cell, high).value < target:
        return Measure(float("inf"), float("nan"))
    while high - low > max(1, FINE * high):
        middle = (low + high) // 2
        low, high = (low, middle) if _power(search, cell, middle).value >= target else (middle, high)
    z = float(ndtri(target))
    slope = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z + Z_95) / (2 * high)  # of a normal test's power in n
    return Measure(float(high), float(np.sqrt(target * (1 - target) / len(search.data)) / slope))


def _bracket(search: Search, cell: tuple[int, int], target: float) -> tuple[int, int]:
    """Two sizes, the second of which is enough and the first is not, begun at the normal approximation."""
    low, high = LEAST, search.largest
    size = search.guess[cell] * ((float(ndtri(target)) + Z_95) / (Z_95 + Z_80)) ** 2
    size = int(min(max(size, LEAST), high)) if np.isfinite(size) else high
    enough = _power(search, cell, size).value >= target
    step = 1 / WIDER if enough else WIDER
    while (_power(search, cell, size).value >= target) == enough:
        low, high = (low, size) if enough else (size, high)
        if size in (LEAST, search.largest):
            return low, high
        size = int(min(max(size * step, LEAST), search.largest))
    return (size, high) if enough else (low, size)


def _power(search: Search, cell: tuple[int, int], size: int) -> Measure:
    key = (*cell, size)
    if key not in search.known:
        name, day = search.plan.analyses[cell[0]], search.plan.days[cell[1]]
        rows = [estimated(search.plan, name, first(one, day, size), k) for k, one in enumerate(search.data)]
        search.known[key] = power(np.array(rows)[:, COLUMN["p"]])
    return search.known[key]


def first(data: TrialData, day: float, size: int) -> TrialData:
    """The first so many participants, until a day of analysis."""
    return until(where(data, np.arange(data.n) < size), day)


def _simulated(work: Work, largest: int, count: int, threads: int) -> list[TrialData]:
    scenarios = [choice.scenario for choice in work.choices]
    choices, limits = compiled(scenarios, patients(scenarios, largest, work.seed)), most(work.plan.scenario, largest)
    workers = min(threads if JIT else 1, count)

    def some(numbers: range) -> list[TrialData]:
        space = Replicator(choices)
        return [observed(work.plan, space.replicate(work.seed, number, limits)) for number in numbers]

    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(some, [range(k, count, workers) for k in range(workers)]))
    return [parts[k % workers][k // workers] for k in range(count)]


def expected(plan: Plan, found: Block) -> Floats:
    """(analysis, day) participants for a power of 80 %, by the normal approximation."""
    value, se = (found.estimates[..., COLUMN[name]] for name in ("value", "se"))
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an analysis without any estimate
        ratio = np.abs(np.nanmean(value, axis=0)) / np.sqrt(np.nanmean(se**2, axis=0))
        return np.asarray(plan.size * ((Z_80 + Z_95) / ratio) ** 2)


def _reach(plan: Plan, guess: Floats, targets: Sequence[float]) -> int:
    """A size that should be enough for every target, up to LARGEST."""
    if not targets:
        return 0
    wanted = guess * ((float(ndtri(max(targets))) + Z_95) / (Z_80 + Z_95)) ** 2
    finite = wanted[np.isfinite(wanted) & (wanted <= LARGEST)]
    return int(min(LARGEST, ROOM * max(finite, default=plan.size)))


def _spread(size: int, guess: Floats, largest: int) -> list[int]:
    """Sizes up to the largest, from where the analysis that needs the fewest has little power; the trial's own too."""
    finite = guess[np.isfinite(guess)]
    least = max(LEAST, min(largest / 10, BELOW * finite.min() if finite.size else largest))
    found = {int(n) for n in np.rint(np.geomspace(least, largest, POINTS))}
    return sorted(found | ({size} if least <= size <= largest else set()))
