"""Each arm against the control as an analysis sees it: estimates, statistics, and how much of them is the control's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.data import TrialData, until, where
from simulator.analysis.trial.dunnett import loadings
from simulator.analysis.trial.reading import Contrast
from simulator.replicate import ReplicateData
from simulator.studies.trial.decision import direction
from simulator.studies.trial.looks import randomised_on
from simulator.studies.trial.plan import Plan, against_control
from simulator.studies.trial.rows import ESTIMATED, estimated, observed
from simulator.studies.trial.sequential import signed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
VALUE, SE, P = (ESTIMATED.index(name) for name in ("value", "se", "p"))


class By(NamedTuple):
    """An analysis of a replicate."""

    plan: Plan
    name: str
    number: int


class Compared(NamedTuple):
    """Arms against control.

    Parameters
    ----------
    rows : (k, 7) the columns ESTIMATED.
    z : (k,) the two-sided p as a normal, positive where the arm does better; NaN without an estimate.
    loading : (k,) λ of the arms, from the numbers of participants.
    """

    rows: Floats
    z: Floats
    loading: Floats

    @property
    def better(self) -> Floats:
        """(k,) estimates turned so that positive is better."""
        sign = np.sign(self.z) * np.sign(self.rows[:, VALUE])
        return np.asarray(self.rows[:, VALUE] * np.where(sign == 0, 1.0, sign))


def arms_of(plan: Plan) -> tuple[str, ...]:
    """The arms against control, in the order of the allocation."""
    return against_control(plan.scenario)[0]


def data_of(plan: Plan, seen: ReplicateData, arm: str, kept: Bools, known: Floats | None = None) -> TrialData | None:
    """The data of an arm and the control among those `kept` : (n,), to the first analysis; None without either.

    At a look each is `known` : (n,) for so many days at most.
    """
    _, control = against_control(plan.scenario)
    one = plan._replace(arms=Contrast(arm, control))
    names = list(plan.scenario.arms)
    allocated = seen.patients["allocated_arm"]
    who = np.isin(allocated, [names.index(arm), names.index(control)])
    if not all((kept & (allocated == names.index(name))).any() for name in (arm, control)):
        return None
    last = plan.days[0] if known is None else np.minimum(known, plan.days[0])[who & kept]
    return until(where(observed(one, seen), kept[who]), last)


def compare(by: By, seen: ReplicateData, kept: Bools, there: Bools, known: Floats | None = None) -> Compared:
    """The arms that are `there` : (k,) against control by an analysis, among those `kept` : (n,); `known` as there."""
    plan = by.plan
    arms, control = against_control(plan.scenario)
    rows = np.full((len(arms), len(ESTIMATED)), np.nan)
    names, allocated = list(plan.scenario.arms), seen.patients["allocated_arm"]
    for k in np.flatnonzero(there):
        data = data_of(plan, seen, arms[k], kept, known)
        if data is not None:
            rows[k] = estimated(plan, by.name, data, by.number)
    counts = np.array([(kept & (allocated == names.index(arm))).sum() for arm in (*arms, control)], np.float64)
    z = direction(by.name, plan.outcome) * signed(rows[:, VALUE], rows[:, P])
    lam = loadings(np.maximum(counts[:-1], 1), max(float(counts[-1]), 1.0))
    return Compared(rows, np.where(np.isfinite(rows[:, VALUE]), z, np.nan), lam)


def everybody_on(plan: Plan, seen: ReplicateData) -> Floats:
    """(n,) day of the calendar on which each is randomised, whoever it is."""
    return randomised_on(plan, seen, whole=True)
