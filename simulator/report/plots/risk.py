"""Numbers at risk below the axis of a survival curve; on a narrow page each name stands above its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIRST, LINE = 0.62, 0.17  # inches: from the axis to the head, from line to line
MOST = 5  # numbers that a narrow page has room for


class AtRisk(NamedTuple):
    """Of an arm: its name, colour and the number at risk at each tick."""

    name: str
    colour: str
    counts: Sequence[int]


def left() -> float:
    """Inches left of the axes: the names stand there where the page is wide."""
    return 0.75 if style.is_narrow() else 1.55


def below(arms: int) -> float:
    """Inches that the numbers of so many arms take below the axis."""
    return LINE * arms * (2 if style.is_narrow() else 1)


def write(axes: Axes, ticks: Sequence[float], rows: Sequence[AtRisk]) -> None:
    """The numbers at ticks of the x axis."""
    width, height = style.inches(axes)
    narrow, end = style.is_narrow(), axes.get_xlim()[1]
    step = 2 if narrow and (len(ticks) > MOST or max(max(row.counts) for row in rows) > 999) else 1
    x = -0.6 / width if narrow else -0.32 / width
    named: dict[str, Any] = {"transform": axes.transAxes, "ha": "left" if narrow else "right", "va": "center"}
    axes.text(x, -FIRST / height, "At risk", fontweight="bold", **named)
    line = 0
    for row in rows:
        line += 1
        axes.text(x, -(FIRST + LINE * line) / height, style.short(row.name), color=row.colour, **named)
        line += narrow
        at: dict[str, Any] = {"color": row.colour, "transform": axes.transAxes, "ha": "center", "va": "center"}
        for tick, count in list(zip(ticks, row.counts, strict=True))[::step]:
            axes.text(tick / end, -(FIRST + LINE * line) / height, f"{count:,}", **at)
