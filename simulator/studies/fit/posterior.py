"""What a fit says at its maximum: errors, likelihoods before and after, shrinkage, an ensemble, cross-validation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.intervals import Z_95
from simulator.errors import SimulatorError
from simulator.studies.fit.hazard import density_of
from simulator.studies.fit.limits import sides
from simulator.studies.fit.newton import Curvature, covariance, curvature, effective, error, gain, newton, point
from simulator.studies.fit.parameters import penalty, settings
from simulator.studies.fit.surface import Setting, Surface

Floats = NDArray[np.float64]
LOTS = 0x666974  # the key of the ensemble's random numbers begins here
TRIES = 20
ANOTHER = 1 << 40
"""What makes the seed of the crowd behind errors another one than that of the steps."""


class Effect(NamedTuple):
    """A random effect: its SD in the population, and the share of it that own data do not show (shrinkage)."""

    name: str
    sd: float
    shrinkage: float


class Fold(NamedTuple):
    """A part of the people, and their log-likelihoods at the estimate from all others, and at the start."""

    people: NDArray[np.int64]
    each: Floats


class Summary(NamedTuple):
    """A fit at its maximum.

    Parameters
    ----------
    t : (p,) the estimate on the scale of the fit. covariance : (p, p) its own. noise : (p, p) of the finite crowd.
    sides : (p, 2) how far the ends of the 95 % interval lie below and above, both in it.
    before, after : (n,) log-likelihoods at the start and at the estimate. penalties : log-priors there.
    errors : Monte Carlo errors of both sums, and of their difference.
    effective : (n,) simulated people behind each likelihood.
    effects : random effects. draws : (d, p) the ensemble. folds : of a cross-validation.
    promised : gain in log-likelihood that the last step promised; NaN where no step was made.
    """

    t: Floats
    covariance: Floats
    noise: Floats
    sides: Floats
    before: Floats
    after: Floats
    penalties: tuple[float, float]
    errors: tuple[float, float, float]
    effective: Floats
    effects: tuple[Effect, ...]
    draws: Floats
    folds: tuple[Fold, ...]
    promised: float


def summarise(setting: Setting, t: Floats, start: Floats, moves: bool, *, folds: int, draws: int) -> Summary:
    """Errors and the rest, at the vector to which the steps led; a last Newton step from there is made.

    The crowd is another one than that of the steps: these end where their own crowd has a peak, so that its curvature
    there is too high and its slope too small.
    """
    setting = setting._replace(seed=setting.seed ^ ANOTHER)
    first = Surface(setting, start)
    before = point(first.each(start))
    if not moves:
        none = np.zeros((0, len(t)))
        flat = np.full((len(t), len(t)), np.nan)
        mc, sides_of_none = error(before.without), np.full((len(t), 2), np.nan)
        return Summary(t, flat, flat, sides_of_none, before.each, before.each, 2 * (penalty(setting.free, t),),
                       (mc, mc, 0.0), effective(first, t), tuple(_effects(first, t)), none, (), np.nan)  # fmt: skip
    surface = Surface(setting, t)
    bent = curvature(surface, t)
    promised = gain(bent, setting.free, t)
    t, bent = _last(surface, bent, t)
    own = covariance(bent, setting.free)
    noise = own @ bent.noise @ own
    ends = np.hypot(sides(setting, t, own), Z_95 * np.sqrt(np.diag(noise))[:, None])
    after = bent.point
    errors = tuple(error(one) for one in (before.without, after.without, after.without - before.without))
    return Summary(
        t,
        own,
        noise,
        ends,
        before.each,
        after.each,
        (penalty(setting.free, start), penalty(setting.free, t)),
        (errors[0], errors[1], errors[2]),
        effective(surface, t),
        tuple(_effects(surface, t)),
        _drawn(setting, t, own + noise, ends, draws),
        tuple(_folds(surface, bent, t, folds)),
        promised,
    )


def _last(surface: Surface, bent: Curvature, t: Floats) -> tuple[Floats, Curvature]:
    """The maximum of the quadratic, where the likelihood is higher there; the derivatives follow the quadratic."""
    free = surface.setting.free
    new = newton(bent, free, t)
    found = point(surface.each(new))
    if found.each.sum() + penalty(free, new) <= bent.point.each.sum() + penalty(free, t):
        return t, bent
    scores = bent.scores - np.einsum("njk,k->nj", bent.curved, new - t)
    return new, bent._replace(point=found, scores=scores)


def _effects(surface: Surface, t: Floats) -> list[Effect]:
    """Shrinkage: 1 less the variance of people's posterior means over that of the population."""
    weights, people = surface.posterior(t)
    shared = surface.ratio(t)
    shared = shared / shared.sum()
    found = []
    for trait, (name, turn) in density_of(surface.setting.scenario).EFFECTS.items():
        if trait not in people.patients:
            continue
        x = np.asarray(people.patients[trait], np.float64)
        x = x if turn is None else turn(np.maximum(x, 1e-30))
        variance = float(shared @ (x - shared @ x) ** 2)
        if variance > 1e-12:
            means = weights.sums(x.astype(np.float32)).sum(axis=1)
            found.append(Effect(name, float(np.sqrt(variance)), 1 - float(means.var()) / variance))
    return found


def _drawn(setting: Setting, t: Floats, spread: Floats, ends: Floats, draws: int) -> Floats:
    """Vectors of the posterior whose scenario is valid; fewer than asked for where hardly any is.

    They are normal, with each half of each value stretched to its end of the interval.
    """
    root = np.linalg.cholesky(spread)
    stretched = ends / (Z_95 * np.sqrt(np.diag(spread)))[:, None]
    lots = np.random.Generator(np.random.Philox(key=np.array([setting.seed, LOTS], np.uint64)))
    found = []
    for _ in range(TRIES * draws):
        away = root @ lots.normal(size=len(t))
        one = t + away * np.where(away < 0, stretched[:, 0], stretched[:, 1])
        try:
            setting.scenario.replace(settings(setting.free, one))
        except SimulatorError:
            continue
        found.append(one)
        if len(found) == draws:
            break
    return np.array(found)


def _folds(surface: Surface, bent: Curvature, t: Floats, folds: int) -> list[Fold]:
    """Each part of the people at the estimate from the others: one Newton step from that of all."""
    n = len(bent.point.each)
    lots = np.random.Generator(np.random.Philox(key=np.array([surface.setting.seed, LOTS + 1], np.uint64)))
    part = lots.permutation(np.arange(n) % folds) if folds else np.zeros(0)
    found = []
    for number in range(folds):
        mine = part == number
        there = newton(bent, surface.setting.free, t, ~mine)
        found.append(Fold(np.flatnonzero(mine), surface.values(there)[mine]))
    return found
