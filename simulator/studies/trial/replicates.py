"""One replicate after another: simulate, see it as a trial, analyse it; rows of numbers come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial import reading
from simulator.analysis.trial.data import TrialData, until
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.registry import analysis
from simulator.replicate import LEAD_IN_CHANGE, Replicator, Seen
from simulator.studies.trial.entering import most
from simulator.studies.trial.looks import CALENDAR, at_looks, calendar, looks, randomised_on
from simulator.studies.trial.plan import Plan, claims_of
from simulator.studies.trial.scores import of_participants

Floats = NDArray[np.float64]
ESTIMATED = ("value", "se", "df", "lower", "upper", "p", "n")
COUNTED = ("participants", "events", "left", "missing", "followed_days")
"""Of an arm by a day of analysis: its participants; who had the event; who left before it; who was not measured at the
last visit without having had the event; mean days to event, leaving or analysis."""
NFL = "nfl_plasma"


class Block(NamedTuple):
    """Consecutive replicates, r of them.

    Parameters
    ----------
    estimates : (r, analysis, day, 7) the columns ESTIMATED, NaN where the data did not determine the estimate.
    counts : (r, day, 2, 5) the columns COUNTED; arms experimental, control.
    looks : (r, analysis, look, 7) the columns ESTIMATED at the looks before the first analysis.
    calendar : (r, look + 1, 3) the columns CALENDAR at the looks and at the end of the first analysis.
    claims : (r, claim, 7) the columns ESTIMATED of the claims of the trial's family.
    """

    estimates: Floats
    counts: Floats
    looks: Floats
    calendar: Floats
    claims: Floats


def bytes_of(plan: Plan) -> int:
    """Bytes of what is kept of a replicate."""
    found = len(plan.analyses) * (len(plan.days) + looks(plan)) * len(ESTIMATED)
    return 8 * (found + len(plan.days) * 2 * len(COUNTED) + (looks(plan) + 1) * len(CALENDAR))


def block(plan: Plan, space: Replicator, seed: int, numbers: range) -> Block:
    """The replicates with these numbers."""
    found = Block(
        np.full((len(numbers), len(plan.analyses), len(plan.days), len(ESTIMATED)), np.nan),
        np.zeros((len(numbers), len(plan.days), 2, len(COUNTED))),
        np.full((len(numbers), len(plan.analyses), looks(plan), len(ESTIMATED)), np.nan),
        np.full((len(numbers), looks(plan) + 1, len(CALENDAR)), np.nan),
        np.full((len(numbers), len(claims_of(plan)), len(ESTIMATED)), np.nan),
    )
    for row, number in enumerate(numbers):
        seen = space.replicate(seed, number, most(plan.scenario, plan.size))
        data = observed(plan, seen)
        found.looks[row], found.calendar[row] = looked_at(plan, plan.analyses, data, randomised_on(plan, seen), number)
        for d, day in enumerate(plan.days):
            by_then = until(data, day)
            found.counts[row, d] = counted(by_then)
            for a, name in enumerate(plan.analyses):
                found.estimates[row, a, d] = estimated(plan, name, by_then, number)
        found.claims[row] = _claimed(plan, seen, number, found.estimates[row])
    return found


def _claimed(plan: Plan, seen: Seen, number: int, done: Floats) -> Floats:
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


def observed(plan: Plan, seen: Seen) -> TrialData:
    """What the trial saw of a replicate: the same data as `reading.from_result` makes of its result."""
    arms = list(plan.scenario.arms)
    places = tuple(map(arms.index, plan.arms))
    told = reading.Seen(
        seen.patients["allocated_arm"], ranked(plan, seen), seen.nominal_day, seen.observed, seen.events, seen.patients
    )
    data = reading.from_arrays(
        told, (places[0], places[1]), places, outcome=plan.outcome, endpoint=plan.endpoint, log=NFL
    )
    if plan.prognostic is not None and plan.outcome == plan.prognostic.outcome:
        data = data._replace(expected=of_participants(plan.prognostic, seen, places))
    if LEAD_IN_CHANGE not in seen.patients:
        return data
    before = seen.patients[LEAD_IN_CHANGE][np.isin(seen.patients["allocated_arm"], places)]
    return data._replace(covariates={**data.covariates, LEAD_IN_CHANGE: before.astype(np.float64)})


def ranked(plan: Plan, seen: Seen) -> NDArray[np.int64]:
    """(n,) strata in the order of the alphabet, which is that of a result, where strata have names."""
    rank = np.argsort(np.argsort(list(plan.scenario.strata or ["all"])))
    return np.asarray(rank[seen.patients["stratum"]])


def estimated(plan: Plan, name: str, data: TrialData, number: int) -> tuple[float, ...]:
    """One analysis of one replicate, in the order of ESTIMATED."""
    one, options = analysis(name), dict(plan.options.get(name, {}))
    if one.draws:
        options["seed"] = number
    try:
        found = one.run(data, **options)
    except NotEstimableError:
        return (np.nan,) * len(ESTIMATED)
    return found.value, found.se, found.df, found.lower, found.upper, found.p, found.n


def counted(data: TrialData) -> Floats:
    """(2, 5) the columns COUNTED of data that end on a day of analysis."""
    end, last = data.time.max(), np.isfinite(data.outcome[:, -1])
    columns = (np.ones(data.n), data.event, ~data.event & (data.time < end), ~data.event & ~last, data.time)
    sums = np.array([[np.asarray(column, np.float64)[data.arm == arm].sum() for column in columns] for arm in (1, 0)])
    sums[:, -1] /= sums[:, 0]
    return sums
