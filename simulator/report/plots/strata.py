"""Event-free survival by stratum: a panel for each, with the hazard ratio and the log-rank test of each comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis.intervals import quantile_shares
from simulator.analysis.survival import kaplan_meier
from simulator.analysis.trial.cox import cox
from simulator.analysis.trial.data import trial_data
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.logrank import logrank
from simulator.errors import absent
from simulator.measures.headline import main_day
from simulator.measures.metrics import time_index
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.grid import HEIGHTS, columns
from simulator.report.plots.needs import need_patients, need_strata, need_two_arms, size
from simulator.report.plots.vectors import ROOM, bands, spread, vectors
from simulator.report.scale import TimeScale, percent_axis, time_scale
from simulator.results import Result
from simulator.results.frames import GROUPING
from simulator.units import minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 201
MOST = 3  # comparisons written in a panel
FUNCTION = "alsfrs_r"
PANELS = 8
SIDE_BY_SIDE = 2  # panels that have room for a comparison in one line


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


class Middle(NamedTuple):
    """Median function of an arm on a day, the dead at 0, with its 95 % Monte Carlo limits."""

    arm: str
    value: float
    lower: float
    upper: float


def medians(result: Result, who: np.ndarray, day: float) -> list[Middle]:
    """Of each arm among these people."""
    found = []
    for k, arm in enumerate(result.arms):
        score = _counted(result, k, who)[:, time_index(result, day)]
        shares = quantile_shares(0.5, len(score))
        found.append(Middle(arm, *(float(one) for one in np.quantile(score, [0.5, *map(float, shares)]))))
    return found


def _counted(result: Result, arm: int, who: np.ndarray) -> np.ndarray:
    """The ALSFRS-R of these people, 0 from death on : (people, times)."""
    death = result.groups["events"]["death_time"].values[arm, who, None]
    score = result.groups["truth"]["alsfrs_r"].values[arm][who].astype(np.float64)
    return np.where(death <= result.time, 0.0, score)


def draw(result: Result, by: str = "stratum", outcome: str = "") -> Picture:
    """The picture; the first eight strata, or the eight most frequent variants, are drawn."""
    if outcome not in ("", FUNCTION):
        raise PictureError(f"{absent('outcome', outcome, [FUNCTION], where=Kind.strata)}, or none for survival")
    of, names = _parts(vectors(result)[0], by)
    notes = _notes(result, outcome)
    title, panel_of = ("Median ALSFRS-R", _function) if outcome else ("Event-free survival", _panel)
    across = 1 if style.is_narrow() else columns(len(names))
    key = 2 if style.is_narrow() and len(result.arms) > MOST else 1
    down = -(-len(names) // across)
    few = 0 if result.draws else min(len(result.arms if outcome else result.contrasts), MOST)
    each = 1 if outcome or across <= SIDE_BY_SIDE else 2  # lines of a comparison
    below = 0.34 + 0.17 * (few * each + 1)
    panel = 1.75 if style.is_narrow() else HEIGHTS.get(down, 1.75)
    height = 0.93 + 0.17 * (len(notes) + key) + (panel + below) * down
    with style.drawing():
        figure = style.sheet(f"{title}, by {by.replace('_', ' ')}", notes, height)
        axes = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
        style.place(figure, len(notes) + key, left=0.75, bottom=0.2 + below)
        figure.subplots_adjust(wspace=0.09, hspace=(below + 0.35) / panel)
        scale = time_scale(result.follow_up_days)
        for axis, name in zip(axes, names, strict=False):
            if result.draws:
                _drawn(axis, result, by, name, outcome)
            else:
                panel_of(axis, result, of == name, scale)
            axis.set_title(f"{style.short(name, 30 // across + 8)}, n = {(of == name).sum():,}", **HEAD)
        for beyond in axes[len(names) :]:
            beyond.set_visible(False)
        if outcome:
            axes[0].set_ylim(0, 48)
            axes[0].set_yticks(range(0, 49, 12))
            axes[0].set_ylabel("ALSFRS-R, points")
        else:
            percent_axis(axes[0])
        drawn = style.lines(result.arms, result.control)
        style.key(figure, [(style.short(arm), drawn[arm].colour) for arm in result.arms[:6]], line=len(notes))
    return Picture(Kind.strata, figure, f"{title} by {by} in {', '.join(result.arms)}")


def _notes(result: Result, outcome: str) -> list[str]:
    """What must be known to read it."""
    if result.draws:
        dead = "Median ALSFRS-R, who has died with 0." if outcome else "Alive without permanent ventilation."
        return [f"{size(result)}. {dead}", bands(result, "")]
    if outcome:
        return [
            f"{size(result)}. Who has died has 0 points. Bands: the middle half of everybody.",
            f"Below: median on day {main_day(result):g} with its 95 % Monte Carlo interval.",
        ]
    return [
        f"{size(result)}. Alive without permanent ventilation.",
        "HR: hazard ratio (Cox) with 95 % interval, and z of the log-rank test, as if the arms were different people, "
        "of all that were simulated: not what a trial of some size would find.",
    ]


def _function(axes: Axes, result: Result, who: np.ndarray, scale: TimeScale) -> None:
    """Medians and middle halves of one stratum, and the medians on the main day below."""
    drawn = style.lines(result.arms, result.control)
    for k, arm in enumerate(result.arms):
        low, middle, high = np.quantile(_counted(result, k, who), (0.25, 0.5, 0.75), axis=0)
        line, time = drawn[arm], scale.of(result.time)
        if len(result.arms) <= MOST:
            axes.fill_between(time, low, high, color=line.colour, alpha=0.14, lw=0)
        axes.plot(time, middle, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
    scale.apply(axes)
    scale.label(axes)
    found = medians(result, who, main_day(result))[:MOST]
    _below(
        axes, [minus(f"{style.short(one.arm, 20)} {one.value:.1f} ({one.lower:.1f}–{one.upper:.1f})") for one in found]
    )


def _drawn(axes: Axes, result: Result, by: str, name: str, outcome: str) -> None:
    """Curves of one part over the vectors: their median, and where nine of ten lie."""
    scale, drawn = time_scale(result.follow_up_days), style.lines(result.arms, result.control)
    days, course = (result.time, _middle) if outcome else (np.linspace(0, result.follow_up_days, POINTS), _free)
    for k, arm in enumerate(result.arms):
        middle, low, high = spread(result, lambda one, k=k: course(one, k, parts_of(one, by) == name, days))  # type: ignore[misc]
        line, time = drawn[arm], scale.of(days)
        if len(result.arms) <= ROOM:
            axes.fill_between(time, low, high, color=line.colour, alpha=0.18, lw=0)
        axes.plot(time, middle, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
    scale.apply(axes)
    scale.label(axes)


def _middle(result: Result, arm: int, who: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Median function of these people on the days of the result."""
    found: np.ndarray = np.median(_counted(result, arm, who), axis=0)
    return found


