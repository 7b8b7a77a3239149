"""Cox regression with Efron's handling of ties, few covariates, optional strata.

With θ_j = exp(x_j β), risk set R and events D at a time, |D| = d, the log partial likelihood adds, for l = 0 … d − 1,
−log(Σ_R θ − (l/d) Σ_D θ), and Σ_D x β. Newton's method, with the analytic gradient and Hessian.

References
----------
Cox (1972), doi:10.1111/j.2517-6161.1972.tb00899.x. Efron (1977), doi:10.1080/01621459.1977.10480613.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.analysis.trial.data import Floats, TrialData, where
from simulator.analysis.trial.definition import HAZARDS, Analysis
from simulator.analysis.trial.design import usable
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, wald
from simulator.analysis.trial.potential import NOTHING, Options, Potential
from simulator.analysis.trial.risk_sets import RiskSets, over_risk_sets, risk_sets

ESTIMAND = estimand(
    "time from baseline to the event",
    "log hazard ratio, constant over time; conditional on the covariates if there are any",
    death(Strategy.COMPOSITE, "death is the event, or one of the events that end event-free time"),
    STOPPING,
)
ITERATIONS, TOLERANCE, NOISE, LARGEST = 30, 1e-16, 1e-9, 20.0


class Partial(NamedTuple):
    """Log partial likelihood, its gradient : (p,), and the information : (p, p)."""

    value: float
    score: Floats
    information: Floats


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
    return Partial(value, x[sets.event].sum(axis=0) - mean.sum(axis=0), square - mean.T @ mean)


def cox(data: TrialData, *, covariates: tuple[str, ...] = (), stratified: bool = False) -> Estimate:
    """Log hazard ratio of the arms, adjusted for the covariates; Wald, normal. Who lacks a covariate is left out.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    covariates : tuple of str
        Covariates of the data.
    stratified : bool
        A baseline hazard for each stratum.

    Returns
    -------
    Estimate
        On the logarithmic scale.

    Raises
    ------
    NotEstimableError
        An arm has no event, or the likelihood has no maximum.
    """
    x = np.column_stack([data.arm, *(data.covariate(name) for name in covariates)]).astype(np.float64)
    rows = usable(x)
    x, data = x[rows], where(data, rows)
    happened = np.bincount(data.arm[data.event], minlength=2)
    if not happened.all():
        raise NotEstimableError(
            f"Cox: {happened[1]} events on treatment and {happened[0]} on control have no finite ratio"
        )
    sets = risk_sets(data, stratified)
    beta, information = _maximum(sets, (x - x.mean(axis=0))[sets.order])
    words = [
        "Cox, Efron ties",
        *(["stratified"] if stratified else []),
        *(f"adjusted for {name}" for name in covariates),
    ]
    about = About(", ".join(words), ESTIMAND, "log")
    return wald(beta[0], np.sqrt(np.linalg.inv(information)[0, 0]), about, n=data.n)


def _maximum(sets: RiskSets, x: Floats) -> tuple[Floats, Floats]:
    """Newton with halved steps; the information is that at the maximum."""
    beta = np.zeros(x.shape[1])
    now = partial_likelihood(sets, x, beta)
    for _ in range(ITERATIONS):
        try:
            step = np.linalg.solve(now.information, now.score)
        except np.linalg.LinAlgError:
            break
        if now.score @ step < TOLERANCE:
            return beta, now.information
        new = partial_likelihood(sets, x, beta + step)
        while not new.value > now.value - NOISE and np.abs(step).max() > NOISE:
            step = step / 2
            new = partial_likelihood(sets, x, beta + step)
        beta, now = beta + step, new
        if np.abs(beta * x.std(axis=0)).max() > LARGEST:
            break
    raise NotEstimableError("Cox: the partial likelihood has no maximum; an arm or covariate separates the events")


def hazard_ratio(of: Potential, options: Options = NOTHING) -> float:
    """The limit of Cox's model, with its covariates and strata if there are any."""
    return cox(of.data, **options).value


ANALYSES = (Analysis("cox", cox, ESTIMAND, HAZARDS, "log", truth=hazard_ratio, changes=("covariates", "stratified")),)
