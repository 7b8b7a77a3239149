"""What a study of a trial will take, before it is run."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from simulator.replicate import Replicator, compiled
from simulator.studies.trial.blocks import SIZE
from simulator.studies.trial.plan import TrialOptions, people_of
from simulator.studies.trial.population import LEAST, PART, looked_at, lossless
from simulator.studies.trial.replicates import block
from simulator.studies.trial.study import Extent, bytes_needed, prepare

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

TRIED = 3
"""Replicates that are timed, after one that loads the kernels."""


class Forecast(NamedTuple):
    """What is to be done, and what it takes.

    Parameters
    ----------
    replicates : all of them, those without an effect too.
    participants, arms : of a replicate.
    blocks : what an interrupted study keeps one by one.
    truth : people in whom truth is looked up.
    bytes : of memory.
    seconds : of this machine with so many threads, as it is now; without the search for sizes.
    """

    replicates: int
    participants: int
    arms: int
    blocks: int
    truth: int
    bytes: int
    seconds: float


def forecast(scenario: Scenario, asked: TrialOptions, extent: Extent, threads: int) -> Forecast:
    """The forecast of a study; a few replicates and one part of the people are timed."""
    work, runs = prepare(scenario, asked, extent), 2 if extent.null else 1
    space = Replicator(work.choices)
    block(work.plan, space, work.seed, range(1))
    start = perf_counter()
    block(work.plan, space, work.seed, range(1, 1 + TRIED))
    one = (perf_counter() - start) / TRIED
    seconds = one * work.replicates * runs / min(threads, -(-work.replicates // SIZE))
    people = 0
    if extent.truth:
        parts = max(LEAST, -(-extent.truth // (PART * len(work.choices)))) * len(work.choices)
        people = parts * PART
        whole = Replicator(compiled([looked_at(lossless(work.choices[0].scenario), work.plan)], PART))
        start = perf_counter()
        whole.population(work.seed, 0)
        seconds += (perf_counter() - start) * parts / min(threads, parts)
    blocks = runs * -(-work.replicates // SIZE)
    arms = len(work.plan.scenario.arms)
    total = work.replicates * runs
    return Forecast(total, people_of(work.plan), arms, blocks, people, bytes_needed(work, threads, runs), seconds)