def _free(result: Result, arm: int, who: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Event-free probability of these people."""
    time, event = (result.groups["events"][key].values[arm, who] for key in ("event_free_time", "event"))
    curve = kaplan_meier(time, event > 0)
    found: np.ndarray = np.concatenate([[1.0], curve.survival])[np.searchsorted(curve.time, days, side="right")]
    return found


HEAD = {"loc": "left", "fontsize": 9.5, "fontweight": "bold"}


def parts_of(result: Result, by: str) -> np.ndarray:
    """Of which part each patient is: texts, (n_patients,).

    Raises
    ------
    PictureError
        There is nothing of that name that divides patients.
    """
    people = result.groups["patients"]
    known = [name for name in GROUPING if name in people]
    if by not in known:
        raise PictureError(absent("group", by, known, where=Kind.strata))
    one = people[by]
    flags = str(one.attrs.get("flag_meanings", "")).split()
    return np.array([flags[int(value)].replace("_", " ") for value in one.values]) if flags else one.values.astype(str)


def _parts(result: Result, by: str) -> tuple[np.ndarray, list[str]]:
    """Of which part each patient is, and the parts that are drawn: strata in their order, else the most frequent."""
    if by == "stratum":
        need_strata(result, Kind.strata)
    need_patients(result, Kind.strata)
    need_two_arms(result, Kind.strata)
    of = parts_of(result, by)
    names, counts = np.unique(of, return_counts=True)
    frequent = [str(name) for name in names[np.argsort(-counts, kind="stable")]]
    return of, ([name for name in result.strata if name in frequent] if by == "stratum" else frequent)[:PANELS]


def _panel(axes: Axes, result: Result, who: np.ndarray, scale: TimeScale) -> None:
    """Curves of one stratum, and its hazard ratios below."""
    drawn = style.lines(result.arms, result.control)
    days = np.linspace(0, result.follow_up_days, POINTS)
    for k, arm in enumerate(result.arms):
        p, line = _free(result, k, who, days), drawn[arm]
        axes.plot(scale.of(days), p, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
    scale.apply(axes)
    scale.label(axes)
    found = ratios(result, who)
    said = [
        (
            f"{style.short(one.arm, 13)} vs {style.short(one.against, 13)}",
            minus(f"HR {one.value:.2f} ({one.lower:.2f}–{one.upper:.2f}), z {one.z:.1f}"),
        )
        for one in found[:MOST]
    ]
    place = axes.get_subplotspec()
    beside = place is None or place.get_gridspec().ncols <= SIDE_BY_SIDE
    lines = [line for pair in said for line in ([" ".join(pair)] if beside else pair)]
    _below(axes, lines or ["too few events for a hazard ratio"])


def _below(axes: Axes, lines: list[str]) -> None:
    """Lines of text below the axis."""
    _, height = style.inches(axes)
    size = 8 if style.is_narrow() else 7
    for k, text in enumerate(lines):
        axes.text(0, -(0.62 + 0.17 * k) / height, text, transform=axes.transAxes, va="center", fontsize=size)
