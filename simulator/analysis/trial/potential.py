"""Potential outcomes, of which only a simulation knows both: the same people in both arms, nobody lost.

What an analysis estimates has its truth here or in the file of the analysis; `truth` looks it up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from simulator.analysis.trial.data import Bools, Floats, TrialData
from simulator.units import DAYS_PER_MONTH

Options = Mapping[str, Any]
NOTHING: Options = {}


class Potential(NamedTuple):
    """m people in both arms, until a day of analysis.

    Parameters
    ----------
    data : what a trial would measure if everybody were in both arms and nobody were lost: rows 0 … m − 1 are the
        people on the experimental treatment, rows m … 2 m − 1 the same people in control.
    visit_day : (v,) [d] days of `course`, from 0 to the day of the last visit of `data`, rising.
    course : (2, m, v) true function as if alive, experimental and control, less what permanent ventilation takes away.
    disease_time : (2, m, v) true disease time.
    day : [d] the day of analysis.
    last_day : (2, m) [d] the day up to which function can be measured: that of death, or infinite.
    """

    data: TrialData
    visit_day: Floats
    course: Floats
    disease_time: Floats
    day: float
    last_day: Floats

    @property
    def changes(self) -> Floats:
        """(2, m) true change from baseline to the last visit, as if alive."""
        return np.asarray(self.course[:, :, -1] - self.course[:, :, 0])

    @property
    def measured(self) -> Floats:
        """(2, m) measured change at the last visit, NaN after death."""
        return self.data.change[:, -1].reshape(2, -1)


Truth: TypeAlias = Callable[[Potential, Options], float]
"""The true value of what an analysis estimates, from people in both arms and the options that change it."""


def as_if_alive(of: Potential, options: Options = NOTHING) -> float:
    """Difference of true change at the last visit, everybody followed beyond death."""
    treated, control = of.changes
    return float(np.mean(treated - control))


def always_survivors(of: Potential, options: Options = NOTHING) -> float:
    """Difference of measured change among those who are measured at the last visit in both arms."""
    treated, control = of.measured
    both = np.isfinite(treated) & np.isfinite(control)
    return float(np.mean((treated - control)[both])) if both.any() else np.nan


def slopes(course: Floats, visit_day: Floats, seen: Bools) -> Floats:
    """(2, m) least-squares slopes a month over the visits that are seen; from baseline to the next where one is."""
    months, count = visit_day / DAYS_PER_MONTH, seen.sum(axis=-1)
    away = np.where(seen, months - (seen @ months / np.maximum(count, 1))[..., None], 0.0)
    square = (away**2).sum(axis=-1)
    first = (course[..., 1] - course[..., 0]) / (months[1] - months[0])
    return np.where(count > 1, (away * course).sum(axis=-1) / np.where(count > 1, square, 1.0), first)
