"""Patients' own calendars of doses, planned week by week: what was decided meanwhile can still change what comes.

At the start of each week the doses of that week are put into the patient's calendar, which the week's step and every
look into it then read. What is pending stands in the patient's line of `lives` (see lives.py). Section 8 of
docs/model.md.
"""

import numpy as np

from simulator.engine import lives as life
from simulator.engine import rows
from simulator.engine.jit import LANES, block, inline, merge
from simulator.engine.lives import BEGAN, COUNT, DUE, EPOCH, EVERY, HELD, NEVER, NEXT, NUMBER
from simulator.engine.mathematics import ONE, ZERO, F
from simulator.engine.random import U32, Stream, uniforms
from simulator.engine.rows import CANDIDATE, DEATH, PATIENT, SLOT, STOP
from simulator.engine.space import NOBODY

DOSE = U32(Stream.DOSE)
WEEK = 7
GRACE_DAYS = F(14.0)
EPOCH_NUMBERS = 4096
"""Dose numbers of an epoch in the random key."""
FROM, FROM_DAY, UNTIL, TO_DAY = range(4)
"""Columns of an epoch: events as bits, the first of which counts, and days after it; no bits: never."""


@inline
def _first_of(mine, events, days):
    """`days` after the first of some events."""
    first = NEVER
    for k in range(len(life.EVENTS)):
        if (events >> k) & 1:
            first = min(first, mine[life.AT + k])
    return first + F(days)


@inline
def _gap(arms, a, mine):
    """Days from the pending dose to the one after it."""
    place = arms.loading_start[a] + int(mine[NUMBER]) + 1
    return F(arms.loading[place] - arms.loading[place - 1]) if place < arms.loading_start[a + 1] else mine[EVERY]


@inline
def _may_wait(arms, a, mine, late):
    """Whether a dose can be given `late` days after its date, by the policy for missed doses."""
    return not arms.keep[a] or (late <= GRACE_DAYS and _gap(arms, a, mine) - late >= GRACE_DAYS)


@block
def _settle(arms, a, key, patient, candidate, mine):
    """The dose that is due comes on its date, late, or is dropped, and then the one after it is due."""
    while mine[DUE] < F(arms.horizon):
        late = ZERO
        if arms.missed[a] > ZERO:
            epoch = int(mine[EPOCH]) - arms.epoch_start[a]
            index = U32(epoch * EPOCH_NUMBERS + int(mine[NUMBER]))
            missed, delay, _, _ = uniforms(key, patient, index, DOSE, candidate)
            late = F(1 + int(arms.delay_max[a] * delay)) if missed < arms.missed[a] else ZERO
        if late == ZERO or _may_wait(arms, a, mine, late):
            mine[NEXT] = mine[DUE] + late
            return
        mine[DUE] += _gap(arms, a, mine)
        mine[NUMBER] += ONE
    mine[NEXT] = NEVER


@merge
def _open(arms, a, key, patient, candidate, mine, end):
    """Begin the next epoch if it begins before `end`; epochs that end before they begin are left out."""
    while int(mine[EPOCH]) < arms.epoch_start[a + 1]:
        e = int(mine[EPOCH])
        start = max(_first_of(mine, arms.epoch[e, FROM], arms.epoch[e, FROM_DAY]), ZERO)
        if e > arms.epoch_start[a]:
            start = max(start, _first_of(mine, arms.epoch[e - 1, UNTIL], arms.epoch[e - 1, TO_DAY]))
        until = _first_of(mine, arms.epoch[e, UNTIL], arms.epoch[e, TO_DAY])
        if until <= start and until < end:
            mine[EPOCH] += ONE
        elif start < end:
            mine[BEGAN], mine[NUMBER], mine[EVERY] = start, ZERO, F(arms.every[a])
            mine[DUE] = start + F(arms.loading[arms.loading_start[a]])
            _settle(arms, a, key, patient, candidate, mine)
            return True
        else:
            return False
    return False


