"""The block `safety` as numbers: processes of reactions, and how likely each dose has a common event."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine import safety
from simulator.models.terms import terms
from simulator.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language.blocks.safety import Safety, Transaminases
    from simulator.mechanisms.regimen import Regimen

F = np.float32
MARGIN = 1e-5
"""What a hazard counts more, so that rounding in the kernel loses nobody."""


def tables(block: Safety | None, windows: list[list[tuple[int, int]]]) -> np.ndarray:
    """The table of each arm in the columns of `engine.safety`, (arm, process, column).

    `windows` : of each arm, first dose and length of its epochs with the drug.
    """
    processes = [] if block is None else _processes(block)
    days = [sum(length for _, length in mine) for mine in windows]
    found = [[[*sort, _hazard(sort, n) * (1 + MARGIN)] for sort in processes] for n in days]
    return np.array(found, F).reshape(len(windows), len(processes), safety.HAZARD + 1)


def _processes(block: Safety) -> list[list[float]]:
    """What reactions lead to, a row for each process: serious neurologic ones, raised transaminases."""
    serious, liver = block.serious_neurologic, block.transaminases
    early, later = serious.per_year.value / DAYS_PER_YEAR, serious.later_per_year.value / DAYS_PER_YEAR
    found = [[serious.stopped.value, 1.0, *_held(serious), 0.0, early, serious.later_from_days.value, later]]
    if liver is not None:
        acts = [_above(liver, limit.value) for limit in (liver.stop_above, liver.hold_above)]
        every, rate = float(block.monitoring.liver_test_every_days), liver.per_year.value / DAYS_PER_YEAR
        found.append([*acts, *_held(liver), every, rate, 0.0, rate])
    return found


def _held(part: object) -> list[float]:
    """Shortest and longest hold, whole days."""
    return [float(round(getattr(part, name).value)) for name in ("held_days_min", "held_days_max")]


def _above(liver: Transaminases, limit: float) -> float:
    """Probability that the peak lies above a limit, in multiples of the upper limit of normal."""
    log, centre, spread, low, high = terms(liver.peak_multiple)
    at = math.log(limit) if log else limit
    if not low <= limit < high or spread == 0:
        middle = math.exp(centre) if log else centre
        return float(min(max(middle, low), high) > limit) if spread == 0 else float(limit < low)
    return 0.5 * math.erfc((at - centre) / (float(spread) * math.sqrt(2)))


def _hazard(sort: list[float], days: float) -> float:
    """Hazard of a process over so many days on the drug."""
    rate, turn, later = sort[safety.RATE : safety.HAZARD]
    return rate * min(days, turn) + later * max(days - turn, 0.0)


def most_reactions(block: Safety | None, days: int) -> int:
    """Reactions of one patient that are kept: no patient in 10^12 has more."""
    if block is None:
        return 0
    mean = sum(_hazard(sort, float(days)) for sort in _processes(block))
    return math.ceil(mean + 8 * math.sqrt(mean) + 12)


def per_dose(block: Safety, regimen: Regimen) -> dict[str, float]:
    """Probability of each common event at a dose: the doses of `over_days` days give the published share of people."""
    days, every = block.common.over_days, regimen.every_days
    loading = [day - regimen.loading_days[0] for day in regimen.loading_days]
    doses = sum(day <= days for day in loading) + max((days - loading[-1]) // every, 0)
    return {name: 1 - (1 - share.value) ** (1 / doses) for name, share in block.common.shares.items()}
