"""Which share is in which King's stage over time; a panel for each arm."""

from __future__ import annotations

import numpy as np

from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.grid import head, label_time, sheet
from simulator.report.plots.needs import need_stages, size
from simulator.report.scale import percent_axis
from simulator.report.style import CONTROL, GRID, INK, SERIES, SOFT, drawing, key
from simulator.results import Result

WORDS = ("no region", "stage 1", "2", "3", "4A", "4B", "dead")
STATES = (SERIES[2], SERIES[0], SERIES[4], SERIES[1], SERIES[3], CONTROL)
COLOURS = (*(colour.light for colour in STATES), GRID.light)


def draw(result: Result) -> Picture:
    """The picture, from the summary."""
    need_stages(result, Kind.stages)
    shares = result.groups["summary"]["kings_stage_share"].values
    seen = [code for code in range(shares.shape[-1]) if shares[..., code].any()]
    notes = [f"{size(result)}. True stages; ventilation counts as 4B. From below to above:", ""]
    with drawing():
        figure, panes = sheet("King's stages: shares over time", notes, result)
        for k, pane in enumerate(panes):
            stacked = np.moveaxis(shares[k][:, seen], -1, 0)
            pane.axes.stackplot(pane.scale.of(result.time), stacked, colors=[COLOURS[code] for code in seen], lw=0)
            head(pane, INK.light)
            pane.axes.grid(visible=False)
        label_time(panes)
        percent_axis(panes[0].axes)
        panes[0].axes.set_ylabel("Share of patients")
        words = (*COLOURS[:-1], SOFT.light)
        key(figure, [(WORDS[code], words[code]) for code in seen], line=1)
    return Picture(Kind.stages, figure, f"Shares in King's stages over time in {', '.join(result.arms)}")
