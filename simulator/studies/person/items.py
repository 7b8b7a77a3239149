"""How likely items, each with noise and rounded, are to add up to a score. Section 2 of docs/model.md."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WEIGHTS = {
    "bulbar": (0.95, 1.0, 1.05),  # speech, salivation, swallowing
    "fine_motor": (1.0, 0.95, 1.05),  # handwriting, cutting food, dressing
    "gross_motor": (1.0, 1.0, 1.0),  # turning in bed, walking, climbing stairs
    "respiratory": (0.92, 1.0, 1.10),  # dyspnoea, orthopnoea, respiratory insufficiency
}
"""The factor d of each item: below 1 it falls before its domain."""
DOMAINS = tuple(WEIGHTS)
FULL, MOST = 12.0, 4
LEAST = 1e-6  # points; what is left of a domain that is lost


def _shares(domain: Floats, steepness: Floats, name: str, sd: float) -> list[Floats]:
    """For each item of a domain the probabilities of 0 to 4 points, (twin, points).

    The latent item is 4/(1 + L d^-a), L = 12/F - 1 what the domain F has lost; noise is added before rounding half up.
    """
    from scipy.special import ndtr

    lost = FULL / np.maximum(domain, LEAST) - 1
    edges = np.arange(MOST) + 0.5
    found = []
    for d in WEIGHTS[name]:
        latent = MOST / (1 + lost * d**-steepness)
        below = ndtr((edges - latent[:, None]) / max(sd, 1e-9))
        found.append(np.diff(below, prepend=0.0, append=1.0, axis=1))
    return found


def _sum(parts: Sequence[Floats]) -> Floats:
    """Distribution of a sum of independent scores, (twin, points)."""
    total = np.ones((len(parts[0]), 1))
    for part in parts:
        wider = np.zeros((len(total), total.shape[1] + part.shape[1] - 1))
        for points in range(part.shape[1]):
            wider[:, points : points + total.shape[1]] += total * part[:, points : points + 1]
        total = wider
    return total


def domain_fit(domain: Floats, steepness: Floats, name: str, points: float, sd: float) -> Floats:
    """P(the items of a domain add up to `points`) for each twin; what no truth can give more of is 1."""
    return _sum(_shares(domain, steepness, name, sd))[:, int(points)]


def total_law(domains: Sequence[tuple[Floats, str]], steepness: Floats, sd: float) -> Floats:
    """Distribution of the sum of all twelve items for each twin, (twin, points)."""
    return _sum([_sum(_shares(domain, steepness, name, sd)) for domain, name in domains])


def total_fit(domains: Sequence[tuple[Floats, str]], steepness: Floats, low: float, high: float, sd: float) -> Floats:
    """P(all twelve items add up to low ... high) for each twin."""
    total = total_law(domains, steepness, sd)
    return np.asarray(total[:, max(int(np.ceil(low)), 0) : int(np.floor(high)) + 1].sum(axis=1))
