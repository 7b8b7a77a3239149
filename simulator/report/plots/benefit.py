"""Who gains how much: the same patients in two arms, which only a simulation can see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis import moments
from simulator.measures.headline import main_day
from simulator.measures.metrics import time_index
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.needs import VARIABLES, need_patients, need_two_arms, need_variables
from simulator.report.plots.vectors import over, said, vectors
from simulator.report.scale import plain_logarithm
from simulator.results import Result
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS = 300
TENTHS = 10
DOTTED = "dots: patients, "
CURVES = 4  # contrasts in one picture
SHARES = np.linspace(0, 100, 201)


class Gain(NamedTuple):
    """What each patient gains in one arm against another: (n_patients,), positive is better."""

    label: str
    of: dict[tuple[str, str], np.ndarray]


class Speed(NamedTuple):
    """How fast a patient's disease was at baseline: (n_patients,)."""

    label: str
    words: str
    values: np.ndarray


def draw(result: Result) -> Picture:
    """The picture."""
    need_patients(result, Kind.benefit)
    need_two_arms(result, Kind.benefit)
    need_variables(result, Kind.benefit, VARIABLES[Kind.benefit])
    every = result.contrasts
    pairs = every[:CURVES]
    day = main_day(result)
    each = vectors(result)
    gains = [[of(one, pairs, day) for one in each] for of in (_points, _months)]
    speeds = [_speed(one) for one in each]
    notes = [
        f"{result.n_patients:,} simulated patients, each set against the same patient in the other arm."
        + (f" The first {CURVES} of {len(every)} comparisons." if len(every) > CURVES else ""),
        "Above: in the order of their gain, with the mean "
        + (f"over {result.draws} vectors." if result.draws else "± its Monte Carlo standard error."),
        f"Below: {_against(*pairs[0])}, by {speeds[0].words}; {DOTTED if not result.draws else ''}line: mean of each "
        + ("tenth. Lines: median over the vectors; bands: 5th to 95th percentile." if result.draws else "tenth."),
    ]
    with style.drawing():
        across = 1 if style.is_narrow() else 2
        figure = style.sheet("Who gains how much", notes, 1.2 + 5.4 * (3 - across))
        upper, lower = np.split(figure.subplots(4 // across, across).ravel(), 2)
        style.place(figure, len(notes), left=0.85, right=0.3)
        figure.subplots_adjust(wspace=0.32, hspace=0.36)
        for k, gain in enumerate(gains):
            _ordered(upper[k], gain)
            _by_speed(lower[k], each, speeds, [one.of[pairs[0]] for one in gain])
            lower[k].set_ylabel(gain[0].label)
    words = " and ".join(gain[0].label for gain in gains)
    return Picture(Kind.benefit, figure, f"{words} gained by each patient, {pairs[0][0]} against {pairs[0][1]}")


def _points(result: Result, pairs: list[tuple[str, str]], day: float) -> Gain:
    """Points of the ALSFRS-R kept by a day, the dead at 0."""
    values = result.groups["truth"]["alsfrs_r"].values[..., time_index(result, day)].astype(np.float64)
    values = np.where(result.groups["events"]["death_time"].values <= day, 0.0, values)
    of = {(a, b): values[result.arm_index(a)] - values[result.arm_index(b)] for a, b in pairs}
    return Gain(f"ALSFRS-R points gained\nby day {day:g}, the dead at 0", of)


def _months(result: Result, pairs: list[tuple[str, str]], _: float) -> Gain:
    """Event-free months won by the end of follow-up."""
    values = result.groups["events"]["event_free_time"].values / DAYS_PER_MONTH
    of = {(a, b): values[result.arm_index(a)] - values[result.arm_index(b)] for a, b in pairs}
    return Gain(f"Event-free months gained\nwithin {result.follow_up_days / DAYS_PER_MONTH:.0f} months", of)


def _ordered(axes: Axes, gain: Sequence[Gain]) -> None:
    """Gain against the share of patients who gain at least as much: one curve for each pair of arms."""
    for k, (a, b) in enumerate(gain[0].of):
        colour, each = style.SERIES[k].light, [one.of[a, b] for one in gain]
        middle, low, high = over([np.percentile(values, 100 - SHARES) for values in each])
        if len(each) > 1:
            axes.fill_between(SHARES, low, high, color=colour, alpha=0.18, lw=0)
        axes.plot(SHARES, middle, color=colour, lw=1.8, ls=style.DASHES[k % 4])
        means = [moments.mean(values) for values in each]
        told = said([one.value for one in means], f"{means[0].value:.1f} ± {means[0].mcse:.1f}")
        _name(axes, k, f"{_against(a, b)}: {told}", colour)
    _raise_top(axes, len(gain[0].of))
    axes.axhline(0, color=style.SOFT.light, lw=0.8)
    axes.set_xlim(0, 100)
    axes.set_xticks(range(0, 101, 25), [f"{k} %" for k in range(0, 101, 25)])
    axes.set_xlabel("of patients gain at least this much")
    axes.set_ylabel(gain[0].label)


def _name(axes: Axes, k: int, text: str, colour: str) -> None:
    """The k-th line of text in the upper right corner."""
    size = 8.5 if style.measure(text) < 0.95 * style.inches(axes)[0] else 7.2
    place = axes.transAxes
    axes.text(0.98, 0.98 - 0.09 * k, text, transform=place, ha="right", va="top", color=colour, fontsize=size)


def _raise_top(axes: Axes, count: int) -> None:
    """Raise the top of the axes, so that so many lines of text stand above what is drawn."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, low + (high - low) / (1 - 0.09 * count))


def _against(a: str, b: str) -> str:
    """Two arms in the room that a panel has."""
    text = f"{a} vs {b}"
    return text if len(text) <= 30 else f"{style.short(a, 13)} vs {style.short(b, 13)}"


def _by_speed(axes: Axes, each: Sequence[Result], speeds: Sequence[Speed], values: Sequence[np.ndarray]) -> None:
    """Gain against how fast the disease was; dots by stratum, of one vector, and the mean of each tenth."""
    if len(each) == 1:
        _scatter(axes, each[0], speeds[0], values[0])
    middle, mean = zip(*map(_tenths, speeds, values), strict=True)
    x, (y, low, high) = np.median(middle, axis=0), over(mean)
    if len(each) > 1:
        axes.fill_between(x, low, high, color=style.INK.light, alpha=0.18, lw=0)
    axes.plot(x, y, color=style.INK.light, lw=1.6, marker="o", ms=3)
    axes.axhline(0, color=style.SOFT.light, lw=0.8)
    ends = np.median([np.percentile(one.values, [0.5, 99.5]) for one in speeds], axis=0)
    plain_logarithm(axes, "x", (float(ends[0]), float(ends[1])))
    axes.set_xlabel(speeds[0].label)


def _tenths(speed: Speed, values: np.ndarray) -> tuple[list[float], list[float]]:
    """Of each tenth of the patients by speed: its middle, and the mean of their values."""
    tenth = np.array_split(np.argsort(speed.values, kind="stable"), TENTHS)
    some = [one for one in tenth if len(one)]
    return [float(np.median(speed.values[one])) for one in some], [float(values[one].mean()) for one in some]


def _scatter(axes: Axes, result: Result, speed: Speed, values: np.ndarray) -> None:
    """A dot for each of the first patients, in the colour of the stratum."""
    strata = result.groups["patients"]["stratum"].values[:DOTS]
    for k, name in enumerate(result.strata or ("",)):
        mine = strata == name if name else np.ones(len(strata), bool)
        colour = style.SERIES[(k + 3) % 5].light
        axes.scatter(speed.values[:DOTS][mine], values[:DOTS][mine], s=5, color=colour, alpha=0.45, lw=0)
        _name(axes, k, name, colour)
    _raise_top(axes, len(result.strata))


def _speed(result: Result) -> Speed:
    """ALSFRS-R points lost per month from onset to baseline; where everybody enters at onset, D50 or age."""
    patients = result.groups["patients"]
    months = patients["time_since_onset"].values.astype(np.float64)
    if (months > 0).all():
        score = result.groups["truth"]["alsfrs_r"].values[0, :, 0].astype(np.float64)
        lost = np.maximum((48 - score) / months, 0.01)
        return Speed("Points lost per month before baseline", "decline before baseline", lost)
    if "d50" in patients:
        return Speed("Months from onset to half of function (D50)", "D50", patients["d50"].values)
    return Speed("Age at onset, years", "age at onset", patients["age_at_onset"].values)
