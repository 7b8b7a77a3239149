"""What measured values decide during a life, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.engine.rules import NoRules, Rules

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario


def has_rules(scenario: Scenario) -> bool:
    """Whether anything in the scenario depends on what a visit measures."""
    return False


def rules(scenario: Scenario) -> NoRules | Rules:
    """The rules, of a type of their own where there are none."""
    return NoRules()
