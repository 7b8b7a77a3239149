"""Disease-rate ratio by a shared-parameter likelihood: function and event depend on the same latent rate.

    y_ij = I_i − r_i t_ij + ε_ij,      r_i = R_i exp(γ arm + η'x_i)
    hazard of the event at t = k t^(k−1) exp(λ + α r_i)

(I_i, R_i) is bivariate normal over participants with means (β₀ + β'x_i, ρ), x the strata, t in months. Treatment
multiplies everybody's rate by exp(γ), the disease-rate ratio: below 1 is slower. Who has the event early tends to be
fast (α > 0), and the likelihood knows it; so missing values after the event are not taken as missing at random.

Given the visits, a participant's (I, R) is normal; the event's factor is integrated over R by the trapezoidal rule
about the mode of the whole integrand, in u = mode + s sinh v with the curvature 1/s² there: nodes are dense about the
mode and reach seven standard deviations to both sides. Nodes are doubled until that moves neither the estimate nor its
standard error. Gradients are complex-step derivatives, exact to rounding; the standard error is the sandwich of the
observed information and the participants' scores, times n / (n − p), or that of the information alone. Since treatment
multiplies every rate, the model also reads the spread of rates, and where rates are not normal it is too sure of that;
the sandwich is not.

References
----------
Wulfsohn & Tsiatis (1997), doi:10.2307/2533118. Trefethen & Weideman (2014), doi:10.1137/130932132 (the rule
converges exponentially). Squire & Trapp (1998), doi:10.1137/S003614459631241X (complex step). White (1982), Maximum
likelihood estimation of misspecified models, doi:10.2307/1912526 (sandwich).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.data import Floats, TrialData
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.design import dummies
from simulator.analysis.trial.errors import NotEstimableError, solvable
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, wald
from simulator.analysis.trial.potential import NOTHING, Options, Potential, slopes
from simulator.units import DAYS_PER_MONTH

ESTIMAND = estimand(
    "rate of decline of function: the slope over the visits until death; it also drives the hazard of the event",
    "log of the ratio of mean rates",
    death(Strategy.WHILE_ALIVE, "function counts while alive; the event informs the rate it shares"),
    STOPPING,
    PAV,
)
NODES, REACH, TOLERANCE, SETTLED, WIDTH = (17, 33, 65, 129, 257), 7.0, 1e-4, 1e-8, 1e-7
STEPS, NEAR = 5, 0.1  # steps of Newton, from where the likelihood is within so much of its maximum
SAME = 1e-3
"""Standard errors by which the estimate may move, and share by which its error may, with twice the nodes."""
# Then, for each stratum but the first, the shifts of intercept and log rate.
NAMES = (
    *("gamma", "intercept", "rate", "log_sd_intercept", "log_sd_rate", "z_correlation", "log_sd_error"),
    *("log_hazard", "alpha", "log_shape"),
)


class Rates(NamedTuple):
    """What the visits say of the participants' own rates: means and standard deviations."""

    mean: NDArray
    sd: NDArray


class Hazard(NamedTuple):
    """λ, α and log k of the hazard."""

    level: NDArray
    alpha: NDArray
    log_shape: NDArray


class Sums(NamedTuple):
    """What the likelihood needs of each participant, (n,) each: numbers and sums over the visits; time in months."""

    arm: Floats
    x: Floats
    visits: Floats
    t: Floats
    tt: Floats
    y: Floats
    ty: Floats
    yy: Floats
    time: Floats
    event: Floats


def sums(data: TrialData) -> Sums:
    """The sums of the data, visits taken when they were held."""
    seen = np.isfinite(data.outcome)
    y, t = np.where(seen, data.outcome, 0.0), np.where(seen, data.day, 0.0) / DAYS_PER_MONTH
    months = np.maximum(data.time, 0.5) / DAYS_PER_MONTH  # an event on day 0 happened during it
    count, t1, t2, y1, ty, y2 = (part.sum(axis=1) for part in (seen.astype(np.float64), t, t * t, y, t * y, y * y))
    arm, event = data.arm.astype(np.float64), data.event.astype(np.float64)
    return Sums(arm, dummies(data.stratum), count, t1, t2, y1, ty, y2, months, event)


