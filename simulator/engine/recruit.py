"""Who enters: candidates live untreated from onset to screening, and patient i is the first that fits its stratum.

Cheap questions come first (did the event come before entry, is the measured score in range), the history of those who
pass is lived 128 candidates at a time, and a finished lane is refilled at once. When few patients are left to find,
several candidates of each are tried side by side; the lowest number that fits counts. Section 10 of docs/model.md.
"""

from math import floor
from typing import NamedTuple

import numpy as np

from simulator.engine import observe, rows, seam
from simulator.engine.jit import LANES, block, inline, kernel
from simulator.engine.mathematics import ONE, TWO, ZERO, F, exp32, log32
from simulator.engine.random import U32, Stream, normals, sample, uniforms
from simulator.engine.rows import AGE_AT_ONSET, CANDIDATE, DEATH, ENTRY, EVENT, ENGINE_ROWS, GROUP, LEFT, MODEL, MODEL_PAST, PAST, PATIENT, SLOT, TIME_SINCE_ONSET
from simulator.units import DAYS_PER_MONTH, DAYS_PER_YEAR, MONTHS_PER_YEAR

KIND, EVENTS, TRAIT = U32(Stream.KIND), U32(Stream.EVENT), U32(Stream.TRAIT)
I0, I1, I3 = U32(0), U32(1), U32(3)
FREE = U32(0xFFFFFFFF)
NEVER, YEAR_MONTHS, MONTH = F(np.inf), F(MONTHS_PER_YEAR), F(DAYS_PER_MONTH)
YEAR_DAYS = F(DAYS_PER_YEAR)
ROUND = 512
MAX_CANDIDATES = 10_000
AT_ONSET, BY_DISEASE_TIME, BY_TIME = 0, 1, 2
ACCEPTED, EVENT_BEFORE, REFERRED_LATE, DIED_BEFORE, OTHER_STRATUM, TOO_LONG, FIRST_RULE = -1, 0, 1, 2, 3, 4, 5
REASONS = ("event before entry", "not referred yet", "background death before entry", "another stratum", "over 1200 months")
MEASURED_ALSFRS_R, MEASURED_SVC, PROGRESSION_RATE, SINCE_ONSET, AGE, IS_FAST = range(6)
LONGEST_MONTHS = 1200.0


class People(NamedTuple):
    """Who falls ill and when they come: float32 scalars, distributions as terms (log, centre, spread, low, high)."""

    men: np.float32
    bulbar: np.float32  # cumulative shares of the sites of onset
    upper_limb: np.float32
    age: tuple  # age at onset, years
    entry: tuple  # disease time or months since onset at screening
    mode: np.int64  # AT_ONSET, BY_DISEASE_TIME or BY_TIME
    longest: np.float32  # months since onset beyond which nobody is let in
    referral: np.float32  # months; 0: nobody is kept away
    log_rate: np.float32  # Gompertz background mortality per year
    per_year: np.float32
    women: np.float32
    multiplier: np.float32
    pav: np.float32  # probability that the event is permanent assisted ventilation
    after_pav: np.float32  # mean days of life after it


class Gates(NamedTuple):
    """Tables of recruiting."""

    variants: np.ndarray  # (variant,) float32 cumulative shares
    table: np.ndarray  # (variant, column) float32: the model's own numbers by variant
    dropout: np.ndarray  # (piece, 3) float32: first day, rate per day, hazard before
    rules: np.ndarray  # (rule, 4) float32: stratum or -1, variable, low, high
    when: np.ndarray  # (condition, 5) float32: stratum, clause, variable, low, high
    shares: np.ndarray  # (stratum,) float64


class Search(NamedTuple):
    """Working space of one worker while it recruits."""

    waiting: np.ndarray  # (batch,) int64 places still empty
    tried: np.ndarray  # (batch,) int64 candidates tried
    found: np.ndarray  # (batch,) int64 lowest candidate that fits, -1 none yet
    reason: np.ndarray  # (lane of the round,) int64
    kept: np.ndarray  # (1 + MODEL_PAST, batch) float32: TIME_SINCE_ONSET and the model's past rows of those found
    s: np.ndarray  # rows of the candidates being met
    w: np.ndarray
    past: np.ndarray  # rows of those whose history is being lived
    past_w: np.ndarray
    o: np.ndarray
    rejected: np.ndarray  # (stratum, reason) int64


@inline
def stratum_of(shares, patient):
    """Stratum of a patient number: shares are kept exactly over any run of patients."""
    j, rest = patient, 1.0
    for k in range(shares.size - 1):
        p = min(shares[k] / rest, 1.0)
        if floor((j + 1) * p + 1e-9) > floor(j * p + 1e-9):
            return k
        j -= int(floor(j * p + 1e-9))
        rest -= shares[k]
    return shares.size - 1


