"""Pictures of a run over draws: the median over parameter vectors, and the band in which nine of ten of them lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.needs import VARIABLES, need_variables, size
from simulator.report.scale import percent_axis, time_scale
from simulator.results.tidy import over_draws

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simulator.results import Result

MOST = 5  # arms whose bands can be told apart


def survival(result: Result) -> Picture:
    """Event-free survival by arm."""
    figure, axes = _sheet(result, "Event-free survival, by arm", ["Death or permanent ventilation is the event."])
    with style.drawing():
        _curves(axes, result, "event_free", lambda value: f"{100 * value:.0f} %")
        percent_axis(axes)
        axes.set_ylabel("Alive without permanent ventilation")
    return Picture(Kind.survival, figure, f"Event-free share over draws in {', '.join(result.arms)}")


def trajectories(result: Result, outcome: str) -> Picture:
    """Mean ALSFRS-R of everybody, the dead at 0."""
    if outcome != "alsfrs_r":
        raise PictureError(
            f"{Kind.trajectories}: a run over draws shows alsfrs_r; take one out with one_draw for {outcome}"
        )
    need_variables(result, Kind.trajectories, VARIABLES[Kind.trajectories])
    figure, axes = _sheet(
        result, "Mean ALSFRS-R over time, the dead at 0", ["Nobody is left out: who has died has 0 points."]
    )
    with style.drawing():
        axes.set_ylim(0, 48)
        axes.set_yticks(range(0, 49, 12))
        axes.set_ylabel("ALSFRS-R, points")
        _curves(axes, result, "alsfrs_r_death0_mean", lambda value: f"{value:.1f}")
    return Picture(Kind.trajectories, figure, f"Mean ALSFRS-R over draws in {', '.join(result.arms)}")


def _sheet(result: Result, title: str, more: list[str]) -> tuple[Figure, Axes]:
    notes = [
        f"{size(result)}, at each of {result.draws} vectors of the calibrated ensemble.",
        "Line: median over vectors. " + ("Band: 5th to 95th percentile." if len(result.arms) <= MOST else ""),
        *more,
    ]
    with style.drawing():
        figure = style.sheet(title, notes, 2.0 + max(2.8, style.LINE * len(result.arms)))
        axes = figure.subplots()
        style.place(figure, len(notes), left=0.75, right=1.75)
    return figure, axes


def _curves(axes: Axes, result: Result, variable: str, words: Callable[[float], str]) -> None:
    """Median and band of each arm, named where it ends."""
    group, scale, ends = result.groups["summary"], time_scale(result.follow_up_days), []
    drawn = style.lines(result.arms, result.control)
    for k, arm in enumerate(result.arms):
        value, mcse = (group[name].values[:, k] for name in (variable, f"{variable}_mcse"))
        middle, low, high, _ = over_draws(value, mcse)
        line, time = drawn[arm], scale.of(result.time)
        if len(result.arms) <= MOST:
            axes.fill_between(time, low, high, color=line.colour, alpha=0.18, lw=0)
        axes.plot(time, middle, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
        ends.append(style.Label(float(middle[-1]), f"{style.short(arm)} {words(float(middle[-1]))}", line.colour))
    scale.apply(axes)
    scale.label(axes)
    axes.set_ylim(*((0, 1) if variable == "event_free" else axes.get_ylim()))
    style.label_ends(axes, ends)
