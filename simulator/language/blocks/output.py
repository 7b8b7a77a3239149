"""Block `output`: how densely the truth is kept; the simulation's step does not change with it."""

from __future__ import annotations

from simulator.language.parts import Interval
from simulator.quantities import Part


class Output(Part):
    """Truth on days 0, `every_days`, twice `every_days` and so on."""

    every_days: Interval = 28
