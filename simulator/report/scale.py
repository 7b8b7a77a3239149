"""Axes of time: in months, or in years where the follow-up is long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from simulator.report import style
from simulator.units import DAYS_PER_MONTH, DAYS_PER_YEAR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONG_DAYS = 10 * DAYS_PER_YEAR
STEPS = {"Months": (1, 2, 3, 6, 12, 24), "Years": (1, 2, 5, 10, 20)}


class TimeScale(NamedTuple):
    """Days in a unit of the axis, and its name."""

    days: float
    unit: str
    end: float  # in units

    def of(self, days: Any) -> Any:
        """Days in units of the axis."""
        return np.asarray(days, np.float64) / self.days

    @property
    def ticks(self) -> list[float]:
        """At most nine, on a narrow page six, at round numbers."""
        most = 6 if style.is_narrow() else 9
        step = next((step for step in STEPS[self.unit] if self.end / step <= most), STEPS[self.unit][-1])
        return [float(k * step) for k in range(int(self.end / step + 1e-9) + 1)]

    def apply(self, axes: Axes) -> None:
        """Limits and ticks of the x axis, and with it of all that share it."""
        axes.set_xlim(0, self.end)
        axes.set_xticks(self.ticks)

    def label(self, axes: Axes, shown: bool = True) -> None:
        """What the x axis is, and its numbers, or neither."""
        axes.tick_params(labelbottom=shown)
        if shown:
            axes.set_xlabel(f"{self.unit} since baseline")


def plain_logarithm(axes: Axes, which: Literal["x", "y"], limits: tuple[float, float] | None = None) -> None:
    """A logarithmic axis with plain numbers at 1, 2, 5 … or, in a short range, at more digits.

    Without limits it holds what has been drawn.
    """
    axes.set(**{f"{which}scale": "log"})
    if limits and limits[0] == limits[1]:
        limits = limits[0] / 2, 2 * limits[1]
    if limits:
        axes.set(**{f"{which}lim": limits})
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    axis = axes.xaxis if which == "x" else axes.yaxis
    ticks = [tick for tick in _ticks(low, high) if low <= tick <= high]
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)


def _ticks(low: float, high: float) -> Sequence[float]:
    """Round numbers for a logarithmic axis; over a short range as for any other."""
    if high / low < 4:
        from matplotlib.ticker import MaxNLocator

        return [float(tick) for tick in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)]
    steps = (1, 2, 5) if high / low > 10 or style.is_narrow() else (1, 1.5, 2, 3, 4, 5, 7)
    return [step * 10.0**k for k in range(-4, 5) for step in steps]


def percent_axis(axes: Axes, top: float = 1.0) -> None:
    """The y axis for a share, from 0 to 100 %, or less."""
    ticks = np.linspace(0, top, 6 if top in (0.05, 0.1, 1.0) else 5)
    axes.set_ylim(0, top)
    axes.set_yticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks])


def time_scale(follow_up_days: float) -> TimeScale:
    """The scale for a follow-up."""
    days, unit = (DAYS_PER_YEAR, "Years") if follow_up_days > LONG_DAYS else (DAYS_PER_MONTH, "Months")
    return TimeScale(days, unit, follow_up_days / days)
