"""Doses and adverse events of a full run under their names, and who was watched when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine import adverse
from simulator.engine.random import Key
from simulator.engine.space import Full
from simulator.mechanisms import Dosed
from simulator.program import Program, calendars, per_dose
from simulator.results.record import Arrays, Safety

if TYPE_CHECKING:
    from simulator.language.blocks.safety import Safety as Block
    from simulator.language.scenario import Scenario

NONE, HELD, STOPPED = range(3)
"""Codes of what is done with the drug."""
LIVER_TEST, DIARY, VISIT = range(3)
"""Codes of monitoring."""


def drugs(scenario: Scenario) -> list[Dosed | None]:
    """The drug given in doses of each arm."""
    given = [
        [scenario.treatments[t] for epoch in epochs for t in epoch.treatments] for epochs in scenario.arms.values()
    ]
    return [next((t for t in arm if isinstance(t, Dosed)), None) for arm in given]


def doses(scenario: Scenario, program: Program, full: Full) -> Arrays:
    """Every dose given to somebody alive, arm by arm."""
    given = _given(program, full)
    amounts = [drug.regimen.dose_mg.value if drug else 0.0 for drug in drugs(scenario)]
    return {**given._asdict(), "dose_mg": np.array(amounts, np.float32)[given.arm]}


def _given(program: Program, full: Full) -> adverse.Records:
    return adverse.doses(full, calendars(program.arms), float(program.calendar.end))


def safety(scenario: Scenario, program: Program, full: Full, key: Key) -> Safety | None:
    """Adverse events and monitoring, each made when somebody first asks for it; None without the block."""
    block = scenario.safety
    if block is None:
        return None
    return Safety(
        names(block), lambda: _events(scenario, block, program, full, key), lambda: _watched(scenario, program, full)
    )


def names(block: Block) -> tuple[str, ...]:
    """Kinds of adverse events, in the order of their codes."""
    return block.event_names


def _events(scenario: Scenario, block: Block, program: Program, full: Full, key: Key) -> Arrays:
    """Reactions and what doses brought, by arm, patient and day."""
    found = adverse.reactions(full, float(program.calendar.end))
    weight = np.cumsum([kind.value for kind in block.serious_neurologic.kinds.values()])
    serious = found.process == 0
    kind = np.where(serious, np.searchsorted(weight, found.kind * weight[-1], side="right"), weight.size)
    acted = found.until > found.at.day
    action = np.where(np.isinf(found.until), STOPPED, np.where(acted, HELD, NONE))
    until = np.where(action == HELD, found.until, np.nan)
    reactions = (*found.at, kind, serious, action, until)
    parts = [reactions, *_at_doses(scenario, block, program, full, key)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[3], columns[2], columns[1], columns[0]))
    keys = ("arm", "patient", "day", "kind", "serious", "action", "held_until")
    return {key: column[order] for key, column in zip(keys, columns, strict=True)}


def _at_doses(
    scenario: Scenario, block: Block, program: Program, full: Full, key: Key
) -> Iterator[tuple[np.ndarray, ...]]:
    """Common events, arm by arm: the chances depend on the regimen."""
    given = _given(program, full)
    first = len(names(block)) - len(block.common.shares)
    for a, drug in enumerate(drugs(scenario)):
        if drug is not None:
            mine = adverse.Records(*(column[given.arm == a] for column in given))
            chances = np.array(list(per_dose(block, drug.regimen).values()))
            place, kind = adverse.at_doses(key, mine, full.candidates[0], chances)
            none = np.zeros(place.size, np.int8)
            yield (*(column[place] for column in mine), kind + first, none, none, np.full(place.size, np.nan))


def _watched(scenario: Scenario, program: Program, full: Full) -> Arrays:
    """How many patients of an arm, alive, in the study and on the drug, are seen on each day of the schedule.

    A patient's schedule counts from the first dose; on the drug is who has had the last one less than an interval ago.
    """
    given, end = _given(program, full), scenario.follow_up_days
    last = np.minimum(full.dropout, full.death)
    found = []
    for a, drug in enumerate(drugs(scenario)):
        mine = given.arm == a
        if drug is not None and mine.any():
            first, final = _first_and_last(given.patient[mine], given.day[mine], last.shape[1])
            until = np.minimum(last[a], np.minimum(final + drug.regimen.every_days, end + 1))
            for code, offsets in enumerate(_schedule(scenario, drug, end)):
                days = first[:, None] + np.array(offsets, np.float32)
                day, count = np.unique(days[days < until[:, None]], return_counts=True)
                found += [(a, d, code, n) for d, n in zip(day, count, strict=True)]
    table = np.array(found, float).reshape(-1, 4)
    return dict(zip(("arm", "day", "kind", "patients"), table.T, strict=True))


def _first_and_last(patient: np.ndarray, day: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last dose of every patient; infinite and never for those who had none."""
    first, last = np.full(size, np.float32(np.inf)), np.full(size, -np.float32(np.inf))
    np.minimum.at(first, patient, day)
    np.maximum.at(last, patient, day)
    return first, last


def _schedule(scenario: Scenario, drug: Dosed, end: int) -> tuple[list[int], ...]:
    """Days of liver tests, diary entries and the first visit since the first dose."""
    assert scenario.safety is not None
    plan, regimen = scenario.safety.monitoring, drug.regimen
    cycles = [day - regimen.loading_days[0] for day in regimen.loading_days]
    while len(cycles) <= plan.diary_doses:
        cycles.append(cycles[-1] + regimen.every_days)
    liver = list(range(0, end + 1, plan.liver_test_every_days))
    return liver, list(range(0, cycles[plan.diary_doses], plan.diary_every_days)), [plan.first_visit_day]
