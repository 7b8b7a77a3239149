"""What measured values decide during a life, as numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.care import COLUMNS, FACTOR_TUBE, NIV_FROM, SVC_BELOW, TUBE_FROM, Care
from simulator.engine.leaving import Leaving
from simulator.engine.rules import MOST_INTERVALS, NoRules, Rules
from simulator.language.blocks.rules import Rules as Block
from simulator.mechanisms import Dosed, Offered
from simulator.mechanisms.care import Gastrostomy, Ventilation
from simulator.program.screening import dropout

if TYPE_CHECKING:
    from simulator.language.care import Epoch
    from simulator.language.scenario import Scenario
    from simulator.mechanisms.regimen import Guide
    from simulator.quantities import Quantity

F = np.float32


def has_rules(scenario: Scenario) -> bool:
    """Whether anything in the scenario depends on what a visit finds, or people enter before onset."""
    epochs = [epoch for arm in scenario.arms.values() for epoch in arm]
    waits = any(epoch.refers_to - {"onset", "diagnosis"} for epoch in epochs)
    guided = any(_guide(scenario, epoch) is not None for epoch in epochs)
    early = scenario.entry.presymptomatic_at_age is not None
    informed = scenario.attrition is not None and scenario.attrition.by_function is not None
    return waits or guided or early or informed or scenario.rules is not None or offers_care(scenario)


def rules(scenario: Scenario) -> NoRules | Rules:
    """The rules, of a type of their own where there are none."""
    if not has_rules(scenario):
        return NoRules()
    block = scenario.rules or Block()
    trigger, limit, noticed = block.trigger, block.limit, block.phenoconversion
    return Rules(
        carriers=scenario.entry.presymptomatic_at_age is not None,
        trigger_nfl=F(trigger.nfl_plasma if trigger else math.inf),
        trigger_rise=F(trigger.rise if trigger else math.inf),
        sensitivity=F(noticed.sensitivity if noticed else 0),
        limit_alsfrs_r=_limit(limit.alsfrs_r if limit else None),
        limit_svc=_limit(limit.svc_percent if limit else None),
        care=care(scenario),
        leave=_leaving(scenario),
        guide=np.array([_columns(scenario, arm) for arm in scenario.arms.values()], F),
    )


def _leaving(scenario: Scenario) -> Leaving:
    """How dropout depends on function."""
    attrition = scenario.attrition
    if attrition is None or attrition.by_function is None:
        return Leaving(False, dropout(scenario), F(0), F(0), since_entry=False, unseen=False, stops=False)
    how = attrition.by_function
    return Leaving(
        depends=True,
        pieces=dropout(scenario),
        slope=F(math.log(how.hazard_ratio_per_point.value)),
        neutral=F(how.neutral_points),
        since_entry=how.points_lost_since == "entry",
        unseen=how.missing == "MNAR",
        stops=attrition.drug_after_dropout == "stop",
    )


def _limit(value: Quantity | None) -> np.float32:
    return F(-math.inf if value is None else value)


def _guide(scenario: Scenario, epoch: Epoch) -> Guide | None:
    drugs = [scenario.treatments[name] for name in epoch.treatments]
    return next((drug.regimen.guided_by_nfl for drug in drugs if isinstance(drug, Dosed)), None)


def _columns(scenario: Scenario, epochs: list[Epoch]) -> list[float]:
    """The columns of an arm's guide."""
    guide = next((found for found in (_guide(scenario, epoch) for epoch in epochs) if found), None)
    if guide is None:
        return [-math.inf, math.inf, math.inf, 0.0, *[0.0] * MOST_INTERVALS]
    days = guide.intervals_days + guide.intervals_days[-1:] * (MOST_INTERVALS - len(guide.intervals_days))
    limits = [math.log(guide.longer_at_ratio.value), math.log(guide.shorter_at_ratio.value)]
    return [*limits, guide.samples, guide.wait_days, *days]


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
