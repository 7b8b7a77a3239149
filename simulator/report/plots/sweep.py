"""Outcomes of a sweep against what was varied, with their Monte Carlo errors."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.report import style
from simulator.report.kinds import SweepKind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.needs import need_kind, need_options
from simulator.report.scale import time_scale
from simulator.studies.sweep.outcomes import everywhere
from simulator.studies.sweep.text import titled
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.studies.sweep.outcomes import Outcome
    from simulator.studies.sweep.result import Sweep

CURVES, PANELS, ACROSS = 5, 6, 4
HEIGHT = 2.1  # inches of a panel


class Axis(NamedTuple):
    """What was varied, as numbers, in the unit of the picture's axis."""

    label: str
    values: np.ndarray
    in_months: bool


class SweepPlots:
    """The pictures of a sweep: `sweep.plot.sweep().save("sweep.svg")`.

    Raises
    ------
    PictureError
        There is nothing to draw.
    """

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep

    def sweep(self, outcome: str | None = None) -> Picture:
        """Each outcome against each number that was varied: curves over a grid of one or two, else a dot a point.

        Parameters
        ----------
        outcome : str, optional
            A metric, `serious_neurologic` for one, of every arm and contrast, in place of the outcomes of the block.
        """
        return draw(self._sweep, outcome)

    def draw(self, kind: SweepKind | str, **options: Any) -> Picture:
        """A picture by its name."""
        need_kind(kind, SweepKind, "a sweep")
        method = getattr(self, SweepKind(kind))
        need_options(kind, options, method)
        picture: Picture = method(**options)
        return picture

    @property
    def kinds(self) -> tuple[SweepKind, ...]:
        """The pictures that this sweep can be drawn as."""
        return tuple(SweepKind) if _axes_of(self._sweep) and len(self._sweep.failures) < self._sweep.n_points else ()


def draw(sweep: Sweep, metric: str | None = None) -> Picture:
    """The picture, of the outcomes that the block asks for or of a metric in every arm and contrast."""
    varied = _axes_of(sweep)
    if not varied or len(sweep.failures) == sweep.n_points:
        raise PictureError("sweep: no number was varied, or every point failed; nothing can be drawn")
    every = sweep.outcomes(everywhere(sweep, metric) if metric else None)
    outcomes = every[:PANELS]
    curves = _levels(varied)
    across = 1 if curves is not None else min(len(varied), 2 if style.is_narrow() else ACROSS)
    notes = [*_about(sweep, outcomes, curves is not None), *_cut(sweep, (len(outcomes), len(every)), across, varied)]
    rows, columns = _shape(len(outcomes), across, curves is not None)
    with style.drawing():
        figure = style.sheet("\n".join(wrap(sweep.title, 70)[:1]), notes, 1.25 + 0.17 * len(notes) + HEIGHT * rows)
        axes = figure.subplots(rows, columns, squeeze=False)
        style.place(figure, len(notes) + 1, left=0.75, right=0.25, bottom=0.6)
        figure.subplots_adjust(wspace=0.42, hspace=0.62)
        for k, outcome in enumerate(outcomes):
            if curves is not None:
                _curves(axes.flat[k], outcome, varied, curves)
            else:
                for j in range(across):
                    _dots(axes[k, j], outcome, varied[j], first=j == 0)
        for unused in axes.flat[len(outcomes) * across :]:
            unused.set_visible(False)
    words = ", ".join(one.label for one in outcomes)
    return Picture(SweepKind.sweep, figure, f"{words}, against {', '.join(one.label for one in varied)}")


def _axes_of(sweep: Sweep) -> list[Axis]:
    """The addresses whose numbers differ between points; days from half a year on in months."""
    found = []
    for address in sweep.addresses:
        values = sweep.values(address)
        if values.dtype.kind in "if" and len(np.unique(values[np.isfinite(values)])) > 1:
            in_months = bool(address.endswith("_day") and np.nanmax(values) > 180)
            scaled = values / DAYS_PER_MONTH if in_months else values
            label = f"{sweep.label(address)}, months" if in_months else titled(sweep, address)
            found.append(Axis(label, np.asarray(scaled, np.float64), in_months))
    return found


