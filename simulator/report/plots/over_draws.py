"""Pictures of a run over draws: the median over parameter vectors, and the band in which nine of ten of them lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import absent
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.biomarkers import MARKERS
from simulator.report.plots.needs import need_variables, size
from simulator.report.plots.trajectories import LABELS, MEAN, MEANS
from simulator.report.plots.vectors import ROOM, bands, spread
from simulator.report.scale import percent_axis, plain_logarithm, time_scale
from simulator.results.tidy import DRAWN, over_draws
from simulator.results.variables import KINGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.results import Result


def survival(result: Result) -> Picture:
    """Event-free survival by arm."""
    figure, axes = _sheet(result, "Event-free survival, by arm", ["Death or permanent ventilation is the event."])
    with style.drawing():
        percent_axis(axes)
        _curves(axes, result, "event_free", _percent)
        axes.set_ylabel("Alive without permanent ventilation")
    return Picture(Kind.survival, figure, f"Event-free share over draws in {', '.join(result.arms)}")


def trajectories(result: Result, outcome: str) -> Picture:
    """Mean ALSFRS-R of everybody, the dead at 0; of another outcome the mean of survivors."""
    if outcome not in LABELS:
        raise PictureError(absent("outcome", outcome, LABELS, where=Kind.trajectories))
    need_variables(result, Kind.trajectories, [outcome])
    if outcome != "alsfrs_r":
        return _survivors(result, outcome)
    figure, axes = _sheet(
        result, "Mean ALSFRS-R over time, the dead at 0", ["Nobody is left out: who has died has 0 points."]
    )
    with style.drawing():
        axes.set_ylim(0, 48)
        axes.set_yticks(range(0, 49, 12))
        axes.set_ylabel("ALSFRS-R, points")
        _curves(axes, result, "alsfrs_r_death0_mean", lambda value: f"{value:.1f}")
    return Picture(Kind.trajectories, figure, f"Mean ALSFRS-R over draws in {', '.join(result.arms)}")


def _survivors(result: Result, outcome: str) -> Picture:
    figure, axes = _sheet(result, f"{LABELS[outcome].partition(',')[0]} over time, survivors only", [_of(outcome)])
    with style.drawing():
        _curves(axes, result, f"{outcome}_mean", lambda value: f"{value:.3g}")
        axes.set_ylabel(LABELS[outcome])
    return Picture(Kind.trajectories, figure, f"{LABELS[outcome]} over draws in {', '.join(result.arms)}")


def _of(outcome: str) -> str:
    return f"Of survivors: {MEANS.get(outcome, MEAN)}."


def biomarkers(result: Result) -> Picture:
    """Neurofilament and SOD1, as ratios to baseline."""
    shown = [one for one in MARKERS if result.has(one[0].removesuffix("_ratio"))]
    figure, *panels = _sheet(result, "Biomarkers over time, by arm", ["Geometric means of survivors."], len(shown))
    with style.drawing():
        for axes, (name, label) in zip(panels, shown, strict=True):
            axes.axhline(1, color=style.SOFT.light, lw=0.8)
            _curves(axes, result, f"{name}_mean", lambda value: f"{value:.2f}")
            axes.set_ylabel(label)
    return Picture(Kind.biomarkers, figure, f"NfL and SOD1 over draws in {', '.join(result.arms)}")


def stages(result: Result) -> Picture:
    """Share in King's stage 3 or later, and in stage 4 or dead."""
    figure, *panels = _sheet(result, "King's stages: shares over time, by arm", ["The dead count in both."], 2)
    with style.drawing():
        for axes, first, label in zip(panels, ("3", "4A"), ("Stage 3, 4 or dead", "Stage 4 or dead"), strict=True):
            percent_axis(axes)
            _curves(axes, result, "kings_stage_share", _percent, KINGS.index(first))
            axes.set_ylabel(label)
    return Picture(Kind.stages, figure, f"Shares by King's stage over draws in {', '.join(result.arms)}")


def _sheet(result: Result, title: str, more: list[str], panels: int = 1) -> tuple[Any, ...]:
    """The figure, then its panels."""
    notes = [
        f"{size(result)}. {bands(result, '')}",
        *more,
    ]
    with style.drawing():
        each = max(2.8 if panels == 1 else 1.9, style.LINE * len(result.arms))
        figure = style.sheet(title, notes, 2.0 + each * panels)
        axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
        style.place(figure, len(notes), left=0.95, right=1.75)
    return figure, *axes


