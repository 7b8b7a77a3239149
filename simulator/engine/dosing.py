"""When doses are given: a calendar that all patients of an arm share, or each patient's own with missed doses.

Section 8 of docs/model.md. Days are whole days since baseline; an epoch is the half-open interval [from_day, to_day).
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import effect, rows, safety, seam
from simulator.engine.effect import Drug
from simulator.engine.jit import LANES, block, inline, merge
from simulator.engine.mathematics import ONE, ZERO, F
from simulator.engine.random import U32, Stream, uniforms
from simulator.engine.rows import CANDIDATE, GIVEN, PATIENT, SLOT, STOP, C

DOSE = U32(Stream.DOSE)
NEVER = F(np.inf)
WEEK, SEVENTH = 7, F(1 / 7)
DAY = np.int64(1)  # no literal: the chain is compiled for a number of days
GRACE_DAYS = 14
EPOCH_NUMBERS = 4096
"""Dose numbers of an epoch in the random key."""


class Arms(NamedTuple):
    """All arms of a run as arrays, so that their number is no part of the compiled type."""

    table: np.ndarray  # (arm, 8, column) float32: propagators
    constant: np.ndarray  # (arm, field) float32: fields of Drug after the table
    day: np.ndarray  # (calendar,) int32: dose days of all arms, one after the other
    day_start: np.ndarray  # (arm + 1,) int32
    epoch: np.ndarray  # (epoch, 2) int32: first day, end
    epoch_start: np.ndarray  # (arm + 1,) int32
    loading: np.ndarray  # (loading dose,) int32: days since the epoch's start, all arms
    loading_start: np.ndarray  # (arm + 1,) int32
    every: np.ndarray  # (arm,) int32: maintenance interval
    own: np.ndarray  # (arm,) bool: each patient has a calendar of their own (doses are missed)
    keep: np.ndarray  # (arm,) bool: a late dose keeps the calendar (policy `article`), otherwise it moves it (`label`)
    missed: np.ndarray  # (arm,) float32: probability that a dose is missed
    delay_max: np.ndarray  # (arm,) float32: longest delay of a missed dose, days
    stop_rate: np.ndarray  # (arm,) float32: hazard per day of giving the drug up
    stop_at_dropout: np.ndarray  # (arm,) bool
    addon: np.ndarray  # (arm, step) float32: mean multiplier of the rate by add-on treatments
    hazard: np.ndarray  # (arm, step) float32: mean multiplier of the hazard
    reactions: np.ndarray  # (arm, row, column) float32: plans of safety.py; no rows where there are no reactions


@merge
def drug_of(arms, a):
    """The antisense drug of arm `a` as scalars."""
    c = arms.constant[a]
    return Drug(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14],
        c[15], c[16], c[17], c[18], c[19], c[20],
    )  # fmt: skip


@merge
def _plan(arms, a, key, patient, candidate, stop, calendar):
    """Fill one patient's own calendar: days on which a dose is really given, then infinity."""
    loading = arms.loading[arms.loading_start[a] : arms.loading_start[a + 1]]
    place = 0
    for e in range(arms.epoch_start[a], arms.epoch_start[a + 1]):
        due, number = arms.epoch[e, 0] + loading[0], 0
        while due < arms.epoch[e, 1]:
            gap = loading[number + 1] - loading[number] if number + 1 < loading.size else arms.every[a]
            index = U32((e - arms.epoch_start[a]) * EPOCH_NUMBERS + number)
            missed, delay, _, _ = uniforms(key, patient, index, DOSE, candidate)
            late = 1 + int(arms.delay_max[a] * delay) if missed < arms.missed[a] else 0
            kept = late == 0 or not arms.keep[a] or (late <= GRACE_DAYS and gap - late >= GRACE_DAYS)
            day = due + late
            if kept and day < arms.epoch[e, 1] and F(day) < stop and place < calendar.size:
                calendar[place] = F(day)
                place += 1
            due = due + gap if arms.keep[a] else day + gap
            number += 1
    calendar[place:] = NEVER


@merge
def begin(arms, a, key, w, s, calendars):
    """Before day 0: when each lane stops, and its own calendar where doses are missed."""
    first = arms.day[arms.day_start[a]] if arms.day_start[a + 1] > arms.day_start[a] else 0
    for i in range(LANES):
        stop = F(first) + s[rows.STOPPING + i] / arms.stop_rate[a] if arms.stop_rate[a] > ZERO else NEVER
        s[STOP + i] = min(stop, s[rows.DROPOUT + i]) if arms.stop_at_dropout[a] else stop
        s[GIVEN + i] = ZERO
    safety.begin(arms.reactions[a], key, w, s)
    if arms.own[a]:
        for i in range(LANES):
            mine, patient, candidate = calendars[w[SLOT + i]], w[PATIENT + i], w[CANDIDATE + i]
            _plan(arms, a, key, patient, candidate, s[STOP + i], mine)
            if s[rows.HELD_FROM + i] < NEVER:
                safety.leave_out(arms.reactions[a], key, patient, candidate, s[STOP + i], mine)


@inline
def _give_all(model, drug, plan, key, w, s, day, step, addon, first):
    """The dose of a shared calendar, to every lane that takes it; `first` if it is the arm's first."""
    safety.move_on(plan, key, w, s, day)
    for i in range(LANES):
        s[C + i] += drug.dose if safety.takes(s, i, day) else ZERO
    if first:
        for i in range(LANES):
            if F(day) < s[STOP + i]:
                seam.mark(model, s, i, F(day - WEEK * step) * SEVENTH, addon, drug.cap)


@merge
def _give_own(model, drug, calendars, w, s, day, step, addon):
    """Doses of this day in the patients' own calendars; GIVEN counts a lane's doses so far."""
    for i in range(LANES):
        place = int(s[GIVEN + i])
        if calendars[w[SLOT + i], place] == F(day):
            if place == 0:
                seam.mark(model, s, i, F(day - WEEK * step) * SEVENTH, addon, drug.cap)
            s[C + i] += drug.dose
            s[GIVEN + i] += ONE


@inline
def treat(model, drug, table, plan, key, doses, cursor, w, s, step, days, addon):
    """Doses and drug from the start of `step` on for `days` days (7: the whole step), then the rate's multiplier.

    The step is cut at the doses of the shared calendar only; `cursor` is the place of the next one.
    `table` : (8, column) propagators by days; `plan` : what of safety.py holds in this arm.
    """
    while cursor < doses.size and doses[cursor] == WEEK * step:
        _give_all(model, drug, plan, key, w, s, WEEK * step, step, addon, cursor == 0)
        cursor += 1
    if cursor == doses.size or doses[cursor] >= WEEK * step + days:
        effect.chain(drug, table, days, ONE, s, addon, True)
        return
    share, at = ONE / F(days), 0
    effect.open_step(s)
    while at < days:
        while cursor < doses.size and doses[cursor] == WEEK * step + at:
            _give_all(model, drug, plan, key, w, s, WEEK * step + at, step, addon, cursor == 0)
            cursor += 1
        to = min(days, doses[cursor] - WEEK * step) if cursor < doses.size else days
        effect.chain(drug, table, to - at, F(to - at) * share, s, addon, False)
        at = to
    effect.close_step(s, addon)


@block
def treat_own(model, drug, table, calendars, w, s, step, days, addon):
    """As `treat`, day by day, where patients have calendars of their own."""
    effect.open_step(s)
    for d in range(days):
        _give_own(model, drug, calendars, w, s, WEEK * step + d, step, addon)
        effect.chain(drug, table, DAY, ONE / F(days), s, addon, False)
    effect.close_step(s, addon)
