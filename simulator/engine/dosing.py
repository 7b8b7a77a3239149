"""When doses are given: a calendar that all patients of an arm share, or each patient's own (see plans.py).

Section 8 of docs/model.md. Days are whole days since baseline; an epoch is the half-open interval [from_day, to_day).
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import effect, interface, plans, rows, safety
from simulator.engine.columns import NEVER
from simulator.engine.effect import Drug
from simulator.engine.jit import LANES, NO, YES, inline, kept, merge
from simulator.engine.mathematics import HALF, ONE, ZERO, F
from simulator.engine.rows import DELTA, GIVEN, SLOT, STOP, C

WEEK, SEVENTH = 7, F(1 / 7)


class Arms(NamedTuple):
    """All arms of a run as arrays, so that their number is no part of the compiled type."""

    table: np.ndarray  # (arm, 8, column) float32: propagators
    constant: np.ndarray  # (arm, field) float32: fields of Drug after the table
    day: np.ndarray  # (calendar,) int32: dose days of all arms, one after the other
    day_start: np.ndarray  # (arm + 1,) int32
    own: plans.Shared | plans.Own  # calendars of the patients' own
    horizon: np.int64  # first day that is not simulated
    stop_rate: np.ndarray  # (arm,) float32: hazard per day of giving the drug up
    stop_at_dropout: np.ndarray  # (arm,) bool
    addon: np.ndarray  # (arm, step) float32: mean multiplier of the rate by add-on treatments
    hazard: np.ndarray  # (arm, step) float32: mean multiplier of the hazard
    reactions: np.ndarray  # (arm, process, column) float32: tables of safety.py; no rows where there are no reactions
    windows: np.ndarray  # (arm, epoch, 2) float32: time on the drug where patients share a calendar


@merge
def drug_of(arms, a):
    """The drug given in doses of arm `a` as scalars."""
    c = arms.constant[a]
    return Drug(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14],
        c[15], c[16], c[17], c[18], c[19], c[20], c[21], c[22], c[23], c[24], c[25], c[26],
    )  # fmt: skip


@merge
def begin(arms, a, key, w, s, space):
    """Before day 0: when each lane stops, and nothing planned yet where patients have calendars of their own."""
    first = arms.day[arms.day_start[a]] if arms.day_start[a + 1] > arms.day_start[a] else 0
    by_choice = arms.stop_rate[a] > ZERO and not plans.are_own(
        arms.own, a
    )  # an own calendar knows its first dose when it is planned
    for i in range(LANES):
        stop = F(first) + s[rows.STOPPING + i] / arms.stop_rate[a] if by_choice else NEVER
        s[STOP + i] = min(stop, s[rows.DROPOUT + i]) if arms.stop_at_dropout[a] else stop
        s[GIVEN + i] = ZERO
    safety.begin(arms.reactions[a], arms.windows[a], key, w, s)
    plans.begin(arms.own, a, w, s, space)


@inline
def _begin_drug(model, drug, s, i, at, addon, days):
    """Lane i's first dose, `at` days into a step of which `days` are advanced."""
    interface.mark(model, s, i, at * SEVENTH, addon, drug.cap)
    if drug.waning > ZERO:
        effect.fade(drug, s, i, HALF * days - at)


@inline
def _live_on(model, drug, s, addon, days):
    """At the start of a step, of whoever had the drug before: its effect wanes, what is lost stays lost."""
    if (drug.waning > ZERO) | (drug.keeps > ZERO):
        for i in range(LANES):
            if s[C + i] > ZERO:
                effect.fade(drug, s, i, HALF * F(days))
                if drug.keeps > ZERO:
                    interface.mark(model, s, i, ZERO, addon, drug.cap)


@inline
def _end_step(drug, s, days):
    """After a step, in whose middle E_F stood: the other half of its waning."""
    if drug.waning > ZERO:
        for i in range(LANES):
            if s[C + i] > ZERO:
                effect.fade(drug, s, i, HALF * F(days))


