"""What each option gains over the next best one, and at what price: incremental cost-effectiveness.

Options are put in order of effect. One is *dominated* that costs as much as another or more and gains no more; one is
*extendedly dominated* that a mixture of two others would beat, so that the ratios of those that are left rise. The
ratio of an option is then its extra cost over its extra effect against the one before it that is left.

Two kinds of uncertainty are kept apart. The Monte Carlo error says how far a figure would move with other people; they
are the same in every option, so that differences are paired. The spread over draws of the parameters says how little
is known; noise of simulation is taken out of it by products of different replicates.

References
----------
Karlsson & Johannesson (1996), The decision rules of cost-effectiveness analysis, doi:10.2165/00019053-199609020-00003.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis.crossed import products
from simulator.analysis.moments import mean

Floats = NDArray[np.float64]
LEFT, DOMINATED, EXTENDED = "", "dominated", "extendedly dominated"


class Figure(NamedTuple):
    """A figure, its Monte Carlo standard error, and its standard deviation over the parameters.

    `sd` : NaN where it was not asked for; below 0 where the draws vary less than noise alone makes them.
    """

    value: float
    mcse: float
    sd: float


class Row(NamedTuple):
    """An option. `versus` is the option before it that is left; empty for the first and for what is dominated.

    `icer` is the extra cost over the extra effect against `versus`, NaN without one, with the errors that its linear
    part has (the delta method), which mean little where the extra effect is not clearly above 0. `net_benefit` is in
    money.
    """

    option: str
    cost: Figure
    effect: Figure
    status: str
    versus: str
    extra_cost: Figure
    extra_effect: Figure
    icer: float
    net_benefit: Figure
    extra_net_benefit: Figure
    icer_mcse: float
    icer_sd: float

    @property
    def ratio(self) -> Figure:
        """The ICER with its errors."""
        return Figure(self.icer, self.icer_mcse, self.icer_sd)


class People(NamedTuple):
    """Costs and effects of each patient in each option, (patients, options), and the weight of each patient."""

    cost: Floats
    effect: Floats
    weight: Floats | None = None


class Draws(NamedTuple):
    """Mean costs and effects of each option at draws of the parameters : (draws, options, replicates)."""

    cost: Floats
    effect: Floats


NOTHING = Figure(float("nan"), float("nan"), float("nan"))


def incremental(
    options: Sequence[str], people: People, willingness_to_pay: float, draws: Draws | None = None
) -> list[Row]:
    """The table, the least effective option first.

    Parameters
    ----------
    options : names, in the order of the columns.
    people : People
        The base case.
    willingness_to_pay : float
        For one unit of effect.
    draws : Draws, optional
        A probabilistic analysis, for the spread over the parameters.

    Raises
    ------
    ValueError
        The arrays do not fit, or a value is not finite.
    """
    _check(options, people, draws)
    table = _Table(people, draws)
    cost, effect = (np.array([table.figure(which, k).value for k in range(len(options))]) for which in (COST, EFFECT))
    status = statuses(cost, effect)
    order = np.lexsort((cost, effect))
    rows, before, benefit = [], -1, np.array([-1.0, willingness_to_pay])
    for k in order:
        left = status[k] == LEFT
        against = before if left and before >= 0 else -1
        extra = [table.figure(which, k, against) if against >= 0 else NOTHING for which in (COST, EFFECT, benefit)]
        ratio = table.ratio(extra, k, against)
        versus = options[against] if against >= 0 else ""
        costs, effects, worth = (table.figure(which, k) for which in (COST, EFFECT, benefit))
        found = Row(options[k], costs, effects, status[k], versus, extra[0], extra[1], ratio.value, worth, extra[2],
                    ratio.mcse, ratio.sd)  # fmt: skip
        rows.append(found)
        before = int(k) if left else before
    return rows


COST, EFFECT = np.array([1.0, 0.0]), np.array([0.0, 1.0])
"""Weights of cost and effect in a figure."""


class _Table:
    """Figures of combinations of cost and effect, of an option or of the difference of two."""

    def __init__(self, people: People, draws: Draws | None) -> None:
        self.people, self.draws = people, draws

    def figure(self, which: Floats, option: int, against: int = -1) -> Figure:
        """Which combination of cost and effect, of an option, or what that has more than another."""
        one = _picked(self.people, which, option, against)
        found = mean(one, self.people.weight)
        sd = float("nan") if self.draws is None else spread(_picked(self.draws, which, option, against))
        return Figure(found.value, found.mcse, sd)

    def ratio(self, extra: Sequence[Figure], option: int, against: int) -> Figure:
        """The ratio of extra cost and extra effect, with the errors of cost less the ratio times effect, per effect."""
        if against < 0:
            return NOTHING
        cost, effect = extra[0].value, extra[1].value
        left = self.figure(np.array([1.0, -cost / effect]), option, against)
        return Figure(cost / effect, left.mcse / abs(effect), left.sd / abs(effect))


def _picked(of: People | Draws, which: Floats, option: int, against: int) -> Floats:
    """A combination of cost and effect of an option, less that of another."""
    both = which[0] * of.cost + which[1] * of.effect
    found: Floats = both[:, option] - both[:, against] if against >= 0 else both[:, option]
    return found


def spread(values: Floats) -> float:
    """Standard deviation over draws : (draws, replicates), without the noise of simulation where replicates tell it.

    The root with a minus sign where the variance is estimated below 0: it is less than the noise of its estimate.
    """
    centred = values - values.mean(axis=0)
    variance = float(products(centred, centred).sum()) / (len(values) - 1)
    rounding = 1e-12 * float((values**2).sum())
    return 0.0 if abs(variance) <= rounding else float(np.copysign(np.sqrt(abs(variance)), variance))


def statuses(cost: ArrayLike, effect: ArrayLike) -> list[str]:
    """Whether each option is left, dominated or extendedly dominated.

    Of two options with the same cost and effect the first is left.
    """
    costs, effects = np.asarray(cost, np.float64), np.asarray(effect, np.float64)
    found = [LEFT] * len(costs)
    for k in range(len(costs)):
        cheaper = (costs <= costs[k]) & (effects >= effects[k])
        equal = (costs == costs[k]) & (effects == effects[k])
        if (cheaper & ~equal).any() or equal[:k].any():
            found[k] = DOMINATED
    left = [k for k in np.lexsort((costs, effects)) if found[k] == LEFT]
    kept: list[int] = []
    for k in left:  # the lower hull of cost over effect
        while len(kept) > 1 and _ratio(costs, effects, kept[-2], kept[-1]) >= _ratio(costs, effects, kept[-1], k):
            found[kept.pop()] = EXTENDED
        kept.append(k)
    return found


def _ratio(cost: Floats, effect: Floats, low: int, high: int) -> float:
    return float((cost[high] - cost[low]) / (effect[high] - effect[low]))


def _check(options: Sequence[str], people: People, draws: Draws | None) -> None:
    """Raise unless all arrays are finite and have a column for each option."""
    arrays = [*people[:2], *(draws or ())]
    if any(one.ndim < 2 or one.shape[1] != len(options) or not np.isfinite(one).all() for one in arrays):
        raise ValueError(f"costs and effects must be finite, with a column for each of {len(options)} options")
