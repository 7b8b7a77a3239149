"""What knowing more would be worth, for a choice between options whose net benefit depends on uncertain parameters.

Without knowing more one takes the option with the highest mean. Knowing the parameters θ one would take the best option
of each θ: EVPI = E[max_d NB(d, θ)] − max_d E[NB(d, θ)]. Knowing some of them, φ, is worth
EVPPI = E[max_d E[NB(d) | φ]] − max_d E[NB(d)]: what is gained by the best rule that chooses by φ.

A rule is found by regression of the increments on φ, and counted by the net benefits at draws that did not help to find
it. So EVPPI is that of a rule that exists, too low by what a rule from finitely many draws loses, and the laws hold
in every sample: no rule gains more than the best option of each draw (EVPPI ≤ EVPI); a rule that knows some of φ
is a rule that knows φ (a group is worth what any part of it is); to choose as now is a rule (EVPPI ≥ 0).

A simulated net benefit has Monte Carlo noise, and the best of noisy values looks better than it is. With replicates the
EVPI is enclosed: choosing by some replicates and counting the others can only be worse than choosing rightly.

References
----------
Strong, Oakley & Brennan (2014), Estimating multiparameter partial expected value of perfect information from a
probabilistic sensitivity analysis sample: a nonparametric regression approach, doi:10.1177/0272989X13505910.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis import crossed
from simulator.analysis.intervals import LEVEL, reach
from simulator.analysis.smoothing import Fit, smooth, smooth_group, smooth_measured

Floats = NDArray[np.float64]
Rule = NDArray[np.intp]


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
    """EVPPI of a parameter or a group, its standard error, and the floor below which it cannot be told from nothing.

    A rule that seems to lose is not taken: the value is 0, the error that of the rule.
    """

    value: float
    se: float
    floor: float


def choice(benefit: ArrayLike, shared: bool = False) -> Choice:
    """The decision and its EVPI.

    Parameters
    ----------
    benefit : (draws, options) or (draws, options, replicates)
        Net benefit at each draw of the parameters. `evpi` of the mean over replicates is too high by what noise adds,
        `lower` too low by what choosing by noisy values loses.
    shared : bool
        Whether replicate r is the same people at every draw (common random numbers): the errors then hold what
        is special to these people, and need two replicates.
    """
    values = _three(benefit)
    mean = values.mean(axis=2)
    draws, options = mean.shape
    best = int(mean.mean(axis=0).argmax())
    now = [crossed.mean(values[:, k], shared) for k in range(options)]
    found = _gain(values, mean.argmax(axis=1), best, shared)
    wins = np.bincount(mean.argmax(axis=1), minlength=options) / draws
    means, errors, _ = np.array(now).T
    return Choice(means, errors, best, wins, found.value, found.se, _lower(values, best), draws)


def _gain(values: Floats, rule: Rule, best: int, shared: bool) -> crossed.Mean:
    """What a rule, an option for each draw, gains over one option."""
    chosen = np.take_along_axis(values, rule[:, None, None], axis=1)[:, 0]
    return crossed.mean(chosen - values[:, best], shared)


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


def partials(
    benefit: ArrayLike, parameters: ArrayLike, groups: Sequence[Sequence[int]], shared: bool = False
) -> list[Partial]:
    """EVPPI of groups of parameters, single ones too.

    Increments over the best option are regressed, so that what all options share is no noise.

    Parameters
    ----------
    benefit : (draws, options) or (draws, options, replicates)
    parameters : (draws, parameters)
    groups : sequence of sequences
        Columns of `parameters` that become known together.
    shared : bool
        As for `choice`.

    Returns
    -------
    list of Partial
        In the order of the groups. `floor` is what a rule that gains nothing seems to gain at most in 95 % of samples,
        by its standard error and t, and by more where a group could take one of several rules.
    """
    values = _three(benefit)
    mean = values.mean(axis=2)
    x = np.asarray(parameters, np.float64).reshape(len(mean), -1)
    best = int(mean.mean(axis=0).argmax())
    over = mean - mean[:, [best]]
    single = {k: smooth(x[:, [k]], over) for k in sorted({k for group in groups for k in group})}
    rules = {frozenset([k]): _rule(fits) for k, fits in single.items()}
    for group in groups:
        if len(set(group)) > 1 and frozenset(group) not in rules:
            chosen = sorted(set(group))
            rules[frozenset(group)] = _rule(smooth_group(x[:, chosen], over, [single[k] for k in chosen]))
    gains = {known: _gain(values, rule, best, shared) for known, rule in rules.items()}
    return [_partial([gain for known, gain in gains.items() if known <= set(group)]) for group in groups]


def _partial(gains: Sequence[crossed.Mean]) -> Partial:
    """The best of the rules that some knowledge allows, or to choose as without it."""
    most = max(gains, key=lambda gain: gain.value)
    floor = most.se * float(reach(most.n, 1 - 2 * (1 - LEVEL) / len(gains)))
    return Partial(max(most.value, 0.0), most.se, floor)


def _rule(fits: Sequence[Fit]) -> Rule:
    """The option that looks best at each draw, from the others."""
    return np.stack([fit.value for fit in fits], axis=1).argmax(axis=1)


def measured(benefit: ArrayLike, found: ArrayLike, error: float) -> Partial:
    """EVSI of a study that measures one number with a normal error, where the number was simulated with noise.

    The noise of a simulated mean is that of people, as the study's own error is. What the simulated number lacks of
    that error is added, so that together they are the study's. Noise that is already more than the error is taken out:
    net benefits about their means are stretched until what is known of them varies as it would at the error (moment
    matching; Heath, Manolopoulou & Baio, Med Decis Making 2018;38:163), which is exact where all is normal.

    Parameters
    ----------
    benefit : (draws, options, replicates)
        Replicates have people of their own in every draw; two or more.
    found : (draws, replicates)
        The number, from the same people.
    error : float
        SD of the study's error.

    Returns
    -------
    Partial
        A rule chooses by the number of all replicates but one, and is found and counted by that one, in other draws.
    """
    values, number = _three(benefit), np.asarray(found, np.float64)
    replicates = values.shape[2]
    if replicates < 2 or number.shape != (len(values), replicates):
        raise ValueError("what a study finds must be (draws, replicates), of two replicates or more")
    noise = float(number.var(axis=1, ddof=1).mean()) / (replicates - 1)
    centred = number - number.mean(axis=0)
    signal = max(float(crossed.products(centred, centred).mean()), 0.0)
    if noise > error**2 and signal > 0:
        middle = values.mean(axis=(0, 2), keepdims=True)
        values = middle + np.sqrt((signal + noise) / (signal + error**2)) * (values - middle)
    best = int(values.mean(axis=(0, 2)).argmax())
    width, gains = float(np.sqrt(max(error**2 - noise, 0.0))), []
    for r in range(replicates):
        over = values[:, :, r] - values[:, [best], r]
        fits, share = smooth_measured(np.delete(number, r, axis=1).mean(axis=1), over, width)
        chosen = np.take_along_axis(over, fits.argmax(axis=2), axis=1)
        gains.append(chosen @ share)
    return _partial([crossed.mean(np.stack(gains, axis=1), shared=False)])
