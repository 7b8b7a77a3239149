"""Which state, for how long: shares of patients by state and cycle, as models of health economists take them.

A cycle is the half-open interval between two times of the summary. The time spent in a state within a cycle is the mean
of its shares at start and end, times the length: the half-cycle correction (trapezoid).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.results.variables import STAGES
from simulator.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.results.tree import Result


class Cell(NamedTuple):
    """A state in a cycle of an arm; shares are of all patients, years are person-years per patient.

    `draw` numbers the parameter vectors of a run; it is 0 where there is one.
    """

    draw: int
    arm: str
    system: str
    state: str
    cycle: int
    from_day: float
    to_day: float
    share_at_start: float
    share_at_end: float
    years: float


def occupancy(result: Result) -> list[Cell]:
    """Every state in every cycle: alive without ventilation, with it, dead; and stages where the model has items."""
    return [cell for system, names, shares in _systems(result) for cell in _cells(result, system, names, shares)]


def _systems(result: Result) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.float64]]]:
    """Name, states and shares (draw, arm, time, state) of each way to divide the patients."""
    group = result.groups["summary"]
    alive, free = (group[name].values for name in ("survival", "event_free"))
    yield "event", ("event_free", "ventilated", "dead"), _by_draw(np.stack([free, alive - free, 1 - alive], axis=-1))
    for stage, names in STAGES.items():
        if (share := group.get(f"{stage}_share")) is not None:
            yield stage.removesuffix("_stage"), names, _by_draw(share.values)


def _by_draw(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares with a dimension of draws, also where there is one."""
    return shares.reshape(-1, *shares.shape[-3:])


def _cells(result: Result, system: str, names: tuple[str, ...], shares: NDArray[np.float64]) -> Iterator[Cell]:
    """One system, draw by draw, arm by arm, state by state, cycle by cycle."""
    time = result.time
    years = (shares[:, :, 1:] + shares[:, :, :-1]) / 2 * (np.diff(time) / DAYS_PER_YEAR)[:, None]
    for d, a, k, t in np.ndindex(*(len(shares), len(result.arms), len(names), len(time) - 1)):
        ends = float(shares[d, a, t, k]), float(shares[d, a, t + 1, k])
        cycle = t, float(time[t]), float(time[t + 1])
        yield Cell(d, result.arms[a], system, names[k], *cycle, *ends, float(years[d, a, t, k]))
