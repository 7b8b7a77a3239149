"""The loop: batches of patients, each recruited once and lived in every arm.

A batch is cut into blocks of 128 lanes that stay in the processor's cache. A block is stepped through a 28-day epoch, then
the next block; in summary mode the dead leave the blocks at the end of an epoch. The loop knows no model (see seam.py).
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import dosing, effect, observe, recruit, rows, seam, sums
from simulator.engine.jit import LANES, block, kernel
from simulator.engine.mathematics import ONE, TWO, ZERO, F
from simulator.engine.rows import DEATH, EVENT, KIND, PAV, SLOT, TRY_DAY
from simulator.units import DAYS_PER_YEAR

WEEK, STEPS_PER_EPOCH = 7, 4
YEAR = F(DAYS_PER_YEAR)
NOBODY = -F(np.inf)
RESOLVED = F(-2.0)


class Calendar(NamedTuple):
    """Days of output and how far to go."""

    day: np.ndarray  # (time,) int32, ascending, the first is 0
    steps: np.int64  # weeks to step; covers the end of follow-up
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
    s: np.ndarray  # (block, row * LANES) float32
    w: np.ndarray  # (block, identity row * LANES) uint32
    base: np.ndarray  # (block, variable * LANES) float32
    before: np.ndarray  # (row * LANES,)
    peeked: np.ndarray  # (row * LANES,)
    o: np.ndarray  # (output row * LANES,)
    day: np.ndarray  # (LANES,)
    scratch: tuple  # of the sums: values (LANES,) float32, alive (LANES,) int64, bins (LANES,) int32


@block
def _load(space, arms, a, drug, key, n):
    """Put the cohort into blocks for arm `a`; lanes beyond `n` belong to nobody and are never alive."""
    for b in range((n + LANES - 1) // LANES):
        s, w = space.s[b], space.w[b]
        for i in range(LANES):
            place = min(b * LANES + i, n - 1)
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
def _show(model, drug, s, o, day, addon):
    seam.outputs(model, s, o, F(day) / YEAR)
    effect.show(drug, s, o, addon)


@block
def _output(what, totals, full, a, t, s, w, base, o, scratch, day, first):
    """Add a block to the sums, and to the truth of a full run."""
    if t == 0:
        sums.keep_baseline(what, o, base)
    sums.accumulate(what, totals, a, t, base, o, s, F(day), scratch)
    if full.truth.shape[2] > 0:
        for v in range(full.truth.shape[0]):
            for i in range(LANES):
                place = first + int(w[SLOT + i])
                if s[DEATH + i] > NOBODY:
                    full.truth[v, a, place, t] = o[v * LANES + i]


@block
def _visit(visits, key, full, a, visit, s, w, o, day, held, first):
    """Measure those lanes of a block whose visit is held on `day`, before death and dropout."""
    observe.visit_days(visits, key, w, held, visit)
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


@block
def _wanted(calendar, visits, full, day):
    """Number of the output on `day` (-1 none), and whether a visit may fall on it."""
    t = np.searchsorted(calendar.day, day)
    t = t if t < calendar.day.size and calendar.day[t] == day else -1
    visited = False
    if full.truth.shape[2] > 0 and F(day) <= calendar.end:
        for v in range(visits.day.size):
            visited = visited or abs(visits.day[v] - day) <= (visits.jitter if v > 0 else ZERO)
    return t, visited


@block
def _look(model, drug, visits, key, calendar, what, totals, full, a, s, w, base, space, day, addon, first):
    """Whatever is wanted on `day`: outputs and visits of a block that stands at that day."""
    t, visited = _wanted(calendar, visits, full, day)
    if t < 0 and not visited:
        return
    _show(model, drug, s, space.o, day, addon)
    if t >= 0:
        _output(what, totals, full, a, t, s, w, base, space.o, space.scratch, day, first)
    if visited:
        for v in range(visits.day.size):
            if abs(visits.day[v] - day) <= (visits.jitter if v > 0 else ZERO):
                _visit(visits, key, full, a, v, s, w, space.o, day, space.day, first)


@block
def _wants_inside(calendar, visits, full, step):
    """Whether anything is wanted between the start of a step and the next."""
    for d in range(1, WEEK):
        t, visited = _wanted(calendar, visits, full, WEEK * step + d)
        if t >= 0 or visited:
            return True
    return False


@block
def _step_block(model, drug, arms, visits, key, calendar, what, totals, full, a, step, space, b, cursor, first):
    """One week of one block: look at its start, step, look inside it. `cursor`: next dose of the shared calendar."""
    s, w, base = space.s[b], space.w[b], space.base[b]
    addon, day = arms.addon[a, step], WEEK * step
    _resolve_if_wanted(model, calendar, visits, full, s, step)
    _look(model, drug, visits, key, calendar, what, totals, full, a, s, w, base, space, day, addon, first)
    inside = _wants_inside(calendar, visits, full, step)
    if inside:
        space.before[:] = s
    treated = arms.own[a] or (cursor > arms.day_start[a]) or _dose_in(arms, a, step, cursor)
    if treated:
        dosing.treat(arms, a, model, drug, key, w, s, step, WEEK, cursor)
    else:
        effect.untreated(s, addon)
    seam.step(model, s, F(day), arms.hazard[a, step])
    if inside:
        _resolve(model, s)
        for d in range(1, WEEK):
            t, visited = _wanted(calendar, visits, full, day + d)
            if t >= 0 or visited:
                _peek(model, drug, arms, key, a, step, d, treated, space, b, cursor)
                _look(
                    model, drug, visits, key, calendar, what, totals, full, a, space.peeked, w, base, space, day + d,
                    addon, first,
                )  # fmt: skip


@block
def _resolve_if_wanted(model, calendar, visits, full, s, step):
    t, visited = _wanted(calendar, visits, full, WEEK * step)
    if t >= 0 or visited or step % STEPS_PER_EPOCH == 0:
        _resolve(model, s)


@block
def _dose_in(arms, a, step, cursor):
    return cursor < arms.day_start[a + 1] and arms.day[cursor] < WEEK * (step + 1)


@block
def _peek(model, drug, arms, key, a, step, days, treated, space, b, cursor):
    """The block's state `days` days into the step, with what is known by now of deaths and dropout."""
    s, peeked = space.s[b], space.peeked
    peeked[:] = space.before
    if treated:
        dosing.treat(arms, a, model, drug, key, space.w[b], peeked, step, days, cursor)
    else:
        effect.untreated(peeked, arms.addon[a, step])
    seam.peek(model, peeked, F(days))
    for row in (EVENT, KIND, DEATH):
        peeked[row : row + LANES] = s[row : row + LANES]


