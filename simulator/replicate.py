"""Replicates of a trial: the same scenario with other people, each under its own word of the random key.

Patients 0 to n − 1 of replicate k are the first n of that replicate for any n, and the same people in every design.
Space is made once for each thread and filled again by every replicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.engine import batches
from simulator.engine.random import Key, make_key
from simulator.errors import SimulatorError
from simulator.program import Program, compile_program
from simulator.record import among_first, events_of, observed_of, patients_of, truth_of
from simulator.results.record import Arrays
from simulator.run import REPLICATES, SUMMED, check_finite, do_range, key_of, nobody

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario


LEAD_IN_CHANGE = "lead_in_change"
"""Points of ALSFRS-R gained from entry to randomisation, as measured."""
CODES = ("event",)
"""Events that are no days."""


class ReplicateData(NamedTuple):
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

    def replicate(self, seed: int, number: int, most: Sequence[int] = ()) -> ReplicateData:
        """Replicate `number`, every patient in every arm.

        After a lead-in it holds who was randomised, counted from then, at most so many of each stratum, or in all.

        Raises
        ------
        SimulatorError
            No candidate is eligible for a stratum, or there is no such replicate.
        """
        return first(self._seen(key_of(seed, number), self.choices[number % len(self.choices)]), most)

    def population(self, seed: int, number: int) -> ReplicateData:
        """People who are in no replicate: a part of the population in which truth is looked up."""
        return self._seen(make_key(seed, REPLICATES + number), self.choices[number % len(self.choices)])

    def entering(self, seed: int) -> Arrays:
        """The group `patients` of people who are in no replicate, with those who are not randomised."""
        key = make_key(seed, 2 * REPLICATES - 1)
        self._live(key, self.choices[0])
        return patients_of(self.choices[0].program, self._full, key)

    def _live(self, key: Key, choice: Choice) -> None:
        """Fill the arrays."""
        full, worker, program = self._full, self._worker, choice.program
        full.observed.fill(np.nan)
        worker.people.clear()
        worker.search.rejected.fill(0)
        with np.errstate(over="ignore"):  # plain Python mode; compiled code does not look
            found = do_range(program, key, full, worker, range(program.sizes.patients))
        if found >= 0:
            raise SimulatorError(nobody(program, found, worker.search, key, choice.scenario))
        check_finite(program, [worker.totals], list(choice.scenario.arms), choice.scenario)

    def _seen(self, key: Key, choice: Choice) -> ReplicateData:
        full, program = self._full, choice.program
        self._live(key, choice)
        seen = ReplicateData(
            patients_of(program, full, key),
            observed_of(choice.scenario, program, full),
            events_of(program, full),
            truth_of(program, full),
            program.calendar.visit.astype(np.float64),
            program.calendar.day.astype(np.float64),
        )
        allocation = program.allocation
        if allocation is None or allocation.lead_in is None:
            return seen
        return since_randomisation(seen, allocation.lead_in.day)


def since_randomisation(seen: ReplicateData, day: float) -> ReplicateData:
    """Those who are randomised on a day after entry, with all that is counted from then: the trial's baseline."""
    who = np.flatnonzero(seen.patients["allocated_arm"] >= 0)
    visits, times = seen.nominal_day >= day, seen.time >= day
    observed = {name: values[:, who][:, :, visits] for name, values in seen.observed.items()}
    events = {name: values[:, who] - (0.0 if name in CODES else day) for name, values in seen.events.items()}
    patients = {name: values[who] for name, values in seen.patients.items()}
    if "alsfrs_r" in observed:  # all arms are alike until then
        patients[LEAD_IN_CHANGE] = observed["alsfrs_r"][0, :, 0] - seen.observed["alsfrs_r"][0, who, 0]
    return ReplicateData(
        patients,
        observed | {"day": observed["day"] - np.float32(day)},
        {name: values.astype(seen.events[name].dtype) for name, values in events.items()},
        {name: values[:, who][:, :, times] for name, values in seen.truth.items()},
        seen.nominal_day[visits] - day,
        seen.time[times] - day,
    )


def first(seen: ReplicateData, most: Sequence[int]) -> ReplicateData:
    """The first so many of each stratum, or in all; everybody where nothing is said."""
    if not len(most):
        return seen
    strata = seen.patients["stratum"]
    who = np.flatnonzero(among_first(strata, most))
    if len(who) == len(strata):
        return seen
    return seen._replace(
        patients={name: values[who] for name, values in seen.patients.items()},
        observed={name: values[:, who] for name, values in seen.observed.items()},
        events={name: values[:, who] for name, values in seen.events.items()},
        truth={name: values[:, who] for name, values in seen.truth.items()},
    )


def compiled(scenarios: Iterable[Scenario], patients: int) -> tuple[Choice, ...]:
    """The scenarios as numbers, for so many patients a replicate."""
    return tuple(Choice(one, compile_program(one, SUMMED, patients, True)) for one in scenarios)
