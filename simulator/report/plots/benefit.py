"""Who gains how much: the same patients in two arms, which only a simulation can see."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis import moments
from simulator.measures.headline import main_day
from simulator.measures.metrics import time_index
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.needs import VARIABLES, need_patients, need_two_arms, need_variables
from simulator.report.scale import plain_logarithm
from simulator.results import Result
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS = 300
TENTHS = 10
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
    gains, speed = (_points(result, pairs, day), _months(result, pairs)), _speed(result)
    notes = [
        f"{result.n_patients:,} simulated patients, each set against the same patient in the other arm."
        + (f" The first {CURVES} of {len(every)} comparisons." if len(every) > CURVES else ""),
        "Above: in the order of their gain, with the mean ± its Monte Carlo standard error.",
        f"Below: {_against(*pairs[0])}, by {speed.words}; dots: patients, line: mean of each tenth.",
    ]
    with style.drawing():
        across = 1 if style.is_narrow() else 2
        figure = style.sheet("Who gains how much", notes, 1.2 + 5.4 * (3 - across))
        upper, lower = np.split(figure.subplots(4 // across, across).ravel(), 2)
        style.place(figure, len(notes), left=0.85, right=0.3)
        figure.subplots_adjust(wspace=0.32, hspace=0.36)
        for k, gain in enumerate(gains):
            _ordered(upper[k], gain)
            _by_speed(lower[k], result, speed, gain.of[pairs[0]])
            lower[k].set_ylabel(gain.label)
    words = " and ".join(gain.label for gain in gains)
    return Picture(Kind.benefit, figure, f"{words} gained by each patient, {pairs[0][0]} against {pairs[0][1]}")


def _points(result: Result, pairs: list[tuple[str, str]], day: float) -> Gain:
    """Points of the ALSFRS-R kept by a day, as if alive."""
    values = result.groups["truth"]["alsfrs_r"].values[..., time_index(result, day)].astype(np.float64)
    of = {(a, b): values[result.arm_index(a)] - values[result.arm_index(b)] for a, b in pairs}
    return Gain(f"ALSFRS-R points gained\nby day {day:g}, as if alive", of)


def _months(result: Result, pairs: list[tuple[str, str]]) -> Gain:
    """Event-free months won by the end of follow-up."""
    values = result.groups["events"]["event_free_time"].values / DAYS_PER_MONTH
    of = {(a, b): values[result.arm_index(a)] - values[result.arm_index(b)] for a, b in pairs}
    return Gain(f"Event-free months gained\nwithin {result.follow_up_days / DAYS_PER_MONTH:.0f} months", of)


def _ordered(axes: Axes, gain: Gain) -> None:
    """Gain against the share of patients who gain at least as much: one curve for each pair of arms."""
    for k, ((a, b), values) in enumerate(gain.of.items()):
        colour = style.SERIES[k].light
        axes.plot(SHARES, np.percentile(values, 100 - SHARES), color=colour, lw=1.8, ls=style.DASHES[k % 4])
        mean = moments.mean(values)
        _name(axes, k, f"{_against(a, b)}: {mean.value:.1f} ± {mean.mcse:.1f}", colour)
    _raise_top(axes, len(gain.of))
    axes.axhline(0, color=style.SOFT.light, lw=0.8)
    axes.set_xlim(0, 100)
    axes.set_xticks(range(0, 101, 25), [f"{k} %" for k in range(0, 101, 25)])
    axes.set_xlabel("of patients gain at least this much")
    axes.set_ylabel(gain.label)


def _name(axes: Axes, k: int, text: str, colour: str) -> None:
    """The k-th line of text in the upper right corner."""
    axes.text(0.98, 0.98 - 0.09 * k, text, transform=axes.transAxes, ha="right", va="top", color=colour)


def _raise_top(axes: Axes, count: int) -> None:
    """Raise the top of the axes, so that so many lines of text stand above what is drawn."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, low + (high - low) / (1 - 0.09 * count))


def _against(a: str, b: str) -> str:
    """Two arms in the room that a panel has."""
    text = f"{a} vs {b}"
    return text if len(text) <= 30 else f"{style.short(a, 13)} vs {style.short(b, 13)}"


def _by_speed(axes: Axes, result: Result, speed: Speed, values: np.ndarray) -> None:
    """Gain against how fast the disease was; dots by stratum, and the mean of each tenth."""
    strata = result.groups["patients"]["stratum"].values[:DOTS]
    for k, name in enumerate(result.strata or ("",)):
        mine = strata == name if name else np.ones(len(strata), bool)
        colour = style.SERIES[(k + 3) % 5].light
        axes.scatter(speed.values[:DOTS][mine], values[:DOTS][mine], s=5, color=colour, alpha=0.45, lw=0)
        _name(axes, k, name, colour)
    _raise_top(axes, len(result.strata))
    tenth = np.array_split(np.argsort(speed.values, kind="stable"), TENTHS)
    middle = [np.median(speed.values[one]) for one in tenth if len(one)]
    mean = [values[one].mean() for one in tenth if len(one)]
    axes.plot(middle, mean, color=style.INK.light, lw=1.6, marker="o", ms=3)
    axes.axhline(0, color=style.SOFT.light, lw=0.8)
    plain_logarithm(axes, "x", tuple(np.percentile(speed.values, [0.5, 99.5])))
    axes.set_xlabel(speed.label)


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
