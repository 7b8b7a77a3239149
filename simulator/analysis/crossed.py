"""The error of a mean over draws and replicates, when replicate r may have the same people and random numbers in all.

With people of its own at every draw, noise belongs to one draw and one replicate, and the draws alone tell the error.
With common random numbers replicate r has the same people everywhere: what is special to them moves every draw alike,
more draws do not average it out, and only the replicates tell how large it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Mean(NamedTuple):
    """A mean, its standard error (NaN where nothing tells it), how many values tell that (see `intervals.reach`)."""

    value: float
    se: float
    n: float


def mean(values: ArrayLike, shared: bool) -> Mean:
    """Mean of values : (draws, replicates), with its standard error.

    Of a table with random rows and random columns, var(row means)/n + var(column means)/R counts what belongs to one
    cell twice: the mean square of the interaction over nR is taken off once (Cornfield & Tukey 1956,
    doi:10.1214/aoms/1177728067). The degrees of freedom of the sum are Satterthwaite's (1946, doi:10.2307/3002019).

    Parameters
    ----------
    shared : bool
        Whether replicate r is the same people at every draw; its error then needs two replicates.
    """
    table = np.asarray(values, np.float64)
    n, replicates = table.shape
    rows = table.mean(axis=1)
    of_rows = float(rows.var(ddof=1)) / n
    if not shared:
        return Mean(float(rows.mean()), float(np.sqrt(of_rows)), float(n))
    if replicates < 2:
        return Mean(float(rows.mean()), float("nan"), float("nan"))
    of_columns = _of_columns(table)
    whole, pieces = of_rows + of_columns, of_rows**2 / (n - 1) + of_columns**2 / (replicates - 1)
    behind = 1 + whole**2 / pieces if pieces > 0 else float(n)
    return Mean(float(rows.mean()), float(np.sqrt(whole)), behind)


def _of_columns(table: Floats) -> float:
    """What the columns add to the variance of the mean of a table; 0 where they differ by no more than cells do."""
    n, replicates = table.shape
    columns = table.mean(axis=0)
    rest = table - table.mean(axis=1, keepdims=True) - columns + table.mean()
    interaction = float((rest**2).sum()) / ((n - 1) * (replicates - 1))
    return max(float(columns.var(ddof=1)) / replicates - interaction / (n * replicates), 0.0)


def products(x: Floats, y: Floats, distinct: bool = True) -> Floats:
    """Mean product over pairs of replicates, the last axis: of different ones, in which noise has mean 0, or of all.

    With one replicate there is one pair, of it with itself.
    """
    n = x.shape[-1]
    whole = x.sum(axis=-1) * y.sum(axis=-1)
    if not distinct or n == 1:
        return np.asarray(whole / n**2)
    return np.asarray((whole - (x * y).sum(axis=-1)) / (n * (n - 1)))
