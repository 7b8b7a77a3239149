"""What thousands of replicates say about an analysis, each figure with its Monte Carlo standard error and interval.

Replicates that share something, such as a draw of the parameters, are a cluster: errors are those of the sums over
clusters, and t has one degree of freedom fewer than there are clusters. The error of a share is half of Wilson's
interval over 1.96, so that 0 and 1 have one too; with clusters the number behind it is that of independent replicates
with the same error (Korn & Graubard). The error of a true value that all replicates are held against adds to that of
the figures that depend on it.

References
----------
Morris, White & Crowther (2019), Using simulation studies to evaluate statistical methods, doi:10.1002/sim.8086,
table 6. Korn & Graubard (1998), Confidence intervals for proportions with small expected number of positive counts
estimated from survey data, Survey Methodology 24:193-201. Welch (1947), doi:10.1093/biomet/34.1-2.28.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis.intervals import mean_interval, reach, share_error, share_interval

Floats = NDArray[np.float64]
Clusters = ArrayLike | None
"""(r,) which replicates share something; None: nothing is shared."""
INFINITE = float("inf")
NAN = float("nan")
NODES = 32
"""Values of the truth, spread by its error, on which a figure is looked at."""


class Measure(NamedTuple):
    """A figure, its Monte Carlo standard error, and its 95 % Monte Carlo interval."""

    value: float
    mcse: float
    lower: float = NAN
    upper: float = NAN


UNKNOWN = Measure(NAN, NAN)


class Known(NamedTuple):
    """The value that is true, one for all or (r,) of each replicate.

    `error` is the Monte Carlo error of the one for all, from so many `parts`. Where each cluster of replicates has its
    own, its error shows in the spread over clusters, and none is stated.
    """

    value: ArrayLike
    error: float = 0.0
    parts: float = INFINITE


class Performance(NamedTuple):
    """Performance of an analysis over replicates.

    `bias`, `empirical_se`, `model_se` and `mse` are on the scale of the estimates; `relative_error` of the model's
    standard error against the spread within clusters is a fraction; the others are probabilities. `estimable` is the
    share of replicates with an estimate, behind which all other figures stand; `right_sign` has no value where the
    truth is 0.
    """

    estimable: Measure
    bias: Measure
    empirical_se: Measure
    model_se: Measure
    relative_error: Measure
    mse: Measure
    coverage: Measure
    rejection: Measure
    right_sign: Measure


def performance(
    value: ArrayLike,
    se: ArrayLike,
    interval: ArrayLike,
    p: ArrayLike,
    *,
    truth: ArrayLike | Known,
    cluster: Clusters = None,
    alpha: float = 0.05,
) -> Performance:
    """Performance over r replicates.

    Parameters
    ----------
    value, se, p : (r,) estimates, standard errors and two-sided p values; NaN where there was no estimate.
    interval : (r, 2) lower and upper limits.
    truth : the value of the estimand, one for all or (r,) the replicate's own, or that with its error.
    cluster : (r,) codes of replicates that share something.
    alpha : p below or at this rejects.
    """
    known = truth if isinstance(truth, Known) else Known(truth)
    values, errors, chances = (np.asarray(x, np.float64) for x in (value, se, p))
    limits, target = np.asarray(interval, np.float64), np.broadcast_to(np.asarray(known.value, float), values.shape)
    kept = np.isfinite(values)
    mine = None if cluster is None else np.asarray(cluster)[kept]
    moved = _about(values[kept], limits[kept], target[kept], known.error)
    gap, square, covered, right = (column[0] for column in moved)
    added = [_variance(column[1:]) for column in moved]
    model = _model(errors[kept], mine)
    return Performance(
        estimable=share(kept, cluster),
        bias=_also(mean(gap, mine), len(np.unique(mine)) if mine is not None else len(gap), known),
        empirical_se=spread(values[kept], mine),
        model_se=model,
        relative_error=_ratio(model, _within(values[kept], mine), _clusters(values[kept], mine)),
        mse=mean(square, mine, added[1]),
        coverage=share(covered > 0, mine, added[2]),
        rejection=share(chances[kept] <= alpha, mine),
        right_sign=_signs(right, mine, added[3]),
    )


def _about(values: Floats, limits: Floats, target: Floats, error: float) -> list[Floats]:
    """(1 + NODES, r) each: gap to the truth, its square, whether the interval holds it, whether the sign is right.

    The first row is of the truth as it is; the others, which are left out where it has no error, are of values about
    it, whose spread is that error.
    """
    true = target + np.concatenate([[0.0], error * _normal()])[: None if error else 1, None]
    gap = values - true
    covered = (limits[:, 0] <= true) & (true <= limits[:, 1])
    right = np.where(true == 0, np.nan, np.sign(values) == np.sign(true))
    return [gap, gap**2, covered.astype(np.float64), right]


def _signs(right: Floats, cluster: Clusters, added: float) -> Measure:
    """Share of the estimates on the side of a truth that has one."""
    kept = np.isfinite(right)
    return share(right[kept] > 0, None if cluster is None else np.asarray(cluster)[kept], added)


def _normal() -> Floats:
    """(NODES,) values that stand for a standard normal, with an SD of 1."""
    from scipy.special import ndtri

    z = ndtri((np.arange(NODES) + 0.5) / NODES)
    return np.asarray(z / z.std())


def _variance(rows: Floats) -> float:
    """Variance that the error of the truth gives a mean, from (NODES, r) values about the truth that was found.

    To the second order in that error e: with m = c + a z + b (z² − 1) about the truth it is a² + 2 b², and about one
    that is e wrong a² is too large by 4 b² on average.
    """
    if not rows.size:
        return 0.0
    z, means = _normal(), np.nanmean(rows, axis=1)
    bend = z**2 - 1
    first, second = np.mean(means * z), np.mean(means * bend) / np.mean(bend**2)
    return float(max(first**2 - 2 * second**2, 0.0))


def _also(bias: Measure, count: int, known: Known) -> Measure:
    """The bias with the error of the truth; degrees of freedom after Welch."""
    if not known.error:
        return bias
    total = float(np.hypot(bias.mcse, known.error))
    df = total**4 / (bias.mcse**4 / max(count - 1, 1) + known.error**4 / max(known.parts - 1, 1))
    return Measure(bias.value, total, *map(float, mean_interval(bias.value, total, df + 1)))


def mean(x: ArrayLike, cluster: Clusters = None, added: float = 0.0) -> Measure:
    """Mean, error SD/√r, or that of the sums over clusters; `added` to its square."""
    values = np.asarray(x, np.float64)
    if not len(values):
        return UNKNOWN
    value = float(values.mean())
    error = float(np.sqrt(_error(values - value, cluster) ** 2 + added))
    return Measure(value, error, *map(float, mean_interval(value, error, _clusters(values, cluster))))


def mean_known(x: ArrayLike, cluster: Clusters = None) -> Measure:
    """Mean of those that are known."""
    values = np.asarray(x, np.float64)
    kept = np.isfinite(values)
    return mean(values[kept], None if cluster is None else np.asarray(cluster)[kept])


def share(happened: ArrayLike, cluster: Clusters = None, added: float = 0.0) -> Measure:
    """Proportion with the error and interval of Wilson; `added` to the square of the error."""
    flags = np.asarray(happened, np.bool_)
    if not len(flags):
        return UNKNOWN
    c, n = float(flags.mean()), float(len(flags))
    error = float(share_error(c * n, n))
    if cluster is not None:
        count = _clusters(flags, cluster)
        robust = _error(flags - c, cluster)
        independent = count if c in (0, 1) else min(n, c * (1 - c) / robust**2) if robust else n
        error = robust if robust else float(share_error(c * independent, independent))
        n = independent * float(reach(INFINITE) / reach(count)) ** 2
    if added:
        n *= error**2 / (error**2 + added)
        error = float(np.sqrt(error**2 + added))
    return Measure(c, error, *map(float, share_interval(c * n, n)))


def spread(x: ArrayLike, cluster: Clusters = None) -> Measure:
    """Standard deviation, error SD/√(2 (r − 1)), or with clusters that of its influences."""
    values = np.asarray(x, np.float64)
    if len(values) < 2:
        return UNKNOWN
    value = float(values.std(ddof=1))
    if cluster is None:
        return positive(value, value / float(np.sqrt(2 * (len(values) - 1))), len(values))
    influence = ((values - values.mean()) ** 2 - values.var()) / (2 * value) if value else np.zeros(len(values))
    return positive(value, _error(influence, cluster), _clusters(values, cluster))


def _within(x: Floats, cluster: Clusters) -> Measure:
    """Standard deviation within clusters, pooled; over all where there are none."""
    if cluster is None:
        return spread(x)
    codes = np.unique(np.asarray(cluster), return_inverse=True)[1]
    df = len(x) - (codes.max() + 1 if len(x) else 0)
    if df < 1:
        return UNKNOWN
    centre = np.bincount(codes, x) / np.bincount(codes)
    value = float(np.sqrt(((x - centre[codes]) ** 2).sum() / df))
    return positive(value, value / float(np.sqrt(2 * df)), df + 1)


def _model(se: Floats, cluster: Clusters) -> Measure:
    """Root of the mean variance m, error √(var(se²)/(4 r m)), or that of sums over clusters."""
    if len(se) < 2:
        return UNKNOWN
    variance = se**2
    value = float(np.sqrt(variance.mean()))
    error = _error((variance - variance.mean()) / (2 * value), cluster) if value else NAN
    return positive(value, error, _clusters(se, cluster))


def _ratio(model: Measure, empirical: Measure, count: int) -> Measure:
    """Model over empirical standard error minus 1; relative errors add in squares."""
    if not empirical.value > 0:
        return UNKNOWN
    ratio = model.value / empirical.value
    error = float(np.hypot(model.mcse / model.value, empirical.mcse / empirical.value))
    found = positive(ratio, ratio * error, count)
    return Measure(ratio - 1, found.mcse, found.lower - 1, found.upper - 1)


def positive(value: float, error: float, count: int) -> Measure:
    """A figure that cannot be below 0: its interval is symmetric on the logarithm."""
    if not value > 0:
        return Measure(value, error)
    side = float(np.exp(reach(count) * error / value))
    return Measure(value, error, value / side, value * side)


def _clusters(x: Floats | NDArray[np.bool_], cluster: Clusters) -> int:
    """How many independent pieces there are."""
    return len(x) if cluster is None else len(np.unique(np.asarray(cluster)))


def _error(influence: NDArray[np.floating], cluster: Clusters) -> float:
    """Standard error of a mean from deviations that add up to 0; NaN from fewer than 2 pieces."""
    r = len(influence)
    codes = np.arange(r) if cluster is None else np.unique(np.asarray(cluster), return_inverse=True)[1]
    sums = np.bincount(codes, influence)
    count = len(sums)
    return float(np.sqrt(count / (count - 1) * (sums**2).sum()) / r) if count > 1 else NAN
