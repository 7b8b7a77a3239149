"""A tornado: the outcome when each value moves between two percentiles of its prior, the others as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.report import style
from simulator.report.kinds import SensitivityKind
from simulator.report.names import called
from simulator.report.picture import Picture, PictureError
from simulator.units import minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.studies.sensitivity.document import Sensitivity
    from simulator.studies.sensitivity.methods import Influence, Range

MOST = 20
ROW = 0.27  # inches
TITLE = 46  # letters of the scenario's title
LOW, HIGH = style.SERIES[0].light, style.SERIES[1].light
LEFT = 2.35  # inches left of the bars


def draw(found: Sensitivity) -> Picture:
    """The picture; values that change nothing are named below it in a note.

    Raises
    ------
    PictureError
        The analysis is not one-way.
    """
    if found.method != "oneway":
        raise PictureError(f"{SensitivityKind.tornado}: this analysis is {found.method}; run it with --method oneway")
    moving = [row for row in found.rows if row.swing != 0]
    rows = moving[:MOST]
    notes = [*_notes(found, len(found.rows) - len(rows), len(moving) - len(rows)), ""]
    with style.drawing():
        height = 1.55 + 0.17 * len(notes) + (ROW + 0.06 * style.is_narrow()) * max(len(rows), 2)
        figure = style.sheet(f"What moves the outcome: {style.short(found.title, TITLE)}", notes, height)
        axes = figure.subplots()
        style.place(figure, len(notes), left=LEFT, right=1.5)
        _bars(axes, rows, found.figures["base"])
        _numbers(axes, rows, found.digits)
        axes.set_xlabel(f"{found.unit}")
        style.key(figure, [("at the 5th percentile", LOW), ("at the 95th percentile", HIGH)], line=len(notes) - 1)
    return Picture(SensitivityKind.tornado, figure, f"Tornado of {found.label}: {', '.join(r.name for r in rows[:5])}")


def _notes(found: Sensitivity, left: int, small: int) -> list[str]:
    """What must be known to read it."""
    people = f"{found.patients:,} patients × {found.replicates} replicates a point, the same people in every point"
    if found.random_numbers != "common":
        people = f"{found.patients:,} patients × {found.replicates} replicates a point, other people in every point"
    none = left - small
    more = [f"{none} values change nothing"] if none else []
    more += [f"{small} smaller bars are left out"] if small else []
    rest = f" {' and '.join(more)}." if more else ""
    return [
        f"{found.label}, {found.unit}.",
        f"Each value at the 5th and 95th percentile of its prior; line: all as the scenario has them.{rest}",
        "Right: what the outcome changes from the 5th to the 95th ± Monte Carlo standard error, and the two values.",
        f"{people}.",
    ]


def _bars(axes: Axes, rows: list[Range], base: float) -> None:
    """From the outcome as it is to that at each end."""
    for k, row in enumerate(rows):
        ends = sorted(((row.at_low, LOW), (row.at_high, HIGH)), key=lambda end: -abs(end[0] - base))
        for value, colour in ends:  # the shorter one on top: both may lie on one side
            axes.barh(k, value - base, left=base, height=0.62, color=colour, lw=0)
    axes.axvline(base, color=style.INK.light, lw=1.0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [name(row) for row in rows])
    axes.tick_params(length=0, axis="y")
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    low, high = axes.get_xlim()
    axes.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))


def _numbers(axes: Axes, rows: list[Range], digits: int) -> None:
    """The range of each value and the difference it makes, right of the bars."""
    large, small = (8.0, 7.6) if style.is_narrow() else (7.6, 7.0)
    above: dict[str, Any] = {"xy": (1.02, 1), "xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate("difference", xytext=(0, 11), fontsize=large, **above)
    axes.annotate(
        "5th to 95th" if style.is_narrow() else "5th to 95th percentile",
        xytext=(0, 2),
        fontsize=small,
        color=style.SOFT.light,
        **above,
    )
    for k, row in enumerate(rows):
        ends = f"{row.low:.3g} to {row.high:.3g} {row.unit}".rstrip()
        error = "" if np.isnan(row.mcse) else f" ± {row.mcse:.{digits}f}"
        place = axes.get_yaxis_transform()
        axes.text(1.02, k - 0.18, f"{_signed(row.swing, digits)}{error}", transform=place, va="center", fontsize=large)
        axes.text(1.02, k + 0.24, ends, transform=place, va="center", fontsize=small, color=style.SOFT.light)


def _signed(value: float, digits: int) -> str:
    """A number with its sign; none where it rounds to 0."""
    text = minus(f"{value:+.{digits}f}")
    return text if text.strip("+−0.") else text[1:]


def name(row: Range | Influence) -> str:
    """What stands left of the bars: the label of a value, else its name in words."""
    return style.beside(row.label or called(row.name), LEFT)
