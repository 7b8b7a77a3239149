"""Structures of the covariance of visits, for trials in which one without structure cannot be estimated.

* Toeplitz: one variance, a covariance for each number of visits apart;
* AR(1): σ² ρ^d, d visits apart;
* compound symmetry: one variance, one covariance.

A structure is a function Σ(θ). Score and information in θ follow from those in the distinct elements of Σ by the chain
rule; where Σ is linear in θ, its second derivatives are 0.
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


Structure = Callable[[Floats, int], At]


def toeplitz(theta: Floats, visits: int) -> At:
    """θ: the variance, then the covariances by the number of visits apart."""
    return _linear((_apart(visits) == np.arange(visits)[:, None, None]).astype(np.float64), theta)


def compound_symmetry(theta: Floats, visits: int) -> At:
    """θ: the variance, the covariance."""
    same = np.eye(visits)
    return _linear(np.stack([same, 1 - same]), theta)


def ar1(theta: Floats, visits: int) -> At:
    """θ: the variance σ², the correlation ρ of neighbours; no covariance where |ρ| ≥ 1."""
    variance, rho = theta
    d = _apart(visits)
    power = np.power(rho, d)
    slope = np.where(d > 0, d * np.power(rho, np.maximum(d - 1, 0)), 0.0)
    bend = np.where(d > 1, d * (d - 1) * np.power(rho, np.maximum(d - 2, 0)), 0.0)
    zero = np.zeros_like(power)
    second = np.array([[zero, slope], [slope, variance * bend]])
    sigma = variance * power if abs(rho) < 1 else np.full_like(power, np.nan)
    return At(sigma, np.stack([power, variance * slope]), second)


STRUCTURES: Mapping[str, Structure] = {"toeplitz": toeplitz, "ar1": ar1, "compound_symmetry": compound_symmetry}


def _linear(basis: Floats, theta: Floats) -> At:
    k, v, _ = basis.shape
    return At(np.tensordot(theta, basis, 1), basis, np.zeros((k, k, v, v)))


def _apart(visits: int) -> Floats:
    number = np.arange(visits)
    return np.abs(number[:, None] - number).astype(np.float64)


def start(name: str, sigma: Floats) -> Floats:
    """θ near an unstructured covariance: means over its bands, or over all visits."""
    visits = len(sigma)
    bands = np.array([np.diagonal(sigma, d).mean() for d in range(visits)])
    off = float((sigma.sum() - np.trace(sigma)) / max(visits * (visits - 1), 1))
    if name == "compound_symmetry":
        return np.array([bands[0], off])
    if name == "ar1":
        return np.array([bands[0], np.clip(bands[1] / bands[0], -0.9, 0.9) if visits > 1 else 0.0])
    return bands * np.where(np.arange(visits) > 0, 0.9, 1.0)


def fit(data: Patterns, name: str, theta: Floats) -> Fitted:
    """REML over θ by Newton's method, steps halved until the likelihood rises.

    Raises
    ------
    NotEstimableError
        The likelihood does not settle, or the start is no covariance.
    """
    structure, visits = STRUCTURES[name], data.seen.shape[1]
    for _ in range(ITERATIONS):
        at = structure(theta, visits)
        now = evaluate(data, at.sigma) if np.isfinite(at.sigma).all() else None
        if now is None:
            raise NotEstimableError(f"MMRM: no {name} covariance to start from. Use fewer visits")
        slope, information = _in_theta(data, now, at)
        step = np.asarray(np.linalg.solve(_positive(information), slope), np.float64)
        if abs(slope @ step) < TOLERANCE:
            return Fitted(now, at.first, information)
        theta = _uphill(data, structure, now, theta, step)
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


def _uphill(data: Patterns, structure: Structure, now: State, theta: Floats, step: Floats) -> Floats:
    visits = data.seen.shape[1]
    for _ in range(40):
        at = structure(theta + step, visits)
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
