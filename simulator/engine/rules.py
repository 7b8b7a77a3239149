"""Rules of a life: what a visit measures is shown to them, and what they decide takes effect from the next week on.

Where a scenario has no rules, `NoRules` is compiled, which is nothing at all; with rules, `Rules`. Both are told apart
by their type (see choice.py). Whatever a rule sees is what the visit reports: the numbers of observe.py, keyed by
patient and visit.

Three moments: `begin`, when a block is loaded; `consider`, at every visit that is held, also of the dead (truth goes on
as if they lived; their decisions are not reported), but not after dropout; `carry_out`, at the start of every week of
the study. A visit on day d is carried out on day 7 ceil(d/7): on its own day if a week begins there. `consider` may see
a copy of the block (a visit inside a week), so it writes to `lives` only; `carry_out` has the block itself and may
change it. A hazard multiplied by c from now on is `s[LEFT + i] /= c`.

`lives` : (patient of the part, column) float32, found by w[SLOT + i], so the packing of blocks does not touch it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simulator.engine import rows
from simulator.engine.choice import Table, by_type
from simulator.engine.jit import LANES
from simulator.engine.mathematics import ZERO, F
from simulator.engine.observe import SEEN_ALSFRS_R, SEEN_NFL
from simulator.engine.random import U32, Stream, uniforms
from simulator.engine.rows import CANDIDATE, DEATH, PATIENT, SLOT
from simulator.engine.space import NOBODY

VISIT = U32(Stream.VISIT)
NEVER, FULL_SCORE = F(np.inf), F(48.0)
KEPT = ("trigger_time", "phenoconversion_time")
"""Columns of `lives` that a full run reports, the first ones: days since baseline, infinity if never."""
TRIGGER, PHENOCONVERSION = range(2)
BASE_NFL = 2  # the patient's own first measured NfL
COLUMNS = 3


class NoRules(NamedTuple):
    """A scenario in which nothing depends on what a visit measures."""


class Rules(NamedTuple):
    """Limits of the rules, float32 scalars; a rule that is not wanted has limits that are never reached."""

    trigger_nfl: np.float32  # pg/mL that measured NfL reaches
    trigger_rise: np.float32  # pg/mL by which it exceeds the patient's own baseline
    sensitivity: np.float32  # probability that a visit notices phenoconversion


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
def begin(rules, lives, w, s):
    """Before day 0: nothing has been decided for the patients of this block."""


@_rule
def consider(rules, key, lives, w, s, o, visit, day, i, seen):
    """Lane i is seen on `day` at a visit that measures `seen` (see `observe.observe`); outputs are in `o`."""


@_rule
def carry_out(rules, model, lives, w, s, step):
    """The week `step` begins: what was decided since the last one takes effect."""


# --- no rules


def _never(rules):
    return False


def _nothing_begins(rules, lives, w, s):
    pass


def _nothing_considered(rules, key, lives, w, s, o, visit, day, i, seen):
    pass


def _nothing_to_do(rules, model, lives, w, s, step):
    pass


# --- rules


def _always(rules):
    return True


def _begin(rules, lives, w, s):
    for i in range(LANES):
        if s[DEATH + i] > NOBODY:
            mine = lives[w[SLOT + i]]
            for k in range(mine.size):
                mine[k] = NEVER


def _consider(rules, key, lives, w, s, o, visit, day, i, seen):
    mine = lives[w[SLOT + i]]
    nfl = seen[SEEN_NFL - 1]
    if visit == 0:
        mine[BASE_NFL] = nfl
    if mine[TRIGGER] == NEVER and nfl >= rules.trigger_nfl and nfl - mine[BASE_NFL] >= rules.trigger_rise:
        mine[TRIGGER] = day
    if mine[PHENOCONVERSION] == NEVER and o[rows.DISEASE_TIME + i] >= ZERO and seen[SEEN_ALSFRS_R - 1] < FULL_SCORE:
        _, _, noticed, _ = uniforms(key, w[PATIENT + i], U32(visit), VISIT, w[CANDIDATE + i])
        if noticed < rules.sensitivity:
            mine[PHENOCONVERSION] = day


def _carry_out(rules, model, lives, w, s, step):
    pass


_answer(NoRules, exist=_never, begin=_nothing_begins, consider=_nothing_considered, carry_out=_nothing_to_do)
_answer(Rules, exist=_always, begin=_begin, consider=_consider, carry_out=_carry_out)
