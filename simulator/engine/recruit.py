"""Who enters: candidates live untreated from onset to screening, and patient i is the first that fits its stratum.

Cheap questions come first (did the event come before entry, is the measured score in range), the history of those who
pass is lived 128 candidates at a time, and a finished lane is refilled at once. When few patients are left to find,
several candidates of each are tried side by side; the lowest number that fits counts. Section 10 of docs/model.md.
"""

from math import floor
from typing import NamedTuple

import numpy as np

from simulator.engine import observe, rows, seam
from simulator.engine.jit import LANES, U64, block, inline, kernel
from simulator.engine.mathematics import ONE, TWO, ZERO, F, exp32, log32
from simulator.engine.random import U32, Stream, normals, sample, uniforms
from simulator.engine.rows import AGE_AT_ONSET, CANDIDATE, DEATH, ENTRY, EVENT, ENGINE_ROWS, GROUP, LEFT, MODEL, MODEL_PAST, PAST, PATIENT, SLOT, STRATUM, TIME_SINCE_ONSET, USED
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
SVC_COLUMN = F(rows.MEASURES.index("svc_percent"))  # up to here, rules need no history
FIRST_MEASURED = F(rows.ALSFRS_MEASURED)
HOLDS = rows.VARIANT  # scratch: a history does not need it, and those found are drawn again
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
    stratum: np.ndarray  # (batch,) int64
    width: np.ndarray  # (1,) int64 candidates tried side by side for each place
    why: np.ndarray  # (LANES,) int64 verdicts on a block
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
    """Months from onset to background death, by inversion of the Gompertz hazard."""
    at_onset = exp32(people.log_rate + people.per_year * s[AGE_AT_ONSET + i])
    at_onset = at_onset * (people.women if s[rows.SEX + i] > ZERO else ONE)
    spent = s[EVENT + i] / at_onset
    years = log32(ONE + spent * people.per_year) / people.per_year if people.per_year > ZERO else spent
    return YEAR_MONTHS * years if people.multiplier > ZERO else NEVER


@inline
def _apply(rules, early, s, why):
    """Rules that need no history (`early`) or do; the first one that a lane breaks is its reason."""
    for k in range(rules.shape[0]):
        if (rules[k, 1] <= SVC_COLUMN) == early:
            row, low, high = U64(rules[k, 1] * F(LANES) + FIRST_MEASURED), rules[k, 2], rules[k, 3]
            for i in range(LANES):
                meant = rules[k, 0] < ZERO or rules[k, 0] == s[STRATUM + i]
                broken = meant and not (low <= s[row + U64(i)] <= high)
                why[i] = FIRST_RULE + k if broken and why[i] == ACCEPTED else why[i]


@block
def _judge_early(rules, s, why):
    """What can be known of a block without its history: the event came before, or a rule is broken."""
    for i in range(LANES):
        why[i] = EVENT_BEFORE if s[LEFT + i] <= s[USED + i] else ACCEPTED
    _apply(rules, True, s, why)


@block
def _judge_late(people, rules, when, strata, s, why):
    """What the time since onset decides; lanes that are not ACCEPTED keep their reason."""
    for i in range(LANES):
        months = s[TIME_SINCE_ONSET + i]
        waited = months / people.referral
        referred = s[rows.REFERRAL + i] < ONE - exp32(-waited * waited) or people.referral <= ZERO
        died = _background_months(people, s, i) <= months
        reason = TOO_LONG if months > F(LONGEST_MONTHS) else (DIED_BEFORE if died else ACCEPTED)
        reason = reason if referred or reason == TOO_LONG else REFERRED_LATE
        why[i] = reason if why[i] == ACCEPTED else why[i]
        lost = F(48.0) - s[rows.ALSFRS_MEASURED + i]
        s[rows.PROGRESSION_RATE + i] = lost / months if months > ZERO else (NEVER if lost > ZERO else ZERO)
        s[rows.AGE + i] = s[AGE_AT_ONSET + i] + months / YEAR_MONTHS
    _apply(rules, False, s, why)
    if strata > 1:
        _judge_stratum(when, strata, s, why)


@block
def _judge_stratum(when, strata, s, why):
    """A candidate belongs to the first stratum one of whose clauses holds in full, else to the last."""
    for i in range(LANES):
        s[USED + i] = F(strata - 1)
    for k in range(when.shape[0] - 1, -1, -1):
        ends = k == when.shape[0] - 1 or when[k, 0] != when[k + 1, 0] or when[k, 1] != when[k + 1, 1]
        begins = k == 0 or when[k, 0] != when[k - 1, 0] or when[k, 1] != when[k - 1, 1]
        row, low, high = U64(when[k, 2] * F(LANES) + FIRST_MEASURED), when[k, 3], when[k, 4]
        for i in range(LANES):
            held = ends or s[HOLDS + i] > ZERO
            holds = held and low <= s[row + U64(i)] <= high
            s[HOLDS + i] = ONE if holds else ZERO
            s[USED + i] = when[k, 0] if holds and begins else s[USED + i]
    for i in range(LANES):
        why[i] = OTHER_STRATUM if why[i] == ACCEPTED and s[USED + i] != s[STRATUM + i] else why[i]


@inline
def _keep(s, i, slot, kept):
    """Lane i is the best so far for place `slot`: keep what its history has come to."""
    kept[0, slot] = s[TIME_SINCE_ONSET + i]
    for k in range(MODEL_PAST):
        kept[1 + k, slot] = s[(MODEL + k) * LANES + i]


