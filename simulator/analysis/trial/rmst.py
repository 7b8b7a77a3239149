"""Difference in restricted mean event-free time: the areas under two Kaplan–Meier curves to a horizon.

Greenwood's variance is too small where an arm is short or events are few, so that the normal test rejects too often.
The permutation test holds the difference over its error against what arms that are exchanged within the strata of
randomisation give; its interval reaches as many errors as 95 % of those lie within. It is exact where the arms do not
differ, and asymptotically right where only the means agree.

References
----------
Royston & Parmar (2013), doi:10.1186/1471-2288-13-152. Variance: Greenwood's, see `analysis.survival.restricted_mean`.
Ditzhaus, Yu & Xu (2023), doi:10.1002/sim.9720 (the studentized permutation test).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from simulator.analysis.survival import kaplan_meier, restricted_mean
from simulator.analysis.trial.data import Bools, Floats, TrialData
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.analysis.trial.estimand import STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import LEVEL, About, Estimate, wald
from simulator.analysis.trial.potential import NOTHING, Options, Potential

MOST_PERMUTATIONS = 100_000
ESTIMAND = estimand(
    "event-free time up to the horizon",
    "difference of means in days",
    death(Strategy.COMPOSITE, "death ends event-free time"),
    STOPPING,
)


def rmst(
    data: TrialData,
    *,
    horizon: float | None = None,
    test: Literal["normal", "permutation"] = "normal",
    permutations: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Difference in days to the horizon [d], by default the shorter of the arms' longest follow-ups.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    horizon : float, optional
        Until when time counts [d].
    test : {"normal", "permutation"}
        Of the difference, with its interval.
    permutations, seed : int
        How many, and from which seed they are drawn.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.

    Raises
    ------
    AnalysisError
        The horizon lies beyond the follow-up of an arm, or the number of permutations is out of range.
    NotEstimableError
        No event leaves an error for the permutation test.
    """
    arms = [data.treated, ~data.treated]
    longest = min(float(data.time[arm].max()) for arm in arms)
    to = longest if horizon is None else horizon
    if to > longest:
        raise AnalysisError(
            f"RMST: horizon {to:g} d is beyond the follow-up of an arm, {longest:g} d. Choose a shorter one"
        )
    treated, control = (restricted_mean(kaplan_meier(data.time[arm], data.event[arm]), to) for arm in arms)
    gap, error = treated.value - control.value, float(np.hypot(treated.mcse, control.mcse))
    words = f"difference in restricted mean time to {to:g} d, Greenwood variance"
    found = wald(gap, error, About(words, ESTIMAND), n=data.n)
    if test == "normal":
        return found
    if not 100 <= permutations <= MOST_PERMUTATIONS:
        fact = f"RMST: {permutations:,} permutations are out of range"
        raise AnalysisError(f"{fact}. Ask for 100 to {MOST_PERMUTATIONS:,}")
    gaps, errors = _exchanged(data, to, permutations, np.random.default_rng(seed))
    if not errors[0] > 0:
        raise NotEstimableError("RMST: the events of these data leave no error for a permutation test")
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.abs(np.nan_to_num(gaps / errors, nan=0.0, posinf=np.inf, neginf=-np.inf))
    reach = float(np.quantile(sizes[1:], LEVEL, method="higher") * errors[0])
    p = (1 + int((sizes[1:] >= sizes[0] * (1 - 1e-9)).sum())) / (1 + permutations)
    method = f"{words}, studentized permutation test, {permutations:,} permutations within strata"
    return found._replace(lower=gap - reach, upper=gap + reach, p=p, method=method)


def _exchanged(data: TrialData, to: float, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(1 + count,) differences and their errors: of the arms as they are, then of arms exchanged within strata."""
    order = np.lexsort((~data.event, data.time))
    time, event, stratum = data.time[order], data.event[order] & (data.time[order] <= to), data.stratum[order]
    arm = np.tile(data.treated[order], (1 + count, 1))
    for one in np.unique(stratum):
        rows = stratum == one
        arm[1:, rows] = rng.permuted(arm[1:, rows], axis=1)
    (value, variance), (other, more) = (_means(time, event, mine, to) for mine in (arm, ~arm))
    return value - other, np.sqrt(variance + more)


def _means(time: Floats, event: Bools, mine: Bools, to: float) -> tuple[Floats, Floats]:
    """(count,) restricted means and their variances by Greenwood, of those who are `mine` : (count, n), in rising time.

    Events of one day are taken one after another, which gives the same curve after the last of them, and Greenwood's
    sum too: 1/(Y (Y − 1)) telescopes.
    """
    at_risk = mine[:, ::-1].cumsum(axis=1)[:, ::-1].astype(np.float64)
    died = mine & event
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(died, 1 - 1 / at_risk, 1.0).cumprod(axis=1)
        terms = np.where(died & (at_risk > 1), 1 / (at_risk * (at_risk - 1)), 0.0)
    days = np.minimum(time, to)
    pieces = left * np.diff(np.r_[days, to])
    after = pieces[:, ::-1].cumsum(axis=1)[:, ::-1]
    return days[0] + after[:, 0], (after**2 * terms).sum(axis=1)


def true_rmst(of: Potential, options: Options = NOTHING) -> float:
    """Difference of mean event-free days to the horizon, by default the day of analysis."""
    horizon = options.get("horizon")
    time = np.minimum(of.data.time, of.day if horizon is None else horizon).reshape(2, -1)
    return float(np.mean(time[0] - time[1]))


ANALYSES = (Analysis("rmst", rmst, ESTIMAND, "difference of RMST, days", truth=true_rmst, changes=("horizon",)),)
