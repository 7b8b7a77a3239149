"""What is kept of replicates, and how one is seen by its trial and by an analysis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial import reading
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.registry import analysis
from simulator.replicate import LEAD_IN_CHANGE, ReplicateData
from simulator.studies.trial.borrowed import groups_of
from simulator.studies.trial.plan import ENROLMENT, Plan, platform_of
from simulator.studies.trial.scores import of_participants

Floats = NDArray[np.float64]
ESTIMATED = ("value", "se", "df", "lower", "upper", "p", "n")
COUNTED = ("participants", "events", "left", "missing", "followed_days")
"""Of an arm by a day of analysis: its participants; who had the event; who left before it; who was not measured at the
last visit without having had the event; mean days to event, leaving or analysis."""
REGIMEN = ("opened", "ended", "controls", "enrolled_then", "on_control_then")
ARM = (*ESTIMATED, "why", "look", "undecided", "participants", *REGIMEN)
"""Of an arm against control: the estimate where it ended; BENEFIT, HARM, FUTILITY, UNSAFE or NOTHING; the look, the end
being the number of looks; looks, with the end, at which it had no estimate; participants who were randomised to it. Of
a regimen of a platform too, else NaN: days of the calendar of its first participant and of its end; controls with whom
it is compared; participants of the platform randomised by its end, and those of them on control."""
WHOLE = ("participants", "days", "looks", "trend_p", "on_control")
"""Of their trial: participants randomised, day of the calendar on which it ends, looks held, one-sided p of a trend,
participants on control."""
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
    arms : (r, analysis, arm, 16) the columns ARM of the arms against control.
    course : (r, analysis, 5) the columns WHOLE of their trial.
    """

    estimates: Floats
    counts: Floats
    looks: Floats
    calendar: Floats
    claims: Floats
    arms: Floats
    course: Floats


def observed(plan: Plan, seen: ReplicateData) -> TrialData:
    """What the trial saw of a replicate: the same data as `reading.from_result` makes of its result."""
    arms = list(plan.scenario.arms)
    places = tuple(map(arms.index, plan.arms))
    told = reading.TrialSource(
        seen.patients["allocated_arm"], ranked(plan, seen), seen.nominal_day, seen.observed, seen.events, seen.patients
    )
    data = reading.from_arrays(
        told, (places[0], places[1]), places, outcome=plan.outcome, endpoint=plan.endpoint, log=NFL
    )
    if plan.prognostic is not None and plan.outcome == plan.prognostic.outcome:
        data = data._replace(expected=of_participants(plan.prognostic, seen, places))
    who = told.allocated == places[0]
    who |= told.allocated == places[1]
    entering = (LEAD_IN_CHANGE, *[ENROLMENT] * (platform_of(plan) is not None))
    more = {name: seen.patients[name][who].astype(np.float64) for name in entering if name in seen.patients}
    earlier = groups_of(plan.scenario, plan.outcome, plan.endpoint)
    return data._replace(covariates={**data.covariates, **more}, earlier=earlier)


def ranked(plan: Plan, seen: ReplicateData) -> NDArray[np.int64]:
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
