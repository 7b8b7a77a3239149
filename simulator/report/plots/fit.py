"""The picture of a fit: where each value came from and where it went. `found.plot.estimates()` draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.report import style
from simulator.report.kinds import FitKind
from simulator.report.names import called
from simulator.report.picture import Picture
from simulator.report.scale import plain_logarithm
from simulator.units import minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.studies.fit.result import Estimate, Fit

ROW, LEFT, RIGHT, SMALL = 0.26, 2.75, 1.75, 8.0
VAGUE = 0.9
"""SD over the prior's from which on the data say nothing of a value."""
WIDEST = 6.0
"""Intervals that reach further, as a multiple either way, are cut."""


class FitPlots:
    """The pictures of one fit. Each method draws one; `save` writes it, a notebook shows it."""

    def __init__(self, fit: Fit) -> None:
        self._fit = fit

    def estimates(self) -> Picture:
        """How far each fitted value moved from the scenario's, with its 95 % interval."""
        return estimates(self._fit)

    def draw(self, kind: FitKind | str, **options: Any) -> Picture:
        """A picture by its name; an option that this picture has not is refused."""
        from simulator.report.plots.needs import need_kind, need_options

        need_kind(kind, FitKind, "fit")
        method = getattr(self, FitKind(kind))
        need_options(kind, options, method)
        picture: Picture = method(**options)
        return picture

    @property
    def kinds(self) -> tuple[FitKind, ...]:
        """The pictures that this fit can be drawn as."""
        return tuple(FitKind)


def estimates(found: Fit) -> Picture:
    """The picture: a row for each value, as a multiple of the scenario's."""
    rows = [one for one in found.parameters if np.isfinite(one.start)]
    before = f"{_number(found.before.value)}, fitted " if found.is_simulated else ""
    notes = [
        f"{found.title}. Log-likelihood {before}{_number(found.log_likelihood.value)}.",
        "Dots: the fitted value over the scenario's, with 95 % intervals. Right: the scenario's value, the fitted one.",
        f"Hollow: the data leave the prior as it was (SD above {VAGUE:.0%} of the prior's)."
        if any(map(_vague, rows))
        else "",
    ]
    notes = [note for note in notes if note]
    with style.drawing():
        row = ROW + 0.08 * style.is_narrow()
        figure = style.sheet("Fitted values", notes, 1.55 + 0.17 * len(notes) + row * len(rows))
        axes = figure.subplots()
        style.place(figure, len(notes) + 1, left=LEFT, right=RIGHT)
        _rows(axes, rows)
    return Picture(FitKind.estimates, figure, f"Fitted values: {', '.join(one.address for one in rows[:4])}")


def _rows(axes: Axes, rows: list[Estimate]) -> None:
    """Multiples on a logarithmic axis; a value without one, not being above 0, has numbers only."""
    small: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": SMALL, "va": "center"}
    for k, one in enumerate(rows):
        if one.start > 0 and one.estimate > 0:
            low, high = (one.lower, one.upper) if np.isfinite(one.se) else (one.estimate, one.estimate)
            ends = np.clip([low / one.start, high / one.start], 1 / WIDEST, WIDEST)
            axes.plot(ends, [k, k], color=style.SERIES[0].light, lw=1.4)
            face = style.PAPER.light if _vague(one) else style.SERIES[0].light
            axes.plot([one.estimate / one.start], [k], "o", ms=4.5, color=style.SERIES[0].light, mfc=face)
        unit = f" {one.unit}" if one.unit and not style.is_narrow() else ""
        axes.text(1.03, k, f"{one.start:.3g} → {one.estimate:.3g}{unit}", **small)
    axes.axvline(1, color=style.INK.light, lw=0.9)
    low, high = axes.get_xlim()
    plain_logarithm(axes, "x", (min(low, 0.8), max(high, 1.25)))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [style.beside(called(one.address), LEFT) for one in rows])
    axes.tick_params(length=0, axis="y")
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Fitted over the scenario's value")


def _vague(one: Estimate) -> bool:
    return one.left > VAGUE


def _number(value: float) -> str:
    return minus(f"{value:,.1f}")
