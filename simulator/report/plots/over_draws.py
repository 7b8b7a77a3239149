"""Pictures of a run over draws: the median over parameter vectors, and the band in which nine of ten of them lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.biomarkers import MARKERS
from simulator.report.plots.needs import need_variables, size
from simulator.report.plots.trajectories import LABELS, MEAN, MEANS
from simulator.report.scale import percent_axis, time_scale
from simulator.results.tidy import over_draws
from simulator.results.variables import KINGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    """Mean ALSFRS-R of everybody, the dead at 0; of another outcome the mean of survivors."""
    if outcome not in LABELS:
        raise PictureError(f"{Kind.trajectories}: no outcome {outcome!r}; choose from {', '.join(LABELS)}")
    need_variables(result, Kind.trajectories, [outcome])
    if outcome != "alsfrs_r":
        return _survivors(result, outcome)
    figure, axes = _sheet(
        result, "Mean ALSFRS-R over time, the dead at 0", ["Nobody is left out: who has died has 0 points."]
    )
    with style.drawing():
        axes.set_ylim(0, 48)
        axes.set_yticks(range(0, 49, 12))
        axes.set_ylabel("ALSFRS-R, points")
        _curves(axes, result, "alsfrs_r_death0_mean", lambda value: f"{value:.1f}")
    return Picture(Kind.trajectories, figure, f"Mean ALSFRS-R over draws in {', '.join(result.arms)}")


def _survivors(result: Result, outcome: str) -> Picture:
    figure, axes = _sheet(result, f"{LABELS[outcome].partition(',')[0]} over time, survivors only", [_of(outcome)])
    with style.drawing():
        _curves(axes, result, f"{outcome}_mean", lambda value: f"{value:.3g}")
        axes.set_ylabel(LABELS[outcome])
    return Picture(Kind.trajectories, figure, f"{LABELS[outcome]} over draws in {', '.join(result.arms)}")


def _of(outcome: str) -> str:
    return f"Of survivors: {MEANS.get(outcome, MEAN)}."


def biomarkers(result: Result) -> Picture:
    """Neurofilament and SOD1, as ratios to baseline."""
    shown = [one for one in MARKERS if result.has(one[0].removesuffix("_ratio"))]
    figure, *panels = _sheet(result, "Biomarkers over time, by arm", ["Geometric means of survivors."], len(shown))
    with style.drawing():
        for axes, (name, label) in zip(panels, shown, strict=True):
            _curves(axes, result, f"{name}_mean", lambda value: f"{value:.2f}")
            axes.axhline(1, color=style.SOFT.light, lw=0.8)
            axes.set_ylabel(label)
    return Picture(Kind.biomarkers, figure, f"NfL and SOD1 over draws in {', '.join(result.arms)}")


def stages(result: Result) -> Picture:
    """Share in King's stage 3 or later, and in stage 4 or dead."""
    figure, *panels = _sheet(result, "King's stages: shares over time, by arm", ["The dead count in both."], 2)
    with style.drawing():
        for axes, first, label in zip(panels, ("3", "4A"), ("Stage 3, 4 or dead", "Stage 4 or dead"), strict=True):
            _curves(axes, result, "kings_stage_share", lambda value: f"{100 * value:.0f} %", KINGS.index(first))
            percent_axis(axes)
            axes.set_ylabel(label)
    return Picture(Kind.stages, figure, f"Shares by King's stage over draws in {', '.join(result.arms)}")


def _sheet(result: Result, title: str, more: list[str], panels: int = 1) -> tuple[Any, ...]:
    """The figure, then its panels."""
    notes = [
        f"{size(result)}, at each of {result.draws} vectors of the calibrated ensemble.",
        "Line: median over vectors. " + ("Band: 5th to 95th percentile." if len(result.arms) <= MOST else ""),
        *more,
    ]
    with style.drawing():
        each = max(2.8 if panels == 1 else 1.9, style.LINE * len(result.arms))
        figure = style.sheet(title, notes, 2.0 + each * panels)
        axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
        style.place(figure, len(notes), left=0.95, right=1.75)
    return figure, *axes


def _curves(axes: Axes, result: Result, variable: str, words: Callable[[float], str], from_code: int = 0) -> None:
    """Median and band of each arm, named where it ends; of shares by stage the sum from a code on."""
    group, scale, ends = result.groups["summary"], time_scale(result.follow_up_days), []
    drawn = style.lines(result.arms, result.control)
    for k, arm in enumerate(result.arms):
        value, mcse = (group[name].values[:, k] for name in (variable, f"{variable}_mcse"))
        if from_code:
            value, mcse = value[..., from_code:].sum(-1), mcse[..., 0]
        middle, low, high, _ = over_draws(value, mcse)
        line, time = drawn[arm], scale.of(result.time)
        if len(result.arms) <= MOST:
            axes.fill_between(time, low, high, color=line.colour, alpha=0.18, lw=0)
        axes.plot(time, middle, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
        ends.append(style.Label(float(middle[-1]), f"{style.short(arm)} {words(float(middle[-1]))}", line.colour))
    scale.apply(axes)
    place = axes.get_subplotspec()
    scale.label(axes, place is None or place.is_last_row())
    axes.set_ylim(*((0, 1) if variable.startswith(("event_free", "kings")) else axes.get_ylim()))
    style.label_ends(axes, ends)
