"""Where a trial with looks stops, and what that does to error, power, size and duration.

The information at a look is that of the analysis, 1/SE² (of a log-rank test about a quarter of the events), as a part
of what the plan expects at the end: its mean there over the replicates. The boundaries of a replicate spend what its
own information says (Lan & DeMets 1983), to the nearest hundredth. By `participants`, and always for some analyses
(BY_PEOPLE), it is the part of them who have reached the day of analysis.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.replicates import Clusters, Measure, mean, mean_known, share
from simulator.analysis.trial.after_looks import drifts
from simulator.analysis.trial.sequential import (
    OBRIEN_FLEMING,
    Boundaries,
    Spending,
    by_posterior,
    efficacy,
    with_beta,
    with_conditional_power,
    without_futility,
)
from simulator.studies.trial.decision import VALUE, Claims, P, claims_at_end, direction
from simulator.studies.trial.looks import CALENDAR, looks
from simulator.studies.trial.rows import ESTIMATED, Block

if TYPE_CHECKING:
    from simulator.language.blocks.posterior import Posterior
    from simulator.language.interim import Futility, Interim
    from simulator.language.interim import Spending as Written
    from simulator.studies.trial.plan import Plan

Floats = NDArray[np.float64]
BENEFIT, HARM, FUTILITY, NOTHING = 1, -1, -2, 0
ROUNDED = 2
"""Digits of a part of the information: so that few boundaries are computed."""
BY_PEOPLE = ("joint_rank", "joint_rank_ancova", "joint_rank_mi", "win_ratio", "responder")
"""Analyses that count everybody at a look, also by visits that are not the end's: their 1/SE² is no information.

