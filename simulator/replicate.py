"""Replicates of a trial: the same scenario with other people, each under its own word of the random key.

Patients 0 to n − 1 of replicate k are the first n of that replicate for any n, and the same people in every design.
Space is made once for each thread and filled again by every replicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.engine import batches, rows
from simulator.engine.random import Key, make_key
from simulator.errors import SimulatorError
from simulator.program import Program, compile_program
from simulator.record import events_of, observed_of, patients_of
from simulator.results.record import Arrays
from simulator.run import REPLICATES, SUMMED, do_range, key_of, nobody

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario


class Seen(NamedTuple):
    """One replicate: the groups of its result with codes for names, and the days of visits and of truth.

    Some arrays are those that the next replicate fills: copy what is to be kept.
    """

    patients: Arrays
    observed: Arrays
    events: Arrays
    truth: Arrays
    nominal_day: np.ndarray
    time: np.ndarray


class Choice(NamedTuple):
    """A scenario and its program."""

    scenario: Scenario
    program: Program


class Replicator:
    """Space in which one thread simulates replicate after replicate.

    Parameters
    ----------
    choices : what `compiled` gave: the scenario, or one for each draw of its parameters, which replicates take in turn.
        Threads share it.
    """

    def __init__(self, choices: Sequence[Choice]) -> None:
        self.choices, sizes = choices, choices[0].program.sizes
        self._full, self._worker = batches.make_full(sizes, True), batches.make_worker(sizes)

    def replicate(self, seed: int, number: int) -> Seen:
        """Replicate `number`, every patient in every arm.

        Raises
        ------
        SimulatorError
            No candidate is eligible for a stratum, or there is no such replicate.
        """
        return self._seen(key_of(seed, number), self.choices[number % len(self.choices)])

    def population(self, seed: int, number: int) -> Seen:
        """People who are in no replicate: a part of the population in which truth is looked up."""
        return self._seen(make_key(seed, REPLICATES + number), self.choices[number % len(self.choices)])

    def _seen(self, key: Key, choice: Choice) -> Seen:
        full, worker, program = self._full, self._worker, choice.program
        full.observed.fill(np.nan)
        worker.people.clear()
        worker.search.rejected.fill(0)
        with np.errstate(over="ignore"):  # plain Python mode; compiled code does not look
            found = do_range(program, key, full, worker, range(program.sizes.patients))
        if found >= 0:
            raise SimulatorError(nobody(program, found, worker.search.rejected))
        return Seen(
            patients_of(program, full, key),
            observed_of(choice.scenario, full),
            events_of(program, full),
            dict(zip(rows.OUTPUTS, full.truth, strict=False)),
            program.calendar.visit.astype(np.float64),
            program.calendar.day.astype(np.float64),
        )


def compiled(scenarios: Iterable[Scenario], patients: int) -> tuple[Choice, ...]:
    """The scenarios as numbers, for so many patients a replicate."""
    return tuple(Choice(one, compile_program(one, SUMMED, patients, True)) for one in scenarios)
