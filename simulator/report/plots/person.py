"""One person: the fan of function, the dead at 0, and the chance to be event-free, a column for each arm."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.analysis.intervals import share_interval
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.panel import Pane
from simulator.report.plots.trajectories import everybody
from simulator.report.scale import TimeScale, percent_axis
from simulator.report.stored_scenario import stored_scenario
from simulator.results import Result
from simulator.units import DAYS_PER_MONTH

ACROSS = 4
TICK_MONTHS = 6
HEIGHTS = (2.6, 1.3)  # inches of the two rows
TOLD = "D"


class Mark(NamedTuple):
    """A score at a time: measured, or told of an arm."""

    months: float
    points: float
    arm: str = ""


def draw(result: Result) -> Picture:
    """The picture; the first four arms are drawn."""
    if not result.is_full or "weight" not in result.groups["patients"]:
        raise PictureError(f"{Kind.person}: this result is not one person's; run a scenario with a person, as case_a")
    measured, told = marks(result)
    end = max(result.analysis_days or (result.follow_up_days,)) / DAYS_PER_MONTH
    start = min([0.0, *(mark.months for mark in measured)])
    effective = float(result.screening["effective_sample_size"])
    worth = "" if effective == result.n_patients else f", worth {effective:,.0f} of equal weight"
    notes = [
        f"{result.n_patients:,} simulated people who match what was measured{worth}. Month 0 is now.",
        "Above: all twins, who has died with 0: bands 50 % and 90 %, thick the median."
        + (" Dots: measured." if measured else "")
        + (" Diamonds: told." if told else ""),
        "Below: alive without permanent ventilation, with 95 % Monte Carlo intervals.",
    ]
    arms = min(len(result.arms), ACROSS)
    with style.drawing():
        figure = style.sheet("One person, untreated and treated", notes, 1.55 + sum(HEIGHTS))
        axes = figure.subplots(
            2, arms, sharex=True, sharey="row", squeeze=False, gridspec_kw={"height_ratios": HEIGHTS}
        )
        style.place(figure, len(notes), left=0.75)
        figure.subplots_adjust(wspace=0.09, hspace=0.12)
        for k in range(arms):
            scale = TimeScale(DAYS_PER_MONTH, "Months", end)
            _fan(Pane(axes[0, k], result, k, scale), measured, [mark for mark in told if mark.arm == result.arms[k]])
            _event_free(Pane(axes[1, k], result, k, scale))
        _axes(axes, start, end)
    return Picture(
        Kind.person, figure, f"ALSFRS-R and event-free share of one person's twins in {', '.join(result.arms)}"
    )


def marks(result: Result) -> tuple[list[Mark], list[Mark]]:
    """Scores measured now and earlier, and scores told of an arm, from the scenario that the result holds."""
    scenario, _ = stored_scenario(result)
    if scenario is None:
        return [], []
    person: Any = scenario.person
    readings = [(0.0, person.now), *((-one.months_before.value, one) for one in person.earlier or [])]
    measured = [Mark(months, _points(reading)) for months, reading in readings if np.isfinite(_points(reading))]
    now = _points(person.now)
    told = []
    for one in person.account or []:
        if one.outcome in ("alsfrs_r", "alsfrs_r_change"):
            value = one.value.value + (now if one.outcome.endswith("change") else 0.0)
            told.append(Mark(one.months.value, value, one.arm))
    return measured, [mark for mark in told if np.isfinite(mark.points)]


def _points(reading: Any) -> float:
    """The total of a reading; NaN where it is not known."""
    if reading.alsfrs_r is not None:
        return float(reading.alsfrs_r.value)
    return sum(reading.domains.values()) if len(reading.domains) == 4 else float("nan")


def _fan(pane: Pane, measured: list[Mark], told: list[Mark]) -> None:
    """Bands and median of all twins, the dead at 0; what was measured, what is reported."""
    colour, found = pane.line.colour, everybody(pane.result, pane.arm, "alsfrs_r")
    shown = found.time <= pane.scale.end * DAYS_PER_MONTH
    time, quantile = pane.scale.of(found.time[shown]), found.quantile[shown]
    for low, high in ((0, 4), (1, 3)):
        pane.axes.fill_between(time, quantile[:, low], quantile[:, high], color=colour, alpha=0.2, lw=0)
    pane.axes.plot(time, quantile[:, 2], color=colour, lw=2.2)
    pane.axes.plot([m.months for m in measured], [m.points for m in measured], "o", color=style.INK.light, ms=4)
    at: dict[str, Any] = {"color": style.INK.light, "mec": style.PAPER.light, "ms": 8, "zorder": 5, "clip_on": False}
    pane.axes.plot([m.months for m in told], [m.points for m in told], TOLD, **at)
    pane.axes.set_title(style.short(pane.name, 24), color=colour, fontsize=9.5, fontweight="bold", loc="left")


def _event_free(pane: Pane) -> None:
    """The event-free share and its Monte Carlo interval."""
    days = np.linspace(0, pane.scale.end * DAYS_PER_MONTH, 201)
    curve = pane.result.survival(pane.name)
    p = curve.probability[np.searchsorted(curve.time, days, side="right") - 1]
    low, high = share_interval(p * curve.n, curve.n)
    pane.axes.fill_between(pane.scale.of(days), low, high, color=pane.line.colour, alpha=0.25, lw=0)
    pane.axes.plot(pane.scale.of(days), p, color=pane.line.colour, lw=1.8)


def _axes(axes: Any, start: float, end: float) -> None:
    """Common axes of both rows."""
    axes[0, 0].set_ylabel("ALSFRS-R, points")
    axes[0, 0].set_ylim(0, 48)
    axes[0, 0].set_yticks(range(0, 49, 12))
    axes[1, 0].set_ylabel("Event-free")
    percent_axis(axes[1, 0])
    first = -TICK_MONTHS * int(-start // TICK_MONTHS)
    axes[1, 0].set_xlim(start - 0.02 * (end - start), end)
    axes[1, 0].set_xticks(range(first, int(end + 0.5) + 1, TICK_MONTHS))
    for panel in axes[1]:
        panel.set_xlabel("Months from now")
