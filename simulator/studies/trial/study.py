"""A trial, run many times: from a scenario to what its analyses find, and the truth beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.analysis.trial.registry import analysis
from simulator.engine import batches, compiling
from simulator.errors import UsageError
from simulator.execution.version_check import begin
from simulator.replicate import compiled
from simulator.results.kinds import TRIAL
from simulator.run import LIMIT, REPLICATES, SEED, check_memory
from simulator.studies.trial.blocks import SIZE, THREADS, Progress, Work, run
from simulator.studies.trial.entering import patients
from simulator.studies.trial.groups import Parts, attributes, groups_of
from simulator.studies.trial.plan import Options, TrialError, TrialOptions, cut, people_of, plan, platform_of
from simulator.studies.trial.population import Truth, truth
from simulator.studies.trial.prognostic import learnt
from simulator.studies.trial.replicates import bytes_of
from simulator.studies.trial.result import Trial
from simulator.studies.trial.rows import Block
from simulator.studies.trial.sizes import LARGEST, LEAST, Sizes, sizes, steps_of

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

WITHOUT_TRUTH = "Give it one (`truth` of the Analysis), or look up none: --truth 0"
PEOPLE = 50_000
"""People in whom truth is looked up."""


class Extent(NamedTuple):
    """How much is computed; see `trial`."""

    replicates: int = 1000
    seed: int | None = None
    truth: int = PEOPLE
    null: bool = True
    power: Sequence[float] = ()
    sizes: Sequence[int] = ()
    draws: int | None = None


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
    truth: int = PEOPLE,
    null: bool = True,
    power: Sequence[float] = (),
    sizes: Sequence[int] = (),
    draws: int | None = None,
    threads: int | None = None,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    executor: str | Executor = THREADS,
) -> Trial:
    """Run a trial many times with other people; see what its analyses find, and the truth beside it.

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
    truth : int
        People who are simulated in both arms to know the truth of every estimand; 0 for none.
    null : bool
        Whether the same replicates are run without an effect of any treatment, for the type I error.
    power, sizes : sequence
        Powers for which the number of participants is looked up, and sizes at which power is shown.
    draws : int, optional
        Replicates take so many vectors of the parameter ensemble in turn.
    threads : int, optional
        The machine's cores by default. Results do not depend on it.
    folder : path, optional
        Where finished replicates are kept, so that an interrupted study goes on.
    progress : callable, optional
        Called with (replicates done, replicates in all); those of the search for sizes count once for each analysis.
    executor : str or Executor
        What replicates run on: `threads`, `processes`, `dask://host:port`, or an executor of `concurrent.futures`.
        Truth and sizes take the threads of this process. Results do not depend on it.

    Returns
    -------
    Trial
        Estimates of every replicate, power, type I error, and the truth of each estimand.

    Raises
    ------
    TrialError, ScenarioError, AnalysisError
        What is asked makes no sense; nothing was run.
    SimulatorError
        No candidate is eligible for a stratum.

    Examples
    --------
    >>> import simulator as sim
    >>> found = sim.trial(sim.load("valor_trial"), replicates=2, analyses=["ancova"], truth=0, null=False)
    >>> found.analyses, found.replicates
    (('ancova',), 2)
    """
    asked = TrialOptions(tuple(analyses), size, arms, days, options or {}, outcome, endpoint)
    extent = Extent(replicates, seed, truth, null, tuple(power), tuple(sizes), draws)
    return study(scenario, asked, extent, Running(cores(threads), Path(folder) if folder else None, progress, executor))


class Running(NamedTuple):
    """How the work is done; no number depends on it."""

    threads: int = 1
    folder: Path | None = None
    progress: Progress | None = None
    executor: str | Executor = THREADS


def study(scenario: Scenario, asked: TrialOptions, extent: Extent, how: Running) -> Trial:
    """What `trial` does, from what was asked."""
    if scenario.trial is not None and not extent.sizes:
        extent = extent._replace(sizes=tuple(scenario.trial.sizes or ()))
    work = prepare(scenario, asked, extent)
    if platform_of(work.plan) is not None and (extent.power or extent.sizes):
        raise TrialError("the size of a platform is that of its regimens, not looked up. Leave out power and sizes")
    check_size(work, how.threads, 2 if extent.null else 1)
    without = prepare(null_of(scenario), asked, extent) if extent.null else None
    looked = bool(extent.power or extent.sizes)
    replicates = extent.replicates * (2 if extent.null else 1)
    total = replicates + steps_of(work) * looked
    mark = None if how.folder is None else partial(begin, how.folder, TRIAL, scenario)
    found = run(work, how.threads, how.folder, _after(how.progress, 0, total), how.executor, begin=mark)
    null: Block | None = None
    if without is not None:
        tell = _after(how.progress, extent.replicates, total)
        null = run(without, how.threads, how.folder, tell, how.executor, begin=mark)
    scenarios = [choice.scenario for choice in work.choices]
    true: Truth | None = None
    if extent.truth:
        true = truth(work.plan, scenarios, work.seed, extent.truth, how.threads)
    needed: Sizes | None = None
    if looked:
        tell = _after(how.progress, replicates, total)
        needed = sizes(work, found, extent.power, extent.sizes, how.threads, progress=tell)
    parts = Parts(found, null, true, needed)
    return Trial(attributes(scenario, work, parts), groups_of(work, parts))


def prepare(scenario: Scenario, asked: TrialOptions, extent: Extent) -> Work:
    """The work, checked and compiled."""
    start = SEED if extent.seed is None else extent.seed
    if not 1 <= extent.replicates <= REPLICATES:
        raise TrialError(f"{extent.replicates:,} replicates cannot be simulated. Ask for 1 to {REPLICATES:,}")
    if not 0 <= start < 2**64:
        raise TrialError(f"the seed {start} does not fit 64 bits. Choose 0 to 2^64 - 1")
    if wrong := [one for one in extent.power if not 0.05 < one < 1]:
        raise TrialError(f"a power of {wrong[0]:g} cannot be asked for. Choose between 0.05 and 1")
    if wrong_size := [one for one in extent.sizes if not LEAST <= one <= LARGEST]:
        raise TrialError(f"power is not shown at a size of {wrong_size[0]:,}. Choose {LEAST} to {LARGEST:,}")
    if not 0 <= extent.truth <= LIMIT:
        raise TrialError(f"truth is not looked up in {extent.truth:,} people. Choose 0 to {LIMIT:,}")
    planned = plan(scenario, asked)
    if extent.truth and (unknown := [name for name in planned.analyses if analysis(name).truth is None]):
        raise TrialError(f"no truth is known for {unknown[0]}. {WITHOUT_TRUTH}")
    scenarios = _drawn(scenario, planned.scenario, extent.draws)
    planned = planned._replace(prognostic=learnt(null_of(scenario), planned, start))
    people = patients(scenarios, people_of(planned), start)
    return Work(planned, compiled(scenarios, people), start, extent.replicates)


def bytes_needed(work: Work, threads: int, runs: int) -> int:
    """Bytes that a study needs: the space of each thread, and what is found in all replicates of the runs."""
    spaces = min(threads, -(-work.replicates // SIZE))
    needed = spaces * batches.memory(work.choices[0].program.sizes, True, 1)
    return int(needed + 2 * runs * work.replicates * bytes_of(work.plan))


def check_size(work: Work, threads: int, runs: int) -> None:
    """Refuse a study that would not fit."""
    check_memory(
        bytes_needed(work, threads, runs),
        "the study needs",
        "Ask for fewer participants or replicates, or fewer --threads",
    )


def _drawn(scenario: Scenario, planned: Scenario, draws: int | None) -> list[Scenario]:
    """The scenario as planned, or so for each vector of the ensemble."""
    if draws is None or planned.trial is None:
        return [planned]
    from simulator.studies.calibrate.apply import drawn_scenarios

    return [cut(one, planned.trial.analysis_days) for one in drawn_scenarios(scenario, draws)]


def null_of(scenario: Scenario) -> Scenario:
    """The scenario in which no treatment has an effect on the course of the disease."""
    settings: dict[str, object] = {
        f"treatments.{name}.{address}": value
        for name, one in scenario.treatments.items()
        for address, value in one.without_effect().items()
    }
    return scenario.replace(settings) if settings else scenario


def _after(progress: Progress | None, before: int, total: int) -> Callable[[int, int], None] | None:
    """Progress of a part of the work as progress of the whole."""
    if progress is None:
        return None
    tell: Any = progress
    return lambda done, _: tell(before + done, total)


def cores(threads: int | None) -> int:
    """Threads to work with: as many as asked for, else the machine's cores."""
    if threads is not None and threads < 1:
        raise UsageError(f"{threads} threads cannot do any work. Ask for 1 or more")
    return compiling.cores() if threads is None else threads
