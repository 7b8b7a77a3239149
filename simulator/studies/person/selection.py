"""Which twins are kept, and with which weights.

A twin that fits as well as f of the best fit there can be is accepted with probability f: rejection sampling from the
posterior, and all who are kept count alike. Where that keeps fewer than one in 1,000, those with f below a threshold c
are kept with probability f/c and count c, the others are kept and count f (rejection control): as many as asked for,
with the smallest loss that keeps every weighted mean right.

References
----------
Liu, Chen & Wong (1998), Rejection control and sequential importance sampling, doi:10.1080/01621459.1998.10473764.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError
from simulator.language.faults import Problem
from simulator.run import SEED, recorded
from simulator.studies.person.likelihood import Term, terms
from simulator.studies.person.timeline import Timeline, history

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

Floats = NDArray[np.float64]
BLOCK = 16_384
"""Twins that are looked at together; the numbers of a result depend on it."""
ENOUGH = 1e-3
"""Share accepted below which weights are used."""
WEIGHED = 64 * BLOCK
"""Twins looked at where weights are used: 1,048,576."""
LEAST_EFFECTIVE = 10.0
PROBE, MOST_CANDIDATES = 8, 4_000
"""Twins met first, and the most candidates one of them may take."""
METHODS = ("auto", "accept", "weigh")
LOTS = 0x7477696E  # the key of a block of lots begins here; the engine's generator is another one


class PersonError(SimulatorError):
    """Nobody like this person was found."""


class Chosen(NamedTuple):
    """The twins that are kept: numbers, weights of mean 1, how many were looked at, the share that fits."""

    numbers: NDArray[np.int64]
    weights: Floats
    looked_at: int
    share: float
    method: str

    @property
    def effective(self) -> float:
        """Kish's effective sample size, (sum w)²/sum w²."""
        return float(self.weights.sum() ** 2 / np.sum(self.weights**2))


class Block(NamedTuple):
    """A block of twins: numbers of those who can fit, their fit, their lots, and the terms of all."""

    numbers: NDArray[np.int64]
    fit: Floats
    lots: Floats
    terms: list[Term]