Without an effect, in trials of `group_sequential`, 1/SE² of the joint rank is 73 and 98 % at the looks, and the squared
correlation of its z with that at the end 38 and 74 %; of `responder` 78 and 95, and 36 and 68 %. They would err in 6.9
and 7.6 % instead of 5. Of `ancova`, `mmrm`, `random_slope` and `logrank` the two are alike.
"""
SE = ESTIMATED.index("se")
DAY, RANDOMISED, REACHED = range(len(CALENDAR))


class Stopped(NamedTuple):
    """Where each of r replicates stopped, by one analysis.

    Parameters
    ----------
    look : (r,) number of the look from 0; the end is the number of looks.
    share : (r, look + 1) part of the information; NaN where no look is held.
    z : (r,) the statistic there.
    se : (r,) its standard error.
    why : (r,) BENEFIT, HARM, FUTILITY, or NOTHING at the end.
    value : (r,) the estimate there.
    randomised, day : (r,) participants randomised by then, and the day of the calendar.
    """

    look: NDArray[np.int64]
    share: Floats
    z: Floats
    se: Floats
    why: NDArray[np.int64]
    value: Floats
    randomised: Floats
    day: Floats


class Sequential(NamedTuple):
    """Operating characteristics of the looks, each with its Monte Carlo error; `at` by look, the last is the end.

    `median` is the median unbiased estimate at the end; of its interval and of the repeated one, how many hold the
    truth, NaN where that is not known.
    """

    benefit: Measure
    harm: Measure
    futility: Measure
    participants: Measure
    days: Measure
    value: Measure
    median: Measure
    median_below: Measure
    covered: Measure
    repeated_covered: Measure
    information_at: tuple[Measure, ...]
    benefit_at: tuple[Measure, ...]
    stopped_at: tuple[Measure, ...]


class Rules(NamedTuple):
    """What stops a trial: a two-sided level and how it is spent; a least conditional power, or a beta to spend."""

    alpha: float
    spending: Spending
    conditional_power: float | None = None
    beta: float | None = None
    beta_spending: Spending = OBRIEN_FLEMING
    information: str = "analysis"
    posterior: tuple[float, float | None, float | None, float | None] | None = None
    """Of `by_posterior`: benefit, at_looks, least, predictive."""


def rules(interim: Interim, posterior: Posterior | None = None) -> Rules:
    """The rules that a scenario writes; with a posterior nothing but that decides."""
    found = Rules(interim.alpha.value, spending(interim.spending), information=interim.information)
    if posterior is not None:
        return found._replace(posterior=posterior_of(posterior))
    futility = interim.futility
    return found if futility is None else _with_futility(found, futility)


def posterior_of(written: Posterior) -> tuple[float, float | None, float | None, float | None]:
    """What a scenario writes about posterior probabilities, in the order of `by_posterior`."""
    futile = written.futility
    rest = (
        written.at_looks,
        None if futile is None else futile.probability,
        None if futile is None else futile.predictive,
    )
    at_looks, least, predictive = (None if one is None else one.value for one in rest)
    return written.benefit.value, at_looks, least, predictive


def _with_futility(found: Rules, futility: Futility) -> Rules:
    if futility.conditional_power is not None:
        return found._replace(conditional_power=futility.conditional_power.value)
    spends = OBRIEN_FLEMING if futility.spending is None else spending(futility.spending)
    return found._replace(beta=None if futility.beta is None else futility.beta.value, beta_spending=spends)


def spending(written: Written) -> Spending:
    """How a level is spent, as a scenario writes it."""
    return Spending(written.shape, 1.0 if written.parameter is None else written.parameter.value)


@lru_cache(maxsize=4096)
def boundaries(rules: Rules, share: tuple[float, ...]) -> Boundaries:
    """Boundaries for looks with these parts of the information, the last being 1."""
    at = np.array(share)
    if rules.posterior is not None:
        benefit, at_looks, least, predictive = rules.posterior
        return by_posterior(at, benefit, at_looks, least=least, predictive=predictive)
    bounds = efficacy(at, alpha=rules.alpha, spending=rules.spending)
    if rules.conditional_power is not None:
        return with_conditional_power(at, bounds, rules.conditional_power)
    if rules.beta is not None:
        return with_beta(at, bounds, beta=rules.beta, spending=rules.beta_spending)
    return without_futility(at, bounds)


def claims(plan: Plan, name: str, found: Block, a: int, d: int) -> Claims:
    """What replicates claim by analysis number `a` on day of analysis `d`, by the design.

    The looks are before the first day of analysis; the days after it are analysed as if nothing had been stopped.
    """
    trial = plan.scenario.trial
    if d > 0 or not looks(plan) or trial is None or trial.interim is None:
        return claims_at_end(plan, name, found.estimates[:, a, d])
    why = stopped(rules(trial.interim, trial.posterior), name, found, a, plan.outcome).why
    return Claims(why == BENEFIT, why == HARM)


def stopped(rules: Rules, name: str, found: Block, a: int, outcome: str = "alsfrs_r") -> Stopped:
    """Where the replicates stop by analysis number `a`, called `name`, of a trial with this outcome."""
    at_looks, end = found.looks[:, a], found.estimates[:, a, :1]
    values = np.concatenate([at_looks[..., VALUE], end[..., VALUE]], axis=1)
    z = direction(name, outcome) * signed(values, np.concatenate([at_looks[..., P], end[..., P]], axis=1))
    se = np.concatenate([at_looks[..., SE], end[..., SE]], axis=1)
    known = rules._replace(information="participants") if name in BY_PEOPLE else rules
    share = shares(known, se, found.calendar[..., REACHED])
    look, why = (np.zeros(len(z), np.int64) for _ in range(2))
    for r, held in enumerate(share):
        look[r], why[r] = _one(rules, z[r], held)
    rows = np.arange(len(z))
    calendar = found.calendar[rows, look]
    at = z[rows, look], se[rows, look]
    return Stopped(look, share, *at, why, values[rows, look], calendar[:, RANDOMISED], calendar[:, DAY])


def shares(rules: Rules, se: Floats, reached: Floats) -> Floats:
    """(r, look + 1) parts of the information, rising to 1; NaN where no look is held.

    se : (r, look + 1) standard errors; where there is none, the part of participants who have `reached` the analysis.
    """
    people = reached / reached[:, -1:]
    found = people.copy()
    if rules.information == "analysis":
        with np.errstate(divide="ignore", invalid="ignore"):
            information = np.where(se > 0, 1 / se**2, np.nan)
        known = information[np.isfinite(information[:, -1]), -1]
        part = information / known.mean() if len(known) else information
        found = np.where(np.isfinite(part), part, people)
    found = np.where(np.isfinite(reached), np.round(found, ROUNDED), np.nan)
    least = np.zeros(len(found))
    for k in range(found.shape[1] - 1):  # rising, and below 1 before the end
        room = 1 - (found.shape[1] - 1 - k) / 10**ROUNDED
        found[:, k] = np.clip(found[:, k], least + 1 / 10**ROUNDED, room)
        least = np.fmax(least, found[:, k])
    found[:, -1] = 1.0
    return np.round(found, ROUNDED)


def _one(rules: Rules, z: Floats, share: Floats) -> tuple[int, int]:
    """Look and reason of one replicate; without an estimate nothing stops."""
    numbers = np.flatnonzero(np.isfinite(share))
    bounds = boundaries(rules, tuple(share[numbers].tolist()))
    for number, up, low, harm in zip(numbers.tolist(), bounds.efficacy, bounds.futility, bounds.harm, strict=True):
        if z[number] >= up or z[number] <= harm:
            return number, BENEFIT if z[number] >= up else HARM
        if number < len(z) - 1 and z[number] <= low:
            return number, FUTILITY
    return len(z) - 1, NOTHING


def signed(value: Floats, p: Floats) -> Floats:
    """The two-sided p as a standard normal with the sign of the estimate."""
    from scipy.special import ndtri

    with np.errstate(divide="ignore"):
        size = -ndtri(np.clip(p, 1e-300, 1.0) / 2)
    return np.asarray(np.sign(value) * size)


class Estimated(NamedTuple):
    """(r,) median unbiased estimates with 95 % intervals, and repeated intervals, of replicates where they stopped."""

    median: Floats
    lower: Floats
    upper: Floats
    repeated_lower: Floats
    repeated_upper: Floats


def estimated_after(rules: Rules, at: Stopped, name: str, outcome: str = "alsfrs_r") -> Estimated:
    """Estimates that know of the looks.

    A drift δ is an estimate δ SE √t at the share t of the information: the information at the end is 1/(t SE²).
    """
    found = np.full((len(Estimated._fields), len(at.look)), np.nan)
    sign = direction(name, outcome)
    groups: dict[tuple[int, tuple[float, ...]], list[int]] = {}
    for r in np.flatnonzero(np.isfinite(at.z) & (at.se > 0)):
        held = np.isfinite(at.share[r])
        groups.setdefault((int(held[: at.look[r]].sum()), _coarse(at.share[r][held])), []).append(int(r))
    for (place, part), members in groups.items():
        rows, bounds = np.array(members), boundaries(rules, part)
        drift = drifts(bounds, place, at.z[rows], (0.5, 0.025, 0.975)) * (at.se[rows] * np.sqrt(part[place]))[:, None]
        ends = np.sort(sign * drift[:, 1:], axis=1)
        reach = bounds.efficacy[place] * at.se[rows]
        found[:, rows] = sign * drift[:, 0], *ends.T, at.value[rows] - reach, at.value[rows] + reach
    return Estimated(*found)


def _coarse(share: Floats) -> tuple[float, ...]:
    """The parts of the information to the nearest twentieth, where they still rise: few boundaries are computed."""
    found = np.round(20 * share) / 20
    rises = found[0] > 0 and (np.diff(found) > 0).all()
    return tuple((found if rises else share).tolist())


def operating(
    at: Stopped, looks: int, cluster: Clusters = None, after: Estimated | None = None, true: float = np.nan
) -> Sequential:
    """What the looks of all replicates come to; those of a cluster share a draw of the parameters.

    `after` : the estimates that know of the looks; `true` : what is estimated.
    """
    numbers = range(looks + 1)
    none = np.full(len(at.look), np.nan)
    found = after or Estimated(none, none, none, none, none)

    def holds(low: Floats, high: Floats) -> Measure:
        known = np.where(np.isfinite(low) & np.isfinite(true), 1.0 * ((low <= true) & (true <= high)), np.nan)
        return mean_known(known, cluster)

    return Sequential(
        benefit=share(at.why == BENEFIT, cluster),
        harm=share(at.why == HARM, cluster),
        futility=share(at.why == FUTILITY, cluster),
        participants=mean(at.randomised, cluster),
        days=mean(at.day, cluster),
        value=mean_known(at.value, cluster),
        median=mean_known(found.median, cluster),
        median_below=holds(found.median, np.where(np.isfinite(found.median), np.inf, np.nan)),
        covered=holds(found.lower, found.upper),
        repeated_covered=holds(found.repeated_lower, found.repeated_upper),
        information_at=tuple(mean_known(at.share[:, k], cluster) for k in numbers),
        benefit_at=tuple(share((at.why == BENEFIT) & (at.look == k), cluster) for k in numbers),
        stopped_at=tuple(share(at.look == k, cluster) for k in numbers),
    )
