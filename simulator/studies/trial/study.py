"""A trial, run many times: from a scenario to what its analyses find."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.errors import SimulatorError
from simulator.replicate import compiled
from simulator.run import REPLICATES, SEED
from simulator.studies.trial.blocks import Progress, Work, run
from simulator.studies.trial.entering import patients
from simulator.studies.trial.plan import Asked, Options, plan
from simulator.studies.trial.result import Parts, Trial, make_trial

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario


def trial(
    scenario: Scenario,
    *,
    replicates: int = 1000,
    analyses: Sequence[str] = ("ancova", "joint_rank"),
    seed: int | None = None,
    size: int | None = None,
    arms: Sequence[str] | None = None,
    days: Sequence[int] | None = None,
    options: Options | None = None,
    outcome: str = "alsfrs_r",
    endpoint: str = "event_free",
    threads: int | None = None,
    folder: str | Path | None = None,
    progress: Progress | None = None,
) -> Trial:
    """Run a trial many times with other people, and see what its analyses find.

    Parameters
    ----------
    scenario : Scenario
        With a block `trial`.
    replicates : int
        How many trials. Replicate k is the same whatever the number.
    analyses : sequence of str
        Names of `simulator.analysis.trial.registry.ANALYSES`.
    seed : int, optional
        As in `simulate`; replicate 0 is what `simulate` gives with `size` patients.
    size : int, optional
        People enrolled; the scenario's own number by default. A smaller trial enrols the first of a larger one.
    arms : (str, str), optional
        Experimental arm and control; needed where the scenario does not tell.
    days : sequence of int, optional
        Days of analysis; those of the scenario by default.
    options : mapping, optional
        Options of analyses, such as `{"responder": {"least_change": -6}}`.
    outcome, endpoint : str
        What function and events are: a variable of `observed`; `event_free` or `death`.
    threads : int, optional
        The machine's cores by default. Results do not depend on it.
    folder : path, optional
        Where finished replicates are kept, so that an interrupted study goes on.
    progress : callable, optional
        Called with (replicates done, replicates in all).

    Raises
    ------
    TrialError, AnalysisError
        What is asked makes no sense; nothing was run.
    SimulatorError
        No candidate is eligible for a stratum.
    """
    asked = Asked(tuple(analyses), size, arms, days, options or {}, outcome, endpoint)
    work = prepare(scenario, asked, replicates, seed)
    found = run(work, _cores(threads), Path(folder) if folder else None, progress)
    return make_trial(scenario, work, Parts(found))


def prepare(scenario: Scenario, asked: Asked, replicates: int, seed: int | None) -> Work:
    """The work, checked and compiled."""
    if not 1 <= replicates <= REPLICATES:
        raise SimulatorError(f"{replicates:,} replicates cannot be simulated. Ask for 1 to {REPLICATES:,}")
    start = SEED if seed is None else seed
    if not 0 <= start < 2**64:
        raise SimulatorError(f"the seed {start} does not fit 64 bits. Choose 0 to 2^64 - 1")
    planned = plan(scenario, asked)
    people = patients([planned.scenario], planned.size, start)
    return Work(planned, compiled([planned.scenario], people), start, replicates)


def _cores(threads: int | None) -> int:
    if threads is not None and threads < 1:
        raise SimulatorError(f"{threads} threads cannot do any work. Ask for 1 or more")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if threads is None else threads
