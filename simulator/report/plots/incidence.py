"""Cumulative incidence of what ends a course: death, permanent ventilation, dropout; a panel for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from simulator.analysis.intervals import share_interval
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.needs import need_patients, size
from simulator.report.plots.vectors import ROOM, bands, vectors
from simulator.report.scale import TimeScale, percent_axis, time_scale
from simulator.results import Result
from simulator.results.tidy import DRAWN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Times: TypeAlias = "Callable[[Result, int], dict[str, np.ndarray]]"
POINTS = 201
ENDS = ("death before ventilation", "permanent ventilation", "dropout")


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
    return cumulative(result, Kind.incidence, "What ends a course: cumulative incidence, by arm", notes, times)


def cumulative(result: Result, kind: str, title: str, notes: Sequence[str], of: Times) -> Picture:
    """Shares of patients to whom something has happened: a panel for each event, a line for each arm.

    `of` : of a result and an arm, day of each event (NaN where it has not come). What happens to nobody is left out.
    """
    each = [{arm: of(one, k) for k, arm in enumerate(result.arms)} for one in vectors(result)]
    names = list(dict.fromkeys(name for draw in each for days in draw.values() for name in days))
    shown = [name for name in names if any(_comes(days, name) for draw in each for days in draw.values())] or names[:1]
    lines = [f"{size(result)}. {bands(result, 'Bands: 95 % Monte Carlo.')}".rstrip(), *notes]
    scale = time_scale(result.follow_up_days)
    height = max(1.7, style.LINE * len(result.arms))
    with style.drawing():
        figure = style.sheet(title, lines, 1.55 + (height + 0.3) * len(shown))
        axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        style.place(figure, len(lines), left=0.75, right=1.75)
        figure.subplots_adjust(hspace=0.3)
        for panel, name in zip(axes, shown, strict=True):
            _panel(panel, result, [{arm: days.get(name) for arm, days in draw.items()} for draw in each], scale)
            panel.set_title(f"{name[0].upper()}{name[1:]}", loc="left", fontsize=9.5, fontweight="bold")
        scale.apply(axes[-1])
        for panel in axes:
            scale.label(panel, panel is axes[-1])
    return Picture(kind, figure, f"Cumulative incidence of {', '.join(shown)} in {', '.join(result.arms)}")


def _comes(days: dict[str, np.ndarray], name: str) -> bool:
    return name in days and bool(np.isfinite(days[name]).any())


def _panel(axes: Axes, result: Result, each: Sequence[dict[str, np.ndarray | None]], scale: TimeScale) -> None:
    """One end in every arm, of each parameter vector; its axis ends where the highest curve does."""
    drawn, ends = style.lines(result.arms, result.control), []
    grid, top = np.linspace(0, result.follow_up_days, POINTS), 0.0
    for arm in result.arms:
        middle, low, high = _band(result, np.stack([_share(result, draw[arm], grid) for draw in each]))
        line = drawn[arm]
        if len(result.arms) <= ROOM:
            axes.fill_between(scale.of(grid), low, high, color=line.colour, alpha=0.18, lw=0)
        axes.plot(scale.of(grid), middle, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
        ends.append(style.Label(float(middle[-1]), f"{style.short(arm)} {100 * middle[-1]:.0f} %", line.colour))
        top = max(top, float(high.max()))
    percent_axis(axes, next(limit for limit in (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if limit >= min(top, 1.0)))
    axes.set_ylabel("Share of patients")
    style.label_ends(axes, ends)


def _share(result: Result, day: np.ndarray | None, grid: np.ndarray) -> np.ndarray:
    """Share of patients to whom it has happened, on each day of a grid."""
    if day is None:
        return np.zeros(len(grid))
    weight = np.ones(len(day)) if result.weight is None else result.weight
    known = np.isfinite(day)
    order = np.argsort(day[known], kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weight[known][order])]) / weight.sum()
    return total[np.searchsorted(day[known][order], grid, side="right")]


def _band(result: Result, share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Line and limits of shares : (vectors, days): over the vectors or, of one, Monte Carlo."""
    if len(share) > 1:
        middle, low, high = np.quantile(share, (0.5, *DRAWN), axis=0)
        return middle, low, high
    low, high = share_interval(share[0] * result.worth, result.worth)
    return share[0], low, high
