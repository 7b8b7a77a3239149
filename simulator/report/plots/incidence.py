"""Cumulative incidence of what ends a course: death, permanent ventilation, dropout; a panel for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.intervals import share_interval
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.needs import need_patients, size
from simulator.report.scale import TimeScale, percent_axis, time_scale
from simulator.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 201
ENDS = ("death before ventilation", "permanent ventilation", "dropout")
ROOM = 5  # arms whose bands can be told apart


def times(result: Result, arm: int) -> dict[str, np.ndarray]:
    """Day of each end of a course in an arm, NaN where it has not come: (n_patients,)."""
    events = {name: one.values[arm] for name, one in result.groups["events"].items() if one.values.ndim == 2}
    day = events["event_free_time"].astype(np.float64)
    found = {name: np.where(events["event"] == code, day, np.nan) for code, name in enumerate(ENDS[:2], 1)}
    return found | {ENDS[2]: events["dropout_time"].astype(np.float64)}


def draw(result: Result) -> Picture:
    """The picture; an end that nobody reaches is left out."""
    need_patients(result, Kind.incidence)
    notes = [
        "Death and ventilation compete: whoever has one first does not count for the other.",
        "Dropout is leaving the observed trial; it ends nobody's simulated course.",
    ]
    each = [times(result, k) for k in range(len(result.arms))]
    return cumulative(result, Kind.incidence, "What ends a course: cumulative incidence, by arm", notes, each)


def cumulative(
    result: Result, kind: str, title: str, notes: Sequence[str], each: Sequence[dict[str, np.ndarray]]
) -> Picture:
    """Shares of patients to whom something has happened: a panel for each event, a line for each arm.

    `each` : by arm, day of each event (NaN where it has not come). What happens to nobody is left out.
    """
    shown = [name for name in each[0] if any(np.isfinite(one[name]).any() for one in each)] or list(each[0])[:1]
    bands = " Bands: 95 % Monte Carlo." if len(result.arms) <= ROOM else ""
    lines = [f"{size(result)}.{bands}", *notes]
    scale = time_scale(result.follow_up_days)
    height = max(1.7, style.LINE * len(result.arms))
    with style.drawing():
        figure = style.sheet(title, lines, 1.55 + (height + 0.3) * len(shown))
        axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        style.place(figure, len(lines), left=0.75, right=1.75)
        figure.subplots_adjust(hspace=0.3)
        for panel, name in zip(axes, shown, strict=True):
            _panel(panel, result, [one[name] for one in each], scale)
            panel.set_title(f"{name[0].upper()}{name[1:]}", loc="left", fontsize=9.5, fontweight="bold")
        scale.apply(axes[-1])
        for panel in axes:
            scale.label(panel, panel is axes[-1])
    return Picture(kind, figure, f"Cumulative incidence of {', '.join(shown)} in {', '.join(result.arms)}")


def _panel(axes: Axes, result: Result, days: list[np.ndarray], scale: TimeScale) -> None:
    """One end in every arm; its axis ends where the highest curve does."""
    drawn, ends = style.lines(result.arms, result.control), []
    weight = np.ones(result.n_patients) if result.weight is None else result.weight
    grid = np.linspace(0, result.follow_up_days, POINTS)
    n, top = result.worth, 0.0
    for arm, day in zip(result.arms, days, strict=True):
        known = np.isfinite(day)
        order = np.argsort(day[known], kind="stable")
        total = np.concatenate([[0.0], np.cumsum(weight[known][order])]) / weight.sum()
        share = total[np.searchsorted(day[known][order], grid, side="right")]
        low, high = share_interval(share * n, n)
        line = drawn[arm]
        if len(result.arms) <= ROOM:
            axes.fill_between(scale.of(grid), low, high, color=line.colour, alpha=0.18, lw=0)
        axes.plot(scale.of(grid), share, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
        ends.append(style.Label(float(share[-1]), f"{style.short(arm)} {100 * share[-1]:.0f} %", line.colour))
        top = max(top, float(high.max()))
    percent_axis(axes, next(limit for limit in (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if limit >= min(top, 1.0)))
    axes.set_ylabel("Share of patients")
    style.label_ends(axes, ends)
