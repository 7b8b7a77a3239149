"""Structures of the covariance of visits, for trials in which one without structure cannot be estimated.

Every visit has its own variance, since people grow apart: with one variance for all the error of the last visit would
be too small. The correlation is

* Toeplitz: one for each number of visits apart;
* AR(1): ρ^d, d visits apart;
* compound symmetry: one.

The standard errors that follow trust the structure: where visits do not correlate so they may be far too small.

Score and information in the parameters follow from those in the distinct elements of Σ by the chain rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np

from simulator.analysis.trial.data import Floats
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.unstructured import (
    Patterns,
    State,
    evaluate,
    observed_information,
    score,
)

ITERATIONS, TOLERANCE, NOISE = 100, 1e-12, 1e-9
Name = Literal["unstructured", "toeplitz", "ar1", "compound_symmetry"]


class At(NamedTuple):
    """A structure at θ : (k,): Σ : (v, v), its derivatives : (k, v, v), second derivatives : (k, k, v, v)."""

    sigma: Floats
    first: Floats
    second: Floats


class Fitted(NamedTuple):
    """A fitted covariance: the likelihood there, derivatives of Σ : (k, v, v), observed information in θ : (k, k)."""

    state: State
    first: Floats
    information: Floats


class Correlation(NamedTuple):
    """A correlation of visits and its derivatives in its parameters: (v, v), (k, v, v), (k, k, v, v)."""

    at: Floats
    first: Floats
    second: Floats


def toeplitz(rho: Floats, visits: int) -> Correlation:
    """A correlation for each number of visits apart."""
    basis = (_apart(visits) == np.arange(1, visits)[:, None, None]).astype(np.float64)
    return _linear(basis, rho)


def compound_symmetry(rho: Floats, visits: int) -> Correlation:
    """One correlation."""
    return _linear(1 - np.eye(visits)[None], rho)


def ar1(rho: Floats, visits: int) -> Correlation:
    """ρ^d, d visits apart; none where |ρ| ≥ 1."""
    d, r = _apart(visits), float(rho[0])
    slope = np.where(d > 0, d * np.power(r, np.maximum(d - 1, 0)), 0.0)
    bend = np.where(d > 1, d * (d - 1) * np.power(r, np.maximum(d - 2, 0)), 0.0)
    return Correlation(np.power(r, d) if abs(r) < 1 else np.full_like(d, np.nan), slope[None], bend[None, None])


STRUCTURES: Mapping[str, Callable[[Floats, int], Correlation]] = {
    "toeplitz": toeplitz,
    "ar1": ar1,
    "compound_symmetry": compound_symmetry,
}


def _linear(basis: Floats, rho: Floats) -> Correlation:
    k, v, _ = basis.shape
    return Correlation(np.eye(v) + np.tensordot(rho, basis, 1), basis, np.zeros((k, k, v, v)))


def _apart(visits: int) -> Floats:
    number = np.arange(visits)
    return np.abs(number[:, None] - number).astype(np.float64)


def covariance(name: str, theta: Floats, visits: int) -> At:
    """Σ_ij = s_i s_j ρ_ij at θ: the standard deviations s of the visits, then the parameters of the correlation."""
    s, rho = theta[:visits], STRUCTURES[name](theta[visits:], visits)
    k, unit = len(theta), np.eye(visits)
    side = unit[:, :, None] * s  # [a]: e_a s', whose product with ρ is the derivative in s_a, but for symmetry
    first, second = np.zeros((k, visits, visits)), np.zeros((k, k, visits, visits))
    first[:visits] = (side + side.transpose(0, 2, 1)) * rho.at
    first[visits:] = np.outer(s, s) * rho.first
    pair = unit[:, None, :, None] * unit[None, :, None, :]
    second[:visits, :visits] = (pair + pair.transpose(0, 1, 3, 2)) * rho.at
    second[:visits, visits:] = (side + side.transpose(0, 2, 1))[:, None] * rho.first
    second[visits:, :visits] = second[:visits, visits:].transpose(1, 0, 2, 3)
    second[visits:, visits:] = np.outer(s, s) * rho.second
    return At(np.outer(s, s) * rho.at, first, second)


def start(name: str, sigma: Floats) -> Floats:
    """θ near an unstructured covariance: its standard deviations, means of its correlations."""
    visits, s = len(sigma), np.sqrt(np.diagonal(sigma))
    rho = sigma / np.outer(s, s)
    bands = np.array([np.diagonal(rho, d).mean() for d in range(1, visits)])
    if name == "toeplitz":
        return np.r_[s, 0.9 * bands]
    if visits == 1:
        return np.r_[s, 0.0]
    mean = float((rho.sum() - visits) / (visits * (visits - 1)))
    return np.r_[s, np.clip(bands[0] if name == "ar1" else mean, -0.5 / visits, 0.95)]


def fit(data: Patterns, name: str, theta: Floats) -> Fitted:
    """REML over θ by Newton's method, steps halved until the likelihood rises.

    Raises
    ------
    NotEstimableError
        The likelihood does not settle, or the start is no covariance.
    """
    for _ in range(ITERATIONS):
        at = covariance(name, theta, data.seen.shape[1])
        now = evaluate(data, at.sigma) if np.isfinite(at.sigma).all() else None
        if now is None:
            raise NotEstimableError(f"MMRM: no {name} covariance to start from. Use fewer visits")
        slope, information = _in_theta(data, now, at)
        step = np.asarray(np.linalg.solve(_positive(information), slope), np.float64)
        if abs(slope @ step) < TOLERANCE:
            return Fitted(now, at.first, information)
        theta = _uphill(data, name, now, theta, step)
    raise NotEstimableError(f"MMRM: no convergence in {ITERATIONS} iterations with a {name} covariance")


def _in_theta(data: Patterns, now: State, at: At) -> tuple[Floats, Floats]:
    """The score : (k,) and the observed information : (k, k) in θ."""
    plain = score(data, now)
    bent = at.second[:, :, *np.triu_indices(len(at.sigma))] @ plain
    return in_theta(at.first, plain), in_theta(at.first, observed_information(data, now)) - bent


def _positive(information: Floats) -> Floats:
    """The information with its eigenvalues made positive: a direction that rises."""
    values, vectors = np.linalg.eigh(information)
    values = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
    return np.asarray((vectors * values) @ vectors.T)


def _uphill(data: Patterns, name: str, now: State, theta: Floats, step: Floats) -> Floats:
    for _ in range(40):
        at = covariance(name, theta + step, data.seen.shape[1])
        new = evaluate(data, at.sigma) if np.isfinite(at.sigma).all() else None
        if new is not None and new.value > now.value - NOISE:
            return theta + step
        step = step / 2
    raise NotEstimableError("MMRM: the likelihood does not rise. Use fewer visits")


def elements(visits: int) -> Floats:
    """(m, v, v) derivatives of an unstructured Σ in its distinct elements."""
    rows, columns = np.triu_indices(visits)
    found = np.zeros((len(rows), visits, visits))
    index = np.arange(len(rows))
    found[index, rows, columns] = found[index, columns, rows] = 1
    return found


def fitted(data: Patterns, state: State) -> Fitted:
    """An unstructured fit in the same form."""
    return Fitted(state, elements(len(state.sigma)), observed_information(data, state))


def in_theta(first: Floats, plain: Floats) -> Floats:
    """Derivatives in the distinct elements of Σ, (m,) or (m, m), as those in θ along `first` : (k, v, v)."""
    rows, columns = np.triu_indices(first.shape[1])
    map_ = first[:, rows, columns]
    return np.asarray(map_ @ plain if plain.ndim == 1 else map_ @ plain @ map_.T)
