"""Random intercepts and slopes: every visit, baseline among them, on a line of the participant's own.

    y_ij = β₀ + (β₁ + δ arm) t_ij + x_i'(γ + η t_ij) + b₀_i + b₁_i t_ij + ε_ij

x are strata and covariates, t the months since baseline at which the visit was held. Before treatment the arms do not
differ, so arm has no coefficient at t = 0. REML by Newton's method on the covariance of (b₀, b₁) and the variance of ε;
Satterthwaite's degrees of freedom from the observed information.

References
----------
Laird & Ware (1982), doi:10.2307/2529876.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.analysis.trial.data import Floats, TrialData
from simulator.analysis.trial.design import dummies, usable
from simulator.analysis.trial.errors import NotEstimableError, solvable
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, wald
from simulator.units import DAYS_PER_MONTH

ESTIMAND = estimand(
    "least-squares slope of function over the planned visits",
    "difference of mean slopes per month",
    death(Strategy.HYPOTHETICAL, "as if nobody died: values after death count as missing at random"),
    STOPPING,
    PAV,
)
SLOPE = 2  # the column of arm × time
ITERATIONS, TOLERANCE, NOISE = 100, 1e-12, 1e-9


class Lines(NamedTuple):
    """Participants' visits, 0 in the places of missing ones.

    Parameters
    ----------
    x : (n, v, q) columns of the mean. y : (n, v) what was measured.
    parts : (4, n, v, v) derivatives of the covariance in var b₀, cov(b₀, b₁), var b₁ and var ε.
    absent : (n, v, v) 1 on the diagonal of a missing visit.
    """

    x: Floats
    y: Floats
    parts: Floats
    absent: Floats


class State(NamedTuple):
    """Restricted log-likelihood (constants left out), its gradient : (4,) and two informations : (4, 4) in θ.

    `slopes` : (4,) is the derivative of the variance of the difference in slopes, whose estimate and variance come
    first.
    """

    delta: float
    variance: float
    slopes: Floats
    value: float
    score: Floats
    expected: Floats
    observed: Floats


def random_slope(data: TrialData, *, covariates: tuple[str, ...] = ()) -> Estimate:
    """Difference in slopes, in points per month."""
    more = np.column_stack([dummies(data.stratum), *(data.covariate(name) for name in covariates)])
    rows = usable(more) & (np.isfinite(data.outcome).sum(axis=1) > 0)
    with solvable("random slope"):
        at = _maximum(*_lines(data, more, np.asarray(rows)))
        df = 2 * at.variance**2 / float(at.slopes @ np.linalg.solve(at.observed, at.slopes))
    words = "random intercepts and slopes, REML, Satterthwaite df"
    about = About(words + "".join(f", adjusted for {name}" for name in covariates), ESTIMAND)
    return wald(at.delta, float(np.sqrt(at.variance)), about, n=int(rows.sum()), df=df)


def _lines(data: TrialData, more: Floats, rows: np.ndarray) -> tuple[Lines, Floats]:
    """The arrays of the model, and where scoring starts: each participant's own line, and what is left about it."""
    y = data.outcome[rows]
    seen = np.isfinite(y)
    one = seen.astype(np.float64)
    time = np.where(seen, data.day[rows], 0.0) / DAYS_PER_MONTH
    arm, more = data.arm[rows][:, None], more[rows]
    columns = [one, time, time * arm, *(one * c[:, None] for c in more.T), *(time * c[:, None] for c in more.T)]
    x, filled = np.stack(columns, axis=-1), np.where(seen, y, 0.0)
    absent = np.eye(y.shape[1]) * ~seen[:, None, :]
    outer = [one[:, :, None] * one[:, None, :], one[:, :, None] * time[:, None, :], time[:, :, None] * time[:, None, :]]
    outer[1] = outer[1] + outer[1].transpose(0, 2, 1)
    parts = np.stack([*outer, np.eye(y.shape[1]) * seen[:, None, :]])
    return Lines(x, filled, parts, absent), _start(one, time, filled)


