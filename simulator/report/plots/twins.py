"""The pictures of twins of a cohort: `found.plot.vpc()`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.report import style
from simulator.report.kinds import TwinsKind
from simulator.report.picture import Picture, PictureError
from simulator.report.scale import percent_axis, time_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.studies.twins.calibration import Calibration
    from simulator.studies.twins.predictive import Predictive
    from simulator.studies.twins.result import Twins

MOST_STRATA = 4
DODGE = 0.012  # of the axis: intervals of methods stand so far apart


class TwinsPlots:
    """The pictures of one cohort and its twins. Each method draws one; `save` writes it, a notebook shows it.

    Raises
    ------
    PictureError
        Nothing was measured of the participants after the day until which was matched.
    """

    def __init__(self, twins: Twins) -> None:
        self._twins = twins

    def vpc(self, corrected: bool = False, by: str = "arm") -> Picture:
        """Visual predictive check: observed quantiles over those of simulated cohorts, and Kaplan–Meier.

        `corrected` draws values corrected by what is expected of each participant; `by` is `arm` or `all`.
        """
        return vpc(self._twins, corrected, by)

    def calibration(self) -> Picture:
        """PIT histogram of the twins, and CRPS beside that of simple rivals."""
        return calibration(self._twins)

    def draw(self, kind: TwinsKind | str, **options: Any) -> Picture:
        """A picture by its name; an option that this picture has not is refused."""
        from simulator.report.plots.needs import need_kind, need_options

        need_kind(kind, TwinsKind, "twins")
        method = getattr(self, TwinsKind(kind))
        need_options(kind, options, method)
        picture: Picture = method(**options)
        return picture

    @property
    def kinds(self) -> tuple[TwinsKind, ...]:
        """The pictures that these twins can be drawn as."""
        return tuple(TwinsKind) if self._twins.followed else ()


def _need_followed(found: Twins) -> None:
    if not len(found.matched):
        raise PictureError("nobody has twins, so there is nothing to draw. als-sim show says why")
    if not found.followed:
        raise PictureError(f"nothing was measured after day {found.until}, so there is nothing to compare with")


def vpc(found: Twins, corrected: bool, by: str) -> Picture:
    """A column a stratum: the outcome above, survival below."""
    from simulator.studies.twins.predictive import predictive

    _need_followed(found)
    people = [found.participants[k] for k in found.matched.tolist()]
    arms = sorted({one.arm for one in people})[:MOST_STRATA] if by == "arm" else []
    strata: Sequence[list[str] | None] = [[arm] for arm in arms] if len(arms) > 1 else [None]
    each = [predictive(found, stratum, corrected=corrected) for stratum in strata]
    notes = [
        "Lines: 10, 50 and 90 % of what was measured, and Kaplan–Meier. Bands: where 95 % of simulated cohorts have "
        "them, of one twin of each participant, with missed visits and dropout of the data, and deaths of the twins."
        + (" Corrected by what is expected of each participant." if corrected else ""),
    ]
    with style.drawing():
        figure = style.sheet("Visual predictive check", notes, 6.3)
        axes = figure.subplots(2, len(each), squeeze=False, sharey="row")
        style.place(figure, len(notes), left=0.75)
        figure.subplots_adjust(wspace=0.12, hspace=0.32)
        for column, check in zip(axes.T, each, strict=True):
            _outcome(column[0], found, check)
            _survival(column[1], found, check)
        axes[0][0].set_ylabel("ALSFRS-R, points" if found.outcome == "alsfrs_r" else found.outcome)
        axes[1][0].set_ylabel(
            "Event-free" if found.endpoint == "event_free" else f"Free of {found.endpoint or 'the event'}"
        )
    text = f"Observed quantiles over simulated intervals, {', '.join(check.name for check in each)}"
    return Picture(TwinsKind.vpc, figure, text)


def _outcome(axes: Axes, found: Twins, check: Predictive) -> None:
    scale = time_scale(float(found.days[-1]))
    x = scale.of(check.days)
    for k, colour in enumerate((style.SERIES[1], style.SERIES[0], style.SERIES[1])):
        if len(x) > 1:
            axes.fill_between(x, check.low[k], check.high[k], color=colour.light, alpha=0.2, lw=0)
        else:
            axes.vlines(x, check.low[k], check.high[k], color=colour.light, alpha=0.3, lw=6)
        axes.plot(x, check.observed[k], "o-", color=colour.light, lw=1.4, ms=3)
    axes.set_title(f"{style.short(check.name, 30)}, n = {check.n:,}", loc="left", fontsize=9.5, fontweight="bold")
    scale.apply(axes)
    scale.label(axes)


def _survival(axes: Axes, found: Twins, check: Predictive) -> None:
    scale = time_scale(float(check.time[-1]) if len(check.time) else float(found.days[-1]))
    if len(check.time):
        x = scale.of(check.time)
        axes.fill_between(x, check.free_low, check.free_high, color=style.SERIES[0].light, alpha=0.2, lw=0)
        axes.step(x, check.free, where="post", color=style.INK.light, lw=1.4)
    else:
        axes.text(0.5, 0.5, "the data have no events", transform=axes.transAxes, ha="center")
    scale.apply(axes)
    scale.label(axes)
    percent_axis(axes)


def calibration(found: Twins) -> Picture:
    """PIT of the twins, and CRPS by method and day; below each other on a narrow page."""
    from simulator.studies.twins.calibration import METHODS
    from simulator.studies.twins.calibration import calibration as compared

    _need_followed(found)
    told = compared(found)
    words = "; ".join(f"{name}: {text}" for name, text in METHODS.items() if name != "twins")
    where = ("Above", "Below") if style.is_narrow() else ("Left", "Right")
    notes = [
        f"{where[0]}: where {told.row('twins').crps.n:,} measured values fall in the twins' distributions; flat "
        "where the twins are right.",
        "Grey: 95 % of such shares, were the values independent.",
        f"{where[1]}: error of forecasts (CRPS, less is better) with 95 % intervals. {words[0].upper()}{words[1:]}.",
    ]
    narrow = style.is_narrow()
    with style.drawing():
        figure = style.sheet("Were the twins right?", notes, (6.6 if narrow else 3.9) + 0.17 * (len(notes) - 2))
        left, right = figure.subplots(*((2, 1) if narrow else (1, 2)))
        style.place(figure, len(notes) + narrow, left=0.75, right=0.8)
        figure.subplots_adjust(wspace=0.28, hspace=0.35)
        _pit(left, told)
        _crps(right, told, found)
    return Picture(TwinsKind.calibration, figure, "PIT histogram, and CRPS of the twins beside simple rivals")


def _pit(axes: Axes, told: Calibration) -> None:
    """Shares of measured values by where they fall, and what chance does to ten equal ones."""
    shares, n = np.array(told.pit), max(told.row("twins").crps.n, 1)
    reach = 1.96 * np.sqrt(0.1 * 0.9 / n)
    axes.axhspan(max(0.1 - reach, 0), 0.1 + reach, color=style.GRID.light, lw=0)
    axes.bar(np.arange(len(shares)) / 10 + 0.05, shares, 0.09, color=style.SERIES[0].light)
    axes.axhline(0.1, color=style.INK.light, lw=0.9, ls=":")
    top = max(0.2, 1.1 * float(shares.max()))
    ticks = [tick for tick in (0, 0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.8, 1) if tick <= top]
    axes.set_ylim(0, top)
    axes.set_yticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks])
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.set_xlabel("Percentile among the twins")
    axes.set_ylabel("Share of values")


def _crps(axes: Axes, told: Calibration, found: Twins) -> None:
    """A line for each method; intervals of a day stand beside each other."""
    from simulator.studies.twins.calibration import METHODS

    scale, ends = time_scale(float(found.days[-1])), []
    for k, (name, line) in enumerate(style.lines(list(METHODS), "last").items()):
        rows = [row for row in told.rows if row.method == name and row.day == row.day and row.crps.n]
        if rows:
            x = scale.of([row.day for row in rows]) + DODGE * scale.end * (k - 2)
            y, error = (np.array([getattr(row.crps, key) for row in rows]) for key in ("value", "error"))
            how: dict[str, Any] = {"color": line.colour, "ls": line.dash, "marker": "o", "ms": 3}
            axes.errorbar(x, y, 1.96 * np.nan_to_num(error), lw=1.4, elinewidth=0.8, **how)
            ends.append(style.Label(float(y[-1]), name, line.colour))
    scale.apply(axes)
    scale.label(axes)
    axes.set_xlim(0, scale.end * (1 + 3 * DODGE))
    axes.set_ylim(0, None)
    axes.set_ylabel("CRPS, points" if found.outcome == "alsfrs_r" else f"CRPS of {found.outcome}")
    style.label_ends(axes, ends)
