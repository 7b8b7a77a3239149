"""Patients' own calendars of doses, planned week by week: what was decided meanwhile can still change what comes.

A course is a run of epochs with the drug in which each begins on the day on which the one before ended: its calendar
goes on from epoch to epoch. At the start of each week the doses of that week are put into the patient's calendar, which
the week's step and every look into it then read. What is pending stands in the patient's line of `lives` (see
lives.py). Section 8 of docs/model.md.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from simulator.engine import columns as life
from simulator.engine import rows, safety
from simulator.engine.choice import Table, by_type
from simulator.engine.columns import (
    BEGAN,
    COUNT,
    COURSE,
    DUE,
    ENDED,
    EPOCH,
    EVERY,
    FREE,
    NEVER,
    NEXT,
    NUMBER,
    SAMPLES,
    STARTED,
    SUM_NFL,
)
from simulator.engine.jit import LANES, block, inline, kept, merge
from simulator.engine.mathematics import ONE, ZERO, F
from simulator.engine.random import U32, Stream, uniforms
from simulator.engine.rows import CANDIDATE, DEATH, PATIENT, SLOT, STOP
from simulator.engine.space import NOBODY

DOSE = U32(Stream.DOSE)
WEEK = 7
GRACE_DAYS = F(14.0)
COURSE_NUMBERS = 4096
"""Dose numbers of a course in the random key."""
FROM, FROM_DAY, UNTIL, TO_DAY, RELOAD = range(5)
"""Columns of an epoch: events as bits, the first of which counts, and days after it; no bits: never. And whether it
begins with loading in any case."""


class Shared(NamedTuple):
    """In every arm, patients share the arm's calendar."""


class Own(NamedTuple):
    """What the calendars of patients are planned from, where those of an arm have their own."""

    own: np.ndarray  # (arm,) bool: each patient has a calendar of their own
    epoch: np.ndarray  # (epoch, 5) int32
    epoch_start: np.ndarray  # (arm + 1,) int32
    hold: np.ndarray  # (hold, 2) int32: first day and end of planned holds, days since their epoch's start
    hold_start: np.ndarray  # (epoch + 1,) int32
    horizon: np.int64  # first day that is not simulated
    loading: np.ndarray  # (loading dose,) int32: days since the course's start, all arms
    loading_start: np.ndarray  # (arm + 1,) int32
    every: np.ndarray  # (arm,) int32: maintenance interval
    keep: np.ndarray  # (arm,) bool: a late dose keeps the calendar (policy `article`), otherwise it moves it (`label`)
    missed: np.ndarray  # (arm,) float32: probability that a dose is missed
    delay_max: np.ndarray  # (arm,) float32: longest delay of a missed dose, days
    stop_rate: np.ndarray  # (arm,) float32: hazard per day of giving the drug up
    reactions: np.ndarray  # (arm, process, column) float32: tables of safety.py


_ANSWERS: dict[str, Table] = {}


def _by_calendars(stub: Callable, inline: bool = True) -> Callable:
    return by_type(_ANSWERS.setdefault(stub.__name__, {}), inline)(stub)


def answer(kind: type, **functions: Callable) -> None:
    """Register what is done where calendars are shared, or patients' own."""
    for name, function in functions.items():
        _ANSWERS[name][kind] = function


@_by_calendars
def are_own(own, a):
    """Whether patients of arm `a` have calendars of their own."""


@_by_calendars
def begin(own, a, w, s, space):
    """Before day 0, in an arm with own calendars: nothing is planned; onset and diagnosis are known."""


@_by_calendars
def plan(own, a, key, w, s, space, step):
    """Put the doses of the week `step` into the own calendars of a block."""


@partial(_by_calendars, inline=False)
def treat(own, a, model, drug, table, given, w, s, step, days, addon):
    """As `dosing.treat`, by own calendars, `given` : (place, dose)."""


@inline
def _first_of(mine, events, days):
    """`days` after the first of some events."""
    first = NEVER
    for k in range(len(life.EVENTS)):
        if (events >> k) & 1:
            first = min(first, mine[life.AT + k])
    return first + F(days)


