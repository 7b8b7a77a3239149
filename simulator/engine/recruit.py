"""Who enters: candidates live untreated from onset to screening, and patient i is the first that fits its stratum.

Cheap questions come first (did the event come before entry, is the measured score in range), the history of those who
pass is lived 128 candidates at a time, and a finished lane is refilled at once. When few patients are left to find,
several candidates of each are tried side by side; the lowest number that fits counts. Section 10 of docs/model.md.
"""

from typing import NamedTuple

import numpy as np

from simulator.engine import interface, observe
from simulator.engine.jit import LANES, block, kernel, merge
from simulator.engine.mathematics import ZERO, F
from simulator.engine.people import (
    BEFORE_ONSET,
    I0,
    NEVER,
    TRAIT,
    YEAR_MONTHS,
    background_months,
    draw_candidates,
    is_known_late,
    stratum_of,
)
from simulator.engine.random import U32, normals, sample
from simulator.engine.rows import (
    AGE,
    AGE_AT_ONSET,
    CANDIDATE,
    DEATH,
    DIAGNOSIS,
    ENGINE_ROWS,
    EVENT,
    GROUP,
    LEFT,
    MODEL,
    MODEL_PAST,
    ONSET,
    PAST,
    PATIENT,
    SLOT,
    STRATUM,
    SYMPTOMS,
    TIME_SINCE_ONSET,
    USED,
    VARIANT,
)
from simulator.engine.screening import ACCEPTED, judge_early, judge_given, judge_late
from simulator.units import DAYS_PER_MONTH

FREE, I4, MONTH = U32(0xFFFFFFFF), U32(4), F(DAYS_PER_MONTH)
ROUND = 512
"""Candidates of a round when few patients are left to find."""
MAX_CANDIDATES = 10_000


class Search(NamedTuple):
    """Working space of one worker while it recruits."""

    waiting: np.ndarray  # (batch,) int64 places still empty
    stratum: np.ndarray  # (batch,) int64
    width: np.ndarray  # (2,) int64 candidates tried side by side for each place; the patient for whom nobody was found
    why: np.ndarray  # (LANES,) int64 verdicts on a block
    holds: np.ndarray  # (LANES,) float32 scratch of the verdict on strata
    belongs: np.ndarray  # (LANES,) float32 scratch of the verdict on strata
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


@merge
def _keep(s, i, slot, kept):
    """Lane i is the best so far for place `slot`: keep what its history has come to."""
    kept[0, slot] = s[TIME_SINCE_ONSET + i]
    for k in range(MODEL_PAST):
        kept[1 + k, slot] = s[(MODEL + k) * LANES + i]


@merge
def _age(people, s):
    """Age at entry; of those who enter before onset it was drawn."""
    if people.mode != BEFORE_ONSET:
        for i in range(LANES):
            s[AGE + i] = s[AGE_AT_ONSET + i] + s[TIME_SINCE_ONSET + i] / YEAR_MONTHS


@merge
def _arrive(people, carriers, model, key, w, s):
    """A block of patients stands at entry: age, background death, onset and diagnosis, in days from here."""
    early = people.mode == BEFORE_ONSET
    for i in range(LANES):
        if early:
            s[TIME_SINCE_ONSET + i] = -s[ONSET + i] / MONTH
        else:
            s[ONSET + i] = -s[TIME_SINCE_ONSET + i] * MONTH
        delay, _, _, _ = normals(key, w[PATIENT + i], I4, TRAIT, w[CANDIDATE + i])
        c = carriers[int(s[VARIANT + i])]
        s[DIAGNOSIS + i] = s[ONSET + i] + MONTH * sample((c[1], c[2], c[3], c[4], c[5]), delay)
    _age(people, s)
    interface.arrive(model, s)
    for i in range(LANES):
        s[LEFT + i] -= s[USED + i]
        start, lived = (s[AGE + i], ZERO) if early else (s[AGE_AT_ONSET + i], s[TIME_SINCE_ONSET + i])
        background = (background_months(people, start, s, i) - lived) * MONTH
        s[EVENT + i] = background
        s[DEATH + i] = background
        s[SYMPTOMS + i] = s[ONSET + i] if s[ONSET + i] <= ZERO else NEVER


@merge
def _let_in(people, visits, model, gates, key, space, first, n, cohort, who):
    """Draw those who were found once more, set them to where their history ended, and write their rows at baseline."""
    s, w, kept = space.s, space.w, space.kept
    for start in range(0, n, LANES):
        for i in range(LANES):
            slot = min(start + i, n - 1)
            w[PATIENT + i], w[CANDIDATE + i] = U32(first + slot), U32(space.found[slot])
            s[STRATUM + i] = F(space.stratum[slot])
        draw_candidates(
            people, gates.variants, gates.carriers, gates.dropout, gates.table, gates.given, model, key, w, s
        )
        for i in range(LANES):
            slot = min(start + i, n - 1)
            s[TIME_SINCE_ONSET + i] = kept[0, slot]
            for k in range(MODEL_PAST):
                s[(MODEL + k) * LANES + i] = kept[1 + k, slot]
        _arrive(people, gates.carriers, model, key, w, s)
        _screen(visits, model, key, s, w, space.o)
        count = min(LANES, n - start)
        for row in range(cohort.shape[0]):
            for i in range(count):
                cohort[row, start + i] = s[row * LANES + i]
        for i in range(count):
            who[0, start + i], who[1, start + i] = w[PATIENT + i], w[CANDIDATE + i]