@kernel
def strata_of(shares, out):
    """Strata of the patients 0, 1, 2 ..., into `out`."""
    for i in range(out.size):
        out[i] = stratum_of(shares, i)
    return out


@inline
def _meet_person(people, key, w, s):
    for i in range(LANES):
        patient, candidate = w[PATIENT + i], w[CANDIDATE + i]
        kind, sex, site, listed = uniforms(key, patient, I0, KIND, candidate)
        age, _, _, entry = normals(key, patient, I3, TRAIT, candidate)
        s[rows.VARIANT + i] = kind
        s[rows.SEX + i] = ZERO if sex < people.men else ONE
        s[rows.SITE + i] = (ZERO if site < people.bulbar else ONE) + (ZERO if site < people.upper_limb else ONE)
        s[rows.FAST + i] = listed
        s[AGE_AT_ONSET + i] = sample(people.age, age)
        s[ENTRY + i] = sample(people.entry, entry)
        s[TIME_SINCE_ONSET + i] = ZERO
        s[rows.V + i] = ZERO
        s[rows.E_N + i] = ZERO


@inline
def _meet_fate(people, key, w, s):
    for i in range(LANES):
        patient, candidate = w[PATIENT + i], w[CANDIDATE + i]
        e, background, pav, after = uniforms(key, patient, I0, EVENTS, candidate)
        dropout, stopping, referral, _ = uniforms(key, patient, I1, EVENTS, candidate)
        s[LEFT + i] = -log32(e)
        s[EVENT + i] = -log32(background)
        s[rows.PAV + i] = ONE if pav < people.pav else ZERO
        s[rows.AFTER_PAV + i] = -people.after_pav * log32(after)
        s[rows.DROPOUT + i] = -log32(dropout)
        s[rows.STOPPING + i] = -log32(stopping)
        s[rows.REFERRAL + i] = referral
        s[rows.KIND + i] = ONE
        s[rows.TRY_DAY + i] = -ONE


@inline
def _look_up(variants, dropout, s):
    """Turn the uniform of the variant and the threshold of dropout into a number and a day."""
    for i in range(LANES):
        u, e = s[rows.VARIANT + i], s[rows.DROPOUT + i]
        variant, day = ZERO, NEVER
        for k in range(variants.size - 1):
            variant += ONE if u >= variants[k] else ZERO
        for k in range(dropout.shape[0]):
            if e >= dropout[k, 2]:
                day = dropout[k, 0] + (e - dropout[k, 2]) / dropout[k, 1] if dropout[k, 1] > ZERO else NEVER
        s[rows.VARIANT + i], s[rows.DROPOUT + i] = variant, day


@block
def meet(people, variants, dropout, table, model, key, w, s):
    """Draw a block of candidates: who they are and every threshold of their lives."""
    _meet_person(people, key, w, s)
    _meet_fate(people, key, w, s)
    _look_up(variants, dropout, s)
    seam.draw(model, table, key, w, s)


@inline
def _background_months(people, s, i):
    """Months from onset to background death."""
    if people.multiplier <= ZERO:
        return NEVER
    at_onset = people.multiplier * exp32(people.log_rate + people.per_year * s[AGE_AT_ONSET + i])
    at_onset = at_onset * (people.women if s[rows.SEX + i] > ZERO else ONE)
    if people.per_year <= ZERO:
        return YEAR_MONTHS * s[EVENT + i] / at_onset
    return YEAR_MONTHS * log32(ONE + s[EVENT + i] * people.per_year / at_onset) / people.per_year


@inline
def _measured(s, i, variable):
    months = s[TIME_SINCE_ONSET + i]
    if variable == MEASURED_ALSFRS_R:
        return s[rows.ALSFRS_MEASURED + i]
    if variable == MEASURED_SVC:
        return s[rows.SVC_MEASURED + i]
    if variable == PROGRESSION_RATE:
        lost = F(48.0) - s[rows.ALSFRS_MEASURED + i]
        return lost / months if months > ZERO else (NEVER if lost > ZERO else ZERO)
    if variable == SINCE_ONSET:
        return months
    if variable == AGE:
        return s[AGE_AT_ONSET + i] + months / YEAR_MONTHS
    return s[rows.FAST + i]


@inline
def _broken_rule(rules, stratum, s, i, early):
    """Number of the first rule that lane i breaks, -1 if none; early rules need no history."""
    for k in range(rules.shape[0]):
        variable = int(rules[k, 1])
        if (variable <= MEASURED_SVC) == early and (rules[k, 0] < ZERO or int(rules[k, 0]) == stratum):
            x = _measured(s, i, variable)
            if not (rules[k, 2] <= x <= rules[k, 3]):
                return k
    return -1


