"""Which treatments run when, and on which days doses are given (model.md 5, 8)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from . import safety
from .philox import DOSE, EVENT, Keys
from .units import DAYS_PER_YEAR, Numbers, bound

ARTICLE_WINDOW_DAYS = 14.0
ADDONS = ("rate_multiplier", "hazard_multiplier")


def epoch_bounds(epoch: Numbers) -> tuple[float, float]:
    """First day and end of a treatment epoch, half-open; no end is infinite."""
    return float(epoch["from_day"]), bound(epoch.get("to_day"), math.inf)


def antisense_of(numbers: Numbers, epochs: list[Numbers]) -> str | None:
    """The name of the arm's one antisense treatment, or None; two different ones have no equation in model.md."""
    kinds = numbers["treatments"]
    names = {name for epoch in epochs for name in epoch["treatments"] if kinds[name]["kind"] == "antisense"}
    if len(names) > 1:
        raise NotImplementedError("the oracle takes one antisense treatment per arm")
    return next(iter(names), None)


def addon(numbers: Numbers, epochs: list[Numbers], kind: str, day: float) -> float:
    """Product of the multipliers of a kind whose epoch holds `day`."""
    product = 1.0
    for epoch in epochs:
        start, end = epoch_bounds(epoch)
        if start <= day < end:
            for name in epoch["treatments"]:
                treatment = numbers["treatments"][name]
                if treatment["kind"] == kind:
                    product *= treatment["value"]
    return product


def nominal_offsets(regimen: Numbers) -> Iterator[float]:
    """Days of the doses from the start of an epoch: the loading days, then every so many days."""
    loading = list(regimen.get("loading_days") or [0.0])
    yield from loading
    last = loading[-1]
    while True:
        last += regimen["every_days"]
        yield last


def _delay(numbers: Numbers, keys: Keys, dose: int) -> float:
    """Days by which dose number n of an epoch is late: 0, or ``1 + floor(max U)`` when it is missed (model.md 8)."""
    adherence = numbers.get("adherence")
    if not adherence:
        return 0.0
    missed, late, _, _ = keys.uniforms(DOSE, dose)
    return 1.0 + math.floor(adherence["delay_days_max"] * late) if missed < adherence["missed"] else 0.0


def epoch_doses(numbers: Numbers, keys: Keys, regimen: Numbers, bounds: tuple[float, float]) -> list[float]:
    """Days of the doses of one epoch that the policy for missed doses gives, up to and with the end of follow-up.

    label: a missed dose is given `delay` days later and the next one follows at its nominal gap from that day.
    article: the calendar stays; a missed dose is given `delay` days later if that is at most 14 days and the next
    calendar date is at least 14 days after it, else not.
    """
    start, end = bounds
    label = regimen.get("missed_dose") != "article"
    offsets = nominal_offsets(regimen)
    days: list[float] = []
    nominal, shift, dose = start + next(offsets), 0.0, 0
    while nominal + shift < end and nominal + shift <= numbers["follow_up_days"]:
        delay = _delay(numbers, keys, dose)
        following = start + next(offsets)
        actual = nominal + shift + delay
        given = label or delay == 0.0 or (delay <= ARTICLE_WINDOW_DAYS and following - actual >= ARTICLE_WINDOW_DAYS)
        if given and actual < end and actual <= numbers["follow_up_days"]:
            days.append(actual)
        if label:
            shift += delay
        nominal, dose = following, dose + 1
    return days


def treated(
    numbers: Numbers, keys: Keys, epochs: list[Numbers], dropout: float
) -> tuple[list[float], list[safety.Reaction]]:
    """Days of all doses of an arm, and the reactions to them.

    Doses are those of its epochs, before dropout, before treatment is stopped (model.md 8) and not held.
    """
    name = antisense_of(numbers, epochs)
    days: list[float] = []
    for epoch in epochs:
        if name is not None and name in epoch["treatments"]:
            days += epoch_doses(numbers, keys, numbers["treatments"][name]["regimen"], epoch_bounds(epoch))
    days = sorted(day for day in days if day < drug_end(numbers, dropout))
    if not days:
        return [], []
    stop = drug_stop(numbers, keys, days[0], dropout)
    found = safety.reactions(numbers, keys, epochs, stop)
    return safety.without_held(found, [day for day in days if day < stop]), found


def given_doses(numbers: Numbers, keys: Keys, epochs: list[Numbers], dropout: float) -> list[float]:
    """Days of all doses of an arm."""
    return treated(numbers, keys, epochs, dropout)[0]


def drug_stop(numbers: Numbers, keys: Keys, first: float, dropout: float) -> float:
    """The day on which treatment is stopped by itself, counted from the first dose, or by dropout (model.md 8)."""
    rate = (numbers.get("attrition") or {}).get("stop_treatment_per_year") or 0.0
    stop = first + keys.exponential(EVENT, 1, 1) / rate * DAYS_PER_YEAR if rate > 0.0 else math.inf
    return min(stop, drug_end(numbers, dropout))


def drug_end(numbers: Numbers, dropout: float) -> float:
    """The day from which dropout ends all treatment: the dropout itself, or never when the drug continues."""
    attrition = numbers.get("attrition") or {}
    return dropout if attrition.get("drug_after_dropout", "stop") == "stop" else math.inf


def dropout_day(numbers: Numbers, keys: Keys) -> float:
    """Day on which the piecewise constant yearly hazard from day 0 reaches the patient's own Exp(1) (model.md 8)."""
    left, day = keys.exponential(EVENT, 1, 0), 0.0
    for piece in (numbers.get("attrition") or {}).get("dropout_per_year") or []:
        rate, until = piece["rate"] / DAYS_PER_YEAR, bound(piece.get("until_day"), math.inf)
        if rate > 0.0 and left <= rate * (until - day):
            return day + left / rate
        left, day = left - (rate * (until - day) if rate > 0.0 else 0.0), until
    return math.inf
