"""The variables of the ADaM-like tables."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """A variable of a table: its label (at most 40 characters), type, and what its codes or units are."""

    name: str
    label: str
    kind: str = "text"
    codes: str = ""


_WHO = (
    Column("STUDYID", "Study Identifier"),
    Column("USUBJID", "Unique Subject Identifier"),
)
_TREATMENT = (
    Column("TRTP", "Planned Treatment"),
    Column("TRTPN", "Planned Treatment (N)", "integer", "number of the arm, from 1"),
    Column("STRATAR", "Strata Used for Randomization"),
    Column("PARAMCD", "Parameter Code"),
    Column("PARAM", "Parameter"),
)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "ADSL": (
        *_WHO,
        Column("SUBJID", "Subject Identifier for the Study"),
        Column("AGE", "Age", "integer", "years at baseline"),
        Column("SEX", "Sex", codes="M, F"),
        Column("ARM", "Description of Planned Arm"),
        Column("TRT01P", "Planned Treatment for Period 01"),
        Column("TRT01PN", "Planned Treatment for Period 01 (N)", "integer", "number of the arm, from 1"),
        Column("STRATAR", "Strata Used for Randomization"),
        Column("RANDFL", "Randomized Population Flag", codes="Y"),
        Column("ITTFL", "Intent-To-Treat Population Flag", codes="Y"),
        Column("SAFFL", "Safety Population Flag", codes="Y: had a dose; N"),
        Column("VARIANT", "SOD1 Variant"),
        Column("FASTFL", "Variant Counts as Fast Flag", codes="Y, N"),
        Column("ONSSITE", "Site of Onset"),
        Column("ONSAGE", "Age at Onset", "number", "years"),
        Column("ONSMON", "Time From Onset to Baseline", "number", "months"),
        Column("LOGNFL", "Log of Plasma NfL at Baseline (pg/mL)", "number"),
        Column("NDOSES", "Number of Doses Until End of Study", "integer"),
        Column("TRTSDY", "Study Day of First Dose", "integer"),
        Column("TRTEDY", "Study Day of Last Dose", "integer"),
        Column("EOSSTT", "End of Study Status", codes="COMPLETED, DISCONTINUED"),
        Column("DCSREAS", "Reason for Discontinuation from Study", codes="DEATH, DROPOUT"),
        Column("EOSDY", "Study Day of End of Study", "integer"),
        Column("DTHFL", "Subject Death Flag", codes="Y: died in the study"),
    ),
    "ADQS": (
        *_WHO,
        *_TREATMENT,
        Column("PARCAT1", "Parameter Category 1"),
        Column("AVISIT", "Analysis Visit"),
        Column("AVISITN", "Analysis Visit (N)", "integer", "number of the visit, 0 = baseline"),
        Column("ATPTD", "Planned Day of the Visit", "number", "days since baseline: 0 is baseline"),
        Column("ADY", "Analysis Relative Day", "integer", "baseline is day 1; there is no day 0"),
        Column("AVAL", "Analysis Value", "number"),
        Column("BASE", "Baseline Value", "number"),
        Column("CHG", "Change from Baseline", "number"),
        Column("R2BASE", "Ratio to Baseline", "number"),
        Column("ABLFL", "Baseline Record Flag", codes="Y"),
    ),
    "ADTTE": (
        *_WHO,
        *_TREATMENT,
        Column("AVAL", "Analysis Value", "integer", "days, the day of the event or censoring counted"),
        Column("TTEDAYS", "Exact Days Since Baseline", "number", "as simulated; AVAL is its whole days, plus 1"),
        Column("CNSR", "Censor", "integer", "0 event, 1 end of follow-up, 2 dropout, 3 death"),
        Column("EVNTDESC", "Event or Censoring Description"),
    ),
    "ADAE": (
        *_WHO,
        *_TREATMENT[:3],
        Column("AEDECOD", "Dictionary-Derived Term", codes="the model's own names, no dictionary"),
        Column("ASTDY", "Analysis Start Relative Day", "integer", "baseline is day 1; there is no day 0"),
        Column("AESER", "Serious Event", codes="Y, N"),
        Column(
            "AEACN", "Action Taken with Study Treatment", codes="DOSE NOT CHANGED, DRUG INTERRUPTED, DRUG WITHDRAWN"
        ),
        Column("TRTEMFL", "Treatment Emergent Analysis Flag", codes="Y"),
    ),
}
