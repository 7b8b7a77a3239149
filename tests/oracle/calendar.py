"""Which treatments run when, and on which days doses are given (model.md 5, 8)."""

from __future__ import annotations

import math
from collections.abc import Callable

from . import safety
from .philox import DOSE, EVENT, Keys
from .units import DAYS_PER_YEAR, Numbers, bound

ARTICLE_WINDOW_DAYS = 14.0
DOSES_OF_AN_EPOCH = 4096
Known = dict[str, float]  # days of events, as far as they are known
Extra = tuple[int, list[Numbers], list[tuple[float, float]]]  # number of the first dose, holds, changes of interval
NOTHING: Extra = (0, [], [])
BASELINE: Known = {"baseline": 0.0}
ADDONS = ("rate_multiplier", "hazard_multiplier")


def first_week(day: float) -> float:
    """First day of a week of the study on which what happened on `day` can be acted upon: ``7 ceil(d/7)``."""
    return day if math.isinf(day) else 7.0 * math.ceil(math.ceil(day) / 7.0)


def first_of(events: list[str] | None, known: Known) -> float:
    """The earliest of some events; never if none of them is known."""
    return min((known.get(name, math.inf) for name in events or ["baseline"]), default=math.inf)


def epoch_bounds(epoch: Numbers, known: Known = BASELINE) -> tuple[float, float]:
    """First day and end of a treatment epoch, half-open; no end is infinite."""
    start = max(first_of(epoch.get("after"), known) + float(epoch["from_day"]), 0.0)
    if epoch.get("until"):
        return start, first_of(epoch["until"], known) + float(epoch.get("to_day") or 0.0)
    return start, bound(epoch.get("to_day"), math.inf)


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


def _delay(numbers: Numbers, keys: Keys, regimen: Numbers, number: int) -> float:
    """Days by which a dose is late: 0, or ``1 + floor(max U)`` when it is missed (model.md 8)."""
    adherence = regimen.get("adherence") or numbers.get("adherence")
    if not adherence:
        return 0.0
    missed, late, _, _ = keys.uniforms(DOSE, number)
    return 1.0 + math.floor(adherence["delay_days_max"] * late) if missed < adherence["missed"] else 0.0


def after_holds(day: float, start: float, holds: list[Numbers]) -> float:
    """The day itself, or the end of the holds that lie over it; holds are counted from the start of the epoch."""
    for hold in holds:
        if start + hold["from_day"] <= day < start + hold["to_day"]:
            day = start + hold["to_day"]
    return day


