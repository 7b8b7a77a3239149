"""The ensemble: Markov chain Monte Carlo on the emulator."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.studies.calibrate.emulator import Emulator, emulate
from simulator.studies.calibrate.evaluate import Evaluator
from simulator.studies.calibrate.fit import Fit
from simulator.studies.calibrate.likelihood import Likelihood

Floats = NDArray[np.float64]
CHAINS, STEPS, BURN = 64, 12000, 4000
SPREAD = 1.3  # the design reaches further than the linear posterior, whose tails the emulator must know


class Ensemble(NamedTuple):
    """Vectors of parameters in prior SDs, (n, n_parameters), and how they were found."""

    vectors: Floats
    acceptance: float
    r_hat: float


def design(evaluate: Evaluator, fit: Fit, size: int, seed: int = 1) -> tuple[Floats, Floats]:
    """Vectors spread as the linear posterior, somewhat wider, and their simulated summaries.

    Returns
    -------
    x : (n, n_parameters) in prior SDs; y : (n, n_data). Vectors at which nobody could be recruited are left out.
    """
    from scipy.stats import norm, qmc

    points = qmc.Sobol(len(fit.vector), seed=seed).random_base2((size - 1).bit_length())[:size]
    normal = np.clip(norm.ppf(np.clip(points, 1e-9, 1 - 1e-9)), -3, 3)
    x = np.round(fit.vector + SPREAD * normal @ np.linalg.cholesky(fit.covariance).T, 6)
    y = np.array([evaluate(row) for row in x])
    kept = np.isfinite(y).all(axis=1)
    return x[kept], y[kept]


def emulator_of(fit: Fit, x: Floats, y: Floats) -> Emulator:
    """The emulator of a design around a fit."""
    whiten = np.linalg.inv(SPREAD * np.linalg.cholesky(fit.covariance))
    return emulate(x, y, fit.vector, whiten)


def log_posterior(x: Floats, emulator: Emulator, observed: Floats, root: Floats) -> Floats:
    """Up to a constant, at vectors x : (n, n_parameters); `root` whitens the summaries."""
    away = (emulator(x) - observed) @ root.T
    return -0.5 * (away**2).sum(axis=1) - 0.5 * (x**2).sum(axis=1)


def sample(
    emulator: Emulator, fit: Fit, target: Likelihood, draws: int, *, seed: int = 1, steps: int = STEPS
) -> Ensemble:
    """Random-walk Metropolis in 64 chains with the shape of the linear posterior, thinned to `draws` vectors.

    The emulator's own error widens that of the rows. The step is 2.38/√d of the linear posterior's SD in every
    direction (Roberts et al. 1997, doi:10.1214/aoap/1034625254). The largest split R-hat tells whether chains agree.
    """
    rng = np.random.default_rng(seed)
    observed, whiten = target.observed, target.wider(emulator.error).root
    root, dimension = np.linalg.cholesky(fit.covariance), len(fit.vector)
    step = 2.38 / np.sqrt(dimension) * root
    x = fit.vector + rng.normal(size=(CHAINS, dimension)) @ root.T
    height = log_posterior(x, emulator, observed, whiten)
    burn, kept, accepted = steps * BURN // STEPS, [], 0
    for number in range(steps):
        there = x + rng.normal(size=x.shape) @ step.T
        new = log_posterior(there, emulator, observed, whiten)
        moves = np.log(rng.random(CHAINS)) < new - height
        x, height = np.where(moves[:, None], there, x), np.where(moves, new, height)
        accepted += int(moves.sum())
        if number >= burn:
            kept.append(x)
    chains = np.array(kept)
    flat = chains.reshape(-1, dimension)
    chosen = flat[rng.choice(len(flat), draws, replace=False)]
    return Ensemble(chosen, accepted / (steps * CHAINS), split_r_hat(chains))


def split_r_hat(chains: Floats) -> float:
    """The largest split R-hat of chains : (steps, chains, parameters).

    Gelman & Rubin 1992, doi:10.1214/ss/1177011136.
    """
    half = len(chains) // 2
    parts = np.concatenate([chains[:half], chains[half : 2 * half]], axis=1)
    within = parts.var(axis=0, ddof=1).mean(axis=0)
    between = half * parts.mean(axis=0).var(axis=0, ddof=1)
    return float(np.sqrt(((half - 1) / half * within + between / half) / within).max())
