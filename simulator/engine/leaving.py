"""Dropout that depends on function: a hazard multiplied by exp(slope · (points lost - neutral)), week by week.

The points are those of the last measurement (MAR) or of the truth as a week begins, which nobody sees (MNAR). Each
patient's threshold is that of dropout without it, the same in all arms. Section 8 of docs/model.md.
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import columns as life
from simulator.engine import interface, rows
from simulator.engine.jit import LANES, inline, merge
from simulator.engine.mathematics import ZERO, F, exp32, log32
from simulator.engine.observe import POINTS, SEEN_ALSFRS_R
from simulator.engine.plans import WEEK
from simulator.engine.random import U32, Stream, uniforms
from simulator.engine.rows import CANDIDATE, DEATH, DROPOUT, PATIENT, SLOT, STOP
from simulator.engine.space import NOBODY
from simulator.units import DAYS_PER_YEAR

EVENTS, I1 = U32(Stream.EVENT), U32(1)
NEVER, YEAR = F(np.inf), F(DAYS_PER_YEAR)
FIRST, RATE, BEFORE = range(3)
"""Columns of a piece of the hazard: its first day, rate per day, hazard before."""


class Leaving(NamedTuple):
    """How dropout depends on ALSFRS-R."""

    depends: bool  # whether it does
    pieces: np.ndarray  # (piece, column) float32: the hazard where the multiplier is 1
    slope: np.float32  # log of what a point lost multiplies the hazard by
    neutral: np.float32  # points lost at which it is multiplied by 1
    since_entry: bool  # points count from entry, otherwise from 48
    unseen: bool  # the truth decides, otherwise the last measurement
    stops: bool  # dropout ends the drug


@merge
def begin(key, columns, w, s):
    """Before day 0: nobody of this block has left, and nothing of the thresholds is used up."""
    for i in range(LANES):
        if s[DEATH + i] > NOBODY:
            threshold, _, _, _ = uniforms(key, w[PATIENT + i], I1, EVENTS, w[CANDIDATE + i])
            columns[w[SLOT + i], life.STAYS] = -log32(threshold)
            s[DROPOUT + i] = NEVER


@merge
def note(leave, mine, visit, seen):
    """A visit has measured a patient."""
    if not leave.unseen:
        mine[life.SCORE] = seen[SEEN_ALSFRS_R - 1]
        mine[life.FIRST_SCORE] = mine[life.SCORE] if visit == 0 else mine[life.FIRST_SCORE]


@inline
def _hazard(pieces, day):
    """Hazard from day 0 to `day`, where the multiplier is 1."""
    found = ZERO
    for k in range(pieces.shape[0]):
        if day >= pieces[k, FIRST]:
            found = pieces[k, BEFORE] + pieces[k, RATE] * (day - pieces[k, FIRST])
    return found


@inline
def _day_of(pieces, hazard):
    """The day on which the hazard from day 0 has come to `hazard`."""
    day = NEVER
    for k in range(pieces.shape[0]):
        if hazard >= pieces[k, BEFORE] and pieces[k, RATE] > ZERO:
            day = pieces[k, FIRST] + (hazard - pieces[k, BEFORE]) / pieces[k, RATE]
    return day


@merge
def carry_out(leave, model, columns, w, s, o, step):
    """The week `step` begins: find who drops out in it."""
    day, end = F(WEEK * step), F(WEEK * (step + 1))
    before = _hazard(leave.pieces, day)
    usual = _hazard(leave.pieces, end) - before
    if leave.unseen:
        interface.outputs(model, s, o, day / YEAR)
    for i in range(LANES):
        mine = columns[w[SLOT + i]]
        if s[DEATH + i] > NOBODY and s[DROPOUT + i] == NEVER:
            if leave.unseen:
                mine[life.SCORE] = o[rows.ALSFRS_R + i]
                mine[life.FIRST_SCORE] = mine[life.SCORE] if step == 0 else mine[life.FIRST_SCORE]
            lost = (mine[life.FIRST_SCORE] if leave.since_entry else POINTS) - mine[life.SCORE]
            factor = exp32(leave.slope * (lost - leave.neutral))
            if usual * factor >= mine[life.STAYS]:
                found = _day_of(leave.pieces, before + mine[life.STAYS] / factor)
                s[DROPOUT + i] = min(max(found, day), end)
                s[STOP + i] = min(s[STOP + i], s[DROPOUT + i]) if leave.stops else s[STOP + i]
            mine[life.STAYS] -= usual * factor
