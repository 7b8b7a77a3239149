"""Random intercepts and slopes: every visit, baseline among them, on a line of the participant's own.

    y_ij = β₀ + (β₁ + δ arm) t_ij + x_i'(γ + η t_ij) + b₀_i + b₁_i t_ij + ε_ij

x are strata and covariates, t the months since baseline at which the visit was held. Before treatment the arms do not
differ, so arm has no coefficient at t = 0. REML by Newton's method on φ = (l₁₁, l₂₁, l₂₂, log sd ε), L being the
Cholesky factor of the covariance of (b₀, b₁): every φ is a covariance, and l₂₂ = 0 its edge, as in lme4.
Satterthwaite's degrees of freedom from the observed information in φ.

References
----------
Laird & Ware (1982), doi:10.2307/2529876. Bates et al. (2015), Fitting linear mixed-effects models using lme4,
doi:10.18637/jss.v067.i01.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.analysis.trial.data import Floats, TrialData
from simulator.analysis.trial.definition import SLOPES, Analysis
from simulator.analysis.trial.design import dummies, usable
from simulator.analysis.trial.errors import NotEstimableError, solvable
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, adjusted, wald
from simulator.analysis.trial.potential import NOTHING, Options, Potential, slopes
from simulator.units import DAYS_PER_MONTH

ESTIMAND = estimand(
    "least-squares slope of function over the planned visits",
    "difference of mean slopes per month",
    death(Strategy.HYPOTHETICAL, "as if nobody died: values after death count as missing at random"),
    STOPPING,
    PAV,
)
SLOPE = 2  # the column of arm × time
ITERATIONS, TOLERANCE, NOISE, FLAT = 100, 1e-12, 1e-9, 1e-9


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
    """Difference in slopes, in points per month.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    covariates : tuple of str
        Covariates of the data.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    more = np.column_stack([dummies(data.stratum), *(data.covariate(name) for name in covariates)])
    rows = usable(more) & (np.isfinite(data.outcome).sum(axis=1) > 0)
    with solvable("random slope"):
        at, inverse, turn = _maximum(*_lines(data, more, np.asarray(rows)))
        moves = turn.T @ at.slopes
        df = 2 * at.variance**2 / float(moves @ inverse @ moves)
    words = "random intercepts and slopes, REML, Satterthwaite df"
    about = About(adjusted(words, covariates), ESTIMAND)
    return wald(at.delta, float(np.sqrt(at.variance)), about, n=int(rows.sum()), df=df)


def _lines(data: TrialData, more: Floats, rows: np.ndarray) -> tuple[Lines, Floats]:
    """The arrays of the model, and φ : (4,) at the start: each participant's own line, and what is left about it."""
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
    root = np.linalg.cholesky(spread + 1e-3 * np.diag(np.diagonal(spread)))
    return np.array([root[0, 0], root[1, 0], root[1, 1], 0.5 * np.log(max(error, 1e-3 * spread[0, 0]))])


def _covariance(phi: Floats) -> tuple[Floats, Floats]:
    """θ = (var b₀, cov(b₀, b₁), var b₁, var ε) at φ, and its derivative : (4, 4)."""
    a, b, c = phi[:3]
    error = np.exp(2 * phi[3])
    turn = np.array([[2 * a, 0, 0, 0], [b, a, 0, 0], [0, 2 * b, 2 * c, 0], [0, 0, 0, 2 * error]])
    return np.array([a * a, a * b, b * b + c * c, error]), turn


def _maximum(lines: Lines, phi: Floats) -> tuple[State, Floats, Floats]:
    """The state at the maximum, the inverse of the observed information in φ there, and dθ/dφ."""
    theta, turn = _covariance(phi)
    now = _evaluate(lines, theta)
    for _ in range(ITERATIONS):
        if now is None:
            break
        score = turn.T @ now.score
        size, directions, unit = _curvature(now, turn, theta[3])
        flat = np.abs(size) <= FLAT * np.abs(size).max()  # a rotation where b₀ does not vary
        step = unit * (
            directions @ np.where(flat, 0.0, (directions.T @ (unit * score)) / np.where(flat, 1, np.abs(size)))
        )
        if score @ step < TOLERANCE and size[~flat].min() > 0:
            scaled = unit[:, None] * directions[:, ~flat]
            return now, (scaled / size[~flat]) @ scaled.T, turn
        new = _evaluate(lines, _covariance(phi + step)[0])
        while (new is None or new.value < now.value - NOISE) and np.abs(step / unit).max() > NOISE:
            step = step / 2
            new = _evaluate(lines, _covariance(phi + step)[0])
        phi, now = phi + step, new
        theta, turn = _covariance(phi)
    raise NotEstimableError("random slope: the likelihood has no maximum inside")


def _curvature(at: State, turn: Floats, error: float) -> tuple[Floats, Floats, Floats]:
    """Eigenvalues and eigenvectors of the observed information in φ, in the units that are returned last."""
    first, second, third, fourth = at.score
    bent = np.zeros((4, 4))
    bent[0, 0], bent[1, 1], bent[2, 2], bent[3, 3] = 2 * first, 2 * third, 2 * third, 4 * error * fourth
    bent[0, 1] = bent[1, 0] = second
    found = turn.T @ at.observed @ turn - bent
    unit = 1 / np.sqrt(np.maximum(np.abs(np.diagonal(found)), 1e-300))
    return *np.linalg.eigh(unit[:, None] * found * unit), unit


def _evaluate(lines: Lines, theta: Floats) -> State | None:
    """The restricted likelihood at θ; None where the covariance of the visits is singular."""
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


def true_slope(of: Potential, options: Options = NOTHING) -> float:
    """Difference of mean slopes a month, as if alive."""
    treated, control = slopes(of.course, of.visit_day, np.ones(of.course.shape, np.bool_)).mean(axis=1)
    return float(treated - control)


ANALYSES = (Analysis("random_slope", random_slope, ESTIMAND, SLOPES, truth=true_slope),)