@block
def _decide(people, visits, model, key, gates, space):
    """Verdict on every history that has arrived at entry. Returns how many lanes are free."""
    s, w, why, free = space.past, space.past_w, space.why, 0
    for i in range(LANES):
        why[i] = ACCEPTED
    if is_known_late(people.mode) or people.by_nfl:
        _age(people, s)
        interface.arrive(model, s)
    if people.by_nfl:
        _screen(visits, model, key, s, w, space.o)
    if is_known_late(people.mode):
        judge_early(gates.rules, s, why)
    judge_late(people, gates.rules, gates.when, gates.shares.size, s, why, space.holds, space.belongs)
    if gates.given.shape[0] > 0:
        judge_given(people, gates.given, gates.rules.shape[0], key, w, s, why)
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
def _screen(visits, model, key, s, w, o):
    """What screening measures in a block that stands at entry."""
    interface.outputs(model, s, o, ZERO)
    if visits.by_items > ZERO:
        interface.items(model, s, o)
    observe.screen(visits, key, w, s, o)


@block
def _live_on(people, visits, model, key, s, w, o):
    """One group of epochs for all histories; those who enter by time are measured once they may have arrived."""
    interface.live_back(model, key, w, s, people.mode, people.longest)
    if is_known_late(people.mode):
        _screen(visits, model, key, s, w, o)


@merge
def _draw_block(people, visits, model, gates, key, space, start, lanes, first):
    """Candidates `start`... of the round: draw them, and judge those who stand at entry already."""
    s, w, width = space.s, space.w, space.width[0]
    for i in range(LANES):
        lane = min(start + i, lanes - 1)
        slot = space.waiting[lane // width]
        w[PATIENT + i] = U32(first + slot)
        w[CANDIDATE + i] = U32(space.tried[slot] + lane % width)
        w[SLOT + i] = U32(lane)
        s[STRATUM + i] = F(space.stratum[slot])
    draw_candidates(people, gates.variants, gates.carriers, gates.dropout, gates.table, gates.given, model, key, w, s)
    if is_known_late(people.mode):
        for i in range(LANES):
            space.why[i] = ACCEPTED
    else:
        _screen(visits, model, key, s, w, space.o)
        interface.arrive(model, s)
        judge_early(gates.rules, s, space.why)
    for i in range(min(LANES, lanes - start)):
        space.reason[start + i] = space.why[i]


@merge
def _round(people, visits, model, gates, key, space, waiting, first):
    """Try the next candidates of every place still empty; fills space.reason. Returns candidates per place."""
    width = max(1, ROUND // waiting)
    space.width[0] = width
    lanes, free, at = waiting * width, LANES, 0
    s, w, past, past_w, reason = space.s, space.w, space.past, space.past_w, space.reason
    late = is_known_late(people.mode) or people.by_nfl  # measured at arrival: the whole person goes along
    rows_along = s.size // LANES - ENGINE_ROWS if late else MODEL_PAST
    for i in range(LANES):
        past_w[SLOT + i] = FREE
    for start in range(0, lanes, LANES):
        _draw_block(people, visits, model, gates, key, space, start, lanes, first)
        for i in range(min(LANES, lanes - start)):
            if reason[start + i] == ACCEPTED:
                while free == 0:
                    _live_on(people, visits, model, key, past, past_w, space.o)
                    free = _decide(people, visits, model, key, gates, space)
                while past_w[SLOT + at] != FREE:
                    at = (at + 1) % LANES
                for row in range(PAST):
                    past[row * LANES + at] = s[row * LANES + i]
                for row in range(rows_along):
                    past[(MODEL + row) * LANES + at] = s[(MODEL + row) * LANES + i]
                past_w[PATIENT + at], past_w[CANDIDATE + at] = w[PATIENT + i], w[CANDIDATE + i]
                past_w[SLOT + at], past_w[GROUP + at] = w[SLOT + i], I0
                interface.look_back(model, past, at)
                free -= 1
    while free < LANES:
        _live_on(people, visits, model, key, past, past_w, space.o)
        free = _decide(people, visits, model, key, gates, space)
    return width


@merge
def _settle(space, waiting, width, first):
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
            space.width[1] = first + slot
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
        waiting = _settle(space, waiting, width, first)
        if waiting < 0:
            return -1 - waiting
    _let_in(people, visits, model, gates, key, space, first, n, cohort, who)
    return -1
