"""Block `output`: what is kept of the truth; the simulation does not change with it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.language.parts import Day, Interval
from simulator.quantities import Part


class Output(Part):
    """Truth on days 0, `every_days`, twice `every_days` and so on, on `days` and on the last day of follow-up.

    So on the days of analysis of a trial, and on those of the blocks sensitivity and decision. With stages if `stages`.
    """

    every_days: Interval = 28
    days: Annotated[list[Day], Field(min_length=1)] | None = None
    stages: bool = True