def function(result: Result) -> Picture:
    """Shares alive with a score or more, and alive."""
    from simulator.report.plots.function import SCORES, shares

    names = [*(f"ALSFRS-R of {score} or more" for score in SCORES), "Alive"]
    arms = range(len(result.arms))
    found = spread(result, lambda one: np.stack([np.cumsum(shares(one, arm), 0)[:4] for arm in arms]))
    notes = ["ALSFRS-R of the living; the dead are in none of the shares."]
    figure, *panels = _sheet(result, "Alive and above a score: shares over time, by arm", notes, len(names))
    with style.drawing():
        for k, (axes, label) in enumerate(zip(panels, names, strict=True)):
            percent_axis(axes)
            _draw(axes, result, [tuple(one[arm, k] for one in found) for arm in arms], _percent)
            axes.set_ylabel("Share of patients")
            axes.set_title(label, loc="left", fontsize=9.5, fontweight="bold")
    return Picture(Kind.function, figure, f"Shares above {SCORES} over draws in {', '.join(result.arms)}")


def occupancy(result: Result) -> Picture:
    """Shares alive without permanent ventilation, and alive."""
    group, n, arms = result.groups["summary"], result.n_patients, range(len(result.arms))
    names = {"at_risk": "Alive without permanent ventilation", "alive": "Alive"}
    figure, *panels = _sheet(result, "Alive, ventilated, dead: shares over time, by arm", [], len(names))
    with style.drawing():
        for axes, (variable, label) in zip(panels, names.items(), strict=True):
            middle, low, high = np.quantile(group[variable].values / n, (0.5, *DRAWN), axis=0)
            percent_axis(axes)
            _draw(axes, result, [(middle[k], low[k], high[k]) for k in arms], _percent)
            axes.set_ylabel("Share of patients")
            axes.set_title(label, loc="left", fontsize=9.5, fontweight="bold")
    return Picture(Kind.occupancy, figure, f"Shares alive and ventilated over draws in {', '.join(result.arms)}")


def engagement(result: Result) -> Picture:
    """How far SOD1 in CSF is below baseline."""
    notes = ["SOD1 in CSF, how far it is below baseline: geometric mean of survivors."]
    middle, low, high = np.quantile(100 * (1 - result.groups["summary"]["sod1_csf_mean"].values), (0.5, *DRAWN), axis=0)
    figure, axes = _sheet(result, "The drug's target, by arm", notes)
    with style.drawing():
        each = [(middle[k], low[k], high[k]) for k in range(len(result.arms))]
        axes.axhline(0, color=style.SOFT.light, lw=0.8)
        _draw(axes, result, each, lambda value: f"{value:.0f} %")
        axes.set_ylabel("SOD1 in CSF,\n% below baseline")
        axes.set_ylim(*axes.get_ylim())
    return Picture(Kind.engagement, figure, f"Target engagement over draws in {', '.join(result.arms)}")


def patient(result: Result, number: int) -> Picture:
    """Function, breathing and neurofilament of one patient, as if alive."""
    from simulator.report.plots.patient import SHOWN, need_patient

    need_patient(result, number)
    notes = [f"Patient {number}, the same random numbers at every vector, as if alive: nobody's course ends here."]
    figure, *panels = _sheet(result, "One patient, every arm", notes, len(SHOWN))
    with style.drawing():
        for axes, (name, label) in zip(panels, SHOWN, strict=True):
            found = spread(result, partial(_course, name=name, number=number))
            each = [tuple(one[arm] for one in found) for arm in range(len(result.arms))]
            _draw(axes, result, each, lambda value: f"{value:.3g}")
            if name == "nfl_plasma":
                plain_logarithm(axes, "y")
            axes.set_ylabel(label)
    return Picture(Kind.patient, figure, f"Patient {number} over draws in {', '.join(result.arms)}")


def _course(result: Result, name: str, number: int) -> np.ndarray:
    """A patient's true course in every arm : (arms, times)."""
    return np.asarray(result.groups["truth"][name].values[:, number], np.float64)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _curves(axes: Axes, result: Result, variable: str, words: Callable[[float], str], from_code: int = 0) -> None:
    """Median and band of a variable in each arm; of shares by stage the sum from a code on."""
    group, each = result.groups["summary"], []
    for k in range(len(result.arms)):
        value, mcse = (group[name].values[:, k] for name in (variable, f"{variable}_mcse"))
        if from_code:
            value, mcse = value[..., from_code:].sum(-1), mcse[..., 0]
        each.append(over_draws(value, mcse)[:3])
    _draw(axes, result, each, words)
    axes.set_ylim(*axes.get_ylim())


def _draw(axes: Axes, result: Result, each: Sequence[Any], words: Callable[[float], str]) -> None:
    """Middle, low and high of each arm, named where it ends."""
    scale, ends, drawn = time_scale(result.follow_up_days), [], style.lines(result.arms, result.control)
    for arm, (middle, low, high) in zip(result.arms, each, strict=True):
        line, time = drawn[arm], scale.of(result.time)
        if len(result.arms) <= ROOM:
            axes.fill_between(time, low, high, color=line.colour, alpha=0.18, lw=0)
        axes.plot(time, middle, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
        ends.append(style.Label(float(middle[-1]), f"{style.short(arm)} {words(float(middle[-1]))}", line.colour))
    scale.apply(axes)
    place = axes.get_subplotspec()
    scale.label(axes, place is None or place.is_last_row())
    style.label_ends(axes, ends)
