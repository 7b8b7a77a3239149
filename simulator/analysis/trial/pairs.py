"""Every participant against every other: who fared better, by survival first and function second.

References
----------
Finkelstein & Schoenfeld (1999), Combining mortality and longitudinal measures in clinical trials, Statistics in
Medicine 18:1341-1354.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.data import Bools, Floats, Integers, TrialData

Signs = NDArray[np.int8]


class Fared(NamedTuple):
    """What of TrialData is compared."""

    time: Floats
    event: Bools
    change: Floats


def comparisons(data: TrialData, *, margin: float = 0.0) -> Signs:
    """(n, n) 1 where the participant of the row fared better than that of the column, −1 worse, 0 neither.

    Worse is who had the event on a day on which the other was known to be free of it. A pair that this does not decide
    compares changes from baseline at the last visit where both were measured; they differ if by more than `margin`.
    """
    return between(data, data, margin=margin)


def scores(data: TrialData) -> Integers:
    """(n,) how many others fared worse minus how many fared better: the row sums of `comparisons`, by sorting.

    Events rank by their day below those who are free and measured at the end, who rank by change. Everybody else (seen
    for a shorter time, not measured at the end, an event on the day of another) is compared one by one.
    """
    every = Fared(data.time, data.event, data.change)
    change = every.change[:, -1] if len(data.nominal_day) > 1 else np.full(data.n, np.nan)
    day = np.unique(data.time, return_inverse=True)[1]
    known = ~data.event & (data.time == data.time.max()) & np.isfinite(change)
    ranked = known | (data.event & (np.bincount(day, data.event)[day] == 1))
    low = float(change[known].min()) if known.any() else 0.0
    key = np.where(known, change, low - 1 - day.max() + day)[ranked]
    order = np.sort(key)
    found = np.zeros(data.n, np.int64)
    found[ranked] = np.searchsorted(order, key, "left") - (len(key) - np.searchsorted(order, key, "right"))
    if not ranked.all():
        signs = between(Fared(*(values[~ranked] for values in every)), every)
        found[~ranked] = signs.sum(axis=1, dtype=np.int64)
        found[ranked] -= signs[:, ranked].sum(axis=0, dtype=np.int64)
    return found


def between(rows: TrialData | Fared, columns: TrialData | Fared, *, margin: float = 0.0) -> Signs:
    """(n, k) the same for the participants of `rows` against those of `columns`, who have the same visits."""
    lost, won = _lost(rows, columns), _lost(columns, rows).T
    change, other = rows.change, columns.change
    gap = change[:, -1:] - other[:, -1] if change.shape[1] > 1 else np.full(lost.shape, np.nan)
    decided = lost | won
    signs = np.where(decided, _sign(won, lost), _sign(gap > margin, gap < -margin))
    row, column = np.nonzero(~decided & np.isnan(gap))  # few: the last visit is missing for one of them
    for visit in range(change.shape[1] - 2, 0, -1):
        gaps = change[row, visit] - other[column, visit]
        signs[row, column] = _sign(gaps > margin, gaps < -margin)
        left = np.isnan(gaps)
        row, column = row[left], column[left]
    return signs


def _sign(more: Bools, less: Bools) -> Signs:
    return more.view(np.int8) - less.view(np.int8)


def _lost(rows: TrialData | Fared, columns: TrialData | Fared) -> Bools:
    """(n, k) whether the row had the event while the column was known free. Events precede censorings of a day."""
    earlier = rows.time[:, None] < columns.time
    same_day = (rows.time[:, None] == columns.time) & ~columns.event
    return np.asarray(rows.event[:, None] & (earlier | same_day))
