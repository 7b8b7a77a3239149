"""ANCOVA after multiple imputation under other assumptions than missing at random: as in control, or worse by so much.

Values after a participant's last measurement are imputed by one of the rules

* `random`: as in the own arm (missing at random), like `mi`;
* `jump`: the mean of the control arm from then on (jump to reference);
* `copy`: as if always in the control arm (copy reference): who was better keeps what the correlation of visits gives;
* `increments`: the own mean at the last measurement, from then on the changes of the control arm (copy increments).

The mean of a visit is that of a participant with these columns of the design in one or the other arm; the deviation
from it at earlier visits carries over by the regressions of the visits on each other. Gaps before the last measurement
are imputed at random. Values so imputed in the experimental arm are then shifted by `delta` at the visit of analysis;
the tipping point is the delta up to which the difference stays significant.

With whoever misses a visit missing all later ones, the regressions are drawn one by one from their posterior, which is
that of a multivariate normal model with one covariance for both arms.

References
----------
Carpenter, Roger & Kenward (2013), doi:10.1080/10543406.2013.834911. Cro et al. (2020), doi:10.1002/sim.8569.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from simulator.analysis.trial.data import Bools, Floats, TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis
from simulator.analysis.trial.design import ARM, Fit, columns, least_squares, usable
from simulator.analysis.trial.errors import AnalysisError, solvable
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import LEVEL, About, Estimate, adjusted
from simulator.analysis.trial.imputation import Plan, complete, pooled, posterior
from simulator.analysis.trial.potential import as_if_alive
from simulator.errors import absent

ESTIMAND = estimand(
    "change of function from baseline to the visit of analysis",
    "difference of means, adjusted for baseline and strata, if who is not measured went on by the stated rule",
    death(Strategy.HYPOTHETICAL, "as if nobody died: values after death are imputed like other missing ones"),
    STOPPING,
    PAV,
)
Rule = Literal["random", "jump", "copy", "increments"]
WORDS = {
    "random": "missing at random",
    "jump": "jump to reference",
    "copy": "copy reference",
    "increments": "copy increments in reference",
}
FARTHEST = 1e6
"""Standard errors within which the tipping point is looked for."""


class Filled(NamedTuple):
    """The completed data: the design x : (n, q), changes at the visit of analysis : (m, n), who is shifted : (n,)."""

    x: Floats
    last: Floats
    shifted: Bools


def controlled_mi(
    data: TrialData,
    *,
    rule: Rule = "jump",
    delta: float = 0.0,
    covariates: tuple[str, ...] = (),
    imputations: int = 20,
    passes: int = 5,
    tipping: bool = False,
    seed: int = 0,
) -> Estimate:
    """Adjusted difference in change, Rubin's rules.

    Parameters
    ----------
    data : the trial.
    rule : how those go on who are not measured any more.
    delta : what is added to their values in the experimental arm [units of the outcome].
    covariates : of the participants.
    imputations, passes, seed : see `imputation.Plan`.
    tipping : whether the method says up to which delta the difference is significant.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    filled = fill(data, rule, covariates, Plan(imputations, passes, seed=seed))
    words = f"ANCOVA after {imputations} imputations, {WORDS[rule]}, Rubin's rules"
    if delta:
        words += f", {delta:+g} for imputed values of the experimental arm"
    about = About(adjusted(words, covariates), ESTIMAND)
    found = _analysed(filled, delta, about)
    return found._replace(method=f"{found.method}; {_in_words(_tipping(filled, about))}") if tipping else found


def tipping_point(
    data: TrialData, *, rule: Rule = "random", covariates: tuple[str, ...] = (), plan: Plan | None = None
) -> float:
    """The delta at which the difference is just not significant any more, nearest to 0.

    Returns
    -------
    float
        In the unit of the outcome; 0 where the difference is not significant as it is, infinite where no delta
        changes it.
    """
    return _tipping(fill(data, rule, covariates, plan or Plan()), About("tipping point", ESTIMAND))