@inline
def _belongs_to(when, strata, s, i):
    """Stratum of lane i as a candidate: the first one of whose clauses all conditions hold, else the last."""
    holds, stratum, clause = False, -1, -1
    for k in range(when.shape[0]):
        if int(when[k, 0]) != stratum or int(when[k, 1]) != clause:
            if holds:
                return stratum
            stratum, clause, holds = int(when[k, 0]), int(when[k, 1]), True
        x = _measured(s, i, int(when[k, 2]))
        holds = holds and when[k, 3] <= x <= when[k, 4]
    return stratum if holds else strata - 1


@inline
def _verdict_early(model, rules, stratum, s, i):
    """First half of the verdict: what can be known without the history."""
    if s[LEFT + i] <= seam.used_up(model, s, i):
        return EVENT_BEFORE
    broken = _broken_rule(rules, stratum, s, i, True)
    return FIRST_RULE + broken if broken >= 0 else ACCEPTED


@inline
def _verdict_late(people, rules, when, strata, stratum, s, i):
    """Second half of the verdict: what the time since onset decides."""
    months = s[TIME_SINCE_ONSET + i]
    if months > F(LONGEST_MONTHS):
        return TOO_LONG
    if people.referral > ZERO:
        waited = months / people.referral
        if s[rows.REFERRAL + i] >= ONE - exp32(-waited * waited):
            return REFERRED_LATE
    if _background_months(people, s, i) <= months:
        return DIED_BEFORE
    broken = _broken_rule(rules, stratum, s, i, False)
    if broken >= 0:
        return FIRST_RULE + broken
    return ACCEPTED if _belongs_to(when, strata, s, i) == stratum else OTHER_STRATUM


@inline
def _keep(s, i, slot, kept):
    """Lane i is the best so far for place `slot`: keep what its history has come to."""
    kept[0, slot] = s[TIME_SINCE_ONSET + i]
    for k in range(MODEL_PAST):
        kept[1 + k, slot] = s[MODEL + k * LANES + i]


@block
def _let_in(people, visits, model, gates, key, space, first, n, cohort, who):
    """Draw those who were found once more, set them to where their history ended, and write their rows at baseline."""
    s, w, kept = space.s, space.w, space.kept
    for start in range(0, n, LANES):
        for i in range(LANES):
            slot = min(start + i, n - 1)
            w[PATIENT + i], w[CANDIDATE + i] = U32(first + slot), U32(space.found[slot])
        meet(people, gates.variants, gates.dropout, gates.table, model, key, w, s)
        for i in range(LANES):
            slot = min(start + i, n - 1)
            s[TIME_SINCE_ONSET + i] = kept[0, slot]
            for k in range(MODEL_PAST):
                s[MODEL + k * LANES + i] = kept[1 + k, slot]
        seam.outputs(model, s, space.o, ZERO)
        observe.screen(visits, key, w, s, space.o)
        for i in range(LANES):
            s[LEFT + i] -= seam.used_up(model, s, i)
            background = (_background_months(people, s, i) - s[TIME_SINCE_ONSET + i]) * MONTH
            s[EVENT + i] = background
            s[DEATH + i] = background
        count = min(LANES, n - start)
        for row in range(cohort.shape[0]):
            for i in range(count):
                cohort[row, start + i] = s[row * LANES + i]
        for i in range(count):
            who[0, start + i], who[1, start + i] = w[PATIENT + i], w[CANDIDATE + i]


