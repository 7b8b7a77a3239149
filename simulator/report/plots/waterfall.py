"""Waterfall: each patient's change of function by a day, in order; who has died is worst."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.measures.headline import main_day
from simulator.measures.metrics import time_index
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.grid import head, sheet
from simulator.report.plots.needs import VARIABLES, need_patients, need_variables, size
from simulator.report.plots.panel import Pane
from simulator.report.plots.vectors import bands, over, vectors
from simulator.results import Result
from simulator.units import minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 401
HATCHED = "Hatched: dead by then, with 0 points; where that begins is the share alive."
BEYOND = "Right of the dashed line: dead by then, with 0 points."
DEAD: dict[str, Any] = {"facecolor": style.GRID.light, "edgecolor": style.SOFT.light, "hatch": "///"}


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
        f"{size(result)}. From baseline to day {day:g}, from the best to the worst. Dotted: the mean.",
        *([bands(result, ""), BEYOND] if result.draws else [HATCHED]),
    ]
    with style.drawing():
        figure, panes = sheet("Change of the ALSFRS-R, patient by patient", notes, result)
        for pane in panes:
            each = [changes(one, pane.arm, day) for one in vectors(result)]
            (_range if result.draws else _bars)(pane, each)
            _say(pane.axes, [float(change.mean()) for change, _ in each], [_alive(dead) for _, dead in each])
            pane.axes.set_xlim(0, 100)
            pane.axes.set_xticks((0, 50) if style.inches(pane.axes)[0] < 1.9 else (0, 25, 50, 75))
            head(pane, pane.line.colour)
        panes[0].axes.set_ylim(-50, panes[0].axes.get_ylim()[1])
        label_shares(panes)
        panes[0].axes.set_ylabel("Change of ALSFRS-R, points")
    return Picture(
        Kind.waterfall, figure, f"Change of ALSFRS-R of each patient by day {day:g} in {', '.join(result.arms)}"
    )


def _alive(dead: np.ndarray) -> float:
    """Per cent who are alive."""
    return float(100 * (~dead).mean())


def _bars(pane: Pane, each: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Every patient, of one parameter vector: the living in the arm's colour, the dead hatched."""
    change, dead = each[0]
    share, alive = (np.arange(len(change)) + 0.5) / len(change), _alive(dead)
    some = np.unique(np.linspace(0, len(change) - 1, min(POINTS, len(change))).round().astype(int))
    for mine, how in ((~dead, {"color": pane.line.colour, "alpha": 0.8}), (dead, DEAD)):
        shown = some[mine[some]]
        x = np.concatenate([[alive * mine[-1]], 100 * share[shown], [100.0 if mine[-1] else alive]])
        y = np.concatenate([change[shown][:1], change[shown], change[shown][-1:]])
        if len(shown):
            pane.axes.fill_between(x, 0, y, lw=0, **how)


def _range(pane: Pane, each: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """The change at each place in the order, over the vectors, and where the dead begin."""
    x = np.linspace(0, 100, 201)
    middle, low, high = over([np.interp(x, np.linspace(0, 100, len(change)), change) for change, _ in each])
    pane.axes.fill_between(x, low, high, color=pane.line.colour, alpha=0.25, lw=0)
    pane.axes.plot(x, middle, color=pane.line.colour, lw=1.8)
    pane.axes.axvline(
        float(np.median([_alive(dead) for _, dead in each])), 0, 0.83, color=style.SOFT.light, lw=0.9, ls="--"
    )


def _say(axes: Axes, means: Sequence[float], alive: Sequence[float]) -> None:
    """The mean, and the share alive, in words where nothing is drawn: above, where the dead are."""
    axes.axhline(float(np.median(means)), color=style.INK.light, lw=1.2, ls=":")
    axes.axhline(0, color=style.SOFT.light, lw=0.8)
    told = minus(f"mean {np.median(means):.1f}\n{np.median(alive):.0f} % alive")
    at: dict[str, Any] = {"transform": axes.transAxes, "ha": "right", "va": "top", "fontsize": 8}
    axes.text(0.99, 0.985, told, **at)


def label_shares(panes: list) -> None:
    """Labels below the lowest panel of each column."""
    from simulator.report.plots.grid import columns

    for k, pane in enumerate(panes):
        lowest = k + columns(len(panes)) >= len(panes)
        pane.axes.tick_params(labelbottom=lowest)
        if lowest:
            pane.axes.set_xlabel("% of patients")
