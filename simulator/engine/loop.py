"""The loop: batches of patients, each recruited once and lived in every arm.

A batch is cut into blocks of 128 lanes that stay in the processor's cache. A block is stepped through a 28-day epoch, then
the next block; in summary mode the dead leave the blocks at the end of an epoch. The loop knows no model (see seam.py).
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import dosing, effect, observe, recruit, rows, seam, sums
from simulator.engine.jit import LANES, block, inline, kernel
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
    given: np.ndarray  # (part, dose) float32 days of doses in the patients' own calendars
    day: np.ndarray  # (LANES,) float32 actual visit days
    x: np.ndarray  # (LANES,) float32 values being summed
    alive: np.ndarray  # (LANES,) int32 mask
    bins: np.ndarray  # (LANES,) int32


@block
def _load(space, arms, a, drug, key, start, n):
    """Put `n` of the cohort into blocks for arm `a`; lanes beyond them belong to nobody and are never alive."""
    for b in range((n + LANES - 1) // LANES):
        s, w = space.s[b], space.w[b]
        for i in range(LANES):
            place = start + min(b * LANES + i, n - 1)
            for row in range(space.cohort.shape[0]):
                s[row * LANES + i] = space.cohort[row, place]
            w[rows.PATIENT + i], w[rows.CANDIDATE + i] = space.who[0, place], space.who[1, place]
            w[SLOT + i] = np.uint32(b * LANES + i)
            if b * LANES + i >= n:
                s[DEATH + i] = NOBODY
                s[EVENT + i] = NOBODY
        effect.respond(drug, key, w, s)
        dosing.begin(arms, a, key, w, s)


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
def _look_sums(model, drug, table, s, o, base, heads, moments, counts, day, addon, first, x, alive, bins):
    """Read a block at an output day and add it to the sums of that arm and time."""
    seam.outputs(model, s, o, F(day) / YEAR)
    effect.read_out(drug, s, o, addon)
    if first:
        sums.keep_baseline(table, o, base, x)
    sums.accumulate(table, heads, moments, counts, base, o, s, F(day), x, alive, bins)


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
def _look(model, drug, visits, key, calendar, table, totals, full, a, space, b, s, day, addon, first):
    """Whatever is wanted on `day` of block b, which stands there in the state `s`: sums, truth and visits."""
    t = np.searchsorted(calendar.day, day)
    w = space.w[b]
    if t < calendar.day.size and calendar.day[t] == day:
        _look_sums(
            model, drug, table, s, space.o, space.base[b], totals.heads[a, t], totals.moments[a, t],
            totals.counts[a, t], day, addon, t == 0, space.x, space.alive, space.bins,
        )  # fmt: skip
        if full.truth.shape[2] > 0:
            _keep_truth(full, a, t, s, w, space.o, first)
    if full.truth.shape[2] > 0 and F(day) <= calendar.end:
        seam.outputs(model, s, space.o, F(day) / YEAR)
        effect.read_out(drug, s, space.o, addon)
        for v in range(calendar.visit.size):
            if _may_fall_on(calendar.visit[v], visits.jitter, v, day):
                _visit(visits, calendar.visit[v], key, full, a, v, s, w, space.o, day, space.day, first)


@block
def _look_inside(model, drug, arms, visits, key, calendar, table, totals, full, a, space, b, step, cursor, first):
    """Whatever is wanted within a step, from the state before it and with what is known by now of deaths."""
    peeked, doses = space.peeked, arms.day[arms.day_start[a] : arms.day_start[a + 1]]
    for d in range(1, WEEK):
        peeked[:] = space.before
        if arms.own[a]:
            dosing.treat_own(model, drug, arms.table[a], arms, a, key, space.w[b], peeked, step, d, space.given)
        else:
            dosing.treat(model, drug, arms.table[a], doses, cursor, peeked, step, d, arms.addon[a, step])
        seam.peek(model, peeked, F(d))
        for i in range(LANES):
            peeked[EVENT + i], peeked[KIND + i] = space.s[b, EVENT + i], space.s[b, KIND + i]
            peeked[DEATH + i] = space.s[b, DEATH + i]
        day = WEEK * step + d
        _look(
            model, drug, visits, key, calendar, table, totals, full, a, space, b, peeked, day, arms.addon[a, step],
            first,
        )  # fmt: skip


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
def _week(model, drug, table, doses, cursor, s, step, addon, hazard, treated):
    """The hot path: one week of one block on a shared calendar, or before any dose."""
    if treated:
        dosing.treat(model, drug, table, doses, cursor, s, step, WEEK, addon)
    else:
        effect.untreated(s, addon)
    seam.step(model, s, F(WEEK * step), hazard)


@block
def _epoch(model, drug, arms, visits, key, calendar, table, totals, full, a, space, b, epoch, cursor, first):
    """28 days of one block. Returns the place of the next dose in the shared calendar."""
    s, doses, propagators = space.s[b], arms.day[arms.day_start[a] : arms.day_start[a + 1]], arms.table[a]
    seam.renew(model, key, space.w[b], s, epoch)
    for step in range(STEPS_PER_EPOCH * epoch, min(STEPS_PER_EPOCH * (epoch + 1), calendar.flags.size)):
        addon, hazard = arms.addon[a, step], arms.hazard[a, step]
        upcoming = cursor < doses.size and doses[cursor] < WEEK * (step + 1)
        if calendar.flags[step] & LOOK:
            _resolve(model, s)
            day = WEEK * step
            _look(model, drug, visits, key, calendar, table, totals, full, a, space, b, s, day, addon, first)
        if calendar.flags[step] & INSIDE:
            space.before[:] = s
        if arms.own[a]:
            dosing.treat_own(model, drug, propagators, arms, a, key, space.w[b], s, step, WEEK, space.given)
            seam.step(model, s, F(WEEK * step), hazard)
        else:
            _week(model, drug, propagators, doses, cursor, s, step, addon, hazard, cursor > 0 or upcoming)
        if calendar.flags[step] & INSIDE:
            _resolve(model, s)
            _look_inside(
                model, drug, arms, visits, key, calendar, table, totals, full, a, space, b, step, cursor, first
            )
        while cursor < doses.size and doses[cursor] < WEEK * (step + 1):
            cursor += 1
    _resolve(model, s)
    return cursor


@block
def _live(model, drug, arms, visits, key, calendar, table, totals, full, a, space, blocks, first):
    """Step all blocks of one arm to the end of follow-up. Returns the number of blocks left."""
    cursor, packed = 0, full.truth.shape[2] == 0
    for epoch in range((calendar.flags.size + STEPS_PER_EPOCH - 1) // STEPS_PER_EPOCH):
        after = cursor
        for b in range(blocks):
            after = _epoch(
                model, drug, arms, visits, key, calendar, table, totals, full, a, space, b, epoch, cursor, first
            )
        cursor = after
        day = F(WEEK * STEPS_PER_EPOCH * (epoch + 1))
        if packed and _too_many_dead(space.s, blocks, day):
            blocks = _pack(space, blocks, day, totals.ended[a], totals.restricted[a], calendar.end)
            if blocks == 0:
                break
    return blocks


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
                for k in range(min(int(s[rows.GIVEN + i]), full.doses.shape[2])):
                    full.doses[a, place, k] = space.given[int(w[SLOT + i]), k]


@block
def _keep_people(full, space, search, n, first):
    for place in range(n):
        for row in range(space.cohort.shape[0]):
            full.traits[row, first + place] = space.cohort[row, place]
        full.candidates[0, first + place] = space.who[1, place]
        full.candidates[1, first + place] = search.tried[place]


@block
def _live_arm(model, arms, visits, key, calendar, table, totals, full, a, space, start, at, size):
    """Patients at `at` ... `at + size - 1` of the batch that begins with patient `start` live in arm `a`."""
    drug = dosing.drug_of(arms, a)
    _load(space, arms, a, drug, key, at, size)
    blocks = (size + LANES - 1) // LANES
    blocks = _live(model, drug, arms, visits, key, calendar, table, totals, full, a, space, blocks, start + at)
    for b in range(blocks):
        for i in range(LANES):
            _leave(space, b, i, totals.ended[a], totals.restricted[a], calendar.end)
    if full.truth.shape[2] > 0:
        _keep_events(full, a, space, blocks, start + at)


@kernel
def simulate(model, key, people, gates, visits, arms, calendar, table, first, n, space, search, totals, full):
    """Recruit patients first ... first+n-1, live them in every arm, add to `totals` and fill `full`.

    Returns -1, or the stratum for which no patient could be found.
    """
    batch = space.cohort.shape[1]
    for start in range(first, first + n, batch):
        count = min(batch, first + n - start)
        failed = recruit.recruit(people, visits, model, gates, key, search, start, count, space.cohort, space.who)
        if failed >= 0:
            return failed
        if full.truth.shape[2] > 0:
            _keep_people(full, space, search, count, start)
        for at in range(0, count, space.part):
            size = min(space.part, count - at)
            for a in range(arms.every.size):
                _live_arm(model, arms, visits, key, calendar, table, totals, full, a, space, start, at, size)
    return -1
