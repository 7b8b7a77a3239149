"""How people and regimens meet over the calendar of a platform: who enters what, when each regimen opens and ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import floor, inf

import numpy as np
from numpy.typing import NDArray

from simulator.engine.allocation import NOBODY
from simulator.replicate import ReplicateData
from simulator.studies.trial.plan import ENROLMENT, Plan, against_control, platform_of

Floats = NDArray[np.float64]


@dataclass
class Course:
    """What has happened so far; people by their place, regimens by theirs."""

    analysed: float  # [d] from entry to the analysis
    pause: float | None  # [d] between regimens that run in turn
    opens: list[float]  # (k,) day of the calendar, infinite while it is not known
    left: list[int]  # (k,) places that are not taken
    day: Floats  # (n,) on which each entered, infinite for who has not
    regimen: NDArray[np.int64]  # (n,) or NOBODY
    arm: NDArray[np.int8]  # (n,) or NOBODY
    ended: list[float] = field(default_factory=list)  # (k,) day of the analysis or of the look that ended it
    stopped: list[bool] = field(default_factory=list)  # (k,) whether a look ended it
    closed: float = 0.0  # [d] in which nobody came, as no regimen was open

    def __post_init__(self) -> None:
        self.ended, self.stopped = [inf for _ in self.opens], [False for _ in self.opens]

    def open_on(self, day: float) -> list[int]:
        """Regimens that take people on a day."""
        return [k for k, first in enumerate(self.opens) if first <= day and self.left[k] and not self.stopped[k]]

    def next_opening(self) -> float:
        """Day on which the next regimen opens; infinite where none will."""
        return min((day for k, day in enumerate(self.opens) if self.left[k] and not self.stopped[k]), default=inf)

    def running(self, day: float) -> list[int]:
        """Regimens that have opened, and have not ended by a day."""
        return [k for k, first in enumerate(self.opens) if first <= day < self.ended[k]]

    def end(self, k: int, day: float) -> None:
        """A regimen ends on a day; where they run in turn the next will open."""
        self.ended[k] = day
        if self.pause is not None and k + 1 < len(self.opens):
            self.opens[k + 1] = day + self.pause

    def enter(self, person: int, k: int, day: float, arm: int) -> None:
        """A participant takes a place of a regimen; with the last one its analysis has a day."""
        self.day[person], self.regimen[person], self.arm[person] = day, k, arm
        self.left[k] -= 1
        if not self.left[k]:
            self.end(k, floor(day) + self.analysed)


Look = Callable[[Course, float], Iterable[int]]
"""What a look on a day of the calendar ends: numbers of regimens."""


class _Watch:
    """Looks at all regimens every so many days; none without a rule."""

    def __init__(self, every: float, look: Look | None) -> None:
        self.every, self.look = every, look
        self.next = every if look else inf

    def hold(self, at: Course) -> None:
        """The next look."""
        assert self.look is not None
        if at.running(self.next):
            for k in self.look(at, self.next):
                at.stopped[k] = True
                at.end(k, self.next)
        self.next += self.every

    def until(self, at: Course, day: float) -> None:
        """All looks up to a day."""
        while self.next <= day:
            self.hold(at)


def walk(plan: Plan, seen: ReplicateData, seed: int, number: int, look: Look | None = None) -> Course:
    """The course of a replicate; the same people come in the same order, whatever a `look` ends."""
    platform, trial = platform_of(plan), plan.scenario.trial
    assert platform is not None
    assert trial is not None
    arms, control = against_control(plan.scenario)
    names, count = list(plan.scenario.arms), len(seen.patients[ENROLMENT])
    places = plan.size // len(arms)
    rng = np.random.default_rng([seed % 2**63, number])
    luck = rng.random(count)
    blocks = [np.repeat([names.index(own), names.index(control)], [trial.block[own], trial.block[control]])
              for own in arms]  # fmt: skip
    to = [np.concatenate([rng.permutation(one) for _ in range(-(-places // len(one)))]).tolist() for one in blocks]
    opens = [0.0, *[inf] * (len(arms) - 1)] if platform.opens is None else [platform.opens[arm].value for arm in arms]
    nobody = np.full(count, NOBODY)
    pause = None if platform.in_turn is None else platform.in_turn.value
    at = Course(
        plan.days[0], pause, opens, [places] * len(arms), np.full(count, inf), nobody.copy(), nobody.astype(np.int8)
    )
    watch = _Watch(platform.looks.every_days if platform.looks else inf, look)
    came = seen.patients[ENROLMENT].astype(np.float64)
    for person in np.argsort(came, kind="stable").tolist():
        day = _door(at, watch, float(came[person]))
        if day == inf:
            break
        there = at.open_on(day)
        k = there[int(luck[person] * len(there))]
        at.enter(person, k, day, to[k][places - at.left[k]])
    while watch.next < max(at.ended):
        watch.hold(at)
    return at


def _door(at: Course, watch: _Watch, came: float) -> float:
    """Day on which who came enters; infinite where no regimen will be open. What is closed counts as no time."""
    while True:
        day = came + at.closed
        watch.until(at, day)
        if at.open_on(day):
            return day
        opening = at.next_opening()
        if watch.next <= opening < inf:  # it may open a regimen before
            watch.hold(at)
        elif opening < inf:
            at.closed += opening - day
        else:
            return inf
