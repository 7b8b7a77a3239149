"""What a visit measures: noise, rounding, what cannot be obtained. One function for screening, rules and visits.

Keyed by patient and visit number, so the sample that decides is the one that is reported. Section 9 of docs/model.md.
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import rows, staging
from simulator.engine.jit import LANES, NO, block, inline, merge
from simulator.engine.mathematics import ONE, TWO, ZERO, F, exp32
from simulator.engine.random import U32, Stream, normals, uniforms
from simulator.engine.rows import CANDIDATE, PATIENT

MEASURE, STRENGTH, VISIT = U32(Stream.MEASURE), U32(Stream.MEASURE_STRENGTH), U32(Stream.VISIT)
I0 = U32(0)
MISSING = F(np.nan)
POINTS, THIRD, TWELFTH, CARRY_OVER_DAYS = F(48.0), F(1 / 3), F(1 / 12), F(28.0)
OBSERVED = ("day", "alsfrs_r", "svc", "hhd", "nfl_plasma", "sod1_csf", "kings_stage", "mitos_stage", "ft9_stage")
REPORTED = len(OBSERVED) - 1
"""Measurements of a visit that are reported; after them `observe` gives what only rules look at."""
SEEN_BREATHING, SEEN_SWALLOWING = range(len(OBSERVED), len(OBSERVED) + 2)
DEPENDENT = F(4.0)
"""Respiratory points below which somebody on non-invasive ventilation depends on it."""
DAY, SEEN_ALSFRS_R, SEEN_SVC, SEEN_HHD, SEEN_NFL, SEEN_SOD1, SEEN_KINGS, SEEN_MITOS, SEEN_FT9 = range(len(OBSERVED))


class Visits(NamedTuple):
    """How visits are held and how well they measure; float32 scalars."""

    jitter: np.float32  # whole days either way
    missing: np.float32  # probability
    randomised: np.int64  # visit at which people are randomised: like visit 0 on its day and never missed
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


@inline
def read_nfl(visits, truth, z):
    """Neurofilament light with the noise of its assay; below its limit it is reported as half of that."""
    nfl = truth * exp32(visits.nfl * z)
    return nfl if nfl >= visits.nfl_limit else visits.nfl_limit / TWO


@merge
def screen(visits, key, w, s, o):
    """Measure ALSFRS-R, SVC and NfL of a block at visit 0, for the rules of entry."""
    for i in range(LANES):
        za, zs, zn, _ = normals(key, w[PATIENT + i], I0, MEASURE, w[CANDIDATE + i])
        s[rows.ALSFRS_MEASURED + i] = read_alsfrs_r(visits, o[rows.ALSFRS_R + i], za)
        s[rows.SVC_MEASURED + i] = o[rows.SVC + i] + visits.svc * zs
        s[rows.NFL_MEASURED + i] = read_nfl(visits, o[rows.NFL + i], zn)
    if visits.by_items > ZERO:
        for i in range(LANES):
            points = _read_items(visits, key, w, o, I0, ZERO, NO, i)
            s[rows.ALSFRS_MEASURED + i] = staging.total(points)


@block
def _read_items(visits, key, w, o, visit, lift, assisted, i):
    """Whole points of the items of lane i at a visit; what a visit reads too high is spread over the items."""
    noise = staging.item_noise(key, w[PATIENT + i], visit, w[CANDIDATE + i], visits.item)
    return staging.read_items(staging.items_of(o, i), noise, lift * TWELFTH, assisted)


@merge
def visit_days(visits, key, w, day, visit, nominal, end):
    """Fill `day` with each lane's actual day of a visit: near the `nominal` one, by `end`; -1 where it is missed."""
    free = visit > 0 and visit != visits.randomised
    for i in range(LANES):
        moved, missed, _, _ = uniforms(key, w[PATIENT + i], U32(visit), VISIT, w[CANDIDATE + i])
        jitter = F(np.floor((TWO * visits.jitter + ONE) * moved)) - visits.jitter
        held = min(F(nominal) + jitter, end) if free else F(nominal)
        day[i] = -ONE if free and missed < visits.missing else held


@merge
def observe(visits, key, w, s, o, visit, day, i):
    """What lane i shows at a visit held on `day`: (alsfrs_r, svc, hhd, nfl_plasma, sod1_csf, three stages), and for
    rules the lowest item of breathing and that of swallowing.

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
    ventilated = s[rows.NIV + i] < day
    lowest, swallowing = MISSING, MISSING
    if visits.by_items > ZERO:
        points = _read_items(visits, key, w, o, index, lift, assisted, i)
        score = staging.total(points)
        kings, mitos, ft9 = staging.stages(points, NO, s[rows.TUBE + i] < day, ventilated)
        lowest, swallowing = min(points[9], points[10], points[11]), points[2]
    depends = assisted | (ventilated & (breathing < DEPENDENT))
    svc = MISSING if depends | (o[rows.BULBAR + i] < visits.bulbar_limit) else o[rows.SVC + i] + visits.svc * zs
    hhd = o[rows.HHD + i] + visits.hhd * zh
    nfl = read_nfl(visits, o[rows.NFL + i], zn)
    sod1 = o[rows.SOD1 + i] * exp32(visits.sod1 * zc)
    return score, svc, hhd, nfl, sod1, kings, mitos, ft9, lowest, swallowing
