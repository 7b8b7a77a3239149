"""The truth of every estimand, from potential outcomes: the same people in both arms, nobody lost.

Only a simulation sees them. A part of the population gives a figure for each estimand; over parts the mean is the
truth, and its Monte Carlo error is the standard deviation over parts divided by the root of their number (`pooled`).

With A the experimental and B the control arm, Y the change of function at the last visit and T the time of the event:

* difference as if alive: E[Y_A − Y_B] over everybody, function followed beyond death (hypothetical), and on permanent
  ventilation as it is measured then, without the points that nobody on it scores (treatment policy);
* difference among always-survivors: E[Y_A − Y_B | measured in both arms] (principal stratum);
* net benefit and win ratio: P(A fares better) − P(worse), and their ratio, for two different people drawn from the
  arms, each event by its day, then function;
* log hazard ratio: the limit of Cox's model, fitted to everybody in both arms without censoring before the day of
  analysis. Where hazards are not proportional it is the average that Cox's model makes of them;
* slopes: each person's least-squares line over the planned visits, as if alive; for the ratio of rates while alive:
  over the visits until death, or the line to the first visit of who does not live to see it.

References
----------
Rubin (2006), Causal inference through potential outcomes and principal stratification,
doi:10.1214/088342306000000114. Struthers & Kalbfleisch (1986), Misspecified proportional hazard models,
doi:10.1093/biomet/73.2.363 (what Cox's model tends to).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.trial.ancova import ancova
from simulator.analysis.trial.cox import hazard_ratio
from simulator.analysis.trial.data import Floats
from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.analysis.trial.joint_rank import true_net_benefit
from simulator.analysis.trial.potential import NOTHING, Options, Potential, always_survivors, as_if_alive
from simulator.analysis.trial.registry import ANALYSES, analysis
from simulator.analysis.trial.rmst import true_rmst
from simulator.analysis.trial.win_ratio import true_win_ratio

GAINS = (0.05, 0.25, 0.5, 0.75, 0.95)


def survivors(of: Potential, options: Options = NOTHING) -> float:
    """What ANCOVA tends to: the adjusted difference between those who are measured in one arm and in the other."""
    return ancova(of.data).value


def event_free(of: Potential, options: Options = NOTHING) -> float:
    """Difference of the shares that are event-free on the day of analysis."""
    free = ~of.data.event.reshape(2, -1)
    return float(free[0].mean() - free[1].mean())


def decline_ratio(of: Potential, options: Options = NOTHING) -> float:
    """Log of the ratio of mean declines of function from baseline, as if alive."""
    treated, control = of.changes.mean(axis=1)
    return float(np.log(treated / control)) if treated / control > 0 else np.nan


def disease_time_ratio(of: Potential, options: Options = NOTHING) -> float:
    """Log of the ratio of mean gains of disease time from baseline."""
    treated, control = (of.disease_time[:, :, -1] - of.disease_time[:, :, 0]).mean(axis=1)
    return float(np.log(treated / control)) if treated > 0 and control > 0 else np.nan


def always_share(of: Potential, options: Options = NOTHING) -> float:
    """Share of people who are measured at the last visit in both arms."""
    return float(np.isfinite(of.measured).all(axis=0).mean())


def gains(of: Potential) -> Floats:
    """(m,) individual effects: true change gained by the last visit, as if alive."""
    return np.asarray(of.changes[0] - of.changes[1])


def days_gained(of: Potential) -> Floats:
    """(m,) individual effects: event-free days gained by the day of analysis."""
    time = of.data.time.reshape(2, -1)
    return np.asarray(time[0] - time[1])


class Quantity(NamedTuple):
    """A fact about the population: its name, label, unit, and how it is found."""

    name: str
    label: str
    unit: str
    of: Callable[[Potential], float]


def _quantile(of: Callable[[Potential], Floats], p: float) -> Callable[[Potential], float]:
    return lambda people: float(np.quantile(of(people), p))


QUANTITIES: tuple[Quantity, ...] = (
    Quantity("change_as_if_alive", "difference of change, as if alive (hypothetical)", "points", as_if_alive),
    Quantity("change_always_survivors", "difference of change, always-survivors", "points", always_survivors),
    Quantity("change_survivors", "difference of change, survivors of each arm (limit of ANCOVA)", "points", survivors),
    Quantity("always_survivors", "share of always-survivors", "1", always_share),
    Quantity("net_benefit", "net benefit", "1", true_net_benefit),
    Quantity("log_win_ratio", "win ratio, log", "1", true_win_ratio),
    Quantity("event_free", "difference of event-free shares", "1", event_free),
    Quantity("restricted_mean", "event-free days gained by then, mean", "d", true_rmst),
    Quantity("log_hazard_ratio", "hazard ratio, log (limit of Cox)", "1", hazard_ratio),
    Quantity("log_rate_ratio", "ratio of declines as if alive, log", "1", decline_ratio),
    Quantity("log_disease_time_ratio", "ratio of disease times gained, log", "1", disease_time_ratio),
    Quantity("gaining", "share with function gained, as if alive", "1", lambda of: float((gains(of) > 0).mean())),
    *(
        Quantity(f"gain_q{round(100 * p):02d}", f"function gained, as if alive, {p:.0%} of people below", "points",
                 _quantile(gains, p))
        for p in GAINS
    ),
    *(
        Quantity(f"days_q{round(100 * p):02d}", f"event-free days gained, {p:.0%} of people below", "d",
                 _quantile(days_gained, p))
        for p in GAINS
    ),
)  # fmt: skip


def true_value(name: str, of: Potential, options: Options = NOTHING) -> float:
    """The true value of what an analysis estimates, in one part of the population; NaN where there is none.

    Raises
    ------
    AnalysisError
        Nothing is known of the analysis, or its options contradict the data.
    """
    one = analysis(name)
    if (truth := one.truth) is None:
        known = ", ".join(other for other, its in ANALYSES.items() if its.truth is not None)
        raise AnalysisError(f"no truth is known for {name}. There is one for {known}")
    used = {key: value for key, value in options.items() if key in one.changes}
    return _or_nothing(lambda: truth(of, used))


def facts(of: Potential) -> Floats:
    """The QUANTITIES of one part of the population, in order."""
    return np.array([_or_nothing(lambda one=one: one.of(of)) for one in QUANTITIES])  # type: ignore[misc]


def _or_nothing(call: Callable[[], float]) -> float:
    try:
        return call()
    except NotEstimableError:
        return np.nan


def pooled(parts: ArrayLike) -> tuple[Floats, Floats]:
    """Mean over parts : (c, …) and its Monte Carlo error, SD/√c; NaN where a part has no value."""
    values = np.asarray(parts, np.float64)
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
