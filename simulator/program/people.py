"""Who falls ill, and how they come to screening."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine import rows, screening
from simulator.engine.people import AFTER_DIAGNOSIS, AT_ONSET, BEFORE_ONSET, BY_DISEASE_TIME, BY_TIME, People
from simulator.models.terms import ZERO, Terms, terms
from simulator.program.screening import limits
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from simulator.language.people import Entry
    from simulator.language.scenario import Scenario

F = np.float32


def people(scenario: Scenario) -> People:
    """Constants of who falls ill and when they come to screening."""
    disease, entry = scenario.disease, scenario.entry
    death, site = disease.background_mortality, disease.onset_site
    survival = scenario.progression.survival
    return People(
        men=F(disease.men),
        bulbar=F(site.bulbar),
        upper_limb=F(site.bulbar.value + site.upper_limb.value),
        age=terms(disease.age_at_onset),
        entry=_entry_terms(entry),
        mode=np.int64(_entry_mode(entry)),
        resampled=np.int64(entry.data is not None and entry.data.resample),
        by_nfl=np.int64(_looks_at_nfl(scenario)),
        longest=F(_longest_months(entry)),
        referral=F(0 if entry.referral_months is None else entry.referral_months),
        log_rate=F(death.log_rate.value + (math.log(death.multiplier.value) if death.multiplier.value > 0 else 0)),
        per_year=F(death.per_year_of_age),
        women=F(death.women),
        multiplier=F(death.multiplier),
        pav=F(survival.pav_probability),
        after_pav=F(survival.months_after_pav.value * DAYS_PER_MONTH / math.log(2)),
    )


def _looks_at_nfl(scenario: Scenario) -> bool:
    """Whether a rule of entry or of a stratum, or what participants are matched by, looks at neurofilament light."""
    strata = (scenario.strata or {}).values()
    rules = [scenario.entry.eligible, *(s.eligible for s in strata), *(rule for s in strata for rule in s.when or [])]
    data = scenario.entry.data
    return any(rule is not None and rule.nfl_plasma is not None for rule in rules) or (
        data is not None and "nfl_plasma" in data.match
    )


def _entry_mode(entry: Entry) -> int:
    if entry.at_onset:
        return AT_ONSET
    if entry.presymptomatic_at_age is not None:
        return BEFORE_ONSET
    if entry.months_since_diagnosis is not None:
        return AFTER_DIAGNOSIS
    return BY_DISEASE_TIME if entry.disease_time is not None else BY_TIME


def _longest_months(entry: Entry) -> float:
    """Time since onset beyond which nobody is let in: no longer history need be lived."""
    time = rows.MEASURES.index("time_since_onset_months")
    return min([screening.LONGEST_MONTHS, *(high for code, _, high in limits(entry.eligible) if code == time)])


def _entry_terms(entry: Entry) -> Terms:
    given = entry.disease_time or entry.time_since_onset_months or entry.presymptomatic_at_age
    given = given or entry.months_since_diagnosis
    return ZERO if given is None else terms(given)