def _start(one: Floats, time: Floats, y: Floats) -> Floats:
    many = one.sum(axis=1) > 2
    if many.sum() < 3:
        raise NotEstimableError("random slope: fewer than three participants have three visits")
    z = np.stack([one[many], time[many]], axis=-1)
    own = np.linalg.solve(z.transpose(0, 2, 1) @ z, z.transpose(0, 2, 1) @ y[many][:, :, None])[:, :, 0]
    left = y[many] - (z @ own[:, :, None])[:, :, 0]
    error = float((left**2).sum() / (one[many].sum() - own.size))
    spread = np.cov(own.T)
    return np.array([spread[0, 0], 0.0, spread[1, 1], max(error, 1e-3 * spread[0, 0])])


def _maximum(lines: Lines, theta: Floats) -> State:
    now = _evaluate(lines, theta)
    for _ in range(ITERATIONS):
        if now is None:
            break
        step = np.linalg.lstsq(_curvature(now), now.score, rcond=None)[0]
        if abs(now.score @ step) < TOLERANCE:
            return now
        new = _evaluate(lines, theta + step)
        while (new is None or new.value < now.value - NOISE) and np.abs(step).max() > NOISE:
            step = step / 2
            new = _evaluate(lines, theta + step)
        theta, now = theta + step, new
    raise NotEstimableError("random slope: the likelihood has no maximum inside")


def _curvature(at: State) -> Floats:
    """The observed information where it is positive definite, else the expected one."""
    return at.observed if np.linalg.eigvalsh(at.observed)[0] > 0 else at.expected


def _evaluate(lines: Lines, theta: Floats) -> State | None:
    """The restricted likelihood at θ; None where that is no covariance.

    The variances of intercept and slope may become negative as long as the covariance of the visits remains one: the
    likelihood is smooth there, and tests keep their size.
    """
    total = np.tensordot(theta, lines.parts, 1) + lines.absent
    try:
        logs = 2 * np.log(np.diagonal(np.linalg.cholesky(total), axis1=1, axis2=2)).sum()
    except np.linalg.LinAlgError:
        return None
    weight, x = np.linalg.inv(total), lines.x
    wx = weight @ x
    normal = np.tensordot(x, wx, ((0, 1), (0, 1)))
    c = np.linalg.inv(normal)
    beta = c @ np.tensordot(wx, lines.y, 2 * ((0, 1),))
    residual = lines.y - x @ beta
    wr = (weight @ residual[:, :, None])[:, :, 0]
    vx, vr = lines.parts @ wx, (lines.parts @ wr[:, :, None])[..., 0]  # V_i V⁻¹X and V_i V⁻¹r
    wv = weight @ lines.parts
    curved = np.tensordot(wx, vx, ((0, 1), (1, 2))).transpose(1, 0, 2)  # G_i = X'V⁻¹ V_i V⁻¹X
    pulled = np.tensordot(vr, wx, ((1, 2), (0, 1)))  # X'V⁻¹ V_i V⁻¹r
    turned = c @ curved
    cross = np.tensordot((weight @ vx), vx, ((1, 2), (1, 2))).transpose(0, 2, 1, 3)  # X'V⁻¹V_i V⁻¹ V_j V⁻¹X
    twice = np.einsum("inab,jnba->ij", wv, wv) - 2 * np.einsum("ab,ijba->ij", c, cross)
    twice += np.einsum("iab,jba->ij", turned, turned)
    quadratic = np.tensordot((weight @ vr[..., None])[..., 0], vr, ((1, 2), (1, 2))) - pulled @ c @ pulled.T
    trace = np.einsum("inaa->i", wv) - np.einsum("iaa->i", turned)
    score = 0.5 * (np.tensordot(vr, wr, 2) - trace)
    value = -0.5 * float(logs + np.linalg.slogdet(normal)[1] + (residual * wr).sum())
    slopes = np.einsum("a,iab,b->i", c[SLOPE], curved, c[SLOPE])
    return State(beta[SLOPE], float(c[SLOPE, SLOPE]), slopes, value, score, 0.5 * twice, quadratic - 0.5 * twice)
