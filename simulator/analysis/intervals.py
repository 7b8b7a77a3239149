"""95 % intervals from few or many observations: of a share, and of a mean with an estimated error.

A share of 0 or 1 has an interval too (Wilson's), and the interval of a mean of n values reaches as far as t with n − 1
degrees of freedom, which is 12.7 standard errors at n = 2 and 1.96 when there are many.

References
----------
Wilson (1927), Probable inference, the law of succession, and statistical inference,
doi:10.1080/01621459.1927.10502953. Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion,
doi:10.1214/ss/1009213286. Student (1908), The probable error of a mean, doi:10.1093/biomet/6.1.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
LEVEL = 0.95


def reach(n: ArrayLike, level: float = LEVEL) -> Floats:
    """How many standard errors the interval of a mean of n values reaches to either side; NaN below 2.

    Parameters
    ----------
    n : values, replicates or clusters behind the error; infinite where the error is known.
    level : of the interval.
    """
    from scipy.special import ndtri, stdtrit

    df = np.asarray(n, np.float64) - 1
    upper = (1 + level) / 2
    with np.errstate(invalid="ignore"):
        t = stdtrit(np.where((df >= 1) & np.isfinite(df), df, np.nan), upper)
    return np.asarray(np.where(np.isposinf(df), ndtri(upper), t), np.float64)


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
