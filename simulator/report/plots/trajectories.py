"""One outcome over time: single patients, spread and mean of everybody or of survivors; a panel for each arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.errors import absent
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.plots.grid import head, label_time, sheet
from simulator.report.plots.needs import need_variables, size
from simulator.report.plots.panel import Pane
from simulator.report.scale import plain_logarithm
from simulator.report.style import CONTROL, drawing, short
from simulator.results import Result
from simulator.results.arrays import QUANTILES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = {
    "alsfrs_r": "ALSFRS-R, points",
    "svc": "SVC, % of predicted",
    "hhd": "Dynamometry megascore, z",
    "nfl_plasma": "Plasma NfL, pg/mL",
    "sod1_csf": "CSF SOD1, ratio to baseline",
}
MEAN = "mean; it flattens or rises as those who decline fastest die"
WORST = ("alsfrs_r", "svc")
"""Outcomes whose worst value is 0: who has died is counted with it unless survivors are asked for."""
BANDS = 20_000
"""The first so many patients give the bands of everybody."""
MEANS = dict.fromkeys(("nfl_plasma", "sod1_csf"), "geometric mean; deaths change who they are")
NARROW = 1.03
"""Quantiles of biomarkers are read from bins of 1.6 %: a narrower band would show the bins."""
FEWEST = 20
"""Means and bands end where fewer patients are alive: quantiles of so few are noise."""


class Spread(NamedTuple):
    """An outcome of one arm over survivors: mean and quantiles (5, 25, 50, 75, 95 %), cut where few live."""

    time: np.ndarray
    mean: np.ndarray
    quantile: np.ndarray


def spread(result: Result, arm: int, variable: str) -> Spread:
    """From the summary, which every result has."""
    group = result.groups["summary"]
    enough = group["alive"].values[arm] >= min(FEWEST, result.n_patients / 5)
    names = (f"{variable}_mean", f"{variable}_quantile")
    mean, quantile = (group[name].values[arm][enough] for name in names)
    return Spread(result.time[enough], mean, quantile)


def everybody(result: Result, arm: int, variable: str) -> Spread:
    """Of all patients, 0 from death on: mean and quantiles; of sums the mean alone."""
    if not result.is_full:
        mean = result.groups["summary"][f"{variable}_death0_mean"].values[arm]
        return Spread(result.time, mean, np.full((len(result.time), 5), np.nan))
    values = result.groups["truth"][variable].values[arm]
    dead = result.groups["events"]["death_time"].values[arm][:, None] <= result.time
    counted = np.where(dead, 0, values).astype(np.float64)
    weight = result.weight
    mean = np.average(counted, axis=0, weights=weight)
    some = counted[:BANDS]
    quantile = weighted(some, weight) if weight is not None else np.quantile(some, QUANTILES, axis=0).T
    return Spread(result.time, mean, quantile)


def weighted(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Quantiles of each column of values : (n, times) with weights : (n,): the least value that reaches the share."""
    order = np.argsort(values, axis=0, kind="stable")
    reached = np.cumsum(weight[: len(values)][order], axis=0)
    reached /= reached[-1]
    places = np.stack([np.minimum((reached < p - 1e-12).sum(axis=0), len(values) - 1) for p in QUANTILES])
    return np.take_along_axis(np.take_along_axis(values, order, 0), places, 0).T


def _death(result: Result, variable: str, asked: str) -> str:
    """How the dead are counted: zero or survivors.

    Raises
    ------
    PictureError
        The outcome has no worst value, or only sums of survivors were kept.
    """
    if asked not in ("", "zero", "survivors"):
        raise PictureError(absent("estimand", asked, ["zero", "survivors"], where=Kind.trajectories))
    can = variable in WORST and (result.is_full or f"{variable}_death0_mean" in result.groups["summary"])
    if asked == "zero" and not can:
        raise PictureError(f"{Kind.trajectories}: {variable} of the dead is not 0, or was not kept; choose survivors")
    return asked or ("zero" if can else "survivors")


