"""Distributions as the five numbers that a kernel draws from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from simulator.quantities import Distribution

F = np.float32
Terms: TypeAlias = tuple[np.float32, np.float32, np.float32, np.float32, np.float32]
ZERO: Terms = (F(0), F(0), F(0), F(0), F(0))
"""A draw that is always 0."""


def terms(distribution: Distribution) -> Terms:
    """A distribution as five numbers: log-normal or not, centre (log of the median), spread, low, high."""
    log, centre, spread, low, high = distribution.terms()
    return F(log), F(math.log(centre) if log else centre), F(spread), F(low), F(high)
