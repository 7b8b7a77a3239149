"""The loop: a batch of recruited patients lives in every arm.

A batch is cut into blocks of 128 lanes that stay in the cache of the processor. A block is stepped through a 28-day
epoch, then the next block; in summary mode the dead leave the blocks at the end of an epoch. The loop knows no model
(see interface.py).
"""

import numpy as np

from simulator.engine import dosing, effect, interface, plans, rows, rules
from simulator.engine.collecting import find, keep_events, look_at_everybody, show, sum_up
from simulator.engine.compaction import close, pack, too_many_dead
from simulator.engine.jit import LANES, U64, block, inline, kept, kernel, merge
from simulator.engine.mathematics import ONE, TWO, ZERO, F
from simulator.engine.rows import DEATH, EVENT, KIND, PAV, SLOT, TRY_DAY
from simulator.engine.space import INSIDE, LOOK, NOBODY

WEEK, STEPS_PER_EPOCH = 7, 4
WHOLE = np.int64(7)  # days; no literal: what treats is compiled for any number of days
RESOLVED = F(-2.0)
GROUP = min(16, LANES)
"""Lanes that are asked together whether a threshold is used up."""


@merge
def _load(space, decide, arms, a, drug, key, start, n):
    """Put `n` of the cohort into blocks for arm `a`; lanes beyond them belong to nobody and are never alive."""
    for b in range((n + LANES - 1) // LANES):
        s, w = space.s[b], space.w[b]
        count = min(LANES, n - b * LANES)
        for row in range(rows.LIVING, space.cohort.shape[0]):
            for i in range(count):
                s[U64(row * LANES) + U64(i)] = space.cohort[row, U64(start + b * LANES) + U64(i)]
            for i in range(count, LANES):
                s[row * LANES + i] = space.cohort[row, start + n - 1]
        for i in range(LANES):
            place = start + min(b * LANES + i, n - 1)
            w[rows.PATIENT + i], w[rows.CANDIDATE + i] = space.who[0, place], space.who[1, place]
            w[SLOT + i] = np.uint32(min(b * LANES + i, n - 1))
            if b * LANES + i >= n:
                s[DEATH + i] = NOBODY
                s[EVENT + i] = NOBODY
        effect.respond(drug, key, w, s)
        rules.begin(decide, key, space.lives, w, s)
        dosing.begin(arms, a, key, w, s, space)


@inline
def _copy(source, target):
    for k in range(target.size):
        target[k] = source[k]


@kept
@block
def _resolve(model, s):
    """Turn the steps in which thresholds were used up into days; background death may have come first."""
    for group in range(0, LANES, GROUP):
        waiting = np.int32(0)
        for i in range(GROUP):
            waiting += np.int32(1) if s[U64(TRY_DAY + group) + U64(i)] >= ZERO else np.int32(0)
        if waiting > 0:
            for i in range(group, group + GROUP):
                if s[TRY_DAY + i] >= ZERO:
                    _happen(s, i, interface.invert(model, s, i))


@merge
def _happen(s, i, day):
    """The disease ends the event-free life of lane i on `day`, by death or PAV, if nothing came before."""
    s[TRY_DAY + i] = RESOLVED
    if day < s[EVENT + i]:
        assisted = s[PAV + i] > ZERO
        s[EVENT + i], s[KIND + i] = day, TWO if assisted else ONE
        s[DEATH + i] = min(s[DEATH + i], day + s[rows.AFTER_PAV + i] if assisted else day)


@block
def _peek(
    model, drug, table, reactions, windows, key, doses, cursor, own, a, calendars, w, before, now, s, step, days,
    addon,
):  # fmt: skip
    """Put into `s` the state `days` days into the step, from the state before it and the deaths known `now`."""
    _copy(before, s)
    if plans.are_own(own, a):
        plans.treat(own, a, model, drug, table, calendars, w, s, step, days, addon)
    else:
        dosing.treat(model, drug, table, reactions, windows, key, doses, cursor, w, s, step, days, addon)
    interface.peek(model, s, F(days))
    for i in range(LANES):
        s[EVENT + i], s[KIND + i], s[DEATH + i] = now[EVENT + i], now[KIND + i], now[DEATH + i]


@merge
def _add_up(model, drug, calendar, table, totals, full, a, space, b, s, day, addon, staged):
    """The outputs and sums of `day`, on which block b stands in the state `s`. Returns the output's number, or -1."""
    t = find(calendar.day, day)
    show(model, drug, s, space.o, day, addon, staged)
    if t >= 0:
        sum_up(
            table, totals, full, calendar, a, t, space.base[b], space.o, s, day, space.x, space.alive, space.bins
        )  # fmt: skip
    return t


@block
def _look(model, decide, drug, visits, key, calendar, table, totals, full, a, space, b, s, day, addon, first):
    """Whatever is wanted on `day` of block b, which stands there in the state `s`; a call with many arguments."""
    staged = calendar.staged or visits.by_items > ZERO
    t = _add_up(model, drug, calendar, table, totals, full, a, space, b, s, day, addon, staged)
    look_at_everybody(
        decide, visits, key, calendar, full, a, t, s, space.w[b], space.o, space.day, space.lives, day, first
    )


@merge
def _look_inside(
    model, decide, drug, visits, key, arms, calendar, table, totals, full, a, space, b, step, doses, cursor, first
):
    """Whatever is wanted within a step, from the state before it and with the deaths that the step has brought."""
    s, addon = space.s[b], arms.addon[a, step]
    _resolve(model, s)
    for d in range(1, WEEK):
        _peek(
            model, drug, arms.table[a], arms.reactions[a], arms.windows[a], key, doses, cursor, arms.own, a,
            space.calendars, space.w[b], space.before, s, space.peeked, step, d, addon,
        )  # fmt: skip
        day = WEEK * step + d
        _look(
            model, decide, drug, visits, key, calendar, table, totals, full, a, space, b, space.peeked, day, addon,
            first,
        )  # fmt: skip


@merge
def _epoch(
    model, decide, drug, visits, key, arms, calendar, table, totals, full, a, space, b, epoch, doses, cursor, first
):
    """28 days of block b in arm `a`. Returns the place of the next dose in the shared calendar."""
    s, w, own, propagators = space.s[b], space.w[b], plans.are_own(arms.own, a), arms.table[a]
    reactions, windows = arms.reactions[a], arms.windows[a]
    rules.renew(decide, model, key, w, s, epoch)
    for step in range(STEPS_PER_EPOCH * epoch, min(STEPS_PER_EPOCH * (epoch + 1), calendar.flags.size)):
        addon, flags, day = arms.addon[a, step], calendar.flags[step], WEEK * step
        after = cursor
        while after < doses.size and doses[after] < day + WEEK:
            after += 1
        if flags & LOOK:
            _resolve(model, s)
            if full.truth.shape[2] > 0 or rules.exist(decide):
                _look(
                    model, decide, drug, visits, key, calendar, table, totals, full, a, space, b, s, day, addon, first
                )
            else:
                _add_up(model, drug, calendar, table, totals, full, a, space, b, s, day, addon, calendar.staged)
        rules.carry_out(decide, model, key, space.lives, w, s, space.o, step)
        if own:
            plans.plan(arms.own, a, key, w, s, space, step)
        if flags & INSIDE:
            _copy(s, space.before)
        if own:
            plans.treat(arms.own, a, model, drug, propagators, space.calendars, w, s, step, WHOLE, addon)
        elif after > 0:
            dosing.treat(model, drug, propagators, reactions, windows, key, doses, cursor, w, s, step, WHOLE, addon)
        else:
            effect.untreated(s, addon)
        interface.step(model, s, F(day), arms.hazard[a, step])
        if flags & INSIDE:
            _look_inside(
                model, decide, drug, visits, key, arms, calendar, table, totals, full, a, space, b, step, doses,
                cursor, first,
            )  # fmt: skip
        cursor = after
    _resolve(model, s)
    return cursor


@kernel
def live(model, decide, key, visits, arms, calendar, table, start, count, space, totals, full):
    """Let the recruited batch, patients `start` ... `start + count - 1`, live in every arm.

    Adds to `totals`; fills `full` in a full run. `decide` : the rules, told apart by their type.
    """
    is_full, steps = full.truth.shape[2] > 0, calendar.flags.size
    for at in range(0, count, space.part):
        size, first = min(space.part, count - at), start + at
        for a in range(arms.table.shape[0]):
            drug, doses = dosing.drug_of(arms, a), arms.day[arms.day_start[a] : arms.day_start[a + 1]]
            _load(space, decide, arms, a, drug, key, at, size)
            blocks, cursor, after = (size + LANES - 1) // LANES, np.int64(0), np.int64(0)
            for epoch in range((steps + STEPS_PER_EPOCH - 1) // STEPS_PER_EPOCH):
                for b in range(blocks):
                    after = _epoch(
                        model, decide, drug, visits, key, arms, calendar, table, totals, full, a, space, b, epoch,
                        doses, cursor, first,
                    )  # fmt: skip
                cursor, day = after, F(WEEK * STEPS_PER_EPOCH * (epoch + 1))
                if not is_full and too_many_dead(space.s, blocks, day):
                    blocks = pack(space.s, space.w, space.base, blocks, day, a, totals, calendar)
            close(space.s, blocks, a, totals, calendar)
            if is_full:
                keep_events(full, arms, key, a, space, blocks, first)
