"""Newton steps on the marginal likelihood, its curvature, and what the Monte Carlo error makes of both.

References
----------
Wei & Tanner (1990), doi:10.1080/01621459.1990.10474930 (Monte Carlo EM). Kuk & Cheng (1997),
doi:10.1080/00949659708811858 (Monte Carlo Newton-Raphson). Efron (1982), doi:10.1137/1.9781611970319 (jackknife).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.studies.fit.parameters import Free, penalty
from simulator.studies.fit.surface import BATCHES, COARSE, Each, Setting, Surface

Floats = NDArray[np.float64]
STEPS = {"weighed": 0.05, "recomputed": 0.1, "simulated": 0.25}
"""Half-width of central differences on the scale of the fit."""
LONGEST, HALVES = 0.6, 4
GAIN_COARSE, GAIN_FINE = 2.0, 0.5
"""Gain in log-likelihood that the next step promises below which a stage ends: about the Monte Carlo error."""
COARSE_STEPS, MOST_STEPS = 5, 8
"""The most steps with the small crowd, and in all."""
FIRST_SIZE = 32_768


class Step(NamedTuple):
    """A point on the way: the vector, the log-likelihood with the prior, the gain promised next, the crowd."""

    t: Floats
    objective: float
    promised: float
    size: int
    hard: tuple[int, ...]


class Point(NamedTuple):
    """Likelihoods at a vector, (n,) each; (batch,) sums of all people without each batch of the crowd."""

    each: Floats
    without: Floats


class Curvature(NamedTuple):
    """The quadratic around a vector.

    Parameters
    ----------
    point : likelihoods at the vector. scores : (n, p) first derivatives of each. curved : (n, p, p) minus the second.
    noise : (p, p) covariance of the summed scores by the finite crowd.
    """

    point: Point
    scores: Floats
    curved: Floats
    noise: Floats


def ascend(
    setting: Setting, start: Floats, *, kept: list[Step], tell: Callable[[Step], None], most: int = MOST_STEPS
) -> Step:
    """Climb from a start in two stages, with a small crowd and with the whole one.

    Parameters
    ----------
    setting : what does not change. start : the first vector. kept : steps of an earlier call, which are not made again.
    tell : called with each new step.
    """
    last = kept[-1] if kept else Step(start, -np.inf, np.inf, min(FIRST_SIZE, setting.size), ())
    made = len(kept)
    while made < most:
        fine = last.size == setting.size
        if last.promised < (GAIN_FINE if fine else GAIN_COARSE) or (made == COARSE_STEPS and not fine):
            if fine:
                break
            last = last._replace(size=setting.size, promised=np.inf)
        last = step(setting._replace(size=last.size, hard=frozenset(last.hard)), last.t)
        made += 1
        tell(last)
    return last if made else last._replace(hard=coarse(Surface(setting, start), start))


def step(setting: Setting, t: Floats) -> Step:
    """One step uphill from a vector, halved until the likelihood rises."""
    surface = Surface(setting, t)
    middle = surface.each(t)
    hard = coarse(surface, t)
    free = setting.free
    widths = np.array([STEPS[kind] for kind in surface.kinds])
    ahead = [surface.values(moved(t, j, h)) for j, h in enumerate(widths)]
    behind = [surface.values(moved(t, j, -h)) for j, h in enumerate(widths)]
    scores = np.stack([(a - b) / (2 * h) for a, b, h in zip(ahead, behind, widths, strict=True)], axis=1)
    bend = np.array([-(a + b - 2 * middle.value).sum() / h**2 for a, b, h in zip(ahead, behind, widths, strict=True)])
    information = scaled(scores.T @ scores, bend) + _prior(free)
    slope = scores.sum(axis=0) - (t - _centre(free)) * np.diag(_prior(free))
    ahead_by = np.linalg.solve(information, slope)
    ahead_by *= min(1.0, LONGEST / max(float(np.abs(ahead_by).max()), 1e-12))
    before = float(middle.value.sum()) + penalty(free, t)
    for half in range(HALVES):
        new = t + ahead_by / 2**half
        height = float(surface.values(new).sum()) + penalty(free, new)
        if height > before:
            return Step(new, height, float(slope @ ahead_by) / 2 ** (half + 1), setting.size, hard)
    return Step(t, before, 0.0, setting.size, hard)


def moved(t: Floats, j: int, by: float) -> Floats:
    """The vector with one component moved."""
    new = t.copy()
    new[j] += by
    return new


def scaled(outer: Floats, bend: Floats) -> Floats:
    """Information with the correlations of scores and the curvature along each axis, which has less noise."""
    own = np.maximum(np.diag(outer), 1e-9)
    size = np.sqrt(np.clip(bend, 0.2 * own, own))
    return np.asarray(outer / np.sqrt(np.outer(own, own)) * np.outer(size, size) + 1e-6 * np.diag(own))


def coarse(surface: Surface, t: Floats) -> tuple[int, ...]:
    """People for whom all of the crowd is to be looked at: those with a small effective number."""
    return tuple(np.flatnonzero(effective(surface, t) < COARSE).tolist())


def effective(surface: Surface, t: Floats) -> Floats:
    """(n,) Kish's effective number of simulated people behind each person's likelihood."""
    weights, _ = surface.posterior(t)
    below = np.concatenate([[0.0], np.cumsum(weights.weight.astype(np.float64) ** 2)])
    return np.asarray(1 / np.maximum(np.diff(below[weights.edge[:, [0, -1]]], axis=1)[:, 0], 1e-300))


def curvature(surface: Surface, t: Floats) -> Curvature:
    """First and second derivatives of everybody's log-likelihood by differences, and their Monte Carlo error."""
    p = len(t)
    widths = np.array([STEPS[kind] * (1 if kind == "simulated" else 2) for kind in surface.kinds])
    middle = point(surface.each(t))
    ahead = [point(surface.each(moved(t, j, h))) for j, h in enumerate(widths)]
    behind = [point(surface.each(moved(t, j, -h))) for j, h in enumerate(widths)]
    scores = np.stack([(a.each - b.each) / (2 * h) for a, b, h in zip(ahead, behind, widths, strict=True)], axis=1)
    slopes = np.stack(
        [(a.without - b.without) / (2 * h) for a, b, h in zip(ahead, behind, widths, strict=True)], axis=1
    )
    away = slopes - slopes.mean(axis=0)
    noise = (BATCHES - 1) / BATCHES * away.T @ away
    curved = np.zeros((len(middle.each), p, p))
    for j in range(p):
        own = ahead[j].each + behind[j].each - 2 * middle.each
        curved[:, j, j] = -own / widths[j] ** 2
        for k in range(j):
            both = surface.values(moved(moved(t, j, widths[j]), k, widths[k]))
            none = surface.values(moved(moved(t, j, -widths[j]), k, -widths[k]))
            mixed = both + none - own - (ahead[k].each + behind[k].each)
            curved[:, j, k] = curved[:, k, j] = -mixed / (2 * widths[j] * widths[k])
    return Curvature(middle, scores, curved, noise)


