"""What can be seen: disease time and King's stage, and nothing else. Section 4."""

import numpy as np

from simulator.engine import rows, staging
from simulator.engine.jit import LANES
from simulator.engine.mathematics import ONE, ZERO, F
from simulator.engine.rows import DEATH
from simulator.models.multistate.kernels.state import REACH_2, REACH_3, REACH_4, U

NOT_MODELLED, LAST_STAGE, DEAD = F(np.nan), F(5.0), staging.DEATH_CODES[0]
TWO, THREE = F(2.0), F(3.0)


def outputs(model, s, o, years):
    """Disease time; scores, breathing, strength and neurofilament are not modelled."""
    for i in range(LANES):
        o[rows.ALSFRS_R + i] = NOT_MODELLED
        o[rows.BULBAR + i] = NOT_MODELLED
        o[rows.FINE + i] = NOT_MODELLED
        o[rows.GROSS + i] = NOT_MODELLED
        o[rows.RESPIRATORY + i] = NOT_MODELLED
        o[rows.SVC + i] = NOT_MODELLED
        o[rows.HHD + i] = NOT_MODELLED
        o[rows.NFL + i] = NOT_MODELLED
        o[rows.DISEASE_TIME + i] = s[U + i]


def items(model, s, o):
    """There are no items."""


def stages(model, s, o, day):
    """King's stage: how many of the person's own disease times u has passed. Stage 4 has the code of 4B."""
    for i in range(LANES):
        u = s[U + i]
        early = ONE if u < s[REACH_2 + i] else TWO
        living = early if u < s[REACH_3 + i] else THREE
        living = living if u < s[REACH_4 + i] else LAST_STAGE
        living = living if u >= ZERO else ZERO
        living = LAST_STAGE if staging.is_assisted(s, i, day) else living
        o[rows.KINGS + i] = DEAD if s[DEATH + i] <= day else living
        o[rows.MITOS + i] = NOT_MODELLED
        o[rows.FT9 + i] = NOT_MODELLED
