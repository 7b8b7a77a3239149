"""The flow of people from candidates to the end of follow-up, as boxes (after CONSORT 2010)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.needs import need_patients
from simulator.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.17  # inches of a line of text
REASONS = 5


def reasons(result: Result) -> list[tuple[str, int]]:
    """Why candidates were not eligible, the most frequent first."""
    found: dict[str, int] = {}
    for _, rule, count in result.screening.get("rejected", []):
        found[rule] = found.get(rule, 0) + int(count)
    return sorted(found.items(), key=lambda pair: -pair[1])


def ends(result: Result, arm: int) -> list[str]:
    """What became of the people of an arm."""
    events = result.groups["events"]
    event, left = events["event"].values[arm], np.isfinite(events["dropout_time"].values[arm])
    counts = [int((event == code).sum()) for code in (1, 2, 0)]
    return [
        f"{counts[0]:,} died unventilated",
        f"{counts[1]:,} permanent ventilation",
        f"{counts[2]:,} free of both",
        f"{int(left.sum()):,} would leave a trial",
    ]


def draw(result: Result) -> Picture:
    """The picture; two arms side by side on a narrow page, up to four on a wide one."""
    need_patients(result, Kind.flow)
    tried = int(result.screening.get("candidates", result.n_patients))
    why = [f"{count:,}: {rule}" for rule, count in reasons(result)[:REASONS]]
    across = min(len(result.arms), 2 if style.is_narrow() else 3)
    down = -(-len(result.arms) // across)
    top, arm = 0.34, 0.34 + ROW * 4
    side = 0.34 + ROW * max(len(why), 1)
    notes = [f"The same people are simulated in every arm, for {result.follow_up_days:,.0f} days."]
    tall = top + side + top + 0.6 + down * (arm + 0.25)
    with style.drawing():
        figure = style.sheet("From candidates to the end", notes, 0.75 + tall)
        axes = figure.subplots()
        style.place(figure, len(notes), left=0.12, right=0.12, bottom=0.1)
        width, height = style.inches(axes)
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        half = width / 2
        _box(axes, (0, 0, half - 0.1, top), [f"{tried:,} candidates"])
        beside = [f"{tried - result.n_patients:,} not eligible", *why]
        _box(
            axes,
            (half + 0.1, top + 0.1, half - 0.1, side),
            beside if tried > result.n_patients else ["nobody left out"],
        )
        below = top + side + 0.2
        _box(axes, (0, below, half - 0.1, top), [f"{result.n_patients:,} simulated"])
        axes.vlines(half / 2, top, below, color=style.SOFT.light, lw=0.9)
        axes.hlines(top + 0.1 + side / 2, half / 2, half + 0.1, color=style.SOFT.light, lw=0.9)
        drawn = style.lines(result.arms, result.control)
        wide = width / across
        for k, name in enumerate(result.arms):
            x, y = wide * (k % across), below + top + 0.2 + (k // across) * (arm + 0.25)
            title = style.short(name, int(wide / 0.09))
            _box(axes, (x, y, wide - 0.12, arm), [title, *ends(result, k)], drawn[name].colour)
        axes.vlines(half / 2, below + top, below + top + 0.2, color=style.SOFT.light, lw=0.9)
    return Picture(
        Kind.flow, figure, f"{tried:,} candidates, {result.n_patients:,} simulated, what became of them by arm"
    )


def _box(axes: Axes, where: tuple[float, float, float, float], lines: list[str], colour: str = style.INK.light) -> None:
    """A box with its lines of text; the first is its head."""
    from matplotlib.patches import Rectangle

    x, y, width, height = where
    axes.add_patch(Rectangle((x, y), width, height, fill=False, ec=style.SOFT.light, lw=0.9))
    for k, text in enumerate(lines):
        weight = "normal" if k else "bold"
        room = int((width - 0.1) / (0.075 if k else 0.085))
        at: dict[str, Any] = {
            "va": "center",
            "color": colour if not k else style.INK.light,
            "fontweight": weight,
            "fontsize": 8,
        }
        axes.text(x + 0.07, y + ROW * (k + 1), style.short(text, max(room, 17)), **at)
