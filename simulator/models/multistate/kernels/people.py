"""Candidates of the multistate model: their speed, and the disease times at which they change stage. Sections 1, 2.

Their history from onset to entry and the volatility are those of the clock model.
"""

from simulator.engine import rows
from simulator.engine.jit import LANES, merge
from simulator.engine.mathematics import ONE, ZERO, F, log32
from simulator.engine.random import U32, Stream, normals, sample, uniforms
from simulator.engine.rows import ENTRY, FAST, VARIANT
from simulator.models.multistate.kernels.state import D50, REACH_2, REACH_3, REACH_4, SPEED, STARTED, Q, U, Z
from simulator.units import DAYS_PER_MONTH

TRAIT = U32(Stream.TRAIT)
I0, STAGES = U32(0), U32(8)
MONTH = F(DAYS_PER_MONTH)


@merge
def _draw_speed(table, key, w, s):
    for i in range(LANES):
        v = int(s[VARIANT + i])
        z, _, _, _ = normals(key, w[rows.PATIENT + i], I0, TRAIT, w[rows.CANDIDATE + i])
        d50 = sample((table[v, 0], table[v, 1], table[v, 2], table[v, 3], table[v, 4]), z)
        s[D50 + i] = d50
        s[SPEED + i] = ONE / (MONTH * d50)
        s[FAST + i] = ONE if s[FAST + i] < table[v, 5] and d50 < table[v, 6] else ZERO


def draw(model, table, key, w, s):
    """Traits of a block of candidates: stage k is left after E_k / r_k of disease time, E_k ~ Exp(1) of their own."""
    _draw_speed(table, key, w, s)
    for i in range(LANES):
        e1, e2, e3, _ = uniforms(key, w[rows.PATIENT + i], STAGES, TRAIT, w[rows.CANDIDATE + i])
        second = -log32(e1) / model.leave_1
        third = second - log32(e2) / model.leave_2
        s[REACH_2 + i] = second
        s[REACH_3 + i] = third
        s[REACH_4 + i] = third - log32(e3) / model.leave_3
        s[U + i] = s[ENTRY + i]
        s[STARTED + i] = ZERO
        s[Z + i] = ZERO
        s[Q + i] = ONE


def arrive(model, s):
    """Section 3: what is used up of the last threshold by entry is r_4 (u - u_4)+."""
    for i in range(LANES):
        s[rows.USED + i] = model.leave_4 * max(s[U + i] - s[REACH_4 + i], ZERO)
