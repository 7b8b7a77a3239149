"""Cox regression with Efron's handling of ties, few covariates, optional strata, optional penalty of Firth.

With θ_j = exp(x_j β), risk set R and events D at a time, |D| = d, the log partial likelihood l adds, for l = 0 … d − 1,
−log(Σ_R θ − (l/d) Σ_D θ), and Σ_D x β. Newton's method, with the analytic gradient and Hessian. Firth's penalty adds
half the log determinant of the information, which keeps the estimate finite where an arm has no event.

Three tests, each with the interval of the ratios that it does not reject: Wald's; that of the likelihood ratio, from
the profile likelihood; and the score test, which without covariates is the log-rank test (but for ties).

References
----------
Cox (1972), doi:10.1111/j.2517-6161.1972.tb00899.x. Efron (1977), doi:10.1080/01621459.1977.10480613. Firth (1993),
doi:10.1093/biomet/80.1.27. Heinze & Schemper (2001), doi:10.1111/j.0006-341X.2001.00114.x.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from simulator.analysis.trial.data import Floats, TrialData, where
from simulator.analysis.trial.definition import HAZARDS, Analysis
from simulator.analysis.trial.design import usable
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, adjusted, quantile, two_sided, wald
from simulator.analysis.trial.potential import NOTHING, Options, Potential
from simulator.analysis.trial.risk_sets import RiskSets, over_risk_sets, risk_sets

ESTIMAND = estimand(
    "time from baseline to the event",
    "log hazard ratio, constant over time; conditional on the covariates if there are any",
    death(Strategy.COMPOSITE, "death is the event, or one of the events that end event-free time"),
    STOPPING,
)
ITERATIONS, TOLERANCE, NOISE, LARGEST = 50, 1e-16, 1e-9, 20.0
STEP = 1e-4
"""Of the differences that give slope and curvature of Firth's penalty."""
FARTHEST = 60.0
"""Standard errors within which the end of an interval is looked for."""
Test = Literal["wald", "likelihood_ratio", "score"]
WORDS = {"wald": "Wald's test", "likelihood_ratio": "likelihood ratio test, profile interval", "score": "score test"}


class Partial(NamedTuple):
    """Log partial likelihood, its gradient : (p,), the information : (p, p), and what Newton's method divides by."""

    value: float
    score: Floats
    information: Floats
    curvature: Floats


Likelihood = Callable[[Floats], Partial]


class Fit(NamedTuple):
    """A likelihood, what it is at its maximum, where that is : (p,), and the SD of the columns : (p,)."""

    likelihood: Likelihood
    top: Partial
    beta: Floats
    sd: Floats


def partial_likelihood(sets: RiskSets, x: Floats, beta: Floats) -> Partial:
    """Efron's partial likelihood at beta : (p,) of x : (n, p), rows in the order of the sets."""
    n, p = x.shape
    linear = x @ beta
    moments = np.empty((n, 1 + p + p * p))
    moments[:, 0] = np.exp(linear)
    moments[:, 1 : 1 + p] = x * moments[:, :1]
    moments[:, 1 + p :] = (x[:, :, None] * moments[:, None, 1 : 1 + p]).reshape(n, p * p)
    failing = moments[sets.event]
    begin = np.cumsum(sets.deaths) - sets.deaths
    fraction = (np.arange(len(failing)) - begin[sets.group]) / sets.deaths[sets.group]
    tied = np.add.reduceat(failing, begin)
    sums = over_risk_sets(sets, moments)[sets.group] - fraction[:, None] * tied[sets.group]
    mean = sums[:, 1 : 1 + p] / sums[:, :1]
    square = (sums[:, 1 + p :] / sums[:, :1]).sum(axis=0).reshape(p, p)
    value = float(linear[sets.event].sum() - np.log(sums[:, 0]).sum())
    information = square - mean.T @ mean
    return Partial(value, x[sets.event].sum(axis=0) - mean.sum(axis=0), information, information)


def firth(sets: RiskSets, x: Floats, beta: Floats) -> Partial:
    """The same with Firth's penalty; the information is that of the likelihood without it."""
    plain = partial_likelihood(sets, x, beta)
    half = _log_root(plain)
    ends = np.array([
        [_log_root(partial_likelihood(sets, x, beta + side * STEP * e)) for side in (-1, 1)] for e in np.eye(len(beta))
    ])  # fmt: skip
    slope, bend = (ends[:, 1] - ends[:, 0]) / (2 * STEP), (ends.sum(axis=1) - 2 * half) / STEP**2
    return Partial(plain.value + half, plain.score + slope, plain.information, plain.information - np.diag(bend))


def _log_root(of: Partial) -> float:
    """Half the log determinant of the information."""
    sign, log = np.linalg.slogdet(of.information)
    return float(log) / 2 if sign > 0 else np.nan


