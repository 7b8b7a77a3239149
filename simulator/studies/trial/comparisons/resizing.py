"""Another size after the first look: from what is seen without knowing the arms, or from a promising trend."""

from __future__ import annotations

from math import ceil

import numpy as np

from simulator.analysis.trial.combination import stage_needed
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.sequential import conditional_power
from simulator.language.comparisons import Blinded, Promising


def blinded(rule: Blinded, data: list[TrialData], size: int) -> float:
    """The size that the plan would have had with the variance, or share of events, of those seen so far.

    The control is in the data of every arm, and counts so; who is in which arm is not looked at.
    """
    if rule.sd is not None:
        change = np.concatenate([one.change[:, -1] for one in data])
        change = change[np.isfinite(change)]
        return size * float(np.var(change, ddof=1)) / rule.sd.value**2 if len(change) > 1 else float(size)
    event = np.concatenate([one.event for one in data])
    planned = rule.event_share.value if rule.event_share is not None else 1.0
    return size * planned / max(float(event.mean()), 1e-9)


def promising(rule: Promising, z: float, share: float, critical: float, size: int) -> float:
    """The size that gives the wanted conditional power, where that of the plan is in the zone; else the planned one."""
    power = conditional_power(z, share, critical)
    if not rule.least.value <= power < rule.power.value:
        return float(size)
    return size * (share + (1 - share) * stage_needed(z, share, critical, rule.power.value))


def within(wanted: float, size: int, most: float) -> int:
    """Never fewer than planned, never more than so many times as many."""
    return int(min(max(ceil(wanted - 1e-9), size), largest(size, most))) if np.isfinite(wanted) else largest(size, most)


def largest(size: int, most: float) -> int:
    """The most that may be enrolled."""
    return int(size * most + 1e-9)
