"""Every participant against every other: who fared better, by survival first and function second.

References
----------
Finkelstein & Schoenfeld (1999), Combining mortality and longitudinal measures in clinical trials, Statistics in
Medicine 18:1341-1354.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.data import Bools, TrialData

Signs = NDArray[np.int8]


def comparisons(data: TrialData, *, margin: float = 0.0) -> Signs:
    """(n, n) 1 where the participant of the row fared better than that of the column, −1 worse, 0 neither.

    Worse is who had the event on a day on which the other was known to be free of it. A pair that this does not decide
    compares changes from baseline at the last visit where both were measured; they differ if by more than `margin`.
    """
    return between(data, data, margin=margin)


def between(rows: TrialData, columns: TrialData, *, margin: float = 0.0) -> Signs:
    """(n, k) the same for the participants of `rows` against those of `columns`, who have the same visits."""
    lost, won = _lost(rows, columns), _lost(columns, rows).T
    signs = won.astype(np.int8) - lost.astype(np.int8)
    undecided = ~(lost | won)
    change, other = rows.change, columns.change
    for visit in range(change.shape[1] - 1, 0, -1):
        column, against = change[:, visit], other[:, visit]
        both = undecided & (np.isfinite(column)[:, None] & np.isfinite(against))
        gap = np.where(both, column[:, None] - against, 0.0)
        signs += gap > margin
        signs -= gap < -margin
        undecided &= ~both
        if not undecided.any():
            break
    return signs


def _lost(rows: TrialData, columns: TrialData) -> Bools:
    """(n, k) whether the row had the event while the column was known free. Events precede censorings of a day."""
    earlier = rows.time[:, None] < columns.time
    same_day = (rows.time[:, None] == columns.time) & ~columns.event
    return np.asarray(rows.event[:, None] & (earlier | same_day))
