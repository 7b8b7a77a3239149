"""Who of a data set is matched, by which measurements, and who cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.datasets import Note
from simulator.errors import UsageError, absent
from simulator.fields import MAX_DAYS
from simulator.program import compile_program
from simulator.run import SUMMED

if TYPE_CHECKING:
    from simulator.datasets import Dataset
    from simulator.language.scenario import Scenario

Floats = NDArray[np.float64]
MATCHED = {"alsfrs_r": "alsfrs_r", "svc": "svc_percent", "fvc": "fvc_percent", "nfl_plasma": "nfl_plasma"}
"""Variables of the data that are matched, and what the measurement model calls them."""
NEEDED = {"alsfrs_r": {"alsfrs_r"}, "svc": {"svc"}, "fvc": {"svc", "fvc_offset"}, "nfl_plasma": {"nfl_plasma"}}
"""What a model must have for a variable to be matched."""
SEXES = {"man": 0, "m": 0, "male": 0, "woman": 1, "w": 1, "f": 1, "female": 1}
SITES = {"bulbar": (0,), "upper_limb": (1,), "lower_limb": (2,), "limb": (1, 2), "spinal": (1, 2)}
"""Codes of the simulated people by the words of the data, in small letters."""
EVERY_DAYS = 28
MOST_DAYS = 64
"""Days of measurements that are taken as they are; more are rounded to weeks."""


class Reading(NamedTuple):
    """What was measured of a participant: day since baseline, name in the measurement model, value."""

    day: int
    name: str
    value: float


class Case(NamedTuple):
    """A participant: what is matched, or why nobody can be.

    Parameters
    ----------
    readings : measurements up to the day from which twins go on.
    sex, sites, variant : codes that a twin may have; empty where nothing is known.
    age, since_onset : [years], [months] at baseline, NaN where nothing is known.
    reason : why this participant has no twins; "" where nothing is in the way.
    """

    readings: tuple[Reading, ...]
    sex: tuple[int, ...]
    sites: tuple[int, ...]
    variant: tuple[int, ...]
    age: float
    since_onset: float
    reason: str


class Cohort(NamedTuple):
    """The participants and the days on which they are looked at.

    Parameters
    ----------
    cases : of all participants, in the order of the data.
    past : [d] days of the measurements that are matched, rising.
    days : [d] days after `until` on which courses are told, rising.
    endpoint : the time to an event of the data that twins are compared with; "" where there is none.
    end, event : (n,) [d] day of the event or of last contact, NaN unknown; whether it was the event.
    notes : what was set aside.
    """

    cases: tuple[Case, ...]
    until: int
    past: tuple[int, ...]
    days: tuple[int, ...]
    endpoint: str
    end: Floats
    event: NDArray[np.bool_]
    notes: tuple[Note, ...]


def cohort(data: Dataset, scenario: Scenario, until: int, days: Sequence[float], outcome: str) -> Cohort:
    """Everybody of the data, with what is matched until a day.

    Raises
    ------
    UsageError
        Nothing that the model has was measured by then, or no later day is asked for.
    """
    told = _days(data, until, days, scenario.follow_up_days)
    notes: list[Note] = []
    names = matched_names(data, scenario, notes)
    if outcome not in names:
        there = ", ".join(names) or "none"
        raise UsageError(f"twins are told in {outcome}, and of what they can be matched on there is {there}")
    endpoint, end, event = ended(data)
    readings = readings_of(data, names, until, notes)
    past = sorted({one.day for own in readings for one in own})
    if not past:
        raise UsageError(f"nothing was measured from day 0 to day {until}: twins need a baseline. Choose another day")
    cases = tuple(
        case_of(data, scenario, k, readings[k], _lost(until, endpoint, end[k], event[k])) for k in range(data.n)
    )
    return Cohort(cases, until, tuple(past), told, endpoint, end, event, tuple(notes))


def matched_names(data: Dataset, scenario: Scenario, notes: list[Note]) -> list[str]:
    """What is matched: measured of the participants, and known to the progression model."""
    program = compile_program(scenario, SUMMED, 1, True)
    known = {*program.outputs, *program.parameters}
    there = [name for name in MATCHED if name in data.measurements]
    lacking = [name for name in there if not NEEDED[name] <= known]
    if lacking:
        notes.append(Note(len(lacking), f"variables ({', '.join(lacking)})", "not matched: the model has none of them"))
    return [name for name in there if name not in lacking]


def _days(data: Dataset, until: int, days: Sequence[float], longest: int) -> tuple[int, ...]:
    """Days on which courses are told: as asked, or the planned ones, or every four weeks of follow-up."""
    if until < 0:
        raise UsageError(f"day {until} is before baseline. Choose 0 or later")
    wrong = [day for day in days if not until < day <= MAX_DAYS or day != round(day)]
    if wrong:
        choice = f"Choose whole days from {until + 1} to {MAX_DAYS:,}"
        raise UsageError(f"courses are not told on day {wrong[0]:g}. {choice}")
    found = sorted({round(day) for day in days}) or [round(day) for day in data.visits.tolist()]
    found = sorted({day for day in found if day > until})
    if not found:
        last = max((float(of.day.max()) for of in data.measurements.values() if len(of.day)), default=0.0)
        found = list(range(until + EVERY_DAYS, max(min(round(last), longest), until + EVERY_DAYS) + 1, EVERY_DAYS))
    return tuple(found)


def readings_of(data: Dataset, names: Sequence[str], until: int, notes: list[Note]) -> list[tuple[Reading, ...]]:
    """What was measured of everybody from baseline to a day, in the order of days."""
    found: list[list[Reading]] = [[] for _ in range(data.n)]
    early = 0
    for name in names:
        of = data.measurements[name]
        early += int((of.day < 0).sum())
        for k in np.flatnonzero((of.day >= 0) & (of.day <= until)):
            found[of.person[k]].append(Reading(round(float(of.day[k])), MATCHED[name], float(of.value[k])))
    if early:
        notes.append(Note(early, "values", "measured before baseline, not matched: people enter at baseline"))
    if len({one.day for own in found for one in own}) > MOST_DAYS:
        notes.append(Note(sum(map(len, found)), "values", "matched in the week of measuring, for days are many"))
        found = [[one._replace(day=7 * round(one.day / 7)) for one in own] for own in found]
    return [tuple(sorted(own)) for own in found]


def ended(data: Dataset) -> tuple[str, Floats, NDArray[np.bool_]]:
    """The endpoint that twins have too: death or ventilation, else death."""
    name = next((one for one in ("event_free", "death") if one in data.endpoints), "")
    if not name:
        return "", np.full(data.n, np.nan), np.zeros(data.n, np.bool_)
    return name, data.endpoints[name].time, data.endpoints[name].event


def _lost(until: int, endpoint: str, end: float, event: bool) -> str:
    """Why twins who are free of the event on a day are none of this participant's."""
    if not np.isfinite(end):
        return ""
    if event and end <= until:
        return f"{'death' if endpoint == 'death' else 'death or ventilation'} on day {end:g}, by day {until}"
    return f"followed to day {end:g} only, not to day {until}" if not event and end < until else ""


