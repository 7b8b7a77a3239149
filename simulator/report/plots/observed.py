"""What the visits measured: a thin line for each patient, the mean of those measured, a panel for each arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.errors import absent
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.grid import head, label_time, sheet
from simulator.report.plots.needs import need_patients, size
from simulator.report.plots.panel import Pane
from simulator.report.plots.trajectories import LABELS
from simulator.report.plots.vectors import bands, over, vectors
from simulator.report.scale import plain_logarithm
from simulator.results import Result

FEWEST = 5


def measured(result: Result, arm: int, outcome: str) -> tuple[np.ndarray, np.ndarray]:
    """Planned days, and what was measured : (patients, visits); NaN where nothing was."""
    group = result.groups["observed"]
    values = group[outcome].values[arm].astype(np.float64)
    if outcome == "alsfrs_r":
        values = np.where(values < 0, np.nan, values)  # the code of a missing score
    return group["nominal_day"].values, values


def draw(result: Result, outcome: str = "", patients: int = 60) -> Picture:
    """The picture; the first patients of the run are drawn, the mean is that of all."""
    need_patients(result, Kind.observed)
    there = [name for name in LABELS if name in result.groups["observed"]]
    each = vectors(result)
    outcome = outcome or next(iter(there), "")
    if outcome not in there:
        raise PictureError(absent("outcome", outcome, there, where=Kind.observed))
    shown = min(patients, result.n_patients)
    notes = [
        f"{size(result)}, with noise, rounding and missed visits. {bands(result, '')}"
        if result.draws
        else f"Thin: visits of the first {shown} of {result.n_patients:,} patients, with noise and missed visits.",
        f"Thick: mean of those measured, {FEWEST} or more. It is of survivors who stay: it flattens as others leave.",
    ]
    with style.drawing():
        figure, panes = sheet(f"{LABELS[outcome].partition(',')[0]} as measured", notes, result)
        for pane in panes:
            if not result.draws:
                _lines(pane, outcome, shown)
            _mean(pane, outcome, each)
            head(pane, pane.line.colour)
        label_time(panes)
        panes[0].axes.set_ylabel(LABELS[outcome])
        if outcome == "alsfrs_r":
            panes[0].axes.set_ylim(0, 48)
            panes[0].axes.set_yticks(range(0, 49, 12))
        if outcome == "nfl_plasma":
            plain_logarithm(panes[0].axes, "y")
    return Picture(Kind.observed, figure, f"Visits' {LABELS[outcome]} in {', '.join(result.arms)}")


def _lines(pane: Pane, outcome: str, shown: int) -> None:
    """One arm."""
    from matplotlib.collections import LineCollection

    days, values = measured(pane.result, pane.arm, outcome)
    time = pane.scale.of(days)
    courses = [np.stack([time, one], 1)[np.isfinite(one)] for one in values[:shown]]
    lines = LineCollection([one for one in courses if len(one)], colors=pane.line.colour, lw=0.5, alpha=0.45)
    pane.axes.add_collection(lines)


def _mean(pane: Pane, outcome: str, each: Sequence[Result]) -> None:
    """The mean of those measured while there are enough, over the parameter vectors."""
    found = [measured(one, pane.arm, outcome) for one in each]
    seen = np.min([np.isfinite(values).sum(0) for _, values in found], axis=0)
    enough = seen >= min(FEWEST, max(pane.result.n_patients, 1))
    if enough.any():
        time = pane.scale.of(found[0][0][enough])
        middle, low, high = over([_middle(values[:, enough], outcome) for _, values in found])
        if len(each) > 1:
            pane.axes.fill_between(time, low, high, color=pane.line.colour, alpha=0.18, lw=0)
        pane.axes.plot(time, middle, color=pane.line.colour, lw=2.4)
    pane.axes.autoscale_view()


def _middle(values: np.ndarray, outcome: str) -> np.ndarray:
    """Mean of each column, geometric of neurofilament."""
    mean = np.exp(np.nanmean(np.log(values), 0)) if outcome == "nfl_plasma" else np.nanmean(values, 0)
    return np.asarray(mean)