def point(found: Each) -> Point:
    """What is kept of likelihoods."""
    return Point(found.value, found.without.sum(axis=1))


def covariance(found: Curvature, free: tuple[Free, ...], who: NDArray[np.bool_] | slice = slice(None)) -> Floats:
    """Inverse of the observed information with the prior's; where that is no maximum, of the scores' instead."""
    information = found.curved[who].sum(axis=0) + _prior(free)
    if np.linalg.eigvalsh(information / np.sqrt(np.outer(*2 * [np.abs(np.diag(information)) + 1e-12]))).min() < 0.01:
        outer = found.scores[who].T @ found.scores[who]
        information = scaled(outer, np.diag(found.curved[who].sum(axis=0))) + _prior(free)
    return np.asarray(np.linalg.inv(information))


def newton(found: Curvature, free: tuple[Free, ...], t: Floats, who: NDArray[np.bool_] | slice = slice(None)) -> Floats:
    """Where the quadratic of some people, with the prior, has its maximum; not further away than a long step."""
    slope = found.scores[who].sum(axis=0) - (t - _centre(free)) * np.diag(_prior(free))
    by = covariance(found, free, who) @ slope
    return np.asarray(t + by * min(1.0, LONGEST / max(float(np.abs(by).max()), 1e-12)))


def gain(found: Curvature, free: tuple[Free, ...], t: Floats) -> float:
    """How much higher the maximum of the quadratic is than the vector, less what the noise of the crowd promises."""
    slope, own = found.scores.sum(axis=0) - (t - _centre(free)) * np.diag(_prior(free)), covariance(found, free)
    return float(slope @ own @ slope - np.trace(own @ found.noise)) / 2


def _prior(free: tuple[Free, ...]) -> Floats:
    return np.diag([one.sd**-2.0 for one in free])


def _centre(free: tuple[Free, ...]) -> Floats:
    return np.array([one.centre for one in free])


def error(without: Floats) -> float:
    """Monte Carlo error of a sum of log-likelihoods, by the jackknife over batches : (batch,)."""
    away = without - without.mean()
    return float(np.sqrt((BATCHES - 1) / BATCHES * (away**2).sum()))
