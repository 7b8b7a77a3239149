"""Which arms a look drops: without hope, with harm, or because others are better. Not binding: no bound trusts it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.combination import predictive_power
from simulator.analysis.trial.sequential import conditional_power
from simulator.language.comparisons import Drop

UNSAFE = -3
"""Why an arm ends: dropped for harm, which claims nothing."""
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def dropped(rule: Drop, z: Floats, share: float, critical: float, there: Bools) -> tuple[Bools, Bools]:
    """(k,) who is dropped for futility, and who for harm.

    Parameters
    ----------
    rule : what drops.
    z : (k,) statistics of the arms at this share of the information; NaN without an estimate: not decided, the arm goes
        on.
    share, critical : of the information; the bound at the end.
    there : (k,) arms that are still there.
    """
    from scipy.special import ndtr

    there = there & np.isfinite(z)
    known = np.where(there, z, 0.0)
    harm = there & (ndtr(known) < rule.harm.value) if rule.harm else np.zeros_like(there)
    futile = np.zeros_like(there)
    if rule.conditional_power is not None:
        power = np.array([conditional_power(one, share, critical) for one in known])
        futile |= power < rule.conditional_power.value
    if rule.predictive_power is not None:
        power = np.array([predictive_power(one, share, critical) for one in known])
        futile |= power < rule.predictive_power.value
    if rule.keep_best is not None:
        left = np.where(there & ~futile & ~harm, known, -np.inf)
        futile |= left < np.sort(left)[::-1][min(rule.keep_best, len(left)) - 1]
    return there & futile & ~harm, harm