def log_likelihood(data: Sums, theta: NDArray, nodes: int = NODES[0]) -> NDArray:
    """(…, n) contributions at theta : (…, 10 + 2 s), as in NAMES, real or complex; s strata beyond the first."""
    common = np.moveaxis(theta[..., :10], -1, 0)[..., None]
    gamma, intercept, rate, *logs, z, log_error, level, alpha, log_shape = common
    shifts = theta[..., 10:]
    mean = intercept + shifts[..., 0::2] @ data.x.T
    factor = np.exp(gamma * data.arm + shifts[..., 1::2] @ data.x.T)
    (sd_i, sd_r), error, r = np.exp(np.array(logs)), np.exp(2 * log_error), np.tanh(z)
    # G⁻¹ + D'D/σ² and D'(y − mean)/σ² with D = (1, −factor t)
    scale = 1 / (1 - r * r)
    a = scale / sd_i**2 + data.visits / error
    b = -scale * r / (sd_i * sd_r) - factor * data.t / error
    c = scale / sd_r**2 + factor**2 * data.tt / error
    determinant = a * c - b * b
    u = (data.y - data.visits * mean + factor * data.t * rate) / error
    w = -factor * (data.ty - data.t * mean + factor * data.tt * rate) / error
    left = data.yy + data.visits * mean**2 + (factor * rate) ** 2 * data.tt - 2 * mean * data.y
    left = (left + 2 * factor * rate * (data.ty - mean * data.t)) / error
    explained = (c * u * u - 2 * b * u * w + a * w * w) / determinant
    normal = data.visits * (np.log(2 * np.pi) + np.log(error)) + 2 * np.log(sd_i * sd_r) - np.log(scale)
    longitudinal = -0.5 * (normal + np.log(determinant) + left - explained)
    own = factor * (rate + (a * w - b * u) / determinant)
    own = Rates(own, factor * np.sqrt(a / determinant))
    return longitudinal + _event(data, own, Hazard(level, alpha, log_shape), nodes)


def _event(data: Sums, own: Rates, hazard: Hazard, nodes: int) -> NDArray:
    """Log of the expected likelihood of the event over the participants' own rates, given their visits.

    With u the rate in standard deviations from its mean and a = α sd, the integrand is exp(q), q = −u²/2 + event a u −
    c exp(a u). Its mode is a event − a c exp(a² event − x) with x = ω(log(a² c) + a² event), ω Wright's function. One
    step of Newton from the real mode gives the mode its derivatives.
    """
    from scipy.special import wrightomega

    log_time = np.log(data.time)
    shape = np.exp(hazard.log_shape)
    log_hazard = hazard.level + hazard.alpha * own.mean
    log_c, a = log_hazard + shape * log_time, hazard.alpha * own.sd
    square, real = a.real**2 * data.event, a.real
    x = wrightomega(2 * np.log(np.maximum(np.abs(real), 1e-150)) + log_c.real + square)
    mode = real * (data.event - np.exp(np.minimum(log_c.real + square - x, 700.0)))
    cumulative = np.exp(log_c + a * mode)
    mode = mode + (data.event * a - a * cumulative - mode) / (1 + a * a * cumulative)
    scale = 1 / np.sqrt(1 + a * a * np.exp(log_c + a * mode))
    end = np.arcsinh(REACH / scale)
    v = end[..., None] * np.linspace(-1, 1, nodes)
    u = mode[..., None] + scale[..., None] * np.sinh(v)
    terms = (data.event * a)[..., None] * u - np.exp(log_c[..., None] + a[..., None] * u) - 0.5 * u**2
    terms = terms + np.log(np.cosh(v))
    top = terms.real.max(axis=-1, keepdims=True)
    total = np.log(np.exp(terms - top).sum(axis=-1)) + top[..., 0]
    total = total + np.log(scale * end * (2 / (nodes - 1) / np.sqrt(2 * np.pi)))
    return np.asarray(total + data.event * (log_hazard + hazard.log_shape + (shape - 1) * log_time))


def scores(data: Sums, theta: Floats, nodes: int = NODES[0]) -> Floats:
    """(…, p, n) gradients of the participants' contributions at theta : (…, p), by complex steps."""
    steps = theta[..., None, :] + 1e-30j * np.eye(theta.shape[-1])
    return np.asarray(log_likelihood(data, steps, nodes).imag / 1e-30)


def gradient(data: Sums, theta: Floats, nodes: int = NODES[0]) -> Floats:
    """(…, p) gradient of the log-likelihood at theta : (…, p)."""
    return np.asarray(scores(data, theta, nodes).sum(axis=-1))


