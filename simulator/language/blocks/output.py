"""Block `output`: what is kept of the truth; the simulation does not change with it."""

from __future__ import annotations

from simulator.language.parts import Interval
from simulator.quantities import Part


class Output(Part):
    """Truth on days 0, `every_days`, twice `every_days` and so on; with King's, MiToS and FT9 stages if `stages`."""

    every_days: Interval = 28
    stages: bool = True
