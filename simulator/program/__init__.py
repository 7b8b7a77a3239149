"""Scenario to Program: from names and dates to arrays. No string passes beyond this package."""

from simulator.program.arms import calendars
from simulator.program.safety import per_dose
from simulator.program.scenario import Program, compile_program

__all__ = ["Program", "calendars", "compile_program", "per_dose"]
