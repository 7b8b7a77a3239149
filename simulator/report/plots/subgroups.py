"""Forest of subgroups: what the first comparison gains in each part of the patients, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis import moments
from simulator.analysis.intervals import mean_interval
from simulator.measures.headline import main_day
from simulator.measures.metrics import time_index
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.needs import VARIABLES, need_patients, need_two_arms, need_variables
from simulator.report.plots.vectors import over, vectors
from simulator.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 10
LEFT, NARROW = 2.75, 2.3  # inches left of the axes
MOST = 6  # parts of one division, the largest
DIVISIONS = (
    ("stratum", ""),
    ("variant", "variant: "),
    ("sex", ""),
    ("onset_site", "onset: "),
)
HALVES = (
    ("age", "age {} years", "age"),
    ("time_since_onset", "onset {} mo ago", "since onset"),
    ("alsfrs_r", "ALSFRS-R {}", "ALSFRS-R"),
)
"""What is split at its median: name, words with the median, words where the median differs between vectors."""


class Part(NamedTuple):
    """Some of the patients: their name, who they are, whether a new division begins with them; `half` of which one."""

    name: str
    who: np.ndarray
    first: bool = False
    half: str = ""


class Effect(NamedTuple):
    """What a part gains: mean difference with its 95 % Monte Carlo interval, by outcome."""

    name: str
    n: int
    first: bool
    points: tuple[float, float, float]
    free: tuple[float, float, float]
    half: str = ""


def parts(result: Result) -> Iterator[Part]:
    """Everybody, then each division of at least two parts that are large enough."""
    people = result.groups["patients"]
    yield Part("everybody", np.ones(result.n_patients, bool), True)
    for key, words in DIVISIONS:
        if key not in people:
            continue
        values, flags = people[key].values, str(people[key].attrs.get("flag_meanings", "")).split()
        names, counts = np.unique(values, return_counts=True)
        large = [name for name, n in zip(names, counts, strict=True) if n >= FEWEST]
        large = sorted(large, key=lambda name: -int((values == name).sum()))[:MOST]
        if len(large) > 1:
            for k, name in enumerate(large):
                said = flags[int(name)] if flags else str(name)
                yield Part(f"{words}{said}".replace("_", " "), values == name, k == 0)
    for key, words, plain in HALVES:
        values = result.groups["truth"][key].values[0, :, 0] if key == "alsfrs_r" else people[key].values
        values = values.astype(np.float64)
        middle = float(np.median(values))
        low = values < middle
        if min(low.sum(), (~low).sum()) >= FEWEST:
            yield Part(words.format(f"< {middle:.3g}"), low, True, f"{plain}, lower half")
            yield Part(words.format(f"≥ {middle:.3g}"), ~low, False, f"{plain}, upper half")


def effects(result: Result, arm: str, against: str, day: float) -> list[Effect]:
    """Of each part: points of the ALSFRS-R with the dead at 0, and people of 100 event-free, on a day."""
    at, events = time_index(result, day), result.groups["events"]
    rows = [result.arm_index(arm), result.arm_index(against)]
    dead = events["death_time"].values[rows] <= day
    score = np.where(dead, 0.0, result.groups["truth"]["alsfrs_r"].values[rows][..., at].astype(np.float64))
    ended = (events["event"].values[rows] > 0) & (events["event_free_time"].values[rows] <= day)
    points, free = score[0] - score[1], 100.0 * (ended[1].astype(np.float64) - ended[0])
    return [
        Effect(one.name, int(one.who.sum()), one.first, _interval(points[one.who]), _interval(free[one.who]), one.half)
        for one in parts(result)
    ]


def over_vectors(result: Result, arm: str, against: str, day: float) -> list[Effect]:
    """Of each part that there is at every parameter vector: median, and range over the vectors."""
    each = [{one.half or one.name: one for one in effects(single, arm, against, day)} for single in vectors(result)]
    found = []
    for key, first in each[0].items():
        if all(key in one for one in each):
            same = [one[key] for one in each]
            points, free = _over([one.points[0] for one in same]), _over([one.free[0] for one in same])
            n = round(float(np.median([one.n for one in same])))
            found.append(first._replace(name=key, n=n, points=points, free=free))
    return found


def _over(values: Sequence[float]) -> tuple[float, float, float]:
    """Median and range over the vectors."""
    middle, low, high = over(values)
    return float(middle), float(low), float(high)


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean of differences of the same patients, and its 95 % interval."""
    found = moments.mean(values)
    low, high = mean_interval(found.value, found.mcse, found.n)
    return found.value, float(low), float(high)


def draw(result: Result) -> Picture:
    """The picture, of the first comparison on the main day."""
    need_patients(result, Kind.subgroups)
    need_two_arms(result, Kind.subgroups)
    need_variables(result, Kind.subgroups, VARIABLES[Kind.subgroups])
    (arm, against), day = result.contrasts[0], main_day(result)
    found = over_vectors(result, arm, against, day) if result.draws else effects(result, arm, against, day)
    lines = "Lines: 95 % Monte Carlo"
    if result.draws:
        lines = f"Squares: median over {result.draws} vectors of the ensemble; lines: 5th to 95th percentile"
    notes = [
        f"{style.short(arm, 24)} against {style.short(against, 24)} on day {day:g}: the same patients in two arms.",
        f"Mean difference, right of 0 is better. {lines}. Dashed: all patients.",
        "n: patients. Halves are split at the median. What a trial of some size would find is wider.",
    ]
    narrow = style.is_narrow()
    with style.drawing():
        figure = style.sheet(
            "Who gains: subgroups", notes, 1.45 + 0.2 * len(found) * (2 if narrow else 1) + 0.6 * narrow
        )
        axes = figure.subplots(2 if narrow else 1, 1 if narrow else 2, sharey=True, squeeze=False).ravel()
        style.place(figure, len(notes), left=LEFT)
        if narrow:
            figure.subplots_adjust(left=NARROW / figure.get_figwidth(), hspace=0.25)
        figure.subplots_adjust(wspace=0.12)
        labels = ("ALSFRS-R, points, the dead at 0", "More of 100 who are event-free")
        for panel, key, label in zip(axes, ("points", "free"), labels, strict=True):
            _rows(panel, found, [getattr(one, key) for one in found], label)
    return Picture(Kind.subgroups, figure, f"Differences between {arm} and {against} in subgroups")


def _rows(axes: Axes, found: list[Effect], values: list[tuple[float, float, float]], label: str) -> None:
    """A square and a line for each part."""
    for k, (one, (value, low, high)) in enumerate(zip(found, values, strict=True)):
        axes.hlines(k, low, high, color=style.SERIES[0].light, lw=1.2)
        axes.plot([value], [k], "s", color=style.SERIES[0].light, ms=4.5 if one.first and not k else 3.5)
        if one.first and k:
            axes.axhline(k - 0.5, color=style.GRID.light, lw=0.8)
    axes.axvline(0, color=style.SOFT.light, lw=0.9)
    axes.axvline(values[0][0], color=style.SOFT.light, lw=0.8, ls="--")
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_yticks(range(len(found)), [_name(one) for one in found])
    axes.tick_params(length=0, axis="y")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)


def _name(one: Effect) -> str:
    """The part and how many are in it."""
    count = f", n = {one.n:,}"
    room = (LEFT if not style.is_narrow() else NARROW) - 0.15 - style.measure(count)
    return f"{style.fitted(one.name, room)}{count}"
