"""Earlier controls of a trial, as its analyses borrow them: checked before anything runs, and what they are worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.trial.data import Group
from simulator.analysis.trial.earlier import Known, known, worth_of
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.registry import analysis
from simulator.language.faults import Path, Problem

if TYPE_CHECKING:
    from simulator.language.blocks.earlier_controls import EarlierControls
    from simulator.language.scenario import Scenario
    from simulator.studies.trial.plan import Claim, Plan

PLACE: Path = ("trial", "earlier_controls")


def groups_of(scenario: Scenario, outcome: str, endpoint: str) -> tuple[Group, ...]:
    """What the earlier controls of a scenario tell of an outcome and an endpoint."""
    trial = scenario.trial
    return of_written(trial.earlier_controls or [] if trial is not None else [], outcome, endpoint)


def of_written(written: Iterable[EarlierControls], outcome: str, endpoint: str) -> tuple[Group, ...]:
    """The same of the section."""
    found = []
    for one in written:
        group = Group(one.name, float(one.day))
        if one.change is not None and one.outcome == outcome:
            of = one.change
            group = group._replace(mean=of.mean.value, sd=of.sd.value, people=float(of.people))
        if one.events is not None and one.endpoint == endpoint:
            group = group._replace(events=float(one.events.number), years=one.events.years.value)
        found.append(group)
    return tuple(found)


def check(scenario: Scenario, options: Mapping[str, Any], uses: Sequence[Claim]) -> None:
    """Refuse an analysis that borrows what is not there, or in a way that contradicts itself.

    Raises
    ------
    SimulatorError
        With its place in the scenario; or AnalysisError, where an option is wrong.
    """
    for use in uses:
        borrows = analysis(use.analysis).borrows
        if borrows is None:
            return
        borrows.prior(options)
        if borrows.what == "scores":
            continue
        try:
            known(groups_of(scenario, use.outcome, use.endpoint), borrows.what, float(use.day), use.analysis)
        except AnalysisError as error:
            fact, _, remedy = str(error).partition(". ")
            raise AnalysisError(str(scenario.fault(Problem(PLACE, fact, remedy.rstrip("."))))) from None


def told(plan: Plan) -> Iterator[str]:
    """What the priors of controls are worth before the trial, for each analysis that borrows, on the first day."""
    groups = groups_of(plan.scenario, plan.outcome, plan.endpoint)
    for name in plan.analyses:
        borrows = analysis(name).borrows
        if borrows is None:
            continue
        make = borrows.prior(plan.options.get(name, {}))
        if borrows.what == "scores":
            of, words, unit = Known(np.zeros(1), np.zeros(1), 1.0), "what the model expects counts", "participants"
        else:
            of = known(groups, borrows.what, float(plan.days[0]), name)
            words = (
                f"{len(of.value)} groups of earlier controls count" if len(of.value) > 1 else "earlier controls count"
            )
            unit = "participants" if borrows.what == "change" else "events"
        count = worth_of(make(of), of)
        yield f"{name}: {words} as {count:.1f} {unit} of control before the trial, and less where it is unlike them"