def cox(
    data: TrialData,
    *,
    covariates: tuple[str, ...] = (),
    stratified: bool = False,
    test: Test = "wald",
    penalty: bool = False,
) -> Estimate:
    """Log hazard ratio of the arms, adjusted for the covariates; normal. Who lacks a covariate is left out.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    covariates : tuple of str
        Covariates of the data.
    stratified : bool
        A baseline hazard for each stratum.
    test : {"wald", "score", "likelihood_ratio"}
        Of the ratio, with its interval. The standard error is that of the information.
    penalty : bool
        Firth's, for few events.

    Returns
    -------
    Estimate
        On the logarithmic scale.

    Raises
    ------
    NotEstimableError
        An arm has no event and there is no penalty, or the likelihood has no maximum.
    """
    x = np.column_stack([data.arm, *(data.covariate(name) for name in covariates)]).astype(np.float64)
    rows = usable(x)
    x, data = x[rows], where(data, rows)
    happened = np.bincount(data.arm[data.event], minlength=2)
    if not (happened.any() if penalty else happened.all()):
        raise NotEstimableError(
            f"Cox: {happened[1]} events on treatment and {happened[0]} on control have no finite ratio"
        )
    sets = risk_sets(data, stratified)
    likelihood = partial(firth if penalty else partial_likelihood, sets, (x - x.mean(axis=0))[sets.order])
    top, beta = _maximum(likelihood, np.zeros(x.shape[1]), x.std(axis=0))
    se = float(np.sqrt(np.linalg.inv(top.information)[0, 0]))
    words = ["Cox, Efron ties", *["stratified"] * stratified, *["Firth's penalty"] * penalty, WORDS[test]]
    about = About(adjusted(", ".join(words), covariates), ESTIMAND, "log")
    found = wald(beta[0], se, about, n=data.n)
    if test == "wald":
        return found
    root = partial(_root, Fit(likelihood, top, beta, x.std(axis=0)), test)
    limits = _limit(root, beta[0], -se), _limit(root, beta[0], se)
    return found._replace(lower=limits[0], upper=limits[1], p=two_sided(root(0.0)))


def _root(of: Fit, test: Test, at: float) -> float:
    """The signed root of a test of the log hazard ratio `at`, the other coefficients at their best there."""
    likelihood, top, beta = of.likelihood, of.top, of.beta
    held = _maximum(likelihood, np.r_[at, beta[1:]], of.sd, held=1)[0]
    if test == "score":
        return float(held.score[0] * np.sqrt(np.linalg.inv(held.information)[0, 0]))
    return float(np.sign(beta[0] - at) * np.sqrt(max(2 * (top.value - held.value), 0.0)))


def _limit(root: Callable[[float], float], centre: float, se: float) -> float:
    """The ratio on the side of `se` that the test just rejects at 5 %."""
    from scipy.optimize import brentq

    wanted = -np.sign(se) * quantile()
    away = 1.0
    while (root(centre + away * se) - wanted) * np.sign(se) > 0:
        away *= 1.5
        if away > FARTHEST:
            raise NotEstimableError("Cox: the interval of this test has no end")
    return float(brentq(lambda at: root(at) - wanted, centre, centre + away * se, xtol=1e-10, rtol=1e-12))


def _step(now: Partial, curvature: Floats, held: int) -> Floats:
    found = np.zeros(len(now.score))
    found[held:] = np.linalg.solve(curvature[held:, held:], now.score[held:])
    return found


def _maximum(likelihood: Likelihood, start: Floats, sd: Floats, held: int = 0) -> tuple[Partial, Floats]:
    """Newton with halved steps; the first `held` coefficients stay."""
    beta = start
    try:
        now = likelihood(beta)
        for _ in range(ITERATIONS):
            step = _step(now, now.curvature, held)
            if now.score @ step < 0:  # the curvature of the penalised likelihood is no maximum's here
                step = _step(now, now.information, held)
            if abs(now.score @ step) < TOLERANCE:
                return now, beta
            new = likelihood(beta + step)
            while not new.value > now.value - NOISE and np.abs(step).max() > NOISE:
                step = step / 2
                new = likelihood(beta + step)
            beta, now = beta + step, new
            if np.abs(beta * sd).max() > LARGEST:
                break
    except np.linalg.LinAlgError:
        pass
    raise NotEstimableError("Cox: the partial likelihood has no maximum; an arm or covariate separates the events")


def hazard_ratio(of: Potential, options: Options = NOTHING) -> float:
    """The limit of Cox's model, with its covariates and strata if there are any."""
    return cox(of.data, **options).value


ANALYSES = (Analysis("cox", cox, ESTIMAND, HAZARDS, "log", truth=hazard_ratio, changes=("covariates", "stratified")),)
