"""Event-free survival by stratum: a panel for each, with the hazard ratio and the log-rank test of each comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis.survival import kaplan_meier
from simulator.analysis.trial.cox import cox
from simulator.analysis.trial.data import trial_data
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.logrank import logrank
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.grid import HEIGHTS, columns
from simulator.report.plots.needs import need_patients, need_strata, need_two_arms, size
from simulator.report.scale import TimeScale, percent_axis, time_scale
from simulator.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 201
MOST = 3  # comparisons written in a panel
PANELS = 8


class Ratio(NamedTuple):
    """Hazard ratio of one arm against another with its 95 % interval, and the z of the log-rank test."""

    arm: str
    against: str
    value: float
    lower: float
    upper: float
    z: float


def ratios(result: Result, who: np.ndarray) -> list[Ratio]:
    """Of each comparison among these people; one without events in both arms is left out."""
    time, event = (result.groups["events"][name].values[:, who] for name in ("event_free_time", "event"))
    found = []
    for arm, against in result.contrasts:
        rows = [result.arm_index(arm), result.arm_index(against)]
        days, n = time[rows].ravel().astype(np.float64), int(who.sum())
        if not all(event[row].any() for row in rows):
            continue
        data = trial_data(
            arm=np.repeat([1, 0], n),
            nominal_day=[0.0],
            outcome=np.zeros((2 * n, 1)),
            time=days,
            event=(event[rows] > 0).ravel(),
        )
        try:
            hazard, test = cox(data), logrank(data)
        except AnalysisError:
            continue
        found.append(Ratio(arm, against, *hazard.natural, test.value / test.se))
    return found


def draw(result: Result, by: str = "stratum") -> Picture:
    """The picture; the first eight strata, or the eight most frequent variants, are drawn."""
    of, names = _parts(result, by)
    notes = [
        f"{size(result)}. Alive without permanent ventilation.",
        "Hazard ratio (Cox) with 95 % interval and z of the log-rank test, as if the arms were different people:",
        "of all that were simulated, so not what a trial of some size would find.",
    ]
    across = 1 if style.is_narrow() else columns(len(names))
    key = 2 if style.is_narrow() and len(result.arms) > MOST else 1
    down = -(-len(names) // across)
    few = min(len(result.contrasts), MOST)
    below = 0.34 + 0.17 * (few + 1)
    panel = 1.75 if style.is_narrow() else HEIGHTS.get(down, 1.75)
    with style.drawing():
        figure = style.sheet(
            f"Event-free survival, by {by}", notes, 0.93 + 0.17 * (len(notes) + key) + (panel + below) * down
        )
        axes = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
        style.place(figure, len(notes) + key, left=0.75, bottom=0.2 + below)
        figure.subplots_adjust(wspace=0.09, hspace=(below + 0.35) / panel)
        scale = time_scale(result.follow_up_days)
        for axis, name in zip(axes, names, strict=False):
            _panel(axis, result, of == name, scale)
            axis.set_title(f"{style.short(name, 30 // across + 8)}, {(of == name).sum():,}", **HEAD)
        for beyond in axes[len(names) :]:
            beyond.set_visible(False)
        percent_axis(axes[0])
        drawn = style.lines(result.arms, result.control)
        style.key(figure, [(style.short(arm), drawn[arm].colour) for arm in result.arms[:6]], line=len(notes))
    return Picture(Kind.strata, figure, f"Event-free survival by {by} in {', '.join(result.arms)}, with hazard ratios")


HEAD = {"loc": "left", "fontsize": 9.5, "fontweight": "bold"}


def _parts(result: Result, by: str) -> tuple[np.ndarray, list[str]]:
    """Of which part each patient is, and the parts that are drawn."""
    if by == "stratum":
        need_strata(result, Kind.strata)
        of = result.groups["patients"]["stratum"].values
        return of, [name for name in result.strata if (of == name).any()][:PANELS]
    need_patients(result, Kind.strata)
    need_two_arms(result, Kind.strata)
    if by != "variant":
        raise PictureError(f"{Kind.strata}: no panels by {by!r}; choose stratum or variant")
    of = result.groups["patients"]["variant"].values
    names, counts = np.unique(of, return_counts=True)
    return of, [str(name) for name in names[np.argsort(-counts, kind="stable")]][:PANELS]


def _panel(axes: Axes, result: Result, who: np.ndarray, scale: TimeScale) -> None:
    """Curves of one stratum, and its hazard ratios below."""
    drawn, events = style.lines(result.arms, result.control), result.groups["events"]
    days = np.linspace(0, result.follow_up_days, POINTS)
    for k, arm in enumerate(result.arms):
        time, event = (events[name].values[k, who] for name in ("event_free_time", "event"))
        curve = kaplan_meier(time, event > 0)
        p = np.concatenate([[1.0], curve.survival])[np.searchsorted(curve.time, days, side="right")]
        line = drawn[arm]
        axes.plot(scale.of(days), p, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
    scale.apply(axes)
    scale.label(axes)
    _, height = style.inches(axes)
    found, size = ratios(result, who), 8 if style.is_narrow() else 7
    lines = [
        f"{style.short(one.arm, 13)} vs {style.short(one.against, 13)} "
        f"{one.value:.2f} ({one.lower:.2f}–{one.upper:.2f}), z {one.z:.1f}".replace("-", "−")
        for one in found[:MOST]
    ] or ["too few events for a hazard ratio"]
    for k, text in enumerate(lines):
        axes.text(0, -(0.62 + 0.17 * k) / height, text, transform=axes.transAxes, va="center", fontsize=size)
