"""The pictures of a decision: `found.plot.plane()`; all read its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.report import style
from simulator.report.kinds import DecisionKind
from simulator.report.names import called
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.needs import need_kind, need_options
from simulator.report.plots.tornado import HIGH, LOW
from simulator.report.scale import percent_axis
from simulator.studies.decide.tables import Table
from simulator.units import minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.studies.decide.result import Decided

MOST = 15
"""Bars of one-way differences."""
LEFT, SIDE = 2.75, 1.3  # inches: names left of the bars, names of options right of the axes


class DecisionPlots:
    """The pictures of one decision.

    Raises
    ------
    PictureError
        The decision has no such picture.
    """

    def __init__(self, found: Decided) -> None:
        self._found = found

    def plane(self) -> Picture:
        """Extra costs over extra QALYs at each draw, with the line of the threshold."""
        table, threshold = self._found.tables["plane"], self._found.threshold
        names = self._found.options[1:]
        line = (
            f"Dashed: the threshold of {threshold:,.0f} {self._found.currency} a QALY; below it an option is worth it."
        )
        notes = [f"{table.caption}. {_drawn(self._found)}", f"{line} Ringed: means over the draws."]
        with style.drawing():
            figure = style.sheet("Cost-effectiveness plane", notes, 4.6)
            axes = figure.subplots()
            style.place(figure, len(notes), left=0.85, right=SIDE)
            ends = []
            for k, name in enumerate(names):
                effect, cost = np.array([[row[2 * k + 1], row[2 * k + 2]] for row in table.rows], float).T
                colour = _colour(k + 1)  # as in the curves, where the first option has one too
                axes.scatter(effect, cost, s=8, color=colour, alpha=0.45, lw=0)
                axes.plot(effect.mean(), cost.mean(), "o", ms=6, color=colour, mec=style.INK.light, mew=0.8)
                ends.append((f"● {name}", colour))
            axes.update_datalim([(0, 0)])  # the quadrants, and the line of the threshold
            axes.autoscale_view()
            reach = np.array(axes.get_xlim())
            axes.autoscale(False)
            axes.plot(reach, threshold * reach, color=style.SOFT.light, lw=1.0, ls="--")
            axes.axhline(0, color=style.INK.light, lw=0.8)
            axes.axvline(0, color=style.INK.light, lw=0.8)
            unit = _money(axes, "y", self._found.currency)
            axes.set_xlabel("Extra QALYs a patient")
            axes.set_ylabel(f"Extra costs a patient, {unit}")
            for k, (text, colour) in enumerate(ends):
                axes.text(
                    1.02, 0.96 - 0.07 * k, style.fitted(text, SIDE - 0.15), color=colour, transform=axes.transAxes
                )
        return Picture(DecisionKind.plane, figure, f"{table.caption}: {', '.join(names)}")

    def acceptability(self) -> Picture:
        """The share of draws in which each option is the best, over thresholds, and the frontier."""
        table = self._found.tables["acceptability"]
        line = "Thick: the frontier, the option with the highest mean net benefit. Dotted: the decision's threshold."
        notes = [f"{table.caption}. {_drawn(self._found)}", line]
        with style.drawing():
            figure = style.sheet("Acceptability and frontier", notes, 4.0)
            axes = figure.subplots()
            style.place(figure, len(notes), left=0.75, right=SIDE)
            self._curves(axes, table)
            front = [(float(row[0] or 0), str(row[-2]), float(row[-1] or 0)) for row in table.rows]
            for k, name in enumerate(self._found.options):
                own = [share if best == name else np.nan for _, best, share in front]
                axes.plot([x for x, *_ in front], own, color=_colour(k), lw=4.5, alpha=0.35, solid_capstyle="butt")
            percent_axis(axes)
            axes.set_ylabel("Share of draws")
        return Picture(DecisionKind.acceptability, figure, f"{table.caption}: {', '.join(self._found.options)}")

    def loss(self) -> Picture:
        """What choosing each option loses on average, over thresholds; the least is the EVPI."""
        table = self._found.tables["loss"]
        notes = [f"{table.caption}. {_drawn(self._found)}",
                 "The lowest curve at a threshold is the EVPI: what perfect information is worth."]  # fmt: skip
        with style.drawing():
            figure = style.sheet("Expected loss", notes, 4.0)
            axes = figure.subplots()
            style.place(figure, len(notes), left=0.85, right=SIDE)
            self._curves(axes, table)
            axes.set_ylim(0, None)
            unit = _money(axes, "y", self._found.currency)
            axes.set_ylabel(f"Expected loss a patient, {unit}")
        return Picture(DecisionKind.loss, figure, f"{table.caption}: {', '.join(self._found.options)}")

    def oneway(self) -> Picture:
        """A tornado on extra net benefit: each value at the 5th and the 95th percentile of its prior."""
        if not self._has_oneway:
            raise PictureError("oneway: nothing in this decision has a prior of its own, or another version wrote it")
        table = self._found.tables["oneway"]
        rows = [row for row in table.rows if row[7]][:MOST]
        base = float(table.rows[0][4] or 0)
        line = f"Line: all as the scenario has them, {_signed(base)} {self._found.currency}, in the draws' people."
        left = len(table.rows) - len(rows)
        notes = [
            f"{table.caption}.",
            line + (f" {left} with less, or no, difference are left out." if left else ""),
            "",
        ]
        with style.drawing():
            figure = style.sheet(
                "What moves the net benefit", notes, 1.6 + (0.24 + 0.08 * style.is_narrow()) * max(len(rows), 2)
            )
            axes = figure.subplots()
            style.place(figure, len(notes), left=LEFT, right=0.4)
            for k, row in enumerate(rows):
                ends = [(float(row[5] or 0), LOW), (float(row[6] or 0), HIGH)]
                for value, colour in sorted(ends, key=lambda end: -abs(end[0] - base)):
                    axes.barh(k, value - base, left=base, height=0.62, color=colour, lw=0)
            axes.axvline(base, color=style.INK.light, lw=1.0)
            names = [called(str(row[0])) for row in rows]
            axes.set_yticks(range(len(rows)), [style.beside(name, LEFT) for name in names])
            axes.set_ylim(len(rows) - 0.4, -0.6)
            axes.tick_params(length=0, axis="y")
            axes.grid(visible=False, axis="y")
            axes.spines["left"].set_visible(False)
            unit = _money(axes, "x", self._found.currency)
            axes.set_xlabel(f"Extra net benefit a patient, {unit}")
            style.key(figure, [("at the 5th percentile", LOW), ("at the 95th percentile", HIGH)], line=len(notes) - 1)
        return Picture(DecisionKind.oneway, figure, f"{table.caption}: {', '.join(names[:5])}")

    def _curves(self, axes: Axes, table: Table) -> None:
        """A line for each option over thresholds, named at its end."""
        x = [float(row[0] or 0) for row in table.rows]
        ends = []
        for k, name in enumerate(self._found.options):
            y = [float(row[k + 1] or 0) for row in table.rows]
            axes.plot(x, y, color=_colour(k), ls=style.DASHES[k % 4], lw=1.8)
            ends.append(style.Label(y[-1], style.fitted(name, SIDE - 0.1), _colour(k)))
        axes.axvline(self._found.threshold, color=style.SOFT.light, lw=0.9, ls=":")
        axes.set_xlim(min(x), max(x))
        unit = _money(axes, "x", self._found.currency)
        axes.set_xlabel(f"Threshold, {unit} a QALY")
        style.label_ends(axes, ends)

    def draw(self, kind: DecisionKind | str, **options: Any) -> Picture:
        """A picture by its name; these have no options."""
        need_kind(kind, DecisionKind, "a decision")
        method = getattr(self, DecisionKind(kind))
        need_options(kind, options, method)
        picture: Picture = method()
        return picture

    @property
    def kinds(self) -> tuple[DecisionKind, ...]:
        """The pictures that this decision can be drawn as."""
        return tuple(kind for kind in DecisionKind if kind is not DecisionKind.oneway or self._has_oneway)

    @property
    def _has_oneway(self) -> bool:
        """Whether there is such a table, with what all are as the scenario has them."""
        return "oneway" in self._found.tables and "at own" in [one.name for one in self._found.tables["oneway"].columns]


def _colour(k: int) -> str:
    return style.SERIES[k % len(style.SERIES)].light


def _drawn(found: Decided) -> str:
    return f"{len(found.tables['plane'].rows):,} draws."


def _signed(value: float) -> str:
    return minus(f"{value:,.0f}")


def _money(axes: Axes, which: str, currency: str) -> str:
    """Few ticks with separators, in thousands or millions where that makes them short; the unit that is left."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = getattr(axes, f"{which}axis")
    most = max(map(abs, axis.get_view_interval()))
    by, word = (1e6, "millions of ") if most >= 2e6 else (1e3, "thousands of ") if most >= 2e4 else (1.0, "")
    axis.set_major_locator(MaxNLocator(4 if style.is_narrow() else 6))
    axis.set_major_formatter(FuncFormatter(lambda x, _: minus(f"{x / by:,.10g}")))
    return f"{word}{currency}"
