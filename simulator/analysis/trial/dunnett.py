"""Several arms against one control: the distribution of the largest of their statistics, and closed tests with it.

Statistics of arms with n_k participants against a control with n_0 are normal with the correlations λ_j λ_k, where
λ_k² = n_k/(n_k + n_0): they share the control. So Z_k = λ_k X + √(1 − λ_k²) Y_k with independent normals, and

    P(all Z_k < z) = ∫ Π_k Φ((z − λ_k x)/√(1 − λ_k²)) φ(x) dx .

With an error that is estimated with ν degrees of freedom it is averaged over z S, ν S² being χ².

A hypothesis of several arms, none of which differs from control, is rejected by the largest statistic of its arms; an
arm differs if all hypotheses that hold it are rejected (closed testing, here step-down).

References
----------
Dunnett (1955), doi:10.1080/01621459.1955.10501294. Marcus, Peritz & Gabriel (1976), doi:10.1093/biomet/63.3.655.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.trial.data import Bools, Floats

NODES = 96
"""Points of the quadratures: probabilities are right to 1e-9."""
Z_MOST = 9.0


def loadings(arms: ArrayLike, control: float) -> Floats:
    """(k,) how much of each arm's statistic is the control's: λ of the arms with so many participants."""
    n = np.asarray(arms, np.float64)
    return np.asarray(np.sqrt(n / (n + control)))


def tail(z: ArrayLike, loading: ArrayLike, df: float = inf) -> Floats:
    """Probability that the largest statistic of arms with these loadings is z or more, without any effect.

    Parameters
    ----------
    z : values, of any shape.
    loading : (k,) λ of the arms.
    df : degrees of freedom of their common error.
    """
    from scipy.special import ndtr

    at, lam = np.asarray(z, np.float64), np.asarray(loading, np.float64)
    x, weight = _normal()
    scale, share = _chi(df)
    reach = (at[..., None, None, None] * scale[:, None, None] - lam * x[:, None]) / np.sqrt(1 - lam**2)
    return np.asarray(1 - np.einsum("...ij,i,j->...", ndtr(reach).prod(axis=-1), share, weight))


def critical(alpha: float, loading: ArrayLike, df: float = inf) -> float:
    """The one-sided critical value: the largest statistic is this or more with probability α."""
    from scipy.optimize import brentq

    lam = tuple(np.asarray(loading, np.float64).tolist())
    return float(brentq(lambda z: float(tail(z, lam, df)) - alpha, -Z_MOST, 100.0, xtol=1e-10))


def two_sided_critical(alpha: float, loading: ArrayLike, df: float = inf) -> float:
    """The same of the largest absolute statistic."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    lam = np.asarray(loading, np.float64)
    x, weight = _normal()
    scale, share = _chi(df)

    def above(z: float) -> float:
        reach = np.array([1, -1])[:, None, None, None] * z * scale[:, None, None]
        high, low = ndtr((reach - lam * x[:, None]) / np.sqrt(1 - lam**2))
        return float(1 - share @ (high - low).prod(axis=-1) @ weight) - alpha

    return float(brentq(above, 1e-6, 100.0, xtol=1e-10))


def single_step(z: ArrayLike, loading: ArrayLike) -> Floats:
    """(..., k) adjusted one-sided p values of (..., k) statistics; NaN, where there is no estimate, is 1."""
    return np.asarray(np.where(np.isnan(z), 1.0, tail(np.nan_to_num(np.asarray(z), nan=-Z_MOST), loading)))


def step_down(z: ArrayLike, loading: ArrayLike) -> Floats:
    """(k,) adjusted one-sided p values of closed testing: from the largest statistic down, among those left."""
    values, lam = np.nan_to_num(np.asarray(z, np.float64), nan=-Z_MOST), np.asarray(loading, np.float64)
    order, found, least = np.argsort(-values), np.ones(len(values)), 0.0
    for place, arm in enumerate(order):
        least = max(least, float(tail(values[arm], lam[order[place:]])))
        found[arm] = least
    return np.where(np.isnan(z), 1.0, found)


def intersection(z: Floats, loading: Floats, members: Bools) -> float:
    """One-sided p that none of the arms of an intersection differs; 1 where none of them is there any more (NaN)."""
    there = members & np.isfinite(z)
    return float(tail(z[there].max(), loading[there])) if there.any() else 1.0


@lru_cache(maxsize=1)
def _normal() -> tuple[Floats, Floats]:
    """Points and weights for the mean over a standard normal."""
    x, weight = np.polynomial.legendre.leggauss(NODES)
    at = Z_MOST * x
    return at, weight * Z_MOST * np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi)


@lru_cache(maxsize=64)
def _chi(df: float) -> tuple[Floats, Floats]:
    """Points and weights for the mean over S, ν S² being χ² with ν degrees of freedom."""
    if df == inf:
        return np.ones(1), np.ones(1)
    from scipy.stats import chi2

    x, weight = np.polynomial.legendre.leggauss(NODES // 2)
    low, high = np.sqrt(chi2.ppf([1e-13, 1 - 1e-13], df) / df)
    s = low + (high - low) * (x + 1) / 2
    density = 2 * df * s * chi2.pdf(df * s**2, df)
    share = weight * (high - low) / 2 * density
    return s, share / share.sum()
