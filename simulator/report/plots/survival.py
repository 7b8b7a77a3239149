"""Event-free survival by arm, its Monte Carlo error, and the number at risk below."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.analysis.intervals import share_interval
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots import risk
from simulator.report.plots.grid import head, label_time, sheet
from simulator.report.plots.needs import size
from simulator.report.plots.panel import Pane
from simulator.report.scale import percent_axis, time_scale
from simulator.results import Result
from simulator.results.survival import SurvivalCurve

TOGETHER = 3  # arms in one panel
POINTS = 401  # as many as can be told apart on paper: a million patients make no larger file


def draw(result: Result) -> Picture:
    """The picture; from four arms on a panel for each, with the control in it."""
    if len(result.arms) > TOGETHER:
        return _apart(result)
    scale, arms = time_scale(result.follow_up_days), result.arms
    notes = [
        f"{size(result)}, all followed to the end.",
        "The event is death or permanent assisted ventilation. At risk: event-free until that day.",
        "Bands: 95 % Monte Carlo intervals of the simulation, not the uncertainty of a trial or of the model.",
    ]
    below = risk.below(len(arms))
    with style.drawing():
        figure = style.sheet("Event-free survival, by arm", notes, 2.0 + max(2.8, style.LINE * len(arms)) + below)
        axes = figure.subplots()
        style.place(figure, len(notes), left=risk.left(), right=1.55, bottom=0.85 + below)
        panes = [Pane(axes, result, k, scale) for k in range(len(arms))]
        ends = [_curve(pane) for pane in panes]
        scale.apply(axes)
        scale.label(axes)
        percent_axis(axes)
        axes.set_ylabel("Alive without permanent ventilation")
        style.label_ends(axes, ends)
        _at_risk(panes)
    return Picture(Kind.survival, figure, f"Share event-free over time in {', '.join(arms)}, with numbers at risk")


def _apart(result: Result) -> Picture:
    """A panel for each arm, the control dashed in those of the others."""
    notes = [
        f"{size(result)}, all followed to the end. Dashed: {style.short(result.control)}.",
        "The event is death or permanent assisted ventilation. Bands: 95 % Monte Carlo intervals.",
    ]
    days = np.linspace(0, result.follow_up_days, POINTS)
    control = _probability(result.survival(result.control), days)
    with style.drawing():
        figure, panes = sheet("Event-free survival, by arm", notes, result)
        for pane in panes:
            end = _curve(pane)
            if pane.name != result.control:
                pane.axes.plot(pane.scale.of(days), control, color=style.CONTROL.light, lw=1.2, ls="--")
            head(pane, pane.line.colour)
            at: dict[str, Any] = {"transform": pane.axes.transAxes, "ha": "right", "va": "top"}
            pane.axes.text(0.98, 0.96, f"{100 * end.y:.0f} %", color=end.colour, **at)
        label_time(panes)
        percent_axis(panes[0].axes)
        panes[0].axes.set_ylabel("Event-free")
    return Picture(Kind.survival, figure, f"Share event-free over time in {', '.join(result.arms)}")


def _curve(pane: Pane) -> style.Label:
    """Curve and band of one arm; hands back the text at its end."""
    curve, line = pane.result.survival(pane.name), pane.line
    days = np.linspace(0, pane.result.follow_up_days, POINTS)
    p = _probability(curve, days)
    time, (low, high) = pane.scale.of(days), share_interval(p * curve.n, curve.n)
    pane.axes.fill_between(time, low, high, color=line.colour, alpha=0.2, lw=0)
    dash = line.dash if len(pane.result.arms) <= TOGETHER else "-"
    pane.axes.plot(time, p, color=line.colour, ls=dash, zorder=line.order, lw=1.8)
    return style.Label(float(p[-1]), f"{pane.short} {100 * p[-1]:.0f} %", line.colour)


def _probability(curve: SurvivalCurve, days: np.ndarray) -> np.ndarray:
    """Event-free probability on many days."""
    if curve.steps:
        found: np.ndarray = curve.probability[np.searchsorted(curve.time, days, side="right") - 1]
        return found
    return np.interp(days, curve.time, curve.probability)


def _at_risk(panes: list[Pane]) -> None:
    """Numbers at risk at the ticks, arm by arm."""
    scale, days = panes[0].scale, np.array(panes[0].scale.ticks) * panes[0].scale.days
    rows = []
    for pane in panes:
        share = _probability(pane.result.survival(pane.name), days)
        counts = np.rint(pane.result.n_patients * share).astype(int).tolist()
        rows.append(risk.AtRisk(pane.name, pane.line.colour, counts))
    risk.write(panes[0].axes, scale.ticks, rows)