def _levels(varied: list[Axis]) -> np.ndarray | None:
    """Values of the second axis, for a curve each, where points lie on a grid of one or two; else None."""
    sizes = [len(np.unique(axis.values)) for axis in varied]
    if len(varied) == 1:
        return np.array([np.nan])
    if len(varied) == 2 and sizes[1] <= CURVES and len(varied[0].values) == sizes[0] * sizes[1]:
        return np.unique(varied[1].values)
    return None


def _shape(outcomes: int, across: int, is_curves: bool) -> tuple[int, int]:
    """Rows and columns of panels."""
    if not is_curves:
        return outcomes, across
    columns = 2 if outcomes > 1 and not style.is_narrow() else 1
    return -(-outcomes // columns), columns


def _about(sweep: Sweep, outcomes: list[Outcome], curves: bool) -> list[str]:
    """What must be known to read the picture."""
    same = "the same people in every point" if sweep.attrs["random_numbers"] == "common" else "other people in each"
    each = f", {sweep.replicates} times" if sweep.replicates > 1 else ""
    notes = [f"{sweep.n_points:,} points of {sweep.n_patients:,} simulated patients in each arm{each}, {same}."]
    drawn = "Bands" if curves else "Bars"
    notes.append(f"{drawn}: 95 % Monte Carlo intervals of the simulation, not the uncertainty of the model.")
    if any(one.wanted.against and not one.paired for one in outcomes):
        notes.append("Intervals of differences are not paired: upper bounds.")
    if any(one.paired for one in outcomes):
        notes.append(f"Intervals of differences are those of t with {sweep.replicates} replicates.")
    return notes


def _cut(sweep: Sweep, outcomes: tuple[int, int], across: int, varied: list[Axis]) -> list[str]:
    """What is left out; `outcomes` are those drawn, and all."""
    failed, (shown, every) = len(sweep.failures), outcomes
    notes = [f"{failed:,} points failed and are missing."] if failed else []
    if every > shown:
        notes.append(f"The first {shown} of {every} outcomes.")
    if across > 1 and across < len(varied):
        notes.append(f"The first {across} of {len(varied)} numbers that were varied.")
    return notes


def _curves(axes: Axes, outcome: Outcome, varied: list[Axis], levels: np.ndarray) -> None:
    """The outcome against the first number, with its band; a curve for each value of the second."""
    for k, level in enumerate(levels):
        mine = np.isfinite(outcome.estimate) & (np.isnan(level) | (varied[-1].values == level))
        order = np.argsort(varied[0].values[mine], kind="stable")
        x, y = varied[0].values[mine][order], outcome.estimate[mine][order]
        error = outcome.reach * np.nan_to_num(outcome.mcse[mine][order])
        colour = style.SERIES[k % len(style.SERIES)].light
        axes.fill_between(x, y - error, y + error, color=colour, alpha=0.2, lw=0)
        name = None if np.isnan(level) else f"{varied[-1].label} {level:.3g}"
        axes.plot(x, y, color=colour, lw=1.6, marker="o", ms=2.5, label=name)
    if len(levels) > 1:
        axes.legend(frameon=False, fontsize=7)
    if varied[0].in_months:
        time_scale(float(np.ceil(np.nanmax(varied[0].values))) * DAYS_PER_MONTH).apply(axes)
        axes.set_xlim(-0.02 * axes.get_xlim()[1], 1.02 * axes.get_xlim()[1])
    axes.set_xlabel(varied[0].label)
    _name(axes, outcome, 90 if style.inches(axes)[0] > HEIGHT * 2 else 46)


def _dots(axes: Axes, outcome: Outcome, axis: Axis, first: bool) -> None:
    """The outcome against one of many numbers: a dot for each point, with its error."""
    error = outcome.reach * np.nan_to_num(outcome.mcse)
    colour = style.SERIES[0].light
    axes.errorbar(axis.values, outcome.estimate, error, fmt="o", ms=2, color=colour, elinewidth=0.4, alpha=0.5)
    axes.set_xlabel("\n".join(wrap(axis.label, 24, break_long_words=False)))
    if first:
        _name(axes, outcome, 90)


def _name(axes: Axes, outcome: Outcome, width: int) -> None:
    """The outcome above its panel, its unit beside the axis."""
    axes.set_title("\n".join(wrap(outcome.label, width)[:2]), loc="left", fontsize=8.5)
    axes.set_ylabel(outcome.unit)
