"""Win ratio, win odds and net benefit, with the variance of a two-sample U-statistic.

With p_w and p_l the shares of treated-control pairs that treatment wins and loses, and w_i, l_i the shares that
participant i takes part in, the covariance of (p_w, p_l) is the sum over arms of the sample covariance of (w_i, l_i)
divided by the size of the arm. The three measures follow by the delta method. Within strata the numbers of wins and of
losses are added with the weights of Mantel and Haenszel, 1/N for a stratum of N.

References
----------
Pocock et al. (2012), doi:10.1093/eurheartj/ehr352. Bebu & Lachin (2016), doi:10.1093/biostatistics/kxv032.
Dong et al. (2018), The stratified win ratio, doi:10.1080/10543406.2017.1397007.
Dong et al. (2020), The win ratio: on interpretation and handling of ties, doi:10.1080/19466315.2019.1575279.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.analysis.trial import wins as of_people
from simulator.analysis.trial.data import Floats, TrialData, where
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import PAV, STOPPING, Estimand, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, wald
from simulator.analysis.trial.pairs import between
from simulator.analysis.trial.potential import NOTHING, Options, Potential


def _estimand(summary: str) -> Estimand:
    return estimand(
        "course of illness, compared in pairs: time of the event first, change of function second",
        summary,
        death(Strategy.COMPOSITE, "who has the event first loses the pair, whatever the function"),
        STOPPING,
        PAV,
    )


ESTIMAND = _estimand("ratio of the probability of a win to that of a loss")


class Wins(NamedTuple):
    """Shares of pairs won and lost : (2,), and their covariance : (2, 2)."""

    shares: Floats
    covariance: Floats


def wins(data: TrialData, *, margin: float = 0.0) -> Wins:
    """Shares of the treated-control pairs that treatment wins and loses."""
    treated = data.treated
    signs = between(where(data, treated), where(data, ~treated), margin=margin)
    if min(signs.shape) < 2:
        raise NotEstimableError("win ratio: each arm needs two participants")
    won = np.stack([signs > 0, signs < 0]).astype(np.float64)
    spread = [np.cov(won.mean(axis=axis)) / won.shape[3 - axis] for axis in (1, 2)]
    return Wins(won.mean(axis=(1, 2)), spread[0] + spread[1])


def wins_within_strata(data: TrialData, *, margin: float = 0.0) -> Wins:
    """The same among pairs of one stratum; a stratum with fewer than two in an arm is left out: it shows no spread."""
    groups = [where(data, data.stratum == code) for code in np.unique(data.stratum)]
    paired = [one for one in groups if 2 <= one.treated.sum() <= one.n - 2]
    if not paired:
        raise NotEstimableError("win ratio: no stratum has two participants in each arm")
    weight = np.array([one.treated.sum() * (~one.treated).sum() / one.n for one in paired])
    return _weighted([wins(one, margin=margin) for one in paired], weight / weight.sum())


def _weighted(found: Sequence[Wins], weight: Floats) -> Wins:
    """The mean of independent shares."""
    return Wins(
        np.tensordot(weight, [one.shares for one in found], 1),
        np.tensordot(weight**2, [one.covariance for one in found], 1),
    )


def win_ratio(data: TrialData, *, margin: float = 0.0, stratified: bool = True) -> Estimate:
    """Logarithm of the win ratio p_w/p_l; normal. Ties count for neither side.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    margin : float
        A smaller difference of function is a tie [points].
    stratified : bool
        Pairs of one stratum of the randomisation only; otherwise all.

    Returns
    -------
    Estimate
        On the logarithmic scale.
    """
    (won, lost), covariance = (wins_within_strata if stratified else wins)(data, margin=margin)
    if not won or not lost:
        raise NotEstimableError("win ratio: one arm wins no pair")
    gradient = np.array([1 / won, -1 / lost])
    several = stratified and len(np.unique(data.stratum)) > 1
    about = About("win ratio, U-statistic variance" + ", stratified" * several, ESTIMAND, "log")
    return wald(np.log(won / lost), np.sqrt(gradient @ covariance @ gradient), about, n=data.n)


def win_odds(data: TrialData, *, margin: float = 0.0) -> Estimate:
    """Logarithm of the win odds (1 + b)/(1 − b), b the net benefit; normal. A tie is half a win."""
    benefit = net_benefit(data, margin=margin)
    if abs(benefit.value) == 1:
        raise NotEstimableError("win odds: one arm wins every pair")
    slope = 2 / (1 - benefit.value**2)
    about = About("win odds, U-statistic variance", _estimand("odds of a win, a tie counting as half"), "log")
    return wald(2 * np.arctanh(benefit.value), slope * benefit.se, about, n=data.n)


def net_benefit(data: TrialData, *, margin: float = 0.0) -> Estimate:
    """Net benefit p_w − p_l; normal."""
    (won, lost), covariance = wins(data, margin=margin)
    gradient = np.array([1.0, -1.0])
    about = About("net benefit, U-statistic variance", _estimand("probability of a win minus that of a loss"))
    return wald(won - lost, np.sqrt(gradient @ covariance @ gradient), about, n=data.n)


def true_win_ratio(of: Potential, options: Options = NOTHING) -> float:
    """Log of the probability of a win over that of a loss, of people of one stratum, or unless stratified of all."""
    margin = options.get("margin", 0.0)
    stratified = options.get("stratified", True)
    won, lost = (
        of_people.within_strata(of.data, of.day, 1, margin) if stratified else of_people.wins(of.data, of.day, margin)
    )
    return float(np.log(won / lost)) if won > 0 and lost > 0 else np.nan


ANALYSES = (
    Analysis(
        "win_ratio", win_ratio, ESTIMAND, "win ratio", "log", truth=true_win_ratio, changes=("margin", "stratified")
    ),
)