def interval_at(day: float, regimen: Numbers, changes: list[tuple[float, float]]) -> float:
    """Interval of maintenance in the week of `day`; `changes` are (day from which, interval)."""
    week = 7.0 * (day // 7.0)
    return ([regimen["every_days"]] + [every for since, every in changes if since <= week])[-1]


def epoch_doses(
    numbers: Numbers, keys: Keys, regimen: Numbers, bounds: tuple[float, float], extra: Extra = NOTHING
) -> list[float]:
    """Days of the doses of one epoch that the policy for missed doses gives, up to and with the end of follow-up.

    label: a missed dose is given `delay` days later and the next one follows at its nominal gap from that day.
    article: the calendar stays; a missed dose is given `delay` days later if that is at most 14 days and the next
    calendar date is at least 14 days after it, else not. A dose in a hold is a missed one whose delay ends with it.
    """
    start, end = bounds
    number0, holds, changes = extra
    label = regimen.get("missed_dose") != "article"
    loading = list(regimen.get("loading_days") or [0.0])
    days: list[float] = []
    due, dose = start + loading[0], 0
    while due < end and due <= numbers["follow_up_days"]:
        actual = due + _delay(numbers, keys, regimen, number0 + dose)
        usable = label or actual == due
        while True:
            gap = loading[dose + 1] - loading[dose] if dose + 1 < len(loading) else None
            gap = interval_at(actual, regimen, changes) if gap is None else gap
            late = actual - due
            usable = label or late == 0.0 or (late <= ARTICLE_WINDOW_DAYS and gap - late >= ARTICLE_WINDOW_DAYS)
            held = after_holds(actual, start, holds)
            if not usable or held == actual:
                break
            actual = held
        if usable and actual < end and actual <= numbers["follow_up_days"]:
            days.append(actual)
        due, dose = (actual if label else due) + gap, dose + 1
    return days


def drug_epochs(
    numbers: Numbers, epochs: list[Numbers], known: Known
) -> list[tuple[int, Numbers, tuple[float, float]]]:
    """Epochs with the arm's drug: number, epoch, bounds. One begins when the one before has ended, at the earliest."""
    name, earliest, found = antisense_of(numbers, epochs), 0.0, []
    mine = [epoch for epoch in epochs if name is not None and name in epoch["treatments"]]
    for number, epoch in enumerate(mine):
        start, end = epoch_bounds(epoch, known)
        start = max(start, earliest)
        earliest = end
        if start < end and not math.isinf(start):
            found.append((number, epoch, (start, end)))
    return found


def treated(
    numbers: Numbers,
    keys: Keys,
    epochs: list[Numbers],
    dropout: float,
    decided: tuple[Known, list[tuple[float, float]]] = (BASELINE, []),
) -> tuple[list[float], list[safety.Reaction]]:
    """Days of all doses of an arm, and the reactions to them.

    Doses are those of its epochs, before dropout, before treatment is stopped (model.md 8) and not held.
    """
    known, changes = decided
    days: list[float] = []
    spans = []
    for number, epoch, bounds in drug_epochs(numbers, epochs, known):
        regimen = numbers["treatments"][antisense_of(numbers, epochs)]["regimen"]
        extra = (number * DOSES_OF_AN_EPOCH, epoch.get("holds") or [], changes)
        days += epoch_doses(numbers, keys, regimen, bounds, extra)
        spans.append((bounds[0] + (regimen.get("loading_days") or [0.0])[0], bounds[1]))
    days = sorted(day for day in days if day < drug_end(numbers, dropout))
    if not days:
        return [], []
    stop = drug_stop(numbers, keys, days[0], dropout)
    found = safety.reactions(numbers, keys, spans, stop)
    return safety.without_held(found, [day for day in days if day < stop]), found


def given_doses(
    numbers: Numbers,
    keys: Keys,
    epochs: list[Numbers],
    dropout: float,
    decided: tuple[Known, list[tuple[float, float]]] = (BASELINE, []),
) -> list[float]:
    """Days of all doses of an arm."""
    return treated(numbers, keys, epochs, dropout, decided)[0]


def drug_stop(numbers: Numbers, keys: Keys, first: float, dropout: float) -> float:
    """The day on which treatment is stopped by itself, counted from the first dose, or by dropout (model.md 8)."""
    rate = (numbers.get("attrition") or {}).get("stop_treatment_per_year") or 0.0
    stop = first + keys.exponential(EVENT, 1, 1) / rate * DAYS_PER_YEAR if rate > 0.0 else math.inf
    return min(stop, drug_end(numbers, dropout))


def drug_end(numbers: Numbers, dropout: float) -> float:
    """The day from which dropout ends all treatment: the dropout itself, or never when the drug continues."""
    attrition = numbers.get("attrition") or {}
    return dropout if attrition.get("drug_after_dropout", "stop") == "stop" else math.inf


def dropout_pieces(numbers: Numbers) -> list[tuple[float, float, float]]:
    """First day, end and daily rate of each piece of the hazard of dropout."""
    pieces, day = [], 0.0
    for piece in (numbers.get("attrition") or {}).get("dropout_per_year") or []:
        until = bound(piece.get("until_day"), math.inf)
        pieces.append((day, until, piece["rate"] / DAYS_PER_YEAR))
        day = until
    return pieces


def dropout_day(numbers: Numbers, keys: Keys, lost: Callable[[float], float] | None = None) -> float:
    """Day on which the piecewise constant yearly hazard from day 0 reaches the patient's own Exp(1) (model.md 8).

    `lost` gives the points that count on the first day of a week, where dropout depends on function.
    """
    how = (numbers.get("attrition") or {}).get("by_function") if lost else None
    left = keys.exponential(EVENT, 1, 0)
    for start, until, rate in dropout_pieces(numbers):
        day = start
        while day < until and rate > 0.0 and (how is None or day <= numbers["follow_up_days"]):
            week = 7.0 * (day // 7.0)
            end = until if how is None else min(until, week + 7.0)
            factor = how["hazard_ratio_per_point"] ** (lost(week) - how["neutral_points"]) if how and lost else 1.0
            if left <= factor * rate * (end - day):
                return day + left / (factor * rate)
            left, day = left - factor * rate * (end - day), end
    return math.inf
