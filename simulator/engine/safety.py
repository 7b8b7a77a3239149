"""Reactions to the drug: when they come, which doses are held for them, and when they end it. Docs: docs/safety.md.

A process is one sort of reaction: number 0 are the serious neurologic ones. Its reactions come at a hazard that depends
on the time on the drug, against thresholds that belong to the patient: arms with the same exposure have the same ones.
Time on the drug runs in its epochs, from their first dose on, holds counted.
"""

import numpy as np

from simulator.engine.jit import LANES, block, inline
from simulator.engine.mathematics import ONE, ZERO, F, log32
from simulator.engine.random import U32, Stream, uniforms
from simulator.engine.rows import CANDIDATE, HELD_FROM, HELD_UNTIL, PATIENT, SERIOUS, STOP

REACTION = U32(Stream.REACTION)
NEVER = F(np.inf)
MOST = 4096
"""Reactions of one process in the random key."""
STOPS, ACTS, SHORTEST, LONGEST, EVERY, RATE, TURN, LATER, HAZARD = range(9)
"""Columns of an arm's table, a row for each process: probability that a reaction ends the drug; that, or that doses are
held; shortest and longest hold, whole days; days between the tests that find it, 0 where it shows at once; rate per day
on the drug; days on the drug from which another rate holds; that rate; hazard over all the time on the drug."""
FIRST, LENGTH = range(2)
"""Columns of the windows of time on the drug: day of the first dose, days from there on; no days: no window."""
DAY, PROCESS, KIND, UNTIL = range(4)
"""What is kept of a reaction: its day, its process, a uniform for its kind, the day until which doses are held (its own
day: not at all, infinity: for good)."""


@inline
def _days_on_drug(sort, spent):
    """Days on the drug after which the hazard of a process has come to `spent`."""
    early = sort[RATE] * sort[TURN]
    if spent <= early:
        return spent / sort[RATE]
    return sort[TURN] + (spent - early) / sort[LATER] if sort[LATER] > ZERO else NEVER


@inline
def _day(windows, every, days):
    """Day since baseline on which somebody is `days` on the drug, or on which a test every so often finds it."""
    origin = -ONE
    for k in range(windows.shape[0]):
        first, length = windows[k, FIRST], windows[k, LENGTH]
        origin = first if origin < ZERO and length > ZERO else origin
        if days < length:
            day = first + days
            return origin + every * F(np.ceil((day - origin) / every)) if every > ZERO else day
        days -= length
    return NEVER


@block
def look_ahead(table, windows, key, patient, candidate, stop, after, found):
    """What reactions have in store for a patient whose drug ends on day `stop` at the latest.

    Returns the day on which the drug ends, that of the first serious reaction, and the first hold that lasts beyond
    day `after`: from, until. Fills `found` : (reaction, 4) as far as it goes; rows after the end of the drug are void.
    """
    ends, serious, held, until, place = stop, NEVER, NEVER, NEVER, 0
    for process in range(table.shape[0]):
        sort, spent, last = table[process], ZERO, -ONE
        for number in range(MOST):
            index = U32(process * MOST + number)
            threshold, kind, outcome, length = uniforms(key, patient, index, REACTION, candidate)
            spent -= log32(threshold)
            day = _day(windows, sort[EVERY], _days_on_drug(sort, spent))
            if not (day <= ends and day < NEVER):
                break
            if day == last:  # the same test finds it
                continue
            last = day
            days = sort[SHORTEST] + F(np.floor((sort[LONGEST] - sort[SHORTEST] + ONE) * length))
            to = NEVER if outcome < sort[STOPS] else (day + days if outcome < sort[ACTS] else day)
            serious = min(serious, day) if process == 0 else serious
            if to > max(day, after) and day < held:
                held, until = day, to
            if place < found.shape[0]:
                found[place, DAY], found[place, PROCESS], found[place, KIND] = day, F(process), kind
                found[place, UNTIL] = to
                place += 1
            if to == NEVER:
                ends = day
                break
    return ends, serious if serious <= ends else NEVER, held if held <= ends else NEVER, until


@block
def begin(table, windows, key, w, s):
    """Before day 0, for every lane: when reactions end the drug, the first serious one, and the first hold."""
    for i in range(LANES):
        s[HELD_FROM + i] = NEVER
        s[HELD_UNTIL + i] = NEVER
        s[SERIOUS + i] = NEVER
    for process in range(table.shape[0]):  # most have no reaction, and that is seen at once
        most = table[process, HAZARD]
        for i in range(LANES):
            threshold, _, _, _ = uniforms(key, w[PATIENT + i], U32(process * MOST), REACTION, w[CANDIDATE + i])
            s[HELD_UNTIL + i] = ZERO if -log32(threshold) < most else s[HELD_UNTIL + i]
    for i in range(LANES):
        if s[HELD_UNTIL + i] == ZERO:
            s[STOP + i], s[SERIOUS + i], s[HELD_FROM + i], s[HELD_UNTIL + i] = look_ahead(
                table, windows, key, w[PATIENT + i], w[CANDIDATE + i], s[STOP + i], -ONE, table[:0]
            )


@block
def move_on(table, windows, key, w, s, day):
    """On a dose day: lanes whose hold is over look for their next one."""
    for i in range(LANES):
        if s[HELD_UNTIL + i] <= F(day):
            _, _, s[HELD_FROM + i], s[HELD_UNTIL + i] = look_ahead(
                table, windows, key, w[PATIENT + i], w[CANDIDATE + i], s[STOP + i], F(day), table[:0]
            )


@block
def look_again(table, windows, key, patient, candidate, s, i, day, horizon):
    """What lane i, whose calendar is its own, has before it on `day`: its first serious reaction, its next hold."""
    _, s[SERIOUS + i], s[HELD_FROM + i], s[HELD_UNTIL + i] = look_ahead(
        table, windows, key, patient, candidate, min(s[STOP + i], horizon), day, table[:0]
    )


@inline
def takes(s, i, day):
    """Whether lane i takes a dose on `day`: it has not stopped and no dose is held."""
    return (F(day) < s[STOP + i]) & ((F(day) < s[HELD_FROM + i]) | (F(day) >= s[HELD_UNTIL + i]))
