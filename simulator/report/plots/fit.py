"""The picture of a fit: where each value came from and where it went. `found.plot.estimates()` draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.intervals import Z_95
from simulator.report import style
from simulator.report.kinds import FitKind
from simulator.report.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.studies.fit.result import Estimate, Fit

ROW, LEFT, NAME = 0.3, 2.6, 34


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
    """The picture: a row for each value, on the scale of the fit."""
    rows = [one for one in found.parameters if np.isfinite(one.start)]
    before = f"{found.before.value:.1f}, fitted " if found.is_simulated else ""
    notes = [
        f"{found.attrs['data']}: log-likelihood {before}{found.log_likelihood.value:.1f}.",
        "Distance from the scenario's value on the scale of the fit (.1 on a log scale is about 10 %), 95 % intervals.",
    ]
    with style.drawing():
        figure = style.sheet(f"What the data say: {style.short(found.title, 46)}", notes, 1.6 + 0.34 + ROW * len(rows))
        axes = figure.subplots()
        style.place(figure, len(notes), left=LEFT, right=1.6)
        _rows(axes, rows)
    return Picture(FitKind.estimates, figure, f"Fitted values: {', '.join(one.address for one in rows[:4])}")


def _rows(axes: Axes, rows: list[Estimate]) -> None:
    from simulator.studies.fit.parameters import TURN

    for k, one in enumerate(rows):
        away = float(TURN[one.scale](one.estimate) - TURN[one.scale](one.start))
        spread = Z_95 * one.se if np.isfinite(one.se) else 0.0
        axes.plot([away - spread, away + spread], [k, k], color=style.SERIES[0].light, lw=1.4)
        axes.plot([away], [k], "o", ms=4, color=style.SERIES[0].light)
        words = f"{one.start:.3g} to {one.estimate:.3g} {one.unit}".rstrip()
        axes.text(1.02, k, words, transform=axes.get_yaxis_transform(), va="center", fontsize=6.6)
    axes.axvline(0, color=style.INK.light, lw=0.9)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [_short(one.address) for one in rows])
    axes.tick_params(length=0, axis="y")
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("moved by")


def _short(address: str) -> str:
    return address if len(address) <= NAME else f"…{address[1 - NAME :]}"
