"""What thousands of replicates say about an analysis, each figure with its Monte Carlo standard error.

References
----------
Morris, White & Crowther (2019), Using simulation studies to evaluate statistical methods, doi:10.1002/sim.8086,
table 6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Measure(NamedTuple):
    """A figure and its Monte Carlo standard error."""

    value: float
    mcse: float


class Performance(NamedTuple):
    """Performance of an analysis over replicates.

    `bias`, `empirical_se`, `model_se` and `mse` are on the scale of the estimates; `relative_error` of the model's
    standard error is a fraction; the others are probabilities. `estimable` is the share of replicates with an
    estimate, behind which all other figures stand; `right_sign` has no value where the truth is 0.
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
    value: ArrayLike, se: ArrayLike, interval: ArrayLike, p: ArrayLike, *, truth: ArrayLike, alpha: float = 0.05
) -> Performance:
    """Performance over r replicates.

    Parameters
    ----------
    value, se, p : (r,) estimates, standard errors and two-sided p values; NaN where there was no estimate.
    interval : (r, 2) lower and upper limits.
    truth : the value of the estimand, one for all or (r,) the replicate's own.
    alpha : p below or at this rejects.
    """
    values, errors, chances = (np.asarray(x, np.float64) for x in (value, se, p))
    limits, target = np.asarray(interval, np.float64), np.broadcast_to(np.asarray(truth, np.float64), values.shape)
    kept = np.isfinite(values)
    values, errors, chances, limits, target = (x[kept] for x in (values, errors, chances, limits, target))
    gap = values - target
    spread, model = _spread(gap), _model(errors)
    covered = (limits[:, 0] <= target) & (target <= limits[:, 1])
    return Performance(
        estimable=share(kept),
        bias=mean(gap),
        empirical_se=spread,
        model_se=model,
        relative_error=_ratio(model, spread),
        mse=mean(gap**2),
        coverage=share(covered),
        rejection=share(chances <= alpha),
        right_sign=share((np.sign(values) == np.sign(target))[target != 0]),
    )


def mean(x: ArrayLike) -> Measure:
    """Mean, error SD/√r."""
    values = np.asarray(x, np.float64)
    if len(values) < 2:
        return Measure(float(values.mean()) if len(values) else float("nan"), float("nan"))
    return Measure(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def share(happened: ArrayLike) -> Measure:
    """Proportion c, error √(c (1 − c)/r)."""
    flags = np.asarray(happened, np.bool_)
    if not len(flags):
        return Measure(float("nan"), float("nan"))
    c = float(flags.mean())
    return Measure(c, float(np.sqrt(c * (1 - c) / len(flags))))


def _spread(x: Floats) -> Measure:
    """Standard deviation, error SD/√(2 (r − 1))."""
    if len(x) < 2:
        return Measure(float("nan"), float("nan"))
    value = float(x.std(ddof=1))
    return Measure(value, value / float(np.sqrt(2 * (len(x) - 1))))


def _model(se: Floats) -> Measure:
    """Root of the mean variance m, error √(var(se²)/(4 r m))."""
    if len(se) < 2:
        return Measure(float("nan"), float("nan"))
    variance = se**2
    value = float(np.sqrt(variance.mean()))
    return Measure(value, float(np.sqrt(variance.var(ddof=1) / (4 * len(se)))) / value)


def _ratio(model: Measure, empirical: Measure) -> Measure:
    """Model over empirical standard error minus 1; relative errors add in squares."""
    if not empirical.value > 0:
        return Measure(float("nan"), float("nan"))
    ratio = model.value / empirical.value
    error = np.hypot(model.mcse / model.value, empirical.mcse / empirical.value)
    return Measure(ratio - 1, ratio * float(error))
