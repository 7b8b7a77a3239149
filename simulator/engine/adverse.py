"""Adverse events of a full run, after the loop: reactions that happened, doses that were given, events at doses.

In numpy alone: nothing here is part of a kernel. Docs: docs/safety.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.engine import random, safety
from simulator.engine.random import Key, Stream
from simulator.engine.space import Full

CHUNK = 1 << 16
HALF, STEP = np.float32(0.5), np.float32(2.0**-23)
WORDS, CALLS = 4, 16
"""Kinds of events that share one call of the generator; calls that belong to one dose."""


class Records(NamedTuple):
    """Things that happened, one after the other: (record,) each."""

    arm: np.ndarray
    patient: np.ndarray
    day: np.ndarray


class Reactions(NamedTuple):
    """Reactions to the drug: (reaction,) each."""

    at: Records
    process: np.ndarray
    kind: np.ndarray  # a uniform
    until: np.ndarray  # day until which doses are held: its own day, or infinity for good


def reactions(full: Full, end: float) -> Reactions:
    """Those that came before death, the end of the drug and the end of follow-up."""
    day = full.reactions[..., safety.DAY]
    last = np.minimum(np.minimum(full.death, full.stop), end)
    arm, patient, place = np.nonzero(day <= last[..., None])
    rows = full.reactions[arm, patient, place]
    at = Records(arm.astype(np.int8), patient.astype(np.int32), rows[:, safety.DAY])
    return Reactions(at, rows[:, safety.PROCESS].astype(int), rows[:, safety.KIND], rows[:, safety.UNTIL])


def doses(full: Full, calendars: list[np.ndarray | None], end: float) -> Records:
    """Every dose given to somebody alive, arm by arm and patient by patient.

    `calendars` : the calendar that an arm's patients share, None where each has their own.
    """
    found, held = [], reactions(full, end)
    for a, shared in enumerate(calendars):
        days = full.doses[a] if shared is None else np.broadcast_to(shared, (full.kind.shape[1], shared.size))
        last = np.minimum(full.death[a], end)[:, None]
        given = (days <= last) & (days < full.stop[a][:, None])
        mine = (held.at.arm == a) & (held.until > held.at.day) if shared is not None else np.zeros(0, int)
        for patient, first, until in zip(held.at.patient[mine], held.at.day[mine], held.until[mine], strict=True):
            given[patient] &= (days[patient] < first) | (days[patient] >= until)
        patient, k = np.nonzero(given)
        found.append((np.full(patient.size, a, np.int8), patient.astype(np.int32), days[patient, k].astype(np.float32)))
    return Records(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def numbers(given: Records) -> np.ndarray:
    """Number of each dose among those its patient has had in its arm, from 0."""
    begins = np.ones(given.day.size, bool)
    begins[1:] = (given.arm[1:] != given.arm[:-1]) | (given.patient[1:] != given.patient[:-1])
    place = np.arange(given.day.size)
    return place - np.maximum.accumulate(np.where(begins, place, 0))


def at_doses(key: Key, given: Records, candidates: np.ndarray, chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Events that doses bring: places of the doses, and which of the kinds.

    Kind j of a patient's n-th dose happens if its uniform, word j mod 4 of call n·16 + j div 4, is below its chance.
    """
    number, found = numbers(given), []
    for start in range(0, number.size, CHUNK):
        part = slice(start, start + CHUNK)
        who = given.patient[part]
        for group in range(0, chances.size, WORDS):
            index = number[part] * CALLS + group // WORDS
            drawn = uniforms(key, who, index, Stream.REACTION_TO_DOSE, candidates[who])
            place, kind = np.nonzero(drawn[:, : chances.size - group] < chances[group : group + WORDS])
            found.append((place + start, kind + group))
    empty = np.zeros(0, int)
    places, kinds = (np.concatenate([empty, *parts]) for parts in (zip(*found, strict=True) if found else ((), ())))
    return places, kinds


def uniforms(key: Key, patient: np.ndarray, index: np.ndarray, stream: int, candidate: np.ndarray) -> np.ndarray:
    """Four uniforms of many decisions at once: (decision, 4), the same numbers as `random.uniforms` gives."""
    philox = getattr(random.philox, "py_func", random.philox)
    second = np.uint64(stream << 24) | candidate.astype(np.uint64)
    words = philox(patient.astype(np.uint64), index.astype(np.uint64), second, key.replicate, key.low, key.high)
    return np.stack([((word >> np.uint32(9)).astype(np.float32) + HALF) * STEP for word in words], axis=1)
