"""Allocation that leans: how hard the arm of `trial.imbalance` must pull for the shift that is asked for.

The weight is found on people of its own, the same for every run of a scenario, by root finding under common random
numbers: they are allocated again and again, with the pull and without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.engine import batches, recruit, rows
from simulator.engine.allocation import allocate
from simulator.engine.observe import Visits
from simulator.engine.people import Gates, People, strata_of
from simulator.engine.random import Key, make_key
from simulator.errors import SimulatorError
from simulator.language.faults import Problem

if TYPE_CHECKING:
    from simulator.language.blocks.trial import Imbalance
    from simulator.language.scenario import Scenario

SEED, PEOPLE, TIMES, CLOSE = 1, 2048, 64, 1e-3
HARDEST = 20.0
"""The hardest pull, in standard deviations of what is measured."""
ROWS = {
    "nfl_plasma": rows.NFL_MEASURED,
    "alsfrs_r": rows.ALSFRS_MEASURED,
    "svc_percent": rows.SVC_MEASURED,
    "age_years": rows.AGE,
}


class Lean(NamedTuple):
    """What allocation leans on: the row, whether its logarithm counts, its mean by stratum, and each arm's pull."""

    row: int  # offset of a row of the cohort, -1: nothing
    log: bool
    centre: np.ndarray  # (stratum,) float64
    pull: np.ndarray  # (arm,) float64

    def of(self, values: np.ndarray, strata: np.ndarray) -> np.ndarray:
        """What is pulled at, of people with these measured values."""
        x = values.astype(np.float64)
        return (np.log(x) if self.log else x) - self.centre[strata]


class Entering(NamedTuple):
    """All that recruiting needs, as numbers."""

    people: People
    visits: Visits
    model: tuple
    gates: Gates
    sizes: batches.Sizes


def no_lean(block: np.ndarray) -> Lean:
    """Allocation at random."""
    return Lean(-1, False, np.zeros(block.shape[0]), np.zeros(block.shape[1]))


def lean(scenario: Scenario, wanted: Imbalance, block: np.ndarray, entering: Entering) -> Lean:
    """The pull of an arm that shifts the mean as wanted.

    Raises
    ------
    SimulatorError
        Blocks as small as these do not allow such a shift.
    """
    found = no_lean(block)._replace(row=ROWS[wanted.measure], log=wanted.measure == "nfl_plasma")
    values, strata = _reference(found.row, entering)
    if not len(values):
        return found  # nobody is eligible: the run says so
    x = found.of(values, strata)
    centre = np.array([x[strata == k].mean() if (strata == k).any() else 0.0 for k in range(len(block))])
    found = found._replace(centre=centre)
    trials = _Trials(found.of(values, strata), strata, block, list(scenario.arms).index(wanted.arm))
    least, most = trials.reach()
    if not least < (shift := wanted.shift.value) < most:
        fact = f"allocation cannot shift the mean by {shift:g}: these blocks allow {least:.2g} to {most:.2g}"
        problem = Problem(("trial", "imbalance", "shift"), fact, "Ask for less, or write a larger trial.block_size")
        raise SimulatorError(str(scenario.fault(problem)))
    return found._replace(pull=trials.pull(_solve(trials, shift)))


class _Trials:
    """The reference people, allocated under `TIMES` keys."""

    def __init__(self, x: np.ndarray, strata: np.ndarray, block: np.ndarray, arm: int) -> None:
        self.x, self.strata, self.block, self.arm = x, strata, block, arm
        self.keys = [make_key(SEED, number) for number in range(TIMES)]
        self.chance = self._mean_shift(0.0)

    def pull(self, weight: float) -> np.ndarray:
        """Pull of each arm: the leaning one's alone."""
        return np.where(np.arange(self.block.shape[1]) == self.arm, weight, 0.0)

    @property
    def spread(self) -> float:
        """Standard deviation of what is measured."""
        return float(self.x.std())

    def reach(self) -> tuple[float, float]:
        """The least and the largest shift that the blocks allow."""
        return self.shift(-HARDEST / self.spread), self.shift(HARDEST / self.spread)

    def shift(self, weight: float) -> float:
        """Expected shift; what chance alone shifts under these keys is taken off, for its expectation is 0."""
        return self._mean_shift(weight) - self.chance

    def _mean_shift(self, weight: float) -> float:
        return float(np.mean([self._one(key, weight) for key in self.keys]))

    def _one(self, key: Key, weight: float) -> float:
        left, out = np.zeros_like(self.block), np.empty_like(self.strata)
        with np.errstate(over="ignore"):
            arms = allocate(key, self.strata, self.block, self.pull(weight), self.x, left, out)
        return float(self.x[arms == self.arm].mean() - self.x[(arms != self.arm) & (arms >= 0)].mean())


def _solve(trials: _Trials, wanted: float) -> float:
    """The weight with this shift, which rises with the weight; to CLOSE standard deviations of what is measured."""
    from scipy.optimize import brentq

    spread = trials.spread
    low, high = (0.0, HARDEST) if wanted > 0 else (-HARDEST, 0.0)
    return float(brentq(lambda w: trials.shift(w) - wanted, low / spread, high / spread, xtol=CLOSE / spread))


def _reference(row: int, entering: Entering) -> tuple[np.ndarray, np.ndarray]:
    """Measured values and strata of people who enter; nobody where a stratum has no candidate."""
    worker = batches.make_worker(entering.sizes._replace(patients=PEOPLE), PEOPLE, PEOPLE)
    strata, space = np.empty(PEOPLE, np.int8), worker.space
    strata_of(entering.gates.shares, strata)
    who = entering.people, entering.visits, entering.model, entering.gates
    with np.errstate(over="ignore"):
        failed = recruit.recruit(*who, make_key(SEED), worker.search, 0, PEOPLE, space.cohort, space.who)
    if failed >= 0:
        return np.empty(0), strata[:0]
    return space.cohort[row // rows.LANES].copy(), strata
