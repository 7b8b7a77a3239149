"""Stages of a trial that may change its course in between: their p values are combined with weights fixed beforehand.

Participants of different stages are different people, so given the past the p values of a stage are those of a trial
of its own, whatever was decided from the earlier ones: which arms go on, how many are enrolled, who gets what. With
weights w_j fixed beforehand Z_j = Σ w_i z_i/√Σ w_i² has the joint distribution of a group-sequential trial with the
shares t_j = Σ_{i≤j} w_i²/Σ w_i² of the information, so its boundaries hold.

References
----------
Lehmacher & Wassmer (1999), doi:10.1111/j.0006-341X.1999.01286.x. Cui, Hung & Wang (1999),
doi:10.1111/j.0006-341X.1999.00853.x. Bretz et al. (2006), doi:10.1002/bimj.200510232 (several arms). Mehta & Pocock
(2011), doi:10.1002/sim.4102 (promising zone).
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.trial.data import Bools, Floats
from simulator.analysis.trial.dunnett import Z_MOST, intersection


def combined(z: ArrayLike, share: ArrayLike) -> Floats:
    """(..., j) statistics of the stages together, after each, from (..., j) statistics of single stages.

    `share` : (j,) of the information after each stage, rising; the weights are the roots of its steps.
    """
    t = np.asarray(share, np.float64)
    weight = np.sqrt(np.diff(t, prepend=0.0))
    return np.asarray(np.cumsum(np.asarray(z) * weight, axis=-1) / np.sqrt(t))


def members(arms: int) -> Bools:
    """(2^k − 1, k) which arms each hypothesis of several arms holds."""
    return np.array([one for one in product((False, True), repeat=arms) if any(one)])


def stage_z(z: Floats, loading: Floats, of: Bools, several: str) -> Floats:
    """(h,) normal statistics of one stage for the hypotheses `of` : (h, k) arms; NaN of an arm: it is not there.

    `several`: `dunnett`, or `bonferroni`, which trusts no correlation.
    """
    from scipy.special import ndtr, ndtri

    if several == "dunnett":
        p = np.array([intersection(z, loading, one) for one in of])
    else:
        there = of & np.isfinite(z)
        single = np.where(there, ndtr(-np.nan_to_num(z, nan=-Z_MOST)), 1.0)
        p = np.minimum(single.min(axis=1) * np.maximum(there.sum(axis=1), 1), 1.0)
    return np.asarray(np.clip(-ndtri(np.clip(p, 1e-300, 1.0)), -Z_MOST, None))


def known_so_far(z: Floats, share: Floats) -> Floats:
    """(k,) statistics of arms over the stages that have an estimate, from (k, j); NaN where the last has none."""
    weight = np.sqrt(np.diff(share, prepend=0.0)) * np.isfinite(z)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (np.nan_to_num(z) * weight).sum(axis=1) / np.sqrt((weight**2).sum(axis=1))
    return np.where(np.isfinite(z[:, -1]), found, np.nan)


def closed(rejected: Bools, of: Bools) -> Bools:
    """(k,) which arms may be claimed: all hypotheses that hold them are rejected : (h,), at this stage or before."""
    return np.array([bool(rejected[of[:, k]].all()) for k in range(of.shape[1])])


def predictive_power(z: float, share: float, critical: float) -> float:
    """Probability that Z at full information is at least `critical`, given z at a share of it and no other knowledge.

    The drift is normal about z/√share with the variance 1/share: the posterior of a flat prior.
    """
    from scipy.special import ndtr

    return float(ndtr((z / np.sqrt(share) - critical) / np.sqrt((1 - share) / share)))


def stage_needed(z: float, share: float, critical: float, power: float) -> float:
    """By which factor the rest of a trial must grow for a conditional power under the current trend.

    `z` : the statistic at a share of the planned information. The weights stay, so the rest counts as planned and its
    mean grows with the root of its size. Infinite where the trend is not above zero.
    """
    from scipy.special import ndtri

    if z <= 0:
        return float("inf")
    trend = z / np.sqrt(share)
    wanted = (critical - z * np.sqrt(share)) / np.sqrt(1 - share) + ndtri(power)
    return float((max(wanted, 0.0) / (trend * np.sqrt(1 - share))) ** 2)
