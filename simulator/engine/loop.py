"""The loop: a batch of recruited patients lives in every arm.

A batch is cut into blocks of 128 lanes that stay in the processor's cache. A block is stepped through a 28-day epoch, then
the next block; in summary mode the dead leave the blocks at the end of an epoch. The loop knows no model (see seam.py).
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import dosing, effect, observe, rows, seam, sums
from simulator.engine.jit import LANES, U64, block, inline, kernel
from simulator.engine.mathematics import ONE, TWO, ZERO, F
from simulator.engine.rows import DEATH, EVENT, KIND, PAV, SLOT, TRY_DAY
from simulator.units import DAYS_PER_YEAR

WEEK, STEPS_PER_EPOCH = 7, 4
YEAR = F(DAYS_PER_YEAR)
NOBODY = -F(np.inf)
RESOLVED = F(-2.0)


LOOK, INSIDE = 1, 2
"""Flags of a step: something is wanted at its start; something is wanted between its start and the next."""


class Calendar(NamedTuple):
    """Days of output and how far to go."""

    day: np.ndarray  # (time,) int32, ascending, the first is 0
    flags: np.ndarray  # (step,) uint8
    visit: np.ndarray  # (visit,) int32 nominal days of visits
    end: np.float32  # last day of follow-up


class Full(NamedTuple):
    """Arrays of a full run, filled in place; with no patients in summary mode."""

    truth: np.ndarray  # (output, arm, patient, time) float32
    observed: np.ndarray  # (observed, arm, patient, visit) float32
    event: np.ndarray  # (arm, patient) float32 day of death or PAV, infinity if never
    kind: np.ndarray  # (arm, patient) int8: 1 death, 2 PAV
    death: np.ndarray  # (arm, patient) float32
    stop: np.ndarray  # (arm, patient) float32 day from which no dose is given
    traits: np.ndarray  # (row, patient) float32 all rows at baseline, response to the first arm's drug included
    candidates: np.ndarray  # (2, patient) int32 accepted candidate, candidates tried
    doses: np.ndarray  # (arm, patient, dose) float32 days of the patient's own calendar, NaN where none


class Space(NamedTuple):
    """Working space of one worker."""

    cohort: np.ndarray  # (row, batch) float32
    who: np.ndarray  # (2, batch) uint32
    part: int  # patients stepped together
    s: np.ndarray  # (block, row * LANES) float32
    w: np.ndarray  # (block, identity row * LANES) uint32
    base: np.ndarray  # (block, variable * LANES) float32
    before: np.ndarray  # (row * LANES,)
    peeked: np.ndarray  # (row * LANES,)
    o: np.ndarray  # (output row * LANES,)
    calendars: np.ndarray  # (part, dose) float32 days of doses in the patients' own calendars, infinity after the last
    day: np.ndarray  # (LANES,) float32 actual visit days
    x: np.ndarray  # (LANES,) float32 values being summed
    alive: np.ndarray  # (LANES,) int32 mask
    bins: np.ndarray  # (LANES,) int32


@block
def _load(space, arms, a, drug, key, start, n):
    """Put `n` of the cohort into blocks for arm `a`; lanes beyond them belong to nobody and are never alive."""
    for b in range((n + LANES - 1) // LANES):
        s, w = space.s[b], space.w[b]
        count = min(LANES, n - b * LANES)
        for row in range(space.cohort.shape[0]):
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
        dosing.begin(arms, a, key, w, s, space.calendars)


@inline
def _copy(source, target):
    for k in range(target.size):
        target[k] = source[k]


@block
def _resolve(model, s):
    """Turn the steps in which thresholds were used up into days; background death may have come first."""
    for i in range(LANES):
        if s[TRY_DAY + i] >= ZERO:
            day = seam.invert(model, s, i)
            s[TRY_DAY + i] = RESOLVED
            if day < s[EVENT + i]:
                s[EVENT + i] = day
                assisted = s[PAV + i] > ZERO
                s[KIND + i] = TWO if assisted else ONE
                s[DEATH + i] = min(s[DEATH + i], day + s[rows.AFTER_PAV + i] if assisted else day)


@block
def _sum_up(table, heads, moments, counts, a, t, base, o, s, day, x, alive, bins):
    """Add a block to the sums of arm `a` and output `t`; the first output is everybody's baseline."""
    if t == 0:
        sums.keep_baseline(table, o, base, x)
    sums.accumulate(table, heads, moments, counts, a, t, base, o, s, F(day), x, alive, bins)


@block
def _keep_truth(full, a, t, s, w, o, first):
    for v in range(full.truth.shape[0]):
        for i in range(LANES):
            if s[DEATH + i] > NOBODY:
                full.truth[v, a, first + int(w[SLOT + i]), t] = o[v * LANES + i]


