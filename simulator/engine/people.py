"""Who falls ill: the draws of a candidate, and the stratum that each patient number is kept for.

Sections 1, 4 and 10 of docs/model.md.
"""

from math import floor
from typing import NamedTuple

import numpy as np

from simulator.engine import interface, rows
from simulator.engine.jit import LANES, block, inline, kernel, merge
from simulator.engine.mathematics import ONE, ZERO, F, exp32, log32
from simulator.engine.random import U32, Stream, normals, sample, uniforms
from simulator.engine.rows import AGE_AT_ONSET, CANDIDATE, ENTRY, EVENT, LEFT, PATIENT, TIME_SINCE_ONSET
from simulator.units import DAYS_PER_MONTH, DAYS_PER_YEAR, MONTHS_PER_YEAR

KIND, EVENTS, TRAIT = U32(Stream.KIND), U32(Stream.EVENT), U32(Stream.TRAIT)
I0, I1, I3 = U32(0), U32(1), U32(3)
NEVER, YEAR_MONTHS = F(np.inf), F(MONTHS_PER_YEAR)
NOBODY = U32(0xFFFFFFFF)
"""No candidate has this number: draws that belong to the patient number itself."""
YEAR_WEEKS, WEEK_MONTHS = F(DAYS_PER_YEAR / 7), F(7 / DAYS_PER_MONTH)
AT_ONSET, BY_DISEASE_TIME, BY_TIME, BEFORE_ONSET, AFTER_DIAGNOSIS = range(5)
"""How candidates come to screening."""


class People(NamedTuple):
    """Who falls ill and when they come: float32 scalars, distributions as terms (log, centre, spread, low, high)."""

    men: np.float32
    bulbar: np.float32  # cumulative shares of the sites of onset
    upper_limb: np.float32
    age: tuple  # age at onset, years
    entry: tuple  # disease time, months since onset or diagnosis or, before onset, age in years at screening
    mode: np.int64  # AT_ONSET, BY_DISEASE_TIME, BY_TIME, BEFORE_ONSET or AFTER_DIAGNOSIS
    resampled: np.int64  # 1: every patient is a participant drawn anew; 0: participants in turn
    by_nfl: np.int64  # 1: a rule looks at neurofilament light, which depends on the age at entry
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
    carriers: np.ndarray  # (variant, 6) float32: penetrance; terms of the diagnostic delay in months
    dropout: np.ndarray  # (piece, 3) float32: first day, rate per day, hazard before
    rules: np.ndarray  # (rule, 4) float32: stratum or -1, variable, low, high
    when: np.ndarray  # (condition, 5) float32: stratum, clause, variable, low, high
    shares: np.ndarray  # (stratum,) float64
    given: np.ndarray  # (participant, column of GIVEN) float32: whose patients are not drawn but given; NaN not known


GIVEN = (
    *("variant", "sex", "site", "age", "months"),
    *("alsfrs_r_low", "alsfrs_r_high", "svc_low", "svc_high", "nfl_low", "nfl_high"),
)
"""What is known of a participant at entry, and the limits between which a measurement is like theirs."""
LIMB = 3
"""Code of an onset in a limb that is not known better; the others are those of SITE."""


@inline
def is_known_late(mode):
    """Whether only the history tells the disease time of entry."""
    return mode in (BY_TIME, AFTER_DIAGNOSIS)


@inline
def stratum_of(shares, patient):
    """Stratum of a patient number: shares are kept exactly over any run of patients."""
    j, rest = patient, 1.0
    for k in range(shares.size - 1):
        p = min(shares[k] / rest, 1.0)
        if floor((j + 1) * p + 1e-9) > floor(j * p + 1e-9):
            return k
        j -= floor(j * p + 1e-9)
        rest -= shares[k]
    return shares.size - 1


@kernel
def strata_of(shares, out):
    """Strata of the patients 0, 1, 2 ..., into `out`."""
    for i in range(out.size):
        out[i] = stratum_of(shares, i)


@merge
def _draw_person(people, key, w, s):
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
        s[rows.ONSET + i] = ZERO
        s[rows.V + i] = ZERO
        s[rows.E_N + i] = ZERO


