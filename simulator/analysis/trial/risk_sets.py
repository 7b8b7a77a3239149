"""Participants in the order of strata and times: what log-rank and Cox share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.data import Bools, Integers, TrialData

Positions = NDArray[np.intp]


class RiskSets(NamedTuple):
    """The distinct event times of every stratum, g of them.

    Parameters
    ----------
    order : (n,) participants by stratum, then time.
    event : (n,) events in that order.
    first, stop : (g,) the risk set of an event time is first … stop − 1 in that order.
    group : (e,) the event time of each event.
    deaths : (g,) number of events at the event time.
    """

    order: Positions
    event: Bools
    first: Positions
    stop: Positions
    group: Positions
    deaths: Integers


def risk_sets(data: TrialData, stratified: bool) -> RiskSets:
    """The risk sets; everybody is one stratum unless `stratified`."""
    stratum = data.stratum if stratified else np.zeros(data.n, np.int64)
    order = np.lexsort((data.time, stratum))
    time, stratum, event = data.time[order], stratum[order], data.event[order]
    new_stratum = np.flatnonzero(stratum[1:] != stratum[:-1]) + 1
    new = np.concatenate([[True], (stratum[1:] != stratum[:-1]) | (time[1:] != time[:-1])])
    starts = np.flatnonzero(new)
    block = np.cumsum(new) - 1  # which distinct time a participant belongs to
    first, group = np.unique(starts[block[event]], return_inverse=True)
    ends = np.append(new_stratum, data.n)
    stop = ends[np.searchsorted(ends, first, side="right")]
    return RiskSets(order, event, first, stop, group, np.bincount(group, minlength=len(first)))


def over_risk_sets(sets: RiskSets, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(g, …) sums of values : (n, …), in the order of the sets, over each risk set."""
    total = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    return np.asarray(total[sets.stop] - total[sets.first])
