"""One replicate after another: simulate, see it as a trial, analyse it; rows of numbers come out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.data import TrialData, until
from simulator.replicate import ReplicateData, Replicator, first
from simulator.studies.trial.comparisons.course import follow
from simulator.studies.trial.comparisons.platform import entered
from simulator.studies.trial.entering import most
from simulator.studies.trial.looks import CALENDAR, at_looks, calendar, looks, randomised_on
from simulator.studies.trial.plan import Plan, claims_of, compared, people_of, platform_of
from simulator.studies.trial.rows import ARM, COUNTED, ESTIMATED, WHOLE, Block, estimated, observed

Floats = NDArray[np.float64]


def bytes_of(plan: Plan) -> int:
    """Bytes of what is kept of a replicate."""
    found = len(plan.analyses) * (len(plan.days) + looks(plan)) * len(ESTIMATED)
    found += len(plan.analyses) * (len(compared(plan)) * len(ARM) + len(WHOLE))
    return 8 * (found + len(plan.days) * 2 * len(COUNTED) + (looks(plan) + 1) * len(CALENDAR))


def block(plan: Plan, space: Replicator, seed: int, numbers: range) -> Block:
    """The replicates with these numbers."""
    found = Block(
        np.full((len(numbers), len(plan.analyses), len(plan.days), len(ESTIMATED)), np.nan),
        np.zeros((len(numbers), len(plan.days), 2, len(COUNTED))),
        np.full((len(numbers), len(plan.analyses), looks(plan), len(ESTIMATED)), np.nan),
        np.full((len(numbers), looks(plan) + 1, len(CALENDAR)), np.nan),
        np.full((len(numbers), len(claims_of(plan)), len(ESTIMATED)), np.nan),
        np.full((len(numbers), len(plan.analyses), len(compared(plan)), len(ARM)), np.nan),
        np.full((len(numbers), len(plan.analyses), len(WHOLE)), np.nan),
    )
    for row, number in enumerate(numbers):
        came = space.replicate(seed, number, most(plan.scenario, people_of(plan)))
        everybody = came if platform_of(plan) is None else entered(plan, came, seed, number)
        seen = first(everybody, most(plan.scenario, plan.size)) if people_of(plan) > plan.size else everybody
        data = observed(plan, seen)
        found.looks[row], found.calendar[row] = looked_at(plan, plan.analyses, data, randomised_on(plan, seen), number)
        for d, day in enumerate(plan.days):
            by_then = until(data, day)
            found.counts[row, d] = counted(by_then)
            for a, name in enumerate(plan.analyses):
                found.estimates[row, a, d] = estimated(plan, name, by_then, number)
        found.claims[row] = _claimed(plan, seen, number, found.estimates[row])
        for a, name in enumerate(plan.analyses if compared(plan) else ()):
            found.arms[row, a], found.course[row, a] = follow(plan, name, came, seed, number)
    return found


def _claimed(plan: Plan, seen: ReplicateData, number: int, done: Floats) -> Floats:
    """(claim, 7) the columns ESTIMATED of the claims; done : (analysis, day, 7) those of the plan's own outcome."""
    claims = claims_of(plan)
    found = np.full((len(claims), len(ESTIMATED)), np.nan)
    for k, one in enumerate(claims):
        if (one.outcome, one.endpoint) == (plan.outcome, plan.endpoint):
            found[k] = done[plan.analyses.index(one.analysis), plan.days.index(one.day)]
        else:
            other = observed(plan._replace(outcome=one.outcome, endpoint=one.endpoint), seen)
            found[k] = estimated(plan, one.analysis, until(other, one.day), number)
    return found


def looked_at(
    plan: Plan, names: Sequence[str], data: TrialData, randomised: Floats, number: int
) -> tuple[Floats, Floats]:
    """(analysis, look, 7) the estimates at the looks of a replicate, NaN where none is held; (look + 1, 3) CALENDAR."""
    held = calendar(plan, randomised)
    found = np.full((len(names), len(held) - 1, len(ESTIMATED)), np.nan)
    for k, known in enumerate(at_looks(plan, data, randomised, held)):
        if known is not None:
            found[:, k] = [estimated(plan, name, known, number) for name in names]
    return found, held


def counted(data: TrialData) -> Floats:
    """(2, 5) the columns COUNTED of data that end on a day of analysis."""
    end, last = data.time.max(), np.isfinite(data.outcome[:, -1])
    columns = (np.ones(data.n), data.event, ~data.event & (data.time < end), ~data.event & ~last, data.time)
    sums = np.array([[np.asarray(column, np.float64)[data.arm == arm].sum() for column in columns] for arm in (1, 0)])
    sums[:, -1] /= sums[:, 0]
    return sums