@merge
def _draw_thresholds(people, key, w, s):
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
        s[rows.NIV + i] = NEVER
        s[rows.TUBE + i] = NEVER


@merge
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
def draw_candidates(people, variants, carriers, dropout, table, given, model, key, w, s):
    """Draw a block of candidates: who they are and every threshold of their lives."""
    _draw_person(people, key, w, s)
    _draw_thresholds(people, key, w, s)
    _look_up(variants, dropout, s)
    if given.shape[0] > 0:
        _be_given(people, given, key, w, s)
    if people.mode == BEFORE_ONSET:
        _draw_carrier(carriers, key, w, s)
    interface.draw(model, table, key, w, s)


@inline
def participant_of(resampled, count, key, patient):
    """Which of the participants a patient number stands for: the same for all its candidates."""
    if resampled == 0:
        return int(patient) % count
    _, u, _, _ = uniforms(key, patient, I1, KIND, NOBODY)
    return min(int(u * F(count)), count - 1)


@merge
def _be_given(people, given, key, w, s):
    """Candidates are the participant of their number in all that is known; the rest is drawn as for anybody."""
    for i in range(LANES):
        k = participant_of(people.resampled, given.shape[0], key, w[PATIENT + i])
        _, _, site, _ = uniforms(key, w[PATIENT + i], I0, KIND, w[CANDIDATE + i])
        limb = site / people.bulbar if site < people.bulbar else (site - people.bulbar) / (ONE - people.bulbar)
        lower = limb * (ONE - people.bulbar) >= people.upper_limb - people.bulbar
        known = given[k, 2]
        in_limb = ONE + ONE if lower else ONE
        s[rows.SITE + i] = s[rows.SITE + i] if np.isnan(known) else (in_limb if known == F(LIMB) else known)
        s[rows.VARIANT + i] = s[rows.VARIANT + i] if np.isnan(given[k, 0]) else given[k, 0]
        s[rows.SEX + i] = s[rows.SEX + i] if np.isnan(given[k, 1]) else given[k, 1]
        months = s[ENTRY + i] if np.isnan(given[k, 4]) else given[k, 4]
        s[ENTRY + i] = months
        s[AGE_AT_ONSET + i] = s[AGE_AT_ONSET + i] if np.isnan(given[k, 3]) else given[k, 3] - months / YEAR_MONTHS


@kernel
def participants_of(resampled, count, key, out):
    """The participants that patients 0, 1, 2 ... stand for, into `out`."""
    for patient in range(out.size):
        out[patient] = participant_of(resampled, count, key, U32(patient))


@merge
def _draw_carrier(carriers, key, w, s):
    """Section 7: whole weeks from entry to the untreated onset; ENTRY is minus that in months, AGE that at entry.

    The age drawn moves by half a week at most, so that epochs of volatility, which begin at onset, begin weeks.
    """
    for i in range(LANES):
        _, _, _, u = uniforms(key, w[PATIENT + i], I1, EVENTS, w[CANDIDATE + i])
        penetrance = carriers[int(s[rows.VARIANT + i]), 0]
        weeks = F(np.rint((s[AGE_AT_ONSET + i] - s[ENTRY + i]) * YEAR_WEEKS))
        falls_ill = u < penetrance
        s[rows.AGE + i] = s[AGE_AT_ONSET + i] - weeks / YEAR_WEEKS if falls_ill else s[ENTRY + i]
        s[rows.ONSET + i] = F(7.0) * weeks if falls_ill else NEVER
        s[ENTRY + i] = -max(weeks, ZERO) * WEEK_MONTHS if falls_ill else -ONE


@inline
def background_months(people, age, s, i):
    """Months from `age` to background death, by inversion of the Gompertz hazard."""
    now = exp32(people.log_rate + people.per_year * age)
    now = now * (people.women if s[rows.SEX + i] > ZERO else ONE)
    spent = s[EVENT + i] / now
    years = log32(ONE + spent * people.per_year) / people.per_year if people.per_year > ZERO else spent
    return YEAR_MONTHS * years if people.multiplier > ZERO else NEVER
