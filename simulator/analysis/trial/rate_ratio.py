"""Disease-rate ratio by a shared-parameter likelihood: function and event depend on the same latent rate.

    y_ij = I_i − r_i t_ij + ε_ij,      r_i = R_i exp(γ arm + η'x_i)
    hazard of the event at t = k t^(k−1) exp(λ + α r_i)

(I_i, R_i) is bivariate normal over participants with means (β₀ + β'x_i, ρ), x the strata, t in months. Treatment
multiplies everybody's rate by exp(γ), the disease-rate ratio: below 1 is slower. Who has the event early tends to be
fast (α > 0), and the likelihood knows it; so missing values after the event are not taken as missing at random.

Given the visits, a participant's (I, R) is normal; the event's factor is integrated over R by Gauss–Hermite quadrature
about that. Gradients are complex-step derivatives, exact to rounding; the standard error is the
sandwich of the observed information and the participants' scores, times n / (n − p), or that of the information alone.
Since treatment multiplies every rate, the model also reads the spread of rates, and where rates are not normal it is
too sure of that; the sandwich is not.

References
----------
Wulfsohn & Tsiatis (1997), doi:10.2307/2533118. Rizopoulos (2012), doi:10.1016/j.csda.2011.09.007 (quadrature about the
longitudinal posterior). Squire & Trapp (1998), doi:10.1137/S003614459631241X (complex step). White (1982), Maximum
likelihood estimation of misspecified models, doi:10.2307/1912526 (sandwich).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.data import Floats, TrialData
from simulator.analysis.trial.design import dummies
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, wald
from simulator.units import DAYS_PER_MONTH

ESTIMAND = estimand(
    "rate of decline of function: the slope over the visits until death; it also drives the hazard of the event",
    "log of the ratio of mean rates",
    death(Strategy.WHILE_ALIVE, "function counts while alive; the event informs the rate it shares"),
    STOPPING,
    PAV,
)
NODES, TOLERANCE, WIDTH = 11, 1e-4, 1e-7
# Then, for each stratum but the first, the shifts of intercept and log rate.
NAMES = (
    *("gamma", "intercept", "rate", "log_sd_intercept", "log_sd_rate", "z_correlation", "log_sd_error"),
    *("log_hazard", "alpha", "log_shape"),
)


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


def log_likelihood(data: Sums, theta: NDArray) -> NDArray:
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
    return longitudinal + _event(data, own, factor * np.sqrt(a / determinant), (level, alpha, log_shape))


def _event(data: Sums, mean: NDArray, sd: NDArray, hazard: tuple[NDArray, NDArray, NDArray]) -> NDArray:
    """Log of the expected likelihood of the event over a rate that is normal with `mean` and `sd`."""
    level, alpha, log_shape = hazard
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    rate = mean[..., None] + sd[..., None] * nodes
    shape, log_time = np.exp(log_shape), np.log(data.time)
    log_hazard = level[..., None] + alpha[..., None] * rate
    cumulative = np.exp(log_hazard + (shape * log_time)[..., None])
    terms = data.event[:, None] * log_hazard - cumulative + np.log(weights / np.sqrt(2 * np.pi))
    top = terms.real.max(axis=-1, keepdims=True)
    total = np.log(np.exp(terms - top).sum(axis=-1)) + top[..., 0]
    return np.asarray(total + data.event * (log_shape + (shape - 1) * log_time))


def scores(data: Sums, theta: Floats) -> Floats:
    """(…, p, n) gradients of the participants' contributions at theta : (…, p), by complex steps."""
    steps = theta[..., None, :] + 1e-30j * np.eye(theta.shape[-1])
    return np.asarray(log_likelihood(data, steps).imag / 1e-30)


def gradient(data: Sums, theta: Floats) -> Floats:
    """(…, p) gradient of the log-likelihood at theta : (…, p)."""
    return np.asarray(scores(data, theta).sum(axis=-1))


def rate_ratio(data: TrialData, *, robust: bool = True) -> Estimate:
    """Log of the disease-rate ratio; Wald, normal; without `robust` as if rates were normal.

    Raises
    ------
    NotEstimableError
        There is no event, or the likelihood has no maximum where rates decline.
    """
    from scipy.optimize import minimize

    if not data.event.any():
        raise NotEstimableError("rate ratio: nobody had the event, so it tells nothing about rates")
    told = sums(data)
    with np.errstate(all="ignore"):  # a long first step may overflow, and is then shortened
        found = minimize(
            lambda theta: -float(log_likelihood(told, theta).sum()),
            _start(told),
            jac=lambda theta: -gradient(told, theta),
            method="BFGS",
            options={"gtol": 1e-5 * data.n, "maxiter": 300},
        )
        theta, information = _polished(told, found.x)
        each = scores(told, theta)
    words = "disease-rate ratio, shared-parameter maximum likelihood" + (", sandwich variance" if robust else "")
    covariance = np.linalg.inv(information)
    if robust:
        covariance = covariance @ (each @ each.T) @ covariance * data.n / max(data.n - len(theta), 1)
    return wald(float(theta[0]), float(np.sqrt(covariance[0, 0])), About(words, ESTIMAND, "log"), n=data.n)


def _polished(data: Sums, theta: Floats) -> tuple[Floats, Floats]:
    """Newton's last step to the maximum, and the information next to it."""
    score = gradient(data, theta)
    moved = gradient(data, theta - WIDTH * np.eye(len(theta))) - score
    information = (moved + moved.T) / (2 * WIDTH)
    if np.isfinite(information).all() and np.linalg.eigvalsh(information)[0] > 0:
        step = np.linalg.solve(information, score)
        if score @ step < TOLERANCE:
            return theta + step, information
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
