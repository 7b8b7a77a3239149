"""Everybody's course of one measure, by arm: what real data look like."""

from __future__ import annotations

import numpy as np

from simulator.datasets import Dataset
from simulator.errors import absent
from simulator.report import style
from simulator.report.picture import Picture, PictureError
from simulator.report.scale import time_scale

KIND = "courses"


def draw(data: Dataset, outcome: str) -> Picture:
    """A panel for each arm: a thin line for each participant, the mean at each planned visit."""
    if outcome not in data.measurements:
        raise PictureError(absent("outcome", outcome, data.measurements))
    of, arms = data.measurements[outcome], data.arms or [""]
    drawn = style.lines(arms, arms[0])
    scale = time_scale(max(float(of.day.max()), 1.0))
    notes = [f"{data.name}, {data.n:,} participants. Thin: each one. Thick: mean of those measured at a planned visit."]
    with style.drawing():
        figure = style.sheet(f"{outcome}, everybody", notes, 1.3 + 2.4 * len(arms))
        grid = figure.subplots(len(arms), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        style.place(figure, len(notes))
        for axes, arm in zip(grid, arms, strict=True):
            rows = np.flatnonzero(data.participants.arm == arm)
            for person in rows.tolist():
                own = of.person == person
                axes.plot(scale.of(of.day[own]), of.value[own], color=style.SOFT.light, lw=0.5, alpha=0.5)
            mine = np.isin(of.person, rows)
            days = [day for day in data.visits.tolist() if (mine & (of.planned_day == day)).any()]
            means = [float(of.value[mine & (of.planned_day == day)].mean()) for day in days]
            axes.plot(scale.of(days), means, color=drawn[arm].colour, lw=2)
            axes.set_title(f"{style.short(arm) or 'all'}, n = {len(rows):,}", loc="left", fontsize=9)
            axes.set_ylabel(outcome)
        scale.apply(grid[-1])
        scale.label(grid[-1])
    return Picture(KIND, figure, f"{outcome} of each participant over time, by arm", data.made_from)
