"""What a visit measures: noise, rounding, what cannot be obtained. One function for screening, rules and visits.

Keyed by patient and visit number, so the sample that decides is the one that is reported. Section 9 of docs/model.md.
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import rows, staging
from simulator.engine.jit import LANES, block, inline, merge
from simulator.engine.mathematics import ONE, TWO, ZERO, F, exp32
from simulator.engine.random import U32, Stream, normals, uniforms
from simulator.engine.rows import CANDIDATE, PATIENT

MEASURE, STRENGTH, VISIT = U32(Stream.MEASURE), U32(Stream.MEASURE_STRENGTH), U32(Stream.VISIT)
I0 = U32(0)
MISSING = F(np.nan)
POINTS, THIRD, TWELFTH, CARRY_OVER_DAYS = F(48.0), F(1 / 3), F(1 / 12), F(28.0)
OBSERVED = ("day", "alsfrs_r", "svc", "hhd", "nfl_plasma", "sod1_csf", "kings_stage", "mitos_stage", "ft9_stage")
DAY, SEEN_ALSFRS_R, SEEN_SVC, SEEN_HHD, SEEN_NFL, SEEN_SOD1, SEEN_KINGS, SEEN_MITOS, SEEN_FT9 = range(len(OBSERVED))


class Visits(NamedTuple):
    """How visits are held and how well they measure; float32 scalars."""

    jitter: np.float32  # whole days either way
    missing: np.float32  # probability
    entry_effect: np.float32  # points by which ALSFRS-R is read too high after entry, at its fullest
    by_items: np.float32  # 1: ALSFRS-R is the sum of twelve items, each with noise; 0: a total with noise
    staged: np.float32  # 1: visits find a stage, from items or from a model that has stages only
    alsfrs_r: np.float32  # SD of a total score
    item: np.float32  # SD of a latent item
    svc: np.float32
    hhd: np.float32
    nfl: np.float32  # log-SD
    sod1: np.float32  # log-SD
    nfl_limit: np.float32  # lower limit of quantification, pg/mL
    bulbar_limit: np.float32  # SVC cannot be had below this bulbar score


@inline
def read_alsfrs_r(visits, truth, z):
    """A total score with noise, in whole points of 0 to 48."""
    return F(np.rint(min(max(truth + visits.alsfrs_r * z, ZERO), POINTS)))


@merge
def screen(visits, key, w, s, o):
    """Measure ALSFRS-R and SVC of a block at visit 0, for the rules of entry."""
    for i in range(LANES):
        za, zs, _, _ = normals(key, w[PATIENT + i], I0, MEASURE, w[CANDIDATE + i])
        s[rows.ALSFRS_MEASURED + i] = read_alsfrs_r(visits, o[rows.ALSFRS_R + i], za)
        s[rows.SVC_MEASURED + i] = o[rows.SVC + i] + visits.svc * zs
    if visits.by_items > ZERO:
        for i in range(LANES):
            points = _read_items(visits, key, w, o, I0, ZERO, False, i)
            s[rows.ALSFRS_MEASURED + i] = staging.total(points)


@block
def _read_items(visits, key, w, o, visit, lift, assisted, i):
    """Whole points of the items of lane i at a visit; what a visit reads too high is spread over the items."""
    noise = staging.item_noise(key, w[PATIENT + i], visit, w[CANDIDATE + i], visits.item)
    return staging.read_items(staging.items_of(o, i), noise, lift * TWELFTH, assisted)


@merge
def visit_days(visits, key, w, day, visit, nominal):
    """Fill `day` with each lane's actual day of a visit, near the `nominal` one; -1 where it is missed."""
    for i in range(LANES):
        moved, missed, _, _ = uniforms(key, w[PATIENT + i], U32(visit), VISIT, w[CANDIDATE + i])
        jitter = F(np.floor((TWO * visits.jitter + ONE) * moved)) - visits.jitter
        held = F(nominal) + jitter if visit > 0 else F(nominal)
        day[i] = -ONE if visit > 0 and missed < visits.missing else held


@merge
def observe(visits, key, w, s, o, visit, day, i):
    """What lane i shows at a visit held on `day`: (alsfrs_r, svc, hhd, nfl_plasma, sod1_csf, three stages).

    Stages are read from the items where those are scored; else they are the true ones, of use where the model has them.
    """
    patient, candidate, index = w[PATIENT + i], w[CANDIDATE + i], U32(visit)
    za, zs, zn, zc = normals(key, patient, index, MEASURE, candidate)
    zh, _, _, _ = normals(key, patient, index, STRENGTH, candidate)
    assisted = staging.is_assisted(s, i, day)
    breathing = o[rows.RESPIRATORY + i]
    lost = TWO * THIRD * breathing if assisted & (breathing > ZERO) else ZERO
    lift = visits.entry_effect * (ONE - exp32(-day / CARRY_OVER_DAYS))
    score = read_alsfrs_r(visits, o[rows.ALSFRS_R + i] - lost + lift, za)
    kings, mitos, ft9 = o[rows.KINGS + i], o[rows.MITOS + i], o[rows.FT9 + i]
    if visits.by_items > ZERO:
        points = _read_items(visits, key, w, o, index, lift, assisted, i)
        score = staging.total(points)
        kings, mitos, ft9 = staging.stages(points, False)
    svc = MISSING if o[rows.BULBAR + i] < visits.bulbar_limit else o[rows.SVC + i] + visits.svc * zs
    hhd = o[rows.HHD + i] + visits.hhd * zh
    nfl = o[rows.NFL + i] * exp32(visits.nfl * zn)
    nfl = nfl if nfl >= visits.nfl_limit else visits.nfl_limit / TWO
    return score, svc, hhd, nfl, o[rows.SOD1 + i] * exp32(visits.sod1 * zc), kings, mitos, ft9
