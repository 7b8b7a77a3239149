"""Ventilation and feeding tubes: offered at a visit by what it measures, accepted or not, begun at the next week.

Each is offered once. From the day it begins the hazard of death or PAV is multiplied by c: what is left of the
patient's threshold is divided by c, which is exact. Background death is not affected. Docs: docs/care.md.
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import columns as life
from simulator.engine import rows, staging
from simulator.engine.columns import NEVER
from simulator.engine.jit import LANES, merge
from simulator.engine.observe import SEEN_BREATHING, SEEN_SVC, SEEN_SWALLOWING
from simulator.engine.plans import first_week
from simulator.engine.random import U32, Stream, uniforms
from simulator.engine.rows import CANDIDATE, LEFT, PATIENT, SLOT

CARE, I0 = U32(Stream.CARE), U32(0)
NIV_FROM, NIV_TO, SVC_BELOW, ITEM_AT, GOOD_BULBAR, YES_GOOD, YES_POOR, FACTOR_GOOD, FACTOR_POOR = range(9)
TUBE_FROM, TUBE_TO, SWALLOWING_AT, UPTAKE, FACTOR_TUBE = range(9, 14)
COLUMNS = 14
"""Columns of an arm: days between which ventilation is offered; SVC below which and item of breathing at which; points
of the bulbar domain that are good function; probability that it is accepted with good and with poor bulbar function,
and what it then multiplies the hazard by. Days between which a feeding tube is offered, item of swallowing at which,
uptake, and what it multiplies the hazard by."""


class Care(NamedTuple):
    """What arms offer."""

    offered: bool  # whether any arm offers anything
    offers: np.ndarray  # (arm, column) float32; nothing is offered where days are infinite


@merge
def offer(care, a, key, mine, w, s, o, day, i, seen):
    """Lane i is seen in arm `a` on `day`: offer what the measurements call for.

    A missing one calls for nothing; ventilation is not offered to somebody on permanent ventilation.
    """
    terms = care.offers[a]
    accepts, takes, _, _ = uniforms(key, w[PATIENT + i], I0, CARE, w[CANDIDATE + i])
    wanted = (seen[SEEN_SVC - 1] < terms[SVC_BELOW]) | (seen[SEEN_BREATHING - 1] <= terms[ITEM_AT])
    wanted &= not staging.is_assisted(s, i, day)
    if mine[life.NIV_OFFER] == NEVER and wanted and terms[NIV_FROM] <= day < terms[NIV_TO]:
        good = o[rows.BULBAR + i] >= terms[GOOD_BULBAR]
        mine[life.NIV_OFFER] = day
        if accepts < (terms[YES_GOOD] if good else terms[YES_POOR]):
            mine[life.NIV] = first_week(day)
            mine[life.NIV_FACTOR] = terms[FACTOR_GOOD] if good else terms[FACTOR_POOR]
    wanted = seen[SEEN_SWALLOWING - 1] <= terms[SWALLOWING_AT]
    if mine[life.TUBE_OFFER] == NEVER and wanted and terms[TUBE_FROM] <= day < terms[TUBE_TO]:
        mine[life.TUBE_OFFER] = day
        if takes < terms[UPTAKE]:
            mine[life.TUBE], mine[life.TUBE_FACTOR] = first_week(day), terms[FACTOR_TUBE]


@merge
def start(columns, w, s, day):
    """Begin what was accepted since the week before."""
    for i in range(LANES):
        mine = columns[w[SLOT + i]]
        if mine[life.NIV] == day:
            s[rows.NIV + i] = day
            s[LEFT + i] /= mine[life.NIV_FACTOR]
        if mine[life.TUBE] == day:
            s[rows.TUBE + i] = day
            s[LEFT + i] /= mine[life.TUBE_FACTOR]
