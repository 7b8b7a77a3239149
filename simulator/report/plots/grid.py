"""One panel for each arm, with common axes: at most four side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.report import style
from simulator.report.plots.panel import Pane
from simulator.report.scale import time_scale
from simulator.results import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 4
HEIGHTS = {1: 2.9, 2: 2.3}  # inches of a panel by the number of rows


def columns(count: int) -> int:
    """How many panels stand side by side."""
    if style.is_narrow():
        return min(count, 2)
    return {4: 2, 5: 3, 6: 3}.get(count, min(count, ACROSS))


def sheet(title: str, notes: Sequence[str], result: Result) -> tuple[Figure, list[Pane]]:
    """A sheet with a panel for each arm, all with the same axes."""
    count, across = len(result.arms), columns(len(result.arms))
    down = -(-count // across)
    figure = style.sheet(title, notes, 1.22 + 0.17 * len(notes) + HEIGHTS.get(down, 1.75) * down)
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    style.place(figure, len(notes) + 1, left=0.75)
    figure.subplots_adjust(wspace=0.16 if style.is_narrow() else 0.09, hspace=0.2)
    for beyond in axes[count:]:
        beyond.set_visible(False)
    scale = time_scale(result.follow_up_days)
    return figure, [Pane(axes[k], result, k, scale) for k in range(count)]


def head(pane: Pane, colour: str) -> None:
    """The name of the arm above its panel, as much of it as there is room for."""
    room = int(style.inches(pane.axes)[0] / 0.09) if style.is_narrow() else 64 // columns(len(pane.result.arms))
    text = style.short(pane.name, room)
    pane.axes.set_title(text, color=colour, fontsize=9.5, fontweight="bold", loc="left")


def label_time(panes: Sequence[Pane]) -> None:
    """Time axes for all, labelled below the lowest of each column."""
    panes[0].scale.apply(panes[0].axes)
    for k, pane in enumerate(panes):
        pane.scale.label(pane.axes, k + columns(len(panes)) >= len(panes))
