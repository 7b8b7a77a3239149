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
    lost = _lost(data)
    signs = lost.T.astype(np.int8) - lost.astype(np.int8)
    undecided = ~(lost | lost.T)
    change = data.change
    for visit in range(change.shape[1] - 1, 0, -1):
        column = change[:, visit]
        seen = np.isfinite(column)
        both = undecided & (seen[:, None] & seen)
        gap = np.where(both, column[:, None] - column, 0.0)
        signs += gap > margin
        signs -= gap < -margin
        undecided &= ~both
        if not undecided.any():
            break
    return signs


def _lost(data: TrialData) -> Bools:
    """(n, n) whether the row had the event while the column was known free. Events precede censorings of a day."""
    earlier = data.time[:, None] < data.time
    same_day = (data.time[:, None] == data.time) & ~data.event
    return np.asarray(data.event[:, None] & (earlier | same_day))
