"""The twelve items of the ALSFRS-R and the stages read from them, true or observed alike. Section 2 of docs/model.md.

Items in their usual order: speech, salivation, swallowing; handwriting, cutting food, dressing; turning in bed,
walking, climbing stairs; dyspnoea, orthopnoea, respiratory insufficiency. Each has 0 to 4 points.

References
----------
King's: Roche et al., Brain 2012;135:847-852, doi:10.1093/brain/awr351; read from items as Balendra et al. 2014 do.
MiToS: Chio et al., J Neurol Neurosurg Psychiatry 2015, doi:10.1136/jnnp-2013-306589. FT9: Thakore et al. 2018.
"""

import numpy as np

from simulator.engine import rows
from simulator.engine.jit import LANES, block, inline
from simulator.engine.mathematics import HALF, ONE, TWO, ZERO, F
from simulator.engine.random import U32, Stream, normals
from simulator.engine.rows import ITEM

ITEM_NOISE = U32(Stream.MEASURE_ITEMS)
FOUR, FIVE, NINE = F(4.0), F(5.0), F(9.0)
CALLS = U32(3)
"""Calls of four normals for the items of a visit."""
I1, I2 = U32(1), U32(2)
DEATH_CODES = (F(6.0), F(5.0), F(5.0))
"""Of King's, MiToS and FT9."""


@inline
def _points(x):
    """Whole points of a latent item, half up."""
    return min(max(F(np.floor(x + HALF)), ZERO), FOUR)


@inline
def read_items(items, noise, lift, assisted):
    """Whole points of twelve latent items with `noise` and `lift`; nobody on assisted ventilation breathes freely."""
    speech, salivation, swallowing, writing, cutting, dressing, turning, walking, stairs, effort, lying, support = items
    za, zb, zc, zd, ze, zf, zg, zh, zi, zj, zk, zl = noise
    return (
        _points(speech + lift + za),
        _points(salivation + lift + zb),
        _points(swallowing + lift + zc),
        _points(writing + lift + zd),
        _points(cutting + lift + ze),
        _points(dressing + lift + zf),
        _points(turning + lift + zg),
        _points(walking + lift + zh),
        _points(stairs + lift + zi),
        ZERO if assisted else _points(effort + lift + zj),
        _points(lying + lift + zk),
        ZERO if assisted else _points(support + lift + zl),
    )


@inline
def item_noise(key, patient, visit, candidate, sd):
    """Noise of the twelve items at a visit."""
    first = U32(visit * CALLS)
    a, b, c, d = normals(key, patient, first, ITEM_NOISE, candidate)
    e, f, g, h = normals(key, patient, U32(first + I1), ITEM_NOISE, candidate)
    i, j, k, m = normals(key, patient, U32(first + I2), ITEM_NOISE, candidate)
    return sd * a, sd * b, sd * c, sd * d, sd * e, sd * f, sd * g, sd * h, sd * i, sd * j, sd * k, sd * m


@inline
def items_of(o, i):
    """The twelve latent items of lane i."""
    return (
        o[ITEM + i],
        o[ITEM + LANES + i],
        o[ITEM + 2 * LANES + i],
        o[ITEM + 3 * LANES + i],
        o[ITEM + 4 * LANES + i],
        o[ITEM + 5 * LANES + i],
        o[ITEM + 6 * LANES + i],
        o[ITEM + 7 * LANES + i],
        o[ITEM + 8 * LANES + i],
        o[ITEM + 9 * LANES + i],
        o[ITEM + 10 * LANES + i],
        o[ITEM + 11 * LANES + i],
    )


@inline
def total(points):
    """ALSFRS-R of twelve items."""
    a, b, c, d, e, f, g, h, i, j, k, m = points
    return ((a + b + c) + (d + e + f)) + ((g + h + i) + (j + k + m))


@inline
def stages(points, dead, fed, ventilated):
    """(King's, MiToS, FT9) of twelve items; codes of King's are 0 to 3, 4 = 4A, 5 = 4B and 6 = death, else 5 = death.

    4A is a feeding tube (`fed`), 4B ventilation (`ventilated`) or what the items say of breathing; with both, 4B. MiToS
    counts lost domains, FT9 domains with at most 9 points.
    """
    speech, salivation, swallowing, writing, cutting, dressing, turning, walking, stairs, effort, lying, support = (
        points
    )
    regions = _one(min(speech, salivation, swallowing) < FOUR) + _one(min(writing, cutting) < FOUR)
    regions += _one(walking < FOUR)
    failing = ventilated | (effort == ZERO) | (support < FOUR)
    kings = FIVE if failing else (FOUR if fed else regions)
    lost = _one((dressing <= ONE) | (walking <= ONE)) + _one(swallowing <= ONE)
    lost += _one((speech <= ONE) & (writing <= ONE)) + _one((effort <= ONE) | (support <= TWO))
    bulbar, fine = speech + salivation + swallowing, writing + cutting + dressing
    gross, respiratory = turning + walking + stairs, effort + lying + support
    low = _one(bulbar <= NINE) + _one(fine <= NINE) + _one(gross <= NINE) + _one(respiratory <= NINE)
    return DEATH_CODES if dead else (kings, lost, low)


@inline
def _one(holds):
    return ONE if holds else ZERO


@inline
def is_assisted(s, i, day):
    """Whether lane i is on permanent assisted ventilation by `day`."""
    return (s[rows.KIND + i] == TWO) & (s[rows.EVENT + i] <= day)


@block
def stage(s, o, day):
    """True stages of a block at `day`, from true items without noise."""
    quiet = (ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO)
    for i in range(LANES):
        points = read_items(items_of(o, i), quiet, ZERO, is_assisted(s, i, day))
        kings, mitos, ft9 = stages(points, s[rows.DEATH + i] <= day, s[rows.TUBE + i] < day, s[rows.NIV + i] < day)
        o[rows.KINGS + i] = kings
        o[rows.MITOS + i] = mitos
        o[rows.FT9 + i] = ft9