def _tipping(filled: Filled, about: About) -> float:
    start = _analysed(filled, 0.0, about)
    if start.p > 1 - LEVEL:
        return 0.0
    side = 1.0 if start.value > 0 else -1.0
    if not filled.shifted.any():
        return -side * np.inf
    from scipy.optimize import brentq

    def left(size: float) -> float:  # how far the interval is from 0, on the side of the estimate
        found = _analysed(filled, -side * size, about)
        return found.lower if side > 0 else -found.upper

    far = start.se
    while left(far) > 0:
        far *= 2
        if far > FARTHEST * start.se:
            return -side * np.inf
    return -side * float(brentq(left, 0.0, far, xtol=1e-9))


def _in_words(delta: float) -> str:
    if delta == 0:
        return "not significant without a delta"
    return f"significant up to a delta of {delta:+.3g}" if np.isfinite(delta) else "significant whatever the delta"


def fill(data: TrialData, rule: Rule, covariates: tuple[str, ...], plan: Plan) -> Filled:
    """The data, completed by a rule."""
    if rule not in WORDS:
        raise AnalysisError(absent("rule", rule, WORDS))
    x, change = columns(data, covariates), data.later_change()
    rows = usable(x)
    x, change = x[rows], change[rows]
    seen = np.isfinite(change)
    gone = ~np.logical_or.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    done = np.where(gone, np.nan, complete(x, change, plan))
    rng = np.random.default_rng((plan.seed, 1))
    with solvable("imputation"):
        last = _go_on(x, done, gone, rule, rng)
    return Filled(x, last, gone[:, -1] & (x[:, ARM] == 1))


def _go_on(x: Floats, done: Floats, gone: Bools, rule: Rule, rng: np.random.Generator) -> Floats:
    """(m, n) the last visit of done : (m, n, v), whose values are missing where `gone` : (n, v)."""
    m, n, v = done.shape
    reference = x.copy()
    reference[:, ARM] = 0.0
    own, control, expected = (np.zeros((m, n, 0)) for _ in range(3))
    anchor = np.zeros((m, n))  # own mean minus that of control at the last measurement
    for visit in range(v):
        there, past = ~gone[:, visit], done[:, :, :visit]
        beta, sigma = posterior(_with(x, past)[:, there], done[:, there, visit], rng)
        means = [_of(beta, _with(columns_, before)) for columns_, before in ((x, own), (reference, control))]
        anchor = np.where(there, means[0] - means[1], anchor)
        centre = _centre(rule, means, anchor, there)
        if rule in ("random", "copy"):
            value = _of(beta, _with(x if rule == "random" else reference, past))
        else:
            value = centre + ((past - expected) * beta[:, None, x.shape[1] :]).sum(axis=2)
        drawn = value + sigma[:, None] * rng.normal(size=value.shape)
        done[:, gone[:, visit], visit] = drawn[:, gone[:, visit]]
        own, control, expected = (
            np.dstack([before, one]) for before, one in ((own, means[0]), (control, means[1]), (expected, centre))
        )
    return np.asarray(done[:, :, -1])


def _centre(rule: Rule, means: list[Floats], anchor: Floats, there: Bools) -> Floats:
    """(m, n) the mean of a visit: the own one while measured, then that of the rule."""
    own, control = means
    later = {"increments": control + anchor, "jump": control, "copy": control, "random": own}[rule]
    return np.where(there, own, later)


def _with(x: Floats, past: Floats) -> Floats:
    """(m, n, q + k) the columns of the design and the earlier visits."""
    return np.concatenate([np.broadcast_to(x, (len(past), *x.shape)), past], axis=2)


def _of(beta: Floats, x: Floats) -> Floats:
    """(m, n) x : (m, n, k) times beta : (m, k)."""
    return np.asarray((x @ beta[:, :, None])[:, :, 0])


def _analysed(filled: Filled, delta: float, about: About) -> Estimate:
    """ANCOVA of the completed data, shifted."""
    fits: list[Fit] = [least_squares(filled.x, one + delta * filled.shifted) for one in filled.last]
    return pooled(fits, about, len(filled.x))


ANALYSES = (Analysis("controlled_mi", controlled_mi, ESTIMAND, CHANGE, truth=as_if_alive),)
