"""Which share is alive, on permanent ventilation, or dead, over time; a panel for each arm."""

from __future__ import annotations

import numpy as np

from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.grid import head, label_time, sheet
from simulator.report.plots.needs import size
from simulator.report.scale import percent_axis
from simulator.report.style import GRID, INK, SERIES, SOFT, drawing, key
from simulator.results import Result

STATES = ("alive without permanent ventilation", "alive with it", "dead")
COLOURS = (SERIES[0].light, SERIES[4].light, GRID.light)
WORDS = (SERIES[0].light, SERIES[4].light, SOFT.light)


def draw(result: Result) -> Picture:
    """The picture."""
    group = result.groups["summary"]
    alive, free = (group[name].values / result.n_patients for name in ("alive", "at_risk"))
    notes = [f"{size(result)}. From below to above:", ""]
    with drawing():
        figure, panes = sheet("Alive, ventilated, dead: shares over time", notes, result)
        for k, pane in enumerate(panes):
            shares = np.stack([free[k], alive[k] - free[k], 1 - alive[k]])
            pane.axes.stackplot(pane.scale.of(result.time), shares, colors=COLOURS, lw=0)
            head(pane, INK.light)
            pane.axes.grid(visible=False)
        label_time(panes)
        percent_axis(panes[0].axes)
        panes[0].axes.set_ylabel("Share of patients")
        key(figure, list(zip(STATES, WORDS, strict=True)), line=1)
    return Picture(Kind.occupancy, figure, f"Shares alive, ventilated and dead over time in {', '.join(result.arms)}")
