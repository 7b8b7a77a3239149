"""Alive and above a score: shares over time, a panel for each arm. Death is the worst state, nobody is left out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.grid import columns, head, label_time, sheet
from simulator.report.plots.needs import VARIABLES, need_patients, need_variables, size
from simulator.report.plots.panel import Pane
from simulator.report.scale import percent_axis
from simulator.report.style import GRID, INK, SERIES, SOFT, Label, drawing, label_ends, place
from simulator.results import Result

SCORES = (36, 24, 12)
"""Limits of the ALSFRS-R: three, two and one quarter of its points."""
COLOUR = SERIES[0].light
SHADES = (0.95, 0.62, 0.36, 0.16)


def shares(result: Result, arm: int) -> np.ndarray:
    """Of an arm: above each score, the rest of the living, the dead: (5, n_times)."""
    score = result.groups["truth"]["alsfrs_r"].values[arm]
    death = result.groups["events"]["death_time"].values[arm]
    alive = ~(death[:, None] <= result.time)
    at_least = [np.mean(alive & (score >= limit), axis=0) for limit in SCORES]
    steps = [0 * at_least[0], *at_least, alive.mean(axis=0), np.ones(len(result.time))]
    return np.diff(np.stack(steps), axis=0)


def draw(result: Result) -> Picture:
    """The picture."""
    need_patients(result, Kind.function)
    need_variables(result, Kind.function, VARIABLES[Kind.function])
    notes = [f"{size(result)}. ALSFRS-R of the living; the dead are the worst state."]
    with drawing():
        figure, panes = sheet("Alive and above a score: shares over time", notes, result)
        place(figure, len(notes) + 1, left=0.75, right=1.1)
        for k, pane in enumerate(panes):
            _panel(pane, shares(result, k))
        label_time(panes)
        percent_axis(panes[0].axes)
        panes[0].axes.set_ylabel("Share of patients")
        last = min(columns(len(panes)), len(panes)) - 1
        _name(panes[last], shares(result, last)[:, -1])
    return Picture(Kind.function, figure, f"Shares alive with an ALSFRS-R above {SCORES} in {', '.join(result.arms)}")


def _panel(pane: Pane, found: np.ndarray) -> None:
    """The shares of one arm, one above the other."""
    time, axes = pane.scale.of(pane.result.time), pane.axes
    layers = axes.stackplot(time, found, colors=[COLOUR] * 4 + [GRID.light])
    for layer, shade in zip(layers, (*SHADES, 1.0), strict=True):
        layer.set_alpha(shade)
        layer.set_linewidth(0)
    for limit in np.cumsum(found, axis=0)[:4]:
        axes.plot(time, limit, color=INK.light, lw=0.5)
    head(pane, INK.light)
    axes.grid(visible=False)


def _name(pane: Pane, at_end: np.ndarray) -> None:
    """What the layers are, beside the ends of one panel's."""
    names = [f"{SCORES[0]} or more", *(f"{low} to {high - 1}" for high, low in pairwise(SCORES)), f"below {SCORES[-1]}"]
    middle = np.cumsum(at_end) - at_end / 2
    words = [*((name, INK.light) for name in names), ("dead", SOFT.light)]
    label_ends(pane.axes, [Label(float(y), *word) for y, word in zip(middle, words, strict=True)], x=1.04)