@block
def _decide(people, model, gates, space, width, first):
    """Verdict on every history that has arrived at entry. Returns how many lanes are free."""
    s, w, rules, when, free = space.past, space.past_w, gates.rules, gates.when, 0
    for i in range(LANES):
        if w[SLOT + i] != FREE and s[TIME_SINCE_ONSET + i] >= ZERO:
            lane = int(w[SLOT + i])
            slot = space.waiting[lane // width]
            stratum = stratum_of(gates.shares, first + slot)
            verdict = _verdict_early(model, rules, stratum, s, i) if people.mode == BY_TIME else ACCEPTED
            if verdict == ACCEPTED:
                verdict = _verdict_late(people, rules, when, gates.shares.size, stratum, s, i)
            candidate = int(w[CANDIDATE + i])
            if verdict == ACCEPTED and (space.found[slot] < 0 or candidate < space.found[slot]):
                space.found[slot] = candidate
                _keep(s, i, slot, space.kept)
            space.reason[lane] = verdict
            w[SLOT + i] = FREE
        free += 1 if w[SLOT + i] == FREE else 0
    return free


@block
def _live_on(people, visits, model, key, s, w, o):
    """One group of epochs for all histories; those who enter by time are measured once they may have arrived."""
    seam.live_back(model, key, w, s, people.mode == BY_TIME, people.longest)
    if people.mode == BY_TIME:
        seam.outputs(model, s, o, ZERO)
        observe.screen(visits, key, w, s, o)


@inline
def _begin_history(model, s, w, i, past, past_w, j, model_rows):
    """Candidate of lane i goes to history lane j."""
    for row in range(PAST):
        past[row * LANES + j] = s[row * LANES + i]
    for row in range(model_rows):
        past[MODEL + row * LANES + j] = s[MODEL + row * LANES + i]
    past_w[PATIENT + j], past_w[CANDIDATE + j] = w[PATIENT + i], w[CANDIDATE + i]
    past_w[SLOT + j], past_w[GROUP + j] = w[SLOT + i], I0
    seam.look_back(model, past, j)


@block
def _meet_block(people, visits, model, gates, key, space, start, lanes, width, first):
    """Candidates `start`... of the round: draw them, and measure those who stand at entry already."""
    for i in range(LANES):
        lane = min(start + i, lanes - 1)
        slot = space.waiting[lane // width]
        space.w[PATIENT + i] = U32(first + slot)
        space.w[CANDIDATE + i] = U32(space.tried[slot] + lane % width)
        space.w[SLOT + i] = U32(lane)
    meet(people, gates.variants, gates.dropout, gates.table, model, key, space.w, space.s)
    if people.mode != BY_TIME:
        seam.outputs(model, space.s, space.o, ZERO)
        observe.screen(visits, key, space.w, space.s, space.o)


@block
def _sift(people, model, gates, space, start, count, width, first):
    """Early verdicts on a block of candidates; `reason` is ACCEPTED for those whose history is worth living."""
    for i in range(count):
        slot = space.waiting[(start + i) // width]
        stratum = stratum_of(gates.shares, first + slot)
        if people.mode == BY_TIME:
            space.reason[start + i] = ACCEPTED
        else:
            space.reason[start + i] = _verdict_early(model, gates.rules, stratum, space.s, i)


@block
def _round(people, visits, model, gates, key, space, waiting, first):
    """Try the next candidates of every place still empty; fills space.reason. Returns candidates per place."""
    width = max(1, ROUND // waiting)
    lanes, free, at = waiting * width, LANES, 0
    s, w, past, past_w = space.s, space.w, space.past, space.past_w
    rows_along = s.size // LANES - ENGINE_ROWS if people.mode == BY_TIME else MODEL_PAST  # by time: measured at arrival
    for i in range(LANES):
        past_w[SLOT + i] = FREE
    for start in range(0, lanes, LANES):
        count = min(LANES, lanes - start)
        _meet_block(people, visits, model, gates, key, space, start, lanes, width, first)
        _sift(people, model, gates, space, start, count, width, first)
        for i in range(count):
            if space.reason[start + i] == ACCEPTED:
                while free == 0:
                    _live_on(people, visits, model, key, past, past_w, space.o)
                    free = _decide(people, model, gates, space, width, first)
                while past_w[SLOT + at] != FREE:
                    at = (at + 1) % LANES
                _begin_history(model, s, w, i, past, past_w, at, rows_along)
                free -= 1
    while free < LANES:
        _live_on(people, visits, model, key, past, past_w, space.o)
        free = _decide(people, model, gates, space, width, first)
    return width


@block
def _settle(gates, space, waiting, width, first):
    """After a round: count rejections up to the candidate that fits. Returns places still empty, or -1 - stratum."""
    left = 0
    for p in range(waiting):
        slot = space.waiting[p]
        stratum = stratum_of(gates.shares, first + slot)
        for c in range(width):
            space.tried[slot] += 1
            reason = space.reason[p * width + c]
            if reason == ACCEPTED:
                break
            space.rejected[stratum, reason] += 1
        if space.tried[slot] > MAX_CANDIDATES or (space.found[slot] < 0 and space.tried[slot] == MAX_CANDIDATES):
            return -1 - stratum
        if space.found[slot] < 0:
            space.waiting[left] = slot
            left += 1
    return left


@kernel
def recruit(people, visits, model, gates, key, space, first, n, cohort, who):
    """Find patients first ... first+n-1. Returns -1, or the stratum for which 10,000 candidates did not suffice.

    `cohort` : (row, n) float32, `who` : (2, n) uint32 patient and accepted candidate; `space.tried` counts candidates.
    """
    for slot in range(n):
        space.waiting[slot] = slot
        space.tried[slot] = 0
        space.found[slot] = -1
    waiting = n
    while waiting > 0:
        width = _round(people, visits, model, gates, key, space, waiting, first)
        waiting = _settle(gates, space, waiting, width, first)
        if waiting < 0:
            return -1 - waiting
    _let_in(people, visits, model, gates, key, space, first, n, cohort, who)
    return -1
