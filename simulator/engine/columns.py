"""What a patient's life in one arm remembers besides its rows: a line of float32 columns each, found by w[SLOT + i].

Lines stay where they are when blocks are packed. Days are days since baseline, infinity where something has not
happened. The columns named in KEPT are reported.
"""

import numpy as np

from simulator.engine.mathematics import F

NEVER = F(np.inf)
KEPT = ("trigger_time", "phenoconversion_time", "niv_time", "gastrostomy_time")
"""The first columns: the day of the visit that found it; the day on which ventilation or the feeding tube begins."""
TRIGGER, PHENOCONVERSION, NIV, TUBE = range(4)

# Days that epochs of treatment may refer to: baseline, untreated onset, diagnosis; and what visits found, as the first
# day of a week of the study on which it can be acted upon.
EVENTS = ("baseline", "onset", "diagnosis", "trigger", "phenoconversion", "pav", "limit")
AT = len(KEPT)
AT_TRIGGER, AT_PHENOCONVERSION, AT_PAV, AT_LIMIT = (
    AT + EVENTS.index(name) for name in ("trigger", "phenoconversion", "pav", "limit")
)

# Doses: the drug's epoch in the arm, when it began (infinity: not yet), when the last one that ran ended (-1: none
# has), the day before which the next cannot begin; courses that were begun with loading, when the last of them began;
# the dose's number in the course, the day that the calendar says, the day on which the dose will be given, doses put
# into the calendar, and the interval of maintenance.
_DOSES = AT + len(EVENTS)
EPOCH, BEGAN, ENDED, FREE, COURSE, STARTED, NUMBER, DUE, NEXT, COUNT, EVERY = range(_DOSES, _DOSES + 11)

# Rules: the patient's first NfL; sum of log NfL ratios and their number since the last verdict on the interval; the day
# of its last change.
BASE_NFL, SUM_NFL, SAMPLES, CHANGED = range(EVERY + 1, EVERY + 5)

# Care: the visits at which ventilation and a feeding tube were offered, and what they multiply the hazard by.
NIV_OFFER, NIV_FACTOR, TUBE_OFFER, TUBE_FACTOR = range(CHANGED + 1, CHANGED + 5)

# Dropout that depends on function: what is left of its threshold, and the first and the last ALSFRS-R that count.
STAYS, FIRST_SCORE, SCORE = range(TUBE_FACTOR + 1, TUBE_FACTOR + 4)
COLUMNS = SCORE + 1
