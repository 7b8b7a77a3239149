"""Single courses: a lane for each patient, from baseline to what ends it, with what happens on the way."""

from __future__ import annotations

import numpy as np

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.grid import head, label_time, sheet
from simulator.report.plots.needs import need_patients
from simulator.report.plots.panel import Pane
from simulator.results import Result

MARKS = (
    ("death_time", "x", "death"),
    ("event_free_time", "D", "permanent ventilation"),
    ("niv_time", "^", "non-invasive ventilation"),
    ("gastrostomy_time", "s", "gastrostomy"),
    ("dropout_time", "|", "leaves the trial"),
)


def draw(result: Result, patients: int = 30) -> Picture:
    """The picture; the first patients of the run, in the order in which the control's courses end."""
    need_patients(result, Kind.swimmer)
    if not 1 <= patients <= 100:
        raise PictureError(f"{Kind.swimmer}: cannot draw {patients} patients; choose 1 to 100")
    n = min(patients, result.n_patients)
    events = {name: one.values[:, :n] for name, one in result.groups["events"].items() if one.values.ndim == 2}
    ends = np.where(events["death_time"] <= result.follow_up_days, events["death_time"], result.follow_up_days)
    control = result.arm_index(result.control)
    order = np.lexsort((events["event_free_time"][control], ends[control]))
    there = [mark for mark in MARKS if mark[0] in events and _when(events, mark[0]).size]
    notes = [
        f"The first {n} patients, the same in each arm, in the order of death in {style.short(result.control)}.",
        f"Marks: {', '.join(f'{_named(shape)} {words}' for _, shape, words in there)}. Faint: on ventilation for good.",
    ]
    with style.drawing():
        figure, panes = sheet("Courses of single patients", notes, result)
        for pane in panes:
            _lanes(pane, {name: one[pane.arm][order] for name, one in events.items()}, ends[pane.arm][order], there)
            head(pane, pane.line.colour)
        label_time(panes)
        panes[0].axes.set_ylim(n - 0.3, -0.7)
        panes[0].axes.set_yticks([])
        panes[0].axes.set_ylabel("Patients")
    return Picture(Kind.swimmer, figure, f"Courses of {n} patients in {', '.join(result.arms)}")


def _named(shape: str) -> str:
    return {"x": "cross", "D": "diamond", "^": "triangle", "s": "square", "|": "bar"}[shape]


def _when(events: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Days of an event that are known."""
    day = events[name].astype(np.float64)
    found: np.ndarray = day[(events["event"] == 2) if name == "event_free_time" else np.isfinite(day)]
    return found


def _lanes(pane: Pane, events: dict[str, np.ndarray], ends: np.ndarray, marks: list[tuple[str, str, str]]) -> None:
    """Lanes of one arm."""
    lane, colour, free = np.arange(len(ends)), pane.line.colour, events["event_free_time"].astype(np.float64)
    pane.axes.hlines(lane, 0, pane.scale.of(np.minimum(free, ends)), color=colour, lw=1.6)
    on = events["event"] == 2
    pane.axes.hlines(lane[on], pane.scale.of(free[on]), pane.scale.of(ends[on]), color=colour, lw=1.6, alpha=0.3)
    for name, shape, _ in marks:
        day = events[name].astype(np.float64)
        known = on if name == "event_free_time" else np.isfinite(day) & (day >= 0) & (day <= ends)
        size = {"|": 4.5, "x": 4.2}.get(shape, 3.2)
        pane.axes.plot(
            pane.scale.of(day[known]), lane[known], shape, color=style.INK.light, ms=size, mew=1.2, lw=0, clip_on=False
        )
    pane.axes.grid(visible=False, axis="y")