def draw(result: Result, variable: str, patients: int, death: str = "") -> Picture:
    """The picture; only the outcomes that the summary holds can be drawn."""
    if variable not in LABELS:
        raise PictureError(absent("outcome", variable, LABELS, where=Kind.trajectories))
    need_variables(result, Kind.trajectories, [variable])
    counted = _death(result, variable, death)
    shown = min(patients, result.n_patients) if result.is_full else 0
    single = f" Thin: {shown} of them, until death." if shown else ""
    dashed = f" Dashed: {short(result.control)}." if len(result.arms) > 1 else ""
    notes = [
        f"{size(result)}.{single}{dashed}",
        _about(result, variable, counted),
    ]
    with drawing():
        who = "the dead at 0" if counted == "zero" else "survivors only"
        figure, panes = sheet(f"{LABELS[variable].partition(',')[0]} over time, {who}", notes, result)
        for pane in panes:
            _spread(pane, variable, counted)
            _singles(pane, variable, shown)
            _control(pane, variable, counted)
        label_time(panes)
        _outcome_axis(panes[0].axes, variable)
    return Picture(Kind.trajectories, figure, f"{LABELS[variable]} over time in {', '.join(result.arms)}")


def _about(result: Result, variable: str, counted: str) -> str:
    """What bands and thick line are."""
    if counted == "survivors":
        return f"Bands: 50 % and 90 % of survivors. Thick: their {MEANS.get(variable, MEAN)}."
    if not result.is_full:
        return "Thick: mean of everybody, who has died with 0."
    return "Bands: 50 % and 90 % of everybody, who has died with 0. Thick: their mean."


def _find(pane: Pane, arm: int, variable: str, counted: str) -> Spread:
    return (everybody if counted == "zero" else spread)(pane.result, arm, variable)


def _outcome_axis(axes: Axes, variable: str) -> None:
    """The axis of the outcome, common to all panels."""
    axes.set_ylabel(LABELS[variable])
    if variable == "nfl_plasma":
        plain_logarithm(axes, "y")
    elif variable == "alsfrs_r":
        axes.set_ylim(0, 48)
        axes.set_yticks(range(0, 49, 12))


def _spread(pane: Pane, variable: str, counted: str) -> None:
    """Bands and mean of one arm."""
    colour, found = pane.line.colour, _find(pane, pane.arm, variable, counted)
    time = pane.scale.of(found.time)
    for below, above in ((0, 4), (1, 3)):
        low, high = found.quantile[:, below], found.quantile[:, above]
        wide = high > NARROW * low if variable in MEANS else None
        pane.axes.fill_between(time, low, high, where=wide, color=colour, alpha=0.16, lw=0)
    pane.axes.plot(time, found.mean, color=colour, lw=2.4)
    head(pane, colour)


def _singles(pane: Pane, variable: str, shown: int) -> None:
    """The first patients of the run, each until death."""
    from matplotlib.collections import LineCollection

    if shown:
        values = pane.result.groups["truth"][variable].values[pane.arm, :shown]
        death = pane.result.groups["events"]["death_time"].values[pane.arm, :shown]
        living = np.where(pane.result.time >= death[:, None], np.nan, values)
        time = np.broadcast_to(pane.scale.of(pane.result.time), living.shape)
        courses = LineCollection(list(np.stack([time, living], 2)), colors=pane.line.colour, lw=0.6, alpha=0.45)
        pane.axes.add_collection(courses)


def _control(pane: Pane, variable: str, counted: str) -> None:
    """The control's mean once more, in the panels of the others."""
    control = pane.result.control
    if pane.name != control:
        found = _find(pane, pane.result.arm_index(control), variable, counted)
        pane.axes.plot(pane.scale.of(found.time), found.mean, color=CONTROL.light, lw=1.4, ls="--")
