"""95 % intervals from few or many observations: of a share, and of a mean with an estimated error.

A share of 0 or 1 has an interval too (Wilson's), and the interval of a mean of n values reaches as far as t with n − 1
degrees of freedom, which is 12.7 standard errors at n = 2 and 1.96 when there are many.

References
----------
Wilson (1927), Probable inference, the law of succession, and statistical inference,
doi:10.1080/01621459.1927.10502953. Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion,
doi:10.1214/ss/1009213286. Woodruff (1952), Confidence intervals for medians and other position measures,
doi:10.1080/01621459.1952.10483443. Student (1908), The probable error of a mean, doi:10.1093/biomet/6.1.1.
Hill (1970), Algorithm 396: Student's t-quantiles, doi:10.1145/355598.355600.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
LEVEL = 0.95
Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution: half of a 95 % interval, in standard errors."""


def reach(n: ArrayLike, level: float = LEVEL) -> Floats:
    """How many standard errors the interval of a mean of n values reaches to either side; NaN below 2.

    Parameters
    ----------
    n : values, replicates or clusters behind the error; infinite where the error is known.
    level : of the interval.
    """
    df = np.asarray(n, np.float64) - 1
    z = NormalDist().inv_cdf((1 + level) / 2)
    with np.errstate(invalid="ignore"):
        known = np.where((df >= 1) & np.isfinite(df), df, np.nan)
    return np.asarray(np.where(np.isposinf(df), z, _student(known, 1 - level, z)), np.float64)


def _student(df: Floats, tails: float, z: float) -> Floats:
    """Quantiles of t by Hill's algorithm, to six digits: without scipy, whose import takes longer than a small run.

    Parameters
    ----------
    df : degrees of freedom, from 1.
    tails : probability beyond the quantile and beyond its negative.
    z : the same quantile of the normal distribution.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        a = 1 / (df - 0.5)
        b = 48 / a**2
        c = ((20700 * a / b - 98) * a - 16) * a + 96.36
        d = ((94.5 / (b + c) - 3) / b + 1) * np.sqrt(a * np.pi / 2) * df
        y = (d * tails) ** (2 / df)
        far = ((1 / (((df + 6) / (df * y) - 0.089 * d - 0.822) * (df + 2) * 3) + 0.5 / (df + 4)) * y - 1) * (df + 1)
        far = far / (df + 2) + 1 / y
        c = np.where(df < 5, c + 0.3 * (df - 4.5) * (0.6 - z), c)
        c = (((-0.05 * d * z - 5) * -z - 7) * -z - 2) * -z + b + c
        y2 = z**2
        w = (((((0.4 * y2 + 6.3) * y2 + 36) * y2 + 94.5) / c - y2 - 3) / b + 1) * -z
        near = np.expm1(a * w**2)
        t = np.sqrt(df * np.where(y > 0.05 + a, near, far))
        t = np.where(df == 2, np.sqrt(2 / (tails * (2 - tails)) - 2), t)
        return np.where(df == 1, 1 / np.tan(tails * np.pi / 2), t)


def mean_interval(value: ArrayLike, error: ArrayLike, n: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Lower and upper limit of a mean from its standard error and the number of values behind that, by t with n − 1.

    Parameters
    ----------
    value, error : the mean and its estimated standard error.
    n : as in `reach`.
    level : of the interval.

    Returns
    -------
    lower, upper : NaN where fewer than 2 values are behind the error.
    """
    centre, side = np.asarray(value, np.float64), reach(n, level) * np.asarray(error, np.float64)
    return centre - side, centre + side


def share_interval(successes: ArrayLike, n: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Wilson's score interval of a share: within 0 and 1, and never empty.

    Parameters
    ----------
    successes, n : how many of how many, n of effect where they are weighted; neither need be whole.
    level : of the interval.

    Returns
    -------
    lower, upper : NaN where n is 0.
    """
    centre, side = _wilson(successes, n, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.asarray(successes, np.float64) / np.asarray(n, np.float64)
    return np.clip(centre - side, 0.0, p), np.clip(centre + side, p, 1.0)  # they hold p in spite of rounding


def quantile_shares(p: ArrayLike, n: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Shares whose quantiles are the limits of the p-quantile of n values (Woodruff): within its scale, unlike a ± t s.

    A share of 0 or 1 means that n values give no limit there: it is the end of the scale.

    Parameters
    ----------
    p : of the quantile.
    n : values, or n of effect.
    level : of the interval.

    Returns
    -------
    lower, upper : NaN where n is 0.
    """
    share = np.asarray(p, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        side = reach(np.inf, level) * np.sqrt(share * (1 - share) / np.asarray(n, np.float64))
        side = np.where(np.isfinite(side), side, np.nan)
    return np.maximum(share - side, 0.0), np.minimum(share + side, 1.0)


def share_error(successes: ArrayLike, n: ArrayLike) -> Floats:
    """Standard error of a share that is not 0 at 0 and 1: half of Wilson's 95 % interval over 1.96.

    With many observations it is √(p (1 − p)/n).
    """
    return _wilson(successes, n, LEVEL)[1] / reach(np.inf)


def _wilson(successes: ArrayLike, n: ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Centre and half the length of Wilson's interval."""
    count = np.asarray(n, np.float64)
    z = reach(np.inf, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.asarray(successes, np.float64) / count
        centre = (p + z**2 / (2 * count)) / (1 + z**2 / count)
        side = z * np.sqrt(p * (1 - p) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return centre, side
