"""Where each quantity of a block of patients lies.

A block is one flat float32 array: row after row of ``LANES`` patients. A row's name is its offset, so ``s[U + i]`` is
quantity U of lane i, and the compiler knows at compile time that rows do not overlap. The engine's rows come first, a
model's own rows start at ``MODEL``.
"""

from simulator.engine.jit import LANES


def offsets(first: int, count: int) -> range:
    """Offsets of `count` rows, the first of which is row number `first`."""
    return range(first * LANES, (first + count) * LANES, LANES)


# Who the patient is: times since onset in months, ages in years. What screening asks for comes first: PAST rows go
# along while a candidate's history is lived.
# LEFT: what is left of the event threshold. EVENT and DEATH: days since baseline; they start at background death (EVENT
# holds its threshold until entry).
# USED: what of the threshold is used up by entry. MEASURED rows: what rules of entry look at, in the order of MEASURES.
PAST = 17
VARIANT, SEX, SITE, AGE_AT_ONSET, ENTRY, STRATUM, REFERRAL, USED = offsets(0, 8)
MEASURED = ALSFRS_MEASURED, SVC_MEASURED, PROGRESSION_RATE, TIME_SINCE_ONSET, AGE, FAST, NFL_MEASURED = offsets(8, 7)
LIVING = 15  # row number from which rows are needed after entry
LEFT, EVENT = offsets(LIVING, 2)
MEASURES = (
    "alsfrs_r",
    "svc_percent",
    "progression_rate",
    "time_since_onset_months",
    "age_years",
    "variant",
    "nfl_plasma",
)

# What happens to the patient. TRY_*: the step in which the threshold was used up, kept until resolved.
# ONSET, DIAGNOSIS, SYMPTOMS: days since baseline of the untreated onset (infinity: never), of diagnosis, and of the
# onset in this arm. HELD_*: days between which no dose is given, of the first hold that is not over. SERIOUS: first
# serious reaction. NIV, TUBE: days on which ventilation and a feeding tube begin.
_LIFE = 22
KIND, DEATH, PAV, AFTER_PAV, DROPOUT, STOP, STOPPING = offsets(PAST, 7)
TRY_DAY, TRY_LEFT, TRY_RISE, TRY_U, TRY_DU, TRY_M, TRY_DELTA = offsets(PAST + 7, 7)
ONSET, DIAGNOSIS, SYMPTOMS, HELD_FROM, HELD_UNTIL, SERIOUS, NIV, TUBE = offsets(PAST + 14, 8)

# The drug: concentration, engagement, two NfL pools, two delay stages, NfL deficit, the mean of the second delay stage
# over the step and its value before; per-patient response; the multiplier of the rate and its change over the step;
# doses given so far.
_DRUG = 15
C, E, R, X, Z1, Z2, V, ZBAR, ZWAS, EC50, E_N, E_F, M, DELTA, GIVEN = offsets(PAST + _LIFE, 15)

ENGINE_ROWS = PAST + _LIFE + _DRUG
MODEL = ENGINE_ROWS  # a row number, not an offset
D50 = (MODEL + 6) * LANES
"""Row number 6 of every model: months from onset to half of the function, how fast a person's disease is."""
MODEL_PAST = 11
"""Rows of a model, its first ones, that change or are needed while a history is lived."""

# Identity, uint32: patient number, candidate, place in the batch, group of four history epochs.
PATIENT, CANDIDATE, SLOT, GROUP = offsets(0, 4)
IDENTITY_ROWS = 4

# What can be seen, in the order of the truth group. Models fill the rows they have.
OUTPUTS = (
    "alsfrs_r",
    "alsfrs_r_bulbar",
    "alsfrs_r_fine_motor",
    "alsfrs_r_gross_motor",
    "alsfrs_r_respiratory",
    "svc",
    "hhd",
    "nfl_plasma",
    "sod1_csf",
    "rate",
    "disease_time",
    "kings_stage",
    "mitos_stage",
    "ft9_stage",
)
ALSFRS_R, BULBAR, FINE, GROSS, RESPIRATORY, SVC, HHD, NFL, SOD1, RATE, DISEASE_TIME = offsets(0, 11)
KINGS, MITOS, FT9 = STAGES = tuple(offsets(11, 3))  # the last rows: a model without items goes without them
ITEMS = 12
ITEM = len(OUTPUTS) * LANES  # the first of the items' rows
OUTPUT_ROWS = len(OUTPUTS) + ITEMS
