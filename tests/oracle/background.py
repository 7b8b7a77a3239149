"""Background mortality: Gompertz, an independent competing risk (model.md 4)."""

from __future__ import annotations

import math

from .patient import Person
from .units import DAYS_PER_YEAR, Numbers


def _level(disease: Numbers, person: Person) -> float:
    """Yearly hazard at age 0: ``multiplier exp(log_rate)``, times the factor of women."""
    law = disease["background_mortality"]
    return law["multiplier"] * math.exp(law["log_rate"]) * (law["women"] if person.sex == 1 else 1.0)


def cumulative(disease: Numbers, person: Person, age: float) -> float:
    """Hazard integrated from the age it counts from (onset, or entry before it) to `age`."""
    growth = disease["background_mortality"]["per_year_of_age"]
    level = _level(disease, person)
    if growth == 0.0:
        return level * (age - person.at_risk_from)
    return level * (math.exp(growth * age) - math.exp(growth * person.at_risk_from)) / growth


def death_day(disease: Numbers, person: Person, threshold: float) -> float:
    """Day since baseline on which the integral reaches the person's own Exp(1); infinite when off."""
    growth = disease["background_mortality"]["per_year_of_age"]
    level = _level(disease, person)
    if level == 0.0:
        return math.inf
    if growth == 0.0:
        age = person.at_risk_from + threshold / level
    else:
        age = math.log(math.exp(growth * person.at_risk_from) + growth * threshold / level) / growth
    return (age - person.age) * DAYS_PER_YEAR
