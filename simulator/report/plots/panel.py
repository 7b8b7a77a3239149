"""One arm drawn in one panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.report.scale import TimeScale
from simulator.report.style import Line, lines, short
from simulator.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Pane(NamedTuple):
    """Where an arm is drawn: the axes, the result, the arm's number, the scale of time."""

    axes: Axes
    result: Result
    arm: int
    scale: TimeScale

    @property
    def name(self) -> str:
        """Name of the arm."""
        return self.result.arms[self.arm]

    @property
    def short(self) -> str:
        """A name that fits beside the axes."""
        return short(self.name)

    @property
    def line(self) -> Line:
        """Colour and dash of the arm."""
        return lines(self.result.arms, self.result.control)[self.name]
