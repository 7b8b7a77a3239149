"""What the looks of a trial come to, as a group with names and units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.replicates import Clusters, Measure, mean_known
from simulator.analysis.trial.sequential import FAR
from simulator.results.arrays import Group, Named, names_of
from simulator.studies.trial.looks import CALENDAR, looks
from simulator.studies.trial.rows import Block
from simulator.studies.trial.sequential import (
    ROUNDED,
    Rules,
    Sequential,
    boundaries,
    estimated_after,
    operating,
    rules,
    stopped,
)

if TYPE_CHECKING:
    from simulator.studies.trial.blocks import Work

WORDS = {
    "benefit": ("1", "share of replicates that end with the claim of benefit"),
    "harm": ("1", "share that end with the claim of harm"),
    "futility": ("1", "share that stop for futility"),
    "participants": ("1", "participants randomised by the end, mean"),
    "days": ("d", "day of the calendar on which the trial ends, mean; 0 is the first enrolment"),
    "value": ("1", "estimate at the end, mean"),
    "median": ("1", "median unbiased estimate at the end, mean"),
    "median_below": ("1", "share of the median unbiased estimates that are below the truth"),
    "covered": ("1", "share of its 95 % intervals that hold the truth"),
    "repeated_covered": ("1", "share of the repeated intervals that hold the truth"),
    "information_at": ("1", "part of the information at the look, mean"),
    "benefit_at": ("1", "share that claim benefit at this look; the last is the end"),
    "stopped_at": ("1", "share that end at this look; the last is the end"),
    "calendar_day": ("d", "day of the calendar of the look, mean"),
    "randomised": ("1", "participants randomised by the look, mean"),
    "reached": ("1", "participants who have reached the day of the first analysis, mean"),
    "efficacy": ("1", "boundary of |Z| at the mean information"),
    "futility_bound": ("1", "Z at or below which the trial is futile; NaN: none"),
}


def interim(work: Work, found: Block, true: Sequence[float]) -> Group:
    """Operating characteristics of the looks; their boundaries where calendar and information are as on average.

    `true` : of each analysis, NaN where it is not known.

    Raises
    ------
    ValueError
        The trial has no looks.
    """
    trial, plan = work.plan.scenario.trial, work.plan
    if trial is None or trial.interim is None:
        raise ValueError("the trial has no looks")
    rule, count = rules(trial.interim, trial.posterior), looks(plan)
    each = []
    for a, name in enumerate(plan.analyses):
        at = stopped(rule, name, found, a, plan.outcome)
        each.append(operating(at, count, work.draw, estimated_after(rule, at, name, plan.outcome), true[a]))
    labels: Group = {
        "analysis": Named(("analysis",), names_of(plan.analyses), {"units": "1", "long_name": "analysis"}),
        "look": Named(("look",), np.arange(1, count + 2, dtype=np.int32), {"units": "1", "long_name": "look"}),
    }
    return {**labels, **_each(each), **_calendar(found, work.draw), **_bounds(rule, each)}


def _each(each: list[Sequential]) -> Group:
    found: Group = {}
    for name in Sequential._fields:
        values = [getattr(one, name) for one in each]
        single = isinstance(values[0], Measure)
        dims = ("analysis",) if single else ("analysis", "look")
        for part, suffix in (("value", ""), ("mcse", "_mcse")):
            rows = [getattr(one, part) if single else [getattr(at, part) for at in one] for one in values]
            found[name + suffix] = Named(dims, np.array(rows, np.float64), _attrs(name, suffix))
    return found


def _calendar(found: Block, draw: Clusters) -> Group:
    """Means over the replicates in which a look is held."""
    held = [[mean_known(at, draw)[:2] for at in column.T] for column in np.moveaxis(found.calendar, 2, 0)]
    table = np.array(held, np.float64)  # (column of CALENDAR, look, 2)
    return {
        name + suffix: Named(("look",), table[k, :, part], _attrs(name, suffix))
        for k, name in enumerate(CALENDAR)
        for part, suffix in enumerate(("", "_mcse"))
    }


def _bounds(rule: Rules, each: list[Sequential]) -> Group:
    """The boundaries of each analysis at its mean information."""
    rows = []
    for one in each:
        at = np.round([look.value for look in one.information_at], ROUNDED)
        held = np.unique(at[np.isfinite(at)])
        bounds = boundaries(rule, tuple(held.tolist()))
        place = np.searchsorted(held, np.nan_to_num(at, nan=1.0))
        futile = np.where(bounds.futility <= bounds.harm, np.nan, bounds.futility)
        claimed = np.where(bounds.efficacy < FAR, bounds.efficacy, np.nan)
        rows.append((claimed[place], futile[place]))
    found, dims = np.array(rows), ("analysis", "look")
    return {name: Named(dims, found[:, k], _attrs(name, "")) for k, name in enumerate(("efficacy", "futility_bound"))}


def _attrs(name: str, suffix: str) -> dict[str, Any]:
    unit, words = WORDS[name]
    return {"units": unit, "long_name": f"{words}{', Monte Carlo standard error' if suffix else ''}"}
