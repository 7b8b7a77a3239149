"""One patient in every arm: the truth, what the visits saw, events and doses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.needs import VARIABLES, dosed_arms, need_patients, need_variables
from simulator.report.plots.panel import Pane
from simulator.report.scale import TimeScale, plain_logarithm, time_scale
from simulator.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = (("alsfrs_r", "ALSFRS-R,\npoints"), ("svc", "SVC,\n% of predicted"), ("nfl_plasma", "Plasma NfL,\npg/mL"))
MARKS = {1: "X", 2: "D"}  # death, permanent ventilation


def draw(result: Result, number: int) -> Picture:
    """The picture."""
    need_patient(result, number)
    dosed = dosed_arms(result, number)
    scale, seen = time_scale(result.follow_up_days), _allocated_arm(result, number)
    notes = [
        f"Patient {number} in every arm, with the same random numbers: {_who(result, number)}.",
        "Lines: truth; dotted from the event on, as if it had not come. "
        + (f"Dots: visits in {style.short(seen)}, the arm allocated." if seen in result.arms else "Dots: visits."),
        "X: death; diamond: permanent ventilation." + (" Marks below: doses." if dosed else ""),
    ]
    strip = 0.16 * len(dosed)
    with style.drawing():
        each = max(1.5, style.LINE * len(result.arms))
        figure = style.sheet("One patient, every arm", notes, 2.0 + 3 * each + strip)
        heights = [each] * len(SHOWN) + ([strip] if dosed else [])
        axes = figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
        style.place(figure, len(notes), left=1.35, right=1.35)
        figure.subplots_adjust(hspace=0.2)
        for panel, (name, label) in zip(axes, SHOWN, strict=False):
            panes = [Pane(panel, result, k, scale) for k in range(len(result.arms))]
            ends = [_outcome(pane, number, name) for pane in panes]
            _outcome_axis(panel, name, label)
            style.label_ends(panel, ends)
        if dosed:
            _doses(axes[-1], result, number, scale)
        scale.apply(axes[-1])
        for panel in axes:
            scale.label(panel, panel is axes[-1])
    return Picture(Kind.patient, figure, f"Patient {number}: function, breathing and NfL in {', '.join(result.arms)}")


def need_patient(result: Result, number: int) -> None:
    """Refuse a result without this patient, or without what is shown."""
    need_patients(result, Kind.patient)
    need_variables(result, Kind.patient, VARIABLES[Kind.patient])
    if not 0 <= number < result.n_patients:
        raise PictureError(f"{Kind.patient} has no patient {number}. Patients: 0 to {result.n_patients - 1}")


def _allocated_arm(result: Result, number: int) -> str:
    """The arm in which a trial sees the patient; empty: not in a trial."""
    allocated = result.groups["patients"].get("allocated_arm")
    return str(allocated.values[number]) if allocated else ""


def _who(result: Result, number: int) -> str:
    """A patient in words."""
    patients = result.groups["patients"]
    sex = patients["sex"].attrs["flag_meanings"].split()[int(patients["sex"].values[number])]
    months = float(patients["time_since_onset"].values[number])
    onset = "before onset" if np.isnan(months) else f"{months:.0f} months since onset"
    stratum = f", {patients['stratum'].values[number]}" if result.strata else ""
    age = float(patients["age"].values[number])
    return f"{sex}, {age:.0f} years, {patients['variant'].values[number]}{stratum}, {onset}"


def _outcome(pane: Pane, number: int, name: str) -> style.Label:
    """One outcome in one arm; hands back the text at its end."""
    result, line, events = pane.result, pane.line, pane.result.groups["events"]
    values = result.groups["truth"][name].values[pane.arm, number].astype(np.float64)
    end, kind = (events[key].values[pane.arm, number] for key in ("event_free_time", "event"))
    there = np.interp(end, result.time, values)
    at = int(np.searchsorted(result.time, end))
    days, course = np.insert(result.time, at, end), np.insert(values, at, there)
    lived, after = days <= end, days >= end
    pane.axes.plot(
        pane.scale.of(days[lived]), course[lived], color=line.colour, ls=line.dash, zorder=line.order, lw=1.8
    )
    if kind:
        pane.axes.plot(pane.scale.of(days[after]), course[after], color=line.colour, lw=0.9, ls=":")
        pane.axes.plot(pane.scale.of(end), there, MARKS[int(kind)], color=line.colour, ms=8, mec=style.PAPER.light)
    if _allocated_arm(result, number) in ("", pane.name):
        _visits(pane, number, name)
    return style.Label(float(values[-1]), pane.short, line.colour)


def _outcome_axis(axes: Axes, name: str, label: str) -> None:
    axes.set_ylabel(label)
    if name == "nfl_plasma":
        plain_logarithm(axes, "y")
    elif name == "alsfrs_r":
        axes.set_ylim(0, 48)
        axes.set_yticks(range(0, 49, 12))


def _visits(pane: Pane, number: int, name: str) -> None:
    """What was measured."""
    observed = pane.result.groups["observed"]
    if name in observed:
        day, value = (observed[key].values[pane.arm, number] for key in ("day", name))
        pane.axes.plot(pane.scale.of(day), value, "o", ms=3, mfc="none", mec=pane.line.colour, mew=0.8)


def _doses(axes: Axes, result: Result, number: int, scale: TimeScale) -> None:
    """A row for each arm with doses, a tick for each dose."""
    doses, drawn = result.groups["doses"], style.lines(result.arms, result.control)
    arms = dosed_arms(result, number)
    for row, arm in enumerate(arms):
        mine = (doses["arm"].values == result.arm_index(arm)) & (doses["patient"].values == number)
        days = scale.of(doses["day"].values[mine])
        axes.vlines(days, row - 0.36, row + 0.36, color=drawn[arm].colour, lw=1.1)
    style.rows(axes, arms, drawn)
