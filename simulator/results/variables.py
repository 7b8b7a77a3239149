"""The one table of outputs: what every variable of a result is called, where it lives, and in which unit."""

from __future__ import annotations

from typing import NamedTuple

INFINITE = float("inf")
KINGS = ("none", "1", "2", "3", "4A", "4B", "death")
"""Meanings of the codes of King's stages; 4A is nutritional failure, 4B respiratory failure."""
MITOS = ("0", "1", "2", "3", "4", "death")
FT9 = ("0", "1", "2", "3", "4", "death")
STAGES = {"kings_stage": KINGS, "mitos_stage": MITOS, "ft9_stage": FT9}
PATIENT = ("patient",)
TRUTH = ("arm", "patient", "time")
OBSERVED = ("arm", "patient", "visit")
EVENT = ("arm", "patient")
RECORD = ("record",)


class Variable(NamedTuple):
    """One output: its name, group and dimensions, unit, long name, valid range, and type on disk.

    `flags` are the meanings of the codes 0, 1, 2 …; `fill` is the code of a missing value of an integer type.
    """

    name: str
    group: str
    dims: tuple[str, ...]
    unit: str
    long_name: str
    low: float = -INFINITE
    high: float = INFINITE
    dtype: str = "f4"
    flags: tuple[str, ...] = ()
    fill: int | None = None


class Summarised(NamedTuple):
    """One variable of the streaming sums: transform before adding (`identity` or `log`), range and number of the bins.

    `of` is the variable it is made from; `since` says how it refers to the patient's own baseline: not ("") or as a
    "change" or a "ratio". `ends` are the least and the greatest value that it can have.
    """

    name: str
    transform: str
    low: float
    high: float
    bins: int
    unit: str
    long_name: str
    of: str
    since: str = ""
    ends: tuple[float, float] = (-INFINITE, INFINITE)


def _domain(name: str, label: str) -> Variable:
    return Variable(name, "truth", TRUTH, "points", f"ALSFRS-R {label} domain, as if alive", 0, 12)


def _stages(group: str, dims: tuple[str, ...], how: str, fill: int | None) -> tuple[Variable, ...]:
    """The three stages of a group; in the truth PAV and death count, in observed values the dead keep a stage too."""
    names = {"kings_stage": "King's stage", "mitos_stage": "MiToS stage", "ft9_stage": "FT9 stage"}
    return tuple(
        Variable(key, group, dims, "1", f"{label}, {how}", 0, len(STAGES[key]) - 1, "i1", STAGES[key], fill)
        for key, label in names.items()
    )


def _day(name: str, long_name: str) -> Variable:
    return Variable(name, "events", EVENT, "d", f"{long_name}, days since baseline", dtype="f8")


