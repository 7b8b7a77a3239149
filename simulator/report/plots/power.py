"""Power by the number of participants, and how many are needed: a panel for each day of analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.report import style
from simulator.report.kinds import TrialKind
from simulator.report.picture import Picture, PictureError
from simulator.report.scale import percent_axis, plain_logarithm
from simulator.tables.numbers import when

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.studies.trial.result import Trial

DOTTED = (0, (1, 1.5))


def draw(trial: Trial) -> Picture:
    """The picture."""
    if "power" not in trial.groups:
        raise PictureError(f"{TrialKind.power}: no sizes were looked at; run the trial with --power 0.8,0.9")
    word = trial.power_word.capitalize()
    targets = " and ".join(f"{100 * target:g} %" for target in trial.needed(trial.analyses[0]))
    count = int(trial.attrs["size_replicates"])
    notes = [
        f"{count:,} replicates, the same at every size. Bands: 95 % Monte Carlo intervals. Dotted: the trial as it is."
    ]
    if targets:
        notes.append(f"Dots: participants needed for {trial.a_power} of {targets}, ± Monte Carlo error.")
    with style.drawing():
        figure = style.sheet(
            f"{trial.power_word.capitalize()} by the number of participants", notes, 1.2 + 3.0 * len(trial.days)
        )
        grid = figure.subplots(len(trial.days), 1, squeeze=False)
        style.place(figure, len(notes), left=0.85, right=1.75)
        figure.subplots_adjust(hspace=0.42)
        for axes, day in zip(grid[:, 0], trial.days, strict=True):
            _panel(axes, trial, day)
        grid[-1, 0].set_xlabel("Participants")
    return Picture(
        TrialKind.power,
        figure,
        f"{word} of {', '.join(trial.analyses)} by the number of participants",
    )


def _panel(axes: Axes, trial: Trial, day: float) -> None:
    """The curves of a day, named at their ends."""
    sizes = trial.groups["power"]["size"].values
    ends = []
    for a, name in enumerate(trial.analyses):
        colour, dash = style.SERIES[a % 5].light, style.DASHES[a % 4]
        power, _, low, high = np.array(list(trial.power(name, day).values())).T
        axes.fill_between(sizes, low, high, color=colour, alpha=0.14, lw=0)
        axes.plot(sizes, power, color=colour, ls=dash, lw=1.8)
        ends.append(style.Label(float(power[-1]), f"{name} {100 * power[-1]:.0f} %", colour))
        for target, needed in trial.needed(name, day).items():
            if np.isfinite(needed.value):
                axes.errorbar(needed.value, target, xerr=needed.mcse, color=colour, fmt="o", ms=4, lw=1)
    percent_axis(axes)
    plain_logarithm(axes, "x", (float(sizes[0]), float(sizes[-1])))
    if sizes[0] <= trial.size <= sizes[-1]:
        axes.axvline(trial.size, color=style.SOFT.light, lw=0.9, ls=DOTTED)
    axes.set_ylabel(trial.power_word.capitalize())
    axes.set_title(when(day), fontsize=8.5, loc="left")
    style.label_ends(axes, ends)
