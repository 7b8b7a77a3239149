"""How a trial allocates: the smallest block of each stratum that has the ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

CLOSE = 2e-3
"""How closely each part of a ratio is met: 0.667 : 0.333 is 2 : 1. Exact numbers are what `counts` are for."""


def allocation(scenario: Scenario) -> np.ndarray | None:
    """People of one block by (stratum, arm), int64; None where there is no trial.

    From the exact `counts` of each stratum where the trial has them, else from the ratio `allocation`. A row of zeros:
    nobody of that stratum is enrolled.
    """
    trial, strata, arms = scenario.trial, list(scenario.strata or ["all"]), list(scenario.arms)
    if trial is None:
        return None
    if trial.counts is not None:
        counts = [trial.counts.get(name, {}) for name in strata]
        return np.array([_reduced(np.array([count.get(arm, 0) for arm in arms])) for count in counts], np.int64)
    ratio = {arm: part.value for arm, part in (trial.allocation or {}).items()}
    return np.array([_whole(np.array([ratio.get(arm, 0.0) for arm in arms]))] * len(strata), np.int64)


def _whole(ratio: np.ndarray) -> np.ndarray:
    """The smallest whole numbers in this ratio; one within CLOSE exists, with the least part at most 1000."""
    multiples = ratio / ratio[ratio > 0].min() * np.arange(1, 1001)[:, None]
    fits = (abs(multiples - np.rint(multiples)) <= CLOSE * multiples).all(axis=1)
    return _reduced(np.rint(multiples[fits.argmax()]).astype(np.int64))


def _reduced(counts: np.ndarray) -> np.ndarray:
    return counts // max(int(np.gcd.reduce(counts)), 1)
