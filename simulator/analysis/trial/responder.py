"""Difference in the proportion of responders, with Newcombe's interval; within strata Mantel and Haenszel's.

Newcombe's interval combines Wilson's score intervals (l₁, u₁), (l₀, u₀) of the two proportions: from
d − √((p₁ − l₁)² + (u₀ − p₀)²) to d + √((u₁ − p₁)² + (p₀ − l₀)²).

Within strata of n = n₁ + n₀ participants, of whom m respond, the differences have the weights n₁ n₀/n. The test is that
of Cochran, Mantel and Haenszel: the responders of the experimental arm minus their expectation n₁ m/n, over the root of
Σ n₁ n₀ m (n − m)/(n² (n − 1)). The standard error is that of Sato, Greenland and Robins, valid for few large and for
many small strata.

References
----------
Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in Medicine
17:873-890, method 10. Mantel & Haenszel (1959), doi:10.1093/jnci/22.4.719. Sato, Greenland & Robins (1989), On the
variance estimator for the Mantel-Haenszel risk difference, Biometrics 45:1323-1324.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.intervals import share_interval
from simulator.analysis.trial.data import Floats, TrialData
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import Estimate, quantile, two_sided
from simulator.analysis.trial.potential import NOTHING, Options, Potential

ESTIMAND = estimand(
    "response: event-free at the visit of analysis with at least the least change of function",
    "difference of proportions",
    death(Strategy.COMPOSITE, "death is no response"),
    STOPPING,
    PAV,
)


def responder(
    data: TrialData, *, least_change: float = 0.0, missing_fails: bool = True, stratified: bool = True
) -> Estimate:
    """Difference in the proportion whose change at the last visit is at least `least_change` [points].

    An event is no response. A missing value without an event is none either, or with `missing_fails=False` is left
    out. p is that of the pooled z test without continuity correction, the standard error the unpooled one, 0 where
    nobody or everybody in both arms responds. Several strata are compared within, unless nobody or everybody responds.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    least_change : float
        Change that is a response [points].
    missing_fails : bool
        A missing value is no response.
    stratified : bool
        Compare within the strata of the randomisation where there are several.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.

    Raises
    ------
    NotEstimableError
        An arm, or with strata every stratum in one of its arms, has nobody with a known response.
    """
    last = data.later_change()[:, -1]
    known = np.isfinite(last) | data.event
    rows = np.ones(data.n, np.bool_) if missing_fails else known
    responds = (np.nan_to_num(last, nan=-np.inf) >= least_change) & ~data.event
    codes = np.unique(data.stratum[rows], return_inverse=True)[1] if stratified else np.zeros(rows.sum(), np.int64)
    cell = 2 * codes + data.arm[rows]
    cells = 2 * (1 + codes.max(initial=0))
    size = np.bincount(cell, minlength=cells).reshape(-1, 2).astype(np.float64)
    count = np.bincount(cell, responds[rows], minlength=cells).reshape(-1, 2).astype(np.float64)
    both = size.all(axis=1)
    if not both.any():
        raise NotEstimableError("responder: an arm has nobody with a known response")
    words = f"responders with change of {least_change:g} or more, "
    n = int(rows.sum())
    if len(size) > 1 and (count[both] > 0).any() and (count[both] < size[both]).any():
        return _within(size[both], count[both], words, n)
    return _pooled(size.sum(axis=0), count.sum(axis=0), words, n)


def _pooled(size: Floats, count: Floats, words: str, n: int) -> Estimate:
    """The difference in all; size, count : (2,) participants and responders, control first."""
    control, treated = shares = count / size
    gap, pooled = float(treated - control), float(count.sum() / size.sum())
    error = float(np.sqrt(pooled * (1 - pooled) * (1 / size).sum()))
    lower, upper = share_interval(count, size)
    below = float(np.hypot(treated - lower[1], upper[0] - control))
    above = float(np.hypot(upper[1] - treated, control - lower[0]))
    return Estimate(
        value=gap,
        se=float(np.sqrt((shares * (1 - shares) / size).sum())),
        df=float("inf"),
        lower=gap - below,
        upper=gap + above,
        p=two_sided(gap / error) if error else 1.0,
        n=n,
        method=f"{words}Newcombe interval, pooled z test",
        estimand=ESTIMAND,
    )


def _within(size: Floats, count: Floats, words: str, n: int) -> Estimate:
    """The difference within strata; size, count : (k, 2)."""
    total, m, weight = size.sum(axis=1), count.sum(axis=1), size.prod(axis=1) / size.sum(axis=1)
    control, treated = (count / size).T
    gap = float(weight @ (treated - control) / weight.sum())
    excess = float((count[:, 1] - size[:, 1] * m / total).sum())
    spread = float((size.prod(axis=1) * m * (total - m) / (total**2 * np.maximum(total - 1, 1))).sum())
    failed = size - count
    p_term = size[:, 1] ** 2 * count[:, 0] - size[:, 0] ** 2 * count[:, 1] - size.prod(axis=1) * np.diff(size)[:, 0] / 2
    q_term = (count[:, 1] * failed[:, 0] + count[:, 0] * failed[:, 1]) / (2 * total)
    error = float(np.sqrt(max(gap * float((p_term / total**2).sum()) + float(q_term.sum()), 0.0)) / weight.sum())
    reach = quantile() * error
    return Estimate(
        value=gap,
        se=error,
        df=float("inf"),
        lower=gap - reach,
        upper=gap + reach,
        p=two_sided(excess / float(np.sqrt(spread))) if spread else 1.0,
        n=n,
        method=f"{words}within strata, Cochran–Mantel–Haenszel test",
        estimand=ESTIMAND,
    )


def responders(of: Potential, options: Options = NOTHING) -> float:
    """Difference of the shares of responders."""
    return responder(of.data, **options).value


ANALYSES = (
    Analysis(
        "responder",
        responder,
        ESTIMAND,
        "difference of proportions",
        truth=responders,
        changes=("least_change", "missing_fails", "stratified"),
    ),
)
