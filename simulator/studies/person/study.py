"""The course of one person, conditional on what was measured: twins are looked for, then live in every arm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.errors import SimulatorError
from simulator.record import provenance
from simulator.results.tree import name
from simulator.run import SEED, recorded
from simulator.studies.person.rebase import rebase
from simulator.studies.person.selection import choose
from simulator.studies.person.timeline import future, reported_days, timeline

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.results import Result


def person(
    scenario: Scenario,
    *,
    patients: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    output: str = "full",
    progress: Callable[[int, int], None] | None = None,
    max_memory: int | None = None,
    method: str = "auto",
) -> Result:
    """The distribution of a person's courses, untreated and treated, given what was measured.

    Parameters
    ----------
    scenario : Scenario
        With a block `person`.
    patients : int, optional
        Twins to keep; the scenario's own number by default.
    seed, threads, output, progress, max_memory
        As for `simulate`.
    method : {"auto", "accept", "weigh"}
        Accept twins in proportion to their likelihood, or weigh them; by default weights where fewer than 1 in 1,000
        would be accepted.

    Returns
    -------
    Result
        Day 0 is now. `patients` has each twin's `weight`; summary, survival and headline are weighted.

    Raises
    ------
    PersonError
        No twin matches.

    Examples
    --------
    >>> import simulator as sim
    >>> twins = sim.person(sim.load("case_a"), patients=200)  # doctest: +SKIP
    >>> twins.arms  # doctest: +SKIP
    ('untreated', 'tofersen')
    """
    if scenario.person is None:
        raise SimulatorError("the scenario has no person. Add the block person, or begin with case_a")
    line, wanted = timeline(scenario.person), scenario.patients if patients is None else patients
    chosen = choose(scenario, line, wanted, seed=seed, threads=threads, method=method, progress=progress)
    lives = recorded(future(scenario, line), seed=seed, threads=threads, max_memory=max_memory, numbers=chosen.numbers)
    found = rebase(lives, scenario, line.now, chosen)
    if output == "summary":
        found = replace(found, patients={}, events={}, truth={}, observed={}, doses={})
    told = {"patients": wanted, "seed": SEED if seed is None else seed, "output": output}
    given = provenance(scenario, told)
    asked = {} if method == "auto" else {"method": method}
    days = tuple(float(day) for day in reported_days(scenario.follow_up_days))
    return name(found, lambda: replace(given, analysis_days=days, named_days=days, arguments=given.arguments | asked))