@inline
def _end_of_hold(arms, mine, day):
    """The day on which a hold that lies over `day` ends; `day` itself if there is none."""
    e, found = int(mine[EPOCH]), max(day, mine[HELD])
    for h in range(arms.hold_start[e], arms.hold_start[e + 1]):
        first, end = mine[BEGAN] + F(arms.hold[h, 0]), mine[BEGAN] + F(arms.hold[h, 1])
        found = end if first <= found < end else found
    return found


@merge
def _put_off(arms, a, key, patient, candidate, mine, day):
    """The pending dose can be given from `day` on only: it comes then or, if the policy drops it, the next one does."""
    if _may_wait(arms, a, mine, day - mine[DUE]):
        mine[NEXT] = day
    else:
        mine[DUE] += _gap(arms, a, mine)
        mine[NUMBER] += ONE
        _settle(arms, a, key, patient, candidate, mine)


@merge
def _give(arms, a, key, patient, candidate, mine, calendar, s, i):
    """Put the pending dose into the calendar, unless the drug has been stopped; the next one is due a gap later."""
    day = mine[NEXT]
    if mine[COUNT] == ZERO and arms.stop_rate[a] > ZERO:
        s[STOP + i] = min(s[STOP + i], day + s[rows.STOPPING + i] / arms.stop_rate[a])
    if day < s[STOP + i] and int(mine[COUNT]) < calendar.size - 1:
        calendar[int(mine[COUNT])] = day
        mine[COUNT] += ONE
    mine[DUE] = (mine[DUE] if arms.keep[a] else day) + _gap(arms, a, mine)
    mine[NUMBER] += ONE
    _settle(arms, a, key, patient, candidate, mine)


@block
def _plan(arms, a, key, patient, candidate, mine, calendar, s, i, end):
    """The doses of one patient before `end`."""
    while mine[BEGAN] < NEVER or _open(arms, a, key, patient, candidate, mine, end):
        e, day = int(mine[EPOCH]), mine[NEXT]
        until = _first_of(mine, arms.epoch[e, UNTIL], arms.epoch[e, TO_DAY])
        if day >= until and until < end:
            mine[EPOCH] += ONE
            mine[BEGAN] = NEVER
        elif day >= min(until, end):
            return
        elif _end_of_hold(arms, mine, day) > day:
            _put_off(arms, a, key, patient, candidate, mine, _end_of_hold(arms, mine, day))
        else:
            _give(arms, a, key, patient, candidate, mine, calendar, s, i)


@block
def plan(arms, a, key, w, s, lives, calendars, step):
    """Put the doses of the week `step` into the calendars of a block."""
    end = F(WEEK * (step + 1))
    for i in range(LANES):
        mine = lives[w[SLOT + i]]
        waiting = mine[NEXT] >= end and mine[BEGAN] < NEVER and int(mine[EPOCH]) + 1 == arms.epoch_start[a + 1]
        if s[DEATH + i] > NOBODY and not waiting:
            _plan(arms, a, key, w[PATIENT + i], w[CANDIDATE + i], mine, calendars[w[SLOT + i]], s, i, end)


@inline
def first_week(day):
    """The first day of a week of the study on which what happened on `day` can be acted upon."""
    return day if day == NEVER else F(-(-int(np.ceil(day)) // WEEK) * WEEK)


@merge
def begin(arms, a, w, s, lives, calendars):
    """Before day 0: nothing is planned; onset and diagnosis are known."""
    for i in range(LANES):
        mine = lives[w[SLOT + i]]
        mine[EPOCH], mine[BEGAN], mine[NEXT] = F(arms.epoch_start[a]), NEVER, NEVER
        mine[COUNT], mine[HELD] = ZERO, ZERO
        for k in range(len(life.EVENTS)):
            mine[life.AT + k] = NEVER
        mine[life.AT], mine[life.AT + 1] = ZERO, first_week(s[rows.ONSET + i])
        mine[life.AT + 2] = first_week(s[rows.DIAGNOSIS + i])
        calendars[w[SLOT + i], :] = NEVER
