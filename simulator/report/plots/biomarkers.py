"""Neurofilament and SOD1 over time by arm, with the doses below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.needs import VARIABLES, dosed_arms, need_variables, size
from simulator.report.plots.trajectories import NARROW, spread
from simulator.report.scale import TimeScale, plain_logarithm, time_scale
from simulator.results import Result
from simulator.units import DAYS_PER_WEEK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = 4  # with more arms the bands would hide one another
FAINTEST = 0.2  # opacity of a week in which hardly anybody had a dose
MARKERS = (
    ("nfl_plasma_ratio", "Plasma NfL,\nratio to baseline"),
    ("sod1_csf", "CSF SOD1,\nratio to baseline"),
)


def draw(result: Result) -> Picture:
    """The picture."""
    need_variables(result, Kind.biomarkers, VARIABLES[Kind.biomarkers])
    scale, dosed = time_scale(result.follow_up_days), dosed_arms(result)
    notes = [
        f"{size(result)}. Lines: geometric means of survivors"
        + ("; bands: the middle half." if len(result.arms) <= BANDS else "."),
        "Marks below: weeks with doses, the darker the more of the living had one."
        if dosed
        else "No doses are shown: " + ("no arm has any." if result.is_full else "this result kept sums only."),
    ]
    strip = 0.16 * len(dosed)
    each = max(1.75, style.LINE * len(result.arms))
    heights = [each, each, *([strip] if dosed else [])]
    with style.drawing():
        figure = style.sheet("Biomarkers over time, by arm", notes, 1.5 + 2 * each + strip)
        axes = figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
        style.place(figure, len(notes), left=1.25, right=1.55)
        figure.subplots_adjust(hspace=0.12)
        for panel, (name, label) in zip(axes, MARKERS, strict=False):
            _marker(panel, result, name, label, scale)
        if dosed:
            _doses(axes[2], result, dosed, scale)
        scale.apply(axes[-1])
        for panel in axes:
            scale.label(panel, panel is axes[-1])
    return Picture(Kind.biomarkers, figure, f"NfL and SOD1 over time in {', '.join(result.arms)}, with doses")


def _marker(axes: Axes, result: Result, name: str, label: str, scale: TimeScale) -> None:
    """One biomarker in all arms, on a logarithmic axis: halving and doubling are as far."""
    ends, drawn = [], style.lines(result.arms, result.control)
    lowest = highest = 1.0
    for k, arm in enumerate(result.arms):
        found, line = spread(result, k, name), drawn[arm]
        time, quantile = scale.of(found.time), found.quantile
        low, high = quantile[:, 1], quantile[:, 3]
        if len(result.arms) <= BANDS:
            axes.fill_between(time, low, high, where=high > NARROW * low, color=line.colour, alpha=0.16, lw=0)
        axes.plot(time, found.mean, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
        ends.append(style.Label(float(found.mean[-1]), f"{style.short(arm)} {found.mean[-1]:.2f}", line.colour))
        lowest = min(lowest, low.min(), found.mean.min())
        highest = max(highest, high.max(), found.mean.max())
    plain_logarithm(axes, "y", (0.93 * lowest, 1.07 * highest))
    axes.axhline(1, color=style.SOFT.light, lw=0.8)
    axes.set_ylabel(label)
    style.label_ends(axes, ends)


def _doses(axes: Axes, result: Result, arms: list[str], scale: TimeScale) -> None:
    """A row for each arm, a tick for each week with doses; its darkness is the share of the living who had one."""
    doses, alive = result.groups["doses"], result.groups["summary"]["alive"].values
    edges = np.arange(0, result.follow_up_days + DAYS_PER_WEEK + 1, DAYS_PER_WEEK)
    drawn = style.lines(result.arms, result.control)
    for row, arm in enumerate(arms):
        k = result.arm_index(arm)
        given = np.histogram(doses["day"].values[doses["arm"].values == k], edges)[0]
        share = np.minimum(given / np.maximum(np.interp(edges[:-1], result.time, alive[k]), 1), 1)
        there, shade = share > 0.02, FAINTEST + (1 - FAINTEST) * share
        axes.vlines(
            scale.of(edges[:-1][there]), row - 0.36, row + 0.36, color=drawn[arm].colour, lw=1.1, alpha=shade[there]
        )
    style.rows(axes, arms, drawn)
