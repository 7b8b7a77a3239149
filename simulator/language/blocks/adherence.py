"""Block `adherence`: how often doses are missed and how late they are made up."""

from __future__ import annotations

from typing import Annotated

from simulator.language.parts import Whole
from simulator.quantities import Part, Quantity, Share


class Adherence(Part):
    """Each dose is missed with a probability; the delay is uniform on 1 … `delay_days_max` whole days."""

    missed: Share = Quantity(value=0.03, evidence="assumed")
    delay_days_max: Annotated[int, Whole(1, 365)] = 42
