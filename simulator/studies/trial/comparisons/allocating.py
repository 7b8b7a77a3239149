"""Who gets the places after a look: nobody, the other arms in their ratio, or those that do well."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
NODES = 201


def best(estimate: Floats, se: Floats, loading: Floats) -> Floats:
    """(k,) probability of each arm to be the best, of normals about the estimates without other knowledge.

    The control's part of the errors is common to all arms, and does not matter.
    """
    from scipy.special import ndtr

    own = se * np.sqrt(1 - loading**2)
    x = np.linspace(-7, 7, NODES)
    weight = np.exp(-(x**2) / 2)
    at = estimate[:, None] + own[:, None] * x  # (k, x)
    below = ndtr((at[:, None] - estimate[None, :, None]) / own[None, :, None])  # (k, other, x)
    below[np.arange(len(own)), np.arange(len(own))] = 1.0
    found = below.prod(axis=1) @ weight
    return np.asarray(found / found.sum())


def weights(probability: Floats, power: float, control: float) -> Floats:
    """(k + 1,) shares of the arms and, last, of the control."""
    raised = probability**power
    return np.append((1 - control) * raised / raised.sum(), control)


def places(ratio: Sequence[int], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(count,) arms of permuted blocks in a ratio of whole numbers."""
    block = np.repeat(np.arange(len(ratio)), ratio)
    blocks = -(-count // max(len(block), 1))
    return np.concatenate([rng.permutation(block) for _ in range(blocks)] or [block])[:count]


def drawn(share: Floats, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(count,) arms drawn one by one with these shares."""
    return np.searchsorted(np.cumsum(share)[:-1], rng.random(count), side="right").astype(np.int64)