@block
def _pack(space, blocks, day, a, totals, end):
    """Count the dead out and fill their lanes from the last blocks. Returns the number of blocks still in use."""
    tail = blocks * LANES - 1
    for b in range(blocks):
        for i in range(LANES):
            here = b * LANES + i
            while here <= tail and not space.s[b, DEATH + i] > day:
                _leave(space, b, i, a, totals, end)
                if tail > here:
                    _move(space, tail, b, i)
                else:
                    space.s[b, DEATH + i], space.s[b, EVENT + i] = NOBODY, NOBODY
                tail -= 1
    return max((tail + LANES) // LANES, 0)


@block
def _leave(space, b, i, a, totals, end):
    if space.s[b, DEATH + i] > NOBODY:
        sums.finish(totals, a, space.s[b], i, end)


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
def _too_many_dead(space, blocks, day):
    alive = 0
    for b in range(blocks):
        s = space.s[b]
        for i in range(LANES):
            alive += 1 if s[DEATH + i] > day else 0
    return alive <= (blocks - 1) * LANES


@block
def _live(model, drug, arms, visits, key, calendar, what, totals, full, a, space, blocks, first):
    """Step all blocks of one arm to the end of follow-up. Returns the number of blocks left."""
    cursor = arms.day_start[a]
    packed = full.truth.shape[2] == 0
    for epoch in range((calendar.steps + STEPS_PER_EPOCH - 1) // STEPS_PER_EPOCH):
        start = cursor
        for b in range(blocks):
            cursor = start
            seam.renew(model, key, space.w[b], space.s[b], epoch)
            for step in range(STEPS_PER_EPOCH * epoch, min(STEPS_PER_EPOCH * (epoch + 1), calendar.steps)):
                _step_block(
                    model, drug, arms, visits, key, calendar, what, totals, full, a, step, space, b, cursor, first
                )
                while _dose_in(arms, a, step, cursor):
                    cursor += 1
            _resolve(model, space.s[b])
        day = F(WEEK * STEPS_PER_EPOCH * (epoch + 1))
        if packed and _too_many_dead(space, blocks, day):
            blocks = _pack(space, blocks, day, a, totals, calendar.end)
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


@block
def _keep_people(full, space, search, n, first):
    for place in range(n):
        for row in range(space.cohort.shape[0]):
            full.traits[row, first + place] = space.cohort[row, place]
        full.candidates[0, first + place] = space.who[1, place]
        full.candidates[1, first + place] = search.tried[place]


@kernel
def simulate(model, key, people, visits, arms, calendar, what, first, n, space, search, totals, full):
    """Recruit patients first ... first+n-1, live them in every arm, add to `totals` and fill `full`.

    Returns -1, or the stratum for which no patient could be found.
    """
    batch = space.cohort.shape[1]
    for start in range(first, first + n, batch):
        count = min(batch, first + n - start)
        failed = recruit.recruit(people, visits, model, key, search, start, count, space.cohort, space.who)
        if failed >= 0:
            return failed
        is_full = full.truth.shape[2] > 0
        if is_full:
            _keep_people(full, space, search, count, start)
        for a in range(arms.every.size):
            drug = dosing.drug_of(arms, a)
            _load(space, arms, a, drug, key, count)
            blocks = (count + LANES - 1) // LANES
            blocks = _live(model, drug, arms, visits, key, calendar, what, totals, full, a, space, blocks, start)
            for b in range(blocks):
                for i in range(LANES):
                    _leave(space, b, i, a, totals, calendar.end)
            if is_full:
                _keep_events(full, a, space, blocks, start)
    return -1
