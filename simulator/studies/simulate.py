"""One scenario to its result: a crowd, or the twins of one person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from simulator.errors import UsageError

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.results import Result


def simulate(
    scenario: Scenario,
    *,
    patients: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    output: Literal["full", "summary"] = "full",
    replicate: int = 0,
    most: Sequence[int] = (),
    progress: Callable[[int, int], None] | None = None,
    max_memory: int | None = None,
    method: str = "auto",
) -> Result:
    """Simulate a scenario: every patient in every arm, with the same random numbers; twins where it has a person.

    Parameters
    ----------
    scenario : Scenario
    patients : int, optional
        Number of patients; the scenario's own by default. The first N are the same for any number.
    seed : int, optional
        0 to 2^64 - 1; 1 by default.
    threads : int, optional
        Worker threads, the machine's cores by default; results do not depend on it.
    output : {"full", "summary"}
        Keep every patient, or stream sums only: memory then does not grow with the number of patients.
    replicate : int, optional
        Which replicate of a trial: other people under the same seed. 0 by default.
    most : sequence of int, optional
        The trial is full when so many are randomised, of each stratum or in all: nobody is allocated after them.
    progress : callable, optional
        Called with (patients done, patients in all) as batches finish.
    max_memory : int, optional
        Bytes; a run that would take more is refused before it begins.
    method : {"auto", "accept", "weigh"}
        Of twins of one person: see `simulator.person`.

    Returns
    -------
    Result
        Truth, observations and events of every patient in every arm, and the summary.

    Raises
    ------
    SimulatorError
        Arguments out of range; no candidate is eligible for a stratum.
    ResourceError
        The run would not fit in memory.

    Examples
    --------
    >>> import simulator as sim
    >>> result = sim.simulate(sim.load("analytic/constant_hazard"), patients=20, seed=1)
    >>> result.n_patients, result.seed
    (20, 1)
    """
    if scenario.person is not None:
        from simulator.studies.person.study import person

        if replicate or most:
            raise UsageError("one person has no replicates. Remove replicate and most, or the block person")
        return person(
            scenario, patients=patients, seed=seed, threads=threads, output=output, progress=progress,
            max_memory=max_memory, method=method,
        )  # fmt: skip
    from simulator.run import simulate as crowd

    if method != "auto":
        raise UsageError(f"the method {method!r} is of twins of one person. Remove it, or add the block person")
    return crowd(
        scenario, patients=patients, seed=seed, threads=threads, output=output, replicate=replicate, most=most,
        progress=progress, max_memory=max_memory,
    )  # fmt: skip
