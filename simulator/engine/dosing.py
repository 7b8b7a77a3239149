"""When doses are given: a calendar that all patients of an arm share, or each patient's own (see plans.py).

Section 8 of docs/model.md. Days are whole days since baseline; an epoch is the half-open interval [from_day, to_day).
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import effect, plans, rows, seam
from simulator.engine.effect import Drug
from simulator.engine.jit import LANES, block, inline, merge
from simulator.engine.lives import NEVER
from simulator.engine.mathematics import ONE, ZERO, F
from simulator.engine.rows import GIVEN, SLOT, STOP, C

WEEK, SEVENTH = 7, F(1 / 7)


class Arms(NamedTuple):
    """All arms of a run as arrays, so that their number is no part of the compiled type."""

    table: np.ndarray  # (arm, 8, column) float32: propagators
    constant: np.ndarray  # (arm, field) float32: fields of Drug after the table
    day: np.ndarray  # (calendar,) int32: dose days of all arms, one after the other
    day_start: np.ndarray  # (arm + 1,) int32
    epoch: np.ndarray  # (epoch, 4) int32: columns of plans.py
    epoch_start: np.ndarray  # (arm + 1,) int32
    hold: np.ndarray  # (hold, 2) int32: first day and end of planned holds, days since their epoch's start
    hold_start: np.ndarray  # (epoch + 1,) int32
    horizon: np.int64  # first day that is not simulated
    loading: np.ndarray  # (loading dose,) int32: days since the epoch's start, all arms
    loading_start: np.ndarray  # (arm + 1,) int32
    every: np.ndarray  # (arm,) int32: maintenance interval
    own: np.ndarray  # (arm,) bool: each patient has a calendar of their own
    piece: np.ndarray  # (arm,) int64 days between days that can have doses in own calendars: 7 or 1
    keep: np.ndarray  # (arm,) bool: a late dose keeps the calendar (policy `article`), otherwise it moves it (`label`)
    missed: np.ndarray  # (arm,) float32: probability that a dose is missed
    delay_max: np.ndarray  # (arm,) float32: longest delay of a missed dose, days
    stop_rate: np.ndarray  # (arm,) float32: hazard per day of giving the drug up
    stop_at_dropout: np.ndarray  # (arm,) bool
    addon: np.ndarray  # (arm, step) float32: mean multiplier of the rate by add-on treatments
    hazard: np.ndarray  # (arm, step) float32: mean multiplier of the hazard


@merge
def drug_of(arms, a):
    """The antisense drug of arm `a` as scalars."""
    c = arms.constant[a]
    return Drug(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14],
        c[15], c[16], c[17], c[18], c[19], c[20],
    )  # fmt: skip


@merge
def begin(arms, a, w, s, lives, calendars):
    """Before day 0: when each lane stops, and nothing planned yet where patients have calendars of their own."""
    first = arms.day[arms.day_start[a]] if arms.day_start[a + 1] > arms.day_start[a] else 0
    by_choice = arms.stop_rate[a] > ZERO and not arms.own[a]  # an own calendar knows its first dose when it is planned
    for i in range(LANES):
        stop = F(first) + s[rows.STOPPING + i] / arms.stop_rate[a] if by_choice else NEVER
        s[STOP + i] = min(stop, s[rows.DROPOUT + i]) if arms.stop_at_dropout[a] else stop
        s[GIVEN + i] = ZERO
    if arms.own[a]:
        plans.begin(arms, a, w, s, lives, calendars)


@inline
def _give_all(model, drug, s, day, step, addon, first):
    """The dose of a shared calendar, to every lane that has not stopped; `first` if it is the arm's first."""
    for i in range(LANES):
        s[C + i] += drug.dose if F(day) < s[STOP + i] else ZERO
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
def treat(model, drug, table, doses, cursor, s, step, days, addon):
    """Doses and drug from the start of `step` on for `days` days (7: the whole step), then the rate's multiplier.

    The step is cut at the doses of the shared calendar only; `cursor` is the place of the next one.
    `table` : (8, column) propagators by days.
    """
    while cursor < doses.size and doses[cursor] == WEEK * step:
        _give_all(model, drug, s, WEEK * step, step, addon, cursor == 0)
        cursor += 1
    if cursor == doses.size or doses[cursor] >= WEEK * step + days:
        effect.chain(drug, table, days, ONE, s, addon, True)
        return
    share, at = ONE / F(days), 0
    effect.open_step(s)
    while at < days:
        while cursor < doses.size and doses[cursor] == WEEK * step + at:
            _give_all(model, drug, s, WEEK * step + at, step, addon, cursor == 0)
            cursor += 1
        to = min(days, doses[cursor] - WEEK * step) if cursor < doses.size else days
        effect.chain(drug, table, to - at, F(to - at) * share, s, addon, False)
        at = to
    effect.close_step(s, addon)


@block
def treat_own(model, drug, table, piece, calendars, w, s, step, days, addon):
    """As `treat`, where patients have calendars of their own: day by day, or whole if doses begin weeks (`piece` 7)."""
    effect.open_step(s)
    for d in range(0, days, piece):
        _give_own(model, drug, calendars, w, s, WEEK * step + d, step, addon)
        h = min(piece, days - d)
        effect.chain(drug, table, h, F(h) / F(days), s, addon, False)
    effect.close_step(s, addon)