def case_of(data: Dataset, scenario: Scenario, k: int, readings: tuple[Reading, ...], lost: str) -> Case:
    """What is matched of a participant."""
    who = data.participants
    variants, named = list(scenario.disease.variants), str(who.variant[k])
    variant: tuple[int, ...] = ()
    reason = lost or ("" if readings else "nothing that can be matched was measured by then")
    if named and len(variants) > 1:
        if named in variants:
            variant = (variants.index(named),)
        else:
            reason = reason or absent("variant", named, variants, where="the scenario")
    sex, site = str(who.sex[k]).lower(), str(who.onset_site[k]).lower().replace(" ", "_")
    return Case(
        readings,
        (SEXES[sex],) if sex in SEXES else (),
        SITES.get(site, ()),
        variant,
        float(who.age[k]),
        float(who.months_since_onset[k]),
        reason,
    )


def unread(data: Dataset) -> list[Note]:
    """Words of the data that say nothing to the simulated people: they are not matched."""
    who = data.participants
    notes = []
    for key, known in (("sex", SEXES), ("onset_site", SITES)):
        words = [str(one).lower().replace(" ", "_") for one in getattr(who, key) if str(one)]
        strange = Counter(word for word in words if word not in known)
        if strange:
            fact = f"not matched: {', '.join(strange)}; known are {', '.join(known)}"
            notes.append(Note(sum(strange.values()), f"values of {key}", fact))
    return notes
