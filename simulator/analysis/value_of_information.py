"""What knowing more would be worth, for a choice between options whose net benefit depends on uncertain parameters.

Without knowing more one takes the option with the highest mean. Knowing the parameters θ one would take the best option
of each θ: EVPI = E[max_d NB(d, θ)] − max_d E[NB(d, θ)]. Knowing some of them, φ, is worth
EVPPI = E[max_d E[NB(d) | φ]] − max_d E[NB(d)], where the inner expectation is a regression on the draws of θ.

A simulated net benefit has Monte Carlo noise, and the best of noisy values looks better than it is. With replicates the
EVPI is enclosed: choosing by some replicates and counting the others can only be worse than choosing rightly.

References
----------
Strong, Oakley & Brennan (2014), Estimating multiparameter partial expected value of perfect information from a
probabilistic sensitivity analysis sample: a nonparametric regression approach, doi:10.1177/0272989X13505910.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis.sensitivity.regression import CUBIC, fitted

Floats = NDArray[np.float64]
SHUFFLES = 40


class Choice(NamedTuple):
    """What is decided now, and what perfect information would add.

    `probability` : (options,) share of draws in which each option is the best. `lower` is NaN with one replicate.
    """

    mean: Floats
    se: Floats
    best: int
    probability: Floats
    evpi: float
    se_evpi: float
    lower: float
    draws: int


class Partial(NamedTuple):
    """EVPPI of a parameter or a group, its standard error, and the 95th percentile of what noise alone gives."""

    value: float
    se: float
    floor: float


def choice(benefit: ArrayLike) -> Choice:
    """The decision and its EVPI.

    Parameters
    ----------
    benefit : (draws, options) or (draws, options, replicates)
        Net benefit at each draw of the parameters. `evpi` of the mean over replicates is too high by what noise adds,
        `lower` too low by what choosing by noisy values loses.
    """
    values = _three(benefit)
    mean = values.mean(axis=2)
    draws, options = mean.shape
    best = int(mean.mean(axis=0).argmax())
    gain = mean.max(axis=1) - mean[:, best]
    wins = np.bincount(mean.argmax(axis=1), minlength=options) / draws
    return Choice(
        mean.mean(axis=0),
        mean.std(axis=0, ddof=1) / np.sqrt(draws),
        best,
        wins,
        float(gain.mean()),
        float(gain.std(ddof=1) / np.sqrt(draws)),
        _lower(values, best),
        draws,
    )


def _three(benefit: ArrayLike) -> Floats:
    values = np.asarray(benefit, np.float64)
    values = values[..., None] if values.ndim == 2 else values
    if values.ndim != 3 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError("net benefit must be finite, (draws, options, replicates)")
    return values


def _lower(values: Floats, best: int) -> float:
    """Mean gain when all replicates but one choose and that one counts."""
    replicates = values.shape[2]
    if replicates < 2:
        return float("nan")
    whole, gains = values.sum(axis=2), []
    for r in range(replicates):
        chosen = (whole - values[:, :, r]).argmax(axis=1)
        counted = np.take_along_axis(values[:, :, r], chosen[:, None], axis=1)[:, 0]
        gains.append(float((counted - values[:, best, r]).mean()))
    return float(np.mean(gains))


def partial(benefit: ArrayLike, parameters: ArrayLike, *, resamples: int = 200, seed: int = 1) -> Partial:
    """EVPPI of the parameters together.

    Increments over the best option are regressed, so that what all options share is no noise: on a cubic in a single
    parameter, on squares and products of several, penalised.

    Parameters
    ----------
    benefit : (draws, options) or (draws, options, replicates)
    parameters : (draws,) or (draws, parameters)
    resamples : int
        Bootstrap samples of the fitted increments for the standard error. It leaves out the error of the fit;
        `floor` shows that: shuffled parameters know nothing, and this is what they seem to be worth.
    """
    mean = _three(benefit).mean(axis=2)
    x = np.asarray(parameters, np.float64).reshape(len(mean), -1)
    over = mean - mean[:, [int(mean.mean(axis=0).argmax())]]
    degree = CUBIC if x.shape[1] == 1 else 2
    rng = np.random.default_rng(seed)
    lines = fitted(x, over, degree)
    picks = rng.integers(len(x), size=(resamples, len(x)))
    again = np.array([_gain(lines[pick]) for pick in picks])
    shuffled = [_gain(fitted(x[rng.permutation(len(x))], over, degree)) for _ in range(SHUFFLES)]
    return Partial(_gain(lines), float(again.std(ddof=1)), float(np.quantile(shuffled, 0.95)))


def _gain(lines: Floats) -> float:
    return float(lines.max(axis=1).mean() - lines.mean(axis=0).max())
