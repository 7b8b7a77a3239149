"""Who fares better: all pairs of different people, one from each arm, of a population that is in both."""

from __future__ import annotations

import numpy as np

from simulator.analysis.trial.data import Floats, TrialData, where
from simulator.analysis.trial.pairs import between


def wins(data: TrialData, day: float, margin: float = 0.0) -> tuple[float, float]:
    """Shares of pairs of different people that treatment wins and loses; no pair is a person against themselves.

    Rows 0 … m − 1 of `data` are people on the experimental treatment, rows m … 2 m − 1 the same people in control,
    until a day of analysis.

    Whoever has the event ranks below everybody without, by its day; the others rank by change at the last visit: a
    sorting. The few free of the event who have no value there are compared with everybody as the analyses do it.
    """
    m = data.n // 2
    odd = ~data.event & ~np.isfinite(data.change[:, -1])
    won, lost = _ranked(data, day, ~odd, margin)
    for side, start in ((1, 0), (-1, m)):  # the odd of one arm against the other arm, each pair once
        mine, other = np.zeros(2 * m, np.bool_), np.zeros(2 * m, np.bool_)
        mine[start : start + m] = odd[start : start + m]
        other[m - start : 2 * m - start] = True if side > 0 else ~odd[:m]
        signs = side * between(where(data, mine), where(data, other), margin=margin)
        own = (np.flatnonzero(mine)[:, None] % m) == (np.flatnonzero(other) % m)
        won, lost = won + int((signs[~own] > 0).sum()), lost + int((signs[~own] < 0).sum())
    return won / (m * (m - 1)), lost / (m * (m - 1))


def within_strata(data: TrialData, day: float, power: int, margin: float = 0.0) -> tuple[float, float]:
    """The same among pairs of one stratum; strata weigh as their people to a power: 2 like pairs, 1 Mantel-Haenszel.

    So they weigh in a trial that has the same ratio of arms in each.
    """
    groups = [where(data, data.stratum == code) for code in np.unique(data.stratum)]
    pairs = [one for one in groups if one.n > 2]
    weight = np.array([float(one.n) ** power for one in pairs])
    won, lost = (weight / weight.sum()) @ np.array([wins(one, day, margin) for one in pairs])
    return float(won), float(lost)


def _ranked(data: TrialData, day: float, kept: np.ndarray, margin: float) -> tuple[int, int]:
    """Numbers of pairs won and lost among those kept, by sorting."""
    m = data.n // 2
    change = np.where(data.event, np.nan, data.change[:, -1])
    low = 0.0 if data.event.all() else float(np.nanmin(change))
    score = np.where(data.event, data.time - day - 1 + low - margin, change)
    reach = np.where(data.event, 0.0, margin)
    treated, control = kept[:m], kept[m:]
    own = treated & control
    gap = score[:m] - score[m:]
    won = _below(score[:m][treated], score[m:][control], reach[:m][treated]) - int((gap > reach[:m])[own].sum())
    lost = _below(score[m:][control], score[:m][treated], reach[m:][control]) - int((-gap > reach[m:])[own].sum())
    return won, lost


def _below(a: Floats, b: Floats, reach: Floats) -> int:
    """Pairs with b_j < a_i − reach_i."""
    return int(np.searchsorted(np.sort(b), a - reach, side="left").sum())
