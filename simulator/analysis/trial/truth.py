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

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.trial.ancova import ancova
from simulator.analysis.trial.cox import cox
from simulator.analysis.trial.data import Bools, Floats, TrialData
from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.analysis.trial.responder import responder
from simulator.analysis.trial.wins import wins, within_strata
from simulator.units import DAYS_PER_MONTH

Options = Mapping[str, Any]
NOTHING: Options = {}
GAINS = (0.05, 0.25, 0.5, 0.75, 0.95)


class Potential(NamedTuple):
    """m people in both arms, until a day of analysis.

    Parameters
    ----------
    data : what a trial would measure if everybody were in both arms and nobody were lost: rows 0 … m − 1 are the
        people on the experimental treatment, rows m … 2 m − 1 the same people in control.
    visit_day : (v,) [d] days of `course`, from 0 to the day of the last visit of `data`, rising.
    course : (2, m, v) true function as if alive, experimental and control, less what permanent ventilation takes away.
    disease_time : (2, m, v) true disease time.
    day : [d] the day of analysis.
    last_day : (2, m) [d] the day up to which function can be measured: that of death, or infinite.
    """

    data: TrialData
    visit_day: Floats
    course: Floats
    disease_time: Floats
    day: float
    last_day: Floats

    @property
    def changes(self) -> Floats:
        """(2, m) true change from baseline to the last visit, as if alive."""
        return np.asarray(self.course[:, :, -1] - self.course[:, :, 0])

    @property
    def measured(self) -> Floats:
        """(2, m) measured change at the last visit, NaN after death."""
        return self.data.change[:, -1].reshape(2, -1)


def as_if_alive(of: Potential, options: Options = NOTHING) -> float:
    """Difference of true change at the last visit, everybody followed beyond death."""
    treated, control = of.changes
    return float(np.mean(treated - control))


def always_survivors(of: Potential, options: Options = NOTHING) -> float:
    """Difference of measured change among those who are measured at the last visit in both arms."""
    treated, control = of.measured
    both = np.isfinite(treated) & np.isfinite(control)
    return float(np.mean((treated - control)[both])) if both.any() else np.nan


def survivors(of: Potential, options: Options = NOTHING) -> float:
    """What ANCOVA tends to: the adjusted difference between those who are measured in one arm and in the other."""
    return ancova(of.data).value


def slope(of: Potential, options: Options = NOTHING) -> float:
    """Difference of mean slopes a month, as if alive."""
    treated, control = slopes(of.course, of.visit_day, np.ones(of.course.shape, np.bool_)).mean(axis=1)
    return float(treated - control)


def slopes(course: Floats, visit_day: Floats, seen: Bools) -> Floats:
    """(2, m) least-squares slopes a month over the visits that are seen; from baseline to the next where one is."""
    months, count = visit_day / DAYS_PER_MONTH, seen.sum(axis=-1)
    away = np.where(seen, months - (seen @ months / np.maximum(count, 1))[..., None], 0.0)
    square = (away**2).sum(axis=-1)
    first = (course[..., 1] - course[..., 0]) / (months[1] - months[0])
    return np.where(count > 1, (away * course).sum(axis=-1) / np.where(count > 1, square, 1.0), first)


def delayed_start(of: Potential, options: Options = NOTHING) -> float:
    """Difference as if alive at the last visit, minus a share of that at the last visit by `switch_day`."""
    kept, gap = options.get("kept_share", 0.0), of.course[0] - of.course[1]
    mean = np.mean(gap - gap[:, :1], axis=0)
    switch = int(np.searchsorted(of.visit_day, options.get("switch_day") or 0.0, side="right")) - 1
    return float(mean[-1] - kept * mean[switch])


def net_benefit(of: Potential, options: Options = NOTHING) -> float:
    """Probability of faring better minus that of faring worse, of people of one stratum if it is stratified."""
    won, lost = within_strata(of.data, of.day, 2) if options.get("stratified") else wins(of.data, of.day)
    return won - lost


def win_ratio(of: Potential, options: Options = NOTHING) -> float:
    """Log of the probability of a win over that of a loss, of people of one stratum if it is stratified."""
    margin = options.get("margin", 0.0)
    stratified = options.get("stratified", False)
    won, lost = within_strata(of.data, of.day, 1, margin) if stratified else wins(of.data, of.day, margin)
    return float(np.log(won / lost)) if won > 0 and lost > 0 else np.nan


def hazard_ratio(of: Potential, options: Options = NOTHING) -> float:
    """The limit of Cox's model, with its covariates and strata if there are any."""
    return cox(of.data, **options).value


def stratified_hazard_ratio(of: Potential, options: Options = NOTHING) -> float:
    """The limit of Cox's model within the strata of randomisation."""
    return cox(of.data, stratified=True).value


def event_free(of: Potential, options: Options = NOTHING) -> float:
    """Difference of the shares that are event-free on the day of analysis."""
    free = ~of.data.event.reshape(2, -1)
    return float(free[0].mean() - free[1].mean())


def restricted_mean(of: Potential, options: Options = NOTHING) -> float:
    """Difference of mean event-free days to the horizon, by default the day of analysis."""
    horizon = options.get("horizon")
    time = np.minimum(of.data.time, of.day if horizon is None else horizon).reshape(2, -1)
    return float(np.mean(time[0] - time[1]))


def responders(of: Potential, options: Options = NOTHING) -> float:
    """Difference of the shares of responders."""
    return responder(of.data, **options).value


def rate_ratio(of: Potential, options: Options = NOTHING) -> float:
    """Log of the ratio of mean rates of decline of function, each person's until death."""
    treated, control = slopes(of.course, of.visit_day, of.visit_day <= of.last_day[..., None]).mean(axis=1)
    return float(np.log(treated / control)) if treated / control > 0 else np.nan


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


Truth = Callable[[Potential, Options], float]
TRUTHS: Mapping[str, Truth] = {
    "ancova": always_survivors,
    "ancova_nfl": always_survivors,
    "mi": as_if_alive,
    "controlled_mi": as_if_alive,
    "mmrm": as_if_alive,
    "random_slope": slope,
    "joint_rank": net_benefit,
    "joint_rank_ancova": net_benefit,
    "joint_rank_mi": net_benefit,
    "win_ratio": win_ratio,
    "logrank": hazard_ratio,
    "stratified_logrank": stratified_hazard_ratio,
    "cox": hazard_ratio,
    "rmst": restricted_mean,
    "responder": responders,
    "delayed_start": delayed_start,
    "rate_ratio": rate_ratio,
}
"""The truth of each analysis, by its name."""
USES = {
    "joint_rank": ("stratified",),
    "win_ratio": ("margin", "stratified"),
    "cox": ("covariates", "stratified"),
    "rmst": ("horizon",),
    "responder": ("least_change", "missing_fails", "stratified"),
    "delayed_start": ("switch_day", "kept_share"),
}
"""Options of analyses that change what is estimated, not only how."""


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
    Quantity("net_benefit", "net benefit", "1", net_benefit),
    Quantity("log_win_ratio", "win ratio, log", "1", win_ratio),
    Quantity("event_free", "difference of event-free shares", "1", event_free),
    Quantity("restricted_mean", "event-free days gained by then, mean", "d", restricted_mean),
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
    if name not in TRUTHS:
        raise AnalysisError(f"no truth is known for {name}. There is one for {', '.join(TRUTHS)}")
    used = {key: value for key, value in options.items() if key in USES.get(name, ())}
    return _or_nothing(lambda: TRUTHS[name](of, used))


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
