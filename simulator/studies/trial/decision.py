"""What a trial concludes from an estimate: by the level, the sides and the looks of its own design.

Power is the share of replicates that end with the claim of benefit. A significant harm is no power, though a test with
two sides that finds it where there is no effect is in error as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.estimand import Strategy
from simulator.analysis.trial.registry import analysis
from simulator.studies.trial.rows import ESTIMATED

if TYPE_CHECKING:
    from simulator.language.blocks.posterior import Posterior
    from simulator.studies.trial.plan import Plan

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
ALPHA = 0.05
VALUE, P = ESTIMATED.index("value"), ESTIMATED.index("p")
HIGHER_IS_BETTER = ("win_ratio",)
"""Of the logarithms: a higher ratio of wins is better, a higher hazard or rate is worse."""
LOWER_IS_BETTER = ("nfl_plasma", "sod1_csf")
"""Outcomes of which less is better, in analyses that compare means of them."""


class Claims(NamedTuple):
    """(r,) which replicates claim benefit, and which harm."""

    benefit: Bools
    harm: Bools


class Level(NamedTuple):
    """The level of a design's test and its sides; two of them share it."""

    alpha: float
    sides: int

    @property
    def two_sided(self) -> float:
        """The two-sided p up to which benefit is claimed."""
        return self.alpha * (2 if self.sides == 1 else 1)


def level(plan: Plan) -> Level:
    """The level of a plan: what its posterior leaves, or its looks spend, or its own, or 5 % two-sided."""
    trial = plan.scenario.trial
    if trial is not None and trial.posterior is not None:  # by a flat prior a test of one side
        return Level(1 - trial.posterior.benefit.value, 1)
    if trial is not None and trial.interim is not None:
        return Level(trial.interim.alpha.value, 2)
    alpha = None if trial is None else trial.alpha
    return Level(ALPHA if alpha is None else alpha.value, (trial.sides if trial else None) or 2)


def direction(name: str, outcome: str) -> int:
    """1 where a positive estimate of an analysis is benefit, -1 where it is harm."""
    found = analysis(name)
    if found.scale == "log":
        return 1 if name in HIGHER_IS_BETTER else -1
    compares_means = found.estimand.death is not Strategy.COMPOSITE
    return -1 if compares_means and outcome in LOWER_IS_BETTER else 1


def claims_at_end(plan: Plan, name: str, rows: Floats) -> Claims:
    """What (r, 7) estimates come to in a test at the level of the design; without an estimate nothing is claimed."""
    test = level(plan)
    significant = np.nan_to_num(rows[:, P], nan=1.0) <= test.two_sided
    side = np.sign(rows[:, VALUE]) * direction(name, plan.outcome)
    return Claims(significant & (side > 0), significant & (side < 0) & (test.sides == 2))


def in_words(plan: Plan) -> str:
    """The test of the design."""
    test, trial = level(plan), plan.scenario.trial
    if trial is not None and trial.posterior is not None:
        return _of_posterior(trial.posterior)
    words = f"{'one' if test.sides == 1 else 'two'}-sided level of {100 * test.alpha:g} %"
    if trial is None or trial.interim is None:
        return words
    count = len(trial.interim.shares or trial.interim.days or [])
    looks = f"{count} look{'s' * (count > 1)} before the first analysis"
    return f"{words}, spent over {looks} and its end" + (", futility stops" if trial.interim.futility else "")


def _of_posterior(rule: Posterior) -> str:
    """The rule of a trial that decides by posterior probabilities."""
    words = f"posterior probability of benefit above {rule.benefit.value:g}"
    if rule.at_looks is not None:
        words += f", at looks above {rule.at_looks.value:g}"
    if rule.futility is None:
        return words
    kind = "probability" if rule.futility.predictive is None else "predictive probability"
    least = rule.futility.probability if rule.futility.predictive is None else rule.futility.predictive
    return f"{words}, futility at a {kind} below {least.value:g}" if least else words
