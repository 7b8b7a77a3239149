"""What one trial after another finds, beside the truth: a panel for each analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis.replicates import Measure
from simulator.analysis.trial.registry import analysis
from simulator.errors import absent
from simulator.report import style
from simulator.report.kinds import TrialKind
from simulator.report.picture import Picture, PictureError
from simulator.report.scale import plain_logarithm
from simulator.studies.trial.html import unit
from simulator.tables.numbers import fixed, when

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.studies.trial.result import Trial

COLUMNS = 3
HIT, MISS, TRUE = style.SERIES[0].light, style.SERIES[1].light, style.INK.light
WITH_TRUTH = [("holds the truth", HIT), ("misses it", MISS), ("truth", TRUE)]
WITHOUT = [("holds no effect", HIT), ("excludes it", MISS)]
PERCENTILES = (2.5, 50, 97.5)
BELOW = 3.0
"""Rows between the trials and the spread of all."""
MOST_TICKS, WIDEST = 5, 25.0
"""An interval of a ratio that is wider than this, as a factor either way, is cut."""


class Estimates(NamedTuple):
    """What an analysis finds: (replicate,) value, lower, upper, those with an estimate; the truth."""

    name: str
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    truth: Measure

    @property
    def log(self) -> bool:
        """Whether ratios are shown."""
        return analysis(self.name).scale == "log"

    @property
    def covers(self) -> np.ndarray:
        """Whether each interval holds the truth; where none is known, whether it leaves out no effect."""
        target = 0.0 if np.isnan(self.truth.value) else self.truth.value
        return (self.lower <= target) & (target <= self.upper)

    def shown(self, values: np.ndarray) -> np.ndarray:
        """As people quote them."""
        return np.exp(values) if self.log else values


def draw(trial: Trial, day: float | None, trials: int) -> Picture:
    """The picture of a day of analysis."""
    at = trial.days[0] if day is None else day
    if at not in trial.days:
        raise PictureError(absent("day", at, trial.days, where=TrialKind.forest))
    found = [_estimates(trial, name, at) for name in trial.analyses]
    shown = min(trials, trial.replicates)
    known = any(np.isfinite(one.truth.value) for one in found)
    experimental, control = map(style.short, trial.arms)
    notes = [
        f"{experimental} against {control}, {trial.size:,} participants. Thin: 95 % intervals of the first {shown} of "
        f"{trial.replicates:,} trials.",
        "Thick: where 95 % of all estimates fall, with their median."
        + (" Line: the true value." if known else " Dotted: no effect; truth was not looked up (--truth).")
        + (" A gap: no estimate." if any(not np.isfinite(one.value[:shown]).all() for one in found) else ""),
    ]
    columns = min(2 if style.is_narrow() else COLUMNS, len(found))
    rows = -(-len(found) // columns)
    with style.drawing():
        figure = style.sheet(f"What one trial after another finds, {when(at).lower()}", ["", *notes], 1.4 + 3.3 * rows)
        style.key(figure, WITH_TRUTH if known else WITHOUT, 0)
        grid = figure.subplots(rows, columns, squeeze=False)
        style.place(figure, len(notes) + 1, left=0.3, right=0.3)
        figure.subplots_adjust(wspace=0.14, hspace=0.36)
        for axes in grid.flat[len(found) :]:
            axes.set_visible(False)
        for axes, one in zip(grid.flat, found, strict=False):
            _panel(axes, one, shown)
            axes.set_xlabel(analysis(one.name).measure.format(unit=unit(trial)), fontsize=8)
    return Picture(
        TrialKind.forest, figure, f"Estimates of {', '.join(trial.analyses)} beside the truth, {when(at).lower()}"
    )


def _estimates(trial: Trial, name: str, day: float) -> Estimates:
    table = trial.estimates(name, day)
    return Estimates(name, table["value"], table["lower"], table["upper"], trial.truth(name, day))


def _panel(axes: Axes, of: Estimates, shown: int) -> None:
    """Trials from the top down, the spread of all below them."""
    some = np.arange(len(of.value)) < shown
    finite, covers = np.isfinite(of.value), of.covers
    for k in np.flatnonzero(some & finite):
        colour = HIT if covers[k] else MISS
        low, value, high = of.shown(np.array([of.lower[k], of.value[k], of.upper[k]]))
        axes.plot([low, high], [k, k], color=colour, lw=0.8)
        axes.plot(value, k, ".", color=colour, ms=3)
    bottom = shown + BELOW
    if finite.any():
        low, middle, high = of.shown(np.percentile(of.value[finite], PERCENTILES))
        axes.plot([low, high], [bottom, bottom], color=style.CONTROL.light, lw=3, solid_capstyle="butt")
        axes.plot(middle, bottom, "o", color=style.CONTROL.light, ms=5)
    axes.set_ylim(bottom + 2, -2)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    _limits(axes, of, some & finite)
    axes.axvline(1.0 if of.log else 0.0, color=style.SOFT.light, lw=0.8, ls=":")
    if not np.isnan(of.truth.value):
        axes.axvline(float(of.shown(np.array(of.truth.value))), color=TRUE, lw=1.3)
    axes.set_title(_title(of), fontsize=8.5, loc="left")


def _limits(axes: Axes, of: Estimates, drawn: np.ndarray) -> None:
    """Room for nearly all intervals; a few that reach far are cut."""
    if not drawn.any():
        return
    target = 0.0 if np.isnan(of.truth.value) else of.truth.value
    low = min(float(np.percentile(of.lower[drawn], 3)), 0.0, target)
    high = max(float(np.percentile(of.upper[drawn], 97)), 0.0, target)
    if of.log:
        reach = float(np.log(WIDEST))
        limits = float(np.exp(max(low, -reach))), float(np.exp(min(high, reach)))
        plain_logarithm(axes, "x", limits)
        ticks = _ticks(*limits)
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    else:
        room = 0.05 * (high - low)
        axes.set_xlim(low - room, high + room)


def _ticks(low: float, high: float) -> list[float]:
    """As many round numbers as a narrow panel has room for."""
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**k for k in range(-3, 4) for step in steps if low <= step * 10.0**k <= high]
        if len(ticks) <= MOST_TICKS:
            break
    return ticks


def _title(of: Estimates) -> str:
    value = float(of.shown(np.array(of.truth.value)))
    return of.name if np.isnan(value) else f"{of.name}; truth {fixed(value, 2)}"
