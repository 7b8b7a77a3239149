"""Checks of the block `trial` against the rest of the scenario: what cannot be met is refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from simulator.language.check import reads
from simulator.language.faults import Path, Problem, printable, suggest
from simulator.strategies import of_death, other_name
from simulator.units import DAYS_PER_MONTH

MEASURED = {"nfl_plasma": "nfl_plasma", "svc_percent": "svc", "alsfrs_r": "alsfrs_r", "alsfrs_r_lost": "alsfrs_r"}
"""Which assessment a limit or weight needs."""


@reads("trial", "arms")
def _blocks(scenario: Any) -> Iterator[Problem]:
    """Permuted blocks hold whole multiples of the ratio."""
    trial = scenario.trial
    if trial is None or trial.block_size is None or trial.allocation is None:
        return
    smallest = sum(trial.model_copy(update={"block_size": None}).block.values())
    if trial.block_size % smallest:
        fact = f"a block of {trial.block_size} cannot hold the ratio, whose smallest block has {smallest} people"
        yield Problem(("trial", "block_size"), fact, f"Write a multiple of {smallest}")


@reads("trial", "arms", "strata")
def _size(scenario: Any) -> Iterator[Problem]:
    """Enough people that no arm of the ratio can stay empty."""
    trial = scenario.trial
    if trial is None or trial.size is None or trial.counts is not None:
        return
    empty = may_be_empty(scenario, trial.size, [arm for arm in trial.arms if arm in scenario.arms])
    if empty is not None:
        yield Problem(("trial", "size"), *empty)


def may_be_empty(scenario: Any, size: int, arms: Iterable[str]) -> tuple[str, str] | None:
    """Fact and remedy where so few participants may leave one of the arms empty, as blocks fill in their order."""
    strata = list(scenario.strata or ["all"])
    least, arm = max(((scenario.trial.least_size(strata, arm), arm) for arm in arms), default=(0, ""))
    if size >= least:
        return None
    fact = f"allocation cannot be met: with a size of {size} {printable(arm)} may stay empty"
    return f"{fact}, as blocks have {least - 1} places in other arms", f"Ask for a size of {least} or more"


@reads("trial", "arms", "visits")
def _imbalance(scenario: Any) -> Iterator[Problem]:
    """Allocation leans towards an arm of the trial, on something that is measured at baseline."""
    trial = scenario.trial
    if trial is None or trial.imbalance is None:
        return
    path, wanted = ("trial", "imbalance"), trial.imbalance
    if wanted.arm not in trial.arms:
        fact = f"nobody is allocated to {printable(wanted.arm)}"
        yield Problem((*path, "arm"), fact, suggest(wanted.arm, trial.arms, "Arms of the trial"))
    elif len(trial.arms) < 2:
        yield Problem((*path, "arm"), "the trial has one arm, nothing can lean", "Remove imbalance")
    if trial.lead_in is not None:
        fact = "allocation can lean on what is measured at entry only, and people are randomised after a lead-in"
        yield Problem(path, fact, "Remove imbalance or lead_in")
    yield from _assessed(scenario, (*path, "measure"), wanted.measure)


def _assessed(scenario: Any, path: Path, measure: str) -> Iterator[Problem]:
    """What decides must be measured."""
    assessment = MEASURED.get(measure)
    if assessment is not None and assessment not in scenario.visits.assessments:
        fact = f"{measure} decides, but visits do not assess {assessment}"
        yield Problem(path, fact, f"Add {assessment} to visits.assessments")


@reads("trial", "visits", "arms", "follow_up_days")
def _lead_in(scenario: Any) -> Iterator[Problem]:
    """A lead-in ends at a visit and before any analysis, and what is given until then is the same in all arms."""
    trial = scenario.trial
    if trial is None or trial.lead_in is None:
        return
    path, end = ("trial", "lead_in"), trial.lead_in.days
    if not _visited(scenario, end):
        yield Problem((*path, "days"), f"there is no visit on day {end}, the day of randomisation", "Add one")
    for number, day in enumerate(trial.analysis_days):
        if day <= end:
            fact = f"day {day} is not after randomisation on day {end}"
            yield Problem(("trial", "analysis_days", number), fact, "All days count from entry: write a later one")
    for name in type(trial.lead_in.eligible).model_fields if trial.lead_in.eligible else ():
        if getattr(trial.lead_in.eligible, name) is not None:
            yield from _assessed(scenario, (*path, "eligible", name), name)
    before = {arm: _given_before(scenario.arms[arm], end) for arm in trial.arms if arm in scenario.arms}
    first = next(iter(before), "")
    for arm, given in before.items():
        if given != before[first]:
            fact = f"{printable(first)} and {printable(arm)} differ before randomisation on day {end}"
            yield Problem(("arms", arm), fact, "Give the same until then, or shorten trial.lead_in.days")


def _visited(scenario: Any, day: int) -> bool:
    """Whether a visit is planned on that day."""
    plan = scenario.visits
    return day in plan.days if plan.days is not None else day % plan.every_days == 0


@reads("trial", "visits", "follow_up_days")
def _measured_by_then(scenario: Any) -> Iterator[Problem]:
    """By the first analysis a visit after baseline is planned."""
    trial, plan = scenario.trial, scenario.visits
    if trial is None:
        return
    start, end, limit = trial.randomised_on, trial.analysis_days[0], scenario.follow_up_days
    days = plan.days or range(0, limit + 1, plan.every_days)
    first = next((day for day in days if start < day <= limit), None)
    if start < end <= limit and (first is None or end < first):
        remedy = "Plan one" if first is None else f"Choose day {first} or later"
        yield Problem(("trial", "analysis_days", 0), f"no visit after baseline is planned by day {end}", remedy)


def _given_before(epochs: Any, end: int) -> list[tuple[Any, ...]]:
    """Treatments of an arm up to a day; epochs that adjoin and do the same are one."""
    found: list[tuple[Any, ...]] = []
    for epoch in epochs:
        given = tuple(sorted(epoch.treatments))
        if not epoch.is_fixed or epoch.holds:
            found.append((given, epoch))
        elif epoch.from_day < end:
            to = min(epoch.to_day or end, end)
            goes_on = bool(found) and found[-1][::2] == (given, epoch.from_day) and not epoch.reload
            begun = found.pop() if goes_on else (given, epoch.from_day, to, epoch.reload)
            found.append((*begun[:2], to, begun[3]))
    return found


@reads("trial", "visits")
def _claims(scenario: Any) -> Iterator[Problem]:
    """The claims of a family are of analyses that exist."""
    trial = scenario.trial
    for number, claim in enumerate(trial.family.claims if trial is not None and trial.family else ()):
        if claim.analysis not in of_death():
            fact = f"there is no analysis {printable(claim.analysis)}"
            meant = other_name(claim.analysis)
            remedy = f"Write {meant.split(',')[0]}" if meant else suggest(claim.analysis, of_death(), "Analyses")
            yield Problem(("trial", "family", "claims", number, "analysis"), fact, remedy)
        if claim.outcome is not None and claim.outcome not in scenario.visits.assessments:
            fact = f"a claim is made of {claim.outcome}, but visits do not assess it"
            yield Problem(("trial", "family", "claims", number, "outcome"), fact, "Add it to visits.assessments")


@reads("trial")
def _looks(scenario: Any) -> Iterator[Problem]:
    """Looks come before the trial's end, and one by one: people reach the analysis as they accrue."""
    trial = scenario.trial
    if trial is None or trial.interim is None:
        return
    path = ("trial", "interim")
    if trial.accrual_per_month is None:
        fact = "without accrual everybody is enrolled on one day, and all reach the analysis together"
        yield Problem(path, fact, "Add trial.accrual_per_month")
        return
    end = round(expected_accrual_days(trial, trial.enrolled) + trial.analysis_days[0])
    for number, day in enumerate(trial.interim.days or []):
        if day < trial.analysis_days[0]:
            fact = f"on day {day} nobody can have reached the first analysis, {trial.analysis_days[0]} days after entry"
            yield Problem((*path, "days", number), fact, "Look later, or remove it")
        if day >= end:
            fact = f"the look on day {day} is not before the first analysis is complete, on about day {end:,}"
            yield Problem((*path, "days", number), fact, "Look earlier, or remove it")


def expected_accrual_days(trial: Any, people: int) -> float:
    """Days until so many people are expected to have entered."""
    start, left = 0.0, float(people)
    for piece in trial.accrual_per_month or []:
        rate = piece.rate.value / DAYS_PER_MONTH
        if piece.until_day is None or left <= rate * (piece.until_day - start):
            return start + left / rate
        left -= rate * (piece.until_day - start)
        start = float(piece.until_day)
    return 0.0
