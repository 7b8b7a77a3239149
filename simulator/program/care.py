"""Ventilation and feeding tubes that an arm offers, as numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.care import COLUMNS, FACTOR_TUBE, NIV_FROM, SVC_BELOW, TUBE_FROM, Care
from simulator.mechanisms import Offered
from simulator.mechanisms.care import Gastrostomy, Ventilation

if TYPE_CHECKING:
    from simulator.language.care import Epoch
    from simulator.language.scenario import Scenario

F = np.float32


def offers_care(scenario: Scenario) -> bool:
    """Whether an arm offers care that begins by what a visit measures."""
    used = {name for epochs in scenario.arms.values() for epoch in epochs for name in epoch.treatments}
    return any(isinstance(scenario.treatments[name], Offered) for name in used)


def care(scenario: Scenario) -> Care:
    """What each arm offers, in the columns of `engine.care`; nothing is offered from a day that never comes."""
    table = np.array([_offers(scenario, epochs) for epochs in scenario.arms.values()], F)
    if "svc" not in scenario.visits.assessments:
        table[:, SVC_BELOW] = -math.inf
    return Care(offers_care(scenario), table)


def _offers(scenario: Scenario, epochs: list[Epoch]) -> list[float]:
    row = [math.inf] * COLUMNS
    for epoch in epochs:  # those that offer the same care adjoin
        end = math.inf if epoch.to_day is None else float(epoch.to_day)
        for treatment in (scenario.treatments[name] for name in epoch.treatments):
            if isinstance(treatment, Ventilation):
                row[NIV_FROM:TUBE_FROM] = [min(row[NIV_FROM], float(epoch.from_day)), end, *_ventilation(treatment)]
            elif isinstance(treatment, Gastrostomy):
                row[TUBE_FROM : FACTOR_TUBE + 1] = [min(row[TUBE_FROM], float(epoch.from_day)), end, *_tube(treatment)]
    return row


def _ventilation(niv: Ventilation) -> list[float]:
    limits = [niv.offered_below_svc_percent, niv.offered_at_respiratory_item, niv.good_bulbar_points]
    accepted = [niv.accepted_good_bulbar, niv.accepted_poor_bulbar]
    factors = [niv.hazard_multiplier_good_bulbar, niv.hazard_multiplier_poor_bulbar]
    return [quantity.value for quantity in (*limits, *accepted, *factors)]


def _tube(tube: Gastrostomy) -> list[float]:
    return [tube.at_swallowing_item.value, tube.uptake.value, tube.hazard_multiplier.value]
