"""Sizes that keep the ratio: those at which no block is left open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.engine.people import strata_of
from simulator.studies.trial.entering import most

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario


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
