"""Rules of a life: what a visit measures is shown to them, and what they decide takes effect from the next week on.

Where a scenario has no rules, `NoRules` is compiled, which is nothing at all; with rules, `Rules`. Both are told apart
by their type (see choice.py). Whatever a rule sees is what the visit reports: the numbers of observe.py, keyed by
patient and visit.

Three moments: `begin`, when a block is loaded; `consider`, at every visit that is held, also of the dead (truth goes on
as if they lived; their decisions are not reported), but not after dropout; `carry_out`, at the start of every week of
the study. A visit on day d is carried out on day 7 ceil(d/7): on its own day if a week begins there. `consider` may see
a copy of the block (a visit inside a week), so it writes to `lives` only (see lives.py); `carry_out` has the block
itself and may change it. A hazard multiplied by c from now on is `s[LEFT + i] /= c`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simulator.engine import care, interface, leaving, rows, staging
from simulator.engine.choice import Table, by_type
from simulator.engine.columns import (
    AT_LIMIT,
    AT_PAV,
    AT_PHENOCONVERSION,
    AT_TRIGGER,
    BASE_NFL,
    BEGAN,
    CHANGED,
    EVERY,
    NEVER,
    PHENOCONVERSION,
    SAMPLES,
    STARTED,
    SUM_NFL,
    TRIGGER,
)
from simulator.engine.jit import LANES, merge
from simulator.engine.mathematics import ONE, ZERO, F, log32
from simulator.engine.observe import SEEN_ALSFRS_R, SEEN_NFL, SEEN_SVC
from simulator.engine.plans import WEEK, first_week
from simulator.engine.random import U32, Stream, uniforms
from simulator.engine.rows import CANDIDATE, DEATH, PATIENT, SLOT
from simulator.engine.space import NOBODY

VISIT = U32(Stream.VISIT)
FULL_SCORE = F(48.0)
LONGER, SHORTER, NEEDED, WAIT, INTERVALS = range(5)
"""Columns of a guide: log of the NfL ratios at or below which the interval grows and at or above which it shrinks,
samples needed, days without samples after a change; then the intervals, ascending, the last one repeated."""
MOST_INTERVALS = 6


class NoRules(NamedTuple):
    """A scenario in which nothing depends on what a visit measures."""


class Rules(NamedTuple):
    """Limits of the rules, float32 scalars; a rule that is not wanted has limits that are never reached."""

    carriers: bool  # people enter before onset: their epochs of volatility begin at the untreated onset
    trigger_nfl: np.float32  # pg/mL that measured NfL reaches
    trigger_rise: np.float32  # pg/mL by which it exceeds the patient's own baseline
    sensitivity: np.float32  # probability that a visit notices phenoconversion
    limit_alsfrs_r: np.float32  # measured score at or below which the limit is reached
    limit_svc: np.float32  # measured SVC at or below which it is
    care: care.Care  # ventilation and feeding tubes
    leave: leaving.Leaving  # dropout that depends on function
    guide: np.ndarray  # (arm, LONGER ... INTERVALS + 5) float32; samples needed infinite where NfL guides nothing


_ANSWERS: dict[str, Table] = {}


def _rule(stub: Callable) -> Callable:
    return by_type(_ANSWERS.setdefault(stub.__name__, {}))(stub)


def _answer(kind: type, **functions: Callable) -> None:
    for name, function in functions.items():
        _ANSWERS[name][kind] = function


@_rule
def exist(rules):
    """Whether there are any: a constant when compiling."""


@_rule
def begin(rules, key, lives, w, s):
    """Before day 0: nothing has been decided for the patients of this block."""


@_rule
def renew(rules, model, key, w, s, epoch):
    """A 28-day epoch of the study begins."""


@_rule
def consider(rules, a, key, lives, w, s, o, visit, day, i, seen):
    """Lane i is seen in arm `a` on `day`: `seen` is what is measured (see `observe.observe`), `o` the outputs."""


@_rule
def carry_out(rules, model, key, lives, w, s, o, step):
    """The week `step` begins: what was decided since the last one takes effect."""


# --- no rules


def _never(rules):
    return False


def _nothing_begins(rules, key, lives, w, s):
    pass


def _renew(rules, model, key, w, s, epoch):
    interface.renew(model, key, w, s, epoch)


def _nothing_considered(rules, a, key, lives, w, s, o, visit, day, i, seen):
    pass


def _nothing_to_do(rules, model, key, lives, w, s, o, step):
    pass


# --- rules


def _always(rules):
    return True


def _begin(rules, key, lives, w, s):
    for i in range(LANES):
        if s[DEATH + i] > NOBODY:
            mine = lives[w[SLOT + i]]
            for k in range(mine.size):
                mine[k] = NEVER
            mine[SAMPLES], mine[SUM_NFL] = ZERO, ZERO
    if rules.leave.depends:
        leaving.begin(key, lives, w, s)


def _renew_shared(rules, model, key, w, s, epoch):
    if not rules.carriers:
        interface.renew(model, key, w, s, epoch)


@merge
def _guide(guide, mine, day, nfl):
    """The interval between doses follows measured NfL."""
    since = mine[CHANGED] if mine[CHANGED] < NEVER else mine[STARTED]
    if guide[NEEDED] < NEVER and mine[BEGAN] < NEVER and day >= max(since, mine[STARTED]) + guide[WAIT]:
        mine[SUM_NFL] += log32(nfl / mine[BASE_NFL])
        mine[SAMPLES] += ONE
        if mine[SAMPLES] >= guide[NEEDED]:
            level = mine[SUM_NFL] / mine[SAMPLES]
            every = mine[EVERY]
            for k in range(INTERVALS + 1, guide.size):
                shorter, longer = guide[k - 1], guide[k]
                every = longer if level <= guide[LONGER] and mine[EVERY] == shorter < longer else every
                every = shorter if level >= guide[SHORTER] and mine[EVERY] == longer > shorter else every
            mine[CHANGED] = day if every != mine[EVERY] else mine[CHANGED]
            mine[EVERY], mine[SAMPLES], mine[SUM_NFL] = every, ZERO, ZERO


def _consider(rules, a, key, lives, w, s, o, visit, day, i, seen):
    mine, score, svc, nfl = lives[w[SLOT + i]], seen[SEEN_ALSFRS_R - 1], seen[SEEN_SVC - 1], seen[SEEN_NFL - 1]
    if visit == 0:
        mine[BASE_NFL] = nfl
    if mine[TRIGGER] == NEVER and nfl >= rules.trigger_nfl and nfl - mine[BASE_NFL] >= rules.trigger_rise:
        mine[TRIGGER], mine[AT_TRIGGER] = day, first_week(day)
    if mine[PHENOCONVERSION] == NEVER and o[rows.DISEASE_TIME + i] >= ZERO and score < FULL_SCORE:
        _, _, noticed, _ = uniforms(key, w[PATIENT + i], U32(visit), VISIT, w[CANDIDATE + i])
        if noticed < rules.sensitivity:
            mine[PHENOCONVERSION], mine[AT_PHENOCONVERSION] = day, first_week(day)
    if mine[AT_PAV] == NEVER and staging.is_assisted(s, i, day):
        mine[AT_PAV] = first_week(day)
    if mine[AT_LIMIT] == NEVER and (score <= rules.limit_alsfrs_r or svc <= rules.limit_svc):
        mine[AT_LIMIT] = first_week(day)
    if rules.care.offered:
        care.offer(rules.care, a, key, mine, w, s, o, day, i, seen)
    if rules.leave.depends:
        leaving.note(rules.leave, mine, visit, seen)
    _guide(rules.guide[a], mine, day, nfl)


def _carry_out(rules, model, key, lives, w, s, o, step):
    if rules.carriers:
        interface.turn(model, key, w, s, step)
    if rules.care.offered:
        care.start(lives, w, s, F(WEEK * step))
    if rules.leave.depends:
        leaving.carry_out(rules.leave, model, lives, w, s, o, step)


_answer(
    NoRules,
    exist=_never,
    begin=_nothing_begins,
    renew=_renew,
    consider=_nothing_considered,
    carry_out=_nothing_to_do,
)
_answer(Rules, exist=_always, begin=_begin, renew=_renew_shared, consider=_consider, carry_out=_carry_out)