@inline
def _give_all(model, drug, reactions, windows, key, w, s, day, step, addon, first, days):
    """The dose of a shared calendar, to every lane that takes it; `first` if it is the arm's first."""
    safety.move_on(reactions, windows, key, w, s, day)
    for i in range(LANES):
        s[C + i] += drug.dose if safety.takes(s, i, day) else ZERO
    if first:
        for i in range(LANES):
            if F(day) < s[STOP + i]:
                _begin_drug(model, drug, s, i, F(day - WEEK * step), addon, F(days))


@inline
def _give_own(model, drug, s, i, day, step, addon, days):
    """A dose of lane i by its own calendar; GIVEN counts its doses so far."""
    if s[GIVEN + i] == ZERO:
        _begin_drug(model, drug, s, i, day - F(WEEK * step), addon, F(days))
    s[C + i] += drug.dose
    s[GIVEN + i] += ONE


@kept
@inline
def treat(model, drug, table, reactions, windows, key, doses, cursor, w, s, step, days, addon):
    """Doses and drug from the start of `step` on for `days` days (7: the whole step), then the rate's multiplier.

    The step is cut at the doses of the shared calendar only; `cursor` is the place of the next one.
    `table` : (8, column) propagators by days; `reactions`, `windows` : see safety.py.
    """
    _live_on(model, drug, s, addon, days)
    _treat_shared(model, drug, table, reactions, windows, key, doses, cursor, w, s, step, days, addon)
    _end_step(drug, s, days)


@inline
def _treat_shared(model, drug, table, reactions, windows, key, doses, cursor, w, s, step, days, addon):
    """Doses and drug of a step, at the effect that E_F has in its middle."""
    while cursor < doses.size and doses[cursor] == WEEK * step:
        _give_all(model, drug, reactions, windows, key, w, s, WEEK * step, step, addon, cursor == 0, days)
        cursor += 1
    if cursor == doses.size or doses[cursor] >= WEEK * step + days:
        effect.chain(drug, table, days, ONE, s, addon, YES)
        return
    share, at = ONE / F(days), 0
    effect.open_step(s)
    while at < days:
        while cursor < doses.size and doses[cursor] == WEEK * step + at:
            _give_all(model, drug, reactions, windows, key, w, s, WEEK * step + at, step, addon, cursor == 0, days)
            cursor += 1
        to = min(days, doses[cursor] - WEEK * step) if cursor < doses.size else days
        effect.chain(drug, table, to - at, F(to - at) * share, s, addon, NO)
        at = to
    effect.close_step(s, addon)


@inline
def _next_own(given, w, s, i):
    """Day of the next dose in the lane's own calendar."""
    return given[w[SLOT + i], int(s[GIVEN + i])]


def _treat_own(own, a, model, drug, table, given, w, s, step, days, addon):
    """Each lane's step is cut at its own doses and nowhere else: lanes without one inside it are advanced together."""
    start, end = F(WEEK * step), F(WEEK * step + days)
    effect.open_step(s)
    _live_on(model, drug, s, addon, days)
    for i in range(LANES):
        if _next_own(given, w, s, i) == start:
            _give_own(model, drug, s, i, start, step, addon, days)
        s[DELTA + i] = _next_own(given, w, s, i)
    effect.chain_some(drug, table, days, s, end)
    for i in range(LANES):
        day = s[DELTA + i]
        if day < end:
            at = start
            while at < end:
                effect.chain_one(drug, table, int(day - at), (day - at) * (ONE / F(days)), s, i)
                at = day
                if at < end:
                    _give_own(model, drug, s, i, at, step, addon, days)
                    day = min(_next_own(given, w, s, i), end)
    effect.close_step(s, addon)
    _end_step(drug, s, days)


plans.answer(plans.Own, treat=_treat_own)