_PATIENTS = (
    Variable("variant", "patients", PATIENT, "", "SOD1 variant", dtype="name"),
    Variable(
        "fast_variant",
        "patients",
        PATIENT,
        "1",
        "variant counts as fast in the trial",
        0,
        1,
        "i1",
        ("no", "yes"),
    ),
    Variable("sex", "patients", PATIENT, "1", "sex", 0, 1, "i1", ("man", "woman")),
    Variable("age_at_onset", "patients", PATIENT, "years", "age at first symptom", 0, 120),
    Variable("age", "patients", PATIENT, "years", "age at baseline", 0, 120),
    Variable("time_since_onset", "patients", PATIENT, "months", "time since first symptom at baseline", -1200, 1200),
    Variable("stratum", "patients", PATIENT, "", "stratum", dtype="name"),
    Variable("allocated_arm", "patients", PATIENT, "", "arm in which a trial sees the patient", dtype="name"),
    Variable(
        "enrolment_day", "patients", PATIENT, "d", "day of the calendar on which the patient entered; 0 is the first", 0
    ),
    Variable("weight", "patients", PATIENT, "1", "weight of a twin of one person, 1 on average", 0, dtype="f8"),
    Variable("twin", "patients", PATIENT, "1", "number of the twin among those looked at", 0, dtype="i4"),
    Variable("participant", "patients", PATIENT, "1", "participant of entry.data, from 0", 0, 5_000_000, "i4"),
    Variable("candidates", "patients", PATIENT, "1", "candidates tried until one was eligible", 1, 10_000, "i4"),
    Variable(
        "onset_site", "patients", PATIENT, "1", "site of onset", 0, 2, "i1", ("bulbar", "upper_limb", "lower_limb")
    ),
    Variable("d50", "patients", PATIENT, "months", "time from onset to disease time 1 when untreated", 0),
    Variable("steepness", "patients", PATIENT, "1", "exponent a of the fall of function", 0),
    *(
        Variable(f"log_tau_{key}", "patients", PATIENT, "1", f"log of the disease time at which {label} is at one half")
        for key, label in (
            ("bulbar", "bulbar function"),
            ("fine_motor", "fine motor function"),
            ("gross_motor", "gross motor function"),
            ("respiratory", "respiratory function"),
            ("svc", "slow vital capacity"),
        )
    ),
    *(
        Variable(f"tau_{key}", "patients", PATIENT, "1", f"disease time in which {label} falls to one half", 0)
        for key, label in (
            ("bulbar", "bulbar function, once begun,"),
            ("fine_motor", "fine motor function, once begun,"),
            ("gross_motor", "gross motor function, once begun,"),
            ("respiratory", "respiratory function, once begun,"),
            ("svc", "slow vital capacity"),
        )
    ),
    Variable("diagnosis_lag", "patients", PATIENT, "d", "days from then until diagnosis is made", 0),
    Variable("diagnosis_disease_time", "patients", PATIENT, "1", "disease time at which diagnosis is due", 0),
    Variable("v0", "patients", PATIENT, "percent", "slow vital capacity before the disease, % predicted", 0),
    Variable("log_critical_time", "patients", PATIENT, "1", "log of the disease time at which breathing fails"),
    Variable("hhd_level", "patients", PATIENT, "1", "hand-held dynamometry megascore (z) before the disease"),
    Variable("fvc_offset", "patients", PATIENT, "percent", "slow minus forced vital capacity, % predicted"),
    Variable("slope", "patients", PATIENT, "points/month", "fall of the ALSFRS-R when untreated", 0),
    Variable("svc_slope", "patients", PATIENT, "percent/month", "fall of slow vital capacity when untreated", 0),
    Variable("hazard_at_onset", "patients", PATIENT, "1/month", "hazard of death or PAV at onset when untreated", 0),
    Variable("hazard_growth", "patients", PATIENT, "1/month", "rate at which the untreated hazard grows", 0),
    *(
        Variable(f"reach_kings_{k}", "patients", PATIENT, "1", f"disease time at which King's stage {k} begins", 0)
        for k in (2, 3, 4)
    ),
    Variable(
        "nfl_amplitude", "patients", PATIENT, "pg/mL", "neurofilament light in plasma from injury at its height", 0
    ),
)
_TRUTH = (
    Variable("alsfrs_r", "truth", TRUTH, "points", "ALSFRS-R total, as if alive", 0, 48),
    _domain("alsfrs_r_bulbar", "bulbar"),
    _domain("alsfrs_r_fine_motor", "fine motor"),
    _domain("alsfrs_r_gross_motor", "gross motor"),
    _domain("alsfrs_r_respiratory", "respiratory"),
    Variable("svc", "truth", TRUTH, "percent", "slow vital capacity, % predicted, as if alive", 0, 200),
    Variable("hhd", "truth", TRUTH, "1", "hand-held dynamometry megascore (z), as if alive"),
    Variable("nfl_plasma", "truth", TRUTH, "pg/mL", "neurofilament light in plasma, as if alive", 0),
    Variable("sod1_csf", "truth", TRUTH, "1", "SOD1 in cerebrospinal fluid, ratio to baseline", 0),
    Variable("rate", "truth", TRUTH, "1", "multiplier of the rate of progression, 1 = untreated"),
    Variable("disease_time", "truth", TRUTH, "1", "disease time, 0 at onset"),
    *_stages("truth", TRUTH, "from true items, PAV and death", None),
)
_OBSERVED = (
    Variable("alsfrs_r", "observed", OBSERVED, "points", "ALSFRS-R total as measured", 0, 48, "i1", fill=-1),
    Variable("svc", "observed", OBSERVED, "percent", "slow vital capacity as measured, % predicted"),
    Variable("hhd", "observed", OBSERVED, "1", "hand-held dynamometry megascore (z) as measured"),
    Variable("nfl_plasma", "observed", OBSERVED, "pg/mL", "neurofilament light in plasma as measured", 0),
    Variable(
        "nfl_plasma_below_limit",
        "observed",
        OBSERVED,
        "1",
        "neurofilament light below the limit of quantification, reported as half of it",
        0,
        1,
        "i1",
        ("no", "yes"),
        fill=-1,
    ),
    Variable("sod1_csf", "observed", OBSERVED, "1", "SOD1 in cerebrospinal fluid as measured, ratio to baseline", 0),
    *_stages("observed", OBSERVED, "from items as measured", -1),
    Variable("day", "observed", OBSERVED, "d", "day of the visit, days since baseline"),
)
_EVENTS = (
    _day("event_free_time", "earlier of death or permanent assisted ventilation and end of follow-up"),
    Variable(
        "event",
        "events",
        EVENT,
        "1",
        "what ended event-free time",
        0,
        2,
        "i1",
        ("none", "death", "pav"),
    ),
    _day("death_time", "death"),
    _day("dropout_time", "dropout"),
    _day("onset_time", "first symptom in this arm"),
    _day("diagnosis_time", "diagnosis, as it comes without treatment"),
    _day("trigger_time", "the visit whose neurofilament met the trigger"),
    _day("phenoconversion_time", "phenoconversion, the visit that noticed it"),
    _day("niv_time", "start of non-invasive ventilation"),
    _day("gastrostomy_time", "gastrostomy"),
    _day("followup_time", "end of follow-up"),
)
_DOSES = (
    Variable("arm", "doses", RECORD, "1", "arm", dtype="arm"),
    Variable("patient", "doses", RECORD, "1", "patient", 0, dtype="i4"),
    Variable("day", "doses", RECORD, "d", "day of the dose, days since baseline", 0),
    Variable("dose_mg", "doses", RECORD, "mg", "dose given", 0),
)
_ADVERSE_EVENTS = (
    Variable("arm", "adverse_events", RECORD, "1", "arm", dtype="arm"),
    Variable("patient", "adverse_events", RECORD, "1", "patient", 0, dtype="i4"),
    Variable("day", "adverse_events", RECORD, "d", "day of the event, or of the test that finds it, since baseline", 0),
    Variable("kind", "adverse_events", RECORD, "1", "kind of adverse event", dtype="kind"),
    Variable("serious", "adverse_events", RECORD, "1", "serious", 0, 1, "i1", ("no", "yes")),
    Variable(
        "action", "adverse_events", RECORD, "1", "what is done with the drug", 0, 2, "i1", ("none", "held", "stopped")
    ),
    Variable("held_until", "adverse_events", RECORD, "d", "day until which doses are held, days since baseline"),
)
_MONITORING = (
    Variable("arm", "monitoring", RECORD, "1", "arm", dtype="arm"),
    Variable("day", "monitoring", RECORD, "d", "day, days since baseline", 0),
    Variable("kind", "monitoring", RECORD, "1", "what is done", 0, 2, "i1", ("liver_test", "diary", "visit")),
    Variable("patients", "monitoring", RECORD, "1", "patients alive, in the study and on the drug", 0, dtype="i4"),
)