def choose(
    scenario: Scenario,
    line: Timeline,
    wanted: int,
    *,
    seed: int | None = None,
    threads: int | None = None,
    method: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Chosen:
    """Twins who match a person.

    Raises
    ------
    PersonError
        None does; the message names the measurement that is to blame.
    """
    if method not in METHODS:
        raise SimulatorError(f"the method {method!r} is not known. Choose {', '.join(METHODS)}")
    looks = _looks(scenario, line, SEED if seed is None else seed, threads)
    first = next(looks)
    accepts = method == "accept" or (method == "auto" and _share(first) >= ENOUGH)
    if accepts and _share(first) > 0:
        return _accept(first, looks, wanted, progress)
    return _weigh(scenario, first, looks, wanted, progress)


def _share(seen: Block) -> float:
    return float(seen.fit.sum()) / BLOCK


def _looks(scenario: Scenario, line: Timeline, seed: int, threads: int | None) -> Iterator[Block]:
    """Block after block of twins, up to now."""
    past, person = history(scenario, line), scenario.person
    assert person is not None
    _probe(scenario, past, seed)
    for block in range(2**31):
        numbers = np.arange(block * BLOCK, (block + 1) * BLOCK)
        record = recorded(past, seed=seed, threads=threads, numbers=numbers)
        found = list(terms(record, line, person, scenario.visits))
        fit = np.prod([term.fit for term in found], axis=0)
        lots = np.random.Generator(np.random.Philox(key=np.array([seed, LOTS + block], np.uint64))).random(BLOCK)
        can = fit > 0
        yield Block(numbers[can], fit[can], lots[can], found)


def _probe(scenario: Scenario, past: Scenario, seed: int) -> None:
    """Refuse at once where hardly anybody lives until the twins' entry: each would take thousands of candidates."""
    path, remedy = ("entry", "time_since_onset_months"), "Correct it, the genotype, or earlier measurements"
    try:
        tried = int(recorded(past, patients=PROBE, seed=seed, threads=1).patients["candidates"].max())
    except SimulatorError as error:
        raise PersonError(str(scenario._origin.fault(Problem(path, str(error).partition(". ")[0], remedy)))) from None
    if tried > MOST_CANDIDATES:
        fact = f"fewer than 1 in {tried // PROBE:,} people like this live that long without death or ventilation"
        raise PersonError(str(scenario._origin.fault(Problem(path, fact, remedy))))


def _accept(first: Block, looks: Iterator[Block], wanted: int, progress: Callable[[int, int], None] | None) -> Chosen:
    """The first so many twins whose lot falls below their fit."""
    kept: list[NDArray[np.int64]] = []
    seen, blocks, total = first, 1, 0.0
    while True:
        kept.append(seen.numbers[seen.lots < seen.fit])
        total += _share(seen)
        have = sum(map(len, kept))
        if progress:
            progress(min(have, wanted), wanted)
        if have >= wanted:
            break
        seen, blocks = next(looks), blocks + 1
    numbers = np.concatenate(kept)[:wanted]
    return Chosen(numbers, np.ones(wanted), blocks * BLOCK, total / blocks, "accept")


def _weigh(
    scenario: Scenario, first: Block, looks: Iterator[Block], wanted: int, progress: Callable[[int, int], None] | None
) -> Chosen:
    """So many of a million twins, with weights."""
    blocks = [first]
    blame = _Blame(len(first.terms))
    blame.add(first.terms)
    for number in range(1, WEIGHED // BLOCK):
        seen = next(looks)
        blame.add(seen.terms)
        blocks.append(seen._replace(terms=[]))
        if progress:
            progress(number, WEIGHED // BLOCK)
    numbers, fit, lots = (np.concatenate([getattr(one, key) for one in blocks]) for key in ("numbers", "fit", "lots"))
    effective = fit.sum() ** 2 / np.sum(fit**2) if len(fit) else 0.0
    if effective < LEAST_EFFECTIVE:
        raise PersonError(_nobody(scenario, first.terms, blame, effective))
    threshold = _threshold(fit, wanted)
    keep = lots * threshold < fit
    weights = np.maximum(fit, threshold)[keep]
    return Chosen(numbers[keep], weights / weights.mean(), WEIGHED, float(fit.sum()) / WEIGHED, "weigh")


def _threshold(fit: Floats, wanted: int) -> float:
    """The c with sum of min(1, fit/c) = `wanted`: so many are kept on average; 0 where there are not so many."""
    if len(fit) <= wanted:
        return 0.0
    ordered = np.sort(fit)
    left = wanted - (len(fit) - 1 - np.arange(len(fit)))  # places for the k + 1 smallest, if all others are kept
    threshold = np.where(left > 0, np.cumsum(ordered) / np.maximum(left, 1), np.inf)
    return float(threshold[np.argmax(threshold <= np.append(ordered[1:], np.inf))])


class _Blame:
    """Fit of all twins without each of the measurements in turn."""

    def __init__(self, count: int) -> None:
        self.without = np.zeros((count, 2))  # sums of fit and of its square

    def add(self, found: list[Term]) -> None:
        """Count a block."""
        for k in range(len(found)):
            rest = np.prod([term.fit for j, term in enumerate(found) if j != k] or [np.ones(BLOCK)], axis=0)
            self.without[k] += rest.sum(), np.sum(rest**2)

    @property
    def culprit(self) -> int:
        """The measurement without which most twins would match."""
        effective = self.without[:, 0] ** 2 / np.maximum(self.without[:, 1], 1e-300)
        return int(np.argmax(effective))


def _nobody(scenario: Scenario, found: list[Term], blame: _Blame, effective: float) -> str:
    """Which measurement stands in the way, and what the twins had instead."""
    term = found[blame.culprit]
    rest = np.prod([one.fit for one in found if one is not term] or [np.ones(BLOCK)], axis=0)
    order = np.argsort(term.truth)
    below = np.cumsum(rest[order]) / max(rest.sum(), 1e-300)
    low, high = (term.truth[order][min(int(np.searchsorted(below, p)), BLOCK - 1)] for p in (0.05, 0.95))
    fact = f"none of {WEIGHED:,} twins matches: {term.words} is not what people like this have"
    if effective > 0:
        fact = f"of {WEIGHED:,} twins hardly any matches (effective number {effective:.1f}): {term.words} is rare"
    middle = f"; 90 % of those who match the rest have {low:.3g} to {high:.3g}" if rest.sum() > 0 else ""
    remedy = "Correct it, the time since onset or the genotype"
    return str(scenario._origin.fault(Problem(term.path, fact + middle, remedy)))