@block
def _let_in(people, visits, model, gates, key, space, first, n, cohort, who):
    """Draw those who were found once more, set them to where their history ended, and write their rows at baseline."""
    s, w, kept = space.s, space.w, space.kept
    for start in range(0, n, LANES):
        for i in range(LANES):
            slot = min(start + i, n - 1)
            w[PATIENT + i], w[CANDIDATE + i] = U32(first + slot), U32(space.found[slot])
            s[STRATUM + i] = F(space.stratum[slot])
        meet(people, gates.variants, gates.dropout, gates.table, model, key, w, s)
        for i in range(LANES):
            slot = min(start + i, n - 1)
            s[TIME_SINCE_ONSET + i] = kept[0, slot]
            for k in range(MODEL_PAST):
                s[(MODEL + k) * LANES + i] = kept[1 + k, slot]
        seam.outputs(model, s, space.o, ZERO)
        observe.screen(visits, key, w, s, space.o)
        seam.arrive(model, s)
        for i in range(LANES):
            s[LEFT + i] -= s[USED + i]
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
def _decide(people, model, rules, when, strata, space):
    """Verdict on every history that has arrived at entry. Returns how many lanes are free."""
    s, w, why, free = space.past, space.past_w, space.why, 0
    for i in range(LANES):
        why[i] = ACCEPTED
    if people.mode == BY_TIME:
        seam.arrive(model, s)
        _judge_early(rules, s, why)
    _judge_late(people, rules, when, strata, s, why)
    for i in range(LANES):
        if w[SLOT + i] != FREE and s[TIME_SINCE_ONSET + i] >= ZERO:
            lane, candidate = int(w[SLOT + i]), int(w[CANDIDATE + i])
            slot = space.waiting[lane // space.width[0]]
            if why[i] == ACCEPTED and (space.found[slot] < 0 or candidate < space.found[slot]):
                space.found[slot] = candidate
                _keep(s, i, slot, space.kept)
            space.reason[lane] = why[i]
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


@block
def _meet_block(people, visits, model, gates, key, space, start, lanes, first):
    """Candidates `start`... of the round: draw them, and judge those who stand at entry already."""
    s, w, width = space.s, space.w, space.width[0]
    for i in range(LANES):
        lane = min(start + i, lanes - 1)
        slot = space.waiting[lane // width]
        w[PATIENT + i] = U32(first + slot)
        w[CANDIDATE + i] = U32(space.tried[slot] + lane % width)
        w[SLOT + i] = U32(lane)
        s[STRATUM + i] = F(space.stratum[slot])
    meet(people, gates.variants, gates.dropout, gates.table, model, key, w, s)
    if people.mode == BY_TIME:
        for i in range(LANES):
            space.why[i] = ACCEPTED
    else:
        seam.outputs(model, s, space.o, ZERO)
        observe.screen(visits, key, w, s, space.o)
        seam.arrive(model, s)
        _judge_early(gates.rules, s, space.why)
    for i in range(min(LANES, lanes - start)):
        space.reason[start + i] = space.why[i]


@block
def _round(people, visits, model, gates, key, space, waiting, first):
    """Try the next candidates of every place still empty; fills space.reason. Returns candidates per place."""
    width = max(1, ROUND // waiting)
    space.width[0] = width
    lanes, free, at = waiting * width, LANES, 0
    s, w, past, past_w, reason = space.s, space.w, space.past, space.past_w, space.reason
    rows_along = s.size // LANES - ENGINE_ROWS if people.mode == BY_TIME else MODEL_PAST  # by time: measured at arrival
    for i in range(LANES):
        past_w[SLOT + i] = FREE
    for start in range(0, lanes, LANES):
        _meet_block(people, visits, model, gates, key, space, start, lanes, first)
        for i in range(min(LANES, lanes - start)):
            if reason[start + i] == ACCEPTED:
                while free == 0:
                    _live_on(people, visits, model, key, past, past_w, space.o)
                    free = _decide(people, model, gates.rules, gates.when, gates.shares.size, space)
                while past_w[SLOT + at] != FREE:
                    at = (at + 1) % LANES
                for row in range(PAST):
                    past[row * LANES + at] = s[row * LANES + i]
                for row in range(rows_along):
                    past[(MODEL + row) * LANES + at] = s[(MODEL + row) * LANES + i]
                past_w[PATIENT + at], past_w[CANDIDATE + at] = w[PATIENT + i], w[CANDIDATE + i]
                past_w[SLOT + at], past_w[GROUP + at] = w[SLOT + i], I0
                seam.look_back(model, past, at)
                free -= 1
    while free < LANES:
        _live_on(people, visits, model, key, past, past_w, space.o)
        free = _decide(people, model, gates.rules, gates.when, gates.shares.size, space)
    return width


@block
def _settle(space, waiting, width):
    """After a round: count rejections up to the candidate that fits. Returns places still empty, or -1 - stratum."""
    left = 0
    for p in range(waiting):
        slot = space.waiting[p]
        stratum = space.stratum[slot]
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
        space.stratum[slot] = stratum_of(gates.shares, first + slot)
        space.waiting[slot] = slot
        space.tried[slot] = 0
        space.found[slot] = -1
    waiting = n
    while waiting > 0:
        width = _round(people, visits, model, gates, key, space, waiting, first)
        waiting = _settle(space, waiting, width)
        if waiting < 0:
            return -1 - waiting
    _let_in(people, visits, model, gates, key, space, first, n, cohort, who)
    return -1