@block
def _visit(visits, nominal, key, full, a, visit, s, w, o, day, held, first):
    """Measure those lanes of a block whose visit is held on `day`, before death and dropout."""
    observe.visit_days(visits, key, w, held, visit, nominal)
    for i in range(LANES):
        last = min(s[DEATH + i], s[rows.DROPOUT + i])
        if held[i] == F(day) and F(day) <= last:
            place = first + int(w[SLOT + i])
            alsfrs_r, svc, hhd, nfl, sod1 = observe.observe(visits, key, w, s, o, visit, F(day), i)
            full.observed[observe.DAY, a, place, visit] = F(day)
            full.observed[observe.SEEN_ALSFRS_R, a, place, visit] = alsfrs_r
            full.observed[observe.SEEN_SVC, a, place, visit] = svc
            full.observed[observe.SEEN_HHD, a, place, visit] = hhd
            full.observed[observe.SEEN_NFL, a, place, visit] = nfl
            full.observed[observe.SEEN_SOD1, a, place, visit] = sod1


@inline
def _may_fall_on(nominal, jitter, v, day):
    return abs(F(nominal - day)) <= (jitter if v > 0 else ZERO)


@block
def _find(days, day):
    """Place of `day` among the output days, -1 if it is none."""
    low, high = 0, days.size
    while low < high:
        middle = (low + high) // 2
        if days[middle] < day:
            low = middle + 1
        else:
            high = middle
    return low if low < days.size and days[low] == day else -1


@block
def _show(model, drug, s, o, day, addon):
    """All output rows of a block that stands at `day`."""
    seam.outputs(model, s, o, F(day) / YEAR)
    effect.read_out(drug, s, o, addon)


@block
def _look_at_everybody(visits, key, calendar, full, a, t, s, w, o, held, day, first):
    """Truth and visits of a full run; `t` is the number of the output on this day, -1 if there is none."""
    if t >= 0:
        _keep_truth(full, a, t, s, w, o, first)
    for v in range(calendar.visit.size):
        if F(day) <= calendar.end and _may_fall_on(calendar.visit[v], visits.jitter, v, day):
            _visit(visits, calendar.visit[v], key, full, a, v, s, w, o, day, held, first)


@block
def _peek(model, drug, table, doses, cursor, own, calendars, w, before, now, s, step, days, addon):
    """Put into `s` the state `days` days into the step, from the state before it and the deaths known `now`."""
    _copy(before, s)
    dosing.treat(model, drug, table, doses, cursor, own, calendars, w, s, step, days, addon)
    seam.peek(model, s, F(days))
    for i in range(LANES):
        s[EVENT + i], s[KIND + i], s[DEATH + i] = now[EVENT + i], now[KIND + i], now[DEATH + i]


@block
def _leave(space, b, i, ended, restricted, end):
    if space.s[b, DEATH + i] > NOBODY:
        sums.finish(ended, restricted, space.s[b], i, end)


@block
def _pack(space, blocks, day, ended, restricted, end):
    """Count the dead out and fill their lanes from the last blocks. Returns the number of blocks still in use."""
    tail = blocks * LANES - 1
    for b in range(blocks):
        for i in range(LANES):
            here = b * LANES + i
            while here <= tail and not space.s[b, DEATH + i] > day:
                _leave(space, b, i, ended, restricted, end)
                if tail > here:
                    _move(space, tail, b, i)
                else:
                    space.s[b, DEATH + i], space.s[b, EVENT + i] = NOBODY, NOBODY
                tail -= 1
    return (tail + LANES) // LANES


