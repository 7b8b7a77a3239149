"""The parameter vectors of a result over draws, each as a result of its own; of any other result itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simulator.results import Result
from simulator.results.tidy import DRAWN
from simulator.units import minus

ROOM = 5  # arms whose bands can be told apart


def vectors(result: Result) -> list[Result]:
    """One result for each parameter vector."""
    from simulator.studies.draws import one_draw

    return [one_draw(result, k) for k in range(result.draws)] if result.draws else [result]


def bands(result: Result, otherwise: str) -> str:
    """What lines and bands are, in words: over vectors or, of one, as it is said."""
    if not result.draws:
        return otherwise if len(result.arms) <= ROOM else ""
    band = "; bands: 5th to 95th percentile" if len(result.arms) <= ROOM else ""
    return f"Lines: median over {result.draws} vectors of the calibrated ensemble{band}."


def spread(result: Result, curve: Callable[[Result], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median, 5th and 95th percentile over the vectors of what a function computes of each."""
    return over([curve(one) for one in vectors(result)])


def over(each: Sequence[Any] | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median, 5th and 95th percentile of numbers or arrays, one for each vector."""
    middle, low, high = np.quantile(np.asarray(each, np.float64), (0.5, *DRAWN), axis=0)
    return middle, low, high


def said(each: Sequence[float], otherwise: str, digits: int = 1) -> str:
    """Median and range over the vectors in words or, of one, as it is said."""
    if len(each) < 2:
        return minus(otherwise)
    middle, low, high = (f"{float(one):.{digits}f}" for one in over(each))
    return minus(f"{middle} ({low} to {high})")
