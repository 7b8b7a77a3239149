"""Waterfall: each patient's change of function by a day, in order; who has died is worst."""

from __future__ import annotations

import numpy as np

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.grid import head, sheet
from simulator.report.plots.needs import VARIABLES, need_patients, need_variables, size
from simulator.results import Result
from simulator.studies.headline import main_day
from simulator.studies.metrics import time_index

POINTS = 401


def changes(result: Result, arm: int, day: float) -> tuple[np.ndarray, np.ndarray]:
    """Change of the ALSFRS-R of each patient by a day from the best to the worst, the dead at 0 points; who is dead."""
    score = result.groups["truth"]["alsfrs_r"].values[arm].astype(np.float64)
    dead = result.groups["events"]["death_time"].values[arm] <= day
    change = np.where(dead, 0.0, score[:, time_index(result, day)]) - score[:, 0]
    order = np.lexsort((change, dead))
    order = np.concatenate([order[: (~dead).sum()][::-1], order[(~dead).sum() :][::-1]])
    return change[order], dead[order]


def draw(result: Result) -> Picture:
    """The picture, on the main day."""
    need_patients(result, Kind.waterfall)
    need_variables(result, Kind.waterfall, VARIABLES[Kind.waterfall])
    day = main_day(result)
    notes = [
        f"{size(result)}. From baseline to day {day:g}, in order; a dotted line marks the mean.",
        "Grey: dead by then, with 0 points. Where the grey begins is the share alive.",
    ]
    with style.drawing():
        figure, panes = sheet("Change of the ALSFRS-R, patient by patient", notes, result)
        for pane in panes:
            change, dead = changes(result, pane.arm, day)
            share = (np.arange(len(change)) + 0.5) / len(change)
            some = np.unique(np.linspace(0, len(change) - 1, min(POINTS, len(change))).round().astype(int))
            for mine, colour in ((~dead, pane.line.colour), (dead, style.SOFT.light)):
                shown = some[mine[some]]
                pane.axes.vlines(100 * share[shown], 0, change[shown], color=colour, lw=0.7, alpha=0.8)
            pane.axes.axhline(change.mean(), color=style.INK.light, lw=1.2, ls=":")
            pane.axes.axhline(0, color=style.SOFT.light, lw=0.8)
            pane.axes.set_xlim(0, 100)
            pane.axes.set_xticks((0, 50) if style.inches(pane.axes)[0] < 1.9 else (0, 25, 50, 75, 100))
            head(pane, pane.line.colour)
        label_shares(panes)
        panes[0].axes.set_ylabel("Change of ALSFRS-R, points")
    return Picture(
        Kind.waterfall, figure, f"Change of ALSFRS-R of each patient by day {day:g} in {', '.join(result.arms)}"
    )


def label_shares(panes: list) -> None:
    """Labels below the lowest panel of each column."""
    from simulator.report.plots.grid import columns

    for k, pane in enumerate(panes):
        lowest = k + columns(len(panes)) >= len(panes)
        pane.axes.tick_params(labelbottom=lowest)
        if lowest:
            pane.axes.set_xlabel("% of patients")
