"""Screening: the candidates of a patient, in order, until one enters the study (model.md 10)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from . import regions
from .background import cumulative as background_cumulative
from .clock import cumulative_hazard, function, neurofilament, svc
from .items import measured_items
from .patient import Person, draw, draw_person
from .philox import EVENT, MEASURE, Keys
from .units import DAYS_PER_MONTH, DAYS_PER_YEAR, Numbers, bound
from .volatility import live_until_disease_time, live_until_time

MAX_CANDIDATES = 10_000
NEVER_ILL = -100.0  # disease time, not moving, of carriers who never fall ill
EARLY = ("alsfrs_r", "svc_percent")


def stratum_of(patient: int, shares: list[float]) -> int:
    """Stratum of patient i by the floor rule of model.md 10."""
    j = patient
    for s in range(len(shares) - 1):
        p = shares[s] / sum(shares[s:])
        if math.floor((j + 1) * p + 1e-9) > math.floor(j * p + 1e-9):
            return s
        j -= math.floor(j * p + 1e-9)
    return len(shares) - 1


def holds(rule: str, limits: object, person: Person, measured: dict[str, float]) -> bool:
    """One rule: a range with inclusive bounds of a measured value, or a variant (`fast`, a name, or a list).

    A rule that is null holds.
    """
    if limits is None:
        return True
    if rule == "variant":
        wanted = limits if isinstance(limits, list) else [limits]
        return person.variant in wanted or ("fast" in wanted and person.fast_variant)
    assert isinstance(limits, dict)
    value = measured[rule]
    return bound(limits.get("min"), -math.inf) <= value <= bound(limits.get("max"), math.inf)


def progression_rate(alsfrs_r: float, months: float) -> float:
    """Measured points lost per month since onset; on the day of onset infinite if any is lost, else 0."""
    if months > 0.0:
        return (48.0 - alsfrs_r) / months
    return math.inf if alsfrs_r < 48.0 else 0.0


def measure_at_screening(numbers: Numbers, person: Person, keys: Keys) -> dict[str, float]:
    """The measurements of visit 0 that screening looks at: rounded ALSFRS-R and SVC (model.md 9)."""
    noise = numbers["visits"]["noise"]
    z = keys.normals(MEASURE, 0)
    breath = svc(person, person.u0, numbers["progression"]) + noise["svc_percent"] * z[1]
    if numbers["visits"].get("scoring") == "items":
        items = measured_items(person, person.u0, keys, 0, (noise["alsfrs_r_points"], 0.0, False))
        return {"alsfrs_r": float(sum(items)), "svc_percent": breath}
    total = function(person, person.u0)["alsfrs_r"] + noise["alsfrs_r_points"] * z[0]
    return {"alsfrs_r": float(round(min(max(total, 0.0), 48.0))), "svc_percent": breath}


def nfl_at_screening(numbers: Numbers, person: Person, keys: Keys) -> float:
    """Neurofilament light of visit 0, once the age at entry is known (model.md 6, 9)."""
    noise = numbers["visits"]["noise"]
    truth = neurofilament(person, (person.u0, 1.0), 0.0, numbers["progression"])
    nfl = truth * math.exp(noise["nfl_log_sd"] * keys.normals(MEASURE, 0)[2])
    return float(nfl) if nfl >= noise["nfl_llq"] else 0.5 * float(noise["nfl_llq"])


def _candidate_stratum(strata: Numbers, person: Person, measured: dict[str, float]) -> str:
    """The first stratum one of whose `when` alternatives holds in all its rules, else the last."""
    for name, stratum in strata.items():
        for alternative in stratum.get("when") or []:
            if all(holds(rule, limits, person, measured) for rule, limits in alternative.items()):
                return name
    return list(strata)[-1]


def _enter(numbers: Numbers, person: Person, keys: Keys, event_threshold: float) -> str:
    """Set u0 and, unless the event came before, the time lived since onset; gives '' or why the candidate fails.

    The order of the two is free where entry is by disease time: the event needs u0 only, not the history.
    """
    entry, progression = numbers["entry"], numbers["progression"]
    volatility, kappa = progression["volatility"], progression["survival"]["steepness"]
    months = 0.0
    if entry.get("time_since_onset_months") is not None:
        months = draw(entry["time_since_onset_months"], person.z_entry)
        _not_before_onset(months)
        person.u0, person.z_volatility = live_until_time(keys, volatility, person.d50, months)
    elif entry.get("months_since_diagnosis") is not None:
        months = regions.months_of_entry(numbers, person, keys)
        person.u0, person.z_volatility = live_until_time(keys, volatility, person.d50, months)
    elif entry.get("disease_time") is not None:
        person.u0 = draw(entry["disease_time"], person.z_entry)
        _not_before_onset(person.u0)
    elif entry.get("presymptomatic_at_age") is not None:
        return _carry(numbers, person)
    person.time_since_onset = months
    if cumulative_hazard(person.u0, person.scale, kappa) >= event_threshold:
        return "event before entry"
    return ""


def _not_before_onset(value: float) -> None:
    if value < 0.0:
        raise NotImplementedError("the oracle has no entry before onset")


def _carry(numbers: Numbers, person: Person) -> str:
    """Set a carrier at the age of entry, whole weeks before onset; ``u = -(time to onset)/D50`` (model.md 7)."""
    age = draw(numbers["entry"]["presymptomatic_at_age"], person.z_entry)
    person.u0, person.onset_day, person.age = NEVER_ILL, math.inf, age
    if person.falls_ill:
        weeks = round((person.age_at_onset - age) * DAYS_PER_YEAR / 7.0)
        person.onset_day, person.age = 7.0 * weeks, person.age_at_onset - 7.0 * weeks / DAYS_PER_YEAR
        person.u0 = -person.onset_day / DAYS_PER_MONTH / person.d50
        if weeks <= 0:
            return "symptoms before entry"
    person.time_since_onset, person.at_risk_from = -person.onset_day / DAYS_PER_MONTH, person.age
    return ""


def _live(numbers: Numbers, person: Person, keys: Keys) -> None:
    """Time since onset (where entry is by disease time) and age at entry; carriers have lived nothing yet."""
    if numbers["entry"].get("presymptomatic_at_age") is not None:
        return
    if numbers["entry"].get("disease_time") is not None:
        volatility = numbers["progression"]["volatility"]
        lived = live_until_disease_time(keys, volatility, person.d50, person.u0)
        person.time_since_onset, person.z_volatility = lived
    person.age = person.age_at_onset + person.time_since_onset / 12.0
    person.onset_day, person.at_risk_from = -person.time_since_onset * DAYS_PER_MONTH, person.age_at_onset


def _first_broken(rules: list[tuple[str, Numbers]], early: bool, person: Person, measured: dict[str, float]) -> str:
    """The first eligibility rule that fails, of those that need no history (`early`) or of the others."""
    for owner, block in rules:
        for rule, limits in block.items():
            if (rule in EARLY) == early and not holds(rule, limits, person, measured):
                return f"{owner}: {rule}"
    return ""


def screen(numbers: Numbers, person: Person, keys: Keys, wanted: str | None) -> str:
    """Screen one candidate; gives '' when it enters, else the first rule that fails.

    Order: event before entry; eligibility on ALSFRS-R and SVC; referral; background death before entry; eligibility
    on the rest; stratum. Acceptance does not depend on the order, only the counts do. SVC is measured at screening
    whatever the bulbar function.
    """
    return next(filter(None, _failures(numbers, person, keys, wanted)), "")


def _failures(numbers: Numbers, person: Person, keys: Keys, wanted: str | None) -> Iterator[str]:
    """One after another the reasons to fail, '' for each rule that holds; lazily, so that few histories are lived."""
    entry, strata = numbers["entry"], numbers.get("strata") or {}
    rules = [("all", entry.get("eligible") or {})]
    if wanted is not None:
        rules.append((wanted, strata[wanted].get("eligible") or {}))
    yield _enter(numbers, person, keys, keys.exponential(EVENT, 0, 0))
    measured = measure_at_screening(numbers, person, keys)
    yield _first_broken(rules, True, person, measured)
    _live(numbers, person, keys)
    months, referral = person.time_since_onset, entry.get("referral_months")
    referred = referral is None or keys.uniforms(EVENT, 1)[2] < 1.0 - math.exp(-((months / referral) ** 2))
    diagnosed = not regions.of(numbers["progression"]) or regions.diagnose(numbers, person, keys)
    yield "" if referred and diagnosed else "referral"
    died = background_cumulative(numbers["disease"], person, person.age) >= keys.exponential(EVENT, 0, 1)
    yield "background death before entry" if died else ""
    measured |= {"time_since_onset_months": months, "age": person.age, "age_years": person.age}
    measured["progression_rate"] = progression_rate(measured["alsfrs_r"], months)
    measured["nfl_plasma"] = nfl_at_screening(numbers, person, keys)
    yield _first_broken(rules, False, person, measured)
    if wanted is not None and _candidate_stratum(strata, person, measured) != wanted:
        yield "stratum"


def recruit(numbers: Numbers, seed: int, patient: int) -> tuple[Person, Keys, list[str]]:
    """The patient: first candidate 0, 1, 2, ... that enters, its keys, and why each earlier one failed.

    Raises
    ------
    RuntimeError
        After 10,000 candidates, with the most frequent reason.
    """
    strata = numbers.get("strata") or {}
    wanted = None
    if strata:
        wanted = list(strata)[stratum_of(patient, [entry["share"] for entry in strata.values()])]
    rejected: list[str] = []
    for candidate in range(MAX_CANDIDATES):
        keys = Keys(seed, patient, candidate)
        person = draw_person(numbers, keys)
        reason = screen(numbers, person, keys, wanted)
        if not reason:
            return person, keys, rejected
        rejected.append(reason)
    raise RuntimeError(f"no candidate of {MAX_CANDIDATES} enters: {max(set(rejected), key=rejected.count)}")
