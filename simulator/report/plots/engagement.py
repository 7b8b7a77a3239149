"""The drug and its target: concentration in tissue, and how far the target is lowered, by arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture
from simulator.report.plots.needs import dosed_arms, need_engagement, size
from simulator.report.scale import TimeScale, time_scale
from simulator.report.stored_scenario import stored_scenario
from simulator.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PEOPLE = 200
"""The first so many patients give concentrations."""
BANDS = 3
EVERY = 7
"""Days from point to point of the concentration's curve."""


def tissue(result: Result) -> Any:
    """The section `tissue` of the one antisense drug of the scenario; None where there is another number of them."""
    scenario, _ = stored_scenario(result)
    if scenario is None:
        return None
    found = [getattr(one, "tissue", None) for one in scenario.treatments.values()]
    known = [one for one in found if one is not None]
    return known[0] if len(known) == 1 else None


def concentration(result: Result, arm: int, drug: Any) -> np.ndarray:
    """Of the first patients on each day, 1 is the mean at the steady state of the reference : (patients, days)."""
    n, days = min(PEOPLE, result.n_patients), int(result.follow_up_days) + 1
    doses = result.groups["doses"]
    mine = (doses["arm"].values == arm) & (doses["patient"].values < n) & (doses["day"].values < days)
    rate = np.log(2) / drug.half_life_days.value
    per_mg = rate * drug.reference_every_days.value / drug.reference_dose_mg.value
    given = np.zeros((n, days))
    patient, day = doses["patient"].values[mine], doses["day"].values[mine].astype(int)
    np.add.at(given, (patient, day), per_mg * doses["dose_mg"].values[mine])
    for k in range(1, days):
        given[:, k] += given[:, k - 1] * np.exp(-rate)
    dead = result.groups["events"]["death_time"].values[arm, :n, None] <= np.arange(days)
    return np.where(dead, np.nan, given)


def draw(result: Result) -> Picture:
    """The picture; concentrations where there is one antisense drug and patients were kept."""
    need_engagement(result, Kind.engagement)
    drug = tissue(result) if dosed_arms(result) else None
    notes = [
        f"{size(result)}. Target: SOD1 in CSF, how far it is below baseline; geometric mean of survivors"
        + (", band: the middle half of them." if len(result.arms) <= BANDS else "."),
        *(
            [
                f"Drug in tissue, half-life {drug.half_life_days.value:g} d: 1 is the mean at the steady state of "
                f"{drug.reference_dose_mg.value:g} mg every {drug.reference_every_days.value:g} d. Line: mean of the "
                f"survivors among {min(PEOPLE, result.n_patients):,} patients over the last "
                f"{drug.reference_every_days.value:g} d; band: between doses."
            ]
            if drug
            else []
        ),
    ]
    count, scale = 1 + bool(drug), time_scale(result.follow_up_days)
    each = max(1.9, style.LINE * len(result.arms))
    with style.drawing():
        figure = style.sheet("The drug and its target, by arm", notes, 1.4 + (each + 0.1) * count)
        axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
        style.place(figure, len(notes), left=0.95, right=1.55)
        figure.subplots_adjust(hspace=0.14)
        if drug:
            _drug(axes[0], result, drug, scale)
        _target(axes[-1], result, scale)
        scale.apply(axes[-1])
        for panel in axes:
            scale.label(panel, panel is axes[-1])
    return Picture(Kind.engagement, figure, f"Drug concentration and target engagement in {', '.join(result.arms)}")


def _drug(axes: Axes, result: Result, drug: Any, scale: TimeScale) -> None:
    """Mean concentration over the interval before each day, and between which values it moved there."""
    ends, drawn = [], style.lines(result.arms, result.control)
    for arm in dosed_arms(result):
        values = concentration(result, result.arm_index(arm), drug)
        living, line = np.isfinite(values).any(0), drawn[arm]
        time = scale.of(np.flatnonzero(living))
        low, mean, high = within(np.nanmean(values[:, living], 0), round(drug.reference_every_days.value))
        some = slice(len(mean) - 1, None, -EVERY)
        axes.fill_between(time[some], low[some], high[some], color=line.colour, alpha=0.16, lw=0)
        axes.plot(time[some], mean[some], color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
        ends.append(style.Label(float(mean[-1]), f"{style.short(arm)} {mean[-1]:.2f}", line.colour))
    axes.set_ylim(bottom=0)
    axes.set_ylabel("Drug in tissue,\nof steady state")
    style.label_ends(axes, ends)


def within(values: np.ndarray, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least, mean and largest of the last so many days, on each day."""
    padded = np.concatenate([np.full(days - 1, np.nan), values])
    last = np.lib.stride_tricks.sliding_window_view(padded, days)
    return np.nanmin(last, 1), np.nanmean(last, 1), np.nanmax(last, 1)


def _target(axes: Axes, result: Result, scale: TimeScale) -> None:
    """How far SOD1 in CSF is below baseline, in percent."""
    from simulator.report.plots.trajectories import spread

    ends, drawn = [], style.lines(result.arms, result.control)
    for k, arm in enumerate(result.arms):
        found, line = spread(result, k, "sod1_csf"), drawn[arm]
        time, mean = scale.of(found.time), 100 * (1 - found.mean)
        if len(result.arms) <= BANDS:
            low, high = (100 * (1 - found.quantile[:, j]) for j in (1, 3))
            axes.fill_between(time, low, high, color=line.colour, alpha=0.16, lw=0)
        axes.plot(time, mean, color=line.colour, ls=line.dash, zorder=line.order, lw=1.8)
        ends.append(style.Label(float(mean[-1]), f"{style.short(arm)} {mean[-1]:.0f} %", line.colour))
    axes.axhline(0, color=style.SOFT.light, lw=0.8)
    axes.set_ylabel("SOD1 in CSF,\n% below baseline")
    style.label_ends(axes, ends)
