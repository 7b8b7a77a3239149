"""Published curves with their simulated twins on them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from simulator.catalog.facts import Point, points
from simulator.studies.evidence.score import Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"early_start": "#0072b2", "delayed_start": "#d55e00"}  # told apart by the colour-blind too
LABELS = {
    "alsfrs_r_change": "ALSFRS-R, change [points]",
    "event_free_share": "event-free share",
    "nfl_plasma_ratio": "NfL in plasma, ratio to baseline",
    "sod1_csf_ratio": "SOD1 in CSF, ratio to baseline",
}
DELAYED_WEEK = 28
ASIDE = 0.35  # weeks


def draw(endpoint: str, scores: Sequence[Score]) -> str:
    """One endpoint as SVG text: a panel for each stratum, published points with 95 % intervals, simulated lines.

    Parameters
    ----------
    endpoint : str
        `alsfrs_r_change` and so on.
    scores : sequence of Score
        Those that hold the endpoint's points.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mine = [(points()[score.id], score) for score in scores if score.id.startswith(endpoint + "/")]
    strata = list(dict.fromkeys(point.stratum for point, _ in mine))
    style: Any = {
        "svg.hashsalt": endpoint,
        "svg.fonttype": "none",
        "font.size": 9,
        "font.family": "sans-serif",
    }
    with mpl.rc_context(style):
        picture = Figure(figsize=(3.4 * len(strata) + 0.6, 3.4), layout="constrained")
        panels = picture.subplots(1, len(strata), sharey=True, squeeze=False)[0]
        for panel, stratum in zip(panels, strata, strict=True):
            _panel(panel, stratum, [pair for pair in mine if pair[0].stratum == stratum])
        panels[0].set_ylabel(LABELS[endpoint])
        _legend(picture)
        text = io.StringIO()
        picture.savefig(text, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _panel(panel: Axes, stratum: str, pairs: list[tuple[Point, Score]]) -> None:
    """One stratum: both arms begin at their baseline; the published points of the two are set a little apart."""
    for (arm, colour), aside in zip(COLOURS.items(), (-ASIDE, ASIDE), strict=True):
        mine = sorted((pair for pair in pairs if pair[0].arm == arm), key=lambda pair: pair[0].week)
        weeks, simulated = [0, *(point.week for point, _ in mine)], [score.simulated or 0.0 for _, score in mine]
        start = 0.0 if mine and mine[0][0].endpoint == "alsfrs_r_change" else 1.0
        panel.plot(weeks, [start, *simulated], color=colour, lw=1.8)
        for point, score in mine:
            reach = [[length] for length in _reach(point, score)]
            faint = 0.9 if point.interval else 0.45
            panel.errorbar([point.week + aside], [point.value], yerr=reach, ecolor=(colour, faint), fmt="none", lw=1)
            panel.plot(point.week + aside, point.value, "o", ms=4, color=colour)
    panel.axvline(DELAYED_WEEK, color="0.7", lw=0.8, ls=":", zorder=0)
    panel.set(title={"all": "all participants"}.get(stratum, f"{stratum} stratum"), xlabel="weeks since baseline")
    panel.spines[["top", "right"]].set_visible(False)


def _reach(point: Point, score: Score) -> tuple[float, float]:
    """Distance to the ends of the interval, or twice the standard error where none was published."""
    if point.interval:
        return point.value - point.interval[0], point.interval[1] - point.value
    return (1.96 * (score.se or 0.0),) * 2


def _legend(picture: Any) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, label=arm.replace("_", " ")) for arm, colour in COLOURS.items()]
    handles += [
        Line2D([], [], color="0.3", marker="o", ls="", ms=4, label="published, 95 % interval (faint: from the SE)"),
        Line2D([], [], color="0.3", label="simulated"),
    ]
    picture.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