@inline
def _gap(own, a, mine):
    """Days from the pending dose to the one after it."""
    place = own.loading_start[a] + int(mine[NUMBER]) + 1
    return F(own.loading[place] - own.loading[place - 1]) if place < own.loading_start[a + 1] else mine[EVERY]


@inline
def _may_wait(own, a, mine, late):
    """Whether a dose can be given `late` days after its date, by the policy for missed doses."""
    return not own.keep[a] or (late <= GRACE_DAYS and _gap(own, a, mine) - late >= GRACE_DAYS)


@block
def _settle(own, a, key, patient, candidate, mine):
    """The dose that is due comes on its date, late, or is dropped, and then the one after it is due."""
    while mine[DUE] < F(own.horizon):
        late = ZERO
        if own.missed[a] > ZERO:
            index = U32((int(mine[COURSE]) - 1) * COURSE_NUMBERS + int(mine[NUMBER]))
            missed, delay, _, _ = uniforms(key, patient, index, DOSE, candidate)
            late = F(1 + int(own.delay_max[a] * delay)) if missed < own.missed[a] else ZERO
        if late == ZERO or _may_wait(own, a, mine, late):
            mine[NEXT] = mine[DUE] + late
            return
        mine[DUE] += _gap(own, a, mine)
        mine[NUMBER] += ONE
    mine[NEXT] = NEVER


@merge
def _open(own, a, key, patient, candidate, mine, windows, s, i, end):
    """Begin the next epoch if it begins before `end`; epochs that end before they begin are left out."""
    while int(mine[EPOCH]) < own.epoch_start[a + 1]:
        e = int(mine[EPOCH])
        start = max(_first_of(mine, own.epoch[e, FROM], own.epoch[e, FROM_DAY]), mine[FREE])
        until = _first_of(mine, own.epoch[e, UNTIL], own.epoch[e, TO_DAY])
        if until <= start and until < end:
            mine[EPOCH] += ONE
            mine[FREE] = max(mine[FREE], until)
        elif start < end:
            mine[BEGAN] = start
            if start > mine[ENDED] or own.epoch[e, RELOAD] > 0:
                mine[COURSE] += ONE
                mine[STARTED], mine[NUMBER], mine[EVERY] = start, ZERO, F(own.every[a])
                mine[SAMPLES], mine[SUM_NFL] = ZERO, ZERO
                mine[DUE] = start + F(own.loading[own.loading_start[a]])
                _settle(own, a, key, patient, candidate, mine)
            _set_window(own, a, key, patient, candidate, mine, windows, s, i, NEVER)
            return True
        else:
            return False
    return False


@block
def _set_window(own, a, key, patient, candidate, mine, windows, s, i, end):
    """The course's time on the drug goes from its first dose to `end`: reactions come accordingly (see safety.py)."""
    if own.reactions.shape[1] > 0:
        window = windows[int(mine[COURSE]) - 1]
        window[safety.FIRST] = mine[STARTED] + F(own.loading[own.loading_start[a]])
        window[safety.LENGTH] = max(end - window[safety.FIRST], ZERO)
        day = mine[BEGAN] if end == NEVER else end
        safety.look_again(own.reactions[a], windows, key, patient, candidate, s, i, day, F(own.horizon))


@inline
def _end_of_hold(own, mine, day):
    """The day on which a hold that lies over `day` ends; `day` itself if there is none."""
    e, found = int(mine[EPOCH]), day
    for h in range(own.hold_start[e], own.hold_start[e + 1]):
        first, end = mine[BEGAN] + F(own.hold[h, 0]), mine[BEGAN] + F(own.hold[h, 1])
        found = end if first <= found < end else found
    return found


@merge
def _put_off(own, a, key, patient, candidate, mine, day):
    """The pending dose can be given from `day` on only: it comes then or, if the policy drops it, the next one does."""
    if _may_wait(own, a, mine, day - mine[DUE]):
        mine[NEXT] = day
    else:
        mine[DUE] += _gap(own, a, mine)
        mine[NUMBER] += ONE
        _settle(own, a, key, patient, candidate, mine)


