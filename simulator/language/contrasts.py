"""Which arms are set against which, and which days are asked about: from the design, not from names or places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.language.check import reads
from simulator.language.faults import Problem, printable, suggest

if TYPE_CHECKING:
    from simulator.language.care import Epoch
    from simulator.language.scenario import Scenario

COURSE = ("baseline", "trigger", "onset", "phenoconversion", "diagnosis")
"""What an epoch may wait for, in the order of the disease's course."""

Amount = tuple[int, int]


@reads("control", "arms")
def _control(scenario: Scenario) -> Iterator[Problem]:
    """The control is an arm."""
    if (name := scenario.control) is not None and name not in scenario.arms:
        fact = f"there is no arm {printable(name)}"
        yield Problem(("control",), fact, suggest(name, scenario.arms, "Arms"))


def amount(scenario: Scenario, arm: str) -> Amount:
    """How much an arm is treated: days in all treatments together, then how early in the course it begins.

    Days are those planned by the end of follow-up; an epoch that waits for an event, or for one to end it, is counted
    as if that came at baseline, or not at all.
    """
    epochs, end = scenario.arms[arm], scenario.follow_up_days
    days = sum(len(epoch.treatments) * max(_end(epoch, end) - max(epoch.from_day, 0), 0) for epoch in epochs)
    waits = [COURSE.index(name) for epoch in epochs[:1] for name in epoch.after or ("baseline",)]
    return days, -min(waits, default=len(COURSE))


def _end(epoch: Epoch, end: int) -> int:
    return end if epoch.to_day is None or epoch.until is not None else min(epoch.to_day, end)


def control_of(scenario: Scenario, among: Sequence[str] | None = None) -> str:
    """The arm that others are set against: the scenario's `control`, or the least treated; of several the first.

    Parameters
    ----------
    scenario : Scenario
    among : sequence of str, optional
        The arms to choose from, such as those that people are allocated to; all by default.
    """
    arms = list(scenario.arms) if among is None else list(among)
    if scenario.control in arms:
        return str(scenario.control)
    return min(arms, key=lambda arm: amount(scenario, arm))


def contrasts(scenario: Scenario) -> list[tuple[str, str]]:
    """Pairs of arms, the second the one set against.

    Each arm against the control; the other arms of the trial against the least treated of them; the pair of the block
    `sensitivity`; and, of three arms, the two treated ones, the more treated first.
    """
    arms, trial, block = list(scenario.arms), scenario.trial, scenario.sensitivity
    control = control_of(scenario)
    found = _against(control, arms)
    enrolled = [arm for arm in arms if trial is not None and arm in trial.arms]
    if enrolled:
        found += _against(control_of(scenario, enrolled), enrolled)
    if block is not None and block.against is not None:
        found.append((block.arm, block.against))
    rest = [arm for arm in arms if arm != control]
    if len(rest) == 2 and amount(scenario, rest[0]) != amount(scenario, rest[1]):
        less, more = sorted(rest, key=lambda arm: amount(scenario, arm))
        found.append((more, less))
    kept: dict[frozenset[str], tuple[str, str]] = {}
    for pair in found:
        kept.setdefault(frozenset(pair), pair)
    return list(kept.values())


def _against(control: str, arms: Iterable[str]) -> list[tuple[str, str]]:
    return [(arm, control) for arm in arms if arm != control]


def named_days(scenario: Scenario) -> tuple[int, ...]:
    """The days that a scenario asks about: those of its trial's analyses, or else of the blocks that ask."""
    if scenario.trial is not None:
        return tuple(scenario.trial.analysis_days)
    blocks = (scenario.sensitivity, scenario.decision)
    return tuple(sorted({block.day for block in blocks if block is not None and block.day is not None}))
