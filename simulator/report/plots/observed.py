"""What the visits measured: a thin line for each patient, the mean of those measured, a panel for each arm."""

from __future__ import annotations

import numpy as np

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.grid import head, label_time, sheet
from simulator.report.plots.needs import need_patients
from simulator.report.plots.panel import Pane
from simulator.report.plots.trajectories import LABELS
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
    outcome = outcome or next(iter(there), "")
    if outcome not in there:
        raise PictureError(f"{Kind.observed}: visits do not measure {outcome!r}; choose from {', '.join(there)}")
    shown = min(patients, result.n_patients)
    notes = [
        f"Thin: visits of the first {shown} of {result.n_patients:,} patients, with noise, rounding and missed visits.",
        f"Thick: mean of those measured, {FEWEST} or more. It is of survivors who stay: it flattens as others leave.",
    ]
    with style.drawing():
        figure, panes = sheet(f"{LABELS[outcome].partition(',')[0]} as measured", notes, result)
        for pane in panes:
            _lines(pane, outcome, shown)
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
    enough = np.isfinite(values).sum(0) >= min(FEWEST, max(len(values), 1))
    if enough.any():
        some = values[:, enough]
        mean = np.exp(np.nanmean(np.log(some), 0)) if outcome == "nfl_plasma" else np.nanmean(some, 0)
        pane.axes.plot(time[enough], mean, color=pane.line.colour, lw=2.4)
    pane.axes.autoscale_view()
