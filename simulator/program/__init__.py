"""Scenario to Program: from names and dates to arrays. No string passes beyond this room."""

from simulator.program.arms import dose_days
from simulator.program.scenario import Program, compile_program

__all__ = ["Program", "compile_program", "dose_days"]
