"""Sobol' indices as bars: first order, and total order behind it, with 95 % intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.report import style
from simulator.report.kinds import SensitivityKind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.tornado import LEFT, TITLE, name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.studies.sensitivity.document import Sensitivity
    from simulator.studies.sensitivity.methods import Influence

MOST = 20
ROW = 0.3  # inches
FIRST, TOTAL = style.SERIES[0].light, style.SERIES[4].light


def draw(found: Sensitivity) -> Picture:
    """The picture.

    Raises
    ------
    PictureError
        The analysis has no Sobol' indices.
    """
    if found.method != "sobol":
        raise PictureError(f"{SensitivityKind.sobol}: this analysis is {found.method}; run it with --method sobol")
    rows: list[Influence] = found.rows[:MOST]
    notes = [*_notes(found, len(found.rows) - len(rows)), ""]
    with style.drawing():
        height = 1.55 + 0.17 * len(notes) + (ROW + 0.03 * style.is_narrow()) * max(len(rows), 2)
        figure = style.sheet(f"Whose uncertainty matters: {style.short(found.title, TITLE)}", notes, height)
        axes = figure.subplots()
        style.place(figure, len(notes), left=LEFT, right=0.3)
        _bars(axes, rows)
        words = [("first order: alone", FIRST), ("total order: with its interactions", TOTAL)]
        style.key(figure, words, line=len(notes) - 1)
    return Picture(
        SensitivityKind.sobol, figure, f"Sobol' indices of {found.label}: {', '.join(r.name for r in rows[:5])}"
    )


def _notes(found: Sensitivity, left: int) -> list[str]:
    figures = found.figures
    rest = f" {left} with smaller total order are left out." if left else ""
    noise = "one replicate: noise counts as influence"
    if found.replicates > 1:
        noise = f"noise, {100 * figures['noise_share']:.0f} % of the variance of one run, is taken out"
    return [
        f"{found.label}, {found.unit}.",
        f"Shares of the variance over independent priors (SD {figures['sd']:.{found.digits}f}); {noise}.",
        f"{found.points:,} points × {found.replicates} replicates × {found.patients:,} patients; 95 % intervals.{rest}",
        *([found.warning] if found.warning else []),
    ]


def _bars(axes: Axes, rows: list[Influence]) -> None:
    """Two bars for each value."""
    for shift, key, colour in ((-0.19, "first", FIRST), (0.19, "total", TOTAL)):
        for k, row in enumerate(rows):
            value, low, high = (getattr(row, name) for name in (key, f"{key}_lower", f"{key}_upper"))
            axes.barh(k + shift, max(value, 0), height=0.34, color=colour, lw=0)
            axes.plot([low, high], [k + shift] * 2, color=style.INK.light, lw=0.9)
    axes.axvline(0, color=style.SOFT.light, lw=0.8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [name(row) for row in rows])
    axes.tick_params(length=0, axis="y")
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Share of the variance")
