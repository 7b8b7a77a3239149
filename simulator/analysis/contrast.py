"""Differences between arms, or between runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.moments import Estimate, from_influence, mean_over


def paired(a: Estimate, b: Estimate) -> Estimate:
    """Difference a − b when patient i is the same person in both: their common randomness cancels.

    The variance is var(a) + var(b) − 2 sum(ψ_i φ_i)/(n_a n_b) over the patients in both, the first min(n_a, n_b). Where
    no patient differs in a share, the error is that of Agresti & Min (2005) for paired shares without discordant pairs,
    1/(n + 2), doi:10.1002/sim.1781; none where all lives are equal.
    """
    if a.influence is None or b.influence is None:
        raise ValueError("a paired difference needs the influences of both estimates")
    value, n = a.value - b.value, min(a.n, b.n)
    if len(a.influence) == len(b.influence):
        found = from_influence(value, a.influence - b.influence, n)._replace(paired=True)
        if _alike(a, b):
            return found._replace(mcse=0.0)
        return found._replace(mcse=max(a.least, b.least)) if found.mcse == 0 else found
    common = min(len(a.influence), len(b.influence))
    product = float(np.sum(a.influence[:common] * b.influence[:common]))
    variance = a.mcse**2 + b.mcse**2 - 2 * product / (len(a.influence) * len(b.influence))
    return Estimate(value, float(np.sqrt(max(variance, 0.0))), n, None, True)


def _alike(a: Estimate, b: Estimate) -> bool:
    """Whether what was counted is the same in every patient."""
    return a.facts is not None and b.facts is not None and np.array_equal(a.facts, b.facts, equal_nan=True)


def independent(a: Estimate, b: Estimate) -> Estimate:
    """Difference a − b when the patients are different, or when it is not known who they were."""
    return Estimate(a.value - b.value, float(np.hypot(a.mcse, b.mcse)), min(a.n, b.n))


def difference(a: Estimate, b: Estimate, same_patients: bool) -> Estimate:
    """Difference a − b: paired where it can be."""
    kept = a.influence is not None and b.influence is not None
    return paired(a, b) if same_patients and kept else independent(a, b)


def survivors_of_both(
    a: ArrayLike, b: ArrayLike, alive_a: ArrayLike, alive_b: ArrayLike, *, weight: ArrayLike | None = None
) -> Estimate:
    """Mean of a − b over the patients who are alive in both arms (a principal stratum; only a simulation sees it)."""
    both = np.asarray(alive_a, bool) & np.asarray(alive_b, bool)
    return mean_over(np.asarray(a, np.float64) - np.asarray(b, np.float64), both, weight)


def with_death_as_zero(score: ArrayLike, alive: ArrayLike) -> np.ndarray:
    """The score, 0 where the patient is dead (the composite strategy of ICH E9 R1)."""
    return np.where(np.asarray(alive, bool), np.asarray(score, np.float64), 0.0)