def rate_ratio(data: TrialData, *, robust: bool = True) -> Estimate:
    """Log of the disease-rate ratio; Wald, normal; without `robust` as if rates were normal.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    robust : bool
        The sandwich error.

    Returns
    -------
    Estimate
        On the logarithmic scale.

    Raises
    ------
    NotEstimableError
        There is no event, the likelihood has no maximum where rates decline, or its integrals do not settle.
    """
    if not data.event.any():
        raise NotEstimableError("rate ratio: nobody had the event, so it tells nothing about rates")
    told = sums(data)
    words = "disease-rate ratio, shared-parameter maximum likelihood" + (", sandwich variance" if robust else "")
    about = About(words, ESTIMAND, "log")
    theta = _start(told)
    with np.errstate(all="ignore"), solvable("rate ratio"):  # a long first step may overflow, and is then shortened
        for nodes, more in pairwise(NODES):
            theta, information = _maximum(told, theta, nodes, near=nodes > NODES[0])
            covariance = np.asarray(np.linalg.inv(information), np.float64)
            each, finer = (_moves(told, theta, covariance, count) for count in (nodes, more))
            error, sandwich, checked = np.sqrt(covariance[0, 0]), _error(each, theta), _error(finer, theta)
            if abs(finer.sum()) < SAME * error and abs(checked / sandwich - 1) < SAME:
                return wald(float(theta[0]), float(sandwich if robust else error), about, n=data.n)
    raise NotEstimableError(f"rate ratio: its integrals do not settle with {NODES[-1]} nodes")


def _moves(data: Sums, theta: Floats, covariance: Floats, nodes: int) -> Floats:
    """(n,) how far each participant's score moves the log of the ratio in one step of Newton."""
    return np.asarray(covariance[0] @ scores(data, theta, nodes))


def _error(moves: Floats, theta: Floats) -> float:
    """Standard error of the sandwich."""
    return float(np.sqrt((moves**2).sum() * len(moves) / max(len(moves) - len(theta), 1)))


def _maximum(data: Sums, theta: Floats, nodes: int, *, near: bool) -> tuple[Floats, Floats]:
    """The maximum and the information there: Newton's steps from `theta`, after a search where that is not near."""
    from scipy.optimize import minimize

    found = None
    for search in (False, True) if near else (True,):
        if search:
            theta = minimize(
                lambda at: -float(log_likelihood(data, at, nodes).sum()),
                theta,
                jac=lambda at: -gradient(data, at, nodes),
                method="BFGS",
                options={"gtol": 1e-5 * len(data.arm), "maxiter": 300},
            ).x
        for _ in range(STEPS):
            score = gradient(data, theta, nodes)
            moved = gradient(data, theta - WIDTH * np.eye(len(theta)), nodes) - score
            information = (moved + moved.T) / (2 * WIDTH)
            if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0:
                break
            step = np.linalg.solve(information, score)
            if score @ step > NEAR:
                break
            theta = theta + step
            found = (theta, information) if score @ step < TOLERANCE else found
            if score @ step < SETTLED:
                break
        if found is not None:
            return found
    raise NotEstimableError("rate ratio: the likelihood has no maximum inside")


def _start(data: Sums) -> Floats:
    """Means and spreads of the participants' own lines; an exponential hazard."""
    spread = data.visits * data.tt - data.t**2
    many = (data.visits > 2) & (spread > 0)
    if many.sum() < 3:
        raise NotEstimableError("rate ratio: fewer than three participants have three visits")
    slope = ((data.visits * data.ty - data.t * data.y)[many]) / spread[many]
    first = data.y[many] / data.visits[many] - slope * data.t[many] / data.visits[many]
    level = np.log(data.event.sum() / data.time.sum())
    sizes = np.log([max(first.std(), 0.1), max(slope.std(), 0.05)])
    own = [0.0, first.mean(), max(-slope.mean(), 0.05), *sizes, 0.0, 0.5, level, 0.0, 0.0]
    return np.array(own + [0.0] * (2 * data.x.shape[1]))


def true_rate_ratio(of: Potential, options: Options = NOTHING) -> float:
    """Log of the ratio of mean rates of decline of function, each person's until death."""
    treated, control = slopes(of.course, of.visit_day, of.visit_day <= of.last_day[..., None]).mean(axis=1)
    return float(np.log(treated / control)) if treated / control > 0 else np.nan


ANALYSES = (Analysis("rate_ratio", rate_ratio, ESTIMAND, "ratio of rates of decline", "log", truth=true_rate_ratio),)
