"""What is wanted on a day (output rows, sums, truth and visits of a full run), and what is kept at the end."""

import numpy as np

from simulator.engine import effect, interface, observe, plans, rows, rules, safety, staging, sums
from simulator.engine.jit import LANES, block, inline, kept, kernel, merge
from simulator.engine.mathematics import ZERO, F
from simulator.engine.rows import DEATH, EVENT, KIND, SLOT
from simulator.engine.space import NOBODY
from simulator.units import DAYS_PER_YEAR

YEAR = F(DAYS_PER_YEAR)


@kept
@block
def sum_up(table, totals, full, calendar, a, t, base, o, s, day, x, alive, bins):
    """Add a block to the sums of arm `a` and output `t`; the first output is everybody's baseline."""
    if t == 0:
        sums.keep_baseline(table, o, base, x)
    sums.accumulate(table, totals.heads, totals.moments, totals.counts, a, t, base, o, s, F(day), x, alive, bins)
    if calendar.staged:
        sums.count_stages(totals.stages, a, t, o, alive)
    sums.count_lost(totals.lost, calendar.known, a, t, o, s, F(day), full.truth.shape[2] > 0)


@merge
def _keep_truth(full, a, t, s, w, o, first):
    for v in range(full.truth.shape[0]):
        for i in range(LANES):
            if s[DEATH + i] > NOBODY:
                full.truth[v, a, first + int(w[SLOT + i]), t] = o[v * LANES + i]


@merge
def _visit(decide, visits, nominal, end, key, full, a, visit, s, w, o, day, held, lives, first):
    """Measure those lanes of a block whose visit is held on `day`, before death and dropout; the dead have a stage.

    Rules also see the dead, whose truth goes on, but nobody after dropout.
    """
    observe.visit_days(visits, key, w, held, visit, nominal, end)
    kept = full.truth.shape[2] > 0
    for i in range(LANES):
        death, dropout = s[DEATH + i], s[rows.DROPOUT + i]
        alive, place = F(day) <= death, first + int(w[SLOT + i])
        if held[i] == F(day) <= dropout and (alive or (rules.exist(decide) and death > NOBODY)):
            seen = observe.observe(visits, key, w, s, o, visit, F(day), i)
            rules.consider(decide, a, key, lives, w, s, o, visit, F(day), i, seen)
            if kept and alive:
                full.observed[observe.DAY, a, place, visit] = F(day)
                for k in range(observe.REPORTED):
                    full.observed[1 + k, a, place, visit] = seen[k]
        if kept and held[i] == F(day) > death > NOBODY and death <= dropout and visits.staged > ZERO:
            for k in range(len(staging.DEATH_CODES)):
                full.observed[observe.SEEN_KINGS + k, a, place, visit] = staging.DEATH_CODES[k]


@inline
def _may_fall_on(nominal, jitter, v, day):
    return abs(F(nominal - day)) <= (jitter if v > 0 else ZERO)


@block
def find(days, day):
    """Place of `day` among the output days, -1 if it is none."""
    low, high = 0, days.size
    while low < high:
        middle = (low + high) // 2
        if days[middle] < day:
            low = middle + 1
        else:
            high = middle
    return low if low < days.size and days[low] == day else -1


@kept
@block
def show(model, drug, s, o, day, addon, staged):
    """All output rows of a block that stands at `day`; items and stages if they are wanted."""
    interface.outputs(model, s, o, F(day) / YEAR)
    effect.read_out(drug, s, o, addon)
    if staged:
        interface.stages(model, s, o, F(day))


@kept
@block
def look_at_everybody(decide, visits, key, calendar, full, a, t, s, w, o, held, lives, day, first):
    """Truth and visits of a full run, visits for the rules; `t` is the number of the output on this day, -1 if none."""
    if t >= 0 and full.truth.shape[2] > 0:
        _keep_truth(full, a, t, s, w, o, first)
    for v in range(calendar.visit.size):
        if F(day) <= calendar.end and _may_fall_on(calendar.visit[v], visits.jitter, v, day):
            _visit(
                decide, visits, calendar.visit[v], calendar.end, key, full, a, v, s, w, o, day, held, lives, first
            )  # fmt: skip


@merge
def keep_events(full, arms, key, a, space, blocks, first):
    """Write the outcome of a full run's blocks."""
    for b in range(blocks):
        s, w = space.s[b], space.w[b]
        for i in range(LANES):
            if s[DEATH + i] > NOBODY:
                place = first + int(w[SLOT + i])
                full.event[a, place], full.kind[a, place] = s[EVENT + i], np.int8(s[KIND + i])
                full.death[a, place], full.stop[a, place] = s[DEATH + i], s[rows.STOP + i]
                full.dropout[a, place] = s[rows.DROPOUT + i]
                if full.onset.shape[1] > 0:
                    full.onset[a, place] = s[rows.SYMPTOMS + i]
                for k in range(full.doses.shape[2]):
                    full.doses[a, place, k] = space.calendars[int(w[SLOT + i]), k]
                if full.reactions.shape[2] > 0:
                    windows = space.windows[int(w[SLOT + i])] if plans.are_own(arms.own, a) else arms.windows[a]
                    full.stop[a, place], _, _, _ = safety.look_ahead(
                        arms.reactions[a], windows, key, w[rows.PATIENT + i], w[rows.CANDIDATE + i],
                        min(s[rows.STOP + i], F(arms.horizon)), F(-1), full.reactions[a, place],
                    )  # fmt: skip
                for k in range(full.lives.shape[2]):
                    full.lives[a, place, k] = space.lives[int(w[SLOT + i]), k]


@kernel
def keep_people(full, cohort, who, tried, n, first):
    """Write the recruited batch into the arrays of a full run."""
    for place in range(n):
        for row in range(cohort.shape[0]):
            full.traits[row, first + place] = cohort[row, place]
        full.candidates[0, first + place] = who[1, place]
        full.candidates[1, first + place] = tried[place]
