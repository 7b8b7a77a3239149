"""The pictures of analyses of real people: estimates with their intervals, and survival with numbers at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.intervals import Z_95
from simulator.report import style
from simulator.report.kinds import AnalysedKind
from simulator.report.picture import Picture
from simulator.report.plots import risk
from simulator.report.scale import percent_axis, plain_logarithm, time_scale
from simulator.studies.analysed import Analysed, Arm, Followed, survival
from simulator.tables.numbers import fixed
from simulator.units import minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.analysis.trial.estimate import Estimate

ROW = 0.62
LEFT = 2.6  # inches left of the axes
SMALL = 7.6


class AnalysedPlots:
    """The pictures of one analysis of real people. Each method draws one; `save` writes it, a notebook shows it."""

    def __init__(self, analysed: Analysed) -> None:
        self._analysed = analysed

    def forest(self) -> Picture:
        """Each estimate with its 95 % interval, on its own scale."""
        return forest(self._analysed)

    def survival(self) -> Picture:
        """Kaplan–Meier by arm with 95 % intervals, and the number at risk below."""
        return kaplan_meier(self._analysed)

    def draw(self, kind: AnalysedKind | str, **options: Any) -> Picture:
        """A picture by its name; an option that this picture has not is refused."""
        from simulator.report.plots.needs import need_kind, need_options

        need_kind(kind, AnalysedKind, "analyses of real people")
        method = getattr(self, AnalysedKind(kind))
        need_options(kind, options, method)
        picture: Picture = method(**options)
        return picture

    @property
    def kinds(self) -> tuple[AnalysedKind, ...]:
        """The pictures that these analyses can be drawn as."""
        return tuple(AnalysedKind)


def forest(found: Analysed) -> Picture:
    """A row for each analysis: units differ, so each has its own axis."""
    rows = [(row.analysis, row.measure, row.estimate) for row in found.rows if row.estimate is not None]
    arms = " against ".join(style.short(arm.name) for arm in found.arms)
    none = [row.analysis for row in found.rows if row.estimate is None]
    notes = [
        f"{arms}, {sum(arm.participants for arm in found.arms):,} participants. Lines: 95 % intervals. Dotted: no "
        "effect." + (f" No estimate: {', '.join(none)}." if none else "")
    ]
    with style.drawing():
        figure = style.sheet("What the analyses find", notes, 1.1 + (ROW + 0.1 * style.is_narrow()) * max(len(rows), 1))
        axes = np.atleast_1d(figure.subplots(max(len(rows), 1), 1))
        style.place(figure, len(notes), left=LEFT, right=1.65)
        figure.subplots_adjust(hspace=1.6)
        for one, (name, measure, estimate) in zip(axes, rows, strict=False):
            _line(one, name, measure.format(unit="points"), estimate)
        if not rows:
            axes[0].set_axis_off()
    text = f"Estimates of {', '.join(name for name, *_ in rows)} with intervals"
    return Picture(AnalysedKind.forest, figure, text, found.made_from)


def _line(axes: Axes, name: str, measure: str, estimate: Estimate) -> None:
    value, low, high = estimate.natural
    log = estimate.scale == "log"
    none = 1.0 if log else 0.0
    axes.plot([low, high], [0, 0], color=style.SERIES[0].light, lw=1.6)
    axes.plot(value, 0, "s", color=style.SERIES[0].light, ms=5)
    axes.axvline(none, color=style.SOFT.light, lw=0.8, ls=":")
    left, right = min(low, none), max(high, none)
    if log:
        plain_logarithm(axes, "x", (left / 1.1, right * 1.1))
    else:
        room = 0.06 * (right - left)
        axes.set_xlim(left - room, right + room)
    axes.set_ylim(-1, 1)
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.locator_params(axis="x", nbins=4 if style.is_narrow() else 7) if not log else None
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    to_left: dict[str, Any] = {"transform": axes.transAxes, "va": "center"}
    soft: dict[str, Any] = {"fontsize": SMALL, "color": style.SOFT.light, **to_left}
    axes.text(-0.02, 0.9, name, ha="right", fontweight="bold", **to_left)
    axes.text(-0.02, 0.55, style.beside(measure, LEFT, SMALL), ha="right", **{**soft, "va": "top"})
    said = minus(f"{fixed(value, 2)} ({fixed(low, 2)} to {fixed(high, 2)})")
    axes.text(1.03, 0.9, said, ha="left", fontsize=8, **to_left)
    axes.text(1.03, 0.2, f"n = {estimate.n:,}", ha="left", **soft)


def kaplan_meier(found: Analysed | Followed) -> Picture:
    """Curves as steps, log(−log) intervals, numbers at risk at the ticks."""
    names = [arm.name for arm in found.arms]
    drawn = style.lines(names, names[-1])
    scale = time_scale(found.day)
    event = {"event_free": "death or permanent assisted ventilation", "death": "death"}.get(
        found.endpoint, found.endpoint
    )
    notes = [f"{found.name}. The event is {event or 'not in the data'}. Bands: 95 % intervals (log(−log))."]
    below = risk.below(len(names))
    with style.drawing():
        figure = style.sheet("Free of the event, by arm", notes, 4.6 + below)
        axes = figure.subplots()
        style.place(figure, len(notes), left=risk.left(), right=1.55, bottom=0.85 + below)
        ends = []
        for arm in found.arms:
            line = drawn[arm.name]
            days, p, low, high = _steps(arm, found.day)
            axes.fill_between(scale.of(days), low, high, step="post", color=line.colour, alpha=0.2, lw=0)
            axes.step(scale.of(days), p, where="post", color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
            ends.append(style.Label(float(p[-1]), f"{style.short(arm.name)} {100 * p[-1]:.0f} %", line.colour))
        scale.apply(axes)
        scale.label(axes)
        percent_axis(axes)
        axes.set_ylabel("Free of the event")
        style.label_ends(axes, ends)
        at = [scale.days * tick for tick in scale.ticks]
        rows = [risk.AtRisk(arm.name, drawn[arm.name].colour, [*map(arm.at_risk, at)]) for arm in found.arms]
        risk.write(axes, scale.ticks, rows)
    text = f"Kaplan-Meier of {' and '.join(names)}, with numbers at risk"
    return Picture(AnalysedKind.survival, figure, text, found.made_from)


def _steps(arm: Arm, end: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Days, probability and interval, from 0 to the end of follow-up."""
    curve = arm.curve
    days = np.concatenate([[0.0], curve.time, [end]])
    p = np.array([survival(curve, day) for day in days.tolist()])
    variance = np.concatenate([[0.0], curve.greenwood, curve.greenwood[-1:] if len(curve.time) else [0.0]])
    inside = (p > 0) & (p < 1) & np.isfinite(variance)
    level = np.where(inside, p, 0.5)
    reach = Z_95 * np.sqrt(np.where(inside, variance, 0.0)) / np.abs(np.log(level))
    return days, p, np.where(inside, level ** np.exp(reach), p), np.where(inside, level ** np.exp(-reach), p)