@merge
def _give(own, a, key, patient, candidate, mine, windows, calendar, s, i):
    """Put the pending dose into the calendar, unless the drug is stopped or held; the next one is due a gap later."""
    day = mine[NEXT]
    if mine[COUNT] == ZERO and own.stop_rate[a] > ZERO:
        s[STOP + i] = min(s[STOP + i], day + s[rows.STOPPING + i] / own.stop_rate[a])
    if s[rows.HELD_UNTIL + i] <= day:
        safety.look_again(own.reactions[a], windows, key, patient, candidate, s, i, day, F(own.horizon))
    if safety.takes(s, i, day) and int(mine[COUNT]) < calendar.size - 1:
        calendar[int(mine[COUNT])] = day
        mine[COUNT] += ONE
    mine[DUE] = (mine[DUE] if own.keep[a] else day) + _gap(own, a, mine)
    mine[NUMBER] += ONE
    _settle(own, a, key, patient, candidate, mine)


@block
def _plan(own, a, key, patient, candidate, mine, windows, calendar, s, i, end):
    """The doses of one patient before `end`."""
    while mine[BEGAN] < NEVER or _open(own, a, key, patient, candidate, mine, windows, s, i, end):
        e, day = int(mine[EPOCH]), mine[NEXT]
        until = _first_of(mine, own.epoch[e, UNTIL], own.epoch[e, TO_DAY])
        if day >= until and until < end:
            _set_window(own, a, key, patient, candidate, mine, windows, s, i, until)
            mine[EPOCH] += ONE
            mine[BEGAN], mine[ENDED], mine[FREE] = NEVER, until, until
        elif day >= min(until, end):
            return
        elif _end_of_hold(own, mine, day) > day:
            _put_off(own, a, key, patient, candidate, mine, _end_of_hold(own, mine, day))
        else:
            _give(own, a, key, patient, candidate, mine, windows, calendar, s, i)


@kept
@block
def plan_block(own, a, key, w, s, columns, windows, calendars, step):
    """Put the doses of the week `step` into the calendars of a block."""
    end = F(WEEK * (step + 1))
    for i in range(LANES):
        mine, slot = columns[w[SLOT + i]], w[SLOT + i]
        waiting = mine[NEXT] >= end and mine[BEGAN] < NEVER and int(mine[EPOCH]) + 1 == own.epoch_start[a + 1]
        if waiting and own.reactions.shape[1] > 0:  # an end of the epoch before its next dose counts
            e = int(mine[EPOCH])
            waiting = _first_of(mine, own.epoch[e, UNTIL], own.epoch[e, TO_DAY]) >= end
        if s[DEATH + i] > NOBODY and not waiting:
            _plan(own, a, key, w[PATIENT + i], w[CANDIDATE + i], mine, windows[slot], calendars[slot], s, i, end)


@inline
def first_week(day):
    """The first day of a week of the study on which what happened on `day` can be acted upon."""
    return day if day == NEVER else F(-(-int(np.ceil(day)) // WEEK) * WEEK)


def _begin(own, a, w, s, space):
    for i in range(LANES):
        mine = space.lives[w[SLOT + i]]
        mine[EPOCH], mine[BEGAN], mine[NEXT] = F(own.epoch_start[a]), NEVER, NEVER
        mine[COUNT], mine[COURSE] = ZERO, ZERO
        mine[STARTED], mine[ENDED], mine[FREE] = NEVER, -ONE, ZERO
        for k in range(len(life.EVENTS)):
            mine[life.AT + k] = NEVER
        mine[life.AT], mine[life.AT + 1] = ZERO, first_week(s[rows.ONSET + i])
        mine[life.AT + 2] = first_week(s[rows.DIAGNOSIS + i])
        space.calendars[w[SLOT + i], :] = NEVER
        space.windows[w[SLOT + i], :, :] = ZERO


def _never(own, a):
    return False


def _nothing_begins(own, a, w, s, space):
    pass


def _nothing_to_plan(own, a, key, w, s, space, step):
    pass


def _nothing_to_give(own, a, model, drug, table, given, w, s, step, days, addon):
    pass


def _are_own(own, a):
    return own.own[a]


def _plan_week(own, a, key, w, s, space, step):
    plan_block(own, a, key, w, s, space.lives, space.windows, space.calendars, step)


answer(Shared, are_own=_never, begin=_nothing_begins, plan=_nothing_to_plan, treat=_nothing_to_give)
answer(Own, are_own=_are_own, begin=_begin, plan=_plan_week)
