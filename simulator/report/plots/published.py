"""Published curves of VALOR with the visits of the simulated trial over them; a row an outcome, a column a stratum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.catalog.facts import Point, points
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.needs import need_published, size
from simulator.report.plots.vectors import over, vectors
from simulator.report.scale import plain_logarithm
from simulator.results import Result
from simulator.units import DAYS_PER_WEEK

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Outcome(NamedTuple):
    """A published curve's endpoint: which observed variable it is made of, as a ratio to baseline or as a change."""

    endpoint: str
    variable: str
    ratio: bool
    label: str


OUTCOMES = (
    Outcome("alsfrs_r_change", "alsfrs_r", False, "ALSFRS-R,\nchange, points"),
    Outcome("nfl_plasma_ratio", "nfl_plasma", True, "Plasma NfL,\nratio to baseline"),
    Outcome("sod1_csf_ratio", "sod1_csf", True, "CSF SOD1,\nratio to baseline"),
)
FEWEST = 20
ASIDE = 0.5  # weeks: points of two arms are set apart


def comparable(result: Result) -> list[str]:
    """Strata of a result that published curves are about; arms are told by their names."""
    known = {point.stratum for point in points().values() if point.arm in result.arms}
    return [name for name in vectors(result)[0].strata if name in known]


def draw(result: Result) -> Picture:
    """The picture."""
    need_published(result, Kind.published)
    shown = [one for one in OUTCOMES if one.variable in result.groups["observed"]]
    strata = comparable(result)
    notes = [
        f"{size(result)}. Lines: means of what their visits measured"
        + (f", median over {result.draws} vectors; bands: 5th to 95th percentile." if result.draws else "."),
        "Dots: VALOR and its extension as published; 95 % intervals where printed. Ratios: geometric means.",
    ]
    with style.drawing():
        figure = style.sheet("Published and simulated, by stratum", notes, 1.35 + 1.75 * len(shown))
        panels = figure.subplots(len(shown), len(strata), sharex=True, sharey="row", squeeze=False)
        style.place(figure, len(notes) + 1, left=0.95, right=1.35)
        figure.subplots_adjust(hspace=0.14, wspace=0.08)
        for outcome, row in zip(shown, panels, strict=True):
            for stratum, axes in zip(strata, row, strict=True):
                ends = _panel(axes, result, outcome, stratum)
            row[0].set_ylabel(outcome.label)
            if outcome.ratio:
                plain_logarithm(row[0], "y")
            style.label_ends(row[-1], ends)
        for stratum, axes in zip(strata, panels[0], strict=True):
            axes.set_title(
                style.short(stratum, 12 if style.is_narrow() else 32), fontsize=9.5, fontweight="bold", loc="left"
            )
        for axes in panels[-1]:
            axes.set_xlabel("Weeks" if style.is_narrow() else "Weeks since baseline")
    return Picture(Kind.published, figure, "Published points of VALOR's curves with the simulated visits")


def _panel(axes: Axes, result: Result, outcome: Outcome, stratum: str) -> list[style.Label]:
    """One outcome in one stratum: every arm that has published points; returns what to write where its line ends."""
    drawn, ends = style.lines(result.arms, result.control), []
    arms = [arm for arm in result.arms if published(outcome, stratum, arm)]
    for k, arm in enumerate(arms):
        colour, known = drawn[arm].colour, published(outcome, stratum, arm)
        weeks, values, low, high = _simulated(result, outcome, stratum, arm, max(point.week for point in known))
        if result.draws:
            axes.fill_between(weeks, low, high, color=colour, alpha=0.18, lw=0)
        axes.plot(weeks, values, color=colour, ls=drawn[arm].dash, zorder=drawn[arm].order, lw=1.8)
        _dots(axes, known, (k - (len(arms) - 1) / 2) * ASIDE, colour)
        end = values[-1] if len(values) else known[-1].value
        ends.append(style.Label(float(end), style.short(arm), colour))
    axes.axhline(1 if outcome.ratio else 0, color=style.SOFT.light, lw=0.8)
    return ends


def _simulated(result: Result, outcome: Outcome, stratum: str, arm: str, last_week: int) -> tuple[np.ndarray, ...]:
    """Weeks at which enough are seen at every parameter vector; median of the means, and the range over the vectors."""
    each = [dict(zip(*observed(one, outcome, stratum, arm, last_week), strict=True)) for one in vectors(result)]
    weeks = [week for week in each[0] if all(week in one for one in each)]
    return np.array(weeks), *over([[one[week] for week in weeks] for one in each])


def _dots(axes: Axes, known: Sequence[Point], aside: float, colour: str) -> None:
    """Published points and their intervals."""
    spans = {point.week + aside: point.interval for point in known if point.interval}
    if spans:
        axes.vlines(list(spans), *zip(*spans.values(), strict=True), color=colour, lw=0.9, alpha=0.7)
    axes.plot([point.week + aside for point in known], [point.value for point in known], "o", ms=3.2, color=colour)


def published(outcome: Outcome, stratum: str, arm: str) -> list[Point]:
    """The published points of one curve, in order."""
    mine = (outcome.endpoint, stratum, arm)
    found = [point for point in points().values() if (point.endpoint, point.stratum, point.arm) == mine]
    return sorted(found, key=lambda point: point.week)


def observed(result: Result, outcome: Outcome, stratum: str, arm: str, last_week: int) -> tuple[np.ndarray, np.ndarray]:
    """Weeks and means of the visits' changes or log-ratios, while enough people are seen."""
    group, who = result.groups["observed"], result.groups["patients"]["stratum"].values == stratum
    values = group[outcome.variable].values[result.arm_index(arm)][who].astype(np.float64)
    values = np.where(values < 0, np.nan, values)  # codes of missing scores
    weeks = group["nominal_day"].values / DAYS_PER_WEEK
    moved = np.log(values) - np.log(values[:, :1]) if outcome.ratio else values - values[:, :1]
    kept = (np.isfinite(moved).sum(0) >= max(min(FEWEST, who.sum()), 1)) & (weeks <= last_week)
    mean = np.nanmean(moved[:, kept], 0)
    return weeks[kept], np.exp(mean) if outcome.ratio else mean
