"""Who is let in: verdicts on a block of candidates. The first rule that fails is the reason that is counted."""

from simulator.engine import rows
from simulator.engine.jit import LANES, NO, U64, YES, block, inline, merge
from simulator.engine.mathematics import ONE, ZERO, F, exp32
from simulator.engine.people import BEFORE_ONSET, NEVER, YEAR_MONTHS, background_months, participant_of
from simulator.engine.rows import AGE_AT_ONSET, LEFT, STRATUM, TIME_SINCE_ONSET, USED

ACCEPTED, EVENT_BEFORE, REFERRED_LATE, DIED_BEFORE, OTHER_STRATUM, TOO_LONG, ILL_BEFORE = range(-1, 6)
FIRST_RULE = 6
REASONS = (
    "event before entry",
    "not referred yet",
    "background death before entry",
    "another stratum",
    "over 1200 months",
    "symptoms before entry",
)
SVC_COLUMN = F(rows.MEASURES.index("svc_percent"))  # up to here, rules need no history
FIRST_MEASURED = F(rows.ALSFRS_MEASURED)
LONGEST_MONTHS = 1200.0
UNLIKE = ("alsfrs_r of the participant", "svc_percent of the participant", "nfl_plasma of the participant")
"""Reasons after those of the rules, where participants are given."""


@inline
def _apply(rules, early, s, why):
    """Rules that need no history (`early`) or do; the first one that a lane breaks is its reason."""
    for k in range(rules.shape[0]):
        if (rules[k, 1] <= SVC_COLUMN) == early:
            row, low, high = U64(rules[k, 1] * F(LANES) + FIRST_MEASURED), rules[k, 2], rules[k, 3]
            stratum, for_all = rules[k, 0], rules[k, 0] < ZERO
            for i in range(LANES):
                x = s[row + U64(i)]
                meant = for_all | (stratum == s[STRATUM + i])
                broken = meant & ((x < low) | (x > high)) & (why[i] == ACCEPTED)
                why[i] = FIRST_RULE + k if broken else why[i]


@block
def judge_early(rules, s, why):
    """What can be known of a block without its history: the event came before, or a rule is broken."""
    for i in range(LANES):
        why[i] = EVENT_BEFORE if s[LEFT + i] <= s[USED + i] else ACCEPTED
    _apply(rules, YES, s, why)


@merge
def judge_late(people, rules, when, strata, s, why, holds, belongs):
    """What the time since onset decides; lanes that are not ACCEPTED keep their reason."""
    for i in range(LANES):
        months = s[TIME_SINCE_ONSET + i]
        waited = months / people.referral
        known = s[rows.REFERRAL + i] <= ONE  # above 1: a model with a diagnosis of its own has not made it yet
        referred = (s[rows.REFERRAL + i] < ONE - exp32(-waited * waited)) | (known & (people.referral <= ZERO))
        died = background_months(people, s[AGE_AT_ONSET + i], s, i) <= months
        reason = TOO_LONG if months > F(LONGEST_MONTHS) else (DIED_BEFORE if died else ACCEPTED)
        reason = reason if referred | (reason == TOO_LONG) else REFERRED_LATE
        why[i] = reason if why[i] == ACCEPTED else why[i]
        lost = F(48.0) - s[rows.ALSFRS_MEASURED + i]
        s[rows.PROGRESSION_RATE + i] = lost / months if months > ZERO else (NEVER if lost > ZERO else ZERO)
    if people.mode == BEFORE_ONSET:
        for i in range(LANES):
            why[i] = ILL_BEFORE if (why[i] == ACCEPTED) & (s[rows.ENTRY + i] >= ZERO) else why[i]
    else:
        for i in range(LANES):
            s[rows.AGE + i] = s[AGE_AT_ONSET + i] + s[TIME_SINCE_ONSET + i] / YEAR_MONTHS
    _apply(rules, NO, s, why)
    if strata > 1:
        _judge_stratum(when, strata, s, why, holds, belongs)


@merge
def judge_given(people, given, rules, key, w, s, why):
    """Who is given must measure at entry what the participant measured; reasons follow those of the rules."""
    for i in range(LANES):
        k = participant_of(people.resampled, given.shape[0], key, w[rows.PATIENT + i])
        total, svc, nfl = s[rows.ALSFRS_MEASURED + i], s[rows.SVC_MEASURED + i], s[rows.NFL_MEASURED + i]
        unlike = 2 if (nfl < given[k, 9]) | (nfl > given[k, 10]) else -1
        unlike = 1 if (svc < given[k, 7]) | (svc > given[k, 8]) else unlike
        unlike = 0 if (total < given[k, 5]) | (total > given[k, 6]) else unlike
        why[i] = FIRST_RULE + rules + unlike if (why[i] == ACCEPTED) & (unlike >= 0) else why[i]


@merge
def _judge_stratum(when, strata, s, why, holds, belongs):
    """A candidate belongs to the first stratum one of whose clauses holds in full, else to the last.

    `holds` and `belongs` are scratch; rows of `s` would not do, since they might be the rows read.
    """
    for i in range(LANES):
        belongs[i] = F(strata - 1)
    for k in range(when.shape[0] - 1, -1, -1):
        ends = k == when.shape[0] - 1 or when[k, 0] != when[k + 1, 0] or when[k, 1] != when[k + 1, 1]
        begins = k == 0 or when[k, 0] != when[k - 1, 0] or when[k, 1] != when[k - 1, 1]
        row, low, high = U64(when[k, 2] * F(LANES) + FIRST_MEASURED), when[k, 3], when[k, 4]
        stratum = when[k, 0]
        for i in range(LANES):
            x = s[row + U64(i)]
            still = (ends | (holds[i] > ZERO)) & (low <= x) & (x <= high)
            holds[i] = ONE if still else ZERO
            belongs[i] = stratum if still & begins else belongs[i]
    for i in range(LANES):
        why[i] = OTHER_STRATUM if (why[i] == ACCEPTED) & (belongs[i] != s[STRATUM + i]) else why[i]
