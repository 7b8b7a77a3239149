"""Interim looks: the calendar of a trial, and its data as they are known on a day of it."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.data import TrialData, until, where
from simulator.replicate import ReplicateData
from simulator.studies.trial.plan import Plan

Floats = NDArray[np.float64]
CALENDAR = ("calendar_day", "randomised", "reached")
"""Of a look: its day of the calendar, which begins with the first enrolment; participants who are randomised by then;
those of them who have reached the day of the first analysis."""


def looks(plan: Plan) -> int:
    """Looks before the end."""
    interim = plan.scenario.trial.interim if plan.scenario.trial else None
    return 0 if interim is None else len(interim.shares or interim.days or [])


def randomised_on(plan: Plan, seen: ReplicateData, *, whole: bool = False) -> Floats:
    """(n,) day of the calendar on which each is randomised; without accrual all are on one.

    Of the participants of the plan's two arms, or with `whole` of all people.
    """
    allocated = seen.patients["allocated_arm"]
    entered = seen.patients.get("enrolment_day", np.zeros(len(allocated)))
    if not whole:
        one, other = map(list(plan.scenario.arms).index, plan.arms)
        entered = entered[(allocated == one) | (allocated == other)]
    return np.floor(entered) + (plan.scenario.trial.randomised_on if plan.scenario.trial else 0)


def calendar(plan: Plan, randomised: Floats) -> Floats:
    """(look + 1, 3) the columns CALENDAR; the last row is the end of the first analysis.

    A look on a share is held when as many have reached the day of analysis. A look at which nobody has, or at which all
    have, or no more than at the look before, tells nothing and is not held: NaN.
    """
    trial, reaches = plan.scenario.trial, np.sort(randomised + plan.days[0])
    interim = None if trial is None else trial.interim
    days = [] if interim is None else [float(day) for day in interim.days or []]
    if interim is not None and interim.shares is not None:
        days = [float(reaches[ceil(float(share) * len(reaches)) - 1]) for share in interim.shares]
    found = np.full((len(days) + 1, len(CALENDAR)), np.nan)
    before = 0
    for k, day in enumerate([*days, reaches[-1]]):
        reached = int(np.searchsorted(reaches, day, side="right"))
        if before < reached < len(reaches) or k == len(days):
            found[k] = day, np.count_nonzero(randomised <= day), reached
            before = reached
    return found


def at_looks(plan: Plan, data: TrialData, randomised: Floats, held: Floats) -> Iterator[TrialData | None]:
    """The data as known at each look, up to the first day of analysis of everybody; None where none is held."""
    for day in held[:-1, 0]:
        if np.isnan(day):
            yield None
            continue
        there = randomised <= day
        known = np.minimum(day - randomised[there], plan.days[0])
        some = where(data, there)
        yield until(some, known) if 0 < some.arm.sum() < some.n else None
