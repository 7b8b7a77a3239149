"""Ratio of event rates whose control borrows earlier controls: Poisson counts over the time at risk.

    events ~ Poisson(rate × years)

The logarithm of control's rate has a robust MAP or a commensurate prior from the rates of earlier controls, whose
likelihood is taken as normal on the logarithm (with half an event more); the experimental rate, and control's where
nothing is borrowed, has Jeffreys' prior. Control's posterior is found on a grid, and the ratio's by the gamma
distribution over it: no approximation of the trial's own likelihood, so few or no events do no harm.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.analysis.trial.borrowing import Normals
from simulator.analysis.trial.data import Floats, TrialData
from simulator.analysis.trial.definition import Analysis, Borrows
from simulator.analysis.trial.earlier import (
    ALIKE,
    BETWEEN,
    BORROWED,
    SLAB,
    SPIKE,
    Prior,
    commensurate,
    known,
    predicted,
)
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import Estimate
from simulator.analysis.trial.potential import NOTHING, Options, Potential

ESTIMAND = estimand(
    "number of events over the time at risk from baseline to the day of analysis",
    "log of the ratio of event rates",
    death(Strategy.COMPOSITE, "death is the event, or one of the events that end event-free time"),
    STOPPING,
)
RATES = "ratio of event rates"
JEFFREYS = 0.5
NODES, TAIL, LEAST = 500, 1e-12, 1e-14
YEAR = 365.25


class Counted(NamedTuple):
    """Events and years at risk."""

    events: float
    years: float


def event_rate_map(data: TrialData, *, borrowed: float = BORROWED, between: float = BETWEEN) -> Estimate:
    """Posterior of the log ratio of event rates; control with a robust meta-analytic-predictive prior.

    Parameters
    ----------
    data : TrialData
        Participants of two arms, with earlier controls that tell their events until the day of analysis.
    borrowed : float
        Probability that control is like the earlier ones; 0 borrows nothing.
    between : float
        Scale of the half-normal prior of the standard deviation of log rates between trials.

    Returns
    -------
    Estimate
        Posterior mean, standard deviation and interval; p is twice the smaller tail.
    """
    return _borrowing(data, predicted(borrowed, between), "a robust MAP prior", "event_rate_map")


def event_rate_commensurate(
    data: TrialData,
    *,
    alike: float = ALIKE,
    spike: float = SPIKE,
    slab_low: float = SLAB[0],
    slab_high: float = SLAB[1],
) -> Estimate:
    """The same; control with a commensurate prior.

    Parameters
    ----------
    data : TrialData
        Participants of two arms, with earlier controls that tell their events until the day of analysis.
    alike : float
        Probability of the spike.
    spike, slab_low, slab_high : float
        Precision of the difference of log rates at the spike, and from where to where it is uniform otherwise.

    Returns
    -------
    Estimate
        Posterior mean, standard deviation and interval; p is twice the smaller tail.
    """
    kind = commensurate(alike, spike, slab_low, slab_high)
    return _borrowing(data, kind, "a commensurate prior", "event_rate_commensurate")


def _borrowing(data: TrialData, kind: Prior, words: str, name: str) -> Estimate:
    # Earlier controls are told until a day: that of the last visit of the data.
    of = known(data.earlier, "events", float(data.nominal_day[-1]), name)
    arms = (data.treated, ~data.treated)
    treated, control = (Counted(float(data.event[who].sum()), float(data.time[who].sum() / YEAR)) for who in arms)
    if not (treated.years > 0 and control.years > 0):
        raise NotEstimableError("event rates: an arm has no time at risk")
    return ratio(treated, control, kind(of), f"ratio of event rates, control with {words}", data.n)


def ratio(treated: Counted, control: Counted, prior: Normals | None, words: str, n: int) -> Estimate:
    """The posterior of the log ratio of rates."""
    from scipy.optimize import brentq
    from scipy.special import digamma, gammainc, gammaincc, polygamma

    x, weight = log_rate(control, prior)
    shape = treated.events + JEFFREYS
    middle = float(weight @ x)
    mean = float(digamma(shape)) - np.log(treated.years) - middle
    of_control = float(weight @ (x - middle) ** 2)
    sd = float(np.sqrt(polygamma(1, shape) + of_control))

    def below(q: float, tail: Any = gammainc) -> float:
        return float(weight @ tail(shape, treated.years * np.exp(x + q)))

    ends = mean - 60 * sd, mean + 60 * sd
    lower, upper = (float(brentq(lambda q, p=p: below(q) - p, *ends, xtol=1e-10)) for p in (0.025, 0.975))
    added = max(1 / of_control - 1 / float(polygamma(1, control.events + JEFFREYS)), 0.0) if prior else 0.0
    method = f"{words}; P(below 1) {below(0.0):.4f}; earlier controls count as {added:.1f} events"
    p = 2 * min(below(0.0), below(0.0, gammaincc))
    return Estimate(mean, sd, float("inf"), lower, upper, p, n, method, ESTIMAND, "log")


def log_rate(control: Counted, prior: Normals | None) -> tuple[Floats, Floats]:
    """Nodes of the log rate of control and their posterior weights."""
    from scipy.special import gammainccinv, gammaincinv

    shape = control.events + JEFFREYS
    ends = [np.log(found(shape, TAIL) / control.years) for found in (gammaincinv, gammainccinv)]
    if prior is not None:
        ends += [(prior.mean - 8 * prior.sd).min(), (prior.mean + 8 * prior.sd).max()]
    low, high = min(ends), max(ends)
    for _ in range(2):  # where the posterior is, then there
        x = np.linspace(low, high, NODES)
        log = _log_density(x, control, prior)
        kept = x[log > log.max() + np.log(LEAST)]
        low, high = kept[0], kept[-1]
    weight = np.exp(log - log.max())
    return x, weight / weight.sum()


def _log_density(x: Floats, control: Counted, prior: Normals | None) -> Floats:
    likelihood = control.events * x - control.years * np.exp(x)
    if prior is None:
        return np.asarray(likelihood + JEFFREYS * x)
    from scipy.special import logsumexp

    each = np.log(prior.weight / prior.sd) - 0.5 * ((x[:, None] - prior.mean) / prior.sd) ** 2
    return np.asarray(likelihood + logsumexp(each, axis=1))


def true_rate_of_events(of: Potential, options: Options = NOTHING) -> float:
    """Log of the ratio of events over time at risk, the same people in both arms."""
    rates = of.data.event.reshape(2, -1).sum(axis=1) / of.data.time.reshape(2, -1).sum(axis=1)
    return float(np.log(rates[0] / rates[1])) if (rates > 0).all() else np.nan


MAP, COMMENSURATE = Borrows("events", predicted), Borrows("events", commensurate)
TRUTH = true_rate_of_events
ANALYSES = (
    Analysis("event_rate_map", event_rate_map, ESTIMAND, RATES, "log", truth=TRUTH, borrows=MAP),
    Analysis(
        "event_rate_commensurate", event_rate_commensurate, ESTIMAND, RATES, "log", truth=TRUTH, borrows=COMMENSURATE
    ),
)
