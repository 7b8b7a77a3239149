"""How a trial allocates: a permuted block of each stratum."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.program.calendar import visit_days
from simulator.program.imbalance import Entering, Lean, lean, no_lean
from simulator.program.lead_in import LeadIn, lead_in
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from simulator.language.blocks.trial import Trial
    from simulator.language.scenario import Scenario


class Allocation(NamedTuple):
    """How people are allocated."""

    block: np.ndarray  # (stratum, arm) int64, people of one block
    lean: Lean
    lead_in: LeadIn | None
    accrual: np.ndarray  # (piece, 3) float64: first day, people a day, people expected before; no piece: all on one day


def allocation(scenario: Scenario, entering: Entering) -> Allocation | None:
    """Blocks and what they lean on; None where there is no trial."""
    block = blocks(scenario)
    if block is None or scenario.trial is None:
        return None
    wanted = scenario.trial.imbalance
    leaning = no_lean(block)
    if wanted is not None:
        leaning = lean(scenario, wanted, block, entering)
    return Allocation(block, leaning, lead_in(scenario, visit_days(scenario)), accrual(scenario.trial))


def blocks(scenario: Scenario) -> np.ndarray | None:
    """People of one block by (stratum, arm), int64; None where there is no trial.

    A row of zeros: nobody of that stratum is enrolled.
    """
    if scenario.trial is None:
        return None
    found = scenario.trial.blocks(list(scenario.strata or ["all"]))
    return np.array([[block.get(arm, 0) for arm in scenario.arms] for block in found], np.int64)


def accrual(trial: Trial) -> np.ndarray:
    """Pieces of the accrual as engine.accrual takes them."""
    table, start, before = [], 0.0, 0.0
    for piece in trial.accrual_per_month or []:
        rate = piece.rate.value / DAYS_PER_MONTH
        table.append((start, rate, before))
        if piece.until_day is not None:
            before += rate * (piece.until_day - start)
            start = float(piece.until_day)
    return np.array(table, np.float64).reshape(-1, 3)