@block
def _move(space, source, b, i):
    c, j = source // LANES, source % LANES
    for row in range(space.s.shape[1] // LANES):
        space.s[b, row * LANES + i] = space.s[c, row * LANES + j]
    for row in range(space.w.shape[1] // LANES):
        space.w[b, row * LANES + i] = space.w[c, row * LANES + j]
    for row in range(space.base.shape[1] // LANES):
        space.base[b, row * LANES + i] = space.base[c, row * LANES + j]
    space.s[c, DEATH + j], space.s[c, EVENT + j] = NOBODY, NOBODY


@block
def _too_many_dead(states, blocks, day):
    alive = 0
    for b in range(blocks):
        s = states[b]
        for i in range(LANES):
            alive += 1 if s[DEATH + i] > day else 0
    return alive <= (blocks - 1) * LANES


@block
def _keep_events(full, a, space, blocks, first):
    """Write the outcome of a full run's block."""
    for b in range(blocks):
        s, w = space.s[b], space.w[b]
        for i in range(LANES):
            if s[DEATH + i] > NOBODY:
                place = first + int(w[SLOT + i])
                full.event[a, place], full.kind[a, place] = s[EVENT + i], np.int8(s[KIND + i])
                full.death[a, place], full.stop[a, place] = s[DEATH + i], s[rows.STOP + i]
                for k in range(full.doses.shape[2]):
                    full.doses[a, place, k] = space.calendars[int(w[SLOT + i]), k]


@kernel
def live(model, key, visits, arms, calendar, table, start, count, space, totals, full):
    """The recruited batch, patients `start` ... `start + count - 1`, lives in every arm; adds to `totals`, fills `full`.

    This is the one long body: what it calls is compiled into it, and every level between would be compiled again.
    """
    is_full = full.truth.shape[2] > 0
    heads, moments, counts = totals.heads, totals.moments, totals.counts
    o, x, alive, bins = space.o, space.x, space.alive, space.bins
    for at in range(0, count, space.part):
        size = min(space.part, count - at)
        for a in range(arms.every.size):
            drug, propagators, own = dosing.drug_of(arms, a), arms.table[a], arms.own[a]
            doses = arms.day[arms.day_start[a] : arms.day_start[a + 1]]
            _load(space, arms, a, drug, key, at, size)
            blocks, cursor, next_cursor = (size + LANES - 1) // LANES, np.int64(0), np.int64(0)
            for epoch in range((calendar.flags.size + STEPS_PER_EPOCH - 1) // STEPS_PER_EPOCH):
                last = min(STEPS_PER_EPOCH * (epoch + 1), calendar.flags.size)
                for b in range(blocks):
                    s, w, next_cursor = space.s[b], space.w[b], cursor
                    seam.renew(model, key, w, s, epoch)
                    for step in range(STEPS_PER_EPOCH * epoch, last):
                        addon, flags, was = arms.addon[a, step], calendar.flags[step], next_cursor
                        while next_cursor < doses.size and doses[next_cursor] < WEEK * (step + 1):
                            next_cursor += 1
                        if flags & LOOK:
                            day, t = WEEK * step, _find(calendar.day, WEEK * step)
                            _resolve(model, s)
                            _show(model, drug, s, o, day, addon)
                            if t >= 0:
                                _sum_up(table, heads, moments, counts, a, t, space.base[b], o, s, day, x, alive, bins)
                            if is_full:
                                _look_at_everybody(visits, key, calendar, full, a, t, s, w, o, space.day, day, start + at)
                        if flags & INSIDE:
                            _copy(s, space.before)
                        if own or next_cursor > 0:
                            dosing.treat(model, drug, propagators, doses, was, own, space.calendars, w, s, step, WEEK, addon)
                        else:
                            effect.untreated(s, addon)
                        seam.step(model, s, F(WEEK * step), arms.hazard[a, step])
                        if flags & INSIDE:
                            _resolve(model, s)
                            for d in range(1, WEEK):
                                seen, day = space.peeked, WEEK * step + d
                                _peek(
                                    model, drug, propagators, doses, was, own, space.calendars, w, space.before, s, seen,
                                    step, d, addon,
                                )  # fmt: skip
                                t = _find(calendar.day, day)
                                _show(model, drug, seen, o, day, addon)
                                if t >= 0:
                                    _sum_up(
                                        table, heads, moments, counts, a, t, space.base[b], o, seen, day, x, alive, bins
                                    )
                                if is_full:
                                    _look_at_everybody(
                                        visits, key, calendar, full, a, t, seen, w, o, space.day, day, start + at
                                    )
                    _resolve(model, s)
                cursor, day = next_cursor, F(WEEK * STEPS_PER_EPOCH * (epoch + 1))
                if not is_full and _too_many_dead(space.s, blocks, day):
                    blocks = _pack(space, blocks, day, totals.ended[a], totals.restricted[a], calendar.end)
            _close(space, blocks, totals.ended[a], totals.restricted[a], calendar.end)
            if is_full:
                _keep_events(full, a, space, blocks, start + at)


@block
def _close(space, blocks, ended, restricted, end):
    """At the end of follow-up: count everybody still in the blocks."""
    for b in range(blocks):
        for i in range(LANES):
            _leave(space, b, i, ended, restricted, end)


@kernel
def keep_people(full, cohort, who, tried, n, first):
    """Write the recruited batch into the arrays of a full run."""
    for place in range(n):
        for row in range(cohort.shape[0]):
            full.traits[row, first + place] = cohort[row, place]
        full.candidates[0, first + place] = who[1, place]
        full.candidates[1, first + place] = tried[place]
