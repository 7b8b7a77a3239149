"""What people write: the scenario and its optional blocks, checked with file, line and column, and completed."""

from simulator.language.address import parse_setting
from simulator.language.faults import Fault, ScenarioError
from simulator.language.loading import bundled, find, load, parse
from simulator.language.scenario import Scenario

__all__ = ["Fault", "Scenario", "ScenarioError", "bundled", "find", "load", "parse", "parse_setting"]
