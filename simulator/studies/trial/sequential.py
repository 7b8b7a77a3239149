"""Where a trial with looks stops, and what that does to error, power, size and duration.

The part of the information at a look is that of the participants who have reached the day of analysis, as counted in
that replicate, so the boundaries of a replicate spend what its own calendar says (Lan & DeMets 1983).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.replicates import Clusters, Measure, mean, mean_known, share
from simulator.analysis.trial.sequential import (
    OBRIEN_FLEMING,
    Boundaries,
    Spending,
    efficacy,
    with_beta,
    with_conditional_power,
    without_futility,
)
from simulator.studies.trial.decision import VALUE, Claims, P, claims_at_end, direction
from simulator.studies.trial.looks import CALENDAR, looks
from simulator.studies.trial.replicates import Block

if TYPE_CHECKING:
    from simulator.language.interim import Interim
    from simulator.language.interim import Spending as Written
    from simulator.studies.trial.plan import Plan

Floats = NDArray[np.float64]
BENEFIT, HARM, FUTILITY, NOTHING = 1, -1, -2, 0
DAY, RANDOMISED, REACHED = range(len(CALENDAR))


class Stopped(NamedTuple):
    """Where each of r replicates stopped, by one analysis.

    Parameters
    ----------
    look : (r,) number of the look from 0; the end is the number of looks.
    why : (r,) BENEFIT, HARM, FUTILITY, or NOTHING at the end.
    value : (r,) the estimate there.
    randomised, day : (r,) participants randomised by then, and the day of the calendar.
    """

    look: NDArray[np.int64]
    why: NDArray[np.int64]
    value: Floats
    randomised: Floats
    day: Floats


class Sequential(NamedTuple):
    """Operating characteristics of the looks, each with its Monte Carlo error; `at` by look, the last is the end."""

    benefit: Measure
    harm: Measure
    futility: Measure
    participants: Measure
    days: Measure
    value: Measure
    benefit_at: tuple[Measure, ...]
    stopped_at: tuple[Measure, ...]


class Rules(NamedTuple):
    """What stops a trial: a two-sided level and how it is spent; a least conditional power, or a beta to spend."""

    alpha: float
    spending: Spending
    conditional_power: float | None = None
    beta: float | None = None
    beta_spending: Spending = OBRIEN_FLEMING


def rules(interim: Interim) -> Rules:
    """The rules that a scenario writes."""
    found, futility = Rules(interim.alpha.value, _spending(interim.spending)), interim.futility
    if futility is None:
        return found
    if futility.conditional_power is not None:
        return found._replace(conditional_power=futility.conditional_power.value)
    spends = OBRIEN_FLEMING if futility.spending is None else _spending(futility.spending)
    return found._replace(beta=None if futility.beta is None else futility.beta.value, beta_spending=spends)


def _spending(written: Written) -> Spending:
    return Spending(written.shape, 1.0 if written.parameter is None else written.parameter.value)


@lru_cache(maxsize=4096)
def boundaries(rules: Rules, reached: tuple[int, ...]) -> Boundaries:
    """Boundaries for looks at which so many have reached the day of analysis, the last being all."""
    at = np.array(reached) / reached[-1]
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
    why = stopped(rules(trial.interim), name, found, a, plan.outcome).why
    return Claims(why == BENEFIT, why == HARM)


def stopped(rules: Rules, name: str, found: Block, a: int, outcome: str = "alsfrs_r") -> Stopped:
    """Where the replicates stop by analysis number `a`, called `name`, of a trial with this outcome."""
    at_looks, end = found.looks[:, a], found.estimates[:, a, :1]
    values = np.concatenate([at_looks[..., VALUE], end[..., VALUE]], axis=1)
    z = direction(name, outcome) * _signed(values, np.concatenate([at_looks[..., P], end[..., P]], axis=1))
    look, why = (np.zeros(len(z), np.int64) for _ in range(2))
    for r, held in enumerate(found.calendar):
        look[r], why[r] = _one(rules, z[r], held)
    rows = np.arange(len(z))
    calendar = found.calendar[rows, look]
    return Stopped(look, why, values[rows, look], calendar[:, RANDOMISED], calendar[:, DAY])


def _one(rules: Rules, z: Floats, held: Floats) -> tuple[int, int]:
    """Look and reason of one replicate; without an estimate nothing stops."""
    numbers = np.flatnonzero(np.isfinite(held[:, REACHED]))
    bounds = boundaries(rules, tuple(int(n) for n in held[numbers, REACHED]))
    for number, up, low in zip(numbers.tolist(), bounds.efficacy, bounds.futility, strict=True):
        if abs(z[number]) >= up:
            return number, BENEFIT if z[number] > 0 else HARM
        if number < len(z) - 1 and z[number] <= low:
            return number, FUTILITY
    return len(z) - 1, NOTHING


def _signed(value: Floats, p: Floats) -> Floats:
    """The two-sided p as a standard normal with the sign of the estimate."""
    from scipy.special import ndtri

    with np.errstate(divide="ignore"):
        size = -ndtri(np.clip(p, 1e-300, 1.0) / 2)
    return np.asarray(np.sign(value) * size)


def operating(at: Stopped, looks: int, cluster: Clusters = None) -> Sequential:
    """What the looks of all replicates come to; those of a cluster share a draw of the parameters."""
    numbers = range(looks + 1)
    return Sequential(
        benefit=share(at.why == BENEFIT, cluster),
        harm=share(at.why == HARM, cluster),
        futility=share(at.why == FUTILITY, cluster),
        participants=mean(at.randomised, cluster),
        days=mean(at.day, cluster),
        value=mean_known(at.value, cluster),
        benefit_at=tuple(share((at.why == BENEFIT) & (at.look == k), cluster) for k in numbers),
        stopped_at=tuple(share(at.look == k, cluster) for k in numbers),
    )