VARIABLES: dict[tuple[str, str], Variable] = {
    (v.group, v.name): v for v in (*_PATIENTS, *_TRUTH, *_OBSERVED, *_EVENTS, *_DOSES, *_ADVERSE_EVENTS, *_MONITORING)
}

BINS = 256  # the same for all rows, and widths that float32 holds exactly
SCORE, POSITIVE = (0, 48), (0, INFINITE)
SUMMARISED: tuple[Summarised, ...] = (
    Summarised("alsfrs_r", "identity", 0, 48, BINS, "points", "ALSFRS-R total", "alsfrs_r", ends=SCORE),
    Summarised("svc", "identity", 0, 160, BINS, "percent", "slow vital capacity, % predicted", "svc", ends=POSITIVE),
    Summarised("hhd", "identity", -4.5, 3.5, BINS, "1", "hand-held dynamometry megascore (z)", "hhd"),
    Summarised("nfl_plasma", "log", 1, 9, BINS, "pg/mL", "neurofilament light in plasma", "nfl_plasma", ends=POSITIVE),
    Summarised(
        "sod1_csf",
        "log",
        -3.5,
        0.5,
        BINS,
        "1",
        "SOD1 in cerebrospinal fluid, ratio to baseline",
        "sod1_csf",
        ends=POSITIVE,
    ),
    Summarised(
        "alsfrs_r_change",
        "identity",
        -48,
        16,
        BINS,
        "points",
        "change of ALSFRS-R from baseline",
        "alsfrs_r",
        "change",
        (-48, 48),
    ),
    Summarised("svc_change", "identity", -144, 48, BINS, "percent", "change of SVC from baseline", "svc", "change"),
    Summarised(
        "nfl_plasma_ratio",
        "log",
        -4,
        4,
        BINS,
        "1",
        "neurofilament light, ratio to baseline",
        "nfl_plasma",
        "ratio",
        POSITIVE,
    ),
)


def variable(group: str, name: str) -> Variable:
    """The row of the table, or a plain row for a parameter of a model that the table does not list."""
    dims = {"patients": PATIENT, "truth": TRUTH, "observed": OBSERVED, "events": EVENT}.get(group, RECORD)
    return VARIABLES.get((group, name), Variable(name, group, dims, "1", name.replace("_", " ")))
